//! Runs over host buffers on a device, and what they leave behind.

use std::sync::Arc;
use std::time::Duration;

use field_kernels::{ELEMENT_BYTES, FIELD_ADD, FIELD_ADD_U64, Fp, LIMBS, arithmetic};
use vk_core::testing::{DeviceTest, device_under_test, lose, without_timeline_semaphores};
use vk_core::{ComputePipeline, Device, KernelCache, WaitPolicy};

use crate::{
    Error, HostBuffer, HostBufferRuns, Packing, PathChoice, Plan, Request, Stats, Transfer,
    TransferOptions, TransferPath,
};

/// A transfer with the library's kernel; drops before its guard.
struct Setup {
    runs: HostBufferRuns,
    kernel: Arc<ComputePipeline>,
    kernels: KernelCache,
    _guard: DeviceTest,
}

impl Setup {
    fn new(timeline: bool, options: TransferOptions) -> Self {
        let (guard, mut physical) = device_under_test().unwrap();
        if !timeline {
            physical = without_timeline_semaphores(physical);
        }
        let device = Device::new(&physical).unwrap();
        let mut kernels = KernelCache::new(&device);
        let kernel = kernels.get(FIELD_ADD.spirv).unwrap();
        let transfer = Transfer::new(&device, options).unwrap();
        Self {
            runs: HostBufferRuns::new(&transfer),
            kernel,
            kernels,
            _guard: guard,
        }
    }

    /// A buffer of elements below the modulus that depend on `seed`.
    fn filled(&self, elements: usize, seed: u64) -> HostBuffer {
        let mut buffer = self.runs.buffer(elements * LIMBS).unwrap();
        for (word, number) in buffer.words_mut().iter_mut().zip(seed..) {
            *word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 4;
        }
        buffer
    }

    fn run(
        &mut self,
        request: &Request,
        [a, b]: [&HostBuffer; 2],
        out: &mut HostBuffer,
    ) -> Result<(Plan, Stats), Error> {
        self.runs
            .run(&self.kernel, request, ELEMENT_BYTES, a, b, out)
    }
}

fn request(path: TransferPath, chunk: Option<usize>) -> Request {
    Request {
        path: PathChoice::Fixed(path),
        chunk,
        depth: Some(3),
        packing: Packing::AcrossJobs,
    }
}

fn assert_sums(a: &HostBuffer, b: &HostBuffer, out: &HostBuffer, what: &str) {
    let elements = |buffer: &HostBuffer| buffer.words().as_chunks::<LIMBS>().0.to_vec();
    let pairs = elements(a).into_iter().zip(elements(b));
    let sums: Vec<_> = pairs.map(|(a, b)| arithmetic::add::<Fp>(&a, &b)).collect();
    assert!(elements(out) == sums, "{what}");
}

const PATHS: [TransferPath; 2] = [TransferPath::HostVisible, TransferPath::DeviceLocal];

#[test]
fn both_paths_in_many_chunks_with_timelines_and_with_fences() {
    for timeline in [true, false] {
        let options = TransferOptions {
            timestamps: true,
            ..TransferOptions::default()
        };
        let mut setup = Setup::new(timeline, options);
        let (a, b) = (setup.filled(5_003, 1), setup.filled(5_003, 7));
        for path in PATHS {
            // The second time by the commands of the first.
            for round in 0..2 {
                let mut out = setup.filled(5_003, 0);
                let request = request(path, Some(640));
                let (plan, stats) = setup.run(&request, [&a, &b], &mut out).unwrap();
                let what = format!("timeline {timeline}, {path}, round {round}");
                assert_sums(&a, &b, &out, &what);
                assert_eq!(
                    (plan.chunk, plan.depth, stats.chunks),
                    (640, 3, 8),
                    "{what}"
                );
                assert_eq!(
                    (stats.bytes_in, stats.bytes_out),
                    (2 * 5_003 * 48, 5_003 * 48)
                );
                let staged = path == TransferPath::DeviceLocal;
                assert_eq!(stats.times.upload.is_some(), staged, "{what}");
                assert_eq!(stats.times.download.is_some(), staged, "{what}");
                assert!(stats.times.kernel.is_some(), "{what}");
            }
        }
    }
}

#[test]
fn a_run_over_the_same_buffers_records_nothing_and_dropping_one_frees_it() {
    let mut setup = Setup::new(true, TransferOptions::default());
    let (a, b) = (setup.filled(1_000, 1), setup.filled(1_000, 2));
    let mut out = setup.filled(1_000, 3);
    let mut other_out = setup.filled(1_000, 4);
    let direct = request(TransferPath::HostVisible, Some(300));
    setup.run(&direct, [&a, &b], &mut out).unwrap();
    let recorded = setup.runs.recorded[0].commands();
    setup.run(&direct, [&a, &b], &mut other_out).unwrap();
    assert_eq!(setup.runs.recorded.len(), 2);
    setup.run(&direct, [&a, &b], &mut out).unwrap();
    assert_eq!(setup.runs.recorded.len(), 2);
    assert_eq!(setup.runs.recorded[0].commands(), recorded);
    // Another order, another kernel: commands of their own.
    setup.run(&direct, [&b, &a], &mut out).unwrap();
    setup.kernel = setup.kernels.get(FIELD_ADD_U64.spirv).unwrap();
    setup.run(&direct, [&a, &b], &mut out).unwrap();
    assert_eq!(setup.runs.recorded.len(), 4);

    let memory = Arc::downgrade(out.memory().unwrap());
    drop(out);
    assert_eq!(memory.strong_count(), 0);
    setup.run(&direct, [&a, &b], &mut other_out).unwrap();
    assert_sums(&a, &b, &other_out, "after a buffer has gone");
    // The three with the buffer that is gone went with it.
    assert_eq!(setup.runs.recorded.len(), 2);
}

#[test]
fn recorded_runs_are_kept_up_to_a_number() {
    let mut setup = Setup::new(true, TransferOptions::default());
    let (a, b) = (setup.filled(10, 1), setup.filled(10, 2));
    let mut outs: Vec<_> = (0..20).map(|seed| setup.filled(10, seed)).collect();
    for path in PATHS {
        for out in &mut outs {
            setup.run(&request(path, None), [&a, &b], out).unwrap();
            assert_sums(&a, &b, out, "one of many");
        }
        assert_eq!(setup.runs.recorded.len(), 8);
    }
}

#[test]
fn after_a_timeout_the_output_is_empty_and_later_runs_are_right() {
    let elements = 300_000;
    let mut setup = Setup::new(true, TransferOptions::default());
    let (a, b) = (setup.filled(elements, 1), setup.filled(elements, 2));
    for path in PATHS {
        let request = request(path, Some(100_000));
        // A device that was done before anybody looked is asked again.
        let memory = (0..100).find_map(|_| {
            setup.runs.options.wait = WaitPolicy::NONE;
            let mut out = setup.filled(elements, 3);
            let memory = Arc::downgrade(out.memory().unwrap());
            let ran = setup.run(&request, [&a, &b], &mut out);
            setup.runs.options.wait = WaitPolicy::default();
            let Err(error) = ran else {
                assert_sums(&a, &b, &out, "in no time");
                return None;
            };
            let timeout = vk_core::Error::Timeout {
                what: "the device",
                after: Duration::ZERO,
            };
            assert_eq!(error, Error::Vulkan(timeout));
            // Done just after the wait: then nothing was given up.
            if out.bytes() > 0 {
                return None;
            }
            assert!(out.words().is_empty() && out.words_mut().is_empty());
            Some(memory)
        });
        // The recorded run keeps the memory until a later run sees that it ended.
        let memory = memory.unwrap();
        let kept = memory.strong_count();
        let mut out = setup.filled(elements, 4);
        setup.run(&request, [&a, &b], &mut out).unwrap();
        assert_sums(&a, &b, &out, &format!("{path}, after a timeout"));
        for run in &mut setup.runs.recorded {
            run.wait(WaitPolicy::default()).unwrap();
        }
        assert!(kept > 0, "{path}");
        assert_eq!(memory.strong_count(), 0, "{path}");
        let mut small = setup.filled(elements, 5);
        setup.run(&request, [&a, &b], &mut small).unwrap();
        assert_sums(&a, &b, &small, &format!("{path}, much later"));
    }
}

#[test]
fn on_a_lost_device_nothing_is_taken_or_made() {
    let mut setup = Setup::new(true, TransferOptions::default());
    let (a, b) = (setup.filled(10, 1), setup.filled(10, 2));
    let mut out = setup.filled(10, 3);
    let words = out.words().to_vec();
    lose(setup.kernel.device());
    for path in PATHS {
        let error = setup.run(&request(path, None), [&a, &b], &mut out);
        let call = "vkQueueSubmit";
        let lost = vk_core::Error::DeviceLost { call };
        assert_eq!(error.unwrap_err(), lost.into());
        assert_eq!(out.words(), words);
        assert!(setup.runs.recorded.is_empty());
    }
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let (mut setup, other) = (
        Setup::new(true, TransferOptions::default()),
        Setup::new(true, TransferOptions::default()),
    );
    let (a, b) = (setup.filled(10, 1), setup.filled(11, 2));
    let mut out = setup.filled(10, 3);
    let direct = request(TransferPath::HostVisible, None);
    let error = setup.run(&direct, [&a, &b], &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "job 0: expected B of 480 bytes, found 528"
    );
    let fraction = setup.runs.buffer(7).unwrap();
    let error = setup.run(&direct, [&fraction, &fraction], &mut out);
    assert!(matches!(
        error.unwrap_err(),
        Error::InvalidJob { what: "A", .. }
    ));
    let foreign = other.filled(10, 1);
    let error = setup.run(&direct, [&a, &foreign], &mut out).unwrap_err();
    assert!(
        matches!(error, Error::ForeignBuffer { what: "B", .. }),
        "{error}"
    );
    let empty = other.filled(0, 1);
    let error = setup.run(&direct, [&empty, &a], &mut out).unwrap_err();
    assert!(
        matches!(error, Error::ForeignBuffer { what: "A", .. }),
        "{error}"
    );
    let own = std::mem::replace(&mut setup.kernel, Arc::clone(&other.kernel));
    let error = setup.run(&direct, [&a, &a], &mut out).unwrap_err();
    assert!(matches!(error, Error::ForeignKernel { .. }), "{error}");
    setup.kernel = own;
    setup.run(&direct, [&a, &a], &mut out).unwrap();
    assert_sums(&a, &a, &out, "after errors");
}
