//! Submission and completion: one counter per queue, on a timeline semaphore
//! where the device has them, on a pool of fences where it has not.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ash::vk;

use crate::Error;
use crate::error::VkContext;

/// A submission: complete once its queue's counter has reached its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(crate) queue: usize,
    pub(crate) value: u64,
}

/// How to wait for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How long to poll before blocking. Polling answers sooner than the
    /// operating system can wake a thread, and takes a core meanwhile.
    pub spin: Duration,
    /// How long to wait in all before giving up.
    pub timeout: Duration,
}

impl Default for WaitPolicy {
    /// 50 us of polling, 60 s in all.
    fn default() -> Self {
        Self {
            spin: Duration::from_micros(50),
            timeout: Duration::from_secs(60),
        }
    }
}

/// One queue and the count of what was submitted to it.
pub(crate) struct Queue {
    raw: vk::Queue,
    // Vulkan wants submissions to a queue to exclude each other; the state
    // changes with each of them, so one lock serves both.
    state: Mutex<State>,
}

struct State {
    submitted: u64,
    signal: Signal,
}

enum Signal {
    Timeline(vk::Semaphore),
    Fences {
        completed: u64,
        in_flight: VecDeque<(u64, vk::Fence)>,
        free: Vec<vk::Fence>,
    },
}

impl Queue {
    pub(crate) fn new(device: &ash::Device, raw: vk::Queue, timeline: bool) -> Result<Self, Error> {
        let signal = if timeline {
            let mut kind = vk::SemaphoreTypeCreateInfo::default()
                .semaphore_type(vk::SemaphoreType::TIMELINE)
                .initial_value(0);
            let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
            // SAFETY: the caller passes `timeline` only where the feature is on.
            let semaphore = unsafe { device.create_semaphore(&info, None) };
            Signal::Timeline(semaphore.during("vkCreateSemaphore")?)
        } else {
            Signal::Fences {
                completed: 0,
                in_flight: VecDeque::new(),
                free: Vec::new(),
            }
        };
        Ok(Self {
            raw,
            state: Mutex::new(State {
                submitted: 0,
                signal,
            }),
        })
    }

    /// # Safety
    /// As [`crate::Device::submit`].
    pub(crate) unsafe fn submit(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
        wait: Option<(&Self, u64)>,
    ) -> Result<u64, Error> {
        let waits = match wait {
            Some((queue, value)) => Some((queue.timeline()?, value)),
            None => None,
        };
        let mut state = self.lock();
        let value = state.submitted + 1;
        match &mut state.signal {
            Signal::Timeline(semaphore) => {
                // SAFETY: passed on to the caller; `self` is locked, so the
                // queue is not used by another thread.
                unsafe { submit_timeline(device, self.raw, commands, *semaphore, value, waits)? }
            }
            Signal::Fences {
                in_flight, free, ..
            } => {
                let fence = take_fence(device, free)?;
                let buffers = [commands];
                let info = vk::SubmitInfo::default().command_buffers(&buffers);
                // SAFETY: passed on to the caller; the fence is unsignalled
                // and unused, and `self` is locked.
                let submitted = unsafe { device.queue_submit(self.raw, &[info], fence) };
                if let Err(result) = submitted {
                    free.push(fence);
                    return Err(Error::from_vk("vkQueueSubmit", result));
                }
                in_flight.push_back((value, fence));
            }
        }
        state.submitted = value;
        Ok(value)
    }

    pub(crate) fn is_complete(&self, device: &ash::Device, value: u64) -> Result<bool, Error> {
        let mut state = self.lock();
        match &mut state.signal {
            Signal::Timeline(semaphore) => {
                // SAFETY: the semaphore belongs to `device` and is alive.
                let count = unsafe { device.get_semaphore_counter_value(*semaphore) };
                Ok(count.during("vkGetSemaphoreCounterValue")? >= value)
            }
            Signal::Fences {
                completed,
                in_flight,
                free,
            } => {
                retire_fences(device, completed, in_flight, free)?;
                Ok(*completed >= value)
            }
        }
    }

    pub(crate) fn wait(
        &self,
        device: &ash::Device,
        value: u64,
        policy: WaitPolicy,
    ) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            if self.is_complete(device, value)? {
                return Ok(());
            }
            if start.elapsed() >= policy.spin.min(policy.timeout) {
                break;
            }
            std::hint::spin_loop();
        }
        let left = policy.timeout.saturating_sub(start.elapsed());
        let nanoseconds = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        match self.block(device, value, nanoseconds) {
            Ok(()) if self.is_complete(device, value)? => Ok(()),
            Ok(()) | Err(vk::Result::TIMEOUT) => Err(Error::Timeout {
                after: policy.timeout,
            }),
            Err(result) => Err(Error::from_vk("waiting for the device", result)),
        }
    }

    fn block(&self, device: &ash::Device, value: u64, nanoseconds: u64) -> Result<(), vk::Result> {
        let state = self.lock();
        match &state.signal {
            Signal::Timeline(semaphore) => {
                let (semaphores, values) = ([*semaphore], [value]);
                // The counter may be waited on by many threads at once.
                drop(state);
                let info = vk::SemaphoreWaitInfo::default()
                    .semaphores(&semaphores)
                    .values(&values);
                // SAFETY: the semaphore lives as long as the device, which
                // the caller borrows.
                unsafe { device.wait_semaphores(&info, nanoseconds) }
            }
            Signal::Fences { in_flight, .. } => {
                let fence = in_flight.iter().find(|(number, _)| *number >= value);
                match fence {
                    None => Ok(()),
                    // SAFETY: the fence is in flight and the lock is held, so
                    // nobody resets or destroys it meanwhile.
                    Some((_, fence)) => unsafe {
                        device.wait_for_fences(&[*fence], true, nanoseconds)
                    },
                }
            }
        }
    }

    /// Destroys the semaphore or fences; the device is idle or lost.
    pub(crate) fn destroy(&mut self, device: &ash::Device) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match &mut state.signal {
            Signal::Timeline(semaphore) => {
                // SAFETY: the caller waited for the device; destroyed once.
                unsafe { device.destroy_semaphore(*semaphore, None) };
            }
            Signal::Fences {
                in_flight, free, ..
            } => {
                let fences = in_flight.drain(..).map(|(_, fence)| fence);
                for fence in fences.chain(free.drain(..)) {
                    // SAFETY: as above.
                    unsafe { device.destroy_fence(fence, None) };
                }
            }
        }
    }

    fn timeline(&self) -> Result<vk::Semaphore, Error> {
        match &self.lock().signal {
            Signal::Timeline(semaphore) => Ok(*semaphore),
            Signal::Fences { .. } => Err(Error::Unsupported {
                needed: "timeline semaphores, to order two queues".to_owned(),
                found: "fences only".to_owned(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is changed only after the Vulkan call it stands for
        // succeeded, so it is whole even if another thread panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
/// As [`Queue::submit`], with the queue locked.
unsafe fn submit_timeline(
    device: &ash::Device,
    queue: vk::Queue,
    commands: vk::CommandBuffer,
    signal: vk::Semaphore,
    value: u64,
    wait: Option<(vk::Semaphore, u64)>,
) -> Result<(), Error> {
    let (buffers, signals, signal_values) = ([commands], [signal], [value]);
    let (waits, wait_values): (Vec<_>, Vec<_>) = wait.into_iter().unzip();
    let stages = vec![vk::PipelineStageFlags::ALL_COMMANDS; waits.len()];
    let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
        .wait_semaphore_values(&wait_values)
        .signal_semaphore_values(&signal_values);
    let info = vk::SubmitInfo::default()
        .command_buffers(&buffers)
        .wait_semaphores(&waits)
        .wait_dst_stage_mask(&stages)
        .signal_semaphores(&signals)
        .push_next(&mut timeline);
    // SAFETY: the contract of this function; the arrays outlive the call.
    unsafe { device.queue_submit(queue, &[info], vk::Fence::null()) }.during("vkQueueSubmit")
}

fn take_fence(device: &ash::Device, free: &mut Vec<vk::Fence>) -> Result<vk::Fence, Error> {
    if let Some(fence) = free.pop() {
        return Ok(fence);
    }
    // SAFETY: the device is alive.
    unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) }.during("vkCreateFence")
}

/// Moves signalled fences back to the free ones. A queue finishes its
/// submissions' fences in order, so the first unsignalled one ends the search.
fn retire_fences(
    device: &ash::Device,
    completed: &mut u64,
    in_flight: &mut VecDeque<(u64, vk::Fence)>,
    free: &mut Vec<vk::Fence>,
) -> Result<(), Error> {
    while let Some(&(value, fence)) = in_flight.front() {
        // SAFETY: the fence belongs to `device` and is alive.
        if !unsafe { device.get_fence_status(fence) }.during("vkGetFenceStatus")? {
            break;
        }
        // SAFETY: the fence is signalled, so no submission uses it any more.
        unsafe { device.reset_fences(&[fence]) }.during("vkResetFences")?;
        in_flight.pop_front();
        free.push(fence);
        *completed = value;
    }
    Ok(())
}
