//! The vectors of one field, and what a program does with them.

use std::iter::zip;

use ark_ff::{Field as _, One, Zero};
use gpu_executor::vectors::{FieldVec, Form, Operand, Queue, Scalar};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::{Check, Track, expect};
use crate::oracle::{self, Oracle};

/// Lengths of vectors: around workgroups and dispatches, and powers of two.
const LENGTHS: [usize; 8] = [1, 2, 128, 129, 256, 383, 500, 1024];
/// Vectors that are held at a time.
const MOST: usize = 12;

/// A vector on every engine, and what it should hold.
#[derive(Clone)]
struct Slot<F: Oracle> {
    vectors: Vec<FieldVec<F>>,
    // Limbs read as Montgomery form, also where they are not.
    model: Vec<F::Ark>,
    name: usize,
    is_submitted: bool,
}

/// The vectors of one field.
pub(super) struct World<F: Oracle> {
    slots: Vec<Slot<F>>,
    // Two or three of `LENGTHS`, so that vectors find others of their length.
    lengths: Vec<usize>,
    names: usize,
}

/// An operand as the engines take it, each its own, and as arkworks does.
struct Other<F: Oracle> {
    operands: Vec<Operand<F>>,
    model: Vec<F::Ark>,
    name: String,
}

impl<F: Oracle> World<F> {
    pub(super) fn new(random: &mut SmallRng) -> Self {
        let lengths = LENGTHS.sample(random, 2).copied().collect();
        Self {
            slots: Vec::new(),
            lengths,
            names: 0,
        }
    }

    /// What was recorded can be downloaded from here on.
    pub(super) fn submitted(&mut self) {
        self.slots
            .iter_mut()
            .for_each(|slot| slot.is_submitted = true);
    }

    /// Downloads everything.
    pub(super) fn expect_all(&self) -> anyhow::Result<()> {
        self.slots.iter().try_for_each(Slot::expect)
    }

    /// One step of a program.
    pub(super) fn step(
        &mut self,
        random: &mut SmallRng,
        tracks: &mut [Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        if self.slots.len() < 2 {
            return self.upload(random, tracks, trace);
        }
        if self.slots.len() > MOST {
            self.forget(random, trace);
        }
        match random.random_range(0..20) {
            0 => self.upload(random, tracks, trace),
            1 | 2 => self.cut(random, trace),
            3 => {
                let clone = self.any(random).clone();
                trace.push(format!("clone {}", clone.label()));
                self.slots.push(clone);
                Ok(())
            }
            4 | 5 => {
                self.forget(random, trace);
                Ok(())
            }
            6 => self.read(random, tracks, trace),
            7 => self.compare(random, tracks, trace),
            8 => self.reduce(random, tracks, trace),
            9 => {
                let ready: Vec<_> = self.slots.iter().filter(|slot| slot.is_submitted).collect();
                match ready.choose(random) {
                    Some(slot) => {
                        trace.push(format!("download {}", slot.label()));
                        slot.expect()
                    }
                    None => Ok(()),
                }
            }
            10 => {
                trace.push("trim".to_owned());
                tracks.iter().for_each(|track| {
                    track.engine.trim();
                });
                Ok(())
            }
            _ => self.compute(random, tracks, trace),
        }
    }

    fn any(&self, random: &mut SmallRng) -> &Slot<F> {
        self.slots.choose(random).unwrap()
    }

    /// Another vector of the length and form of `slot`, often itself.
    fn partner(&self, random: &mut SmallRng, slot: &Slot<F>) -> Slot<F> {
        let fits =
            |other: &&Slot<F>| other.model.len() == slot.model.len() && other.form() == slot.form();
        let fitting: Vec<_> = self.slots.iter().filter(fits).collect();
        (*fitting.choose(random).unwrap_or(&slot)).clone()
    }

    fn upload(
        &mut self,
        random: &mut SmallRng,
        tracks: &[Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let length = *self.lengths.choose(random).unwrap();
        let plain = random.random_bool(0.15);
        let elements = oracle::random::<F>(length, random.next_u64());
        let upload = |track: &Track| match plain {
            true => track.engine.upload_plain::<F>(F::words(&elements)),
            false => track.engine.upload::<F>(F::words(&elements)),
        };
        let vectors = tracks.iter().map(upload).collect::<Result<_, _>>()?;
        let model = elements.iter().map(F::ark_of).collect();
        self.keep(vectors, model, "upload", trace);
        self.slots.last_mut().unwrap().is_submitted = true;
        Ok(())
    }

    /// A slice, whose length others have too.
    fn cut(&mut self, random: &mut SmallRng, trace: &mut Vec<String>) -> anyhow::Result<()> {
        let slot = self.any(random).clone();
        let length = slot.model.len() - slot.model.len() / 3;
        let start = random.random_range(0..=slot.model.len() - length);
        let range = start..start + length;
        let vectors = slot
            .vectors
            .iter()
            .map(|vector| vector.slice(range.clone()));
        let vectors = vectors.collect::<Result<_, _>>()?;
        let what = format!("{}[{range:?}]", slot.label());
        self.keep(vectors, slot.model[range].to_vec(), &what, trace);
        self.slots.last_mut().unwrap().is_submitted = slot.is_submitted;
        Ok(())
    }

    fn forget(&mut self, random: &mut SmallRng, trace: &mut Vec<String>) {
        let place = random.random_range(0..self.slots.len());
        let gone = self.slots.swap_remove(place);
        trace.push(format!("drop {}", gone.label()));
    }

    fn read(
        &self,
        random: &mut SmallRng,
        tracks: &mut [Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let slot = self.any(random);
        trace.push(format!("read {}", slot.label()));
        for (track, vector) in zip(tracks, &slot.vectors) {
            let (reading, model, what) =
                (track.queue.read(vector)?, slot.model.clone(), slot.label());
            let check: Check = Box::new(move |done| {
                expect::<F>(
                    &done.elements(&reading)?,
                    &model,
                    &format!("read of {what}"),
                )
            });
            track.checks.push(check);
        }
        Ok(())
    }

    fn compare(
        &self,
        random: &mut SmallRng,
        tracks: &mut [Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let x = self.any(random);
        let y = self.partner(random, x);
        let what = format!("equal {} {}", x.label(), y.label());
        trace.push(what.clone());
        let expected = x.model == y.model;
        for (track, (x, y)) in zip(tracks, zip(&x.vectors, &y.vectors)) {
            let (comparison, what) = (track.queue.equal(x, y)?, what.clone());
            let check: Check = Box::new(move |done| {
                anyhow::ensure!(
                    done.equal(&comparison)? == expected,
                    "{what}: not {expected}"
                );
                Ok(())
            });
            track.checks.push(check);
        }
        Ok(())
    }

    fn reduce(
        &mut self,
        random: &mut SmallRng,
        tracks: &[Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let x = self.any(random).clone();
        let y = self.partner(random, &x);
        let which = match x.form() {
            Form::Montgomery => random.random_range(0..3),
            Form::Plain => 0,
        };
        let (name, result): (_, F::Ark) = match which {
            0 => ("sum", x.model.iter().sum()),
            1 => ("product", x.model.iter().product()),
            _ => (
                "inner product",
                zip(&x.model, &y.model).map(|(x, y)| *x * y).sum(),
            ),
        };
        let record = |queue: &Queue, at: usize| match which {
            0 => queue.sum(&x.vectors[at]),
            1 => queue.product(&x.vectors[at]),
            _ => queue.inner_product(&x.vectors[at], &y.vectors[at]),
        };
        let vectors = recorded(tracks, record)?;
        let what = format!("{name} {} {}", x.label(), y.label());
        self.keep(vectors, vec![result], &what, trace);
        Ok(())
    }

    /// An operand for `x`: a vector, an element of the host, or an element of a vector.
    fn other(&self, random: &mut SmallRng, x: &Slot<F>) -> anyhow::Result<Other<F>> {
        let count = x.model.len();
        if random.random_bool(0.6) {
            let y = self.partner(random, x);
            return Ok(Other {
                operands: y.vectors.iter().map(Operand::from).collect(),
                name: y.label(),
                model: y.model,
            });
        }
        let of: Vec<_> = self
            .slots
            .iter()
            .filter(|slot| slot.form() == x.form())
            .collect();
        // Its own elements as scalars: they must stay until the last of it is computed.
        let y = match random.random_bool(0.4) {
            true => x,
            false => of.choose(random).copied().unwrap_or(x),
        };
        if random.random_bool(0.7) {
            let place = random.random_range(0..y.model.len());
            let scalar = |vector: &FieldVec<F>| {
                let one = vector.slice(place..place + 1)?;
                Ok(Operand::from(one.as_scalar()?))
            };
            return Ok(Other {
                operands: y
                    .vectors
                    .iter()
                    .map(scalar)
                    .collect::<anyhow::Result<_>>()?,
                name: format!("{}[{place}]", y.label()),
                model: vec![y.model[place]; count],
            });
        }
        let limbs = oracle::random::<F>(1, random.next_u64())[0];
        let scalar = match x.form() {
            Form::Montgomery => Scalar::new(limbs),
            Form::Plain => Scalar::plain(limbs),
        };
        Ok(Other {
            operands: x.vectors.iter().map(|_| Operand::from(&scalar)).collect(),
            name: format!("{limbs:x?}"),
            model: vec![F::ark_of(&limbs); count],
        })
    }

    /// An operation from vectors to a vector, in place or not.
    fn compute(
        &mut self,
        random: &mut SmallRng,
        tracks: &[Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let x_at = random.random_range(0..self.slots.len());
        let x = self.slots[x_at].clone();
        let y = self.other(random, &x)?;
        let z = self.partner(random, &x);
        let pairs = || zip(&x.model, &y.model);
        let each = |one: fn(&F::Ark) -> F::Ark| x.model.iter().map(one).collect::<Vec<_>>();
        let is_plain = x.form() == Form::Plain;
        let exponent = random.random_range(0..20_u64);
        let operation = match is_plain {
            true => *[0, 1, 2, 3, 4, 12, 12, 13, 14, 15].choose(random).unwrap(),
            false => *[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]
                .choose(random)
                .unwrap(),
        };
        let model: Vec<F::Ark> = match operation {
            0 => pairs().map(|(x, y)| *x + y).collect(),
            1 => pairs().map(|(x, y)| *x - y).collect(),
            2 => each(|x| -*x),
            3 => each(|x| *x + x),
            4 => x.model.clone(),
            5 | 6 => pairs().map(|(x, y)| *x * y).collect(),
            7 => each(|x| *x * x),
            8 => zip(pairs(), &z.model)
                .map(|((x, y), z)| *x * y + z)
                .collect(),
            9 => x.model.iter().map(|x| x.pow([exponent])).collect(),
            10 => each(|x| x.inverse().unwrap_or(F::Ark::zero())),
            11 => each(|x| F::ark_of(&out_of_montgomery::<F>(x))),
            12 => each(into_montgomery::<F>),
            13 => zip(pairs(), &z.model)
                .map(|((x, y), z)| if x.is_zero() { *z } else { *y })
                .collect(),
            14 => each(|x| {
                if x.is_zero() {
                    F::Ark::one()
                } else {
                    F::Ark::zero()
                }
            }),
            _ => pairs().map(|(x, y)| *y - x).collect(),
        };
        let names = [
            "add",
            "sub",
            "neg",
            "double",
            "copy",
            "mul",
            "mul",
            "square",
            "axpy",
            "pow",
            "inverse",
            "from_montgomery",
            "to_montgomery",
            "select",
            "is_zero",
            "sub from",
        ];
        let (name, label) = (names[operation], x.label());
        let what = format!("{name} {label} {} {} {exponent}", y.name, z.label());
        let record = |queue: &Queue, at: usize| {
            let (x, y) = (&x.vectors[at], y.operands[at].clone());
            match operation {
                0 => queue.add(x, y),
                1 => queue.sub(x, y),
                2 => queue.neg(x),
                3 => queue.double(x),
                4 => queue.copy(x),
                5 | 6 => queue.mul(x, y),
                7 => queue.square(x),
                8 => queue.axpy(y, x, &z.vectors[at]),
                9 => queue.pow(x, exponent),
                10 => queue.inverse(x),
                11 => queue.from_montgomery(x),
                12 => queue.to_montgomery(x),
                13 => queue.select(x, y, &z.vectors[at]),
                14 => queue.is_zero(x),
                _ => queue.sub(y, x),
            }
        };
        let vectors = recorded(tracks, record)?;
        self.keep(vectors, model, &what, trace);
        // In the place of its argument, which only clones keep then.
        if random.random_bool(0.5) {
            trace.push(format!("  in place of {label}"));
            self.slots.swap_remove(x_at);
        }
        Ok(())
    }

    fn keep(
        &mut self,
        vectors: Vec<FieldVec<F>>,
        model: Vec<F::Ark>,
        what: &str,
        trace: &mut Vec<String>,
    ) {
        self.names += 1;
        let slot = Slot {
            vectors,
            model,
            name: self.names,
            is_submitted: false,
        };
        trace.push(format!(
            "{} of {} := {what}",
            slot.label(),
            slot.model.len()
        ));
        self.slots.push(slot);
    }
}

impl<F: Oracle> Slot<F> {
    fn form(&self) -> Form {
        self.vectors[0].form()
    }

    fn label(&self) -> String {
        format!("{}{}", F::NAME, self.name)
    }

    fn expect(&self) -> anyhow::Result<()> {
        for vector in &self.vectors {
            let on = vector.engine().engine();
            let limbs = vector.download::<u64>()?;
            expect::<F>(
                F::elements(&limbs)?,
                &self.model,
                &format!("{} on {on}", self.label()),
            )?;
        }
        Ok(())
    }
}

/// What `record` returns for each engine, by number.
fn recorded<F: Oracle>(
    tracks: &[Track],
    record: impl Fn(&Queue, usize) -> gpu_executor::Result<FieldVec<F>>,
) -> gpu_executor::Result<Vec<FieldVec<F>>> {
    let numbered = tracks.iter().enumerate();
    numbered
        .map(|(at, track)| record(&track.queue, at))
        .collect()
}

/// Its limbs as an integer are the element's in Montgomery form divided by R.
fn out_of_montgomery<F: Oracle>(x: &F::Ark) -> F::Limbs {
    F::limbs_of(&(*x / radix::<F>()))
}

fn into_montgomery<F: Oracle>(x: &F::Ark) -> F::Ark {
    *x * radix::<F>()
}

/// R, which Montgomery form multiplies by.
fn radix<F: Oracle>() -> F::Ark {
    let bits = 8 * F::ID.base().bytes();
    ark_ff::Field::pow(&F::Ark::from(2_u64), [bits as u64])
}
