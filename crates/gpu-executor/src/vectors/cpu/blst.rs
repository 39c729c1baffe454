//! Products, squares and inverses by blst, whose assembly is faster than what the
//! compiler makes of field-kernels' arithmetic.

use blst::{blst_fp, blst_fp2, blst_fr};
use field_kernels::{Bulk, ElementOperation, ElementType, Field, Fp, Fp2, Fr, operations};

/// A field with its fastest functions on the CPU. All of them are equal to those of
/// [`field_kernels::arithmetic`] on canonical elements.
pub(crate) trait CpuField: Field {
    /// Operations that have a faster implementation than that of the registry.
    const FASTER: &'static [(&'static ElementOperation, Bulk<Self>)];

    /// a b.
    fn mul(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs;

    /// x^-1, and 0 for 0.
    fn inverse(x: &Self::Limbs) -> Self::Limbs;

    /// The function that computes `operation`.
    fn bulk(operation: &ElementOperation) -> Bulk<Self> {
        let mut faster = Self::FASTER.iter();
        match faster.find(|(other, _)| *other == operation) {
            Some((_, bulk)) => *bulk,
            None => operation.bulk::<Self>(),
        }
    }
}

/// Calls a function of blst on limbs as they are.
macro_rules! call {
    ($type:ty: $function:ident($out:expr $(, $operand:expr)+)) => {{
        let out = std::ptr::from_mut($out).cast::<$type>();
        // SAFETY: `$type` is a C structure of nothing but limbs, and as large as the field's
        // `Limbs`, as `arithmetic!` asserts; the pointers come from borrows of them, the one that is
        // written through from an exclusive one.
        unsafe { blst::$function(out $(, std::ptr::from_ref($operand).cast::<$type>())+) }
    }};
}

/// The same for each of a slice.
macro_rules! each {
    ($type:ty: $function:ident($out:ident, $x:ident)) => {
        for (out, x) in $out.iter_mut().zip($x) {
            call!($type: $function(out, x));
        }
    };
}

macro_rules! arithmetic {
    ($field:ident, $type:ty, $mul:ident, $square:ident, $inverse:ident $(, $to:ident, $from:ident)?) => {
        const _: () = assert!(size_of::<$type>() == <$field as ElementType>::BYTES);

        impl CpuField for $field {
            const FASTER: &'static [(&'static ElementOperation, Bulk<Self>)] = &[
                (&operations::MUL, |[a, b, _], out| {
                    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
                        call!($type: $mul(out, a, b));
                    }
                }),
                (&operations::SQUARE, |[x, ..], out| each!($type: $square(out, x))),
                (&operations::INVERSE, |[x, ..], out| each!($type: $inverse(out, x))),
                $((&operations::TO_MONTGOMERY, |[x, ..], out| each!($type: $to(out, x))),
                (&operations::FROM_MONTGOMERY, |[x, ..], out| each!($type: $from(out, x))),)?
            ];

            fn mul(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs {
                let mut product = Self::Limbs::default();
                call!($type: $mul(&mut product, a, b));
                product
            }

            fn inverse(x: &Self::Limbs) -> Self::Limbs {
                let mut inverse = Self::Limbs::default();
                call!($type: $inverse(&mut inverse, x));
                inverse
            }
        }
    };
}

arithmetic!(
    Fp,
    blst_fp,
    blst_fp_mul,
    blst_fp_sqr,
    blst_fp_inverse,
    blst_fp_to,
    blst_fp_from
);
arithmetic!(
    Fr,
    blst_fr,
    blst_fr_mul,
    blst_fr_sqr,
    blst_fr_inverse,
    blst_fr_to,
    blst_fr_from
);
arithmetic!(Fp2, blst_fp2, blst_fp2_mul, blst_fp2_sqr, blst_fp2_inverse);
