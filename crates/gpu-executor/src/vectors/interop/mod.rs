//! Elements of other libraries, as they lie in memory, and multi-scalar multiplications in the
//! shape that theirs have, from host to host.

#[cfg(feature = "arkworks")]
mod arkworks;
#[cfg(feature = "blst")]
mod blst;
#[cfg(feature = "arkworks")]
mod evaluation_domain;

#[cfg(feature = "blst")]
pub use blst::BlstPoint;
#[cfg(feature = "arkworks")]
pub use evaluation_domain::{DomainEngine, EngineDomain};

use field_kernels::Curve;
use field_kernels::curve::Xyzz;

use crate::Result;
use crate::vectors::{AsElements, PointCheck, Scalars, VectorEngine};

/// Makes `$type` an [`Element`](super::Element) of `$field` in the form `$form`, whose
/// limbs begin with those at each `$path`, which is at the coordinate `$number`: with the
/// layout proven.
macro_rules! element {
    ($type:ty, $field:ident, $form:ident, [$($number:literal: $($path:tt).+),+], $to_limbs:expr, $from_limbs:expr) => {
        const _: () = {
            type Limbs = <$field as field_kernels::ElementType>::Limbs;
            type Base = <$field as field_kernels::ElementType>::Base;
            const BYTES: usize = <Base as field_kernels::ElementType>::BYTES;
            assert!(size_of::<$type>() == size_of::<Limbs>());
            assert!(align_of::<$type>() == align_of::<Limbs>());
            $(assert!(std::mem::offset_of!($type, $($path).+) == $number * BYTES);)+
        };

        // SAFETY: by the assertions above its limbs begin where they should, and it has
        // their size, so there is nothing beside them, and their alignment. The limbs are
        // public fields that any code may write, so any limbs are a value.
        unsafe impl $crate::vectors::elements::sealed::FlatLimbs for $type {}

        impl $crate::vectors::Element for $type {
            type Type = $field;

            const FORM: Option<$crate::vectors::Form> = Some($crate::vectors::Form::$form);

            fn from_limbs(limbs: <$field as field_kernels::ElementType>::Limbs) -> Self {
                $from_limbs(limbs)
            }

            fn to_limbs(self) -> <$field as field_kernels::ElementType>::Limbs {
                $to_limbs(self)
            }
        }

    };
}

/// As `element!`, of a field: with conversions to what operations take.
macro_rules! field_element {
    ($type:ty, $field:ident, $($rest:tt)+) => {
        element!($type, $field, Montgomery, $($rest)+);

        impl From<$type> for $crate::vectors::Scalar<$field> {
            fn from(element: $type) -> Self {
                Self::new($crate::vectors::Element::to_limbs(element))
            }
        }

        impl From<$type> for $crate::vectors::Operand<$field> {
            fn from(element: $type) -> Self {
                Self::Scalar(element.into())
            }
        }
    };
}

use {element, field_element};

impl VectorEngine {
    /// The sum of points of the subgroup, which are taken on trust, each times its scalar.
    /// Where the same points come again, upload them once and use
    /// [`Queue::msm`](crate::vectors::Queue::msm).
    fn msm<'s, C: Curve>(
        &self,
        points: &(impl AsElements<C> + ?Sized),
        scalars: impl Into<Scalars<'s>>,
    ) -> Result<Xyzz<C>> {
        let points = self.upload_points::<C>(points, PointCheck::Trusted)?;
        let queue = self.queue();
        let msm = queue.msm(&points, scalars)?;
        queue.submit()?.wait()?.msm(&msm)
    }
}
