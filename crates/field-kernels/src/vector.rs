//! The registry of modules that come in families: one source each, with a variant for
//! each field and each way to compute in it.

use std::fmt;

use crate::FieldId;

/// What a module multiplies with, and so what it asks of a device.
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

/// A module of a family.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct VectorModule {
    /// Its name, which its source's variant line gives it.
    pub name: &'static str,
    /// The field it computes in.
    pub field: FieldId,
    /// What it computes with.
    pub arithmetic: Arithmetic,
    /// The modules that compute the same, each in its field and with its arithmetic.
    pub family: &'static str,
    /// The module's bytes: little-endian 32-bit words, at any alignment.
    pub spirv: &'static [u8],
}

/// A table with one line a module: name, field, arithmetic and family.
macro_rules! vector_modules {
    ($($name:literal: $field:ident, $arithmetic:ident, $family:literal;)*) => {
        &[$(VectorModule {
            name: $name,
            field: FieldId::$field,
            arithmetic: Arithmetic::$arithmetic,
            family: $family,
            spirv: module!("FIELD_KERNELS_EMBEDDED_DIR", $name),
        }),*]
    };
}

/// Every module of every family.
pub static VECTOR_MODULES: &[VectorModule] = vector_modules! {};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_line_is_a_module() {
        let table: &[VectorModule] = vector_modules! {
            "bls12_381_field_add": Fp, U32, "add";
            "bls12_381_field_add_u64": Fp, U64, "add";
        };
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].name, "bls12_381_field_add");
        assert_eq!(table[0].spirv, crate::BLS12_381_FIELD_ADD_SPV);
        assert_eq!(table[1].field, FieldId::Fp);
        assert_eq!(table[1].arithmetic, Arithmetic::U64);
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
