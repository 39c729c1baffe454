//! Path, chunk and depth of a run: a pure function over the caps.

use vk_core::{DeviceCaps, DeviceKind};

use crate::host_copy::Stores;
use crate::limits::chunk_limit;
use crate::{Error, MemoryUse, Packing, Path, PathChoice, Request, Tuning, Workload};

/// How it will be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    path: Path,
    reason: &'static str,
    chunk: usize,
    depth: usize,
    lanes: usize,
    packing: Packing,
    capacity: usize,
    upload: MemoryUse,
    stores: Stores,
}

impl Plan {
    /// The path.
    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// Why this path.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The most elements of one chunk.
    #[must_use]
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// How many chunks are in flight at most; 1 or more.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many threads drive them; 1 or more.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Whether a chunk may carry several jobs.
    #[must_use]
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Elements that each slot's buffers are made for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where the inputs are staged.
    pub(crate) fn upload(&self) -> MemoryUse {
        self.upload
    }

    /// How the host copies.
    pub(crate) fn stores(&self) -> Stores {
        self.stores
    }
}

/// The most elements of one chunk where nothing else is asked for.
pub const DEFAULT_CHUNK: usize = 524_288;
/// From this many elements on, a run is driven by several lanes: below, their
/// many small submissions cost more than copying side by side saves.
const LANES_FROM: usize = 1 << 20;
/// The chunks of a run with several lanes, at least and at most: enough to
/// keep the device busy, little enough to fill and drain the pipeline fast.
const LANE_CHUNK: (usize, usize) = (4_096, 32_768);
/// The least elements of a chunk where one lane has the crew's help: below,
/// bringing the crew together costs more than it saves.
const MIN_SHARED_CHUNK: usize = 16_384;
/// The most chunks in flight: more only cost memory.
const MAX_DEPTH: usize = 256;
/// Chunks that each slot of several lanes should see, so that filling and
/// draining the pipeline stays a small part of the run.
const ROUNDS_PER_SLOT: usize = 2;
/// Slots of one lane: it fills one while the device works on the other.
const SLOTS_PER_LANE: usize = 2;
/// From this many elements on, device memory is expected to pay where nothing
/// is measured (the guidance of the API's documentation).
const DEVICE_LOCAL_FROM: usize = 1 << 20;
/// From this many bytes of inputs and results on, copies may bypass the
/// caches: below, what they hold is still there for whoever reads it next.
const STREAMING_FROM: usize = 8 << 20;

/// Plans `work` on a device with `caps`, of which `tuning` tells what was
/// measured.
///
/// What the request leaves open is what was fastest, else what the rules of
/// this module expect to be; a sequential run (depth 1) is not cut to what
/// was fastest. The chunk is what the request asks for, else a share of the work that keeps
/// every slot busy; in any case no more than one storage buffer binding, one
/// dispatch and the staging memory of all slots allow.
///
/// # Errors
/// [`Error::NoMemoryType`] where the device has no memory for the path.
pub fn plan(
    caps: &DeviceCaps,
    tuning: &Tuning,
    work: &Workload,
    request: &Request,
) -> Result<Plan, Error> {
    let tuned = match request.depth {
        Some(1) => None,
        _ => tuning.fastest(work.total, request.path, |path| path.is_usable(caps)),
    };
    let tuned = tuned.map(|row| &row.strategy);
    let threads = work.threads.clamp(1, MAX_DEPTH);
    let lanes = request.lanes.or(tuned.map(|tuned| tuned.lanes));
    let lanes = lanes.unwrap_or(match work.total >= LANES_FROM {
        true => threads,
        false => 1,
    });
    let lanes = lanes.clamp(1, threads);
    let depth = request.depth.or(tuned.map(|tuned| tuned.depth));
    let depth = depth.unwrap_or(match caps.kind {
        // Its kernels run on the cores that would copy meanwhile: there is
        // nothing to overlap.
        DeviceKind::Software => 1,
        _ => SLOTS_PER_LANE * lanes,
    });
    let depth = depth.clamp(1, MAX_DEPTH);
    let (path, reason) = match (request.path, tuned) {
        (PathChoice::Auto, Some(tuned)) => (tuned.path, "measured to be the fastest"),
        (choice, _) => choose_path(caps, work.total, choice),
    };
    let upload = match path {
        Path::Bar => MemoryUse::Bar,
        _ if tuning.cached_upload => MemoryUse::CachedUpload,
        _ => MemoryUse::Upload,
    };
    let limit = chunk_limit(caps, work, path, upload, depth)?;
    let chunk = match (request.chunk, tuned) {
        (Some(asked), _) => asked,
        (None, Some(tuned)) => whole_workgroups(tuned.even_chunk(work.total), work),
        (None, None) if depth == 1 => DEFAULT_CHUNK,
        (None, None) => share(work, depth, lanes),
    };
    let chunk = chunk.clamp(1, limit);
    let fullest = match request.packing {
        Packing::PerJob => work.largest_job,
        Packing::AcrossJobs => work.total,
    };
    // Powers of two, so that batches of slightly different sizes reuse the
    // same buffers.
    let capacity = chunk.min(fullest.max(1)).next_power_of_two().min(limit);
    let depth = depth.min(work.total.div_ceil(chunk).max(1));
    Ok(Plan {
        path,
        reason,
        chunk,
        depth,
        lanes: lanes.min(depth),
        packing: request.packing,
        capacity,
        upload,
        stores: match tuning.streaming_stores && run_bytes(work) >= STREAMING_FROM {
            true => Stores::Streaming,
            false => Stores::Cached,
        },
    })
}

/// The pipelined chunk that keeps every slot busy.
fn share(work: &Workload, depth: usize, lanes: usize) -> usize {
    let (rounds, least, most) = match lanes {
        1 => (1, MIN_SHARED_CHUNK, DEFAULT_CHUNK),
        _ => (ROUNDS_PER_SLOT, LANE_CHUNK.0, LANE_CHUNK.1),
    };
    whole_workgroups(work.total.div_ceil(rounds * depth), work).clamp(least, most)
}

/// `chunk` rounded up, so that only the last workgroup of a run is partly idle.
fn whole_workgroups(chunk: usize, work: &Workload) -> usize {
    let size = work.workgroup_size.max(1) as usize;
    chunk.checked_next_multiple_of(size).unwrap_or(chunk)
}

/// Bytes of both inputs and of the result.
fn run_bytes(work: &Workload) -> usize {
    work.total.saturating_mul(3 * work.element_bytes)
}

fn choose_path(caps: &DeviceCaps, total: usize, choice: PathChoice) -> (Path, &'static str) {
    match choice {
        PathChoice::Fixed(path) => (path, "asked for"),
        PathChoice::Auto if caps.unified_memory() => {
            (Path::HostVisible, "device and host share their memory")
        }
        PathChoice::Auto if total < DEVICE_LOCAL_FROM => {
            (Path::HostVisible, "too few elements to pay for copies")
        }
        PathChoice::Auto => (Path::DeviceLocal, "many elements, device memory apart"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::STAGING_BUDGET;
    use crate::{Measured, Strategy};
    use proptest::prelude::*;
    use vk_core::testing::recorded;

    fn work(total: usize) -> Workload {
        Workload {
            total,
            largest_job: total,
            element_bytes: 48,
            workgroup_size: 128,
            threads: 4,
        }
    }

    fn request(depth: Option<usize>) -> Request {
        Request {
            path: PathChoice::Auto,
            chunk: None,
            depth,
            lanes: None,
            packing: match depth {
                Some(1) => Packing::PerJob,
                _ => Packing::AcrossJobs,
            },
        }
    }

    #[test]
    fn an_explicit_path_is_taken_and_auto_looks_at_device_and_size() {
        let path = |caps: &DeviceCaps, total, choice| {
            let request = Request {
                path: choice,
                ..request(None)
            };
            plan(caps, &Tuning::default(), &work(total), &request)
                .unwrap()
                .path
        };
        let (h200, llvmpipe) = (recorded::h200(), recorded::llvmpipe());
        for fixed in [Path::HostVisible, Path::DeviceLocal] {
            assert_eq!(path(&h200, 64, PathChoice::Fixed(fixed)), fixed);
            assert_eq!(path(&llvmpipe, 1 << 24, PathChoice::Fixed(fixed)), fixed);
        }
        assert_eq!(
            path(&llvmpipe, 1 << 24, PathChoice::Auto),
            Path::HostVisible
        );
        assert_eq!(path(&h200, 1 << 16, PathChoice::Auto), Path::HostVisible);
        assert_eq!(path(&h200, 1 << 20, PathChoice::Auto), Path::DeviceLocal);
    }

    #[test]
    fn sequential_runs_job_by_job_and_pipelined_keeps_every_slot_busy() {
        let sequential = plan(
            &recorded::h200(),
            &Tuning::default(),
            &work(1 << 20),
            &request(Some(1)),
        )
        .unwrap();
        assert_eq!((sequential.depth, sequential.chunk), (1, 524_288));
        assert_eq!(sequential.packing, Packing::PerJob);
        let pipelined = plan(
            &recorded::h200(),
            &Tuning::default(),
            &work(1 << 20),
            &request(None),
        )
        .unwrap();
        assert_eq!(pipelined.packing, Packing::AcrossJobs);
        assert_eq!((pipelined.depth, pipelined.lanes), (8, 4));
        assert_eq!(pipelined.chunk, LANE_CHUNK.1);
        // A shorter run is cut in two, and one lane has the crew's help.
        let short = plan(
            &recorded::h200(),
            &Tuning::default(),
            &work(1 << 18),
            &request(None),
        )
        .unwrap();
        assert_eq!((short.depth, short.lanes, short.chunk), (2, 1, 1 << 17));
        let asked = Request {
            chunk: Some(100_000),
            ..request(Some(3))
        };
        let asked = plan(
            &recorded::h200(),
            &Tuning::default(),
            &work(1 << 20),
            &asked,
        )
        .unwrap();
        assert_eq!((asked.chunk, asked.depth, asked.lanes), (100_000, 3, 3));
        // Its kernels and the host's copies share the cores.
        let software = plan(
            &recorded::llvmpipe(),
            &Tuning::default(),
            &work(1 << 20),
            &request(None),
        )
        .unwrap();
        assert_eq!((software.depth, software.lanes), (1, 1));
        assert_eq!(software.packing, Packing::AcrossJobs);
        let tiny = plan(
            &recorded::h200(),
            &Tuning::default(),
            &work(64),
            &request(None),
        )
        .unwrap();
        assert_eq!((tiny.depth, tiny.capacity), (1, 64));
    }

    fn measured(path: Path, chunk: usize) -> Tuning {
        let strategy = Strategy {
            path,
            lanes: 3,
            depth: 5,
            chunk,
        };
        let row = Measured {
            elements: 1 << 20,
            strategy,
            nanoseconds: 1,
        };
        Tuning {
            measured: vec![row],
            streaming_stores: true,
            cached_upload: true,
        }
    }

    #[test]
    fn what_was_measured_beats_the_rules_and_what_is_asked_for_beats_both() {
        let caps = recorded::h200();
        let tuning = measured(Path::Bar, 10_000);
        let tuned = |request: &Request| plan(&caps, &tuning, &work(1 << 20), request).unwrap();
        let auto = tuned(&request(None));
        assert_eq!((auto.path, auto.lanes, auto.depth), (Path::Bar, 3, 5));
        // 105 pieces, in whole workgroups.
        assert_eq!(auto.chunk, 9_987_usize.next_multiple_of(128));
        assert_eq!(
            (auto.upload, auto.stores),
            (MemoryUse::Bar, Stores::Streaming)
        );
        let asked = tuned(&Request {
            path: PathChoice::Fixed(Path::HostVisible),
            chunk: Some(64),
            depth: Some(2),
            ..request(None)
        });
        assert_eq!(
            (asked.path, asked.chunk, asked.depth),
            (Path::HostVisible, 64, 2)
        );
        assert_eq!(asked.upload, MemoryUse::CachedUpload);
        // A sequential run is job by job; only its copies are tuned.
        let sequential = tuned(&request(Some(1)));
        assert_eq!((sequential.depth, sequential.chunk), (1, DEFAULT_CHUNK));
        assert_eq!(sequential.stores, Stores::Streaming);
        // Small runs stay in the caches.
        let small = plan(&caps, &tuning, &work(1000), &request(None)).unwrap();
        assert_eq!(small.stores, Stores::Cached);
        // A device without a BAR of its whole memory does not take that row.
        let small_bar = plan(
            &recorded::small_bar(),
            &tuning,
            &work(1 << 20),
            &request(None),
        );
        assert_eq!(small_bar.unwrap().path, Path::DeviceLocal);
    }

    #[test]
    fn a_path_that_the_device_has_no_memory_for_is_an_error() {
        let asked = Request {
            path: PathChoice::Fixed(Path::Bar),
            ..request(Some(1))
        };
        let error = plan(&recorded::small_bar(), &Tuning::default(), &work(1), &asked);
        let text = error.unwrap_err().to_string();
        assert!(text.contains("wholly host-visible"), "{text}");
    }

    #[test]
    fn a_chunk_fits_binding_dispatch_and_staging() {
        let huge = |workgroup_size, depth| {
            let work = Workload {
                workgroup_size,
                ..work(1 << 30)
            };
            let request = Request {
                chunk: Some(usize::MAX),
                ..request(Some(depth))
            };
            plan(&recorded::llvmpipe(), &Tuning::default(), &work, &request).unwrap()
        };
        // 65,535 workgroups of one invocation each.
        assert_eq!(huge(1, 1).chunk, 65_534);
        // 128 MiB per binding.
        assert_eq!(huge(1024, 1).chunk, (128 << 20) / 48 - 1);
        // A quarter of 2 GiB, shared by 6 slots of 3 operands.
        assert_eq!(huge(1024, 6).chunk, (512 << 20) / (6 * 3 * 48) - 1);
    }

    #[test]
    fn a_device_without_host_memory_is_an_error() {
        let mut caps = recorded::h200();
        caps.memory_types.truncate(2);
        let error = plan(&caps, &Tuning::default(), &work(1), &request(Some(1))).unwrap_err();
        assert!(error.to_string().contains("upload memory"), "{error}");
    }

    proptest! {
        #[test]
        fn every_plan_is_within_the_limits(
            device in 0_usize..5,
            total in 0_usize..(1 << 34),
            chunk in prop::option::of(0_usize..(1 << 34)),
            depth in prop::option::of(0_usize..20),
            workgroup_size in 1_u32..1024,
            element_bytes in prop::sample::select(vec![8_usize, 32, 48, 96]),
            path in prop::sample::select(vec![
                PathChoice::Auto,
                PathChoice::Fixed(Path::HostVisible),
                PathChoice::Fixed(Path::DeviceLocal),
            ]),
            tuned in prop::option::of(1_usize..(1 << 34)),
        ) {
            let devices = [
                recorded::h200(), recorded::llvmpipe(), recorded::integrated(),
                recorded::uncached(), recorded::small_bar(),
            ];
            let caps = &devices[device];
            let work = Workload { total, largest_job: total, element_bytes, workgroup_size, threads: 8 };
            let tuning = tuned.map_or(Tuning::default(), |chunk| measured(Path::Bar, chunk));
            let plan = plan(caps, &tuning, &work, &Request { path, chunk, depth, lanes: None, packing: Packing::AcrossJobs }).unwrap();
            let bytes = (plan.chunk * element_bytes) as u64;
            let most = chunk.or(tuned.map(|_| usize::MAX)).unwrap_or(DEFAULT_CHUNK);
            prop_assert!(plan.chunk >= 1 && plan.chunk <= most.max(1));
            prop_assert!(bytes <= caps.limits.max_storage_buffer_range);
            prop_assert!(plan.chunk.div_ceil(workgroup_size as usize) <= caps.limits.max_workgroups_x as usize);
            prop_assert!(plan.depth >= 1 && plan.depth <= depth.unwrap_or(16).max(1));
            prop_assert!(plan.lanes >= 1 && plan.lanes <= plan.depth);
            prop_assert!(plan.capacity >= plan.chunk.min(total));
            prop_assert!((2 * plan.capacity * element_bytes) as u64 <= caps.limits.max_allocation);
            let operands = if plan.path == Path::DeviceLocal { 6 } else { 3 };
            let staged = operands * (plan.depth * plan.capacity * element_bytes) as u64;
            prop_assert!(staged <= 2 * STAGING_BUDGET);
        }
    }
}
