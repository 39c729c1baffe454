//! Operations whose result takes the place of an argument.

use field_kernels::Field;

use super::Queue;
use crate::Result;
use crate::vectors::exponent::Exponent;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::operand::Operand;

impl Queue {
    /// x := x + y.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_assign<F: Field>(
        &self,
        x: &mut FieldVec<F>,
        y: impl Into<Operand<F>>,
    ) -> Result<()> {
        *x = self.add(&*x, y)?;
        Ok(())
    }

    /// x := x - y.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn sub_assign<F: Field>(
        &self,
        x: &mut FieldVec<F>,
        y: impl Into<Operand<F>>,
    ) -> Result<()> {
        *x = self.sub(&*x, y)?;
        Ok(())
    }

    /// x := x y.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn mul_assign<F: Field>(
        &self,
        x: &mut FieldVec<F>,
        y: impl Into<Operand<F>>,
    ) -> Result<()> {
        *x = self.mul(&*x, y)?;
        Ok(())
    }

    /// y := a x + y.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn axpy_assign<F: Field>(
        &self,
        a: impl Into<Operand<F>>,
        x: &FieldVec<F>,
        y: &mut FieldVec<F>,
    ) -> Result<()> {
        *y = self.axpy(a, x, &*y)?;
        Ok(())
    }

    /// x := -x.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn neg_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.neg(x)?;
        Ok(())
    }

    /// x := 2 x.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn double_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.double(x)?;
        Ok(())
    }

    /// x := x^2.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn square_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.square(x)?;
        Ok(())
    }

    /// x := x^exponent.
    ///
    /// # Errors
    /// As [`Self::pow`].
    pub fn pow_assign<F: Field>(
        &self,
        x: &mut FieldVec<F>,
        exponent: impl Into<Exponent>,
    ) -> Result<()> {
        *x = self.pow(x, exponent)?;
        Ok(())
    }

    /// x := x^-1, and 0 for 0.
    ///
    /// # Errors
    /// As [`Self::inverse`].
    pub fn inverse_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.inverse(x)?;
        Ok(())
    }

    /// x, converted into Montgomery form.
    ///
    /// # Errors
    /// As [`Self::to_montgomery`].
    pub fn to_montgomery_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.to_montgomery(x)?;
        Ok(())
    }

    /// x, converted into plain form.
    ///
    /// # Errors
    /// As [`Self::from_montgomery`].
    pub fn from_montgomery_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.from_montgomery(x)?;
        Ok(())
    }

    /// x, in bit-reversed order.
    ///
    /// # Errors
    /// As [`Self::bit_reverse`].
    pub fn bit_reverse_assign<F: Field>(&self, x: &mut FieldVec<F>) -> Result<()> {
        *x = self.bit_reverse(x)?;
        Ok(())
    }
}
