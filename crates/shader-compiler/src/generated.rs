//! Shader includes that are generated, so that no constant is written twice.

use std::fs;
use std::path::Path;

use crate::source::cannot;

/// A generated file of a shader root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its path below the root.
    pub path: String,
    /// What it must hold.
    pub contents: String,
}

impl Generated {
    /// Writes the file if it differs; says whether it did.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, root: &Path) -> anyhow::Result<bool> {
        if self.is_current(root) {
            return Ok(false);
        }
        let path = root.join(&self.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(cannot("create", folder))?;
        }
        fs::write(&path, &self.contents).map_err(cannot("write", &path))?;
        Ok(true)
    }

    /// Whether the file holds what it must. A file that cannot be read does not.
    pub(crate) fn is_current(&self, root: &Path) -> bool {
        crate::source::read_text(&root.join(&self.path)).is_ok_and(|found| found == self.contents)
    }
}
