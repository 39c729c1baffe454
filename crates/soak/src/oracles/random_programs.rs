//! Random programs over vectors of elements and of points, on the device with every kind of kernel and on the
//! CPU, against arkworks.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use gpu_executor::vectors::{Arithmetic, MemoryAccess, VectorEngine};
use gpu_executor::{Cache, Error, VulkanError};
use gpu_executor_soak::finding;

use crate::programs::{self, Of};

/// How kernels multiply and reach memory, invocations of a workgroup, and elements of a
/// dispatch.
const SETTINGS: [Setting; 5] = [
    Setting(Arithmetic::U32, MemoryAccess::Direct, 128, 96),
    Setting(Arithmetic::U64, MemoryAccess::Staged, 64, 200),
    Setting(Arithmetic::F64, MemoryAccess::Direct, 32, 399),
    Setting(Arithmetic::U32, MemoryAccess::StagedStores, 32, 128),
    Setting(Arithmetic::U64, MemoryAccess::StagedStores, 128, 257),
];

#[derive(Clone, Copy)]
struct Setting(Arithmetic, MemoryAccess, u32, usize);

/// Runs `count` programs of `steps` steps each, shared among the settings.
pub(crate) fn run(count: usize, steps: usize, seed: u64) -> anyhow::Result<bool> {
    let (mut done, mut engines, mut left_out) = (0, Vec::new(), Vec::new());
    for setting in SETTINGS {
        match engine(setting)? {
            Some(engine) => engines.push((setting, [engine, VectorEngine::cpu()?])),
            None => left_out.push(setting.to_string()),
        }
    }
    for (number, (setting, on)) in engines.iter().enumerate() {
        let until = count * (number + 1) / engines.len();
        for seed in (seed..).skip(done).take(until - done) {
            // Fields alone have more neighbours that can be fused.
            let of = match seed.is_multiple_of(2) {
                true => Of::Points,
                false => Of::Fields,
            };
            programs::run(on, of, seed, steps).with_context(|| setting.to_string())?;
        }
        done = until;
        println!("{done:>6} programs; the last {setting}");
    }
    let promise = format!(
        "{count} random programs over vectors of elements and points agree with arkworks on device and CPU"
    );
    let found = format!(
        "{done} programs of {steps} steps, seeds from {seed}; not on this device: [{}]",
        left_out.join("; ")
    );
    Ok(finding(done > 0, &promise, &found))
}

/// `None` where the device lacks the arithmetic, or gets it wrong.
fn engine(
    Setting(arithmetic, access, workgroup, dispatch): Setting,
) -> anyhow::Result<Option<VectorEngine>> {
    // A software driver compiles kernels of points when it first runs them.
    let builder = VectorEngine::builder()
        .timeout(Duration::from_secs(600))
        .cache(Cache::Off)
        .arithmetic(arithmetic)
        .memory_access(access)
        .workgroup_size(workgroup)
        .dispatch_elements(dispatch);
    match builder.build() {
        Ok(engine) => Ok(Some(engine)),
        Err(Error::Vulkan(VulkanError::Unsupported { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(arithmetic, access, workgroup, dispatch) = self;
        write!(
            f,
            "by {arithmetic}, {access:?}, {workgroup} invocations, {dispatch} elements a dispatch"
        )
    }
}
