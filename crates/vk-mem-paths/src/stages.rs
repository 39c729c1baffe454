//! Which stages of a chunk run on which queue.

use vk_core::{QueuePlan, QueueRef};

use crate::{Path, StageKind};

/// One step of a chunk on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Staging buffer to device memory.
    Upload = 0,
    /// The kernel.
    Kernel = 1,
    /// Device memory to staging buffer.
    Download = 2,
}

impl Stage {
    /// How many stages there are.
    pub(crate) const COUNT: u32 = 3;

    /// The stage's number, from 0.
    pub(crate) fn number(self) -> u32 {
        self as u32
    }
}

impl From<Stage> for StageKind {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Upload => Self::Upload,
            Stage::Kernel => Self::Kernel,
            Stage::Download => Self::Download,
        }
    }
}

/// Consecutive stages that run in one command buffer on one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    /// The queue.
    pub(crate) queue: QueueRef,
    /// The stages, in order.
    pub(crate) stages: Vec<Stage>,
}

/// The groups of a chunk, in the order in which they run: all in one on the
/// compute queue, or spread over the queues of the plan.
pub(crate) fn group_stages(path: Path, one_queue: bool, queues: &QueuePlan) -> Vec<Group> {
    let compute = queues.compute;
    let stages = match (path, one_queue) {
        (Path::HostVisible | Path::Bar, _) => vec![(Stage::Kernel, compute)],
        (Path::DeviceLocal, true) => vec![
            (Stage::Upload, compute),
            (Stage::Kernel, compute),
            (Stage::Download, compute),
        ],
        (Path::DeviceLocal, false) => vec![
            (Stage::Upload, queues.upload),
            (Stage::Kernel, compute),
            (Stage::Download, queues.download),
        ],
    };
    let mut groups: Vec<Group> = Vec::new();
    for (stage, queue) in stages {
        match groups.last_mut() {
            Some(group) if group.queue == queue => group.stages.push(stage),
            _ => groups.push(Group {
                queue,
                stages: vec![stage],
            }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::choose_queues;
    use vk_core::testing::recorded;

    fn shape(path: Path, one_queue: bool, queues: &QueuePlan) -> Vec<Vec<Stage>> {
        let groups = group_stages(path, one_queue, queues);
        groups.into_iter().map(|group| group.stages).collect()
    }

    #[test]
    fn stages_spread_over_the_copy_queues_unless_they_are_to_stay_on_one() {
        use Stage::{Download, Kernel, Upload};
        let h200 = choose_queues(&recorded::h200()).unwrap();
        let single = choose_queues(&recorded::llvmpipe()).unwrap();
        let device = Path::DeviceLocal;
        assert_eq!(shape(Path::HostVisible, true, &h200), [vec![Kernel]]);
        assert_eq!(shape(device, true, &h200), [vec![Upload, Kernel, Download]]);
        assert_eq!(
            shape(device, false, &h200),
            [vec![Upload], vec![Kernel], vec![Download]]
        );
        assert_eq!(
            shape(device, false, &single),
            [vec![Upload, Kernel, Download]]
        );
        let one_copy_queue = QueuePlan {
            download: h200.compute,
            ..h200
        };
        assert_eq!(
            shape(device, false, &one_copy_queue),
            [vec![Upload], vec![Kernel, Download]]
        );
    }
}
