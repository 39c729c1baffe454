//! Programs on the host's processor.

mod arithmetic;
#[cfg(feature = "blst")]
mod blst;
mod chain;
mod families;
mod flight;
mod memory;
mod run;
mod threads;

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use field_kernels::chain::{MAX_INPUTS, MAX_OUTPUTS};
use field_kernels::{Field, FieldId, Fp, Fr};

use self::flight::CpuFlight;
use self::threads::{Job, Threads};
use super::plan::{Fusion, Stage};
use super::program::Program;
use super::runner::{Begun, Did, Runner, internal};
use super::value::Stored;
use crate::{Engine, Error, Inputs, canonical};
pub(crate) use flight::Place;

/// Elements that one thread computes at a time: few enough for all values of a chain
/// to stay in its caches.
const GRAIN: usize = 512;
/// The most operations of one pass: the values of longer ones leave the caches.
const MOST_OPERATIONS: usize = 32;
/// Limbs that one thread copies at a time.
const PIECE: usize = 16 << 10;

/// One engine on the CPU.
pub(crate) struct CpuRunner(Threads);

impl CpuRunner {
    /// On `threads` threads; 0 means one per core.
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        Ok(Self(Threads::start(threads)?))
    }
}

impl Runner for CpuRunner {
    fn engine(&self) -> Engine {
        Engine::Cpu {
            threads: self.0.count(),
        }
    }

    fn fusion(&self) -> Fusion {
        Fusion {
            buffers: MAX_INPUTS + MAX_OUTPUTS,
            operations: MOST_OPERATIONS,
            products: u32::MAX,
        }
    }

    fn upload(&self, field: FieldId, words: &[u64], inputs: Inputs) -> Result<Stored, Error> {
        let refused = match (inputs, field) {
            (Inputs::Any, _) => None,
            (Inputs::Canonical, FieldId::Fp) => canonical::first_refused::<Fp>(Fp::elements(words)),
            (Inputs::Canonical, FieldId::Fr) => canonical::first_refused::<Fr>(Fr::elements(words)),
        };
        match refused {
            Some(element) => Err(canonical::refused(field, words, element)),
            None => {
                let shared = self.0.here()?.shared();
                let mut copy = shared.pool.take(words.len())?;
                let pieces = copy.as_mut_slice().chunks_mut(PIECE);
                let pieces: Vec<_> = pieces.zip(words.chunks(PIECE)).collect();
                let copy_one = |(to, from): (&mut [u64], &[u64])| to.copy_from_slice(from);
                shared.copy_each(pieces, copy_one);
                Ok(Stored::Host(Place::of(copy)))
            }
        }
    }

    fn download(
        &self,
        field: FieldId,
        stored: &Stored,
        elements: Range<usize>,
        out: &mut [MaybeUninit<u64>],
    ) -> Result<(), Error> {
        let limbs = field.limbs();
        let words = limbs_of(stored, "download")?;
        let wanted = words.get(elements.start * limbs..elements.end * limbs);
        let wanted = wanted.filter(|wanted| wanted.len() == out.len());
        let wanted = wanted.ok_or_else(|| internal("the elements of a vector"))?;
        let pieces: Vec<_> = out.chunks_mut(PIECE).zip(wanted.chunks(PIECE)).collect();
        let copy_one = |(to, from): (&mut [MaybeUninit<u64>], &[u64])| {
            to.write_copy_of_slice(from);
        };
        self.0.here()?.shared().copy_each(pieces, copy_one);
        Ok(())
    }

    fn run(
        &self,
        program: Program,
        stages: Vec<Stage>,
        is_live: Vec<bool>,
    ) -> Result<Begun, Error> {
        let threads = self.0.here()?;
        let flight = CpuFlight::new(threads.process());
        let live = (0..program.nodes.len()).filter(|node| is_live[*node]);
        let results: Vec<_> = live.map(|node| (node, Place::promised(&flight))).collect();
        let stored = results.iter().cloned();
        let begun = Begun {
            stored: stored
                .map(|(node, place)| (node, Stored::Host(place)))
                .collect(),
            did: Did {
                kernels: stages.len(),
                ..Did::default()
            },
            flight: Arc::clone(&flight) as _,
        };
        threads.give(Job {
            program,
            stages,
            results,
            flight,
        })?;
        Ok(begun)
    }

    fn trim(&self) -> usize {
        self.0
            .here()
            .map_or(0, |threads| threads.shared().pool.trim())
    }

    fn calibrate(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The limbs of what is stored on the host. Waits for what computes them.
fn limbs_of<'s>(stored: &'s Stored, operation: &'static str) -> Result<&'s [u64], Error> {
    match stored {
        Stored::Host(place) => place.limbs(operation),
        Stored::Nowhere => Ok(&[]),
        Stored::Device(_) => Err(internal("elements in host memory")),
    }
}

#[cfg(test)]
mod tests;
