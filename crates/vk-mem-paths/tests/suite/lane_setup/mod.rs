//! A lane on the device under test.

use std::mem::MaybeUninit;
use std::sync::Arc;

use field_kernels::vector_kernels::EQUAL;
use field_kernels::{Arithmetic, ElementType as _, Fp};
use vk_core::testing::{DeviceTest, device_under_test};
use vk_core::{ComputePipeline, Device, KernelCache, PhysicalDevice, PipelineShape};
use vk_mem_paths::{
    Access, Downloads, ElementFormat, Error, Finished, Lane, Region, Step, Storage, Submitted,
    Transfer, TransferOptions, Uploads,
};

/// A lane and what makes operations for it; drops before its guard.
pub(crate) struct Setup {
    pub(crate) uploads: Uploads,
    pub(crate) downloads: Downloads,
    pub(crate) lane: Lane,
    pub(crate) kernels: KernelCache,
    pub(crate) transfer: Transfer,
    pub(crate) device: Arc<Device>,
    _guard: DeviceTest,
}

pub(crate) fn read_bytes(finished: &Finished) -> Vec<Vec<u8>> {
    let reads = finished.reads.iter();
    reads.map(|it| it.bytes().unwrap().to_vec()).collect()
}

/// Bytes that the host copies as they are.
pub(crate) const BYTES: ElementFormat = ElementFormat {
    bytes: 1,
    check: None,
};

impl Setup {
    pub(crate) fn new() -> Self {
        Self::with(|physical| physical)
    }

    pub(crate) fn with(change: fn(PhysicalDevice) -> PhysicalDevice) -> Self {
        let (guard, physical) = device_under_test().unwrap();
        let device = Device::new(&change(physical)).unwrap();
        let kernels = KernelCache::new(&device);
        let options = TransferOptions {
            threads: 2,
            timestamps: true,
            ..TransferOptions::default()
        };
        let transfer = Transfer::new(&device, options).unwrap();
        let lane = transfer.lane();
        let (uploads, downloads) = lane.transfers();
        Self {
            uploads,
            downloads,
            lane,
            transfer,
            kernels,
            device,
            _guard: guard,
        }
    }

    pub(crate) fn take(&self, bytes: usize) -> Storage {
        self.lane.pool().take(bytes).unwrap()
    }

    pub(crate) fn upload(&mut self, bytes: &[u8]) -> Storage {
        let storage = self.take(bytes.len());
        self.uploads.upload(&storage, &[bytes], BYTES).unwrap();
        storage
    }

    pub(crate) fn submit(&mut self, steps: &[Step], reads: &[Region]) -> Result<Submitted, Error> {
        // SAFETY: storage of this lane's pool; the one kernel that is
        // dispatched compares the parts that its constants name.
        unsafe { self.lane.submit(steps, reads) }
    }

    pub(crate) fn finish(&mut self, submitted: &Submitted) -> Finished {
        submitted.wait(self.lane.wait_policy()).unwrap();
        self.lane.reap().unwrap();
        submitted.finished().unwrap().unwrap().clone()
    }

    pub(crate) fn download(&mut self, storage: &Storage, range: std::ops::Range<usize>) -> Vec<u8> {
        let mut out = vec![MaybeUninit::new(0xee); range.len()];
        self.downloads.download(storage, range, &mut out).unwrap();
        // SAFETY: each byte had a value from the start.
        out.iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()
    }

    /// The kernel that sets a flag where two buffers differ.
    pub(crate) fn equal(&self) -> Arc<ComputePipeline> {
        let module = EQUAL.module(Fp::ID, Arithmetic::U32).unwrap();
        let shape = PipelineShape {
            bindings: EQUAL.bindings,
            push_constant_bytes: 4 * 5,
            workgroup_size: EQUAL.group_size,
        };
        // SAFETY: a module of the library with its shape.
        let made = unsafe { self.kernels.compiler().make(&module.words(), shape) };
        Arc::new(made.unwrap())
    }
}

pub(crate) fn read(storage: &Storage, range: std::ops::Range<usize>) -> Region {
    storage.region(range, Access::Read)
}

pub(crate) fn written(storage: &Storage, range: std::ops::Range<usize>) -> Region {
    storage.region(range, Access::Write)
}

pub(crate) fn bytes(count: usize, seed: usize) -> Vec<u8> {
    let byte = |i: usize| u8::try_from((i * 131 + i / 251 + seed) % 256).unwrap();
    (0..count).map(byte).collect()
}

/// A copy between ranges of equal length.
pub(crate) fn copy(
    (from, from_range): (&Storage, std::ops::Range<usize>),
    (to, to_range): (&Storage, std::ops::Range<usize>),
) -> Step {
    Step::Copy {
        from: read(from, from_range),
        to: written(to, to_range),
    }
}

/// `byte` so many times from `first` on.
pub(crate) fn write(to: &Storage, first: usize, byte: u8, count: usize) -> Step {
    Step::Write {
        to: written(to, first..first + count),
        bytes: vec![byte; count],
    }
}
