//! The registry of kernels: one row each, with its module and its meaning.

use crate::{Fp, LIMBS, arithmetic};

/// What a kernel does to one pair of elements, on the CPU.
pub type BinaryOp = fn(&[u64; LIMBS], &[u64; LIMBS]) -> [u64; LIMBS];

/// A compute shader of this library.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Kernel {
    /// Its name, the source's file name without extension.
    pub name: &'static str,
    /// The module's bytes: little-endian 32-bit words, at any alignment.
    pub spirv: &'static [u8],
    /// Whether the module asks for 64-bit integers, which a device may lack.
    pub needs_shader_int64: bool,
    /// In one line, what it does and where it is the one to use.
    pub summary: &'static str,
    /// The same function on the CPU, equal on every input.
    pub reference: BinaryOp,
    /// The checked-in module, which differs from `spirv` where that was compiled at
    /// build time by another compiler or with other options.
    checked_in: &'static [u8],
}

macro_rules! kernel {
    ($name:literal { $($field:ident: $value:expr),+ $(,)? }) => {
        Kernel {
            name: $name,
            spirv: module!("FIELD_KERNELS_EMBEDDED_DIR", $name),
            checked_in: module!("FIELD_KERNELS_CHECKED_IN_DIR", $name),
            $($field: $value),+
        }
    };
}

/// Field addition with 12 x 32-bit words: runs on every Vulkan device.
///
/// Workgroups of 128 with 12 KiB of shared memory each.
pub static FIELD_ADD: Kernel = kernel!("bls12_381_field_add" {
    needs_shader_int64: false,
    summary: "field addition, 12 x u32, coalesced through shared memory; the default",
    reference: arithmetic::add::<Fp>,
});

/// Field addition with 6 x 64-bit limbs: the faster one on a software device.
///
/// Workgroups of 128 without shared memory.
pub static FIELD_ADD_U64: Kernel = kernel!("bls12_381_field_add_u64" {
    needs_shader_int64: true,
    summary: "field addition, 6 x u64, loaded directly; for software devices",
    reference: arithmetic::add::<Fp>,
});

/// Every kernel of this library, the default first.
pub static KERNELS: &[&Kernel] = &[&FIELD_ADD, &FIELD_ADD_U64];

/// The module of [`FIELD_ADD`].
pub const BLS12_381_FIELD_ADD_SPV: &[u8] =
    module!("FIELD_KERNELS_EMBEDDED_DIR", "bls12_381_field_add");

/// The record of how the embedded modules were made: for each its source, the hash
/// of source and includes, and its own hash; and the compiler, its version and
/// options.
pub const MANIFEST_JSON: &str = include_str!(concat!(
    env!("FIELD_KERNELS_EMBEDDED_DIR"),
    "/manifest.json"
));

/// The kernel with exactly these bytes, if they are one of this library's: as
/// embedded, or as checked in under `shaders/compiled`. An engine that runs no SPIR-V
/// recognises by it what a caller asks for.
#[must_use]
pub fn find_by_spirv(bytes: &[u8]) -> Option<&'static Kernel> {
    KERNELS
        .iter()
        .copied()
        .find(|kernel| kernel.spirv == bytes || kernel.checked_in == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, kernel) in KERNELS.iter().enumerate() {
            assert!(
                KERNELS[..index]
                    .iter()
                    .all(|other| other.name != kernel.name)
            );
        }
    }

    #[test]
    fn the_default_is_first_and_needs_nothing() {
        assert_eq!(KERNELS[0].spirv, BLS12_381_FIELD_ADD_SPV);
        assert!(!KERNELS[0].needs_shader_int64);
    }

    #[test]
    fn a_kernel_is_found_by_its_bytes_and_by_no_others() {
        for kernel in KERNELS {
            let found = find_by_spirv(kernel.spirv).unwrap();
            assert_eq!(found.name, kernel.name);
            assert_eq!(find_by_spirv(kernel.checked_in).unwrap().name, kernel.name);
            assert!(find_by_spirv(&kernel.spirv[4..]).is_none());
        }
        assert!(find_by_spirv(&[]).is_none());
    }
}
