//! Results into the caller's slices: the same from every engine, and the same
//! errors.

use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::{Error, Executor, Mode};
use vk_core::testing::DeviceTest;

use crate::engines::refused;
use crate::support::{assert_sums, backend, borrowed, random_jobs};

/// Both engines, and the guard of the one that has a device.
fn engines() -> (DeviceTest, [Executor; 2]) {
    let (guard, backend) = backend();
    let cpu = CpuEngine::with_threads(2).unwrap();
    (guard, [Executor::Vulkan(backend), Executor::Cpu(cpu)])
}

fn slices(results: &mut [Vec<u64>]) -> Vec<&mut [u64]> {
    results.iter_mut().map(Vec::as_mut_slice).collect()
}

#[test]
fn every_engine_and_call_fills_the_slices() {
    let (_guard, engines) = engines();
    for mut engine in engines {
        let spirv = engine.field_add_spirv();
        // Around one grain of the CPU engine, and nothing at all.
        for (jobs, elements) in [(3, 1_000), (2, 4_096), (1, 10_001), (0, 10), (2, 0)] {
            let jobs = random_jobs(jobs, elements, 3);
            let batch = borrowed(&jobs);
            // The same slices again and again.
            let mut results = vec![vec![u64::MAX; 6 * elements]; jobs.len()];
            let what = format!("{} jobs of {elements}", jobs.len());
            for device_local in [false, true] {
                let into = &mut slices(&mut results);
                engine
                    .run_field_add_batch_into(spirv, &batch, elements, device_local, into)
                    .unwrap();
                let report = engine.last_report().unwrap();
                assert_eq!((report.mode, report.jobs), (Mode::Sequential, jobs.len()));
                assert_sums(&results, &jobs, &what);
                results.iter_mut().for_each(|result| result.fill(0));
            }
            let into = &mut slices(&mut results);
            engine
                .run_field_add_batch_pipelined_into(spirv, &batch, elements, into)
                .unwrap();
            assert_eq!(engine.last_report().unwrap().mode, Mode::Pipelined);
            assert_sums(&results, &jobs, &what);
            results.iter_mut().for_each(|result| result.fill(0));
            let into = &mut slices(&mut results);
            engine.field_add_batch_into(&batch, elements, into).unwrap();
            assert_sums(&results, &jobs, &what);
            assert_eq!(
                engine.last_report().unwrap().elements,
                jobs.len() * elements
            );
        }
    }
}

#[test]
fn every_engine_refuses_what_does_not_fit_alike() {
    let (_guard, engines) = engines();
    let jobs = random_jobs(2, 10, 1);
    let batch = borrowed(&jobs);
    let short = [(batch[0].0, &batch[0].1[..59]), batch[1]];
    for mut engine in engines {
        let mut refused = |jobs: &[(&[u64], &[u64])], elements, lengths: &[usize]| {
            let mut results: Vec<_> = lengths.iter().map(|&limbs| vec![0; limbs]).collect();
            let error = engine.field_add_batch_into(jobs, elements, &mut slices(&mut results));
            assert!(engine.last_report().is_none());
            assert!(results.iter().flatten().all(|limb| *limb == 0));
            error.unwrap_err()
        };
        let text = "expected 2 slices for the results, one per job, found 1";
        assert_eq!(refused(&batch, 10, &[60]).to_string(), text);
        let text = "job 1: expected a result of 60 limbs (10 elements x 6), found 61";
        assert_eq!(refused(&batch, 10, &[60, 61]).to_string(), text);
        let expected = Error::InvalidJob {
            job: 0,
            operand: "B",
            expected: 60,
            found: 59,
        };
        assert_eq!(refused(&short, 10, &[60, 60]), expected);
        let short = [batch[0], (&batch[1].0[..59], batch[1].1)];
        let text = "job 1: expected A of 60 limbs (10 elements x 6), found 59";
        assert_eq!(refused(&short, 10, &[60, 60]).to_string(), text);
        let error = refused(&batch, usize::MAX, &[60, 60]);
        assert!(matches!(error, Error::TooManyElements { .. }), "{error}");
        // New vectors for the results change nothing, and it works on.
        let error = engine.field_add_batch(&short, 10).unwrap_err();
        assert_eq!(error.to_string(), text);
        // What fits the address space but not the slices is the slices' error.
        refused!(engine.field_add_batch(&batch, 1 << 40) => Error::InvalidJob { .. });
        let results = engine.field_add_batch(&batch, 10).unwrap();
        assert_sums(&results, &jobs, "after errors");
    }
}
