//! The kernel is the caller's: what keeps the interface runs, what does not
//! is an error that says why.

use field_kernels::{Fp, arithmetic};
use gpu_executor::FieldAdd;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::{PersistentVulkanBackend, SpirvCheck, SpirvValidation};
use gpu_executor::{Error, VulkanError};

use crate::engines::{self, error};
use crate::support::{
    assert_limbs, assert_sums, backend, borrowed, built, on_cpu, random_jobs, sums, test_kernel,
};

type Operation = fn(&[u64; LIMBS], &[u64; LIMBS]) -> [u64; LIMBS];

fn xor(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    std::array::from_fn(|limb| a[limb] ^ b[limb])
}

#[test]
fn the_report_tells_how_much_of_a_call_went_into_making_its_pipeline() {
    let (_guard, mut backend) = backend();
    let mut run = || {
        backend.field_add(&[1; LIMBS], &[2; LIMBS]).unwrap();
        let report = backend.last_report().unwrap();
        assert!(report.compile < report.total, "{report}");
        (report.compile, report.to_string())
    };
    let (first, loud) = run();
    // Of several, since this thread may have to wait at any time.
    let (second, silent) = (0..9).map(|_| run()).min().unwrap();
    assert!(first > 10 * second, "{first:?}, then {second:?}");
    assert!(loud.contains("compiling") && !silent.contains("compiling"));
}

/// Runs a kernel of the caller's over several sizes, paths and chunks.
fn runs_as(name: &str, operation: Operation) {
    let spirv = test_kernel(name);
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder().chunk_elements(300));
    for elements in [1, 63, 64, 65, 300, 301, 1000] {
        let jobs = random_jobs(2, elements, elements as u64);
        let batch = borrowed(&jobs);
        let runs = [
            backend.run_field_add_batch(&spirv, &batch, elements, false),
            backend.run_field_add_batch(&spirv, &batch, elements, true),
            backend.run_field_add_batch_pipelined(&spirv, &batch, elements),
        ];
        for results in runs {
            for (result, (a, b)) in results.unwrap().iter().zip(&jobs) {
                assert_limbs(result, &on_cpu(a, b, operation), name);
            }
        }
    }
    let report = backend.last_report().unwrap();
    assert!(report.kernel.starts_with("sha256:"), "{}", report.kernel);
}

#[test]
fn kernels_of_the_callers_run_whatever_their_workgroups_and_counts() {
    // Takes its count from A.length(), has a specialization constant for its
    // workgroup size and no push constant.
    runs_as("field_sub", arithmetic::sub::<Fp>);
    // One invocation a workgroup.
    runs_as("limb_xor", xor);
    runs_as("wide_groups", arithmetic::add::<Fp>);
}

#[test]
fn more_than_65535_workgroups_of_one_invocation() {
    let spirv = test_kernel("limb_xor");
    let elements = 65_535 + 1_000;
    let (_guard, mut backend) = backend();
    let jobs = random_jobs(1, elements, 5);
    let results = backend
        .run_field_add_batch(&spirv, &borrowed(&jobs), elements, false)
        .unwrap();
    let (a, b) = &jobs[0];
    assert_limbs(&results[0], &on_cpu(a, b, xor), "xor");
}

/// The typed error of a run with `spirv`; the backend works on afterwards.
fn refused(backend: &mut PersistentVulkanBackend, spirv: &[u8]) -> Error {
    let jobs = random_jobs(1, 10, 3);
    let batch = borrowed(&jobs);
    let error = error(backend.run_field_add_batch(spirv, &batch, 10, false));
    let pipelined = backend.run_field_add_batch_pipelined(spirv, &batch, 10);
    assert_eq!(error, engines::error(pipelined));
    let results = backend.field_add_batch(&batch, 10).unwrap();
    assert_sums(&results, &jobs, "after an error");
    error
}

#[test]
fn spirv_that_is_no_module_is_refused_with_what_was_expected_and_found() {
    let (_guard, mut backend) = backend();
    let good = backend.field_add_spirv();
    let mut wrong_magic = good.to_vec();
    wrong_magic[0] ^= 0xff;
    let mut wrong_bound = good.to_vec();
    wrong_bound[12..16].copy_from_slice(&[0xff; 4]);
    let cases: [(&[u8], &str); 7] = [
        (&[], "empty (0 bytes)"),
        (&good[..7], "found 7 bytes"),
        (&good[..16], "found 16 bytes"),
        (&good[..good.len() - 2], "multiple of 4 bytes"),
        (&good[..good.len() / 8 * 4], "not a well-formed module"),
        (&wrong_magic, "expected the magic number 0x07230203"),
        (&wrong_bound, "expected an id bound"),
    ];
    for (spirv, expected) in cases {
        let error = refused(&mut backend, spirv);
        assert!(error.to_string().contains(expected), "{error}");
        let invalid = matches!(error, Error::Vulkan(VulkanError::InvalidSpirv { .. }));
        assert!(invalid, "{error}");
    }
}

#[test]
fn a_wrong_interface_is_refused_by_name() {
    let (_guard, mut backend) = backend();
    for (name, expected) in [
        ("bad_binding", "found set 0, binding 3"),
        ("bad_set", "found set 1"),
        ("bad_uniform", "found a uniform buffer"),
        ("bad_local_size_2d", "found [8, 8, 1]"),
        ("no_output", "binding 2 (the output), found none"),
    ] {
        let error = refused(&mut backend, &test_kernel(name)).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_capability_that_the_device_lacks_is_named() {
    let (_guard, mut backend) = backend();
    let spirv = test_kernel("needs_float64");
    let jobs = random_jobs(1, 100, 9);
    if backend.device().features.shader_float64 {
        backend
            .run_field_add_batch(&spirv, &borrowed(&jobs), 100, false)
            .unwrap();
    } else {
        let error = refused(&mut backend, &spirv).to_string();
        assert!(error.contains("Float64"), "{error}");
    }
}

#[test]
fn many_kernels_are_kept_apart() {
    let (_guard, mut backend) = backend();
    let (add, sub) = (backend.field_add_spirv(), test_kernel("field_sub"));
    let jobs = random_jobs(1, 500, 21);
    let batch = borrowed(&jobs);
    let (a, b) = &jobs[0];
    for _ in 0..3 {
        let mut run = |spirv| {
            backend
                .run_field_add_batch(spirv, &batch, 500, false)
                .unwrap()
        };
        assert_limbs(&run(add)[0], &sums(a, b), "add");
        assert_limbs(&run(&sub)[0], &on_cpu(a, b, arithmetic::sub::<Fp>), "sub");
    }
}

/// Copies of A, written in the ways that compilers have: the fixtures `kinds` of vk-core.
#[test]
fn each_kind_of_valid_module_computes_or_says_what_it_needs() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../vk-core/tests/fixtures/kinds"
    );
    let required = SpirvValidation::Required;
    let builder = PersistentVulkanBackend::builder().spirv_validation(required);
    let (_guard, mut backend) = built(builder);
    let (mut computed, mut needs) = (0, Vec::new());
    for (seed, entry) in (11..).zip(std::fs::read_dir(folder).unwrap()) {
        // Other elements for each, so that what the module before left is no answer.
        let jobs = random_jobs(1, 300, seed);
        let (a, b) = &jobs[0];
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "spv") {
            continue;
        }
        let spirv = std::fs::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        match backend.run_field_add(&spirv, a, b, 300, false) {
            Ok(copied) => {
                assert_limbs(&copied, a, &name);
                let report = backend.last_report().unwrap();
                assert_eq!(report.spirv, SpirvCheck::Validated);
                computed += 1;
            }
            Err(error) => {
                let text = error.to_string();
                let unsupported = matches!(error, Error::Vulkan(VulkanError::Unsupported { .. }));
                assert!(unsupported, "{name}: {text}");
                needs.push(text);
            }
        }
    }
    assert!(computed >= 15, "{computed} computed; others need {needs:?}");
}

#[test]
fn the_report_says_who_looked_at_the_module() {
    let jobs = random_jobs(1, 10, 3);
    let batch = borrowed(&jobs);
    let run = |validation, spirv: Option<&[u8]>| {
        let builder = PersistentVulkanBackend::builder().spirv_validation(validation);
        let (_guard, mut backend) = built(builder);
        let spirv = spirv.unwrap_or(backend.field_add_spirv());
        backend
            .run_field_add_batch(spirv, &batch, 10, false)
            .unwrap();
        backend.last_report().unwrap().clone()
    };
    let copy = test_kernel("copy");
    assert_eq!(run(SpirvValidation::Off, None).spirv, SpirvCheck::Own);
    let unchecked = run(SpirvValidation::Off, Some(&copy));
    assert_eq!(unchecked.spirv, SpirvCheck::Off);
    let report = run(SpirvValidation::IfPresent, Some(&copy));
    assert_eq!(report.spirv, SpirvCheck::Validated);
    let text = report.to_string();
    assert!(text.contains("(passed spirv-val)"), "{text}");
}
