//! What a calibration measures.

use vk_core::{DeviceCaps, DeviceKind};

use crate::runs::plan::OVERLAP_FROM;
use crate::{Strategy, TransferPath};

/// The paths that differ on a device with `caps`.
pub(super) fn paths(caps: &DeviceCaps) -> impl Iterator<Item = TransferPath> {
    let differs = |path: &TransferPath| match path {
        // Where host and device share their memory, it is the host's.
        TransferPath::Bar => !caps.unified_memory() && path.is_usable(caps),
        // Copies from one place in the host's memory to another win nothing.
        TransferPath::DeviceLocal => caps.kind != DeviceKind::Software,
        TransferPath::HostVisible => true,
    };
    TransferPath::ALL.into_iter().filter(differs)
}

/// The least elements of a run that is worth cutting: pieces of a few
/// thousand cost as much to submit as to compute.
const CUT_FROM: usize = 1 << 14;
/// Pieces worth trying, as powers of two, from small to large.
const CHUNKS: std::ops::RangeInclusive<u32> = 13..=19;
/// How many of them a run is tried with: the largest that leave two or more.
const CUTS: usize = 3;

/// The strategies worth trying for a run of `elements` on a device of `kind`,
/// but for the path; the likeliest first.
pub(super) fn shapes(kind: DeviceKind, elements: usize) -> Vec<Strategy> {
    let shape = |depth, chunk| Strategy {
        path: TransferPath::HostVisible,
        depth,
        chunk,
    };
    let mut shapes = vec![shape(1, elements)];
    // A software device is measured for comparison with the CPU only: the
    // planner leaves nothing open there.
    if elements < CUT_FROM || kind == DeviceKind::Software {
        return shapes;
    }
    let chunks = CHUNKS.rev().map(|log2| 1_usize << log2);
    let cuts = chunks.filter(|chunk| 2 * chunk <= elements);
    shapes.extend(cuts.take(CUTS).map(|chunk| shape(2, chunk)));
    let middle = shapes.get(2).filter(|middle| 3 * middle.chunk <= elements);
    shapes.extend(middle.map(|middle| shape(3, middle.chunk)));
    if elements >= OVERLAP_FROM {
        // The middle one first, the whole run last.
        shapes.swap(0, 2);
        let whole = shapes.remove(2);
        shapes.push(whole);
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    #[test]
    fn every_shape_is_a_cut_of_the_run_and_none_comes_twice() {
        for kind in [DeviceKind::Discrete, DeviceKind::Software] {
            for log in 0..40 {
                let elements = 1_usize << log;
                let shapes = shapes(kind, elements);
                assert!(shapes.iter().any(|shape| shape.chunk == elements));
                for (number, shape) in shapes.iter().enumerate() {
                    assert!(shape.chunk >= 1 && shape.depth * shape.chunk <= elements);
                    assert!(!shapes[..number].contains(shape), "{shape:?} of {elements}");
                }
            }
        }
        let cut: Vec<_> = shapes(DeviceKind::Discrete, 1 << 22)
            .iter()
            .map(|shape| (shape.depth, shape.chunk >> 10))
            .collect();
        assert_eq!(cut, [(2, 256), (2, 512), (2, 128), (3, 256), (1, 4096)]);
    }

    #[test]
    fn a_path_is_measured_only_where_it_differs() {
        let of = |caps: &DeviceCaps| paths(caps).collect::<Vec<_>>();
        assert_eq!(of(&recorded::h200()), TransferPath::ALL);
        assert_eq!(
            of(&recorded::small_bar()),
            [TransferPath::HostVisible, TransferPath::DeviceLocal]
        );
        assert_eq!(of(&recorded::llvmpipe()), [TransferPath::HostVisible]);
    }
}
