//! How fast a device copies: the limits beside which data paths are measured.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vk_core::ash::{self, vk};
use vk_core::{Device, QueueRef};

use crate::buffers::{DeviceBuffer, ReadbackBuffer, UploadBuffer};
use crate::memory::Memory;
use crate::rounds::Rounds;
use crate::{Error, MemoryUse};

/// Bandwidths of a device, in bytes per second, each measured with
/// `vkCmdCopyBuffer` alone: the device's queues and memory without kernels
/// and without the host's own copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bandwidth {
    /// Bytes that each copy moved.
    pub bytes: usize,
    /// Device memory to device memory, counting the bytes read plus the bytes
    /// written, as a kernel's traffic is counted; on the fastest of the
    /// queues in use.
    pub device_copy: f64,
    /// Upload memory to device memory, on the upload queue; bytes copied.
    pub host_to_device: f64,
    /// Device memory to readback memory, on the download queue; bytes copied.
    pub device_to_host: f64,
    /// Both directions at once, on the upload and on the download queue,
    /// which may be one; bytes of both directions together, until the slower
    /// one was through.
    pub both_directions: f64,
}

/// How long the copies of one measurement should take together: long beside
/// the time of a submission.
const BATCH: Duration = Duration::from_millis(20);
/// The most copies of one submission.
const MOST_COPIES: u32 = 64;
/// Measurements of which the median counts.
const SAMPLES: usize = 7;
/// What sources hold: pages that were never written may all be one and the
/// same, and be read faster than any memory.
const FILL: u8 = 0x5a;

impl Bandwidth {
    /// Measures copies of `bytes` bytes, each after a warm-up, as the median
    /// of several batches. Takes `2 * bytes` of device memory, `bytes` of
    /// upload and as much of readback memory while it runs.
    ///
    /// Single directions are timed by the device's own clock where the queue
    /// has one; both at once by the host's.
    ///
    /// # Errors
    /// [`vk_core::Error::Unsupported`] for no bytes, [`Error::OutOfDeviceMemory`]
    /// and [`Error::NoMemoryType`] for memory, else what the device returned.
    pub fn measure(device: &Arc<Device>, bytes: usize) -> Result<Self, Error> {
        if bytes == 0 {
            return Err(Error::Vulkan(vk_core::Error::Unsupported {
                needed: "a copy of 0 bytes".to_owned(),
                found: "copies of 1 byte or more".to_owned(),
            }));
        }
        let memory = &Memory::new(device)?;
        let queues = device.queue_plan();
        let ends = Ends::upload(memory, bytes)?;
        let mut upload = Copies::new(device, queues.upload, ends, bytes)?;
        let host_to_device = upload.rate()?;
        let ends = Ends::download(memory, bytes)?;
        let mut download = Copies::new(device, queues.download, ends, bytes)?;
        let device_to_host = download.rate()?;
        let both_directions = both_at_once(&mut upload, &mut download)?;
        // Their memory may be needed below.
        drop((upload, download));

        let mut device_copy = 0.0_f64;
        for queue in queues.distinct() {
            let ends = Ends::inside(memory, bytes)?;
            device_copy = device_copy.max(Copies::new(device, queue, ends, bytes)?.rate()?);
        }
        Ok(Self {
            bytes,
            device_copy: 2.0 * device_copy,
            host_to_device,
            device_to_host,
            both_directions,
        })
    }
}

/// From where to where a copy goes.
enum Ends {
    Upload(UploadBuffer, DeviceBuffer),
    Download(DeviceBuffer, ReadbackBuffer),
    Inside(DeviceBuffer, DeviceBuffer),
}

impl Ends {
    fn upload(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Error> {
        let mut from = UploadBuffer::new(memory, MemoryUse::Upload, bytes)?;
        // SAFETY: the buffer is new.
        let [pages, _] = unsafe { from.views([0..bytes, bytes..bytes])? };
        pages.fill(MaybeUninit::new(FILL));
        from.flush(&(0..bytes))?;
        Ok(Self::Upload(from, DeviceBuffer::new(memory, bytes)?))
    }

    fn download(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Error> {
        let from = DeviceBuffer::new(memory, bytes)?;
        Ok(Self::Download(from, ReadbackBuffer::new(memory, bytes)?))
    }

    fn inside(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Error> {
        let from = DeviceBuffer::new(memory, bytes)?;
        Ok(Self::Inside(from, DeviceBuffer::new(memory, bytes)?))
    }

    fn raw(&self) -> (vk::Buffer, vk::Buffer) {
        match self {
            Self::Upload(from, to) => (from.raw(), to.raw()),
            Self::Download(from, to) => (from.raw(), to.raw()),
            Self::Inside(from, to) => (from.raw(), to.raw()),
        }
    }

    /// Records the writing of a source in device memory.
    ///
    /// # Safety
    /// `commands` is being recorded; `self` outlives its submission.
    unsafe fn fill_source(&self, device: &ash::Device, commands: vk::CommandBuffer) {
        if let Self::Download(from, _) | Self::Inside(from, _) = self {
            let value = u32::from_ne_bytes([FILL; 4]);
            // SAFETY: this function's contract; every queue of the plan fills.
            unsafe { device.cmd_fill_buffer(commands, from.raw(), 0, vk::WHOLE_SIZE, value) };
        }
    }
}

/// The same copy over and over.
struct Copies {
    rounds: Rounds<Ends>,
    /// Bytes of one copy.
    bytes: usize,
    /// Copies of one submission.
    count: u32,
}

impl Copies {
    /// Warmed up, with as many copies as a batch takes.
    fn new(device: &Arc<Device>, queue: QueueRef, ends: Ends, bytes: usize) -> Result<Self, Error> {
        let mut rounds = Rounds::new(device, queue, ends)?;
        let fill = |device: &ash::Device, commands, ends: &Ends| {
            // SAFETY: being recorded; `rounds` keeps the buffers.
            unsafe { ends.fill_source(device, commands) };
        };
        // SAFETY: `fill` only records, and only what `ends` owns.
        unsafe { rounds.record(1, fill)? };
        // SAFETY: recorded above; an upload's source was flushed.
        unsafe { rounds.run()? };
        let mut copies = Self {
            rounds,
            bytes,
            count: 1,
        };
        // The first copy touches the pages, the second tells the time.
        copies.record(1)?;
        copies.run()?;
        let one = copies.run()?.as_nanos().max(1);
        let count = u32::try_from(BATCH.as_nanos() / one).unwrap_or(MOST_COPIES);
        copies.record(count.clamp(1, MOST_COPIES))?;
        Ok(copies)
    }

    fn record(&mut self, count: u32) -> Result<(), Error> {
        let region = [vk::BufferCopy::default().size(self.bytes as u64)];
        let copy = |device: &ash::Device, commands, ends: &Ends| {
            let (from, to) = ends.raw();
            // SAFETY: being recorded; both buffers hold `bytes`, and `rounds`
            // keeps them; every queue of the plan copies.
            unsafe { device.cmd_copy_buffer(commands, from, to, &region) };
        };
        // SAFETY: `copy` only records, and only what `ends` owns.
        unsafe { self.rounds.record(count, copy)? };
        self.count = count;
        Ok(())
    }

    fn start(&mut self) -> Result<(), Error> {
        // SAFETY: `new` recorded, and a value whose recording failed is not
        // used again.
        unsafe { self.rounds.start() }
    }

    fn run(&mut self) -> Result<Duration, Error> {
        self.start()?;
        self.rounds.finish()
    }

    /// Bytes of one submission.
    fn total(&self) -> f64 {
        as_f64(self.bytes) * f64::from(self.count)
    }

    /// Bytes copied per second.
    fn rate(&mut self) -> Result<f64, Error> {
        let seconds = median(|| Ok(self.run()?.as_secs_f64()))?;
        Ok(self.total() / seconds)
    }
}

/// Bytes per second of both together.
fn both_at_once(one: &mut Copies, other: &mut Copies) -> Result<f64, Error> {
    // As many of each, so that both directions move as much.
    let count = one.count.max(other.count);
    one.record(count)?;
    other.record(count)?;
    let bytes = one.total() + other.total();
    let seconds = median(|| {
        let start = Instant::now();
        one.start()?;
        other.start()?;
        one.rounds.finish()?;
        other.rounds.finish()?;
        Ok(start.elapsed().as_secs_f64())
    })?;
    Ok(bytes / seconds)
}

/// The median of several samples.
fn median(mut sample: impl FnMut() -> Result<f64, Error>) -> Result<f64, Error> {
    let samples = std::iter::repeat_with(&mut sample).take(SAMPLES);
    let mut samples = samples.collect::<Result<Vec<_>, _>>()?;
    samples.sort_by(f64::total_cmp);
    Ok(samples[SAMPLES / 2])
}

#[expect(clippy::cast_precision_loss, reason = "buffers are below 2^53 bytes")]
fn as_f64(bytes: usize) -> f64 {
    bytes as f64
}
