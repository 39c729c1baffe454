//! Elements of other libraries, as they lie in memory.

#[cfg(feature = "arkworks")]
mod arkworks;
#[cfg(feature = "blst")]
mod blst;

/// Makes `$type` an [`Element`](super::Element) of `$field` in Montgomery form, whose
/// limbs are at `$($limbs).+`: with the layout proven, and with conversions to what
/// operations take.
#[cfg(any(feature = "arkworks", feature = "blst"))]
macro_rules! element {
    ($type:ty, $field:ident, limbs: $($limbs:tt).+, from_limbs: $from_limbs:expr) => {
        const _: () = {
            type Limbs = <$field as field_kernels::ElementType>::Limbs;
            assert!(size_of::<$type>() == size_of::<Limbs>());
            assert!(align_of::<$type>() == align_of::<Limbs>());
            assert!(std::mem::offset_of!($type, $($limbs).+) == 0);
        };

        // SAFETY: by the assertions above its limbs are at its start, it has their size,
        // so there is nothing beside them, and their alignment. The limbs are a public
        // field that any code may write, so any limbs are a value.
        unsafe impl $crate::vectors::elements::sealed::FlatLimbs for $type {}

        impl $crate::vectors::Element for $type {
            type Field = $field;

            const FORM: Option<$crate::vectors::Form> = Some($crate::vectors::Form::Montgomery);

            fn from_limbs(limbs: <$field as field_kernels::ElementType>::Limbs) -> Self {
                $from_limbs(limbs)
            }

            fn to_limbs(self) -> <$field as field_kernels::ElementType>::Limbs {
                self.$($limbs).+
            }
        }

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

#[cfg(any(feature = "arkworks", feature = "blst"))]
use element;
