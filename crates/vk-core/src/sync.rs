//! Submission and completion: one counter per queue, on a timeline semaphore
//! where the device has them, on a pool of fences where it has not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ash::vk;

use crate::error::VkContext;
use crate::{Error, lock};

/// A submission of a device's user: complete once its queue's counter has reached this
/// value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(crate) u64);

/// How to wait for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitPolicy {
    /// How long to poll without a pause. That answers sooner than the
    /// operating system can wake a thread, and takes a core meanwhile.
    /// Afterwards the waiting thread polls with naps in between, then blocks.
    pub spin: Duration,
    /// How long to wait in all before giving up.
    pub timeout: Duration,
}

impl WaitPolicy {
    /// No patience: a look.
    pub const NONE: Self = Self {
        spin: Duration::ZERO,
        timeout: Duration::ZERO,
    };
}

impl Default for WaitPolicy {
    /// 200 us of polling, about as long as a chunk that was submitted while
    /// another one ran keeps the host waiting; 60 s in all.
    fn default() -> Self {
        Self {
            spin: Duration::from_micros(200),
            timeout: Duration::from_secs(60),
        }
    }
}

/// How long to poll with naps in between before blocking in the driver. One
/// driver (NVIDIA 580) wakes a thread that blocks on a timeline up to 10 ms
/// late when several threads do so, longer than most submissions take.
const POLL: Duration = Duration::from_millis(50);
/// What takes its time, in errors.
pub(crate) const DEVICE: &str = "the device";
const LONGEST_NAP: Duration = Duration::from_micros(200);

/// One queue and the count of what was submitted to it.
pub(crate) struct Queue {
    raw: vk::Queue,
    // Outside the lock, so that polling and blocking never wait for a thread
    // that submits. `None`: the device has fences only.
    timeline: Option<vk::Semaphore>,
    // Changed under the lock only.
    submitted: AtomicU64,
    // The last value that somebody's wait gave up on; 0 before any.
    overdue: AtomicU64,
    /// Devices that were given it for everything.
    pub(crate) users: AtomicUsize,
    // Vulkan wants submissions to a queue to exclude each other, and the
    // fences change with each of them, so one lock serves both. They change
    // only after the Vulkan call succeeded that they stand for.
    fences: Mutex<Fences>,
}

/// What stands in for the counter of a timeline semaphore.
#[derive(Default)]
struct Fences {
    completed: u64,
    in_flight: VecDeque<(u64, Arc<vk::Fence>)>,
    // Not in flight, but a thread may still be returning from a wait for one:
    // only a fence that nobody shares may be reset and used again.
    free: Vec<Arc<vk::Fence>>,
}

impl Queue {
    pub(crate) fn new(device: &ash::Device, raw: vk::Queue, timeline: bool) -> Result<Self, Error> {
        let timeline = if timeline {
            let mut kind = vk::SemaphoreTypeCreateInfo::default()
                .semaphore_type(vk::SemaphoreType::TIMELINE)
                .initial_value(0);
            let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
            // SAFETY: the caller passes `timeline` only where the feature is on.
            let semaphore = unsafe { device.create_semaphore(&info, None) };
            Some(semaphore.during("vkCreateSemaphore")?)
        } else {
            None
        };
        Ok(Self {
            raw,
            timeline,
            submitted: AtomicU64::new(0),
            overdue: AtomicU64::new(0),
            users: AtomicUsize::new(0),
            fences: Mutex::default(),
        })
    }

    /// # Safety
    /// As [`crate::Device::submit`].
    pub(crate) unsafe fn submit(
        &self,
        device: &ash::Device,
        commands: vk::CommandBuffer,
    ) -> Result<u64, Error> {
        let call = "vkQueueSubmit";
        let mut fences = lock(&self.fences);
        let value = self.submitted.load(Ordering::Acquire) + 1;
        let (buffers, values) = ([commands], [value]);
        let info = vk::SubmitInfo::default().command_buffers(&buffers);
        match self.timeline {
            Some(semaphore) => {
                let signals = [semaphore];
                let mut timeline =
                    vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values);
                let info = info.signal_semaphores(&signals).push_next(&mut timeline);
                // SAFETY: passed on to the caller; the lock is held, so the
                // queue is not used by another thread.
                unsafe { device.queue_submit(self.raw, &[info], vk::Fence::null()) }
                    .during(call)?;
            }
            None => {
                let fence = fences.take(device)?;
                // SAFETY: passed on to the caller; the fence is unsignalled
                // and unused, and the lock is held.
                let submitted = unsafe { device.queue_submit(self.raw, &[info], *fence) };
                if let Err(result) = submitted {
                    fences.free.push(fence);
                    return Err(Error::from_vk(call, result));
                }
                fences.in_flight.push_back((value, fence));
            }
        }
        self.submitted.store(value, Ordering::Release);
        Ok(value)
    }

    pub(crate) fn is_complete(&self, device: &ash::Device, value: u64) -> Result<bool, Error> {
        let Some(semaphore) = self.timeline else {
            let mut fences = lock(&self.fences);
            fences.retire(device)?;
            return Ok(fences.completed >= value);
        };
        let call = "vkGetSemaphoreCounterValue";
        // SAFETY: the semaphore belongs to `device` and is alive.
        let count = unsafe { device.get_semaphore_counter_value(semaphore) }.during(call)?;
        // Some drivers report a lost device by a counter at its end only:
        // taken for completion, that would pass work off as done.
        if count > self.submitted.load(Ordering::Acquire) {
            // Or the device was faster than the thread that submitted, which
            // notes the value before it gives the lock back.
            drop(lock(&self.fences));
            if count > self.submitted.load(Ordering::Acquire) {
                return Err(Error::DeviceLost { call });
            }
        }
        Ok(count >= value)
    }

    pub(crate) fn wait(
        &self,
        device: &ash::Device,
        value: u64,
        policy: WaitPolicy,
    ) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            let looked = match self.is_complete(device, value) {
                Ok(true) => return Ok(()),
                Err(lost @ Error::DeviceLost { .. }) => return Err(lost),
                looked => looked.map(drop),
            };
            let elapsed = start.elapsed();
            let left = policy.timeout.saturating_sub(elapsed);
            if looked.is_err() || left.is_zero() || elapsed >= POLL.max(policy.spin) {
                // Looking and blocking can both fail for want of memory. Where
                // one of them still answers, the other need not.
                match self.block(device, value, left) {
                    // Unless the counter says by standing at its end that the device was lost
                    // (see `is_complete`).
                    Ok(true) => match self.is_complete(device, 0) {
                        Err(lost @ Error::DeviceLost { .. }) => return Err(lost),
                        _ => return Ok(()),
                    },
                    Err(lost @ Error::DeviceLost { .. }) => return Err(lost),
                    Err(_) if looked.is_err() => return looked,
                    Ok(false) | Err(_) => {}
                }
            }
            if left.is_zero() {
                let (what, after) = (DEVICE, policy.timeout);
                // Without patience it was a look, which gives nothing up.
                if !after.is_zero() {
                    self.overdue.fetch_max(value, Ordering::Relaxed);
                }
                return Err(Error::Timeout { what, after });
            }
            if elapsed < policy.spin {
                std::hint::spin_loop();
            } else {
                // A fraction of what was waited already: sleeping adds little
                // to the wait, and polling takes little of the core.
                std::thread::sleep((elapsed / 8).min(LONGEST_NAP).min(left));
            }
        }
    }

    /// Blocks until `value` is complete, or `most` is over, and says whether it
    /// is complete. Takes no lock while it waits: other threads submit and poll
    /// meanwhile.
    fn block(&self, device: &ash::Device, value: u64, most: Duration) -> Result<bool, Error> {
        let nanoseconds = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        let (waited, call) = match self.timeline {
            Some(semaphore) => {
                let (semaphores, values) = ([semaphore], [value]);
                let info = vk::SemaphoreWaitInfo::default()
                    .semaphores(&semaphores)
                    .values(&values);
                // SAFETY: the semaphore lives as long as the device, which
                // the caller borrows.
                let waited = unsafe { device.wait_semaphores(&info, nanoseconds) };
                (waited, "vkWaitSemaphores")
            }
            None => {
                let Some((number, fence)) = lock(&self.fences).fence_of(value) else {
                    return Ok(true);
                };
                // SAFETY: `fence` is shared from here until it drops, so
                // `Fences::take` does not reset it; fences are destroyed with
                // the device, which the caller borrows.
                let waited = unsafe { device.wait_for_fences(&[*fence], true, nanoseconds) };
                if waited.is_ok() {
                    lock(&self.fences).complete(number);
                }
                (waited, "vkWaitForFences")
            }
        };
        match waited {
            Ok(()) => Ok(true),
            Err(vk::Result::TIMEOUT) => Ok(false),
            Err(result) => Err(Error::from_vk(call, result)),
        }
    }

    /// Whether it is still at what a wait gave up on, or cannot be asked.
    pub(crate) fn is_behind(&self, device: &ash::Device) -> bool {
        let value = self.overdue.load(Ordering::Relaxed);
        value > 0 && !self.is_complete(device, value).unwrap_or(false)
    }

    /// Destroys the semaphore or fences; the device is idle or lost.
    pub(crate) fn destroy(&mut self, device: &ash::Device) {
        if let Some(semaphore) = self.timeline.take() {
            // SAFETY: the caller waited for the device; destroyed once.
            unsafe { device.destroy_semaphore(semaphore, None) };
        }
        let mut fences = lock(&self.fences);
        let fences = &mut *fences;
        let in_flight = fences.in_flight.drain(..).map(|(_, fence)| fence);
        for fence in in_flight.chain(fences.free.drain(..)) {
            // SAFETY: as above; whoever waits for a fence borrows the queue,
            // so nobody does.
            unsafe { device.destroy_fence(*fence, None) };
        }
    }

    /// Keeps every thread from submitting here while the returned value lives.
    pub(crate) fn exclude(&self) -> impl Drop + '_ {
        lock(&self.fences)
    }
}

impl Fences {
    /// An unsignalled fence that nothing uses.
    fn take(&mut self, device: &ash::Device) -> Result<Arc<vk::Fence>, Error> {
        // Only `fence_of` shares fences, and only ones in flight: what is
        // unshared here stays so.
        let unshared = |fence: &mut Arc<vk::Fence>| Arc::get_mut(fence).is_some();
        if let Some(index) = self.free.iter_mut().position(unshared) {
            // SAFETY: not in flight, and no thread waits for it.
            unsafe { device.reset_fences(&[*self.free[index]]) }.during("vkResetFences")?;
            return Ok(self.free.swap_remove(index));
        }
        // SAFETY: the device is alive.
        let fence = unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) };
        fence.during("vkCreateFence").map(Arc::new)
    }

    /// The fence that says that `value` is complete, and the value that it is
    /// the fence of; `None` where `value` is complete.
    fn fence_of(&self, value: u64) -> Option<(u64, Arc<vk::Fence>)> {
        let mut in_flight = self.in_flight.iter();
        let found = in_flight.find(|(number, _)| *number >= value);
        found.map(|(number, fence)| (*number, Arc::clone(fence)))
    }

    /// Notes that the fence of `value` was waited for. Those before it are
    /// signalled too: a queue signals its submissions' fences in order.
    fn complete(&mut self, value: u64) {
        while let Some((number, fence)) = self.in_flight.pop_front() {
            if number > value {
                self.in_flight.push_front((number, fence));
                return;
            }
            self.free.push(fence);
            self.completed = number;
        }
    }

    /// Counts the signalled fences and frees them. A queue finishes its
    /// submissions' fences in order, so the first unsignalled one ends the
    /// search.
    fn retire(&mut self, device: &ash::Device) -> Result<(), Error> {
        while let Some((value, fence)) = self.in_flight.pop_front() {
            // SAFETY: the fence belongs to `device` and is alive.
            let status = unsafe { device.get_fence_status(*fence) };
            if status != Ok(true) {
                self.in_flight.push_front((value, fence));
                return status.map(drop).during("vkGetFenceStatus");
            }
            self.free.push(fence);
            self.completed = value;
        }
        Ok(())
    }
}
