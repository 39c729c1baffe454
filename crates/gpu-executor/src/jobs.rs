//! Checks a batch of jobs and holds its results while they are computed.

use std::mem::MaybeUninit;

use vk_mem_paths::advise_huge_pages;

use crate::Error;
use crate::field_add::Batch;
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
fn check(jobs: &[Job<'_>], elements: usize) -> Result<usize, Error> {
    let expected = limbs(elements)?;
    for (job, (a, b)) in jobs.iter().enumerate() {
        for (operand, slice) in [("A", a), ("B", b)] {
            check_length(job, operand, slice, expected)?;
        }
    }
    Ok(expected)
}

fn check_length(
    job: usize,
    operand: &'static str,
    slice: &[u64],
    expected: usize,
) -> Result<(), Error> {
    let found = slice.len();
    match found == expected {
        true => Ok(()),
        false => Err(Error::InvalidJob {
            job,
            operand,
            expected,
            found,
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

/// Where the results of a batch go: slices of the caller's, or new vectors, allocated and
/// not yet written: zeroing them first would touch every page twice.
pub(crate) enum Outputs<'r, 's> {
    Kept(&'r mut [&'s mut [u64]]),
    New {
        vectors: Vec<Vec<u64>>,
        limbs: usize,
    },
}

impl<'r, 's> Outputs<'r, 's> {
    /// Checks that the jobs of `batch` fit its elements, and that `results` do, or makes
    /// room for new ones.
    ///
    /// # Errors
    /// [`Error::InvalidJob`], [`Error::InvalidResults`], [`Error::TooManyElements`] and
    /// [`Error::OutOfHostMemory`].
    pub(crate) fn of(
        batch: &Batch<'_>,
        results: Option<&'r mut [&'s mut [u64]]>,
    ) -> Result<Self, Error> {
        let (jobs, limbs) = (batch.jobs.len(), check(batch.jobs, batch.elements)?);
        let Some(results) = results else {
            let vectors = (0..jobs).map(|job| allocate(job, limbs));
            let vectors = vectors.collect::<Result<_, _>>()?;
            return Ok(Self::New { vectors, limbs });
        };
        if results.len() != jobs {
            return Err(Error::InvalidResults {
                expected: jobs,
                found: results.len(),
            });
        }
        for (job, result) in results.iter().enumerate() {
            check_length(job, "a result", result, limbs)?;
        }
        Ok(Self::Kept(results))
    }

    /// Whether it is memory that nobody has written yet.
    pub(crate) fn are_fresh(&self) -> bool {
        matches!(self, Self::New { .. })
    }

    /// Each result's limbs, to be written.
    pub(crate) fn limbs(&mut self) -> Vec<&mut [MaybeUninit<u64>]> {
        match self {
            Self::Kept(results) => results.iter_mut().map(|it| as_uninit(it)).collect(),
            Self::New { vectors, limbs } => vectors
                .iter_mut()
                .map(|vector| &mut vector.spare_capacity_mut()[..*limbs])
                .collect(),
        }
    }

    /// The results that are new; none where the caller has them.
    ///
    /// # Safety
    /// Every limb that [`Self::limbs`] gave out has been written.
    pub(crate) unsafe fn assume_written(self) -> Vec<Vec<u64>> {
        let Self::New { mut vectors, limbs } = self else {
            return Vec::new();
        };
        for vector in &mut vectors {
            // SAFETY: `of` reserved `limbs`, and the caller says that their
            // bytes are written; every bit pattern is a u64.
            unsafe { vector.set_len(limbs) };
        }
        vectors
    }
}

fn allocate(job: usize, limbs: usize) -> Result<Vec<u64>, Error> {
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
        let (a, b) = ([0; 6], [0; 6]);
        let jobs: [Job<'_>; 2] = [(&a, &b); 2];
        let mut outputs = Outputs::of(&Batch::new(&jobs, 1), None).unwrap();
        assert!(outputs.are_fresh());
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
        let input = [0; 12];
        let jobs: [Job<'_>; 2] = [(&input, &input); 2];
        let found = |jobs, results: &mut [&mut [u64]]| {
            let outputs = Outputs::of(&Batch::new(jobs, 2), Some(results));
            outputs.map(|outputs| outputs.are_fresh())
        };
        assert_eq!(found(&[], &mut []), Ok(false));
        assert_eq!(found(&jobs[..1], &mut [&mut first]), Ok(false));
        let number = Error::InvalidResults {
            expected: 2,
            found: 1,
        };
        assert_eq!(found(&jobs, &mut [&mut first]), Err(number));
        let length = Error::InvalidJob {
            job: 1,
            operand: "a result",
            expected: 12,
            found: 11,
        };
        let mut results: [&mut [u64]; 2] = [&mut first, &mut second];
        assert_eq!(found(&jobs, &mut results), Err(length));
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
