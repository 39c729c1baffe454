//! Path, chunk and depth of a run over host buffers: a pure function over
//! the caps.

use vk_core::DeviceCaps;

use crate::MemoryUse;
use crate::runs::limits::chunk_limit;
use crate::runs::plan::{LEAST_CHUNK, MAX_DEPTH, whole_steps};
use crate::runs::{Packing, PathChoice, Plan, Request, TransferPath, Workload};

/// Elements of a direct chunk: little enough that a slow device finishes it
/// long before a watchdog looks, enough that submitting costs nothing.
const DIRECT_CHUNK: usize = 1 << 22;
/// Elements of a staged chunk, at least and at most: upload, kernel and
/// download of different chunks overlap.
const STAGED_CHUNK: (usize, usize) = (1 << 14, 1 << 18);
/// Chunks in flight: three keep upload, kernel and download busy, one more
/// waits while the host notices that another is done.
const DEPTH: usize = 4;
/// The most chunks that a small chunk asked for makes of a run: each has
/// commands and descriptors of its own, which are kept.
const MOST_CHUNKS: usize = 1_024;

/// Plans `work`, one job, on a device with `caps`.
///
/// Runs are direct unless a path is asked for: on an H200 copies on the device
/// took 1.4 to 1.6 times as long from 2^16 elements on. Every chunk but the last
/// is the same number of elements, such that each begins where a storage buffer
/// binding may begin. Of `request`, path, chunk and depth matter: the host copies
/// nothing.
pub(super) fn plan_host_buffers(caps: &DeviceCaps, work: &Workload, request: &Request) -> Plan {
    let (path, reason) = choose_path(request.path);
    let depth = request.depth.unwrap_or(DEPTH).clamp(1, MAX_DEPTH);
    let total = work.total;
    let scratch: &[_] = match path {
        TransferPath::DeviceLocal => &[(MemoryUse::Device, 3)],
        TransferPath::HostVisible | TransferPath::Bar => &[],
    };
    // Where there is no such memory at all, making it says so.
    let limit = chunk_limit(caps, work, scratch, depth).unwrap_or(0);
    let chunk = match (request.chunk, path) {
        (Some(asked), _) => asked.max(total.div_ceil(MOST_CHUNKS)),
        (None, TransferPath::HostVisible | TransferPath::Bar) => DIRECT_CHUNK,
        // Two rounds through every slot, in few different sizes, so that
        // runs of similar length use the same scratch memory.
        (None, TransferPath::DeviceLocal) => total
            .div_ceil(2 * depth)
            .next_power_of_two()
            .clamp(STAGED_CHUNK.0, STAGED_CHUNK.1),
    };
    let alignment = caps.limits.storage_buffer_alignment.max(1);
    let step = aligned_step(alignment, work.element_bytes.max(1) as u64);
    let chunk = whole_steps(chunk.min(limit), step);
    Plan {
        path,
        reason,
        chunk,
        depth: depth.min(total.div_ceil(chunk).max(1)),
        packing: Packing::PerJob,
        capacity: chunk,
        measured: false,
        step,
        least: match path {
            // Each chunk has commands of its own, which are kept.
            TransferPath::DeviceLocal => LEAST_CHUNK.max(total.div_ceil(4 * MOST_CHUNKS)),
            // Smaller ones would take no less memory.
            TransferPath::HostVisible | TransferPath::Bar => usize::MAX,
        },
    }
}

/// The one place where the path is chosen; what is asked for is taken.
fn choose_path(choice: PathChoice) -> (TransferPath, &'static str) {
    match choice {
        // The memory is the host's: there is nothing to write through a bus.
        PathChoice::Fixed(TransferPath::Bar) => {
            (TransferPath::HostVisible, "host buffers lie in host memory")
        }
        PathChoice::Fixed(path) => (path, "asked for"),
        PathChoice::Auto => (TransferPath::HostVisible, "host buffers need no copies"),
    }
}

/// The fewest elements whose bytes are a multiple of `alignment`, which is a
/// power of two.
fn aligned_step(alignment: u64, element: u64) -> usize {
    let shared = 1_u64 << element.trailing_zeros().min(alignment.trailing_zeros());
    usize::try_from(alignment / shared).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::limits::STAGING_BUDGET;
    use proptest::prelude::*;
    use vk_core::testing::recorded;

    const DIRECT: PathChoice = PathChoice::Fixed(TransferPath::HostVisible);
    const STAGED: PathChoice = PathChoice::Fixed(TransferPath::DeviceLocal);

    fn work(total: usize, element_bytes: usize, workgroup_size: u32) -> Workload {
        Workload {
            total,
            largest_job: total,
            element_bytes,
            workgroup_size,
        }
    }

    fn request(path: PathChoice, chunk: Option<usize>, depth: Option<usize>) -> Request {
        Request {
            path,
            chunk,
            depth,
            packing: Packing::AcrossJobs,
        }
    }

    /// Of elements of 48 bytes by workgroups of 128.
    fn planned(caps: &DeviceCaps, total: usize, path: PathChoice, chunk: Option<usize>) -> Plan {
        plan_host_buffers(caps, &work(total, 48, 128), &request(path, chunk, None))
    }

    #[test]
    fn staged_plans_are_halved_in_whole_steps_and_direct_ones_are_not() {
        let caps = recorded::h200();
        assert_eq!(planned(&caps, 1 << 22, DIRECT, None).halved(), None);
        let mut staged = planned(&caps, 1 << 22, STAGED, None);
        let step = aligned_step(caps.limits.storage_buffer_alignment, 48);
        let mut halvings = 0;
        while let Some(half) = staged.halved() {
            assert!(half.chunk <= staged.chunk / 2 && half.chunk.is_multiple_of(step));
            (staged, halvings) = (half, halvings + 1);
        }
        assert_eq!((halvings, staged.chunk), (8, 1 << 10));
        // Not below one step, nor to a handful of elements: 256 elements of 48 bytes are the
        // first multiple of 4 KiB.
        for (alignment, chunk, half) in [
            (16, 128, Some(64)),
            (16, 126, None),
            (1 << 12, 512, Some(256)),
            (1 << 12, 256, None),
        ] {
            let mut caps = recorded::h200();
            caps.limits.storage_buffer_alignment = alignment;
            let plan = planned(&caps, 1_000, STAGED, Some(chunk));
            assert_eq!(plan.halved().map(|plan| plan.chunk), half, "{chunk}");
        }
    }

    #[test]
    fn auto_is_direct_and_what_is_asked_for_is_taken() {
        let bar = PathChoice::Fixed(TransferPath::Bar);
        for caps in [recorded::h200(), recorded::llvmpipe()] {
            // Through the bus is direct, too.
            for (choice, path, reason) in [
                (
                    PathChoice::Auto,
                    TransferPath::HostVisible,
                    "host buffers need no copies",
                ),
                (DIRECT, TransferPath::HostVisible, "asked for"),
                (STAGED, TransferPath::DeviceLocal, "asked for"),
                (
                    bar,
                    TransferPath::HostVisible,
                    "host buffers lie in host memory",
                ),
            ] {
                let plan = planned(&caps, 1 << 20, choice, None);
                assert_eq!((plan.path, plan.reason), (path, reason));
            }
        }
    }

    #[test]
    fn direct_runs_take_large_chunks_and_staged_ones_overlap() {
        for (path, total, asked, chunk, depth) in [
            (DIRECT, 1 << 24, None, 1 << 22, 4),
            (DIRECT, 1 << 20, None, 1 << 22, 1),
            (DIRECT, 0, None, 1 << 22, 1),
            (STAGED, 1 << 24, None, 1 << 18, 4),
            (STAGED, 1 << 20, None, 1 << 17, 4),
            (STAGED, 1_000, None, 1 << 14, 1),
            // A small chunk is taken, but not more of them than are worth keeping.
            (DIRECT, 1_000, Some(7), 7, 4),
            (DIRECT, 1_000, Some(1), 1, 4),
            (DIRECT, 1 << 20, Some(1), 1_024, 4),
            (STAGED, 1 << 20, Some(1_000), 1_024, 4),
        ] {
            let plan = planned(&recorded::h200(), total, path, asked);
            assert_eq!(
                (plan.chunk, plan.depth),
                (chunk, depth),
                "{total}, {asked:?}"
            );
        }
        let asked = request(STAGED, None, Some(3));
        let plan = plan_host_buffers(&recorded::h200(), &work(1 << 20, 48, 128), &asked);
        assert_eq!(plan.depth, 3);
    }

    #[test]
    fn a_chunk_fits_binding_dispatch_and_where_it_is_copied_the_devices_memory() {
        let huge = |alignment, workgroup_size| {
            let mut caps = recorded::llvmpipe();
            caps.limits.storage_buffer_alignment = alignment;
            let most = request(DIRECT, Some(usize::MAX), None);
            plan_host_buffers(&caps, &work(1 << 30, 48, workgroup_size), &most).chunk
        };
        // 65,535 workgroups of one invocation each; bindings begin at
        // multiples of 16 bytes, which every element does.
        assert_eq!(huge(16, 1), 65_535);
        // 128 MiB per binding.
        assert_eq!(huge(16, 1024), (128 << 20) / 48);
        // 16 elements of 48 bytes are the first multiple of 256.
        assert_eq!(huge(256, 1), 65_535 / 16 * 16);
        // Three operands of 48 bytes in each of four slots.
        let mut caps = recorded::h200();
        caps.heaps[0].size = 4 * 576_000;
        let chunk = |path| planned(&caps, 1 << 30, path, Some(usize::MAX)).chunk;
        assert_eq!(chunk(STAGED), 1_000);
        assert_eq!(chunk(DIRECT), (4_294_967_295 - 16) / 48);
    }

    proptest! {
        #[test]
        fn every_plan_is_within_the_limits(
            device in 0_usize..5,
            alignment in prop::sample::select(vec![4_u64, 16, 32, 64, 256]),
            total in 0_usize..(1 << 34),
            chunk in prop::option::of(0_usize..(1 << 34)),
            depth in prop::option::of(0_usize..20),
            workgroup_size in 1_u32..1024,
            element_bytes in prop::sample::select(vec![8_usize, 32, 48, 96]),
            path in prop::sample::select(vec![PathChoice::Auto, DIRECT, STAGED]),
        ) {
            let devices = [
                recorded::h200(), recorded::llvmpipe(), recorded::integrated(),
                recorded::uncached(), recorded::small_bar(),
            ];
            let mut caps = devices[device].clone();
            caps.limits.storage_buffer_alignment = alignment;
            let plan = plan_host_buffers(&caps, &work(total, element_bytes, workgroup_size), &request(path, chunk, depth));
            let bytes = (plan.chunk * element_bytes) as u64;
            prop_assert!(plan.chunk >= 1 && plan.depth >= 1);
            prop_assert_eq!(bytes % alignment, 0);
            prop_assert!(bytes <= caps.limits.max_storage_buffer_range);
            prop_assert!(plan.chunk.div_ceil(workgroup_size as usize) <= caps.limits.max_workgroups_x as usize);
            if plan.path == TransferPath::DeviceLocal {
                prop_assert!(3 * bytes * plan.depth as u64 <= STAGING_BUDGET);
            }
        }
    }
}
