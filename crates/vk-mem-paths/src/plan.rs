//! Path, chunk and depth of a run: a pure function over the caps.

use vk_core::{DeviceCaps, DeviceKind};

use crate::{Error, MemoryUse, Packing, rank_memory_types};

/// Where a kernel reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// Host memory, directly: no copies on the device.
    HostVisible,
    /// Device memory, with an upload before and a download after it.
    DeviceLocal,
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::HostVisible => "host-visible",
            Self::DeviceLocal => "device-local",
        })
    }
}

/// Which path a caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathChoice {
    /// The one that is expected to be faster for the device and the size.
    #[default]
    Auto,
    /// Always this one.
    Fixed(Path),
}

/// What is to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Elements of all jobs together.
    pub total: usize,
    /// Elements of the largest job.
    pub largest_job: usize,
    /// Bytes of one element.
    pub element_bytes: usize,
    /// Elements that one workgroup of the kernel computes.
    pub workgroup_size: u32,
    /// Threads that can copy on the host at once.
    pub threads: usize,
}

/// How it should be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The path.
    pub path: PathChoice,
    /// The most elements of one chunk; `None` leaves it to the planner, which
    /// takes [`DEFAULT_CHUNK`] for a sequential run and less for a pipelined one.
    pub chunk: Option<usize>,
    /// The most chunks in flight; `None` leaves it to the planner.
    pub depth: Option<usize>,
    /// The most threads that drive chunks side by side; `None` leaves it to
    /// the planner.
    pub lanes: Option<usize>,
    /// Whether a chunk may carry several jobs.
    pub packing: Packing,
}

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
/// The most staging memory a run takes from one heap, in bytes.
const STAGING_BUDGET: u64 = 1 << 30;
/// The largest part of a heap that a run takes for staging.
const HEAP_SHARE: u64 = 4;

/// Plans `work` on a device with `caps`.
///
/// The chunk is what the request asks for, else a share of the work that keeps
/// every slot busy; in any case no more than one storage buffer binding, one
/// dispatch and the staging memory of all slots allow.
///
/// # Errors
/// [`Error::NoMemoryType`] where the device has no memory for the path.
pub fn plan(caps: &DeviceCaps, work: &Workload, request: &Request) -> Result<Plan, Error> {
    let threads = work.threads.clamp(1, MAX_DEPTH);
    let lanes = request.lanes.unwrap_or(match work.total >= LANES_FROM {
        true => threads,
        false => 1,
    });
    let lanes = lanes.clamp(1, threads);
    let depth = request.depth.unwrap_or(match caps.kind {
        // Its kernels run on the cores that would copy meanwhile: there is
        // nothing to overlap.
        DeviceKind::Software => 1,
        _ => SLOTS_PER_LANE * lanes,
    });
    let depth = depth.clamp(1, MAX_DEPTH);
    let (path, reason) = choose_path(caps, work.total, request.path);
    let limit = chunk_limit(caps, work, path, depth)?;
    let chunk = match request.chunk {
        Some(asked) => asked,
        None if depth == 1 => DEFAULT_CHUNK,
        None => share(work, depth, lanes),
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
    })
}

/// The pipelined chunk that keeps every slot busy.
fn share(work: &Workload, depth: usize, lanes: usize) -> usize {
    let (rounds, least, most) = match lanes {
        1 => (1, MIN_SHARED_CHUNK, DEFAULT_CHUNK),
        _ => (ROUNDS_PER_SLOT, LANE_CHUNK.0, LANE_CHUNK.1),
    };
    // Whole workgroups, so that only the last one of a run is partly idle.
    let share = work.total.div_ceil(rounds * depth);
    share
        .next_multiple_of(work.workgroup_size.max(1) as usize)
        .clamp(least, most)
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

/// The most elements that one chunk can carry.
fn chunk_limit(
    caps: &DeviceCaps,
    work: &Workload,
    path: Path,
    depth: usize,
) -> Result<usize, Error> {
    let element = work.element_bytes.max(1) as u64;
    let limits = &caps.limits;
    let binding = limits.max_storage_buffer_range / element;
    let dispatch = u64::from(limits.max_workgroups_x) * u64::from(work.workgroup_size);
    // The input buffer holds both operands.
    let allocation = limits.max_allocation.min(limits.max_buffer_size) / (2 * element);
    let staging = staging_limit(caps, path, element * depth as u64)?;
    let limit = binding
        .min(dispatch)
        .min(allocation)
        .min(staging)
        .min(u64::from(u32::MAX));
    // One whole alignment unit below the limit, so that aligned offsets
    // inside the buffers stay within it too.
    let slack = limits.storage_buffer_alignment.div_ceil(element);
    Ok(usize::try_from(limit.saturating_sub(slack).max(1)).unwrap_or(usize::MAX))
}

/// The most elements per chunk so that no heap gives more than its share;
/// `slots` is the bytes of one element times the number of slots.
fn staging_limit(caps: &DeviceCaps, path: Path, slots: u64) -> Result<u64, Error> {
    // Operands in one chunk element, by purpose: A and B in, the result out.
    let mut uses = vec![(MemoryUse::Upload, 2), (MemoryUse::Readback, 1)];
    if path == Path::DeviceLocal {
        uses.push((MemoryUse::Device, 3));
    }
    let mut operands = vec![0_u64; caps.heaps.len()];
    for (purpose, count) in uses {
        let ranked = rank_memory_types(caps, purpose);
        let heap = ranked.first().map(|&kind| caps.memory_types[kind].heap);
        match heap.and_then(|heap| operands.get_mut(heap)) {
            Some(operands) => *operands += count,
            None => {
                return Err(Error::NoMemoryType {
                    purpose: purpose.to_string(),
                    found: format!("{:?}", caps.memory_types),
                });
            }
        }
    }
    let limits = operands
        .iter()
        .zip(&caps.heaps)
        .filter(|(count, _)| **count > 0);
    let limits = limits.map(|(count, heap)| {
        let budget = (heap.size / HEAP_SHARE).min(STAGING_BUDGET);
        budget / (count * slots.max(1))
    });
    Ok(limits.min().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
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
            plan(caps, &work(total), &request).unwrap().path
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
        let sequential = plan(&recorded::h200(), &work(1 << 20), &request(Some(1))).unwrap();
        assert_eq!((sequential.depth, sequential.chunk), (1, 524_288));
        assert_eq!(sequential.packing, Packing::PerJob);
        let pipelined = plan(&recorded::h200(), &work(1 << 20), &request(None)).unwrap();
        assert_eq!(pipelined.packing, Packing::AcrossJobs);
        assert_eq!((pipelined.depth, pipelined.lanes), (8, 4));
        assert_eq!(pipelined.chunk, LANE_CHUNK.1);
        // A shorter run is cut in two, and one lane has the crew's help.
        let short = plan(&recorded::h200(), &work(1 << 18), &request(None)).unwrap();
        assert_eq!((short.depth, short.lanes, short.chunk), (2, 1, 1 << 17));
        let asked = Request {
            chunk: Some(100_000),
            ..request(Some(3))
        };
        let asked = plan(&recorded::h200(), &work(1 << 20), &asked).unwrap();
        assert_eq!((asked.chunk, asked.depth, asked.lanes), (100_000, 3, 3));
        // Its kernels and the host's copies share the cores.
        let software = plan(&recorded::llvmpipe(), &work(1 << 20), &request(None)).unwrap();
        assert_eq!((software.depth, software.lanes), (1, 1));
        assert_eq!(software.packing, Packing::AcrossJobs);
        let tiny = plan(&recorded::h200(), &work(64), &request(None)).unwrap();
        assert_eq!((tiny.depth, tiny.capacity), (1, 64));
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
            plan(&recorded::llvmpipe(), &work, &request).unwrap()
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
        let error = plan(&caps, &work(1), &request(Some(1))).unwrap_err();
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
        ) {
            let devices = [
                recorded::h200(), recorded::llvmpipe(), recorded::integrated(),
                recorded::uncached(), recorded::small_bar(),
            ];
            let caps = &devices[device];
            let work = Workload { total, largest_job: total, element_bytes, workgroup_size, threads: 8 };
            let plan = plan(caps, &work, &Request { path, chunk, depth, lanes: None, packing: Packing::AcrossJobs }).unwrap();
            let bytes = (plan.chunk * element_bytes) as u64;
            prop_assert!(plan.chunk >= 1 && plan.chunk <= chunk.unwrap_or(DEFAULT_CHUNK).max(1));
            prop_assert!(bytes <= caps.limits.max_storage_buffer_range);
            prop_assert!(plan.chunk.div_ceil(workgroup_size as usize) <= caps.limits.max_workgroups_x as usize);
            prop_assert!(plan.depth >= 1 && plan.depth <= depth.unwrap_or(16).max(1));
            prop_assert!(plan.lanes >= 1 && plan.lanes <= plan.depth);
            prop_assert!(plan.capacity >= plan.chunk.min(total));
            prop_assert!((2 * plan.capacity * element_bytes) as u64 <= caps.limits.max_allocation);
            let staged = 6 * (plan.depth * plan.capacity * element_bytes) as u64;
            prop_assert!(staged <= 2 * STAGING_BUDGET);
        }
    }
}
