//! Fewer page faults for results in fresh memory.
//!
//! A result vector is new memory: the first write to each of its pages traps
//! into the kernel, which zeroes the page; that costs more than the copy
//! itself. Huge pages make one trap of 512. Making them on some of the
//! threads while the others copy takes the rest of it out of the way: copies
//! are limited by the bandwidth of the memory, the system's work on a page is
//! not.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The usual size of a huge page; where it is larger, the kernel ignores
/// what does not fill one.
const HUGE_PAGE: usize = 2 << 20;
/// From this many bytes of fresh results on, pages are made ahead: the first
/// copies of less would come before them.
const AHEAD_FROM: usize = 4 * HUGE_PAGE;

/// Asks for huge pages under `memory`, which has not been written yet. Only
/// advice: nothing depends on whether it is taken.
#[cfg(target_os = "linux")]
pub fn advise_huge_pages<T>(memory: &mut [MaybeUninit<T>]) {
    let start: *mut u8 = memory.as_mut_ptr().cast();
    let skipped = start.align_offset(HUGE_PAGE);
    let whole = size_of_val(memory).saturating_sub(skipped) / HUGE_PAGE * HUGE_PAGE;
    if whole == 0 {
        return;
    }
    let advice = rustix::mm::Advice::LinuxHugepage;
    // SAFETY: the range lies inside the caller's slice, which it borrows
    // mutably; the advice changes neither what the memory holds nor who may
    // use it.
    let advised = unsafe { rustix::mm::madvise(start.wrapping_add(skipped).cast(), whole, advice) };
    if let Err(error) = advised {
        tracing::debug!("no huge pages for a result of {whole} bytes: {error}");
    }
}

/// Other systems give huge pages without being asked, or not at all.
#[cfg(not(target_os = "linux"))]
pub fn advise_huge_pages<T>(_memory: &mut [MaybeUninit<T>]) {}

/// The pages of fresh results, to be made before the results are copied there.
pub(crate) struct Ahead {
    /// Addresses, in the order in which the results are written.
    blocks: Vec<Range<usize>>,
    /// The next block to be made; what is past the end stands for the end.
    next: AtomicUsize,
    /// Threads at work on them, or about to look.
    threads: AtomicUsize,
    most_threads: usize,
}

impl Ahead {
    /// Those of `results`, on `most_threads` threads at most; `None` where it
    /// is not worth it, or the system cannot do it.
    pub(crate) fn of<'a>(
        results: impl Iterator<Item = &'a [MaybeUninit<u8>]>,
        most_threads: usize,
    ) -> Option<Self> {
        let blocks: Vec<_> = results
            .flat_map(|result| blocks(result.as_ptr_range()))
            .collect();
        let bytes: usize = blocks.iter().map(Range::len).sum();
        let worth_it = bytes >= AHEAD_FROM && most_threads > 0 && CAN_MAKE_PAGES;
        worth_it.then(|| Self {
            blocks,
            next: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            most_threads,
        })
    }

    /// Makes pages until none is left, unless enough threads do already;
    /// whether it made any.
    pub(crate) fn help(&self) -> bool {
        let mut made = false;
        if self.threads.fetch_add(1, Ordering::AcqRel) < self.most_threads {
            while let Some(block) = self.take() {
                made = true;
                if !make_pages(block) {
                    self.end();
                }
            }
        }
        self.threads.fetch_sub(1, Ordering::Release);
        made
    }

    /// Begins no further page, and returns when none is being made.
    pub(crate) fn stop(&self) {
        self.end();
        // A thread that took a block before is seen: its `take` came before
        // `end` on the same word, and it had counted itself before that.
        while self.threads.load(Ordering::Acquire) > 0 {
            std::thread::yield_now();
        }
    }

    fn take(&self) -> Option<Range<usize>> {
        let next = self.next.fetch_add(1, Ordering::AcqRel);
        self.blocks.get(next).cloned()
    }

    fn end(&self) {
        self.next.swap(self.blocks.len(), Ordering::AcqRel);
    }
}

/// `memory` in pieces of a huge page each, and what is left of the first and
/// the last one; whole pages of the system only.
fn blocks(memory: Range<*const MaybeUninit<u8>>) -> impl Iterator<Item = Range<usize>> {
    let page = page_size();
    let start = memory.start.addr().next_multiple_of(page);
    let end = memory.end.addr() / page * page;
    let mut from = start;
    std::iter::from_fn(move || {
        let to = ((from / HUGE_PAGE + 1) * HUGE_PAGE).min(end);
        let block = from..to;
        from = to;
        (!block.is_empty()).then_some(block)
    })
}

const CAN_MAKE_PAGES: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
use rustix::param::page_size;

/// Has the system make the pages of `block`; whether it can.
#[cfg(target_os = "linux")]
fn make_pages(block: Range<usize>) -> bool {
    let advice = rustix::mm::Advice::LinuxPopulateWrite;
    let start = std::ptr::without_provenance_mut(block.start);
    // SAFETY: the advice changes nothing that any memory holds, whoever works
    // on it meanwhile: it only makes pages that a write would make. So it is
    // no access to the memory either.
    let made = unsafe { rustix::mm::madvise(start, block.len(), advice) };
    if let Err(error) = made {
        // Linux before 5.14, for one.
        tracing::debug!("no pages made ahead of the copies: {error}");
    }
    made.is_ok()
}

#[cfg(not(target_os = "linux"))]
fn page_size() -> usize {
    4096
}

#[cfg(not(target_os = "linux"))]
fn make_pages(_block: Range<usize>) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_pages_and_cover_all_of_them() {
        let page = page_size();
        let at = |address: usize| std::ptr::without_provenance(address);
        let cut = |from: usize, to: usize| blocks(at(from)..at(to)).collect::<Vec<_>>();
        let huge = HUGE_PAGE;
        assert_eq!(cut(huge, 3 * huge), [huge..2 * huge, 2 * huge..3 * huge]);
        let ends = [huge - page..huge, huge..2 * huge, 2 * huge..2 * huge + page];
        assert_eq!(cut(huge - page - 1, 2 * huge + page + 1), ends);
        for (from, to) in [(huge, huge), (huge + 1, huge + page), (huge + 1, huge + 2)] {
            assert!(cut(from, to).is_empty());
        }
    }

    #[test]
    fn what_is_small_or_for_no_thread_is_not_worth_it() {
        let memory = vec![MaybeUninit::new(0_u8); 2 * AHEAD_FROM];
        let of = |bytes: usize, threads| Ahead::of([&memory[..bytes]].into_iter(), threads);
        assert_eq!(of(2 * AHEAD_FROM, 1).is_some(), CAN_MAKE_PAGES);
        assert!(of(2 * AHEAD_FROM, 0).is_none());
        assert!(of(AHEAD_FROM - 1, 1).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_are_made_under_what_others_write_meanwhile() {
        let mut memory: Vec<u8> = Vec::with_capacity(4 * AHEAD_FROM);
        let memory = memory.spare_capacity_mut();
        advise_huge_pages(memory);
        let ahead = Ahead::of([&*memory].into_iter(), 2).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| ahead.help());
            }
            for (byte, value) in memory.iter_mut().zip((0..251).cycle()) {
                byte.write(value);
            }
        });
        assert!(ahead.take().is_none());
        ahead.stop();
        for (byte, value) in memory.iter().zip((0..251).cycle()) {
            // SAFETY: all were written above.
            assert_eq!(unsafe { byte.assume_init() }, value);
        }
    }

    #[test]
    fn nothing_is_begun_once_it_was_stopped() {
        let memory = vec![MaybeUninit::new(0_u8); 2 * AHEAD_FROM];
        if let Some(ahead) = Ahead::of([memory.as_slice()].into_iter(), 1) {
            ahead.stop();
            assert!(!ahead.help());
        }
    }

    #[test]
    fn advice_changes_nothing_that_memory_holds() {
        for limbs in [0, 1, HUGE_PAGE / 8, HUGE_PAGE] {
            let mut memory = vec![MaybeUninit::new(9_u64); limbs];
            advise_huge_pages(&mut memory);
            // SAFETY: all were initialised above.
            assert!(memory.iter().all(|limb| unsafe { limb.assume_init() } == 9));
        }
    }
}
