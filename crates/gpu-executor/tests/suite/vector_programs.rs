//! Random programs over vectors, on the device and on the CPU, against arkworks. The
//! long form of this is `cargo xtask soak oracles`.

use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::MemoryAccess::{Direct, Staged, StagedStores};
use gpu_executor::vectors::VectorEngine;
use proptest::prelude::*;
use proptest::sample::select;

use crate::programs::{self, Of};
use crate::support::built;

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn any_program_equals_arkworks_on_every_engine(
        seed in any::<u64>(),
        steps in 10_usize..120,
        dispatch in 96_usize..400,
        access in select(vec![Direct, Staged, StagedStores]),
        workgroup in select(vec![32, 64, 128]),
    ) {
        let settings = PersistentVulkanBackend::builder()
            .dispatch_elements(dispatch)
            .memory_access(access)
            .workgroup_size(workgroup);
        let (_guard, mut backend) = built(settings);
        let cpu = VectorEngine::cpu_with_threads(3).unwrap();
        let engines = [backend.vectors().unwrap(), cpu];
        programs::run(&engines, Of::Fields, seed, steps).unwrap();
    }
}
