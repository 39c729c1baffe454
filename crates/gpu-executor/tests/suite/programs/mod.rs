//! Random programs over vectors: the same operations on several engines and by
//! arkworks, and everything compared.
//!
//! They are made to be hard on fusion, on the use of memory again and on barriers: the
//! same vector twice, slices that overlap, an element of a vector as a scalar for that
//! vector, results in place with clones that must keep the old elements, vectors that
//! are dropped before they are computed, and queues that do not wait for each other.
#![allow(
    clippy::unwrap_used,
    reason = "a test helper: a failure here is the test's failure"
)]

mod world;

use anyhow::{Context, ensure};
use field_kernels::{Fp, Fr, G1};
use gpu_executor::vectors::{Completed, Pending, Queue, VectorEngine};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use world::{Modelled, World};

/// What a program computes with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Fields,
    /// Points of G1 too.
    Points,
}

/// Runs the program of `seed`, of so many `steps`, on all of `engines`.
///
/// # Errors
/// What an engine returned; and the program, where a result is not that of arkworks.
pub(crate) fn run(engines: &[VectorEngine], of: Of, seed: u64, steps: usize) -> anyhow::Result<()> {
    let mut machine = Machine::new(engines, seed);
    let ran = machine.run(of, steps);
    ran.with_context(|| {
        let trace = machine.scene.trace.join("\n");
        format!("seed {seed}, {steps} steps:\n{trace}")
    })
}

/// What is held against a submission once it is complete.
type Check = Box<dyn FnOnce(&Completed) -> anyhow::Result<()>>;

/// One engine's part.
struct Track {
    engine: VectorEngine,
    queue: Queue,
    checks: Vec<Check>,
    pending: Vec<(Pending, Vec<Check>)>,
}

/// What the steps of a program share.
struct Scene {
    random: SmallRng,
    tracks: Vec<Track>,
    /// The program so far.
    trace: Vec<String>,
}

struct Machine {
    scene: Scene,
    fp: World<Fp>,
    fr: World<Fr>,
    g1: World<G1>,
}

impl Machine {
    fn new(engines: &[VectorEngine], seed: u64) -> Self {
        let track = |engine: &VectorEngine| Track {
            engine: engine.clone(),
            queue: engine.queue(),
            checks: Vec::new(),
            pending: Vec::new(),
        };
        let mut random = SmallRng::seed_from_u64(seed);
        Self {
            fp: World::new(&mut random),
            fr: World::new(&mut random),
            g1: World::new(&mut random),
            scene: Scene {
                random,
                tracks: engines.iter().map(track).collect(),
                trace: Vec::new(),
            },
        }
    }

    fn run(&mut self, of: Of, steps: usize) -> anyhow::Result<()> {
        let kinds = if of == Of::Points { 20 } else { 13 };
        for _ in 0..steps {
            match self.scene.random.random_range(0..kinds) {
                0 => self.submit()?,
                1 => self.wait()?,
                12 => self.fr.transform(&mut self.scene)?,
                13.. => self.g1.step(&mut self.scene)?,
                // Mostly one field, so that neighbours can be fused.
                2..4 => self.fr.step(&mut self.scene)?,
                _ => self.fp.step(&mut self.scene)?,
            }
        }
        self.submit()?;
        while self
            .scene
            .tracks
            .iter()
            .any(|track| !track.pending.is_empty())
        {
            self.wait()?;
        }
        self.fp.expect_all()?;
        self.fr.expect_all()?;
        self.g1.expect_all()
    }

    fn submit(&mut self) -> anyhow::Result<()> {
        let fused = self.scene.random.random_bool(0.8);
        self.scene
            .trace
            .push(format!("submit; the next fused: {fused}"));
        for track in &mut self.scene.tracks {
            let next = track.engine.queue();
            next.set_fusion(fused);
            let queue = std::mem::replace(&mut track.queue, next);
            let checks = std::mem::take(&mut track.checks);
            track.pending.push((queue.submit()?, checks));
        }
        self.fp.submitted();
        self.fr.submitted();
        self.g1.submitted();
        Ok(())
    }

    /// Waits for one of the submissions, in any order.
    fn wait(&mut self) -> anyhow::Result<()> {
        let place = self.scene.random.random_range(0..8_usize);
        self.scene
            .trace
            .push(format!("wait for one of those in flight, {place}"));
        for track in &mut self.scene.tracks {
            if track.pending.is_empty() {
                continue;
            }
            let place = place % track.pending.len();
            let (pending, checks) = track.pending.remove(place);
            let done = pending.wait()?;
            checks.into_iter().try_for_each(|check| check(&done))?;
        }
        Ok(())
    }
}

/// Holds elements to what they should be.
fn expect<F: Modelled>(found: &[F::Limbs], model: &[F::Model], what: &str) -> anyhow::Result<()> {
    let expected = F::limbs(model);
    ensure!(
        found.len() == expected.len(),
        "{what}: {} elements",
        found.len()
    );
    let mut pairs = found.iter().zip(&expected).enumerate();
    let wrong = pairs.find(|(_, (found, expected))| found != expected);
    ensure!(
        wrong.is_none(),
        "{what}: element, (found, expected): {wrong:x?}"
    );
    Ok(())
}
