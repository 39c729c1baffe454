//! Which modules may run at all.

use sha2::{Digest, Sha256};

use crate::Error;

/// Which SPIR-V modules a [`crate::KernelCache`] makes kernels of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SpirvPolicy {
    /// Every module that passes the check.
    #[default]
    AnyChecked,
    /// Of the modules that pass the check, those whose SHA-256 is listed.
    Only(Vec<[u8; 32]>),
}

impl SpirvPolicy {
    /// Checks that a module with this SHA-256 may run.
    ///
    /// # Errors
    /// [`Error::SpirvNotAllowed`] naming the hash.
    pub fn expect_allowed(&self, hash: &[u8; 32]) -> Result<(), Error> {
        match self {
            Self::AnyChecked => Ok(()),
            Self::Only(allowed) if allowed.contains(hash) => Ok(()),
            Self::Only(_) => Err(Error::SpirvNotAllowed {
                sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            }),
        }
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
        let (known, unknown) = (spirv_hash(b"abc"), spirv_hash(b"abd"));
        let only = SpirvPolicy::Only(vec![known]);
        assert_eq!(only.expect_allowed(&known), Ok(()));
        assert_eq!(SpirvPolicy::AnyChecked.expect_allowed(&unknown), Ok(()));
        let text = only.expect_allowed(&unknown).unwrap_err().to_string();
        let hash = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";
        assert!(text.contains(hash), "{text}");
        assert!(
            SpirvPolicy::Only(Vec::new())
                .expect_allowed(&known)
                .is_err()
        );
    }
}
