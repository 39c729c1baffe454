//! The engine with a trusted setup, and batches in windows.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use gpu_executor::vectors::{
    Bases, Completed, G1, Pending, PointCheck, Queue, TableMemory, VectorEngine,
};
use gpu_executor::{Cache, Engine};
use rayon::prelude::*;

use crate::evaluation::Points;
use crate::fk20::Fk20;
use crate::tables::Tables;
use crate::{Error, FIELD_ELEMENTS_PER_BLOB, Result, TrustedSetup};

/// Blobs that an engine computes in one submission.
pub const BLOBS_AT_ONCE: usize = 64;

/// Computes and verifies for blobs. Clones share all of it, and it may be used from several
/// threads.
#[derive(Clone)]
pub struct Kzg {
    pub(crate) shared: Arc<Shared>,
    watch: Option<Arc<Watch>>,
}

type Watch = dyn Fn(usize, usize) -> ControlFlow<()> + Send + Sync;

pub(crate) struct Shared {
    pub(crate) engine: VectorEngine,
    /// For points on the host.
    pub(crate) host: VectorEngine,
    pub(crate) setup: TrustedSetup,
    pub(crate) lagrange: Bases<G1>,
    pub(crate) points: Points,
    pub(crate) fk20: Fk20,
    pub(crate) tables: Tables,
}

impl Kzg {
    /// On an engine: of a Vulkan device, or of the CPU. Nothing is computed anywhere else, but
    /// what the crate's page says is the host's in any case. What proofs of cells need is made by
    /// [`Self::prepare`] or with the first of them, and kept in the user's cache folder.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn new(engine: &VectorEngine, setup: &TrustedSetup) -> Result<Self> {
        Self::with_tables(engine, setup, TableMemory::None, &Cache::User)
    }

    /// As [`Self::new`], with multiples of the points that commitments are sums of kept on the
    /// device, for as much memory as `tables` says: made now, in a part of a second on a GPU.
    /// The CPU has no use for them. These and what proofs of cells need are kept in files where
    /// `cache` says, private to the user, and read from there the next time. A file that is
    /// damaged is made anew, with a warning; one that cannot be written is a warning.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn with_tables(
        engine: &VectorEngine,
        setup: &TrustedSetup,
        tables: TableMemory,
        cache: &Cache,
    ) -> Result<Self> {
        let host = match engine.engine() {
            Engine::Cpu { .. } => engine.clone(),
            _ => VectorEngine::cpu()?,
        };
        let files = Tables::new(cache, setup);
        let prepared = || {
            let lagrange = engine.upload_points::<G1>(setup.lagrange(), PointCheck::Trusted)?;
            Ok(Bases::prepare(&lagrange, BLOBS_AT_ONCE, tables)?)
        };
        let lagrange = match (engine.engine(), tables) {
            (Engine::Vulkan { device, .. }, memory) if memory != TableMemory::None => {
                // How many multiples pay, and how many a kernel takes at once, is the device's.
                let kind = ("commitments", &*format!("{memory:?} {device}"));
                files.kept(engine, kind, FIELD_ELEMENTS_PER_BLOB, prepared)?
            }
            _ => prepared()?,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                engine: engine.clone(),
                host,
                setup: setup.clone(),
                lagrange,
                points: Points::new()?,
                fk20: Fk20::default(),
                tables: files,
            }),
            watch: None,
        })
    }

    /// As [`Self::with_tables`], with all that [`Self::prepare`] makes, for a progress bar on first
    /// use: calls `watch` first and after each part with the number of parts that are done and of
    /// all. What is read from files is done at once. Where `watch` breaks, no more is made.
    ///
    /// # Errors
    /// [`Error::Engine`] and [`Error::Cancelled`].
    pub fn with_tables_watched(
        engine: &VectorEngine,
        setup: &TrustedSetup,
        tables: TableMemory,
        cache: &Cache,
        watch: impl Fn(usize, usize) -> ControlFlow<()>,
    ) -> Result<Self> {
        // Those for commitments are one.
        let done = |parts| report(&watch, parts, 1 + Fk20::PARTS);
        done(0)?;
        let kzg = Self::with_tables(engine, setup, tables, cache)?;
        done(1)?;
        kzg.shared
            .fk20
            .prepare(&kzg.shared, &|parts| done(1 + parts))?;
        Ok(kzg)
    }

    /// Where blobs are computed.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.shared.engine.engine()
    }

    /// The same, whose batches call `watch` after each window with the number of blobs that
    /// are done and of all. Where that breaks, the batch ends with [`Error::Cancelled`]: for a
    /// progress bar, a button, a deadline.
    #[must_use]
    pub fn watched(
        &self,
        watch: impl Fn(usize, usize) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            watch: Some(Arc::new(watch)),
            ..self.clone()
        }
    }

    /// Makes now what the first proof of cells would have to wait for;
    /// [`Self::with_tables_watched`] says meanwhile how far it is.
    ///
    /// # Errors
    /// [`Error::Engine`].
    pub fn prepare(&self) -> Result<()> {
        self.shared.fk20.prepare(&self.shared, &|_| Ok(()))
    }

    /// A result for each item, in windows of which two are under way at a time. The host's
    /// threads `accept` items; those that pass are computed by what `record` records, and
    /// `finish` has as many results of what that left.
    pub(crate) fn in_windows<'a, I: Sync, P: Send + Sync, J, T>(
        &self,
        items: &'a [I],
        accept: impl Fn(&'a I) -> Result<P> + Sync,
        record: impl Fn(&Queue, &[P]) -> Result<J>,
        finish: impl Fn(&Completed, J, &[P]) -> Result<Vec<T>>,
    ) -> Result<Vec<Result<T>>> {
        let mut results = Vec::with_capacity(items.len());
        let mut settle = |window: Window<P, J>| {
            let start = Instant::now();
            let computed = match window.job {
                Some((pending, job)) => finish(&waited(pending)?, job, &window.accepted)?,
                None => Vec::new(),
            };
            tracing::debug!(waited_and_finished = ?start.elapsed(), "a window");
            let mut computed = computed.into_iter();
            results.extend(window.places.into_iter().filter_map(|place| match place {
                Ok(()) => computed.next().map(Ok),
                Err(error) => Some(Err(error)),
            }));
            match &self.watch {
                Some(watch) => report(&**watch, results.len(), items.len()),
                None => Ok(()),
            }
        };
        let mut under_way = None;
        for items in items.chunks(BLOBS_AT_ONCE) {
            let start = Instant::now();
            let checked = each(items, &accept);
            let of_checks = start.elapsed();
            let mut accepted = Vec::with_capacity(items.len());
            let places = checked.into_iter().map(|it| it.map(|it| accepted.push(it)));
            let places = places.collect();
            let job = match accepted.is_empty() {
                true => None,
                false => {
                    let queue = self.shared.engine.queue();
                    let job = record(&queue, &accepted)?;
                    Some((queue.submit()?, job))
                }
            };
            let (blobs, rest) = (accepted.len(), start.elapsed() - of_checks);
            tracing::debug!(blobs, checked = ?of_checks, uploaded_and_submitted = ?rest, "a window");
            let window = Window {
                places,
                accepted,
                job,
            };
            if let Some(before) = under_way.replace(window) {
                settle(before)?;
            }
        }
        under_way.map_or(Ok(()), &mut settle)?;
        Ok(results)
    }
}

/// Tells a caller, who may stop what is not done.
fn report(watch: &dyn Fn(usize, usize) -> ControlFlow<()>, done: usize, of: usize) -> Result<()> {
    match watch(done, of) {
        ControlFlow::Break(()) if done < of => Err(Error::Cancelled { done, of }),
        _ => Ok(()),
    }
}

struct Window<P, J> {
    /// For each item whether it is among the accepted ones.
    places: Vec<Result<()>>,
    accepted: Vec<P>,
    job: Option<(Pending, J)>,
}

/// What a window's submission left.
fn waited(pending: Pending) -> Result<Completed> {
    let completed = pending.wait()?;
    let report = completed.report();
    tracing::debug!(kernels = report.kernels, total = ?report.total, on_device = ?report.device_time, "computed");
    Ok(completed)
}

/// What `call` makes of each item, by the host's threads; of a single one sooner than a thread
/// wakes.
pub(crate) fn each<'a, I: Sync, T: Send>(
    items: &'a [I],
    call: impl Fn(&'a I) -> T + Sync,
) -> Vec<T> {
    match items {
        [item] => vec![call(item)],
        items => items.par_iter().map(&call).collect(),
    }
}

/// The result of the only item.
pub(crate) fn only<T>(results: Vec<Result<T>>) -> Result<T> {
    let nothing = || Error::MismatchLength {
        what: "results",
        of: "items",
        expected: 1,
        found: 0,
    };
    results.into_iter().next().unwrap_or_else(|| Err(nothing()))
}

impl fmt::Debug for Kzg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kzg").field(&self.engine()).finish()
    }
}
