//! Path, chunk and depth of a run: a pure function over the caps.

use vk_core::{DeviceCaps, DeviceKind};

use super::Workload;
use super::limits::{chunk_limit, uses_of};
use crate::{Error, Packing, PathChoice, Request, TransferPath, Tuning};

/// How a run will be done.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The path.
    pub path: TransferPath,
    /// Why this path.
    pub reason: &'static str,
    /// The most elements of one chunk.
    pub chunk: usize,
    /// How many chunks are in flight at most; 1 or more.
    pub depth: usize,
    /// Whether a chunk may carry several jobs.
    pub packing: Packing,
    /// Elements that each slot's buffers are made for.
    pub capacity: usize,
    /// Whether something of it was chosen by what was measured, and not by the rules.
    pub measured: bool,
    /// Chunks that are cut smaller are multiples of this,
    pub(super) step: usize,
    /// and not smaller than this.
    pub(super) least: usize,
}

impl Plan {
    /// The same with chunks of about half the size, and so half the memory; `None`
    /// where that would no longer matter.
    pub(super) fn halved(&self) -> Option<Self> {
        let half = whole_steps(self.chunk.min(self.capacity) / 2, self.step);
        (half < self.chunk && half >= self.least).then_some(Self {
            chunk: half,
            capacity: half,
            ..*self
        })
    }
}

/// The most elements of one chunk where nothing else is asked for.
const DEFAULT_CHUNK: usize = 524_288;
/// Runs of fewer elements are one chunk where nothing else is asked for, as a
/// sequential run of one job is: half of one takes the device less time than
/// submitting another costs. On an H200 two chunks of 2^15 elements were 1.04 to
/// 1.2 times as fast as one of 2^16, and two of 2^13 slower than one of 2^14.
pub(super) const OVERLAP_FROM: usize = 1 << 16;
/// Elements that take as long as one chunk more costs. The first chunk is copied
/// in, and the last one copied out, while the device has nothing to do, so chunks
/// of n elements waste n and a run of t elements (t / n) times this: least where
/// n^2 is their product. On an H200 this gives the chunks that were measured to
/// be the fastest: 2^15 elements for 2^16, 2^16 for 2^18, 2^17 for 2^20.
const CHUNK_COST: usize = 1 << 14;
/// The chunk of a run whose chunks overlap, at most: above, the memory of all
/// slots outgrows the host's caches, through which host and device pass the data
/// on. On an H200 2^17 was the fastest of 2^17, 2^18 and 2^19 for 2^22 elements.
const MOST_OVERLAPPED: usize = 1 << 17;
/// The chunk of a run whose chunks do not overlap, at least, where jobs may
/// share it: small jobs are spared submissions, and larger ones are cut like
/// those of a sequential run, which the host's caches hold better than a chunk
/// of several jobs.
const SHARED_CHUNK: usize = 65_536;
/// The most chunks in flight: more only cost memory.
pub(super) const MAX_DEPTH: usize = 256;
/// Memory that runs out for chunks of fewer elements is not theirs.
pub(super) const LEAST_CHUNK: usize = 1 << 6;
/// Chunks in flight: the host fills one slot while the device works on the
/// other. More did not make runs faster on the devices that were measured.
const SLOTS: usize = 2;
/// Up to this many elements a run over device memory that the host writes itself
/// is faster than one over the host's: on an H200 by 8 to 18 %, and slower from
/// twice as many on. Copies on the device were the fastest at no size there.
const BAR_UP_TO: usize = 1 << 14;

/// Plans `work` on a device with `caps`, of which `tuning` has what was
/// measured.
///
/// What the request leaves open is what was fastest at about this size, else
/// what the rules of this module expect to be; a sequential run (depth 1) is
/// not cut to what was fastest, and on a software device the rules decide
/// alone. The chunk is what the request asks for, else one that is worth its
/// submission; in any case no more than one storage buffer binding,
/// one dispatch and the staging memory of all slots allow.
///
/// # Errors
/// [`Error::NoMemoryType`] where the device has no memory for the path.
pub(crate) fn plan(
    caps: &DeviceCaps,
    tuning: &Tuning,
    work: &Workload,
    request: &Request,
) -> Result<Plan, Error> {
    let tuned = match (caps.kind, request.depth) {
        // Every way to run takes the same cores and the same memory there:
        // none was seen to win by more than the noise of a calibration.
        (DeviceKind::Software, _) => None,
        // A sequential run is not cut to what was fastest.
        (_, Some(1)) => None,
        _ => tuning.fastest(work.total, request.path, |path| path.is_usable(caps)),
    };
    let near = tuned.filter(|row| row.is_near(work.total));
    let path_from = tuned.filter(|row| row.decides_path(work.total));
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
    let limit = chunk_limit(caps, work, &uses_of(path), depth)?.max(1);
    let chunk = match (request.chunk, near) {
        (Some(asked), _) => asked,
        (None, Some(row)) => whole_workgroups(row.chunk_for(work.total), work),
        (None, None) if depth > 1 => overlapped(work),
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
        path,
        reason,
        chunk,
        depth,
        packing: request.packing,
        capacity,
        step: 1,
        least: LEAST_CHUNK,
        measured: match request.path {
            PathChoice::Auto => path_from.is_some(),
            PathChoice::Fixed(_) => false,
        } || (near.is_some() && (request.chunk.is_none() || request.depth.is_none())),
    })
}

/// `chunk` in whole steps, rounded down, but one at least.
pub(super) fn whole_steps(chunk: usize, step: usize) -> usize {
    (chunk / step).max(1) * step
}

/// The chunk of a run whose chunks may overlap, in pieces of about equal size.
fn overlapped(work: &Workload) -> usize {
    if work.total < OVERLAP_FROM {
        return OVERLAP_FROM;
    }
    let best = work.total.saturating_mul(CHUNK_COST).isqrt();
    let best = best.min(MOST_OVERLAPPED);
    let pieces = work.total.saturating_add(best / 2) / best;
    whole_workgroups(work.total.div_ceil(pieces), work)
}

/// `chunk` rounded up, so that only the last workgroup of a run is partly idle.
fn whole_workgroups(chunk: usize, work: &Workload) -> usize {
    let size = work.workgroup_size.max(1) as usize;
    chunk.checked_next_multiple_of(size).unwrap_or(chunk)
}

fn choose_path(
    caps: &DeviceCaps,
    total: usize,
    choice: PathChoice,
) -> (TransferPath, &'static str) {
    match choice {
        PathChoice::Fixed(path) => (path, "asked for"),
        PathChoice::Auto if caps.unified_memory() => (
            TransferPath::HostVisible,
            "device and host share their memory",
        ),
        PathChoice::Auto if total <= BAR_UP_TO && TransferPath::Bar.is_usable(caps) => (
            TransferPath::Bar,
            "few elements, written to device memory by the host",
        ),
        PathChoice::Auto => (
            TransferPath::HostVisible,
            "the kernel reads host memory as fast as copies would",
        ),
    }
}

#[cfg(test)]
mod tests;
