//! What a stage of a map takes of its inputs for each output, in words that its kernel reads.
//! Pure.

use field_kernels::curve::Z_SQUARED;
use field_kernels::{Fr, arithmetic};

use crate::Error;
use crate::vectors::runner::internal;

/// Bits of a window.
pub(super) const BITS: u32 = 5;
/// Windows of half an integer: of 127 bits, and a carry.
const WINDOWS: usize = 26;
/// Multiples of an input that windows take: a digit is at most so large.
const MULTIPLES: i32 = 1 << (BITS - 1);

/// `IMAGE` and `OPPOSITE` of the shader, and where an entry has its multiple less one.
pub(super) const IMAGE: u32 = 1 << 30;
pub(super) const OPPOSITE: u32 = 1 << 31;
pub(super) const MULTIPLE_AT: u32 = 24;

/// An integer below r.
pub(in crate::vectors) type Integer = [u64; 4];

/// So many points to so many, where each output is a sum of inputs times integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vectors::families) struct Stage {
    pub(in crate::vectors::families) inputs: usize,
    pub(in crate::vectors::families) outputs: usize,
    /// Windows of an output.
    pub(super) windows: usize,
    /// Multiples of an input that they take.
    pub(super) multiples: u32,
}

impl Stage {
    /// One for any integers.
    pub(in crate::vectors::families) fn new(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            windows: WINDOWS,
            multiples: MULTIPLES.unsigned_abs(),
        }
    }

    /// One for the integers 1 and -1, and 0, which is no term.
    pub(in crate::vectors::families) fn of_signs(inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            windows: 1,
            multiples: 1,
        }
    }

    /// Where entries begin: after the starts of all windows and the end of the last.
    pub(super) fn starts(&self) -> usize {
        self.outputs * self.windows + 1
    }

    /// For each window of each output, and for the end, where its entries begin; and then the
    /// entries. The terms of an output are inputs and what each is multiplied by.
    pub(in crate::vectors::families) fn words(
        &self,
        outputs: impl Iterator<Item = Vec<(usize, Integer)>>,
    ) -> Result<Vec<u32>, Error> {
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for terms in outputs {
            // Those of images come first.
            let mut windows = vec![(Vec::new(), Vec::new()); self.windows];
            for (input, integer) in terms {
                let input = u32::try_from(input)
                    .ok()
                    .filter(|it| it >> MULTIPLE_AT == 0);
                let input = input.ok_or_else(|| internal("the number of an input"))?;
                let (integer, negative) = smaller(integer);
                let mut put = |integer, flags, opposite| {
                    for (window, digit) in windows.iter_mut().zip(digits(integer)) {
                        let multiple = match digit.unsigned_abs() {
                            0 => continue,
                            size => (size - 1) << MULTIPLE_AT,
                        };
                        let sign = if (digit < 0) != opposite { OPPOSITE } else { 0 };
                        let list = if flags == 0 {
                            &mut window.1
                        } else {
                            &mut window.0
                        };
                        list.push(input | multiple | flags | sign);
                    }
                };
                let ((first, opposite), second) = halves(integer);
                put(first, 0, opposite != negative);
                // The image is -m times the point.
                put(second, IMAGE, !negative);
            }
            for (of_images, others) in windows {
                entries.extend(of_images.into_iter().chain(others));
                starts.push(entries.len());
            }
        }
        let starts = starts.into_iter().map(u32::try_from);
        let starts = starts.collect::<Result<Vec<_>, _>>();
        let mut words = starts.map_err(|_| internal("a number of entries in 32 bits"))?;
        words.extend(entries);
        Ok(words)
    }
}

/// The one that is at most r / 2 of an integer and r less it, and whether it is the latter.
fn smaller(integer: Integer) -> (Integer, bool) {
    let other = arithmetic::neg::<Fr>(&integer);
    let is_less = other.iter().rev().lt(integer.iter().rev());
    if is_less {
        (other, true)
    } else {
        (integer, false)
    }
}

/// Signed digits from the lowest up, as many as there are windows for.
fn digits(integer: Integer) -> impl Iterator<Item = i32> {
    let mut carry = 0;
    (0..).map(move |window| {
        let bits = BITS as usize;
        let bit = |at: usize| {
            integer
                .get(at / 64)
                .is_some_and(|limb| limb >> (at % 64) & 1 == 1)
        };
        let those = (window * bits..(window + 1) * bits).rev();
        let digit = those.fold(0, |digit, at| 2 * digit + i32::from(bit(at)));
        let digit = digit + carry;
        carry = i32::from(digit > MULTIPLES);
        digit - (carry << BITS)
    })
}

/// k0, its sign, and k1 of k = k0 + k1 z^2, both at most half of z^2.
fn halves(integer: Integer) -> ((Integer, bool), Integer) {
    let m = Z_SQUARED;
    #[allow(clippy::cast_possible_truncation)] // the lower limb, and the higher one
    let wide = |x: u128| [x as u64, (x >> 64) as u64, 0, 0];
    // The quotient and the rest of k + m / 2, bit by bit: the rest stays below m, which has 128
    // bits.
    let (mut quotient, mut rest) = (0_u128, 0_u128);
    let mut sum = wide(m / 2);
    let mut carry = false;
    for (sum, limb) in sum.iter_mut().zip(integer) {
        let (added, first) = sum.overflowing_add(limb);
        let (added, second) = added.overflowing_add(u64::from(carry));
        (*sum, carry) = (added, first || second);
    }
    for at in (0..256).rev() {
        let overflows = rest >> 127 == 1;
        rest = rest << 1 | u128::from(sum[at / 64] >> (at % 64) & 1);
        let bit = overflows || rest >= m;
        if bit {
            rest = rest.wrapping_sub(m);
        }
        quotient = quotient << 1 | u128::from(bit);
    }
    let half = m / 2;
    ((wide(rest.abs_diff(half)), rest < half), wide(quotient))
}
