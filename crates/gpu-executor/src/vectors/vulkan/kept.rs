//! How a choice of kernels is written to a file.

use std::collections::HashMap;

use field_kernels::chain::{Layout, MemoryAccess};
use field_kernels::{Arithmetic, PRIME_FIELDS};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::choice::Choice;
use crate::calibration::Kept;

impl Kept for Choice {
    const STEM: &'static str = "vectors";

    fn is_whole(&self) -> bool {
        let layouts = self.0.iter().flat_map(|field| [field.light, field.heavy]);
        let mut sizes = layouts.map(|layout| layout.group_size);
        sizes.all(|size| [32, 64, 128].contains(&size))
    }
}

/// What is written of each field, by its name.
impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = PRIME_FIELDS.iter().map(|field| field.name());
        serializer.collect_map(fields.zip(&self.0))
    }
}

/// Among other things, which are left alone.
impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = HashMap::<String, Value>::deserialize(deserializer)?;
        let fields = PRIME_FIELDS.map(|field| {
            let choice = found.remove(field.name()).unwrap_or_default();
            serde_json::from_value(choice)
                .map_err(|error| D::Error::custom(format!("{}: {error}", field.name())))
        });
        let fields: Vec<_> = fields.into_iter().collect::<Result<_, _>>()?;
        let fields = fields.try_into();
        fields
            .map(Self)
            .map_err(|_| D::Error::custom("expected a choice for each field"))
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
