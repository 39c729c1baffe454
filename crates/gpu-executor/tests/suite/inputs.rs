//! Elements that are not below the modulus, and how they are reported.

use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::kernels::{LIMBS, MODULUS};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Error, Executor, Inputs, PathChoice, Refused, TransferPath};

use crate::support::{assert_sums, borrowed, built, random_jobs};

const CHUNK: usize = 1_000;
const ELEMENTS: usize = 3 * CHUNK + 7;

/// Three jobs, with the modulus as one element of an operand of the second.
fn jobs_with(bad: usize, operand: &str) -> Vec<(Vec<u64>, Vec<u64>)> {
    let mut jobs = random_jobs(3, ELEMENTS, 3);
    let (a, b) = &mut jobs[1];
    let limbs = if operand == "A" { a } else { b };
    limbs[bad * LIMBS..][..LIMBS].copy_from_slice(&MODULUS);
    jobs
}

fn assert_named<T: std::fmt::Debug>(
    ran: Result<T, impl Into<anyhow::Error> + std::fmt::Debug>,
    bad: usize,
    operand: &'static str,
) {
    let error: anyhow::Error = ran.unwrap_err().into();
    let expected = Error::NotCanonical(Refused {
        job: Some(1),
        what: operand,
        element: bad,
        name: "fp",
        limb: 0,
        bound: MODULUS[0],
        found: MODULUS[0],
    });
    assert_eq!(error.downcast_ref(), Some(&expected), "{error}");
}

fn for_each_case(mut check: impl FnMut(&[(&[u64], &[u64])], usize, &'static str)) {
    for bad in [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 1, ELEMENTS - 1] {
        for operand in ["A", "B"] {
            check(&borrowed(&jobs_with(bad, operand)), bad, operand);
        }
    }
}

#[test]
fn every_path_names_the_first_element_that_is_not_canonical_and_runs_on() {
    let good = random_jobs(3, ELEMENTS, 3);
    for path in [TransferPath::HostVisible, TransferPath::DeviceLocal] {
        let builder = PersistentVulkanBackend::builder();
        let builder = builder.path(PathChoice::Fixed(path)).chunk_elements(CHUNK);
        let (_guard, mut backend) = built(builder.depth(2));
        let spirv = backend.field_add_spirv();
        for_each_case(|jobs, bad, operand| {
            let ran = backend.run_field_add_batch(spirv, jobs, ELEMENTS, false);
            assert_named(ran, bad, operand);
            let ran = backend.run_field_add_batch_pipelined(spirv, jobs, ELEMENTS);
            assert_named(ran, bad, operand);
            assert!(backend.last_report().is_none());
        });
        let results = backend.run_field_add_batch_pipelined(spirv, &borrowed(&good), ELEMENTS);
        assert_sums(&results.unwrap(), &good, &path.to_string());
    }
}

#[test]
fn a_large_run_is_checked_on_every_thread() {
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder().threads(3));
    let elements = 70_000;
    let mut jobs = random_jobs(2, elements, 9);
    jobs[1].1[69_999 * LIMBS..].copy_from_slice(&[u64::MAX; LIMBS]);
    jobs[1].1[69_000 * LIMBS..][..LIMBS].copy_from_slice(&MODULUS);
    assert_named(
        backend.field_add_batch(&borrowed(&jobs), elements),
        69_000,
        "B",
    );
}

#[test]
fn the_cpu_engine_and_the_executor_check_alike() {
    let mut engine = CpuEngine::with_threads(2).unwrap();
    for_each_case(|jobs, bad, operand| {
        assert_named(engine.field_add_batch(jobs, ELEMENTS), bad, operand);
    });
    let mut executor = Executor::Cpu(engine);
    let jobs = jobs_with(CHUNK, "A");
    let ran = executor.field_add_batch(&borrowed(&jobs), ELEMENTS);
    assert_named(ran, CHUNK, "A");
}

#[test]
fn any_input_runs_where_that_is_asked_for() {
    let jobs = jobs_with(CHUNK, "B");
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder().inputs(Inputs::Any));
    let results = backend.field_add_batch(&borrowed(&jobs), ELEMENTS).unwrap();
    assert_sums(&results, &jobs, "any input");
    let mut engine = CpuEngine::new().unwrap().with_inputs(Inputs::Any);
    let results = engine.field_add_batch(&borrowed(&jobs), ELEMENTS).unwrap();
    assert_sums(&results, &jobs, "any input, CPU");
}

#[test]
fn host_buffers_are_checked_on_request() {
    let (_guard, mut backend) = built(PersistentVulkanBackend::builder());
    let mut buffer = backend.host_buffer(100).unwrap();
    buffer.expect_canonical().unwrap();
    buffer[70 * LIMBS..][..LIMBS].copy_from_slice(&MODULUS);
    let error = buffer.expect_canonical().unwrap_err().to_string();
    assert!(
        error.starts_with("element 70 of the buffer (fp)"),
        "{error}"
    );
}
