//! The transfer loop on a real device: jobs of any mixture of sizes, on every
//! path and depth, with timeline semaphores and with fences.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use field_kernels::{ELEMENT_BYTES, FIELD_ADD, Fp, LIMBS, arithmetic};
use proptest::prelude::*;
use vk_core::testing::{DeviceTest, changed, device_under_test, without_timeline_semaphores};
use vk_core::{ComputePipeline, Device, DeviceKind, KernelCache, PhysicalDevice};
use vk_mem_paths::{
    Effort, Error, Job, Measured, Packing, PathChoice, Plan, Request, Stats, Strategy, Transfer,
    TransferOptions, TransferPath, Tuning,
};

/// A transfer loop with the library's kernel; drops before its guard.
pub(crate) struct Loop {
    pub(crate) transfer: Transfer,
    pub(crate) kernel: Arc<ComputePipeline>,
    _guard: DeviceTest,
}

impl Loop {
    fn new(timeline: bool) -> Self {
        match timeline {
            true => Self::on(std::convert::identity),
            false => Self::on(without_timeline_semaphores),
        }
    }

    /// On the device under test, changed by `change`.
    fn on(change: fn(PhysicalDevice) -> PhysicalDevice) -> Self {
        Self::with(change, false)
    }

    /// As [`Self::on`], with timestamps where they are asked for.
    pub(crate) fn with(change: fn(PhysicalDevice) -> PhysicalDevice, timestamps: bool) -> Self {
        let (guard, physical) = device_under_test().unwrap();
        let device = Device::new(&change(physical)).unwrap();
        let mut kernels = KernelCache::new(&device);
        let kernel = kernels.get(FIELD_ADD.spirv).unwrap();
        let options = TransferOptions {
            threads: 3,
            timestamps,
            ..TransferOptions::default()
        };
        Self {
            transfer: Transfer::new(&device, options).unwrap(),
            kernel,
            _guard: guard,
        }
    }

    /// On a discrete device, as it were: on a software one the planner leaves nothing to
    /// measurements.
    fn discrete() -> Self {
        Self::on(|device| changed(device, |caps| caps.kind = DeviceKind::Discrete))
    }

    fn paths(&self) -> Vec<TransferPath> {
        let caps = self.kernel.device().caps();
        let usable = |path: &TransferPath| path.is_usable(caps);
        TransferPath::ALL.into_iter().filter(usable).collect()
    }

    fn run(&mut self, jobs: &mut [Operands], request: &Request) -> Result<(Plan, Stats), Error> {
        let mut borrowed: Vec<_> = jobs.iter_mut().map(Operands::job).collect();
        self.transfer
            .run(&self.kernel, request, ELEMENT_BYTES, &mut borrowed)
    }
}

pub(crate) fn request(path: TransferPath, chunk: usize, depth: usize) -> Request {
    Request {
        path: PathChoice::Fixed(path),
        chunk: Some(chunk),
        depth: Some(depth),
        packing: match depth {
            1 => Packing::PerJob,
            _ => Packing::AcrossJobs,
        },
    }
}

struct Operands {
    a: Vec<u8>,
    b: Vec<u8>,
    out: Vec<MaybeUninit<u8>>,
}

impl Operands {
    fn new(elements: usize, seed: u8) -> Self {
        // Below the modulus: the highest byte of each element stays small.
        let bytes = |factor: usize| -> Vec<u8> {
            (0..elements * ELEMENT_BYTES)
                .map(|i| match i % ELEMENT_BYTES {
                    47 => 0x0d,
                    _ => u8::try_from((i * factor + usize::from(seed)) % 256).unwrap(),
                })
                .collect()
        };
        Self {
            a: bytes(31),
            b: bytes(37),
            out: vec![MaybeUninit::new(0xee); elements * ELEMENT_BYTES],
        }
    }

    fn job(&mut self) -> Job<'_> {
        Job {
            a: &self.a,
            b: &self.b,
            out: &mut self.out,
            fresh: false,
        }
    }

    fn is_added(&self) -> bool {
        let limbs = |bytes: &[u8]| -> [u64; LIMBS] {
            std::array::from_fn(|i| u64::from_le_bytes(*bytes[8 * i..].first_chunk().unwrap()))
        };
        // SAFETY: `new` gave every byte a value.
        let out: Vec<u8> = self
            .out
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect();
        let inputs = self
            .a
            .chunks(ELEMENT_BYTES)
            .zip(self.b.chunks(ELEMENT_BYTES));
        let sums = inputs.map(|(a, b)| arithmetic::add::<Fp>(&limbs(a), &limbs(b)));
        out.chunks(ELEMENT_BYTES).map(limbs).eq(sums)
    }
}

fn mixture(sizes: &[usize]) -> Vec<Operands> {
    (0..)
        .zip(sizes)
        .map(|(seed, &elements)| Operands::new(elements, seed))
        .collect()
}

#[test]
fn a_mixture_of_sizes_runs_on_every_path_depth_and_form_of_completion() {
    for timeline in [true, false] {
        let mut transfer = Loop::new(timeline);
        for path in transfer.paths() {
            for depth in [1, 2, 3, 4, 6] {
                let mut jobs = mixture(&[1, 700, 0, 64, 9_000, 3, 20_000]);
                let (plan, stats) = transfer
                    .run(&mut jobs, &request(path, 4_000, depth))
                    .unwrap();
                let what = format!("timeline {timeline}, {path}, depth {depth}");
                assert!(jobs.iter().all(Operands::is_added), "{what}");
                assert_eq!(stats.elements, 29_768, "{what}");
                assert_eq!(stats.bytes_out, 29_768 * 48, "{what}");
                assert!(stats.chunks >= 8, "{what}: {} chunks", stats.chunks);
                assert_eq!((plan.path, plan.depth), (path, depth), "{what}");
            }
        }
    }
}

#[test]
fn tuned_runs_arrive_whole() {
    let mut transfer = Loop::discrete();
    for path in transfer.paths() {
        let strategy = Strategy {
            path,
            depth: 2,
            chunk: 20_000,
        };
        transfer.transfer.set_tuning(Tuning {
            measured: vec![Measured {
                elements: 60_000,
                strategy,
                nanoseconds: 1,
            }],
        });
        // At odd places.
        let mut jobs = mixture(&[30_001, 7, 30_003]);
        let request = Request {
            chunk: None,
            depth: None,
            ..request(path, 1, 2)
        };
        let (plan, stats) = transfer.run(&mut jobs, &request).unwrap();
        assert!(jobs.iter().all(Operands::is_added), "{path}");
        assert_eq!((plan.depth, stats.chunks), (2, 3), "{path}");
    }
}

/// Runs of other sizes take the slots that there are, as far as they are large enough.
#[test]
fn short_and_long_runs_take_turns_in_the_same_slots() {
    let mut transfer = Loop::discrete();
    let mut memory = Vec::new();
    for _ in 0..3 {
        for (elements, chunk, depth) in [(9_000, 9_000, 1), (7_000, 1_000, 3), (100, 100, 1)] {
            let mut jobs = mixture(&[elements]);
            let request = request(TransferPath::HostVisible, chunk, depth);
            let (plan, _) = transfer.run(&mut jobs, &request).unwrap();
            assert!(jobs.iter().all(Operands::is_added), "{elements}");
            assert_eq!(plan.depth, depth);
        }
        memory.push(transfer.transfer.allocated_memory().unwrap().buffer_bytes);
    }
    assert!(memory.iter().all(|bytes| *bytes == memory[0]), "{memory:?}");
}

#[test]
fn a_calibration_measures_every_path_and_the_runs_after_it_go_by_it() {
    let mut transfer = Loop::discrete();
    let effort = Effort {
        budget: Duration::MAX,
        largest: 1 << 14,
        step: 16,
    };
    let kernel = Arc::clone(&transfer.kernel);
    let tuning = transfer
        .transfer
        .calibrate(&kernel, ELEMENT_BYTES, effort)
        .unwrap();
    assert_eq!(transfer.transfer.tuning(), &tuning);
    for path in [TransferPath::HostVisible, TransferPath::DeviceLocal] {
        let of_path = |row: &&Measured| row.strategy.path == path && row.nanoseconds > 0;
        assert!(tuning.measured.iter().any(|row| of_path(&row)), "{path}");
    }
    let auto = Request {
        path: PathChoice::Auto,
        chunk: None,
        depth: None,
        packing: Packing::AcrossJobs,
    };
    for elements in [1, 100, 20_000] {
        let mut jobs = mixture(&[elements]);
        let (plan, _) = transfer.run(&mut jobs, &auto).unwrap();
        assert!(jobs.iter().all(Operands::is_added));
        assert_eq!(plan.reason, "measured to be the fastest");
        let fastest = tuning.fastest(elements, PathChoice::Auto, |_| true);
        assert_eq!(plan.path, fastest.unwrap().strategy.path);
    }
}

#[test]
fn slices_of_unequal_length_are_refused_before_anything_runs() {
    let mut transfer = Loop::new(true);
    let mut jobs = mixture(&[10, 10]);
    let plan = request(TransferPath::HostVisible, 100, 1);
    jobs[1].b.truncate(479);
    let error = transfer.run(&mut jobs, &plan).unwrap_err();
    assert_eq!(
        error.to_string(),
        "job 1: expected B of 480 bytes, found 479"
    );
    jobs[1].b.push(0);
    jobs[1].a.truncate(470);
    assert!(matches!(
        transfer.run(&mut jobs, &plan),
        Err(Error::InvalidJob { job: 1, .. })
    ));
    let mut jobs = mixture(&[10, 10]);
    transfer.run(&mut jobs, &plan).unwrap();
    assert!(jobs.iter().all(Operands::is_added));
}

#[test]
fn a_kernel_of_another_device_is_refused() {
    let (mut one, other) = (Loop::new(true), Loop::new(true));
    let mut jobs = mixture(&[10]);
    let foreign = other.kernel.clone();
    let own = std::mem::replace(&mut one.kernel, foreign);
    let error = one
        .run(&mut jobs, &request(TransferPath::HostVisible, 100, 1))
        .unwrap_err();
    assert!(matches!(error, Error::ForeignKernel { .. }), "{error}");
    one.kernel = own;
    one.run(&mut jobs, &request(TransferPath::HostVisible, 100, 1))
        .unwrap();
    assert!(jobs.iter().all(Operands::is_added));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture_is_added(
        sizes in prop::collection::vec(0_usize..2_000, 0..8),
        chunk in 1_usize..3_000,
        depth in 1_usize..6,
        device_local in any::<bool>(),
        timeline in any::<bool>(),
    ) {
        let path = if device_local { TransferPath::DeviceLocal } else { TransferPath::HostVisible };
        let mut transfer = Loop::new(timeline);
        // Twice through the same slots: what the first run left behind must
        // not show in the second.
        for _ in 0..2 {
            let mut jobs = mixture(&sizes);
            transfer.run(&mut jobs, &request(path, chunk, depth)).unwrap();
            prop_assert!(jobs.iter().all(Operands::is_added));
        }
    }
}
