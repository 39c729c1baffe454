//! Fewer page faults for results in fresh memory.
//!
//! A result vector is new memory: the first write to each of its pages traps
//! into the kernel, which zeroes the page; that costs more than the copy
//! itself. Huge pages make one trap of 512. Touching each of them once, before
//! several threads write to it, keeps these from trapping and zeroing the
//! same page at the same time; touching them
//! while other threads copy hides how long the system takes for each.

use std::mem::MaybeUninit;

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

/// The huge pages that begin inside `out`, `first` bytes from its start or
/// later, in order; each with the place of its first byte. Whoever owns that
/// byte owns the page: no two parts of a result touch the same one.
pub(crate) fn pages(
    out: &mut [MaybeUninit<u8>],
    first: usize,
) -> impl Iterator<Item = (usize, Page<'_>)> {
    let rest = out.get_mut(first..).unwrap_or_default();
    let skipped = rest.as_ptr().align_offset(HUGE_PAGE);
    let pages = rest.get_mut(skipped..).unwrap_or_default();
    let numbered = pages.chunks_mut(HUGE_PAGE).enumerate();
    numbered.filter_map(move |(number, page)| {
        Some((first + skipped + number * HUGE_PAGE, page.first_mut()?))
    })
}

/// Writes to `page`, so that it is there when results are copied to it.
pub(crate) fn touch(page: Page<'_>) {
    page.write(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_huge_page_belongs_to_the_part_that_it_begins_in() {
        let mut memory = vec![MaybeUninit::new(7_u8); 3 * HUGE_PAGE + 5];
        let begin = memory.as_ptr().align_offset(HUGE_PAGE);
        let expected: Vec<_> = (begin..memory.len()).step_by(HUGE_PAGE).collect();
        let places = |out: &mut [MaybeUninit<u8>], first| -> Vec<_> {
            pages(out, first).map(|(place, _)| place).collect()
        };
        assert_eq!(places(&mut memory, 0), expected);
        assert_eq!(places(&mut memory, begin), expected);
        assert_eq!(places(&mut memory, begin + 1), expected[1..]);
        let length = memory.len();
        assert!(places(&mut memory, length).is_empty());
        assert!(places(&mut memory, usize::MAX).is_empty());

        let (one, other) = memory.split_at_mut(begin + 1);
        let both = [one, other].into_iter().flat_map(|part| pages(part, 0));
        both.for_each(|(_, page)| touch(page));
        // SAFETY: all were initialised above.
        let zero = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() } == 0;
        let zeros = (0..memory.len()).filter(|place| zero(&memory[*place]));
        assert_eq!(zeros.collect::<Vec<_>>(), expected);
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
