//! The registry of modules that come in families: one source each, with a variant for
//! each field and each way to compute in it.

use std::fmt;

use crate::FieldId;
use crate::FieldId::{Fp, Fr};

/// What a module multiplies with, and so what it asks of a device.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arithmetic {
    /// 32-bit integers alone, which every device has.
    U32,
    /// 64-bit integers too.
    U64,
    /// Doubles and 64-bit integers.
    F64,
}

impl Arithmetic {
    /// All, in the order of the enum.
    pub const ALL: [Self; 3] = [Self::U32, Self::U64, Self::F64];

    /// `u32`, `u64` or `f64`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::F64 => "f64",
        }
    }

    /// Whether it takes 64-bit integers, which a device may lack.
    #[must_use]
    pub const fn needs_shader_int64(self) -> bool {
        matches!(self, Self::U64 | Self::F64)
    }

    /// Whether it takes doubles, which a device may lack.
    #[must_use]
    pub const fn needs_shader_float64(self) -> bool {
        matches!(self, Self::F64)
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// What a module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Functions that [`crate::chain`] links.
    Elementwise,
    /// Sums of the words of a vector for each workgroup.
    SumParts,
    /// A sum out of those.
    SumFinish,
    /// A product for each workgroup.
    Product,
    /// An inner product for each workgroup.
    InnerProduct,
    /// The way up of the batched inverse: products.
    InverseUp,
    /// Its way down: inverses.
    InverseDown,
    /// The bit-reversed order.
    BitReverse,
    /// Whether two vectors are equal.
    Equal,
}

impl Family {
    /// Storage buffers that its kernels bind.
    #[must_use]
    pub const fn bindings(self) -> usize {
        match self {
            Self::Elementwise => crate::chain::MAX_INPUTS + crate::chain::MAX_OUTPUTS,
            Self::SumParts | Self::SumFinish | Self::BitReverse => 2,
            Self::Product | Self::InnerProduct | Self::Equal => 3,
            Self::InverseUp | Self::InverseDown => 4,
        }
    }

    /// Words of their push constants.
    #[must_use]
    pub const fn constant_words(self) -> usize {
        match self {
            Self::Elementwise => crate::chain::CONSTANT_WORDS,
            Self::SumFinish | Self::BitReverse => 3,
            Self::SumParts => 4,
            Self::Product | Self::InnerProduct | Self::Equal => 5,
            Self::InverseUp | Self::InverseDown => 6,
        }
    }

    /// Invocations of one workgroup.
    #[must_use]
    pub const fn group_size(self) -> u32 {
        match self {
            // A multiple of the parts of an element of either field.
            Self::SumParts | Self::SumFinish => 96,
            _ => 128,
        }
    }
}

/// A module of a family.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct VectorModule {
    /// Its name, which its source's variant line gives it.
    pub name: &'static str,
    /// The field it computes in; `None` where it knows none.
    pub field: Option<FieldId>,
    /// What it computes with.
    pub arithmetic: Arithmetic,
    /// What it does.
    pub family: Family,
    /// The module's bytes: little-endian 32-bit words, at any alignment.
    pub spirv: &'static [u8],
}

impl VectorModule {
    /// The words of its SPIR-V.
    #[must_use]
    pub fn words(&self) -> Vec<u32> {
        let words = self.spirv.as_chunks().0.iter();
        words.map(|word| u32::from_le_bytes(*word)).collect()
    }
}

/// A table with one line a module: name, field, arithmetic and family.
macro_rules! vector_modules {
    ($($name:literal: $field:expr, $arithmetic:ident, $family:ident;)*) => {
        &[$(VectorModule {
            name: $name,
            field: $field,
            arithmetic: Arithmetic::$arithmetic,
            family: Family::$family,
            spirv: module!("FIELD_KERNELS_EMBEDDED_DIR", $name),
        }),*]
    };
}

/// Every module of every family.
pub static VECTOR_MODULES: &[VectorModule] = vector_modules! {
    "fp_elementwise_u32": Some(Fp), U32, Elementwise;
    "fp_elementwise_u64": Some(Fp), U64, Elementwise;
    "fp_elementwise_f64": Some(Fp), F64, Elementwise;
    "fr_elementwise_u32": Some(Fr), U32, Elementwise;
    "fr_elementwise_u64": Some(Fr), U64, Elementwise;
    "fr_elementwise_f64": Some(Fr), F64, Elementwise;
    "fp_sum_parts": Some(Fp), U32, SumParts;
    "fr_sum_parts": Some(Fr), U32, SumParts;
    "fp_sum_finish_u32": Some(Fp), U32, SumFinish;
    "fr_sum_finish_u32": Some(Fr), U32, SumFinish;
    "fp_sum_finish_u64": Some(Fp), U64, SumFinish;
    "fr_sum_finish_u64": Some(Fr), U64, SumFinish;
    "fp_product_u32": Some(Fp), U32, Product;
    "fp_product_u64": Some(Fp), U64, Product;
    "fp_product_f64": Some(Fp), F64, Product;
    "fr_product_u32": Some(Fr), U32, Product;
    "fr_product_u64": Some(Fr), U64, Product;
    "fr_product_f64": Some(Fr), F64, Product;
    "fp_inner_product_u32": Some(Fp), U32, InnerProduct;
    "fp_inner_product_u64": Some(Fp), U64, InnerProduct;
    "fp_inner_product_f64": Some(Fp), F64, InnerProduct;
    "fr_inner_product_u32": Some(Fr), U32, InnerProduct;
    "fr_inner_product_u64": Some(Fr), U64, InnerProduct;
    "fr_inner_product_f64": Some(Fr), F64, InnerProduct;
    "fp_inverse_up_u32": Some(Fp), U32, InverseUp;
    "fp_inverse_up_u64": Some(Fp), U64, InverseUp;
    "fp_inverse_up_f64": Some(Fp), F64, InverseUp;
    "fr_inverse_up_u32": Some(Fr), U32, InverseUp;
    "fr_inverse_up_u64": Some(Fr), U64, InverseUp;
    "fr_inverse_up_f64": Some(Fr), F64, InverseUp;
    "fp_inverse_down_u32": Some(Fp), U32, InverseDown;
    "fp_inverse_down_u64": Some(Fp), U64, InverseDown;
    "fp_inverse_down_f64": Some(Fp), F64, InverseDown;
    "fr_inverse_down_u32": Some(Fr), U32, InverseDown;
    "fr_inverse_down_u64": Some(Fr), U64, InverseDown;
    "fr_inverse_down_f64": Some(Fr), F64, InverseDown;
    "fp_bit_reverse": Some(Fp), U32, BitReverse;
    "fr_bit_reverse": Some(Fr), U32, BitReverse;
    "equal": None, U32, Equal;
};

/// The module of `family` for `field`: the one that multiplies by `arithmetic`, or
/// where there is none the one that does it by less.
#[must_use]
pub fn vector_module(
    family: Family,
    field: FieldId,
    arithmetic: Arithmetic,
) -> Option<&'static VectorModule> {
    let fits = |module: &&VectorModule| {
        module.family == family
            && module.field.is_none_or(|of| of == field)
            && module.arithmetic <= arithmetic
    };
    let all = VECTOR_MODULES.iter().filter(fits);
    all.max_by_key(|module| module.arithmetic)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_has_a_module_for_every_device() {
        let families: BTreeSet<_> = VECTOR_MODULES.iter().map(|module| module.family).collect();
        for family in families {
            for field in FieldId::ALL {
                let least = vector_module(family, field, Arithmetic::U32).unwrap();
                assert_eq!(least.arithmetic, Arithmetic::U32);
                let most = vector_module(family, field, Arithmetic::F64).unwrap();
                assert!(most.arithmetic >= least.arithmetic);
            }
        }
    }

    #[test]
    fn names_are_unique_and_tell_field_and_arithmetic() {
        for (index, module) in VECTOR_MODULES.iter().enumerate() {
            let before = &VECTOR_MODULES[..index];
            assert!(before.iter().all(|other| other.name != module.name));
            if let Some(field) = module.field {
                assert!(module.name.starts_with(field.name()), "{}", module.name);
            }
            let of_arithmetic = module.name.ends_with(module.arithmetic.name());
            let alone = matches!(
                module.family,
                Family::BitReverse | Family::Equal | Family::SumParts
            );
            assert!(of_arithmetic || alone, "{}", module.name);
        }
    }

    #[test]
    fn names_are_unique_and_so_are_members_of_a_family() {
        let names: BTreeSet<_> = VECTOR_MODULES.iter().map(|module| module.name).collect();
        assert_eq!(names.len(), VECTOR_MODULES.len());
        let members: BTreeSet<_> = VECTOR_MODULES
            .iter()
            .map(|module| (module.family, module.field, module.arithmetic))
            .collect();
        assert_eq!(members.len(), VECTOR_MODULES.len());
    }

    #[test]
    fn what_an_arithmetic_asks_for() {
        let asked = Arithmetic::ALL.map(|arithmetic| {
            (
                arithmetic.to_string(),
                arithmetic.needs_shader_int64(),
                arithmetic.needs_shader_float64(),
            )
        });
        let expected = [
            ("u32", false, false),
            ("u64", true, false),
            ("f64", true, true),
        ];
        assert_eq!(
            asked,
            expected.map(|(name, int64, float64)| (name.to_owned(), int64, float64))
        );
    }
}
