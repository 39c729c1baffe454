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

    /// The same with chunks of half the size, and so half the memory; `None`
    /// where that would no longer matter.
    pub(crate) fn halved(&self) -> Option<Self> {
        let half = self.chunk.min(self.capacity) / 2;
        (half >= LEAST_CHUNK).then_some(Self {
            chunk: half,
            capacity: half,
            ..*self
        })
    }

    /// Where the inputs are staged.
    pub(crate) fn upload(&self) -> MemoryUse {
        self.upload
    }

    /// Whether all stages of a chunk run on one queue.
    pub(crate) fn one_queue(&self) -> bool {
        self.one_queue
    }

    /// How the host copies the results.
    pub(crate) fn stores(&self) -> Stores {
        self.stores
    }
}

/// The most elements of one chunk where nothing else is asked for.
pub const DEFAULT_CHUNK: usize = 524_288;
/// The chunk of a pipelined run, at least and at most: below, submitting it
/// costs more than overlapping saves; above, the memory of all slots outgrows
/// the host's caches, through which host and device pass the data on.
const PIPELINED_CHUNK: (usize, usize) = (16_384, 262_144);
/// The chunk of a run whose chunks do not overlap, at least, where jobs may
/// share it: small jobs are spared submissions, and larger ones are cut like
/// those of a sequential run, which the host's caches hold better than a chunk
/// of several jobs.
const SHARED_CHUNK: usize = 65_536;
/// The most chunks in flight: more only cost memory.
const MAX_DEPTH: usize = 256;
/// Memory that runs out for chunks of fewer elements is not theirs.
const LEAST_CHUNK: usize = 1 << 6;
/// Chunks in flight: the host fills one slot while the device works on the
/// other. More did not make runs faster on the devices that were measured.
const SLOTS: usize = 2;
/// From this many elements on, device memory is expected to pay where nothing
/// is measured (the guidance of the API's documentation).
const DEVICE_LOCAL_FROM: usize = 1 << 20;

/// Plans `work` on a device with `caps`, of which `tuning` tells what was
/// measured.
///
/// What the request leaves open is what was fastest at about this size, else
/// what the rules of this module expect to be; a sequential run (depth 1) is
/// not cut to what was fastest, and on a software device the rules decide
/// alone. The chunk is what the request asks for, else a share of the work that
/// keeps every slot busy; in any case no more than one storage buffer binding,
/// one dispatch and the staging memory of all slots allow.
///
/// # Errors
/// [`Error::NoMemoryType`] where the device has no memory for the path.
pub fn plan(
    caps: &DeviceCaps,
    tuning: &Tuning,
    work: &Workload,
    request: &Request,
) -> Result<Plan, Error> {
    let row = match caps.kind {
        // Every way to run takes the same cores and the same memory there:
        // none was seen to win by more than the noise of a calibration.
        DeviceKind::Software => None,
        _ => tuning.fastest(work.total, request.path, |path| path.is_usable(caps)),
    };
    let tuned = row.filter(|_| request.depth != Some(1));
    let near = tuned.filter(|row| row.is_near(work.total));
    let path_from = tuned.filter(|row| row.tells_path(work.total));
    let depth = request.depth.or(near.map(|row| row.strategy.depth));
    let depth = depth.unwrap_or(match caps.kind {
        // Its kernels run on the cores that would copy meanwhile: there is
        // nothing to overlap.
        DeviceKind::Software => 1,
        _ => SLOTS,
    });
    let depth = depth.clamp(1, MAX_DEPTH);
    let (path, reason) = match (request.path, path_from) {
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
        (None, None) if depth > 1 => share(work, depth),
        (None, None) => match request.packing {
            Packing::PerJob => DEFAULT_CHUNK,
            Packing::AcrossJobs => work.largest_job.clamp(SHARED_CHUNK, DEFAULT_CHUNK),
        },
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
        packing: request.packing,
        capacity,
        upload,
        stores: match row.is_some_and(|row| row.strategy.streaming) {
            true => Stores::Streaming,
            false => Stores::Cached,
        },
    })
}

/// The pipelined chunk that keeps every slot busy.
fn share(work: &Workload, depth: usize) -> usize {
    let (least, most) = PIPELINED_CHUNK;
    whole_workgroups(work.total.div_ceil(depth), work).clamp(least, most)
}

/// `chunk` rounded up, so that only the last workgroup of a run is partly idle.
fn whole_workgroups(chunk: usize, work: &Workload) -> usize {
    let size = work.workgroup_size.max(1) as usize;
    chunk.checked_next_multiple_of(size).unwrap_or(chunk)
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
