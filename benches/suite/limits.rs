//! The limits of device and host, beside which everything else is judged.

use std::sync::Arc;
use std::time::Instant;

use gpu_executor::kernels::{ELEMENT_BYTES, LIMBS};
use gpu_executor_benches::Plan;
use rayon::prelude::*;
use vk_core::spirv::KernelInterface;
use vk_core::{Device, DeviceCaps};
use vk_mem_paths::{MemoryUse, most_dispatched, rank_memory_types};

use crate::clocks::Clocks;
use crate::copies::{Bandwidth, median};
use crate::device;
use crate::resident::Resident;
use crate::vectors::is_too_large;

/// The kernel that copies its first operand to its result.
const COPY_KERNEL: &[u8] = include_bytes!("../../shaders/compiled/tests/copy.spv");
/// Copies of one submission.
const COPIES: u32 = 16;

/// Bytes that one thread copies at a time.
const GRAIN: usize = 1 << 20;

/// Measures the limits and writes them as `limits.json` into Criterion's
/// output folder, where `CRITERION_HOME` names one; all in bytes per second.
pub(crate) fn write_down(plan: &Plan) -> anyhow::Result<()> {
    if std::env::var_os("CRITERION_HOME").is_none() {
        return Ok(());
    }
    let device = device::open()?;
    let found = bandwidth(&device, fitting(device.caps(), plan.limit_bytes))?;
    let by_kernel = copy_kernel(&device, found.bytes)?;
    let from = vec![0x5a_u8; plan.limit_bytes];
    let mut to = vec![0xa5_u8; plan.limit_bytes];
    let one = memcpy(|| to.copy_from_slice(&from), plan.limit_bytes)?;
    let copy = || {
        let pieces = to.par_chunks_mut(GRAIN).zip(from.par_chunks(GRAIN));
        pieces.for_each(|(to, from)| to.copy_from_slice(from));
    };
    let all = memcpy(copy, plan.limit_bytes)?;
    let limits = serde_json::json!({
        "copy_bytes": found.bytes,
        "device_copy": found.device_copy.max(by_kernel),
        "device_copy_command": found.device_copy,
        "host_to_device": found.host_to_device,
        "device_to_host": found.device_to_host,
        "both_directions": found.both_directions,
        "memcpy_one_thread": one,
        "memcpy_all_threads": all,
        "threads": rayon::current_num_threads(),
    });
    device::write("limits.json", &limits)
}

/// The bytes of a copy: `wanted`, or what leaves half of every heap to others.
fn fitting(caps: &DeviceCaps, wanted: usize) -> usize {
    let mut buffers = vec![0_u64; caps.heaps.len()];
    let uses = [
        (MemoryUse::Device, 2),
        (MemoryUse::Upload, 1),
        (MemoryUse::Readback, 1),
    ];
    for (purpose, count) in uses {
        if let Some(best) = rank_memory_types(caps, purpose).first() {
            buffers[caps.memory_types[*best].heap] += count;
        }
    }
    let shares = caps.heaps.iter().zip(buffers);
    let shares = shares.filter_map(|(heap, buffers)| heap.size.checked_div(2 * buffers));
    let most = shares.min().unwrap_or(u64::MAX);
    wanted.min(usize::try_from(most).unwrap_or(usize::MAX))
}

/// With copies of `bytes`, or fewer where memory runs out.
fn bandwidth(device: &Arc<Device>, bytes: usize) -> anyhow::Result<Bandwidth> {
    match Bandwidth::measure(device, bytes & !3) {
        Err(error) if is_too_large(&error) && bytes > GRAIN => bandwidth(device, bytes / 2),
        measured => measured,
    }
}

/// Bytes per second, read plus written, of a kernel that copies `bytes` from
/// one buffer of the device's memory to another. Copy commands can be slower:
/// on an H200 by four fifths.
fn copy_kernel(device: &Arc<Device>, bytes: usize) -> anyhow::Result<f64> {
    let interface = KernelInterface::parse(COPY_KERNEL, device.caps())?;
    let group = interface.workgroup_size as usize;
    let most = most_dispatched(device.caps(), ELEMENT_BYTES, group);
    let elements = (bytes / ELEMENT_BYTES).min(most);
    let mut copy = Resident::new(device, COPY_KERNEL, elements)?;
    let operand = vec![0x5a; elements * LIMBS];
    let mut result = vec![0; operand.len()];
    copy.upload(&operand, &operand, &result)?;
    Clocks::raise(device.caps(), &mut copy)?;
    let time = median(|| copy.run(COPIES))?;
    copy.download(&mut result)?;
    anyhow::ensure!(result == operand, "the copy kernel did not copy");
    Ok(2.0 * (elements * ELEMENT_BYTES) as f64 / time.as_secs_f64())
}

/// Bytes per second, each read once and written once, of a `copy` of `bytes`.
fn memcpy(mut copy: impl FnMut(), bytes: usize) -> anyhow::Result<f64> {
    copy();
    let time = median(|| {
        let start = Instant::now();
        copy();
        Ok(start.elapsed())
    })?;
    Ok(bytes as f64 / time.as_secs_f64())
}
