//! A kernel on operands that stay in device memory.

use std::sync::Arc;
use std::time::Duration;

use vk_core::ash::vk;
use vk_core::{Device, DeviceCaps, Kernel, SetLayout};

use crate::buffers::{DeviceBuffer, ReadbackBuffer, UploadBuffer};
use crate::descriptors::DescriptorSet;
use crate::layout::Layout;
use crate::memory::Memory;
use crate::record::{Buffers, Recording};
use crate::rounds::Rounds;
use crate::stages::Stage;
use crate::{Error, MemoryUse, host_copy};

/// What the output holds, byte by byte, from an upload until the next run.
const NO_RESULT: u8 = 0xff;

/// Two operands and a result in device memory, and a kernel that runs over
/// them as often as wanted: what shows the kernel's own speed, without the
/// way from and to the host.
pub struct Resident {
    rounds: Rounds<Operands>,
    /// What is recorded: a stage, and how often.
    recorded: Option<(Stage, u32)>,
    elements: u32,
    operand_bytes: usize,
}

/// What the commands name.
struct Operands {
    buffers: Buffers,
    layout: Layout,
    set: DescriptorSet,
    kernel: Arc<Kernel>,
}

impl Resident {
    /// Device and staging memory for `kernel` over operands of `elements`
    /// elements of `element_bytes` bytes each. `set_layout` is that of the
    /// cache which `kernel` came from.
    ///
    /// # Errors
    /// [`Error::ForeignKernel`] for a kernel of another device;
    /// [`vk_core::Error::Unsupported`] for no element, and for more than one
    /// binding, one dispatch or one allocation of the device takes;
    /// [`Error::OutOfDeviceMemory`]; else what the driver returned.
    pub fn new(
        device: &Arc<Device>,
        set_layout: &Arc<SetLayout>,
        kernel: &Arc<Kernel>,
        elements: usize,
        element_bytes: usize,
    ) -> Result<Self, Error> {
        let caps = device.caps();
        if !Arc::ptr_eq(kernel.device(), device) {
            return Err(Error::ForeignKernel {
                expected: caps.name.clone(),
                found: kernel.device().caps().name.clone(),
            });
        }
        let most = most_elements(caps, kernel.workgroup_size(), element_bytes);
        let count = u32::try_from(elements).ok();
        let count = count.filter(|count| (1..=most).contains(count));
        let count = count.ok_or_else(|| vk_core::Error::Unsupported {
            needed: format!("a resident kernel over {elements} elements of {element_bytes} bytes"),
            found: format!("room for 1 to {most} of them"),
        })?;
        let alignment = caps.limits.storage_buffer_alignment;
        let alignment = usize::try_from(alignment).unwrap_or(usize::MAX);
        let layout = Layout::new(elements, element_bytes, alignment);
        let operands = Operands::new(device, set_layout, kernel, layout, elements)?;
        Ok(Self {
            rounds: Rounds::new(device, device.queue_plan().compute, operands)?,
            recorded: None,
            elements: count,
            operand_bytes: elements * element_bytes,
        })
    }

    /// The most elements of `element_bytes` bytes that one binding, one
    /// dispatch of `kernel` and one allocation of a device with `caps` take.
    #[must_use]
    pub fn most_elements(caps: &DeviceCaps, kernel: &Kernel, element_bytes: usize) -> usize {
        most_elements(caps, kernel.workgroup_size(), element_bytes) as usize
    }

    /// Elements of each operand.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.elements as usize
    }

    /// Copies both operands to the device, and overwrites the result there
    /// with bytes of `0xff`: what [`Self::download`] returns afterwards was
    /// written by a later [`Self::run`].
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for an operand of another length than `elements *
    /// element_bytes` bytes, else what the device returned.
    pub fn upload(&mut self, a: &[u8], b: &[u8]) -> Result<(), Error> {
        self.expect_length("A", a.len())?;
        self.expect_length("B", b.len())?;
        let elements = self.elements();
        let operands = self.rounds.named_mut()?;
        let ranges = [operands.layout.a(elements), operands.layout.b(elements)];
        // SAFETY: nothing is in flight, said `named_mut`.
        let [to_a, to_b] = unsafe { operands.buffers.upload.views(ranges.clone())? };
        host_copy::alone(vec![(a, to_a), (b, to_b)]);
        for range in &ranges {
            operands.buffers.upload.flush(range)?;
        }
        self.run_stage(Stage::Upload, 1)?;
        Ok(())
    }

    /// Runs the kernel `rounds` times, one run after the other in a single
    /// submission, and returns the time of one: by the device's own clock
    /// where it has one, else by the host's around the submission and the
    /// wait. Zero for no rounds.
    ///
    /// # Errors
    /// What the device returned; [`vk_core::Error::Timeout`] after 60 s. As
    /// long as the kernel then goes on, every call fails likewise.
    pub fn run(&mut self, rounds: u32) -> Result<Duration, Error> {
        match rounds {
            0 => Ok(Duration::ZERO),
            _ => Ok(self.run_stage(Stage::Kernel, rounds)? / rounds),
        }
    }

    /// Copies the result of the last run into `result`.
    ///
    /// # Errors
    /// [`Error::InvalidJob`] for a `result` of another length than `elements *
    /// element_bytes` bytes, else what the device returned.
    pub fn download(&mut self, result: &mut [u8]) -> Result<(), Error> {
        self.expect_length("the result", result.len())?;
        self.run_stage(Stage::Download, 1)?;
        let operands = self.rounds.named();
        let range = operands.layout.out(self.elements());
        // SAFETY: the download, which ended with the host barrier, is
        // complete, and nothing else is in flight.
        result.copy_from_slice(unsafe { operands.buffers.readback.read(&range)? });
        Ok(())
    }

    fn expect_length(&self, what: &'static str, found: usize) -> Result<(), Error> {
        if found == self.operand_bytes {
            return Ok(());
        }
        Err(Error::InvalidJob {
            job: 0,
            what,
            expected: self.operand_bytes,
            found,
        })
    }

    fn run_stage(&mut self, stage: Stage, rounds: u32) -> Result<Duration, Error> {
        if self.recorded != Some((stage, rounds)) {
            self.recorded = None;
            self.record(stage, rounds)?;
            self.recorded = Some((stage, rounds));
        }
        // SAFETY: recorded above. `views` was flushed before an upload.
        unsafe { self.rounds.run() }
    }

    fn record(&mut self, stage: Stage, rounds: u32) -> Result<(), Error> {
        let elements = self.elements;
        let one = |device: &vk_core::ash::Device, commands, operands: &Operands| {
            if stage == Stage::Upload {
                let output = operands.buffers.kernel_operands().1;
                let value = u32::from_ne_bytes([NO_RESULT; 4]);
                let whole = vk::WHOLE_SIZE;
                // SAFETY: `commands` is being recorded for a queue with
                // compute; `operands` owns the buffer.
                unsafe { device.cmd_fill_buffer(commands, output, 0, whole, value) };
            }
            let queue = operands.kernel.device().queue_plan().compute;
            // SAFETY: as above; all that the recording names is `operands`'.
            unsafe {
                operands
                    .recording(elements)
                    .record(device, commands, queue.family, &[stage]);
            };
        };
        // SAFETY: `one` only records copies and the kernel, on what
        // `Operands` owns, for the compute queue.
        unsafe { self.rounds.record(rounds, one) }
    }
}

impl Operands {
    fn new(
        device: &Arc<Device>,
        set_layout: &Arc<SetLayout>,
        kernel: &Arc<Kernel>,
        layout: Layout,
        elements: usize,
    ) -> Result<Self, Error> {
        let memory = Memory::new(device)?;
        let (input, output) = (layout.input_bytes(), layout.output_bytes());
        let buffers = Buffers {
            upload: UploadBuffer::new(&memory, MemoryUse::Upload, input)?,
            readback: ReadbackBuffer::new(&memory, output)?,
            device: Some((
                DeviceBuffer::new(&memory, input)?,
                DeviceBuffer::new(&memory, output)?,
            )),
        };
        let set = DescriptorSet::new(device, set_layout)?;
        let (from, to) = buffers.kernel_operands();
        let [a, b] = [layout.a(elements), layout.b(elements)].map(|range| (from, range));
        // SAFETY: the set is new; the ranges lie inside the buffers, which
        // drop together with it.
        unsafe { set.write([a, b, (to, layout.out(elements))]) };
        Ok(Self {
            buffers,
            layout,
            set,
            kernel: Arc::clone(kernel),
        })
    }

    fn recording(&self, elements: u32) -> Recording<'_> {
        Recording {
            buffers: &self.buffers,
            layout: &self.layout,
            kernel: &self.kernel,
            set: self.set.raw(),
            timer: None,
            elements,
        }
    }
}

/// The most elements of `element_bytes` bytes that one binding, one dispatch
/// of workgroups of `workgroup_size` and one allocation can take.
fn most_elements(caps: &DeviceCaps, workgroup_size: u32, element_bytes: usize) -> u32 {
    let limits = &caps.limits;
    let element = element_bytes as u64;
    let fit = |bytes: u64| bytes.checked_div(element).unwrap_or(0);
    let dispatch = u64::from(limits.max_workgroups_x) * u64::from(workgroup_size);
    // One buffer holds both operands, the second at an aligned place.
    let allocation = limits.max_allocation.min(limits.max_buffer_size) / 2;
    let allocation = allocation.saturating_sub(limits.storage_buffer_alignment);
    let most = fit(limits.max_storage_buffer_range)
        .min(fit(allocation))
        .min(dispatch);
    u32::try_from(most).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    #[test]
    fn the_tightest_limit_counts() {
        let mut caps = recorded::h200();
        // The whole of 2^25 elements, 1.6 GB an operand, fits; the
        // allocation of both is what ends it.
        assert_eq!(most_elements(&caps, 128, 48), 44_717_397);
        caps.limits.max_storage_buffer_range = 1 << 27;
        assert_eq!(most_elements(&caps, 128, 48), 2_796_202);
        caps.limits.max_workgroups_x = 1_000;
        assert_eq!(most_elements(&caps, 128, 48), 128_000);
        assert_eq!(most_elements(&caps, 7, 48), 7_000);
        assert_eq!(most_elements(&caps, 128, 0), 0);
    }
}
