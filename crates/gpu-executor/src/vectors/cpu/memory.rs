//! Host memory for vectors, used again by the next ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use vk_core::{Process, lock};

use crate::Error;

/// Limbs of a vector; the memory goes back to its pool.
#[derive(Debug)]
pub(crate) struct Words {
    words: Vec<u64>,
    pool: Arc<Pool>,
}

/// Bytes that a pool keeps at most.
const MOST_FREE: usize = 4 << 30;

/// Memory that no vector uses. Its pages are there already, which saves more time than
/// any arithmetic on them takes.
#[derive(Debug)]
pub(crate) struct Pool {
    process: Process,
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    by_length: BTreeMap<usize, Vec<Vec<u64>>>,
    bytes: usize,
}

impl Words {
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u64] {
        &mut self.words
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // In a forked process the pool may be locked for good.
        if self.pool.process.is_current() {
            self.pool.give_back(std::mem::take(&mut self.words));
        }
    }
}

impl Pool {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            process: Process::current(),
            free: Mutex::default(),
        })
    }

    /// `limbs` limbs that hold anything.
    ///
    /// # Errors
    /// [`Error::OutOfHostMemory`], where freeing what the pool holds does not help.
    pub(super) fn take(self: &Arc<Self>, limbs: usize) -> Result<Words, Error> {
        let words = match self.known(limbs) {
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
        std::mem::take(&mut *lock(&self.free)).bytes
    }

    fn known(&self, limbs: usize) -> Option<Vec<u64>> {
        let mut free = lock(&self.free);
        let words = free.by_length.get_mut(&limbs)?.pop()?;
        free.bytes -= size_of_val(words.as_slice());
        Some(words)
    }

    fn give_back(&self, words: Vec<u64>) {
        let bytes = size_of_val(words.as_slice());
        let mut free = lock(&self.free);
        if bytes <= MOST_FREE - free.bytes {
            free.bytes += bytes;
            free.by_length.entry(words.len()).or_default().push(words);
        }
    }

    fn make(&self, limbs: usize) -> Result<Vec<u64>, Error> {
        // Zeroed by the system, page by page, by whichever thread writes there first.
        let make = || bytemuck::allocation::try_zeroed_vec(limbs);
        let made = make().or_else(|()| {
            self.trim();
            make()
        });
        made.map_err(|()| Error::OutOfHostMemory {
            purpose: "a vector".to_owned(),
            requested: limbs.saturating_mul(size_of::<u64>()),
        })
    }
}
