//! The logical device: created once, with only the queues that are used.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ash::{khr, vk};

use crate::error::VkContext;
use crate::instance::{Instance, PhysicalDevice, lifecycle};
use crate::sync::{Queue, WaitPolicy};
use crate::{ApiVersion, DeviceCaps, Error, QueuePlan, QueueRef, Ticket, choose_queues};

/// A logical device, its queues, and the submissions in flight on them.
///
/// Children (pipelines, pools, buffers) hold an `Arc` of it and so are gone
/// before it is destroyed.
pub struct Device {
    raw: ash::Device,
    physical: vk::PhysicalDevice,
    instance: Arc<Instance>,
    caps: DeviceCaps,
    plan: QueuePlan,
    queues: Vec<(QueueRef, Queue)>,
    // The call that first reported the loss: later reports only follow from it.
    lost: OnceLock<&'static str>,
    // What a wait gave up on, and after how long: until it is complete, the
    // device is not to be given more.
    overdue: Mutex<Option<(Ticket, Duration)>>,
}

impl Device {
    /// Creates the logical device with the queues of [`choose_queues`] and
    /// every optional feature of [`crate::Features`] that it has.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without a compute queue, else what the driver
    /// returned.
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
        let caps = physical.caps().clone();
        let raw = create(&physical.instance, physical.raw, &caps, &plan)?;
        let mut device = Self {
            raw,
            physical: physical.raw,
            instance: Arc::clone(&physical.instance),
            caps,
            plan,
            queues: Vec::new(),
            lost: OnceLock::new(),
            overdue: Mutex::default(),
        };
        for queue in plan.distinct() {
            // SAFETY: `create` asked for every queue of `plan`.
            let raw = unsafe { device.raw.get_device_queue(queue.family, queue.index) };
            let timeline = device.caps.features.timeline_semaphore;
            let created = Queue::new(&device.raw, raw, timeline)?;
            device.queues.push((queue, created));
        }
        Ok(Arc::new(device))
    }

    /// What the device can do.
    #[must_use]
    pub fn caps(&self) -> &DeviceCaps {
        &self.caps
    }

    /// Which queue serves which role.
    #[must_use]
    pub fn queue_plan(&self) -> &QueuePlan {
        &self.plan
    }

    /// The instance that the device belongs to.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// The device's function table, for crates that build on this one.
    #[must_use]
    pub fn raw(&self) -> &ash::Device {
        &self.raw
    }

    /// The physical device's handle, for crates that build on this one.
    #[must_use]
    pub fn physical(&self) -> vk::PhysicalDevice {
        self.physical
    }

    /// Whether any call reported that the device was lost. It stays lost:
    /// nothing can be submitted to it, and no result of it can be trusted.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Submits `commands` to `queue`, to start once `after` is complete.
    ///
    /// Where `after` is a ticket of the same queue nothing waits: the
    /// barriers that the command buffers record order them.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] once the device was lost; whether `commands`
    /// reached it is not known then. [`Error::Busy`] while it is at what a
    /// wait gave up on. [`Error::Unsupported`] for a queue that
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
            Some(ticket) => Some((self.queue(ticket.queue)?, ticket.value)),
            None => None,
        };
        // SAFETY: passed on to the caller by this function's contract.
        let submitted = unsafe { self.queue(number)?.submit(&self.raw, commands, wait) };
        Ok(Ticket {
            queue: number,
            value: self.note_loss(submitted)?,
        })
    }

    /// Waits until `ticket` is complete. Other threads can submit and wait
    /// meanwhile.
    ///
    /// Once a wait has given up, later ones do not wait: they look, so that
    /// whoever cleans up after a kernel that never ends is not held up too.
    ///
    /// # Errors
    /// [`Error::Timeout`] when `policy.timeout` ran out (the work is still in
    /// flight then), [`Error::Busy`] where an earlier wait gave up and the
    /// device is still at it, [`Error::DeviceLost`] once the device was lost,
    /// else what the driver returned.
    pub fn wait(&self, ticket: Ticket, policy: WaitPolicy) -> Result<(), Error> {
        self.expect_alive()?;
        let queue = self.queue(ticket.queue)?;
        if let Err(busy) = self.expect_usable() {
            return match self.look(ticket)? {
                true => Ok(()),
                false => Err(busy),
            };
        }
        let waited = queue.wait(&self.raw, ticket.value, policy);
        match waited {
            // Without patience it was a look, which gives nothing up.
            Err(Error::Timeout { after }) if !after.is_zero() => {
                // The first stays: what comes after it ends after it.
                self.overdue().get_or_insert((ticket, after));
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
        let queue = self.queue(ticket.queue)?;
        self.note_loss(queue.is_complete(&self.raw, ticket.value))
    }

    /// Fails once the device was lost: what is in flight then may never have
    /// run, and memory that it names must not be used again.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], with the call that reported it first.
    pub fn expect_alive(&self) -> Result<(), Error> {
        match self.lost.get() {
            Some(call) => Err(Error::DeviceLost { call }),
            None => Ok(()),
        }
    }

    /// Fails once the device was lost, and while it is at work that a wait gave
    /// up on; once that is complete, the device is usable again.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::Busy`], else what the driver returned.
    pub fn expect_usable(&self) -> Result<(), Error> {
        self.expect_alive()?;
        let Some((ticket, after)) = *self.overdue() else {
            return Ok(());
        };
        match self.look(ticket)? {
            true => {
                // Unless another thread gave up on something else meanwhile.
                self.overdue().take_if(|(known, _)| *known == ticket);
                Ok(())
            }
            false => Err(Error::Busy { after }),
        }
    }

    /// As [`Self::is_complete`], by all means that tell: what made a wait give up
    /// may have been one of them.
    fn look(&self, ticket: Ticket) -> Result<bool, Error> {
        let queue = self.queue(ticket.queue)?;
        let looked = queue.wait(&self.raw, ticket.value, WaitPolicy::NONE);
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
        self.lost.get_or_init(|| call);
    }

    fn overdue(&self) -> MutexGuard<'_, Option<(Ticket, Duration)>> {
        // Written as a whole, so a panic elsewhere left it whole.
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the first loss, and names its call in every later one.
    pub(crate) fn note_loss<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::DeviceLost { call } => Error::DeviceLost {
                call: self.lost.get_or_init(|| call),
            },
            other => other,
        })
    }

    fn number_of(&self, wanted: QueueRef) -> Result<usize, Error> {
        self.queues
            .iter()
            .position(|(queue, _)| *queue == wanted)
            .ok_or_else(|| Error::Unsupported {
                needed: format!("{wanted:?} of this device"),
                found: format!("{:?}", self.plan.distinct()),
            })
    }

    fn queue(&self, number: usize) -> Result<&Queue, Error> {
        match self.queues.get(number) {
            Some((_, queue)) => Ok(queue),
            None => Err(Error::Unsupported {
                needed: format!("queue number {number} of this device"),
                found: format!("{} queues", self.queues.len()),
            }),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // A lost device reports the loss here; its children must still go.
        // SAFETY: the device is alive, and `&mut self` excludes other users.
        if let Err(result) = unsafe { self.raw.device_wait_idle() } {
            tracing::warn!(
                "vkDeviceWaitIdle while dropping {}: {result}",
                self.caps.name
            );
        }
        for (_, queue) in &mut self.queues {
            queue.destroy(&self.raw);
        }
        let _alone = lifecycle();
        // SAFETY: every child holds an `Arc` of this value, so none is left
        // but the queues' semaphores and fences, destroyed above.
        unsafe { self.raw.destroy_device(None) };
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("name", &self.caps.name)
            .field("queues", &self.plan)
            .finish_non_exhaustive()
    }
}

fn create(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    caps: &DeviceCaps,
    plan: &QueuePlan,
) -> Result<ash::Device, Error> {
    let queues = plan.distinct();
    let priorities = vec![1.0_f32; queues.len()];
    let infos: Vec<_> = plan
        .families()
        .into_iter()
        .map(|family| {
            let count = queues.iter().filter(|queue| queue.family == family).count();
            vk::DeviceQueueCreateInfo::default()
                .queue_family_index(family)
                .queue_priorities(&priorities[..count])
        })
        .collect();

    let have = &caps.features;
    let mut storage16 = vk::PhysicalDevice16BitStorageFeatures::default()
        .storage_buffer16_bit_access(have.storage_buffer_16bit);
    let mut pointers = vk::PhysicalDeviceVariablePointersFeatures::default()
        .variable_pointers_storage_buffer(have.variable_pointers)
        .variable_pointers(have.variable_pointers);
    let mut v12 = vk::PhysicalDeviceVulkan12Features::default()
        .shader_int8(have.shader_int8)
        .shader_float16(have.shader_float16)
        .storage_buffer8_bit_access(have.storage_buffer_8bit)
        .vulkan_memory_model(have.vulkan_memory_model)
        .vulkan_memory_model_device_scope(have.vulkan_memory_model)
        .timeline_semaphore(have.timeline_semaphore)
        .host_query_reset(have.host_query_reset);
    let mut v13 = vk::PhysicalDeviceVulkan13Features::default().maintenance4(have.maintenance4);
    let core = vk::PhysicalDeviceFeatures::default()
        .shader_int64(have.shader_int64)
        .shader_int16(have.shader_int16)
        .shader_float64(have.shader_float64);
    let mut features = vk::PhysicalDeviceFeatures2::default()
        .features(core)
        .push_next(&mut storage16)
        .push_next(&mut pointers);
    if caps.api >= ApiVersion::V1_2 {
        features = features.push_next(&mut v12);
    }
    if caps.api >= ApiVersion::V1_3 {
        features = features.push_next(&mut v13);
    }

    let extensions = required_extensions(instance, physical)?;
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&infos)
        .enabled_extension_names(&extensions)
        .push_next(&mut features);
    let _alone = lifecycle();
    // SAFETY: `physical` belongs to `instance`; the queues exist by
    // `choose_queues`, the features by `caps`; all pointers outlive the call.
    unsafe { instance.raw().create_device(physical, &info, None) }.during("vkCreateDevice")
}

/// A device that only approximates Vulkan must be told that we know.
fn required_extensions(
    instance: &Instance,
    physical: vk::PhysicalDevice,
) -> Result<Vec<*const std::ffi::c_char>, Error> {
    // SAFETY: `physical` belongs to `instance`.
    let offered = unsafe {
        instance
            .raw()
            .enumerate_device_extension_properties(physical)
    }
    .during("vkEnumerateDeviceExtensionProperties")?;
    let subset = khr::portability_subset::NAME;
    let has_subset = offered
        .iter()
        .any(|extension| extension.extension_name_as_c_str() == Ok(subset));
    Ok(has_subset.then_some(subset.as_ptr()).into_iter().collect())
}

#[cfg(test)]
pub(crate) mod tests;
