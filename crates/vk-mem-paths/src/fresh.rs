//! Fewer page faults for results in fresh memory.
//!
//! A result vector is new memory: the first write to each of its pages traps
//! into the kernel, which costs more than the copy itself. Huge pages make
//! one trap of 512, and populating a range makes one call of all its traps.
//! Both are advice: where the system does not take it, the pages come one by
//! one as they always did.

#[cfg(not(target_os = "linux"))]
use std::mem::MaybeUninit;

#[cfg(target_os = "linux")]
pub use linux::advise_huge_pages;
#[cfg(target_os = "linux")]
pub(crate) use linux::populate;

/// Asks for huge pages under `memory`; nothing on this system.
#[cfg(not(target_os = "linux"))]
pub fn advise_huge_pages(_memory: &mut [MaybeUninit<u64>]) {}

/// Maps the pages of `memory` at once; nothing on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn populate(_memory: &mut [MaybeUninit<u8>]) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::mem::MaybeUninit;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::mm::{Advice, madvise};

    /// The usual size of a huge page; where it is larger, the kernel ignores
    /// what does not fill one.
    const HUGE_PAGE: usize = 2 << 20;
    /// Below this, a call costs as much as the traps that it saves.
    const POPULATE_FROM: usize = 64 << 10;

    /// Asks for huge pages under `memory`, which has not been written yet.
    pub fn advise_huge_pages(memory: &mut [MaybeUninit<u64>]) {
        let start = memory.as_mut_ptr().cast();
        let _ = advise(start, size_of_val(memory), HUGE_PAGE, Advice::LinuxHugepage);
    }

    /// Maps the whole pages of `memory` for writing, in one call.
    pub(crate) fn populate(memory: &mut [MaybeUninit<u8>]) {
        // Kernels before 5.14 do not know this advice: asked once, not again.
        static UNKNOWN: AtomicBool = AtomicBool::new(false);
        if memory.len() < POPULATE_FROM || UNKNOWN.load(Ordering::Relaxed) {
            return;
        }
        let page = rustix::param::page_size();
        let start = memory.as_mut_ptr();
        if advise(start, memory.len(), page, Advice::LinuxPopulateWrite).is_err() {
            UNKNOWN.store(true, Ordering::Relaxed);
        }
    }

    /// Gives `advice` on the whole units of `unit` bytes inside a range.
    fn advise(
        start: *mut MaybeUninit<u8>,
        bytes: usize,
        unit: usize,
        advice: Advice,
    ) -> rustix::io::Result<()> {
        let skipped = start.align_offset(unit);
        let whole = bytes.saturating_sub(skipped) / unit * unit;
        if whole == 0 {
            return Ok(());
        }
        // SAFETY: the range lies inside the caller's slice, which it borrows
        // mutably; neither advice changes what the memory holds or who may
        // use it.
        unsafe { madvise(start.wrapping_add(skipped).cast(), whole, advice) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn advice_changes_nothing_that_memory_holds() {
            for bytes in [0, 1, 4096, POPULATE_FROM, HUGE_PAGE + 5000, 3 * HUGE_PAGE] {
                let mut memory = vec![MaybeUninit::new(7_u8); bytes];
                populate(&mut memory);
                let mut limbs = vec![MaybeUninit::new(9_u64); bytes / 8];
                advise_huge_pages(&mut limbs);
                // SAFETY: all were initialised above.
                assert!(memory.iter().all(|byte| unsafe { byte.assume_init() } == 7));
                // SAFETY: as above.
                assert!(limbs.iter().all(|limb| unsafe { limb.assume_init() } == 9));
            }
        }
    }
}
