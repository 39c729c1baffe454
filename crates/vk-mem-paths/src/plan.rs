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
    one_queue: bool,
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

    /// Whether all stages of a chunk run on one queue.
    pub(crate) fn one_queue(&self) -> bool {
        self.one_queue
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
    let near = tuned.filter(|row| row.is_near(work.total));
    let threads = work.threads.clamp(1, MAX_DEPTH);
    let lanes = request.lanes.or(near.map(|row| row.strategy.lanes));
    let lanes = lanes.unwrap_or(match work.total >= LANES_FROM {
        true => threads,
        false => 1,
    });
    let lanes = lanes.clamp(1, threads);
    let depth = request.depth.or(near.map(|row| row.strategy.depth));
    let depth = depth.unwrap_or(match caps.kind {
        // Its kernels run on the cores that would copy meanwhile: there is
        // nothing to overlap.
        DeviceKind::Software => 1,
        _ => SLOTS_PER_LANE * lanes,
    });
    let depth = depth.clamp(1, MAX_DEPTH);
    let (path, reason) = match (request.path, tuned) {
        (PathChoice::Auto, Some(row)) => (row.strategy.path, "measured to be the fastest"),
        (choice, _) => choose_path(caps, work.total, choice),
    };
    let upload = match path {
        Path::Bar => MemoryUse::Bar,
        _ if tuning.cached_upload => MemoryUse::CachedUpload,
        _ => MemoryUse::Upload,
    };
    let limit = chunk_limit(caps, work, path, upload, depth)?;
    let chunk = match (request.chunk, near) {
        (Some(asked), _) => asked,
        (None, Some(row)) => whole_workgroups(row.chunk_for(work.total), work),
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
        // A lone chunk gains nothing from a second queue and pays for a
        // semaphore.
        one_queue: depth == 1 || tuning.one_queue,
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
mod tests;
