//! Tables of points in the user's cache folder: made once, then read.

use std::path::PathBuf;

use gpu_executor::vectors::{Bases, G1, VectorEngine};
use gpu_executor::{Cache, Error as EngineError};
use sha2::{Digest as _, Sha256};

use crate::{Bytes32, Result, TrustedSetup};

/// The version of what tables are, beside that of the library.
const VERSION: u32 = 1;

/// Where the tables of a setup are kept.
pub(crate) struct Tables {
    folder: Option<PathBuf>,
    setup: Bytes32,
}

impl Tables {
    pub(crate) fn new(cache: &Cache, setup: &TrustedSetup) -> Self {
        Self {
            folder: cache.folder(),
            setup: *setup.hash(),
        }
    }

    /// The table of `points` points that is in the file of its kind and of what else it
    /// `depends_on`, or what `make` makes and the file has from now on.
    pub(crate) fn kept(
        &self,
        engine: &VectorEngine,
        (kind, depends_on): (&str, &str),
        points: usize,
        make: impl FnOnce() -> Result<Bases<G1>>,
    ) -> Result<Bases<G1>> {
        let Some(path) = self.path(kind, depends_on) else {
            return make();
        };
        // A link is there, wherever it leads.
        if path.symlink_metadata().is_ok() {
            match Bases::load(engine, &path) {
                Ok(bases) if bases.len() == points => return Ok(bases),
                Ok(bases) => {
                    let (path, found) = (path.display(), bases.len());
                    tracing::warn!("{path} is not used: expected {points} bases, found {found}");
                }
                Err(error @ EngineError::BasesFile { .. }) => {
                    tracing::warn!("a table is made anew: {error}");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let made = make()?;
        match made.save(&path) {
            Ok(()) => {}
            Err(error @ EngineError::BasesFile { .. }) => {
                tracing::warn!("a table cannot be kept: {error}");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(made)
    }

    /// The file, whose name has the hash of all that the table depends on.
    fn path(&self, kind: &str, depends_on: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let library = env!("CARGO_PKG_VERSION");
        let hash = Sha256::new()
            .chain_update(self.setup)
            .chain_update(format!("{library} {VERSION} {kind} {depends_on}"))
            .finalize();
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(folder.join(format!("kzg-{kind}-{digits}.bases")))
    }
}
