//! A kernel on operands that stay in device memory.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use gpu_executor::kernels::ELEMENT_BYTES;
use vk_core::{ComputePipeline, Device, KernelCache};
use vk_mem_paths::{Access, Downloads, ElementFormat, Step, Storage, Uploads, most_dispatched};

use crate::timed::Timed;

/// Two operands and a result in device memory, and a kernel that runs over
/// them as often as wanted: what shows the kernel's own speed, without the
/// way from and to the host.
pub(crate) struct Resident {
    // Of the lane in `timed`.
    a: Storage,
    b: Storage,
    out: Storage,
    uploads: Uploads,
    downloads: Downloads,
    timed: Timed,
    kernel: Arc<ComputePipeline>,
    elements: usize,
}

/// Bytes that are copied as they are.
const BYTES: ElementFormat = ElementFormat {
    bytes: ELEMENT_BYTES,
    check: None,
};

impl Resident {
    /// Device memory for the kernel in `spirv`, one of this project, over operands of
    /// `elements` elements each.
    pub(crate) fn new(device: &Arc<Device>, spirv: &[u8], elements: usize) -> anyhow::Result<Self> {
        let kernel = KernelCache::new(device).get(spirv)?;
        let group = kernel.shape().workgroup_size as usize;
        let most = most_dispatched(device.caps(), ELEMENT_BYTES, group);
        ensure!(
            (1..=most).contains(&elements),
            "expected 1 to {most} elements, found {elements}"
        );
        let timed = Timed::new(device)?;
        let (uploads, downloads) = timed.lane().transfers();
        let take = || timed.lane().pool().take(elements * ELEMENT_BYTES);
        Ok(Self {
            a: take()?,
            b: take()?,
            out: take()?,
            uploads,
            downloads,
            timed,
            kernel,
            elements,
        })
    }

    /// Copies both operands, and what the result is to be before the next run, to the
    /// device.
    pub(crate) fn upload(&mut self, a: &[u64], b: &[u64], out: &[u64]) -> anyhow::Result<()> {
        for (storage, limbs) in [(&self.a, a), (&self.b, b), (&self.out, out)] {
            let bytes: &[u8] = bytemuck::cast_slice(limbs);
            self.uploads.upload(storage, &[bytes], BYTES)?;
        }
        Ok(())
    }

    /// Runs the kernel `rounds` times, one run after the other in a single
    /// submission, and returns the time of one, as [`Timed::run`] takes it.
    pub(crate) fn run(&mut self, rounds: u32) -> anyhow::Result<Duration> {
        let steps: Vec<Step> = (0..rounds)
            .map(|_| self.round())
            .collect::<Result<_, _>>()?;
        // SAFETY: all storage is of this lane. The library's kernels, and the one that
        // copies, read and write as many elements as their constants say, which is what each
        // storage holds.
        let time = unsafe { self.timed.run(&steps)? };
        Ok(time / rounds.max(1))
    }

    /// Copies the result of the last run into `result`.
    pub(crate) fn download(&mut self, result: &mut [u64]) -> anyhow::Result<()> {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(result);
        let range = 0..self.elements * ELEMENT_BYTES;
        let pointer = bytes.as_mut_ptr().cast::<MaybeUninit<u8>>();
        // SAFETY: the same bytes, borrowed for as long; a download only writes values there.
        let out = unsafe { std::slice::from_raw_parts_mut(pointer, bytes.len()) };
        Ok(self.downloads.download(&self.out, range, out)?)
    }

    fn round(&self) -> anyhow::Result<Step> {
        let all = 0..self.elements * ELEMENT_BYTES;
        let shape = self.kernel.shape();
        let elements = u32::try_from(self.elements)?;
        let mut constants = vec![0; shape.push_constant_bytes as usize / 4];
        constants
            .iter_mut()
            .take(1)
            .for_each(|count| *count = elements);
        Ok(Step::Dispatch {
            pipeline: Arc::clone(&self.kernel),
            buffers: vec![
                self.a.region(all.clone(), Access::Read),
                self.b.region(all.clone(), Access::Read),
                self.out.region(all, Access::Write),
            ],
            constants,
            workgroups: elements.div_ceil(shape.workgroup_size),
        })
    }
}
