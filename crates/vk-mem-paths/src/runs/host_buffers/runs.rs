//! Runs kernels over host buffers, and keeps what it recorded.

use std::sync::Arc;
use std::time::Instant;

use vk_core::{ComputePipeline, Device, WaitPolicy};

use super::HostBuffer;
use super::plan::plan_host_buffers;
use super::recorded::{Operands, RecordedRun};
use crate::Error;
use crate::lane::TransferOptions;
use crate::memory::{Block, Memory};
use crate::runs::chunks::elements_of;
use crate::runs::slot::{DeviceOperands, OPERANDS};
use crate::runs::transfer::expect_kernel_of;
use crate::runs::{Plan, Request, Stats, Transfer, TransferPath, Workload};

const KEPT: usize = 8;

/// Runs kernels over host buffers of one device, and keeps their commands
/// from run to run: a run over the same buffers with the same kernel records
/// nothing.
pub struct HostBufferRuns {
    // The most recently used first.
    pub(super) recorded: Vec<RecordedRun>,
    /// Device memory for the chunks of staged runs in flight.
    scratch: Vec<DeviceOperands>,
    memory: Arc<Memory>,
    device: Arc<Device>,
    pub(super) options: TransferOptions,
}

impl HostBufferRuns {
    /// Runs over host buffers on the device of `transfer`, with its
    /// allocator and options.
    #[must_use]
    pub fn new(transfer: &Transfer) -> Self {
        let Transfer {
            device,
            memory,
            options,
            ..
        } = transfer;
        Self {
            recorded: Vec::new(),
            scratch: Vec::new(),
            memory: Arc::clone(memory),
            device: Arc::clone(device),
            options: *options,
        }
    }

    /// A host buffer of `words` words, all zero.
    ///
    /// # Errors
    /// [`Error::OutOfDeviceMemory`] and [`Error::NoMemoryType`], else what the
    /// driver returned.
    pub fn buffer(&self, words: usize) -> Result<HostBuffer, Error> {
        HostBuffer::new(&self.memory, &self.device, words)
    }

    /// Runs `kernel` over the elements of `a` and `b`, `element_bytes` bytes
    /// each, into `out`, and returns how it was done. Of `request`, path,
    /// chunk and depth matter.
    ///
    /// The kernel must promise to write its output only: `a` and `b` are the
    /// caller's memory, of which slices may be about, not copies of it.
    ///
    /// After an error the words of `out` are not specified. Where the device
    /// may still write them ([`vk_core::Error::Timeout`],
    /// [`vk_core::Error::DeviceLost`]), `out` has given up its memory and is
    /// empty.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for buffers of unequal length or of a fraction
    /// of an element, [`Error::ForeignKernel`] and [`Error::ForeignBuffer`]
    /// for a kernel and a buffer of another device,
    /// [`vk_core::Error::NotAKernel`] for a kernel that does not promise to
    /// leave its inputs alone, [`Error::OutOfDeviceMemory`] for device memory, else
    /// what the device returned.
    pub fn run(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        request: &Request,
        element_bytes: usize,
        a: &HostBuffer,
        b: &HostBuffer,
        out: &mut HostBuffer,
    ) -> Result<(Plan, Stats), Error> {
        self.check_device(kernel, [a, b, out])?;
        kernel.expect_inputs_read_only()?;
        let elements = elements_of(0, [a, b, out].map(HostBuffer::bytes), element_bytes)?;
        // Before anything is made for the run, or the output taken for it.
        self.device.expect_usable()?;
        self.settle();
        let work = Workload {
            total: elements,
            largest_job: elements,
            element_bytes,
            workgroup_size: kernel.shape().workgroup_size,
        };
        let mut plan = plan_host_buffers(self.device.caps(), &work, request);
        let mut stats = Stats::default();
        if let (Some(a), Some(b), Some(c)) = (a.memory(), b.memory(), out.memory()) {
            let operands = [a, b, c].map(Arc::clone);
            stats = loop {
                match self.attempt(kernel, plan, element_bytes, &operands, out) {
                    // Not where the failed run may still write the output.
                    Err(error) if error.is_out_of_device_memory() && out.memory().is_some() => {
                        plan = plan.halved().ok_or_else(|| error.clone())?;
                        self.forget();
                        tracing::warn!(chunk = plan.chunk, "going on with smaller chunks: {error}");
                    }
                    ran => break ran?,
                }
            };
        }
        let bytes = (elements * element_bytes) as u64;
        stats.elements = elements;
        (stats.bytes_in, stats.bytes_out) = (2 * bytes, bytes);
        Ok((plan, stats))
    }

    fn attempt(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        plan: Plan,
        element_bytes: usize,
        operands: &Operands,
        out: &mut HostBuffer,
    ) -> Result<Stats, Error> {
        let mut stats = Stats::default();
        let start = Instant::now();
        self.prepare(kernel, plan, element_bytes, operands)?;
        // The output too: of memory that is not coherent, what the host
        // wrote and did not flush could overwrite the device's results.
        let flush = |operand: &Arc<Block>| operand.flush(&(0..operand.bytes()));
        operands.iter().try_for_each(flush)?;
        stats.times.submit += start.elapsed();
        let Some(run) = self.recorded.first_mut() else {
            return Err(Error::internal("a recorded run", "none"));
        };
        let wait = self.options.wait;
        let taken = out.take();
        // SAFETY: taken just now, and put back once it is complete; `settle` has left no
        // other in flight whose memory this one names.
        let ran = unsafe { run.run(wait, &mut stats.times) };
        // After a timeout there is no second wait ([`Device::wait`]).
        let ended = run.wait(wait);
        if let Err(error) = ended {
            tracing::warn!("a host buffer is given up to a run in flight: {error}");
            return ran.and(Err(error));
        }
        stats.chunks = run.chunks();
        // Whatever became of the run: of memory that is not coherent, what
        // the host has in its caches may be older than what the device wrote.
        let invalidate = |memory: &Arc<Block>| memory.invalidate(&(0..memory.bytes()));
        let visible = taken.as_ref().map_or(Ok(()), invalidate);
        // SAFETY: the run is complete, so nothing in flight writes it
        // (a memory is the output of one run in flight at most, since
        // that run has taken it), and it was taken from this buffer.
        unsafe { out.put_back(taken) };
        ran.and(visible).map(|()| stats)
    }

    fn check_device(
        &self,
        kernel: &ComputePipeline,
        buffers: [&HostBuffer; 3],
    ) -> Result<(), Error> {
        expect_kernel_of(&self.device, kernel)?;
        let mut named = OPERANDS.into_iter().zip(buffers);
        match named.find(|(_, buffer)| !Arc::ptr_eq(buffer.device(), &self.device)) {
            None => Ok(()),
            Some((what, buffer)) => Err(Error::ForeignBuffer {
                what,
                expected: self.device.caps().name.clone(),
                found: buffer.device().caps().name.clone(),
            }),
        }
    }

    /// Makes room for a run: what has ended since a run that failed is free
    /// again, and what has not keeps its memory to itself (rule 4).
    fn settle(&mut self) {
        for run in &mut self.recorded {
            // One that has not ended stays in flight.
            let _ = run.wait(WaitPolicy::NONE);
        }
        self.recorded
            .retain(|run| run.is_in_flight() || !run.is_stale());
        if self.recorded.iter().any(RecordedRun::is_in_flight) {
            self.forget();
        }
    }

    /// Drops everything that is not in flight.
    pub(super) fn forget(&mut self) {
        self.recorded.retain(RecordedRun::is_in_flight);
        self.scratch.clear();
    }

    /// Puts the recorded run of this one first: a known one, or one recorded now.
    fn prepare(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        plan: Plan,
        element_bytes: usize,
        operands: &Operands,
    ) -> Result<(), Error> {
        let known = |run: &RecordedRun| {
            !run.is_in_flight() && run.is_for(kernel, &plan, element_bytes, operands)
        };
        if let Some(found) = self.recorded.iter().position(known) {
            self.recorded[..=found].rotate_right(1);
            return Ok(());
        }
        let staged = plan.path == TransferPath::DeviceLocal;
        if staged {
            self.make_scratch(&plan, element_bytes)?;
        }
        let run = RecordedRun::new(
            &self.device,
            kernel,
            &plan,
            element_bytes,
            operands,
            staged.then_some(&self.scratch),
            self.options.timestamps,
        )?;
        self.recorded.insert(0, run);
        let mut kept = 0;
        self.recorded.retain(|run| {
            kept += usize::from(!run.is_in_flight());
            run.is_in_flight() || kept <= KEPT
        });
        Ok(())
    }

    /// Makes scratch memory for the chunks of `plan`, where there is not enough.
    fn make_scratch(&mut self, plan: &Plan, element_bytes: usize) -> Result<(), Error> {
        let bytes = plan.chunk * element_bytes;
        let fits = |slot: &DeviceOperands| slot.bytes() >= bytes;
        if self.scratch.len() >= plan.depth && self.scratch.iter().all(fits) {
            return Ok(());
        }
        // The smaller goes before the larger comes: both might not fit.
        self.scratch.clear();
        self.recorded
            .retain(|run| run.is_in_flight() || !run.is_stale());
        let slot = |_| DeviceOperands::new(&self.memory, bytes);
        self.scratch = (0..plan.depth).map(slot).collect::<Result<_, _>>()?;
        Ok(())
    }
}
