//! How a choice of kernels is written to a file.

use field_kernels::Arithmetic;
use field_kernels::chain::{Layout, MemoryAccess};
use serde::{Deserialize, Serialize};

use super::choice::Choice;
use crate::calibration::Kept;

impl Kept for Choice {
    const STEM: &'static str = "vectors";

    fn is_whole(&self) -> bool {
        let layouts = [self.fp, self.fr].map(|field| [field.light, field.heavy]);
        let mut sizes = layouts.iter().flatten().map(|layout| layout.group_size);
        sizes.all(|size| [32, 64, 128].contains(&size))
    }
}

/// [`Arithmetic`], as it is written.
#[derive(Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Arithmetic", rename_all = "lowercase")]
pub(super) enum ArithmeticName {
    U32,
    U64,
    F64,
}

/// [`MemoryAccess`], as it is written.
#[derive(Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "MemoryAccess", rename_all = "kebab-case")]
pub(super) enum AccessName {
    Direct,
    Staged,
    StagedStores,
}

/// [`Layout`], as it is written.
#[derive(Serialize, Deserialize)]
#[non_exhaustive]
#[serde(remote = "Layout")]
pub(super) struct LayoutFields {
    #[serde(with = "AccessName")]
    access: MemoryAccess,
    group_size: u32,
}
