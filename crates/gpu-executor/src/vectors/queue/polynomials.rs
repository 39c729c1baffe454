//! Polynomials: vectors of their coefficients, the constant one first.

use field_kernels::Field;

use super::Queue;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::operand::Operand;
use crate::{Error, Result};

impl Queue {
    /// The quotient of the polynomial x by X - z, and the remainder, which is the value of
    /// x at z: of n coefficients n - 1, and one. z is a scalar, or the only element of a
    /// vector; 0 too. Both results share memory. Takes two products a coefficient, and a
    /// quarter.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for anything in plain form, [`Error::WrongLength`] for a z that
    /// is several elements, else as [`Self::add`].
    pub fn divide_by_linear<F: Field>(
        &self,
        x: &FieldVec<F>,
        z: impl Into<Operand<F>>,
    ) -> Result<(FieldVec<F>, FieldVec<F>)> {
        let values = self.running_horner(x, z)?;
        match values.is_empty() {
            true => Ok((values, self.fill(0, 1)?)),
            false => Ok((values.slice(1..)?, values.slice(..1)?)),
        }
    }

    /// The quotient of the polynomial x by X^n - 1, and the remainder: the first n
    /// coefficients are the remainder's, and so are all where x has no more; the quotient
    /// has as many as are left. Both share memory. Where the remainder is zero, x is zero
    /// on all n-th roots of unity. Takes log2(len / n) passes over x, rounded up.
    ///
    /// # Errors
    /// [`Error::WrongNumber`] for an n of 0, else as [`Self::add`].
    pub fn divide_by_vanishing<F: Field>(
        &self,
        x: &FieldVec<F>,
        n: usize,
    ) -> Result<(FieldVec<F>, FieldVec<F>)> {
        if n == 0 {
            return Err(Error::WrongNumber {
                operation: "divide_by_vanishing",
                expected: "a degree of 1 or more".to_owned(),
                found: 0,
            });
        }
        // X^n is 1 modulo X^n - 1, so each coefficient goes to those n, 2n and so on below:
        // the sums of every n-th from each on, of one, two, four and so on of them.
        let mut sums = x.clone();
        let mut apart = n;
        while apart < x.len() {
            let (low, high) = sums.split_at(x.len() - apart)?;
            let low = self.add(&low, sums.slice(apart..)?)?;
            sums = self.concat(&[low, high])?;
            apart = apart.saturating_mul(2);
        }
        let (remainder, quotient) = sums.split_at(n.min(x.len()))?;
        Ok((quotient, remainder))
    }
}
