//! Operations whose result takes the place of an argument.

use field_kernels::Field;

use super::Queue;
use crate::Result;
use crate::vectors::exponent::Exponent;
use crate::vectors::field_vec::FieldVec;
use crate::vectors::operand::Operand;

impl Queue {
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
}
