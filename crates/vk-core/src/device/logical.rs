//! The logical device itself: made once, and shared by all that a process opens it for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use ash::{khr, vk};

use crate::error::VkContext;
use crate::instance::{Instance, PhysicalDevice, lifecycle};
use crate::sync::Queue;
use crate::{DeviceCaps, Error, Process, QueueFamily, lock};

/// A `VkDevice`, its queues, and what is known of its state.
pub(super) struct Logical {
    pub(super) raw: ash::Device,
    pub(super) physical: vk::PhysicalDevice,
    pub(super) instance: Arc<Instance>,
    pub(super) caps: DeviceCaps,
    /// All of one family.
    pub(super) queues: Vec<Queue>,
    pub(super) family: u32,
    // The call that first reported the loss: later reports only follow from it.
    pub(super) lost: OnceLock<&'static str>,
    pub(super) process: Process,
}

/// The most queues of a device that a process shares: with two, work that takes too long on
/// one leaves another. Each further one adds some 25 ms to the opening of an H200 (NVIDIA
/// 580), and what is on several of them runs at once only where one leaves room.
const MOST_SHARED: u32 = 2;

/// The first family that offers compute, and how many of its queues: `most` at most, and one at
/// least.
fn compute_queues(caps: &DeviceCaps, most: u32) -> Result<(u32, u32), Error> {
    let offers =
        |family: &QueueFamily| family.count > 0 && family.flags.contains(vk::QueueFlags::COMPUTE);
    let found = (0..).zip(&caps.queue_families).find(|(_, it)| offers(it));
    let (family, found) = found.ok_or_else(|| Error::Unsupported {
        needed: "a queue family with COMPUTE".to_owned(),
        found: format!("{:?}", caps.queue_families),
    })?;
    Ok((family, found.count.min(most)))
}

/// The devices that this process shares. They stay until it ends, lost ones too: a
/// driver (NVIDIA 580) can hang for good where one thread destroys a device while
/// another, which has used Vulkan, ends.
static SHARED: Mutex<Vec<Arc<Logical>>> = Mutex::new(Vec::new());

impl Logical {
    /// The device that this process shares for `physical`, made now if
    /// there is none yet, or if the one there was is lost.
    pub(super) fn shared(physical: &PhysicalDevice) -> Result<Arc<Self>, Error> {
        // Before the lock: whoever held it when a process was forked never gives it back.
        physical.instance.expect_here()?;
        let mut shared = lock(&SHARED);
        let same = |known: &&Arc<Self>| {
            known.physical == physical.raw
                && known.caps == physical.caps
                && known.lost.get().is_none()
        };
        if let Some(known) = shared.iter().find(same) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Self::new(physical, MOST_SHARED)?);
        shared.push(Arc::clone(&made));
        Ok(made)
    }

    /// With as many compute queues as there are, `most` at most.
    pub(super) fn new(physical: &PhysicalDevice, most: u32) -> Result<Self, Error> {
        let caps = physical.caps().clone();
        let (family, count) = compute_queues(&caps, most)?;
        physical.instance.expect_here()?;
        let raw = create(
            &physical.instance,
            physical.raw,
            &caps,
            family,
            count as usize,
        )?;
        let mut device = Self {
            raw,
            physical: physical.raw,
            instance: Arc::clone(&physical.instance),
            caps,
            queues: Vec::new(),
            family,
            lost: OnceLock::new(),
            process: Process::current(),
        };
        for index in 0..count {
            // SAFETY: `create` asked for so many queues of the family.
            let raw = unsafe { device.raw.get_device_queue(family, index) };
            let timeline = device.caps.features.timeline_semaphore;
            let queue = Queue::new(&device.raw, raw, timeline)?;
            device.queues.push(queue);
        }
        Ok(device)
    }

    pub(super) fn is_shared(self: &Arc<Self>) -> bool {
        let shared = lock(&SHARED);
        shared.iter().any(|known| Arc::ptr_eq(known, self))
    }

    /// Counts one more user of the queue that has the fewest, and returns its number; of
    /// one that somebody's work keeps busy past its time only where all are.
    pub(super) fn join_least_used(&self) -> usize {
        let rank = |number: &usize| {
            let queue = &self.queues[*number];
            (
                queue.is_behind(&self.raw),
                queue.users.load(Ordering::Relaxed),
            )
        };
        let number = (0..self.queues.len()).min_by_key(rank).unwrap_or_default();
        self.queues[number].users.fetch_add(1, Ordering::Relaxed);
        number
    }

    /// Waits until nothing is in flight on any queue. Nothing is submitted meanwhile.
    pub(super) fn wait_idle(&self) -> Result<(), Error> {
        let _excluded: Vec<_> = self.queues.iter().map(Queue::exclude).collect();
        // SAFETY: the device is alive, and every queue of it is locked.
        unsafe { self.raw.device_wait_idle() }.during("vkDeviceWaitIdle")
    }
}

impl Drop for Logical {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        // A lost device reports the loss here; its children must still go.
        if let Err(error) = self.wait_idle() {
            tracing::warn!("while dropping {}: {error}", self.caps.name);
        }
        for queue in &mut self.queues {
            queue.destroy(&self.raw);
        }
        let _alone = lifecycle();
        // SAFETY: every child holds an `Arc` of this value, so none is left
        // but the queues' semaphores and fences, destroyed above.
        unsafe { self.raw.destroy_device(None) };
    }
}

fn create(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    caps: &DeviceCaps,
    family: u32,
    count: usize,
) -> Result<ash::Device, Error> {
    let priorities = vec![1.0_f32; count];
    let infos = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(family)
        .queue_priorities(&priorities)];
    let extensions = required_extensions(instance, physical)?;
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&infos)
        .enabled_extension_names(&extensions);
    let _alone = lifecycle();
    let mut chain = caps.features.chain();
    let mut features = chain.link(caps.api);
    let info = info.push_next(&mut features);
    // SAFETY: `physical` belongs to `instance`; the queues exist by the caller's
    // choice from `caps`, the features by `caps`; all pointers outlive the call.
    unsafe { instance.raw().create_device(physical, &info, None) }.during("vkCreateDevice")
}

/// A device that only approximates Vulkan wants to hear that this is known.
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
mod tests {
    use super::*;
    use crate::testing::recorded;

    #[test]
    fn a_process_shares_a_few_queues_of_the_compute_family() {
        let shared = |caps: &DeviceCaps| compute_queues(caps, MOST_SHARED);
        assert_eq!(shared(&recorded::h200()), Ok((0, 2)));
        assert_eq!(compute_queues(&recorded::h200(), 1), Ok((0, 1)));
        let mut caps = recorded::llvmpipe();
        assert_eq!(shared(&caps), Ok((0, 1)));
        let mut copies_first = recorded::h200();
        copies_first.queue_families.swap(0, 1);
        assert_eq!(shared(&copies_first), Ok((1, 2)));
        // A device without compute.
        caps.queue_families[0].flags = vk::QueueFlags::GRAPHICS;
        assert!(matches!(shared(&caps), Err(Error::Unsupported { .. })));
    }
}
