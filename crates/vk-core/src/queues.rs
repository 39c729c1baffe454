//! Which queues to create and use: a pure function over the caps.

use ash::vk::QueueFlags;

use crate::{DeviceCaps, Error};

/// One queue: its family and its number inside the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueRef {
    /// Queue family index.
    pub family: u32,
    /// Index within the family.
    pub index: u32,
}

/// The queues of a device by what they are used for. Roles may share a queue;
/// only the queues named here are created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePlan {
    /// Runs the kernels.
    pub compute: QueueRef,
    /// Copies inputs to device memory.
    pub upload: QueueRef,
    /// Copies results back to host memory.
    pub download: QueueRef,
}

impl QueuePlan {
    /// One queue for everything.
    pub(crate) fn single(compute: QueueRef) -> Self {
        Self {
            compute,
            upload: compute,
            download: compute,
        }
    }

    /// Each queue once, compute first.
    #[must_use]
    pub fn distinct(&self) -> Vec<QueueRef> {
        let mut queues = vec![self.compute];
        for queue in [self.upload, self.download] {
            if !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        queues
    }

    /// Each queue family once.
    #[must_use]
    pub fn families(&self) -> Vec<u32> {
        families(&self.distinct())
    }
}

/// The families of `queues`, each once.
pub(crate) fn families(queues: &[QueueRef]) -> Vec<u32> {
    let mut families: Vec<u32> = queues.iter().map(|queue| queue.family).collect();
    families.sort_unstable();
    families.dedup();
    families
}

/// The most queues of a device that a process shares: with two, work that takes too long on
/// one leaves another. Each further one adds some 25 ms to the opening of an H200 (NVIDIA
/// 580), and what is on several of them runs at once only where one leaves room.
const MOST_SHARED: u32 = 2;

/// The queues of a device that a process shares: compute queues of one family, to be
/// dealt out; at least one.
///
/// # Errors
/// As [`choose_queues`].
pub(crate) fn shared_queues(caps: &DeviceCaps) -> Result<Vec<QueueRef>, Error> {
    let compute = compute_queue(caps)?;
    let family = caps.queue_families.get(compute.family as usize);
    let count = family.map_or(1, |family| family.count.clamp(1, MOST_SHARED));
    let places = (0..count).map(|index| QueueRef { index, ..compute });
    Ok(places.collect())
}

/// A queue of the first family that offers compute.
fn compute_queue(caps: &DeviceCaps) -> Result<QueueRef, Error> {
    (0..)
        .zip(&caps.queue_families)
        .find(|(_, f)| f.count > 0 && f.flags.contains(QueueFlags::COMPUTE))
        .map(|(family, _)| QueueRef { family, index: 0 })
        .ok_or_else(|| Error::Unsupported {
            needed: "a queue family with COMPUTE".to_owned(),
            found: format!("{:?}", caps.queue_families),
        })
}

/// Chooses the queues of a device.
///
/// Compute: the first family that offers it. Copies: a family made for
/// copies alone (a copy engine), upload and download apart where it has two
/// queues; with one queue the upload gets it, since an upload that had to
/// queue behind a download waiting for its kernel would end the overlap.
/// Queues are ordered against each other by timeline semaphores, so without
/// them everything stays on the compute queue.
///
/// # Errors
/// [`Error::Unsupported`] where no family offers compute.
pub fn choose_queues(caps: &DeviceCaps) -> Result<QueuePlan, Error> {
    let compute = compute_queue(caps)?;
    let single = QueuePlan::single(compute);
    if !caps.features.timeline_semaphore {
        return Ok(single);
    }
    let harmless = QueueFlags::TRANSFER | QueueFlags::SPARSE_BINDING | QueueFlags::PROTECTED;
    let mut families = (0..).zip(&caps.queue_families);
    let copy_engine = families.find(|(_, f)| {
        f.count > 0 && f.flags.contains(QueueFlags::TRANSFER) && harmless.contains(f.flags)
    });
    Ok(match copy_engine {
        None => single,
        Some((family, engine)) => {
            let upload = QueueRef { family, index: 0 };
            let second = QueueRef { family, index: 1 };
            QueuePlan {
                compute,
                upload,
                download: if engine.count > 1 { second } else { compute },
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    #[test]
    fn a_device_with_copy_engines_gets_one_queue_per_direction() {
        let plan = choose_queues(&recorded::h200()).unwrap();
        let queue = |family, index| QueueRef { family, index };
        assert_eq!(plan.compute, queue(0, 0));
        assert_eq!(plan.upload, queue(1, 0));
        assert_eq!(plan.download, queue(1, 1));
        assert_eq!(plan.families(), [0, 1]);
        assert_eq!(plan.distinct().len(), 3);
    }

    #[test]
    fn a_single_copy_queue_serves_the_upload_alone() {
        let mut caps = recorded::h200();
        caps.queue_families[1].count = 1;
        let plan = choose_queues(&caps).unwrap();
        assert_ne!(plan.upload, plan.compute);
        assert_eq!(plan.download, plan.compute);
    }

    #[test]
    fn without_timeline_semaphores_or_copy_engine_one_queue_does_all() {
        let mut caps = recorded::h200();
        caps.features.timeline_semaphore = false;
        for caps in [caps, recorded::llvmpipe(), recorded::integrated()] {
            let plan = choose_queues(&caps).unwrap();
            assert_eq!(plan.distinct(), [plan.compute]);
        }
    }

    #[test]
    fn a_process_shares_a_few_queues_of_the_compute_family() {
        let shared = |caps| shared_queues(&caps).unwrap();
        let queues = shared(recorded::h200());
        let numbers: Vec<_> = queues.iter().map(|q| (q.family, q.index)).collect();
        assert_eq!(numbers, [(0, 0), (0, 1)]);
        assert_eq!(shared(recorded::llvmpipe()).len(), 1);
    }

    #[test]
    fn a_device_without_compute_is_an_error() {
        let mut caps = recorded::llvmpipe();
        caps.queue_families[0].flags = QueueFlags::GRAPHICS;
        assert!(matches!(
            choose_queues(&caps),
            Err(Error::Unsupported { .. })
        ));
    }
}
