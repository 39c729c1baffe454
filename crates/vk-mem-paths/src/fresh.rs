//! Fewer page faults for results in fresh memory.
//!
//! A result vector is new memory: the first write to each of its pages traps
//! into the kernel, which zeroes the page; that costs more than the copy
//! itself. Huge pages make one trap of 512. Touching each of them once, before
//! several threads write to it, keeps these from trapping and zeroing the
//! same page at the same time.

use std::mem::MaybeUninit;

use crate::work::ChunkWork;

/// The usual size of a huge page; where it is larger, the kernel ignores
/// what does not fill one.
const HUGE_PAGE: usize = 2 << 20;

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

/// The first byte of a huge page of fresh memory.
pub(crate) type Page<'a> = &'a mut MaybeUninit<u8>;

/// The huge pages that begin inside a fresh result of `work`. The chunk that
/// holds a page's first byte owns it: no two chunks touch the same one.
pub(crate) fn pages<'a>(work: &'a mut ChunkWork<'_>) -> impl Iterator<Item = Page<'a>> {
    let fresh = work.pieces.iter_mut().filter(|piece| piece.fresh);
    fresh.flat_map(|piece| {
        let first = piece.out.as_ptr().align_offset(HUGE_PAGE);
        let pages = piece.out.get_mut(first..).unwrap_or_default();
        pages
            .chunks_mut(HUGE_PAGE)
            .filter_map(|page| page.first_mut())
    })
}

/// Writes to `page`, so that it is there when results are copied to it.
pub(crate) fn touch(page: Page<'_>) {
    page.write(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_copy::Stores;
    use crate::work::Piece;

    #[test]
    fn each_huge_page_is_touched_by_the_chunk_that_it_begins_in() {
        let mut memory = vec![MaybeUninit::new(7_u8); 3 * HUGE_PAGE + 5];
        let first = memory.as_ptr().align_offset(HUGE_PAGE);
        let (one, other) = memory.split_at_mut(first + 1);
        let piece = |out| Piece {
            a: &[],
            b: &[],
            out,
            fresh: true,
        };
        let mut work = ChunkWork {
            elements: 1,
            pieces: vec![piece(one), piece(other)],
            stores: Stores::Cached,
        };
        pages(&mut work).for_each(touch);
        // SAFETY: all were initialised above.
        let zeros = memory
            .iter()
            .enumerate()
            .filter(|(_, b)| unsafe { b.assume_init() } == 0);
        let zeros: Vec<_> = zeros.map(|(place, _)| place).collect();
        let pages = (first..memory.len()).step_by(HUGE_PAGE);
        assert_eq!(zeros, pages.collect::<Vec<_>>());
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
