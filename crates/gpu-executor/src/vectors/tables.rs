//! Tables: what an engine makes once for an operation and keeps for the next ones, such as
//! twiddles and prepared bases.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use field_kernels::ElementId;
use vk_core::lock;

/// Which table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableKey {
    /// What it is of, by the name of whoever makes it.
    pub(crate) name: &'static str,
    /// The type of its elements, or of those that it is for.
    pub(crate) element: ElementId,
    /// What else it depends on.
    pub(crate) parameters: Vec<u64>,
}

/// The tables of one engine, in memory of its pool.
#[derive(Debug)]
pub(crate) struct Tables<K, T>(Mutex<HashMap<K, Arc<T>>>);

impl<K: Eq + Hash, T> Tables<K, T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) fn get(&self, key: &K) -> Option<Arc<T>> {
        lock(&self.0).get(key).map(Arc::clone)
    }

    pub(crate) fn keep(&self, key: K, table: Arc<T>) {
        lock(&self.0).insert(key, table);
    }

    /// Lets go of all, and says whether there were any. Memory goes back to the pool with
    /// whoever still uses it.
    pub(crate) fn let_go(&self) -> bool {
        let tables = std::mem::take(&mut *lock(&self.0));
        !tables.is_empty()
    }

    /// What `take` takes of the memory that the tables are in. Where it fails because that
    /// `is_full`, they are given up for it.
    pub(crate) fn make_room<R, E>(
        &self,
        is_full: impl Fn(&E) -> bool,
        take: impl Fn() -> Result<R, E>,
    ) -> Result<R, E> {
        match take() {
            Err(error) if is_full(&error) && self.let_go() => take(),
            taken => taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn tables_are_given_up_where_memory_runs_out_and_for_nothing_else() {
        let tables = Tables::new();
        let asked = Cell::new(0);
        let take = |error: &'static str| {
            tables.make_room(
                |error| *error == "full",
                || {
                    asked.set(asked.get() + 1);
                    tables.get(&1).map_or(Ok(()), |_| Err(error))
                },
            )
        };
        tables.keep(1, Arc::new("a table"));
        assert_eq!((take("lost"), asked.take()), (Err("lost"), 1));
        assert_eq!((take("full"), asked.take()), (Ok(()), 2));
        assert_eq!((take("full"), asked.take()), (Ok(()), 1));
    }
}
