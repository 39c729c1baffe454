//! The documented interface, as its users write it.

use std::fs;

use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Fr, VectorEngine};
use gpu_executor::{Cache, DevicePolicy, Engine, Executor, FieldAdd, Inputs, Mode, TransferPath};

use crate::support::{self, assert_sums, backend, borrowed, child, random_jobs, sums};

/// The example of the API's documentation; only the path of the `.spv` is
/// that of this repository.
#[test]
fn the_documented_example_runs() -> anyhow::Result<()> {
    if !child::has_own_cache("spec_api::the_documented_example_runs") {
        return Ok(());
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let spirv = fs::read(format!("{root}/shaders/compiled/bls12_381_field_add.spv"))?;

    let a1: Vec<u64> = vec![0; 6 * 16384];
    let b1: Vec<u64> = vec![0; 6 * 16384];
    let a2: Vec<u64> = vec![1; 6 * 16384];
    let b2: Vec<u64> = vec![2; 6 * 16384];

    let jobs: Vec<(&[u64], &[u64])> = vec![(&a1, &b1), (&a2, &b2)];

    let mut backend = PersistentVulkanBackend::new()?;

    let c_seq = backend.run_field_add_batch(&spirv, &jobs, 16384, true)?;
    let c_pipe = backend.run_field_add_batch_pipelined(&spirv, &jobs, 16384)?;

    let expected = [vec![0; 6 * 16384], vec![3; 6 * 16384]];
    assert_eq!(c_seq, expected);
    assert_eq!(c_pipe, expected);
    Ok(())
}

#[test]
fn the_embedded_kernel_is_the_file() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let file = fs::read(format!("{root}/shaders/compiled/bls12_381_field_add.spv")).unwrap();
    let known = gpu_executor::kernels::find_by_spirv(&file);
    assert_eq!(known.map(|kernel| kernel.name), Some("bls12_381_field_add"));
}

#[test]
fn single_job_calls_agree_with_batches() {
    let (_guard, mut backend) = backend();
    let spirv = backend.field_add_spirv();
    let jobs = random_jobs(1, 1000, 1);
    let (a, b) = &jobs[0];
    let expected = sums(a, b);
    assert_eq!(backend.field_add(a, b).unwrap(), expected);
    for device_local in [false, true] {
        let found = backend.run_field_add(spirv, a, b, 1000, device_local);
        assert_eq!(found.unwrap(), expected);
    }
    let batch = backend.field_add_batch(&borrowed(&jobs), 1000).unwrap();
    assert_sums(&batch, &jobs, "batch");
}

#[test]
fn nothing_in_gives_nothing_out() {
    let (_guard, mut backend) = backend();
    let spirv = backend.field_add_spirv();
    let empty: &[u64] = &[];
    for device_local in [false, true] {
        let mut run =
            |jobs: &[_], elements| backend.run_field_add_batch(spirv, jobs, elements, device_local);
        assert!(run(&[], 5).unwrap().is_empty());
        let results = run(&[(empty, empty), (empty, empty)], 0).unwrap();
        assert_eq!(results, [[]; 2] as [[u64; 0]; 2]);
    }
    let mut pipelined = |jobs: &[_]| backend.run_field_add_batch_pipelined(spirv, jobs, 0);
    assert!(pipelined(&[]).unwrap().is_empty());
    let results = pipelined(&[(empty, empty)]).unwrap();
    assert_eq!(results, [Vec::<u64>::new()]);
}

#[test]
fn the_report_says_what_ran_where_and_how() {
    let (_guard, mut backend) = backend();
    assert!(backend.last_report().is_none());
    let spirv = backend.field_add_spirv();
    let jobs = random_jobs(3, 500, 7);
    let batch = borrowed(&jobs);

    backend
        .run_field_add_batch(spirv, &batch, 500, true)
        .unwrap();
    let report = backend.last_report().unwrap().clone();
    let name = backend.device().name.clone();
    assert!(matches!(&report.engine, Engine::Vulkan { device, .. } if *device == name));
    assert_eq!(
        (report.mode, report.path),
        (Mode::Sequential, Some(TransferPath::DeviceLocal))
    );
    assert_eq!((report.jobs, report.elements, report.chunks), (3, 1500, 3));
    assert_eq!((report.bytes_in, report.bytes_out), (144_000, 72_000));
    assert!(report.kernel.starts_with("bls12_381_field_add"));
    let text = report.to_string();
    assert!(
        text.contains(&name) && text.contains("device-local"),
        "{text}"
    );

    backend
        .run_field_add_batch_pipelined(spirv, &batch, 500)
        .unwrap();
    let report = backend.last_report().unwrap();
    assert_eq!(report.mode, Mode::Pipelined);
    assert_eq!(report.chunks, 1, "three small jobs share a chunk");

    // A failed run leaves no report of an earlier one behind.
    let failed = backend.run_field_add_batch(spirv, &batch, 501, false);
    assert!(failed.is_err());
    assert!(backend.last_report().is_none());
}

#[test]
fn device_stages_are_timed_on_request() {
    let builder = PersistentVulkanBackend::builder().timestamps(true);
    let (_guard, mut backend) = support::built(builder);
    let spirv = backend.field_add_spirv();
    let jobs = random_jobs(2, 5000, 3);
    backend
        .run_field_add_batch(spirv, &borrowed(&jobs), 5000, true)
        .unwrap();
    let stages = backend.last_report().unwrap().stages;
    let timed = [stages.upload, stages.kernel, stages.download];
    let families = &backend.device().queue_families;
    let expected = backend.device().features.host_query_reset
        && families.iter().all(|family| family.timestamp_bits > 0);
    assert_eq!(timed.iter().all(Option::is_some), expected, "{stages:?}");
    let report = backend.last_report().unwrap();
    // Two chunks, each copied in and out at least.
    assert!(report.timeline.len() >= 4, "{:?}", report.timeline);
    let overlap = report.overlap.unwrap();
    assert!((1.0..=5.0).contains(&overlap), "{overlap}");
    assert!(report.to_string().contains("stages at once"));
}

#[test]
fn auto_prefers_the_device() {
    if !child::has_own_cache("spec_api::auto_prefers_the_device") {
        return;
    }
    let mut executor = Executor::auto().unwrap();
    assert!(matches!(executor, Executor::Vulkan(_)));
    let jobs = random_jobs(2, 100, 11);
    let results = executor.field_add_batch(&borrowed(&jobs), 100).unwrap();
    assert_sums(&results, &jobs, "auto");
    let report = executor.last_report().unwrap();
    assert!(matches!(report.engine, Engine::Vulkan { .. }));
}

/// Vectors of two calls meet in one program, and are held to what the engine's inputs are.
#[test]
fn an_executor_on_the_cpu_has_one_engine_of_vectors_with_its_settings() {
    let engine = CpuEngine::with_threads(3).unwrap();
    let mut executor = Executor::Cpu(engine.with_inputs(Inputs::Any));
    let (one, same) = (executor.vectors().unwrap(), executor.vectors().unwrap());
    assert_eq!(one.engine(), Engine::Cpu { threads: 3 });
    let (x, y) = (
        one.upload::<Fr>(&[1_u64, 2, 3, 4]).unwrap(),
        same.upload::<Fr>(&[5_u64, 6, 7, 8]).unwrap(),
    );
    let queue = one.queue();
    let sum = queue.add(&x, &y).unwrap();
    queue.submit().unwrap().wait().unwrap();
    assert_eq!(sum.download::<u64>().unwrap(), [6, 8, 10, 12]);
    assert!(one.upload::<Fr>(&[u64::MAX; 4]).is_ok());
    let strict = CpuEngine::with_threads(1).unwrap().vectors().unwrap();
    assert!(strict.upload::<Fr>(&[u64::MAX; 4]).is_err());
}

/// One builder, whatever is built; and the devices that its policies choose from.
#[test]
fn engines_of_every_kind_are_built_with_the_same_settings() {
    let (_guard, backend) = backend();
    let devices = gpu_executor::device::devices().unwrap();
    let number = devices
        .iter()
        .position(|caps| caps.uuid == backend.device().uuid);
    let policy = DevicePolicy::Index(number.unwrap());
    let engine = VectorEngine::builder()
        .device(policy.clone())
        .cache(Cache::Off);
    let engine = engine.inputs(Inputs::Any).build().unwrap();
    assert!(engine.upload::<Fr>(&[u64::MAX; 4]).is_ok());
    let executor = Executor::builder().device(policy).cache(Cache::Off);
    let mut executor = executor.inputs(Inputs::Any).build().unwrap();
    assert!(executor.field_add(&[u64::MAX; 6], &[0; 6]).is_ok());
    let nowhere = DevicePolicy::Index(devices.len());
    assert!(VectorEngine::builder().device(nowhere).build().is_err());
}
