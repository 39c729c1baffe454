//! A logical device, as one of its users sees it: with one of its queues.

mod logical;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ash::vk;

use crate::instance::{Instance, PhysicalDevice};
use crate::sync::{DEVICE, Queue, WaitPolicy};
use crate::{DeviceCaps, Error, Ticket, lock};
use logical::Logical;

/// A logical device as one of its users sees it: with the queue that it was given.
///
/// Children (pipelines, pools, buffers) hold an `Arc` of it and so are gone
/// before it is destroyed.
pub struct Device {
    logical: Arc<Logical>,
    // Its number among those of `logical`.
    queue: usize,
    // Whether it is counted among the users of that queue.
    is_counted: bool,
    // What a wait gave up on here, and after how long. Others who share the queue have a
    // limit of their own.
    overdue: Mutex<Option<(u64, Duration)>>,
}

impl Device {
    /// The device that the whole process shares for `physical`, with one of its compute
    /// queues: where the family has several, the one that the fewest others were given.
    ///
    /// It is made by the first call and kept until the process ends, since making and
    /// destroying devices is slow, and some drivers hang where a thread ends meanwhile.
    /// After its loss the next call makes a new one, once for all who share it. Under the
    /// validation layer each call makes a device of its own.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without a compute queue, [`Error::Forked`] in a process
    /// that was forked after it had used Vulkan, else what the driver returned.
    pub fn shared(physical: &PhysicalDevice) -> Result<Arc<Self>, Error> {
        let shares = physical.instance.is_shared();
        #[cfg(feature = "testing")]
        let shares = shares && crate::testing::shares_devices();
        let logical = match shares {
            true => Logical::shared(physical)?,
            false => Arc::new(Logical::new(physical, 1)?),
        };
        let number = logical.join_least_used();
        Ok(Self::of(logical, number, true))
    }

    /// A device of its own, with one compute queue and every optional feature of
    /// [`crate::Features`] that it has.
    ///
    /// # Errors
    /// As [`Self::shared`].
    pub fn new(physical: &PhysicalDevice) -> Result<Arc<Self>, Error> {
        let logical = Arc::new(Logical::new(physical, 1)?);
        Ok(Self::of(logical, 0, false))
    }

    /// Another view of a device that the process shares, for what is kept as long as that:
    /// it is not counted among the users of its queue. `None` for a device of its own.
    #[must_use]
    pub fn lasting(&self) -> Option<Arc<Self>> {
        let logical = &self.logical;
        let is_shared = logical.is_shared();
        is_shared.then(|| Self::of(Arc::clone(logical), self.queue, false))
    }

    fn of(logical: Arc<Logical>, queue: usize, is_counted: bool) -> Arc<Self> {
        Arc::new(Self {
            logical,
            queue,
            is_counted,
            overdue: Mutex::default(),
        })
    }

    /// Whether `other` is a view of the same `VkDevice`, so that what was made for one can
    /// be used with the other.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.logical, &other.logical)
    }

    /// What the device can do.
    #[must_use]
    pub fn caps(&self) -> &DeviceCaps {
        &self.logical.caps
    }

    /// The instance that the device belongs to.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.logical.instance
    }

    /// The device's function table, for crates that build on this one.
    #[must_use]
    pub fn raw(&self) -> &ash::Device {
        &self.logical.raw
    }

    /// The physical device's handle, for crates that build on this one.
    #[must_use]
    pub fn physical(&self) -> vk::PhysicalDevice {
        self.logical.physical
    }

    /// Whether any call reported that the device was lost. It stays lost:
    /// nothing can be submitted to it, and no result of it can be trusted.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.logical.lost.get().is_some()
    }

    /// Whether this process was forked from the one that opened the device. Nothing of it
    /// may be called here then, not even to destroy it.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        !self.logical.process.is_current()
    }

    /// Waits until nothing is in flight on any queue of the device, whoever submitted it,
    /// as one must after a loss before what was in flight is freed.
    ///
    /// # Errors
    /// What `vkDeviceWaitIdle` returned; after a loss that is no news.
    pub fn wait_idle(&self) -> Result<(), Error> {
        self.logical.wait_idle()
    }

    /// Submits `commands` to the queue. The barriers that they record order them after
    /// what was submitted before.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] once the device was lost; whether `commands`
    /// reached it is not known then. [`Error::Busy`] while it is at what a
    /// wait of this user gave up on. Else what `vkQueueSubmit` returned. Nothing
    /// was submitted unless the device was lost.
    ///
    /// # Safety
    /// `commands` is a finished command buffer of this device that is
    /// not in flight. It and everything it names stay alive and unchanged by
    /// the host until the returned ticket is complete, or, when the device
    /// was lost, until `vkDeviceWaitIdle` returned.
    pub unsafe fn submit(&self, commands: vk::CommandBuffer) -> Result<Ticket, Error> {
        self.expect_usable()?;
        // SAFETY: passed on to the caller by this function's contract.
        let submitted = unsafe { self.own().submit(&self.logical.raw, commands) };
        self.note_loss(submitted.map(Ticket))
    }

    /// Waits until `ticket` is complete. Other threads can submit and wait
    /// meanwhile.
    ///
    /// Once a wait has given up, later ones of the same user do not wait: they look, so
    /// that whoever cleans up after a kernel that never ends is not held up too.
    ///
    /// # Errors
    /// [`Error::Timeout`] when `policy.timeout` ran out (the work is still in
    /// flight then), [`Error::Busy`] where an earlier wait gave up and the
    /// device is still at it, [`Error::DeviceLost`] once the device was lost,
    /// else what the driver returned.
    pub fn wait(&self, ticket: Ticket, policy: WaitPolicy) -> Result<(), Error> {
        self.expect_alive()?;
        if let Err(busy) = self.expect_ended() {
            return match self.look(ticket)? {
                true => Ok(()),
                false => Err(busy),
            };
        }
        let waited = self.own().wait(&self.logical.raw, ticket.0, policy);
        match waited {
            // Without patience it was a look, which gives nothing up.
            Err(Error::Timeout { after, .. }) if !after.is_zero() => {
                // The first stays: what comes after it ends after it.
                lock(&self.overdue).get_or_insert((ticket.0, after));
            }
            _ => {}
        }
        self.note_loss(waited)
    }

    /// Whether `ticket` is complete, without waiting.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] once the device was lost, else what the driver
    /// returned.
    pub fn is_complete(&self, ticket: Ticket) -> Result<bool, Error> {
        self.expect_alive()?;
        let queue = self.own();
        self.note_loss(queue.is_complete(&self.logical.raw, ticket.0))
    }

    /// Fails once the device was lost: what is in flight then may never have
    /// run, and memory that it names must not be used again. Fails in a process that
    /// was forked from the one that opened the device: nothing of it may be used there.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], with the call that reported it first; [`Error::Forked`].
    pub fn expect_alive(&self) -> Result<(), Error> {
        if self.is_inherited() {
            return Err(Error::Forked {
                device: self.logical.caps.name.clone(),
            });
        }
        match self.logical.lost.get() {
            Some(call) => Err(Error::DeviceLost { call }),
            None => Ok(()),
        }
    }

    /// Fails once the device was lost, and while the queue is at work that a wait
    /// of this user gave up on; once that is complete, the device is usable again.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Forked`], [`Error::Busy`], else what the driver
    /// returned.
    pub fn expect_usable(&self) -> Result<(), Error> {
        self.expect_alive()?;
        self.expect_ended()
    }

    /// # Errors
    /// [`Error::Busy`] while the queue is at work that a wait of this user gave up on.
    fn expect_ended(&self) -> Result<(), Error> {
        let Some((value, after)) = *lock(&self.overdue) else {
            return Ok(());
        };
        match self.look(Ticket(value))? {
            true => {
                // Unless another thread gave up on something else meanwhile.
                lock(&self.overdue).take_if(|(known, _)| *known == value);
                Ok(())
            }
            false => Err(Error::Busy {
                what: DEVICE,
                after,
            }),
        }
    }

    /// As [`Self::is_complete`], by every means: what made a wait give up
    /// may have been one of them.
    fn look(&self, ticket: Ticket) -> Result<bool, Error> {
        let queue = self.own();
        let looked = queue.wait(&self.logical.raw, ticket.0, WaitPolicy::NONE);
        match self.note_loss(looked) {
            Ok(()) => Ok(true),
            Err(Error::Timeout { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Remembers that `call` reported the loss of the device, whichever layer
    /// made it: some drivers report it where the specification has no place
    /// for it.
    pub fn declare_lost(&self, call: &'static str) {
        self.logical.lost.get_or_init(|| call);
    }

    /// Remembers the first loss, and names its call in every later one.
    pub(crate) fn note_loss<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::DeviceLost { call } => Error::DeviceLost {
                call: self.logical.lost.get_or_init(|| call),
            },
            other => other,
        })
    }

    pub(crate) fn family(&self) -> u32 {
        self.logical.family
    }

    fn own(&self) -> &Queue {
        // In range: the number is one that `logical` gave, whose queues stay.
        &self.logical.queues[self.queue]
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if self.is_counted {
            self.own().users.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("name", &self.logical.caps.name)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
