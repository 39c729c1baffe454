//! Which of two engines runs a call.

use std::path::Path as FilePath;

use gpu_executor::FieldAdd;
use gpu_executor::device::Builder;
use gpu_executor::kernels::MODULUS;
use gpu_executor::{Engine, Executor, Fastest, Inputs, PathChoice, TransferPath};
use sha2::{Digest, Sha256};
use vk_core::testing::DeviceTest;

use crate::support::kept::{build, file_in, keeping, measured, stored};
use crate::support::{assert_sums, borrowed, random_jobs, test_kernel};

/// An executor that finds in its file that each run took the CPU so long.
fn with_cpu_time(guard: &mut DeviceTest, folder: &FilePath, nanoseconds: u64) -> Executor {
    change(folder, |file| {
        for time in file["cpu"].as_array_mut().unwrap() {
            time["nanoseconds"] = nanoseconds.into();
        }
    });
    let backend = build(guard, keeping(folder));
    Executor::Fastest(Box::new(Fastest::new(backend).unwrap()))
}

fn change(folder: &FilePath, change: impl Fn(&mut serde_json::Value)) {
    let mut file = stored(folder).unwrap();
    change(&mut file);
    // As the library writes it: with the hash of all the rest.
    file.as_object_mut().unwrap().remove("sha256");
    let hash = Sha256::digest(file.to_string());
    file["sha256"] = hex::encode(hash).into();
    std::fs::write(file_in(folder).unwrap(), file.to_string()).unwrap();
}

fn ran_on_cpu(executor: &Executor) -> bool {
    matches!(executor.last_report().unwrap().engine, Engine::Cpu { .. })
}

#[test]
fn the_faster_engine_runs_what_both_can() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(measured(&mut guard, folder.path()));
    let jobs = random_jobs(2, 300, 7);
    let batch = borrowed(&jobs);
    for (nanoseconds, on_cpu) in [(1, true), (u64::MAX, false)] {
        let mut executor = with_cpu_time(&mut guard, folder.path(), nanoseconds);
        let results = executor.field_add_batch(&batch, 300).unwrap();
        assert_sums(&results, &jobs, "faster engine");
        assert_eq!(ran_on_cpu(&executor), on_cpu);
        let spirv = executor.field_add_spirv();
        let results = executor
            .run_field_add_batch(spirv, &batch, 300, true)
            .unwrap();
        assert_sums(&results, &jobs, "device memory asked for");
        assert!(!ran_on_cpu(&executor));
        let sub = test_kernel("field_sub");
        executor
            .run_field_add_batch_pipelined(&sub, &batch, 300)
            .unwrap();
        assert!(!ran_on_cpu(&executor));
    }
}

/// Which one that is, is up to the machine.
#[test]
fn without_a_calibration_both_engines_are_measured_now_and_nothing_is_kept() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let backend = build(&mut guard, keeping(folder.path()));
    let mut executor = Executor::Fastest(Box::new(Fastest::new(backend).unwrap()));
    assert!(executor.last_report().is_none());
    assert_eq!(stored(folder.path()), None);
    let jobs = random_jobs(2, 300, 7);
    let results = executor.field_add_batch(&borrowed(&jobs), 300).unwrap();
    assert_sums(&results, &jobs, "either engine");
}

#[test]
fn the_cpu_is_compared_with_the_path_that_would_run() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(measured(&mut guard, folder.path()));
    let (direct, staged) = (TransferPath::HostVisible, TransferPath::DeviceLocal);
    for (slow, asked, pipelined, sequential) in [
        (staged, None, false, false),
        (staged, Some(PathChoice::Auto), false, false),
        (staged, Some(PathChoice::Fixed(staged)), true, true),
        // What calls one after the other take where nobody asks.
        (direct, None, false, true),
        (direct, Some(PathChoice::Fixed(direct)), true, true),
    ] {
        change(folder.path(), |file| {
            let rows = file["tuning"]["measured"].as_array_mut().unwrap();
            // Not every device is measured on both paths.
            let mut row = rows.swap_remove(0);
            rows.clear();
            for path in [direct, staged] {
                row["path"] = path.to_string().into();
                row["nanoseconds"] = if path == slow { 1_u64 << 60 } else { 0 }.into();
                rows.push(row.clone());
            }
        });
        let builder = keeping(folder.path());
        let builder = asked.into_iter().fold(builder, Builder::path);
        let fastest = Fastest::new(build(&mut guard, builder)).unwrap();
        let mut executor = Executor::Fastest(Box::new(fastest));
        executor.field_add(&[1; 6], &[2; 6]).unwrap();
        assert_eq!(ran_on_cpu(&executor), pipelined, "{slow} {asked:?}");
        let spirv = executor.field_add_spirv();
        executor
            .run_field_add(spirv, &[1; 6], &[2; 6], 1, false)
            .unwrap();
        assert_eq!(ran_on_cpu(&executor), sequential, "{slow} {asked:?}");
    }
}

#[test]
fn both_engines_hold_inputs_to_the_same() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(measured(&mut guard, folder.path()));
    for device_time in [0, 1_u64 << 60] {
        change(folder.path(), |file| {
            for row in file["tuning"]["measured"].as_array_mut().unwrap() {
                row["nanoseconds"] = device_time.into();
            }
        });
        let builder = keeping(folder.path()).inputs(Inputs::Any);
        let fastest = Fastest::new(build(&mut guard, builder)).unwrap();
        let mut executor = Executor::Fastest(Box::new(fastest));
        assert_eq!(executor.field_add(&MODULUS, &[0; 6]).unwrap(), [0; 6]);
        assert_eq!(ran_on_cpu(&executor), device_time > 0);
    }
}
