//! Checks a batch of jobs and holds its results while they are computed.

use std::mem::MaybeUninit;

use vk_mem_paths::advise_huge_pages;

use crate::Error;
use crate::kernels::{ELEMENT_BYTES, LIMBS};

/// One job: the inputs A and B, each a flat slice of 6 limbs per element.
pub type Job<'a> = (&'a [u64], &'a [u64]);

/// The limbs of `elements` elements, if that many fit a slice.
pub(crate) fn limbs(elements: usize) -> Result<usize, Error> {
    // The largest slice that Rust allows is isize::MAX bytes.
    let most = isize::MAX.unsigned_abs() / ELEMENT_BYTES;
    match elements <= most {
        true => Ok(elements * LIMBS),
        false => Err(Error::TooManyElements { elements, most }),
    }
}

/// Checks that every slice of `jobs` holds exactly `elements` elements, and
/// returns that length in limbs.
pub(crate) fn check(jobs: &[Job<'_>], elements: usize) -> Result<usize, Error> {
    let expected = limbs(elements)?;
    for (job, (a, b)) in jobs.iter().enumerate() {
        for (operand, slice) in [("A", a), ("B", b)] {
            if slice.len() != expected {
                return Err(Error::InvalidJob {
                    job,
                    operand,
                    expected,
                    found: slice.len(),
                });
            }
        }
    }
    Ok(expected)
}

/// Checks that there is one result of `limbs` limbs for each of `jobs` jobs.
pub(crate) fn check_results(
    results: &[&mut [u64]],
    jobs: usize,
    limbs: usize,
) -> Result<(), Error> {
    if results.len() != jobs {
        return Err(Error::InvalidResults {
            expected: jobs,
            found: results.len(),
        });
    }
    match results.iter().position(|result| result.len() != limbs) {
        None => Ok(()),
        Some(job) => Err(Error::InvalidJob {
            job,
            operand: "a result",
            expected: limbs,
            found: results[job].len(),
        }),
    }
}

/// A caller's slice of limbs, or of bytes, as memory to be written.
pub(crate) fn as_uninit<T: bytemuck::Pod>(slice: &mut [T]) -> &mut [MaybeUninit<T>] {
    let (start, len) = (slice.as_mut_ptr(), slice.len());
    // SAFETY: the same memory under the same borrow, of equal layout; nobody
    // in this workspace writes uninitialised bytes to it: results are copies
    // of initialised ones.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), len) }
}

/// The bytes of `limbs`, to be written.
pub(crate) fn as_bytes(limbs: &mut [MaybeUninit<u64>]) -> &mut [MaybeUninit<u8>] {
    let (start, bytes) = (limbs.as_mut_ptr(), size_of_val(limbs));
    // SAFETY: the same memory under the same borrow; any byte may stand in a
    // MaybeUninit<u64>, and u8 needs no alignment.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), bytes) }
}

/// The result vectors of a batch, allocated and not yet written: zeroing
/// them first would touch every page twice.
pub(crate) struct Outputs {
    vectors: Vec<Vec<u64>>,
    limbs: usize,
}

impl Outputs {
    pub(crate) fn new(jobs: usize, limbs: usize) -> Result<Self, Error> {
        let allocate = |job| {
            let mut vector: Vec<u64> = Vec::new();
            match vector.try_reserve_exact(limbs) {
                Ok(()) => {
                    advise_huge_pages(vector.spare_capacity_mut());
                    Ok(vector)
                }
                Err(_) => Err(Error::OutOfHostMemory {
                    purpose: format!("the result of job {job}"),
                    requested: limbs * size_of::<u64>(),
                }),
            }
        };
        Ok(Self {
            vectors: (0..jobs).map(allocate).collect::<Result<_, _>>()?,
            limbs,
        })
    }

    /// Each result's limbs, to be written.
    pub(crate) fn limbs(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u64>]> {
        let limbs = self.limbs;
        let vectors = self.vectors.iter_mut();
        vectors.map(move |vector| &mut vector.spare_capacity_mut()[..limbs])
    }

    /// The results.
    ///
    /// # Safety
    /// Every limb that [`Self::limbs`] gave out has been written.
    pub(crate) unsafe fn assume_written(mut self) -> Vec<Vec<u64>> {
        for vector in &mut self.vectors {
            // SAFETY: `new` reserved `limbs`, and the caller says that their
            // bytes are written; every bit pattern is a u64.
            unsafe { vector.set_len(self.limbs) };
        }
        self.vectors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_job_by_job_and_operand_by_operand() {
        let (good, short) = (vec![0; 12], vec![0; 11]);
        assert_eq!(check(&[(&good, &good)], 2), Ok(12));
        assert_eq!(check(&[], 2), Ok(12));
        assert_eq!(check(&[(&[], &[])], 0), Ok(0));
        let error = check(&[(&good, &good), (&good, &short)], 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "job 1: expected B of 12 limbs (2 elements x 6), found 11"
        );
        assert!(
            check(&[(&short, &good)], 2)
                .unwrap_err()
                .to_string()
                .contains("expected A")
        );
    }

    #[test]
    fn elements_that_overflow_are_an_error() {
        for elements in [usize::MAX, usize::MAX / 6, usize::MAX / 48 + 1] {
            let error = check(&[], elements).unwrap_err();
            assert!(matches!(error, Error::TooManyElements { .. }), "{error}");
        }
    }

    #[test]
    fn outputs_keep_what_was_written() {
        let mut outputs = Outputs::new(2, 6).unwrap();
        for (value, limbs) in (1_u8..).zip(outputs.limbs()) {
            let bytes = as_bytes(limbs);
            assert_eq!(bytes.len(), 48);
            bytes.fill(MaybeUninit::new(value));
        }
        // SAFETY: every byte was written above.
        let vectors = unsafe { outputs.assume_written() };
        assert_eq!(vectors[0], [0x0101_0101_0101_0101; 6]);
        assert_eq!(vectors[1], [0x0202_0202_0202_0202; 6]);
    }

    #[test]
    fn results_are_checked_in_number_and_length() {
        let (mut first, mut second) = (vec![0; 12], vec![0; 11]);
        assert_eq!(check_results(&[], 0, 12), Ok(()));
        assert_eq!(check_results(&[&mut first], 1, 12), Ok(()));
        let number = Error::InvalidResults {
            expected: 2,
            found: 1,
        };
        assert_eq!(check_results(&[&mut first], 2, 12), Err(number));
        let length = Error::InvalidJob {
            job: 1,
            operand: "a result",
            expected: 12,
            found: 11,
        };
        let results: [&mut [u64]; 2] = [&mut first, &mut second];
        assert_eq!(check_results(&results, 2, 12), Err(length));
    }

    #[test]
    fn what_is_written_through_the_uninitialised_view_is_the_callers() {
        let mut limbs = [1, 2, 3];
        let view = as_uninit(&mut limbs);
        assert_eq!(view.len(), 3);
        view[1].write(7);
        assert_eq!(limbs, [1, 7, 3]);
    }

    #[test]
    fn as_many_elements_as_a_slice_can_have_are_counted() {
        let most = isize::MAX.unsigned_abs() / 48;
        assert_eq!(limbs(most), Ok(most * 6));
        let elements = most + 1;
        assert_eq!(
            limbs(elements),
            Err(Error::TooManyElements { elements, most })
        );
    }
}
