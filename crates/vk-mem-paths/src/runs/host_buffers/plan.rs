//! Path, chunk and depth of a run over host buffers: a pure function over
//! the caps.

use vk_core::DeviceCaps;

use crate::runs::limits::{buffer_limit, staging_limit};
use crate::runs::plan::{LEAST_CHUNK, MAX_DEPTH, whole_steps};
use crate::runs::{Packing, PathChoice, Plan, Request, TransferPath};
use crate::{MemoryUse, most_dispatched};

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

/// Plans a run over `total` elements of `element_bytes` bytes, on a device
/// with `caps`, by a kernel whose workgroups compute `workgroup_size`
/// elements.
///
/// Runs are direct unless a path is asked for: on an H200 copies on the device
/// took 1.4 to 1.6 times as long from 2^16 elements on. Every chunk but the last is the same number of elements, such that each
/// begins where a storage buffer binding may begin. Of `request`, path, chunk
/// and depth matter: there is one job, and the host copies nothing.
#[must_use]
pub fn plan_host_buffers(
    caps: &DeviceCaps,
    total: usize,
    element_bytes: usize,
    workgroup_size: u32,
    request: &Request,
) -> Plan {
    let (path, reason) = choose_path(request.path);
    let depth = request.depth.unwrap_or(DEPTH).clamp(1, MAX_DEPTH);
    let element = element_bytes.max(1) as u64;
    let limit = chunk_limit(caps, path, depth, element, workgroup_size);
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
    let step = aligned_step(caps.limits.storage_buffer_alignment.max(1), element);
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

/// The most elements that one chunk can carry.
fn chunk_limit(
    caps: &DeviceCaps,
    path: TransferPath,
    depth: usize,
    element: u64,
    workgroup_size: u32,
) -> usize {
    let bytes = usize::try_from(element).unwrap_or(usize::MAX);
    let mut limit = most_dispatched(caps, bytes, workgroup_size as usize) as u64;
    if path == TransferPath::DeviceLocal {
        // Where there is no such memory at all, making it says so.
        let scratch = staging_limit(caps, &[(MemoryUse::Device, 3)], element * depth as u64);
        limit = limit.min(buffer_limit(caps, element));
        limit = limit.min(scratch.unwrap_or(0));
    }
    usize::try_from(limit).unwrap_or(usize::MAX)
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

    fn request(path: PathChoice, chunk: Option<usize>, depth: Option<usize>) -> Request {
        Request {
            path,
            chunk,
            depth,
            packing: Packing::AcrossJobs,
        }
    }

    const DIRECT: PathChoice = PathChoice::Fixed(TransferPath::HostVisible);
    const STAGED: PathChoice = PathChoice::Fixed(TransferPath::DeviceLocal);

    #[test]
    fn staged_plans_are_halved_in_whole_steps_and_direct_ones_are_not() {
        let caps = recorded::h200();
        let plan = |path| plan_host_buffers(&caps, 1 << 22, 48, 128, &request(path, None, None));
        assert_eq!(plan(DIRECT).halved(), None);
        let mut staged = plan(STAGED);
        let step = aligned_step(caps.limits.storage_buffer_alignment, 48);
        let mut halvings = 0;
        while let Some(half) = staged.halved() {
            assert!(half.chunk <= staged.chunk / 2 && half.chunk.is_multiple_of(step));
            (staged, halvings) = (half, halvings + 1);
        }
        assert_eq!((halvings, staged.chunk), (8, 1 << 10));
    }

    #[test]
    fn through_the_bus_is_direct() {
        let bar = choose_path(PathChoice::Fixed(TransferPath::Bar));
        let direct = (TransferPath::HostVisible, "host buffers lie in host memory");
        assert_eq!(bar, direct);
    }

    #[test]
    fn auto_is_direct_and_what_is_asked_for_is_taken() {
        for caps in [recorded::h200(), recorded::llvmpipe()] {
            let path = |choice| {
                let plan = plan_host_buffers(&caps, 1 << 20, 48, 128, &request(choice, None, None));
                plan.path
            };
            assert_eq!(path(PathChoice::Auto), TransferPath::HostVisible);
            assert_eq!(path(DIRECT), TransferPath::HostVisible);
            assert_eq!(path(STAGED), TransferPath::DeviceLocal);
        }
    }

    #[test]
    fn direct_runs_take_large_chunks_and_staged_ones_overlap() {
        let plan = |path, total| {
            let plan = plan_host_buffers(
                &recorded::h200(),
                total,
                48,
                128,
                &request(path, None, None),
            );
            (plan.chunk, plan.depth)
        };
        assert_eq!(plan(DIRECT, 1 << 24), (1 << 22, 4));
        assert_eq!(plan(DIRECT, 1 << 20), (1 << 22, 1));
        assert_eq!(plan(DIRECT, 0), (1 << 22, 1));
        assert_eq!(plan(STAGED, 1 << 24), (1 << 18, 4));
        assert_eq!(plan(STAGED, 1 << 20), (1 << 17, 4));
        assert_eq!(plan(STAGED, 1_000), (1 << 14, 1));
    }

    #[test]
    fn a_chunk_fits_binding_and_dispatch() {
        let huge = |workgroup_size| {
            let most = request(DIRECT, Some(usize::MAX), None);
            plan_host_buffers(&recorded::llvmpipe(), 1 << 30, 48, workgroup_size, &most)
        };
        // 65,535 workgroups of one invocation each; bindings begin at
        // multiples of 16 bytes, which every element does.
        assert_eq!(huge(1).chunk, 65_535);
        // 128 MiB per binding.
        assert_eq!(huge(1024).chunk, (128 << 20) / 48);
        let mut caps = recorded::llvmpipe();
        caps.limits.storage_buffer_alignment = 256;
        let most = request(DIRECT, Some(usize::MAX), None);
        // 16 elements of 48 bytes are the first multiple of 256.
        let plan = plan_host_buffers(&caps, 1 << 30, 48, 1, &most);
        assert_eq!(plan.chunk, 65_535 / 16 * 16);
    }

    #[test]
    fn a_small_chunk_is_taken_but_not_more_of_them_than_are_worth_keeping() {
        let chunk = |total, asked| {
            let request = request(DIRECT, Some(asked), None);
            plan_host_buffers(&recorded::h200(), total, 48, 128, &request).chunk
        };
        assert_eq!(chunk(1_000, 7), 7);
        assert_eq!(chunk(1_000, 1), 1);
        assert_eq!(chunk(1 << 20, 1), 1_024);
    }

    #[test]
    fn a_plan_says_what_it_is() {
        let request = request(STAGED, Some(1_000), Some(3));
        let plan = plan_host_buffers(&recorded::h200(), 1 << 20, 48, 128, &request);
        assert_eq!(
            (plan.path, plan.reason),
            (TransferPath::DeviceLocal, "asked for")
        );
        assert_eq!((plan.chunk, plan.depth), (1_024, 3));
    }

    #[test]
    fn chunks_are_not_halved_below_one_step_nor_to_a_handful_of_elements() {
        let halved = |alignment, chunk| {
            let mut caps = recorded::h200();
            caps.limits.storage_buffer_alignment = alignment;
            let request = request(STAGED, Some(chunk), None);
            let plan = plan_host_buffers(&caps, 1_000, 48, 128, &request);
            plan.halved().map(|plan| plan.chunk)
        };
        assert_eq!(halved(16, 128), Some(64));
        assert_eq!(halved(16, 126), None);
        // 256 elements of 48 bytes are the first multiple of 4 KiB.
        assert_eq!(halved(1 << 12, 512), Some(256));
        assert_eq!(halved(1 << 12, 256), None);
    }

    #[test]
    fn staged_chunks_fit_one_allocation_one_buffer_and_their_share_of_the_heap() {
        let limit = |most: fn(&mut DeviceCaps) -> &mut u64, bytes, path| {
            let mut caps = recorded::h200();
            *most(&mut caps) = bytes;
            chunk_limit(&caps, path, 2, 48, 128)
        };
        let staged = |most, bytes| limit(most, bytes, TransferPath::DeviceLocal);
        assert_eq!(
            staged(|caps| &mut caps.limits.max_allocation, 48_000),
            1_000
        );
        assert_eq!(
            staged(|caps| &mut caps.limits.max_buffer_size, 48_000),
            1_000
        );
        // Three operands of 48 bytes in each of two slots: a quarter of a
        // small heap, the budget of a large one.
        let heap: fn(&mut DeviceCaps) -> &mut u64 = |caps| &mut caps.heaps[0].size;
        assert_eq!(staged(heap, 4 * 288_000), 1_000);
        assert_eq!(staged(heap, 1 << 40), (1 << 30) / 288);
        // Direct chunks take nothing of the device's.
        let direct = limit(heap, 0, TransferPath::HostVisible);
        assert_eq!(direct, (4_294_967_295 - 16) / 48);
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
            let plan = plan_host_buffers(&caps, total, element_bytes, workgroup_size, &request(path, chunk, depth));
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
