use std::mem::MaybeUninit;

use super::*;

/// Checks one job of these lengths behind one of two whole elements of 48
/// bytes.
fn check(a: usize, b: usize, out: usize) -> Result<Vec<usize>, Error> {
    let bytes = [0; 240];
    let mut outs = [[MaybeUninit::uninit(); 240]; 2];
    let [first, second] = &mut outs;
    let job = |a, b, out| Job {
        a: &bytes[..a],
        b: &bytes[..b],
        out,
        fresh: false,
    };
    let jobs = [job(96, 96, &mut first[..96]), job(a, b, &mut second[..out])];
    check_jobs(&jobs, 48)
}

#[test]
fn jobs_are_counted_in_elements() {
    assert_eq!(check_jobs(&[], 48), Ok(vec![]));
    assert_eq!(check(0, 0, 0), Ok(vec![2, 0]));
    assert_eq!(check(144, 144, 144), Ok(vec![2, 3]));
}

#[test]
fn the_operand_that_is_not_as_many_whole_elements_as_a_is_named() {
    for (lengths, what, expected, found) in [
        ([95, 95, 95], "A", 48, 95),
        ([47, 0, 0], "A", 0, 47),
        ([96, 48, 96], "B", 96, 48),
        ([96, 97, 96], "B", 96, 97),
        ([96, 96, 144], "the output", 96, 144),
        ([96, 96, 0], "the output", 96, 0),
    ] {
        let error = Error::InvalidJob {
            job: 1,
            what,
            expected,
            found,
        };
        let [a, b, out] = lengths;
        assert_eq!(check(a, b, out), Err(error), "{lengths:?}");
    }
}

#[test]
fn elements_of_no_bytes_hold_nothing() {
    let job = Job {
        a: &[1],
        b: &[1],
        out: &mut [MaybeUninit::uninit()],
        fresh: false,
    };
    let error = check_jobs(&[job], 0).unwrap_err();
    assert!(matches!(
        error,
        Error::InvalidJob {
            expected: 0,
            found: 1,
            ..
        }
    ));
}
