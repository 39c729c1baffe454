//! Host memory for vectors, used again by the next ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Limbs of a vector; the memory goes back to its pool.
#[derive(Debug)]
pub(crate) struct Words {
    words: Vec<u64>,
    pool: Arc<Pool>,
}

/// Memory that no vector uses, by its length. Its pages are there already, which
/// saves more time than any arithmetic on them takes.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<BTreeMap<usize, Vec<Vec<u64>>>>);

impl Words {
    pub(super) fn as_slice(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u64] {
        &mut self.words
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        let words = std::mem::take(&mut self.words);
        self.pool.lock().entry(words.len()).or_default().push(words);
    }
}

impl Pool {
    /// `limbs` limbs that hold anything.
    ///
    /// # Errors
    /// [`Error::OutOfHostMemory`], where freeing what the pool holds does not help.
    pub(super) fn take(self: &Arc<Self>, limbs: usize) -> Result<Words, Error> {
        let known = self.lock().get_mut(&limbs).and_then(Vec::pop);
        let words = match known {
            Some(words) => words,
            None => self.make(limbs)?,
        };
        Ok(Words {
            words,
            pool: Arc::clone(self),
        })
    }

    /// Frees what no vector uses; how many bytes that was.
    pub(super) fn trim(&self) -> usize {
        let free = std::mem::take(&mut *self.lock());
        let bytes = |(limbs, all): (usize, Vec<_>)| limbs * size_of::<u64>() * all.len();
        free.into_iter().map(bytes).sum()
    }

    fn make(&self, limbs: usize) -> Result<Vec<u64>, Error> {
        // Zeroed by the system, page by page, by whichever thread writes there first.
        let make = || bytemuck::allocation::try_zeroed_vec(limbs);
        let made = make().or_else(|()| {
            self.trim();
            make()
        });
        made.map_err(|()| Error::OutOfHostMemory {
            job: 0,
            requested: limbs.saturating_mul(size_of::<u64>()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Vec<Vec<u64>>>> {
        // Each change is one push or pop, so a panic elsewhere left it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
