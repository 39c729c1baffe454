//! Programs on the host's processor.

mod blst;
mod chain;
mod curve;
mod flight;
mod memory;
mod msm;
mod run;
mod threads;

use std::mem::MaybeUninit;
use std::sync::Arc;

use bytemuck::must_cast_slice;
use field_kernels::chain::{MAX_INPUTS, MAX_OUTPUTS};
use vk_mem_paths::{ElementFormat, Least};

pub(crate) use self::blst::CpuField;
use self::flight::CpuFlight;
use self::threads::{Submission, Threads};
use super::elements::{as_bytes, as_uninit};
use super::plan::{Fusion, Stage};
use super::program::Program;
use super::runner::{Begun, Did, Runner, internal};
use super::value::Stored;
use crate::{Engine, Error};
pub(crate) use curve::BlstCurve;
pub(crate) use flight::HostElements;
pub(crate) use memory::Words;
pub(crate) use msm::{HostScalars, msm, products};
pub(crate) use run::Run;

/// Elements that one thread computes at a time: few enough for all values of a chain
/// to stay in its caches.
pub(crate) const GRAIN: usize = 512;
/// The most operations of one pass: the values of longer ones leave the caches.
const MOST_OPERATIONS: usize = 32;
/// Elements that one thread checks and copies at a time.
const PIECE: usize = 4096;
/// Bytes that one thread copies at a time.
const COPIED: usize = 128 << 10;

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

    fn upload(&self, parts: &[&[u8]], element: ElementFormat) -> Result<Stored, Error> {
        let shared = self.0.here()?.shared();
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let room = bytes.next_multiple_of(element.bytes);
        let mut copy = shared.take(room / size_of::<u64>())?;
        let mut rest = as_bytes(as_uninit(copy.as_mut_slice()));
        let (mut pieces, mut first) = (Vec::new(), 0);
        for from in parts
            .iter()
            .flat_map(|part| part.chunks(PIECE * element.bytes))
        {
            let (to, after) = rest.split_at_mut(from.len());
            pieces.push((first, to, from));
            (rest, first) = (after, first + from.len() / element.bytes);
        }
        let refused = Least::default();
        shared.copy_each(pieces, |(first, to, from)| match element.check {
            Some(checked_copy) => {
                if let Some(found) = checked_copy(from, to) {
                    refused.note(found.after(first));
                }
            }
            None => {
                to.write_copy_of_slice(from);
            }
        });
        match refused.into_inner() {
            None => Ok(Stored::Host(HostElements::of(copy))),
            Some(refused) => Err(refused.into()),
        }
    }

    fn download(
        &self,
        stored: &Stored,
        first: usize,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error> {
        let bytes = must_cast_slice::<u64, u8>(limbs_of(stored, "download")?);
        let wanted = bytes.get(first..first + out.len());
        let wanted = wanted.ok_or_else(|| internal("the elements of a vector"))?;
        let pieces = out.chunks_mut(COPIED).zip(wanted.chunks(COPIED)).collect();
        let copy_one = |(to, from): (&mut [MaybeUninit<u8>], &[u8])| {
            to.write_copy_of_slice(from);
        };
        self.0.here()?.shared().copy_each(pieces, copy_one);
        Ok(())
    }

    fn run(&self, program: Program, stages: Vec<Stage>) -> Result<Begun, Error> {
        let threads = self.0.here()?;
        let flight = CpuFlight::new(threads.process());
        let live = program
            .results
            .iter()
            .enumerate()
            .filter(|(_, it)| it.is_live);
        let results = live.map(|(result, _)| (result, HostElements::promised(&flight)));
        let results: Vec<_> = results.collect();
        let stored = results.iter().cloned();
        let begun = Begun {
            stored: stored
                .map(|(result, place)| (result, Stored::Host(place)))
                .collect(),
            did: Did {
                kernels: stages.len(),
                ..Did::default()
            },
            flight: Arc::clone(&flight) as _,
        };
        threads.give(Submission {
            program,
            stages,
            results,
            flight,
        })?;
        Ok(begun)
    }

    fn on_host(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<(), Error> {
        self.0.here()?.shared().for_each((0..count).collect(), task)
    }

    fn is_for_points(&self, _: usize) -> bool {
        false
    }

    fn trim(&self) -> usize {
        self.0.here().map_or(0, |threads| threads.shared().trim())
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
