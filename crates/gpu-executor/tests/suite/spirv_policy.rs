//! A list of the modules that may run: others are refused by their hash, and
//! the library's own always run.

use gpu_executor::FieldAdd;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Error, VulkanError, kernels};

use crate::support::{built, random_jobs, test_kernel};

#[test]
fn modules_off_the_list_are_refused_by_name_and_the_others_run() {
    let (listed, unlisted) = (test_kernel("copy"), test_kernel("limb_xor"));
    let hash = kernels::spirv_hash(&listed);
    let builder = PersistentVulkanBackend::builder().allow_only_spirv([hash]);
    let (_guard, mut backend) = built(builder);
    let jobs = random_jobs(1, 100, 7);
    let (a, b) = &jobs[0];
    let refused = backend.run_field_add(&unlisted, a, b, 100, false);
    let error = refused.unwrap_err();
    let sha256 = hex::encode(kernels::spirv_hash(&unlisted));
    let expected = Error::Vulkan(VulkanError::SpirvNotAllowed { sha256 });
    assert_eq!(error, expected);
    let copied = backend.run_field_add(&listed, a, b, 100, false).unwrap();
    assert_eq!(copied, *a);
    // What the builder was not given, and runs all the same.
    for kernel in kernels::KERNELS {
        let sums = backend.run_field_add(kernel.spirv, a, b, 100, false);
        assert_eq!(sums.unwrap(), backend.field_add(a, b).unwrap());
    }
}
