//! BLS12-381 field kernels, of the base field and of the scalar field: the moduli, the
//! arithmetic on the CPU, and the compute shaders as SPIR-V.
//!
//! This crate holds what is true of the fields and of the kernels whichever engine
//! runs them. It uses no Vulkan, so it builds, and serves as the oracle, on a machine
//! without a GPU.
//!
//! # Elements
//!
//! An element of the base field is 6 little-endian `u64` limbs, 48 bytes, the form of
//! arkworks' `Fq` and of `blst_fp`. It is *canonical* if it is below [`MODULUS`].
//! Addition and subtraction are the same function in Montgomery form and in plain form.
//!
//! ```
//! use field_kernels::{Fp, MODULUS, arithmetic};
//!
//! let one = [1, 0, 0, 0, 0, 0];
//! let minus_one = arithmetic::sub::<Fp>(&[0; 6], &one);
//! assert!(arithmetic::is_canonical::<Fp>(&minus_one));
//! assert_eq!(arithmetic::add::<Fp>(&minus_one, &one), [0; 6]);
//! assert!(!arithmetic::is_canonical::<Fp>(&MODULUS));
//! ```
//!
//! The scalar field's elements are 4 limbs, 32 bytes, the form of arkworks' `Fr` and of
//! `blst_fr`. [`Fp`] and [`Fr`] are the two fields as types, and [`Fp2`] is the quadratic
//! extension of the base field, 12 limbs; [`arithmetic`] computes in each, in Montgomery
//! form. Points of the two curves over [`Fp`] and [`Fp2`] are in [`curve`].
//!
//! # Kernels
//!
//! [`KERNELS`] lists the shaders; [`FIELD_ADD`] runs on every Vulkan device. Each
//! keeps one interface: entry point `main`; set 0 with storage buffers at bindings 0
//! and 1 (inputs) and 2 (output), elements without padding; a push constant block
//! whose first `u32` is the element count; one invocation an element along x.
//! Elements past the count, or past the shortest bound range, are neither read nor
//! written.
//!
//! [`VECTOR_KERNELS`] lists what vectors that stay on a device are computed with: a row
//! each, with a module for each field and [`Arithmetic`]. Those of
//! [`vector_kernels::ELEMENTWISE`] are no kernels by themselves: [`chain`] links the
//! functions of some [`ELEMENT_OPERATIONS`] into one.
//!
//! By default the crate embeds modules that were compiled beforehand, recorded in
//! [`MANIFEST_JSON`]. With the feature `shader-compile` its build script compiles
//! them, under `SHADER_OPT` (`zero`, `size` or `performance`) and `SHADER_STRICT`
//! (`1` makes a warning an error).

/// The module's bytes in a folder that the build script chose; the parts of its name are
/// put together.
macro_rules! module {
    ($folder:literal, $($name:expr),+) => {
        include_bytes!(concat!(env!($folder), "/", $($name,)+ ".spv")) // missing: cargo xtask shaders
    };
}

pub mod arithmetic;
pub mod chain;
pub mod curve;
#[doc(hidden)]
pub mod edge;
mod element;
mod extension;
mod field;
mod kernel;
mod limbs;
mod modulus;
pub mod operations;
pub mod params;
pub mod vector_kernels;

pub use curve::{Curve, G1, G2};
pub use element::{ElementId, ElementType, PRIME_FIELDS, PartialElement};
pub use extension::{ExtensionField, Fp2};
pub use field::{Field, Fp, Fr, PrimeField};
pub use kernel::{
    BLS12_381_FIELD_ADD_SPV, BinaryOp, FIELD_ADD, FIELD_ADD_U64, KERNELS, Kernel, MANIFEST_JSON,
    find_by_spirv,
};
pub use modulus::{FR_MODULUS, MODULUS};
pub use operations::{Bulk, ELEMENT_OPERATIONS, ElementOperation, FormRule};
pub use vector_kernels::{Arithmetic, VECTOR_KERNELS, VectorKernel, VectorModule};

/// 64-bit limbs in an element of the base field.
pub const LIMBS: usize = 6;

/// Bytes in an element of the base field.
pub const ELEMENT_BYTES: usize = LIMBS * size_of::<u64>();
