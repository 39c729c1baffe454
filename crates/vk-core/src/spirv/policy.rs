//! Which modules may run at all, and who looks at them first.

use sha2::{Digest, Sha256};

use super::SpirvValidation;
use crate::Error;

/// Which SPIR-V modules a [`crate::KernelCache`] makes kernels of. Default: all that
/// keep the interface, validated where the validator is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpirvPolicy {
    /// The SHA-256 of each module that may run, beside [`Self::own`]; `None` for any.
    pub only: Option<Vec<[u8; 32]>>,
    /// The SHA-256 of each module that is known to be valid: these always run, and the
    /// validator is not asked about them.
    pub own: Vec<[u8; 32]>,
    /// Whether the others must pass the validator.
    pub validation: SpirvValidation,
}

impl SpirvPolicy {
    /// Checks that a module with this SHA-256 may run.
    pub(crate) fn expect_allowed(&self, hash: &[u8; 32]) -> Result<(), Error> {
        let listed = |only: &Vec<[u8; 32]>| only.contains(hash);
        match self.is_own(hash) || self.only.as_ref().is_none_or(listed) {
            true => Ok(()),
            false => Err(Error::SpirvNotAllowed {
                sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            }),
        }
    }

    /// Whether the module with this SHA-256 is one of [`Self::own`].
    pub(crate) fn is_own(&self, hash: &[u8; 32]) -> bool {
        self.own.contains(hash)
    }
}

/// The SHA-256 of a SPIR-V module's bytes, as `sha256sum` prints it of the
/// file.
#[must_use]
pub fn spirv_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_allows_what_is_on_it_and_names_what_is_not() {
        let (known, own, unknown) = (spirv_hash(b"abc"), spirv_hash(b"a"), spirv_hash(b"abd"));
        let only = SpirvPolicy {
            only: Some(vec![known]),
            own: vec![own],
            ..SpirvPolicy::default()
        };
        assert_eq!(only.expect_allowed(&known), Ok(()));
        assert_eq!(only.expect_allowed(&own), Ok(()));
        assert_eq!(SpirvPolicy::default().expect_allowed(&unknown), Ok(()));
        let text = only.expect_allowed(&unknown).unwrap_err().to_string();
        let hash = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";
        assert!(text.contains(hash), "{text}");
    }
}
