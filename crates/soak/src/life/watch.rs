//! Work that is repeated, and what the process takes meanwhile.

use gpu_executor::AllocatedMemory;
use gpu_executor_soak::{finding, process::Usage};

/// Times the process is looked at, after the first tenth.
const LOOKS: usize = 10;
/// Engines that are made before the process is looked at: until drivers and allocators
/// have what they keep.
const WARM_UP: usize = 20;

/// Runs `batch`, which is given its number, `count` times, and looks at the process with
/// what `allocated` says, after whole rounds of `round` batches each, so that all looks
/// are at the same place in one. Whether resident memory grew by `most` bytes at most and
/// nothing else grew.
pub(crate) fn batches(
    (what, count, round): (&str, usize, usize),
    most: i64,
    mut batch: impl FnMut(usize) -> anyhow::Result<()>,
    allocated: impl Fn() -> anyhow::Result<AllocatedMemory>,
) -> anyhow::Result<bool> {
    let (mut done, mut seen) = (0, Vec::new());
    for look in 0..=LOOKS {
        let until = (count * (look + 1) / (LOOKS + 1)).next_multiple_of(round);
        while done < until.max(round) {
            batch(done)?;
            done += 1;
        }
        let (usage, memory) = (Usage::now()?, allocated()?);
        println!("{done:>6} batches: {usage}; {}", described(&memory));
        seen.push((usage, memory));
    }
    let (first, last) = (&seen[0], &seen[LOOKS]);
    let growth = last.0.since(&first.0);
    let found = format!("{done} batches right; {growth:+}; {}", described(&last.1));
    let flat = growth.is_within(most) && last.1 == first.1;
    Ok(finding(flat, &promise(count, what, most), &found))
}

/// Runs `cycle` `count` times, after some others; whether resident memory grew by `most`
/// bytes at most and nothing else grew.
pub(crate) fn cycles(
    (what, count): (&str, usize),
    most: i64,
    mut cycle: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    let mut cycles = |count: usize| (0..count).try_for_each(|_| cycle());
    cycles(WARM_UP.min(count))?;
    let before = Usage::now()?;
    cycles(count)?;
    let growth = Usage::now()?.since(&before);
    println!("{count:>6} {what}: {growth:+}");
    let found = format!("{count} after {WARM_UP} others; {growth:+}");
    let flat = growth.is_within(most);
    Ok(finding(flat, &promise(count, what, most), &found))
}

fn promise(count: usize, what: &str, most: i64) -> String {
    let mib = most >> 20;
    format!("{count} {what}: resident memory grows by {mib} MiB at most, all else not at all")
}

fn described(allocated: &AllocatedMemory) -> String {
    format!(
        "allocated: {} buffers of {} KiB in {} blocks of {} KiB",
        allocated.buffers,
        allocated.buffer_bytes / 1024,
        allocated.blocks,
        allocated.block_bytes / 1024
    )
}
