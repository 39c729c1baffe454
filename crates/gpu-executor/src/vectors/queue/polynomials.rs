//! Polynomials: vectors of their coefficients, the constant one first.

use field_kernels::{Field, Fr};

use super::Queue;
use crate::vectors::domain::Domain;
use crate::vectors::families::{Order, Transform};
use crate::vectors::field_vec::{FieldVec, Form};
use crate::vectors::operand::{Operand, Scalar};
use crate::{Error, Result};

impl Queue {
    /// The product of two polynomials: of a and b coefficients a + b - 1, and none where either
    /// has none. By three transforms of the next power of two.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for anything in plain form, [`Error::WrongLength`] for a product of
    /// more than 2^32 coefficients, else as [`Self::transform`].
    pub fn multiply_polynomials(&self, a: &FieldVec<Fr>, b: &FieldVec<Fr>) -> Result<FieldVec<Fr>> {
        let operation = "multiply_polynomials";
        self.expect_form(operation, a, Form::Montgomery)?;
        self.expect_form(operation, b, Form::Montgomery)?;
        if a.is_empty() || b.is_empty() {
            return self.concat(&[a.slice(..0)?, b.slice(..0)?]);
        }
        let len = a.len() + b.len() - 1;
        let domain = Domain::new(len.next_power_of_two())?;
        let zeros = |x: &FieldVec<Fr>| self.fill(0, domain.size() - x.len());
        // Both at once, as two rows.
        let rows = self.concat(&[a, &zeros(a)?, b, &zeros(b)?])?;
        let there = Transform::forward(&domain).to(Order::BitReversed);
        let (a, b) = self.transform(&rows, &there)?.split_at(domain.size())?;
        let back = Transform::inverse(&domain).from(Order::BitReversed);
        let product = self.transform(&self.mul(&a, b)?, &back)?;
        product.slice(..len)
    }

    /// The quotient by the polynomial that vanishes on `domain`, X^n - s^n, of a polynomial
    /// given by its values at the points of `coset`, in this order: the quotient's values
    /// there, where the polynomial is a multiple.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for other than one value for each point of the coset,
    /// [`Error::Config`] for a coset that meets the domain, [`Error::WrongForm`] for values in
    /// plain form, else as [`Self::add`].
    pub fn divide_by_vanishing_on_coset(
        &self,
        values: &FieldVec<Fr>,
        order: Order,
        coset: &Domain,
        domain: &Domain,
    ) -> Result<FieldVec<Fr>> {
        let operation = "divide_by_vanishing_on_coset";
        self.expect_form(operation, values, Form::Montgomery)?;
        if values.len() != coset.size() {
            return Err(Error::WrongLength {
                operation,
                expected: "a value for each point of the coset",
                found: values.len(),
            });
        }
        let period = coset.size() / domain.size();
        if period <= 1 {
            let factor = domain.vanishing_inverse_on(coset)?;
            return self.mul(values, Scalar::<Fr>::new(factor));
        }
        if coset.vanishing_at(domain.shift()) == [0; 4] {
            return Err(Error::Config {
                variable: "the coset of a quotient",
                value: format!("one of {} points with some of it", coset.size()),
                accepted: "one without points of the domain".to_owned(),
            });
        }
        // x^n - s^n comes again after so many points.
        let roots = self.powers::<Fr>(Scalar::new(coset.generator()), period)?;
        let points = self.mul(&roots, Scalar::<Fr>::new(coset.shift()))?;
        let minus_shift = Scalar::<Fr>::new(domain.vanishing_at([0; 4]));
        let vanishing = self.add(&self.pow(&points, domain.size() as u64)?, minus_shift)?;
        let mut factors = self.inverse(&vanishing)?;
        if order == Order::BitReversed {
            factors = self.bit_reverse(&factors)?;
        }
        while factors.len() < values.len() {
            let twice = [&factors, &factors];
            factors = match order {
                Order::Natural => self.concat(&twice)?,
                Order::BitReversed => self.interleave(&twice)?,
            };
        }
        self.mul(values, &factors)
    }

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
}
