//! Every path, chunk size, depth and kernel variant against the CPU reference.

use std::cell::RefCell;

use field_kernels::Fp;
use field_kernels::edge::edge_elements;
use gpu_executor::FieldAdd;
use gpu_executor::kernels::{KERNELS, Kernel, LIMBS};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Inputs, PathChoice, TransferPath};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::oracle::edge_pairs;
use crate::support::{
    self, any_elements, assert_limbs, assert_sums, borrowed, built, random_jobs, sums,
};

fn runs_on(backend: &PersistentVulkanBackend, kernel: &Kernel) -> bool {
    backend.device().features.shader_int64 || !kernel.needs_shader_int64
}

/// Those that the device can run.
fn kernels_on(backend: &PersistentVulkanBackend) -> Vec<&'static Kernel> {
    let all = KERNELS.iter().copied();
    all.filter(|kernel| runs_on(backend, kernel)).collect()
}

fn kernels() -> impl Strategy<Value = &'static Kernel> {
    prop::sample::select(KERNELS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_batch_on_any_path_equals_the_reference(
        kernel in kernels(),
        path in prop::sample::select(TransferPath::ALL.to_vec()),
        pipelined in any::<bool>(),
        jobs in 1_usize..6,
        elements in 1_usize..400,
        chunk in 1_usize..500,
        depth in 1_usize..5,
        seed in any::<u64>(),
    ) {
        let builder = PersistentVulkanBackend::builder()
            .path(PathChoice::Fixed(path))
            .chunk_elements(chunk)
            .depth(depth);
        let (_guard, mut backend) = built(builder);
        prop_assume!(runs_on(&backend, kernel) && path.is_usable(backend.device()));
        let jobs = random_jobs(jobs, elements, seed);
        let batch = borrowed(&jobs);
        let results = match pipelined {
            true => backend.run_field_add_batch_pipelined(kernel.spirv, &batch, elements),
            false => backend.run_field_add_batch(kernel.spirv, &batch, elements, false),
        };
        assert_sums(&results.unwrap(), &jobs, kernel.name);
        prop_assert_eq!(backend.last_report().unwrap().path, Some(path));
    }
}

#[test]
fn addition_commutes_and_zero_is_neutral() {
    let (_guard, backend) = support::backend();
    let backend = RefCell::new(backend);
    let config = ProptestConfig {
        cases: 48,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let checked = TestRunner::new(config).run(&(any_elements(200), any_elements(200)), |(a, b)| {
        let mut backend = backend.borrow_mut();
        let zero = vec![0; a.len()];
        let forth = backend.field_add(&a, &b).unwrap();
        prop_assert_eq!(&forth, &backend.field_add(&b, &a).unwrap());
        prop_assert_eq!(&a, &backend.field_add(&a, &zero).unwrap());
        prop_assert_eq!(forth, sums(&a, &b));
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn every_boundary_on_every_path_and_kernel() {
    let chunk = 256;
    for path in TransferPath::ALL {
        let builder = PersistentVulkanBackend::builder()
            .path(PathChoice::Fixed(path))
            .chunk_elements(chunk);
        let (_guard, mut backend) = built(builder);
        if !path.is_usable(backend.device()) {
            continue;
        }
        for kernel in kernels_on(&backend) {
            // Around one workgroup, one chunk, and several of each.
            for elements in [
                1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1025,
            ] {
                let jobs = random_jobs(2, elements, elements as u64);
                let batch = borrowed(&jobs);
                let what = format!("{} {path} {elements}", kernel.name);
                let sequential = backend.run_field_add_batch(kernel.spirv, &batch, elements, false);
                assert_sums(&sequential.unwrap(), &jobs, &what);
                let pipelined =
                    backend.run_field_add_batch_pipelined(kernel.spirv, &batch, elements);
                assert_sums(&pipelined.unwrap(), &jobs, &what);
            }
        }
    }
}

#[test]
fn all_pairs_of_edge_elements_on_every_kernel() {
    let (a, b) = edge_pairs::<Fp>();
    let (a, b) = (a.into_flattened(), b.into_flattened());
    let (_guard, mut backend) = support::backend();
    for kernel in kernels_on(&backend) {
        let found = backend.run_field_add(kernel.spirv, &a, &b, a.len() / LIMBS, false);
        assert_limbs(&found.unwrap(), &sums(&a, &b), kernel.name);
    }
}

#[test]
fn input_that_is_not_canonical_gives_what_the_documentation_says() {
    let top = [u64::MAX; LIMBS];
    let edges = edge_elements::<Fp>();
    let a: Vec<u64> = edges.iter().flat_map(|_| top).collect();
    let b: Vec<u64> = edges.iter().flatten().copied().collect();
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder().inputs(Inputs::Any));
    for kernel in kernels_on(&backend) {
        let found = backend.run_field_add(kernel.spirv, &a, &b, edges.len(), false);
        assert_limbs(&found.unwrap(), &sums(&a, &b), kernel.name);
    }
}

#[test]
fn sizes_past_the_limits_of_one_binding_and_one_dispatch() {
    // More than 128 MiB per operand, more than 65,535 workgroups of 64, and
    // an odd tail; a chunk as large as the device allows.
    let elements = 65_536 * 64 + 12_347;
    let (_guard, mut backend) =
        built(PersistentVulkanBackend::builder().chunk_elements(usize::MAX));
    let jobs = random_jobs(1, elements, 17);
    let spirv = backend.field_add_spirv();
    let results = backend
        .run_field_add_batch(spirv, &borrowed(&jobs), elements, false)
        .unwrap();
    assert_sums(&results, &jobs, "one large job");
    let report = backend.last_report().unwrap();
    let most = backend.device().limits.max_storage_buffer_range / 48;
    assert!(
        report.chunk as u64 <= most,
        "chunk {} of {most}",
        report.chunk
    );
}

#[test]
fn a_run_of_many_more_chunks_than_slots() {
    let elements = 300_007;
    let jobs = random_jobs(4, elements, 23);
    for path in TransferPath::ALL {
        let builder = PersistentVulkanBackend::builder()
            .path(PathChoice::Fixed(path))
            .threads(4)
            .chunk_elements(30_000)
            .depth(8);
        let (_guard, mut backend) = built(builder);
        if !path.is_usable(backend.device()) {
            continue;
        }
        let spirv = backend.field_add_spirv();
        let batch = borrowed(&jobs);
        // Twice: the second run finds every slot used before.
        for _ in 0..2 {
            let results = backend.run_field_add_batch_pipelined(spirv, &batch, elements);
            assert_sums(&results.unwrap(), &jobs, "many chunks");
        }
        let report = backend.last_report().unwrap();
        assert_eq!((report.depth, report.elements), (8, 4 * elements));
        assert!(report.chunks >= 16, "{} chunks", report.chunks);
    }
}

#[test]
fn one_backend_serves_shapes_in_any_order() {
    let (_guard, mut backend) = support::backend();
    let spirv = backend.field_add_spirv();
    for (number, elements) in (0..).zip([1000, 1, 5000, 64, 5000, 3, 20_000, 1000]) {
        let jobs = random_jobs(3, elements, number);
        let batch = borrowed(&jobs);
        let device_local = number % 2 == 1;
        let results = backend.run_field_add_batch(spirv, &batch, elements, device_local);
        assert_sums(&results.unwrap(), &jobs, "sequential");
        let results = backend.run_field_add_batch_pipelined(spirv, &batch, elements);
        assert_sums(&results.unwrap(), &jobs, "pipelined");
    }
}
