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

/// The groups of a chunk, in the order in which they run, on the queues of the
/// device.
pub(crate) fn group_stages(path: Path, queues: &QueuePlan) -> Vec<Group> {
    let compute = queues.compute;
    let stages = match path {
        Path::HostVisible | Path::Bar => vec![(Stage::Kernel, compute)],
        Path::DeviceLocal => vec![
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

    fn shape(path: Path, queues: &QueuePlan) -> Vec<Vec<Stage>> {
        let groups = group_stages(path, queues);
        groups.into_iter().map(|group| group.stages).collect()
    }

    #[test]
    fn stages_spread_over_the_copy_queues_that_there_are() {
        use Stage::{Download, Kernel, Upload};
        let h200 = choose_queues(&recorded::h200()).unwrap();
        let single = choose_queues(&recorded::llvmpipe()).unwrap();
        let device = Path::DeviceLocal;
        assert_eq!(shape(Path::HostVisible, &h200), [vec![Kernel]]);
        assert_eq!(
            shape(device, &h200),
            [vec![Upload], vec![Kernel], vec![Download]]
        );
        assert_eq!(shape(device, &single), [vec![Upload, Kernel, Download]]);
        let one_copy_queue = QueuePlan {
            download: h200.compute,
            ..h200
        };
        assert_eq!(
            shape(device, &one_copy_queue),
            [vec![Upload], vec![Kernel, Download]]
        );
    }
}
