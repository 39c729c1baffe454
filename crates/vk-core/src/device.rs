//! A logical device and its queues, as one of its users sees it.

mod logical;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ash::vk;

use crate::instance::{Instance, PhysicalDevice};
use crate::queues::shared_queues;
use crate::sync::{DEVICE, WaitPolicy};
use crate::{DeviceCaps, Error, QueuePlan, QueueRef, Ticket, choose_queues};
use logical::{Logical, OwnQueue};

/// A logical device as one of its users sees it: with the queues that it was given.
///
/// Children (pipelines, pools, buffers) hold an `Arc` of it and so are gone
/// before it is destroyed.
pub struct Device {
    logical: Arc<Logical>,
    plan: QueuePlan,
    // The number of the queue among whose users it is counted.
    counted: Option<usize>,
    // By the queue's number: what a wait gave up on here, and after how long. Others who
    // share the queue have a limit of their own.
    overdue: Vec<Mutex<Option<(u64, Duration)>>>,
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
        let queues = shared_queues(physical.caps())?;
        let shares = physical.instance.is_shared();
        #[cfg(feature = "testing")]
        let shares = shares && crate::testing::shares_devices();
        let logical = match shares {
            true => Logical::shared(physical, &queues)?,
            false => Arc::new(Logical::new(physical, &queues[..1])?),
        };
        let number = logical.join_least_used();
        let plan = QueuePlan::single(queues[number]);
        Ok(Self::of(logical, plan, Some(number)))
    }

    /// Another view of a device that the process shares, for what is kept as long as that:
    /// it is not counted among the users of its queue. `None` for a device of its own.
    #[must_use]
    pub fn lasting(&self) -> Option<Arc<Self>> {
        let logical = &self.logical;
        let is_shared = logical.is_shared();
        is_shared.then(|| Self::of(Arc::clone(logical), self.plan, None))
    }

    /// Whether `other` is a view of the same `VkDevice`, so that what was made for one can
    /// be used with the other.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.logical, &other.logical)
    }

    /// A device of its own, with the queues of [`choose_queues`] and
    /// every optional feature of [`crate::Features`] that it has.
    ///
    /// # Errors
    /// As [`Self::shared`].
    pub fn new(physical: &PhysicalDevice) -> Result<Arc<Self>, Error> {
        Self::with_queues(physical, choose_queues(physical.caps())?)
    }

    /// As [`Self::new`], but with the compute queue alone, which serves every
    /// role: some drivers take 20 ms for each further queue.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_one_queue(physical: &PhysicalDevice) -> Result<Arc<Self>, Error> {
        let QueuePlan { compute, .. } = choose_queues(physical.caps())?;
        Self::with_queues(physical, QueuePlan::single(compute))
    }

    fn with_queues(physical: &PhysicalDevice, plan: QueuePlan) -> Result<Arc<Self>, Error> {
        let logical = Arc::new(Logical::new(physical, &plan.distinct())?);
        Ok(Self::of(logical, plan, None))
    }

    fn of(logical: Arc<Logical>, plan: QueuePlan, counted: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            overdue: logical.queues.iter().map(|_| Mutex::default()).collect(),
            logical,
            plan,
            counted,
        })
    }

    /// What the device can do.
    #[must_use]
    pub fn caps(&self) -> &DeviceCaps {
        &self.logical.caps
    }

    /// Which queue serves which role.
    #[must_use]
    pub fn queue_plan(&self) -> &QueuePlan {
        &self.plan
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

    /// Submits `commands` to `queue`, to start once `after` is complete.
    ///
    /// Where `after` is a ticket of the same queue nothing waits: the
    /// barriers that the command buffers record order them.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] once the device was lost; whether `commands`
    /// reached it is not known then. [`Error::Busy`] while it is at what a
    /// wait of this user gave up on. [`Error::Unsupported`] for a queue that
    /// is not one of [`Device::queue_plan`], and for a ticket of another
    /// queue where the device has no timeline semaphores. Else what
    /// `vkQueueSubmit` returned. Nothing was submitted unless the device was
    /// lost.
    ///
    /// # Safety
    /// `commands` is a finished command buffer of the queue's family that is
    /// not in flight. It and everything it names stay alive and unchanged by
    /// the host until the returned ticket is complete, or, when the device
    /// was lost, until `vkDeviceWaitIdle` returned. `after` is a ticket of
    /// this device.
    pub unsafe fn submit(
        &self,
        queue: QueueRef,
        commands: vk::CommandBuffer,
        after: Option<Ticket>,
    ) -> Result<Ticket, Error> {
        self.expect_usable()?;
        let number = self.number_of(queue)?;
        let wait = match after.filter(|ticket| ticket.queue != number) {
            Some(ticket) => Some((&self.queue(ticket.queue)?.queue, ticket.value)),
            None => None,
        };
        // SAFETY: passed on to the caller by this function's contract.
        let submitted = unsafe {
            self.queue(number)?
                .queue
                .submit(&self.logical.raw, commands, wait)
        };
        Ok(Ticket {
            queue: number,
            value: self.note_loss(submitted)?,
        })
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
        let queue = self.queue(ticket.queue)?;
        if let Err(busy) = self.expect_ended(ticket.queue) {
            return match self.look(ticket)? {
                true => Ok(()),
                false => Err(busy),
            };
        }
        let waited = queue.queue.wait(&self.logical.raw, ticket.value, policy);
        match waited {
            // Without patience it was a look, which gives nothing up.
            Err(Error::Timeout { after, .. }) if !after.is_zero() => {
                // The first stays: what comes after it ends after it.
                self.overdue(ticket.queue)
                    .get_or_insert((ticket.value, after));
                queue.note_overdue(ticket.value);
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
        let queue = &self.queue(ticket.queue)?.queue;
        self.note_loss(queue.is_complete(&self.logical.raw, ticket.value))
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

    /// Fails once the device was lost, and while one of its queues is at work that a wait
    /// of this user gave up on; once that is complete, the device is usable again.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Forked`], [`Error::Busy`], else what the driver
    /// returned.
    pub fn expect_usable(&self) -> Result<(), Error> {
        self.expect_alive()?;
        let queues = self.plan.distinct().into_iter();
        queues
            .map(|queue| self.number_of(queue))
            .try_for_each(|number| self.expect_ended(number?))
    }

    /// # Errors
    /// [`Error::Busy`] while a queue is at work that a wait of this user gave up on.
    fn expect_ended(&self, queue: usize) -> Result<(), Error> {
        let Some((value, after)) = *self.overdue(queue) else {
            return Ok(());
        };
        match self.look(Ticket { queue, value })? {
            true => {
                // Unless another thread gave up on something else meanwhile.
                self.overdue(queue).take_if(|(known, _)| *known == value);
                Ok(())
            }
            false => Err(Error::Busy {
                what: DEVICE,
                after,
            }),
        }
    }

    /// As [`Self::is_complete`], by all means that tell: what made a wait give up
    /// may have been one of them.
    fn look(&self, ticket: Ticket) -> Result<bool, Error> {
        let queue = self.queue(ticket.queue)?;
        let looked = queue
            .queue
            .wait(&self.logical.raw, ticket.value, WaitPolicy::NONE);
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

    fn number_of(&self, wanted: QueueRef) -> Result<usize, Error> {
        let given = self.plan.distinct();
        let mut queues = self.logical.queues.iter();
        queues
            .position(|own| own.place == wanted && given.contains(&wanted))
            .ok_or_else(|| Error::Unsupported {
                needed: format!("{wanted:?} of this device"),
                found: format!("{given:?}"),
            })
    }

    /// The queue's number is one of [`Self::queue`].
    fn overdue(&self, queue: usize) -> MutexGuard<'_, Option<(u64, Duration)>> {
        // Written as a whole, so a panic elsewhere left it whole.
        let overdue = self.overdue[queue].lock();
        overdue.unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, number: usize) -> Result<&OwnQueue, Error> {
        let queues = &self.logical.queues;
        queues.get(number).ok_or_else(|| Error::Unsupported {
            needed: format!("queue number {number} of this device"),
            found: format!("{} queues", queues.len()),
        })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(number) = self.counted {
            self.logical.leave(number);
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("name", &self.logical.caps.name)
            .field("queues", &self.plan)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
