//! Backends that are made, used once and dropped, one after another.

use anyhow::ensure;
use field_kernels::reference;
use gpu_executor::Cache;
use gpu_executor::FieldAdd;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor_soak::operands::Operands;
use gpu_executor_soak::{finding, process::Usage};

/// Until drivers and allocators have what they keep.
const WARM_UP: usize = 20;
/// Times the process is looked at.
const LOOKS: usize = 5;

/// Makes and drops `count` backends; whether resident memory grew by `most`
/// bytes at most and nothing else grew.
pub(crate) fn run(count: usize, most: u64) -> anyhow::Result<bool> {
    let operands = Operands::random(2_000, 9);
    let sums = operands.results(reference::add);
    let cycles = |count: usize| -> anyhow::Result<()> {
        for _ in 0..count {
            let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
            let mut backend = builder.build()?;
            let found = backend.field_add(&operands.a, &operands.b)?;
            ensure!(found == sums, "wrong sums");
        }
        Ok(())
    };
    cycles(WARM_UP.min(count))?;
    let before = Usage::now()?;
    let (mut done, mut growth) = (0, before.since(&before));
    for look in 1..=LOOKS {
        let until = count * look / LOOKS;
        cycles(until - done)?;
        done = until;
        growth = Usage::now()?.since(&before);
        println!("{done:>6} backends made and dropped: {growth}");
    }
    let promise = format!(
        "{count} backends made and dropped: resident memory grows by {} MiB at most, all else not at all",
        most >> 20
    );
    let found = format!("{done} after {WARM_UP} others; {growth}");
    Ok(finding(growth.is_within(most), &promise, &found))
}
