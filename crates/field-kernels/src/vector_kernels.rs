//! The registry of what vectors are computed with: a row for each kernel, with a module for
//! each field and each way to compute in it, all of one source.

use std::fmt;

use crate::ElementId;
use crate::chain::{self, CONSTANT_WORDS, MAX_INPUTS, MAX_OUTPUTS, Unlinkable};

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

/// A kernel over whole vectors, or the template of [`crate::chain`]: a row.
#[derive(Debug)]
pub struct VectorKernel {
    /// Its name, of which those of its modules are made.
    pub name: &'static str,
    /// Storage buffers that it binds.
    pub bindings: usize,
    /// Words of its push constants.
    pub constant_words: usize,
    /// Invocations of one workgroup; of kernels that leave it open, the most.
    pub group_size: u32,
    /// Whether invocations of a subgroup hand values to one another, which a device may lack.
    pub needs_shuffle: bool,
    /// Its modules: for each field those of its arithmetics.
    pub modules: &'static [&'static [VectorModule]],
}

/// A module of a kernel.
#[derive(Debug, Clone, Copy)]
pub struct VectorModule {
    /// Its name, which its source's variant line gives it.
    pub name: &'static str,
    /// The field it computes in; `None` where it knows none.
    pub field: Option<ElementId>,
    /// What it computes with.
    pub arithmetic: Arithmetic,
    /// The module's bytes: little-endian 32-bit words, at any alignment.
    pub spirv: &'static [u8],
}

impl VectorKernel {
    /// All of its modules.
    pub fn modules(&self) -> impl Iterator<Item = &'static VectorModule> + use<> {
        self.modules.iter().copied().flatten()
    }

    /// Its module for `field`: the one that multiplies by `arithmetic`, or where there is
    /// none the one that does it by less.
    #[must_use]
    pub fn module(
        &self,
        field: ElementId,
        arithmetic: Arithmetic,
    ) -> Option<&'static VectorModule> {
        let fits = |module: &&VectorModule| {
            module.field.is_none_or(|of| of == field) && module.arithmetic <= arithmetic
        };
        self.modules()
            .filter(fits)
            .max_by_key(|module| module.arithmetic)
    }
}

impl VectorModule {
    /// The words of its SPIR-V.
    #[must_use]
    pub fn words(&self) -> Vec<u32> {
        let words = self.spirv.as_chunks().0.iter();
        words.map(|word| u32::from_le_bytes(*word)).collect()
    }

    /// The same for workgroups of so many invocations, of a module that leaves that open: it
    /// is its specialization constant 0.
    ///
    /// # Errors
    /// For a module that does not.
    pub fn words_in_groups_of(&self, invocations: u32) -> Result<Vec<u32>, Unlinkable> {
        chain::in_groups_of(self.spirv, invocations)
    }
}

/// The modules of one row: `{}` for one that knows no field, `{fp fr}` for one of each
/// field, `{fp fr: [U32 u32, U64 u64]}` for one of each field and arithmetic.
macro_rules! modules {
    ($name:literal {}) => { &[&[modules!(@module None, U32, $name)]] };
    ($name:literal {$($field:ident)+}) => {
        &[$(&[modules!(@module Some(modules!(@field $field)), U32, stringify!($field), "_", $name)]),+]
    };
    ($name:literal {$($field:ident)+: $arithmetics:tt}) => {
        &[$(modules!(@by $arithmetics $field $name)),+]
    };
    (@by [$($arithmetic:ident $suffix:ident),+] $field:ident $name:literal) => {
        &[$(modules!(
            @module Some(modules!(@field $field)), $arithmetic,
            stringify!($field), "_", $name, "_", stringify!($suffix)
        )),+]
    };
    (@field fp) => { <crate::Fp as crate::ElementType>::ID };
    (@field fp2) => { <crate::Fp2 as crate::ElementType>::ID };
    (@field fr) => { <crate::Fr as crate::ElementType>::ID };
    (@module $field:expr, $arithmetic:ident, $($part:expr),+) => {
        VectorModule {
            name: concat!($($part),+),
            field: $field,
            arithmetic: Arithmetic::$arithmetic,
            spirv: module!("FIELD_KERNELS_EMBEDDED_DIR", $($part),+),
        }
    };
}

/// A row each: name, bindings, words of push constants, invocations of a workgroup, modules,
/// and `shuffled` where it needs that.
macro_rules! vector_kernels {
    (@needs_shuffle) => { false };
    (@needs_shuffle shuffled) => { true };
    ($($(#[$doc:meta])* $row:ident = $name:literal, $bindings:expr, $words:expr, $group:expr, $modules:tt
        $(, $shuffled:ident)?;)*) => {
        $($(#[$doc])* pub static $row: VectorKernel = VectorKernel {
            name: $name,
            bindings: $bindings,
            constant_words: $words,
            group_size: $group,
            needs_shuffle: vector_kernels!(@needs_shuffle $($shuffled)?),
            modules: modules!($name $modules),
        };)*

        /// Every kernel.
        pub static VECTOR_KERNELS: &[&VectorKernel] = &[$(&$row),*];
    };
}

vector_kernels! {
    /// Functions that [`crate::chain`] links.
    ELEMENTWISE = "elementwise", MAX_INPUTS + MAX_OUTPUTS, CONSTANT_WORDS, 128,
        {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of the words of a vector for each workgroup, whose size is a multiple of the
    /// parts of an element of either field.
    SUM_PARTS = "sum_parts", 2, 4, 96, {fp fr fp2};
    /// A sum out of those.
    SUM_FINISH = "sum_finish", 2, 3, 96, {fp fr fp2: [U32 u32, U64 u64]};
    /// A product for each workgroup.
    PRODUCT = "product", 3, 5, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// An inner product for each workgroup.
    INNER_PRODUCT = "inner_product", 3, 5, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// The way up of the batched inverse: products.
    INVERSE_UP = "inverse_up", 4, 7, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Its way down: inverses.
    INVERSE_DOWN = "inverse_down", 4, 7, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Tables of powers, for the kernels that follow.
    POWER_TABLES = "power_tables", 2, 4, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// The powers of an element.
    POWERS = "powers", 3, 6, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Coefficients of a polynomial to fewer, for its values.
    EVALUATE = "evaluate", 3, 8, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// The way up of running sums.
    SCAN_SUM_UP = "scan_sum_up", 3, 7, 128, {fp fr fp2: [U32 u32, U64 u64]};
    /// Their way down.
    SCAN_SUM_DOWN = "scan_sum_down", 4, 10, 128, {fp fr fp2: [U32 u32, U64 u64]};
    /// The way up of running products.
    SCAN_PRODUCT_UP = "scan_product_up", 3, 7, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Their way down.
    SCAN_PRODUCT_DOWN = "scan_product_down", 4, 10, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// The way up of a running Horner's rule.
    SCAN_HORNER_UP = "scan_horner_up", 4, 7, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Its way down.
    SCAN_HORNER_DOWN = "scan_horner_down", 5, 10, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums along the columns of a matrix.
    COLUMN_SUMS = "column_sums", 3, 6, 128, {fp fr fp2};
    /// A sum of up to 8 vectors, each times a scalar.
    LINEAR_COMBINATION = "linear_combination", 10, 13, 128, {fp fr fp2: [U32 u32, U64 u64, F64 f64]};
    /// A pass of a transform, in workgroups of 32 to 256 invocations.
    TRANSFORM = "transform", 3, 14, 256, {fr: [U32 u32, U64 u64, F64 f64]};
    /// The same, which hands elements from register to register inside of a subgroup.
    TRANSFORM_SHUFFLE = "transform_shuffle", 3, 14, 256, {fr: [U32 u32, U64 u64, F64 f64]}, shuffled;
    /// Square roots, each the one that a sign names.
    ROOTS = "roots", 3, 5, 64, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Points times integers.
    MULTIPLY_POINTS = "multiply_points", 5, 6, 64, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of points to affine points.
    NORMALISE = "normalise", 3, 4, 64, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Multiples of points, for maps.
    MAP_POINTS_MULTIPLES = "map_points_multiples", 2, 8, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of such multiples, by what a map takes of each.
    MAP_POINTS_SUMS = "map_points_sums", 3, 22, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The same of affine multiples.
    MAP_POINTS_SUMS_OF_AFFINE = "map_points_sums_of_affine", 3, 22, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The x of points times a cube root of unity.
    MSM_IMAGES = "msm_images", 2, 15, 128, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// How many entries of a multi-scalar multiplication each bucket has.
    MSM_COUNT = "msm_count", 2, 20, 128, {fr};
    /// How many of these there are in each block of buckets.
    MSM_BLOCK_SUMS = "msm_block_sums", 2, 3, 256, {};
    /// Where each bucket starts.
    MSM_OFFSETS = "msm_offsets", 2, 3, 256, {};
    /// Its entries, by bucket.
    MSM_SCATTER = "msm_scatter", 3, 20, 128, {fr};
    /// Scalars in two halves, by windows of 4 bits.
    SPLIT_SCALARS = "split_scalars", 2, 20, 128, {fr};
    /// Sums of stretches of entries.
    MSM_ACCUMULATE = "msm_accumulate", 6, 11, 64, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of buckets, out of those.
    MSM_BUCKETS = "msm_buckets", 4, 7, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The same, of few.
    MSM_FEW_BUCKETS = "msm_few_buckets", 4, 7, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The same of buckets of many stretches.
    MSM_LONG_BUCKETS = "msm_long_buckets", 4, 7, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of buckets to sums of one weight.
    MSM_FOLD = "msm_fold", 2, 5, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The same, of few.
    MSM_FOLD_FEW = "msm_fold_few", 2, 5, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// Sums of one weight to one.
    MSM_JOIN = "msm_join", 2, 7, 32, {fp fp2: [U32 u32, U64 u64, F64 f64]};
    /// The bit-reversed order.
    BIT_REVERSE = "bit_reverse", 2, 3, 128, {fp fr fp2};
    /// Elements from every so-manieth place to every so-manieth.
    STRIDED = "strided", 2, 6, 128, {};
    /// Elements by their indices.
    INDEXED = "indexed", 3, 5, 128, {};
    /// Whether two vectors are equal.
    EQUAL = "equal", 3, 5, 128, {};
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ElementType as _;

    #[test]
    fn every_kernel_has_a_module_for_every_device() {
        for kernel in VECTOR_KERNELS {
            assert!(!kernel.modules.is_empty(), "{}", kernel.name);
            for of_field in kernel.modules {
                // A transform is of one field, most are of all.
                let field = of_field[0].field.unwrap_or(crate::Fp::ID);
                let least = kernel.module(field, Arithmetic::U32).unwrap();
                assert_eq!(least.arithmetic, Arithmetic::U32);
                let most = kernel.module(field, Arithmetic::F64).unwrap();
                assert!(most.arithmetic >= least.arithmetic);
            }
        }
    }

    #[test]
    fn names_are_unique_and_tell_kernel_field_and_arithmetic() {
        let mut names = BTreeSet::new();
        for kernel in VECTOR_KERNELS {
            assert!(names.insert(kernel.name), "{}", kernel.name);
            let mut members = BTreeSet::new();
            for module in kernel.modules() {
                let field = module.field.map_or(String::new(), |it| format!("{it}_"));
                let alone = format!("{field}{}", kernel.name);
                let full = format!("{alone}_{}", module.arithmetic);
                let is_only = !kernel.modules.iter().any(|of_field| of_field.len() > 1);
                assert_eq!(module.name, if is_only { alone } else { full });
                assert!(
                    members.insert((module.field, module.arithmetic)),
                    "{}",
                    module.name
                );
            }
        }
    }
}
