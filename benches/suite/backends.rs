//! The backends that calls are timed on.

use gpu_executor::FieldAdd;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{DeviceCaps, PathChoice, TransferPath};
use gpu_executor_benches::Jobs;

/// Elements of the run that warms a backend up.
const WARM_UP: usize = 64;

/// The paths that differ on a device with `caps`: there is no bus to write
/// through where device and host share their memory.
pub(crate) fn paths(caps: &DeviceCaps) -> impl Iterator<Item = TransferPath> {
    let differs = |path: &TransferPath| match path {
        TransferPath::Bar => !caps.unified_memory() && path.is_usable(caps),
        _ => true,
    };
    TransferPath::ALL.into_iter().filter(differs)
}

/// A backend whose runs all take `path`, cut as the calibration that is stored
/// for this machine says, else by the library's fixed rules.
pub(crate) fn fixed(path: TransferPath) -> anyhow::Result<PersistentVulkanBackend> {
    let builder = PersistentVulkanBackend::builder();
    Ok(builder.path(PathChoice::Fixed(path)).build()?)
}

/// A backend that chooses by itself. It has run once, so that what the first
/// run makes is in no timed call.
pub(crate) fn automatic() -> anyhow::Result<PersistentVulkanBackend> {
    let mut backend = PersistentVulkanBackend::new()?;
    let jobs = Jobs::random(1, WARM_UP);
    let sums = backend.field_add_batch(&jobs.as_slices(), jobs.elements())?;
    jobs.check(&sums)?;
    Ok(backend)
}
