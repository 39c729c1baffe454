//! The vectors of one type of elements, and what a program does with them.

mod points;
mod transforms;

use std::iter::zip;

use ark_ff::{Field as _, One, Zero};
use field_kernels::ElementType;
use gpu_executor::vectors::{FieldVec, Form, Operand, Queue, Scalar, Scan, VectorEngine};
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand::{Rng, RngExt};

use super::{Check, Scene, Track, expect};
use crate::oracle::{self, Oracle, table};

/// Vectors that are held at a time.
const MOST: usize = 12;

/// A type of elements, and what programs do with it.
pub(super) trait Modelled: ElementType {
    /// An element as arkworks has it.
    type Model: Copy + PartialEq + 'static;
    /// Lengths of vectors.
    const LENGTHS: &[usize];

    fn models(elements: &[Self::Limbs]) -> Vec<Self::Model>;
    fn limbs(models: &[Self::Model]) -> Vec<Self::Limbs>;
    fn random(count: usize, seed: u64) -> Vec<Self::Limbs>;
    fn upload(
        engine: &VectorEngine,
        elements: &[Self::Limbs],
        form: Form,
    ) -> gpu_executor::Result<FieldVec<Self>>;

    /// A step from vectors to a vector.
    fn compute(world: &mut World<Self>, scene: &mut Scene) -> anyhow::Result<()>;
}

impl<F: Oracle> Modelled for F {
    // Limbs read as Montgomery form, also where they are not.
    type Model = F::Ark;
    // Around workgroups and dispatches, and powers of two.
    const LENGTHS: &[usize] = &[1, 2, 128, 129, 256, 383, 500, 1024];

    fn models(elements: &[F::Limbs]) -> Vec<F::Ark> {
        elements.iter().map(F::ark_of).collect()
    }

    fn limbs(models: &[F::Ark]) -> Vec<F::Limbs> {
        models.iter().map(F::limbs_of).collect()
    }

    fn random(count: usize, seed: u64) -> Vec<F::Limbs> {
        oracle::random::<F>(count, seed)
    }

    fn upload(
        engine: &VectorEngine,
        elements: &[F::Limbs],
        form: Form,
    ) -> gpu_executor::Result<FieldVec<F>> {
        match form {
            Form::Montgomery => engine.upload::<F>(F::words(elements)),
            Form::Plain => engine.upload_plain::<F>(F::words(elements)),
        }
    }

    fn compute(world: &mut World<F>, scene: &mut Scene) -> anyhow::Result<()> {
        match scene.random.random_range(0..10) {
            0 => world.whole(scene),
            _ => world.of_elements(scene),
        }
    }
}

/// A vector on every engine, and what it should hold.
#[derive(Clone)]
struct Slot<F: Modelled> {
    vectors: Vec<FieldVec<F>>,
    model: Vec<F::Model>,
    name: usize,
    is_submitted: bool,
}

/// The vectors of one type of elements.
pub(super) struct World<F: Modelled> {
    slots: Vec<Slot<F>>,
    // Two of `Modelled::LENGTHS`, so that vectors find others of their length.
    lengths: Vec<usize>,
    names: usize,
}

/// An operand as the engines take it, each its own, and as arkworks does.
struct Other<F: Oracle> {
    operands: Vec<Operand<F>>,
    model: Vec<F::Ark>,
    name: String,
}

/// An operation, the one form that it takes, and what arkworks makes of the same.
struct Operation<Record, Model> {
    name: &'static str,
    form: Option<Form>,
    record: Record,
    model: Model,
}

type Operations<Record, Model> = Vec<Operation<Record, Model>>;

/// From vectors, and one operand of any kind, to a vector.
type Record<F> =
    fn(&Queue, &FieldVec<F>, Operand<F>, &FieldVec<F>, u64) -> gpu_executor::Result<FieldVec<F>>;

/// Of an element of each.
type Model<Ark> = fn(Ark, Ark, Ark, u64) -> Ark;

/// From whole vectors.
type RecordWhole<F> = fn(&Queue, &FieldVec<F>, &FieldVec<F>) -> gpu_executor::Result<FieldVec<F>>;

/// Of all elements.
type ModelWhole<Ark> = fn(&[Ark], &[Ark]) -> Vec<Ark>;

fn taking<R, M>(form: Option<Form>) -> impl Fn(&'static str, R, M) -> Operation<R, M> {
    move |name, record, model| Operation {
        name,
        form,
        record,
        model,
    }
}

/// The list. What is in it twice is done twice as often.
fn operations<F: Oracle>() -> Operations<Record<F>, Model<F::Ark>> {
    let any = taking::<Record<F>, Model<F::Ark>>(None);
    let plain = taking::<Record<F>, Model<F::Ark>>(Some(Form::Plain));
    let montgomery = taking::<Record<F>, Model<F::Ark>>(Some(Form::Montgomery));
    table! { (q x y z exponent) (x y z exponent)
        any "add": q.add(x, y) => x + y;
        any "sub": q.sub(x, y) => x - y;
        any "sub from": q.sub(y, x) => y - x;
        any "neg": q.neg(x) => -x;
        any "double": q.double(x) => x + x;
        any "copy": q.copy(x) => x;
        any "select": q.select(x, y, z) => if x.is_zero() { z } else { y };
        any "is_zero": q.is_zero(x) => F::Ark::from(x.is_zero());
        montgomery "mul": q.mul(x, y) => x * y;
        montgomery "mul": q.mul(x, y) => x * y;
        montgomery "square": q.square(x) => x * x;
        montgomery "axpy": q.axpy(y, x, z) => x * y + z;
        montgomery "pow": q.pow(x, exponent) => x.pow([exponent]);
        montgomery "inverse": q.inverse(x) => x.inverse().unwrap_or(F::Ark::zero());
        // By the limbs, in whichever form they are: out of it they are divided by R.
        montgomery "from_montgomery": q.from_montgomery(x) => x / radix::<F>();
        plain "to_montgomery": q.to_montgomery(x) => x * radix::<F>();
        plain "to_montgomery": q.to_montgomery(x) => x * radix::<F>();
    }
}

/// The list.
fn whole_operations<F: Oracle>() -> Operations<RecordWhole<F>, ModelWhole<F::Ark>> {
    let any = taking::<RecordWhole<F>, ModelWhole<F::Ark>>(None);
    let montgomery = taking::<RecordWhole<F>, ModelWhole<F::Ark>>(Some(Form::Montgomery));
    table! { (q x y) (x y)
        any "sum": q.sum(x) => vec![x.iter().sum()];
        any "running sum": q.running_sum(x, Scan::Inclusive)
            => oracle::scanned(x, F::Ark::zero(), |sum, x| *sum + x);
        any "rotate": q.rotate(x, -5) => {
            let mut x = x.to_vec();
            let by = 5 % x.len();
            x.rotate_right(by);
            x
        };
        any "half of interleave": q.interleave(&[x, y])?.slice(..x.len())
            => zip(x, y).flat_map(|(x, y)| [*x, *y]).take(x.len()).collect();
        any "concat of halves": q.concat(&[y.slice(y.len() / 2..)?, x.slice(..x.len() / 2)?])
            => [&y[y.len() / 2..], &x[..x.len() / 2]].concat();
        montgomery "product": q.product(x) => vec![x.iter().product()];
        montgomery "inner product": q.inner_product(x, y)
            => vec![zip(x, y).map(|(x, y)| *x * y).sum()];
        montgomery "running product": q.running_product(x, Scan::Inclusive)
            => oracle::scanned(x, F::Ark::one(), |product, x| *product * x);
        montgomery "evaluate at its last": q.evaluate(x, x.slice(x.len() - 1..)?.as_scalar()?) => {
            let at_last = |value, next| value * x[x.len() - 1] + next;
            vec![x.iter().rev().fold(F::Ark::zero(), at_last)]
        };
    }
}

/// One of those that take `form`.
fn one_for<R: Copy, M: Copy>(
    operations: Operations<R, M>,
    form: Form,
    random: &mut SmallRng,
) -> Operation<R, M> {
    let fits = |it: &Operation<R, M>| it.form.is_none_or(|wanted| wanted == form);
    let fitting = operations.into_iter().filter(fits);
    fitting.choose(random).unwrap()
}

impl<F: Modelled> World<F> {
    pub(super) fn new(random: &mut SmallRng) -> Self {
        let lengths = F::LENGTHS.sample(random, 2).copied().collect();
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
    pub(super) fn step(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        if self.slots.len() < 2 {
            return self.upload(scene);
        }
        if self.slots.len() > MOST {
            self.forget(scene);
        }
        match scene.random.random_range(0..20) {
            0 => self.upload(scene),
            1 | 2 => self.cut(scene),
            3 => {
                let clone = self.any(scene).clone();
                scene.trace.push(format!("clone {}", clone.label()));
                self.slots.push(clone);
                Ok(())
            }
            4 | 5 => {
                self.forget(scene);
                Ok(())
            }
            6 => self.read(scene),
            7 => self.compare(scene),
            8 => {
                let ready: Vec<_> = self.slots.iter().filter(|slot| slot.is_submitted).collect();
                match ready.choose(&mut scene.random) {
                    Some(slot) => {
                        scene.trace.push(format!("download {}", slot.label()));
                        slot.expect()
                    }
                    None => Ok(()),
                }
            }
            9 => {
                scene.trace.push("trim".to_owned());
                scene.tracks.iter().for_each(|track| {
                    track.engine.trim();
                });
                Ok(())
            }
            _ => F::compute(self, scene),
        }
    }

    fn any(&self, scene: &mut Scene) -> &Slot<F> {
        self.slots.choose(&mut scene.random).unwrap()
    }

    /// Another vector of the length and form of `slot`, often itself.
    fn partner(&self, scene: &mut Scene, slot: &Slot<F>) -> Slot<F> {
        let fits =
            |other: &&Slot<F>| other.model.len() == slot.model.len() && other.form() == slot.form();
        let fitting: Vec<_> = self.slots.iter().filter(fits).collect();
        (*fitting.choose(&mut scene.random).unwrap_or(&slot)).clone()
    }

    fn upload(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let length = *self.lengths.choose(&mut scene.random).unwrap();
        let form = match scene.random.random_bool(0.15) {
            true => Form::Plain,
            false => Form::Montgomery,
        };
        let elements = F::random(length, scene.random.next_u64());
        let upload = |track: &Track| F::upload(&track.engine, &elements, form);
        let vectors = scene.tracks.iter().map(upload).collect::<Result<_, _>>()?;
        let model = F::models(&elements);
        self.keep(vectors, model, "upload", scene);
        self.slots.last_mut().unwrap().is_submitted = true;
        Ok(())
    }

    /// A slice, whose length others have too.
    fn cut(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let slot = self.any(scene).clone();
        let length = slot.model.len() - slot.model.len() / 3;
        let start = scene.random.random_range(0..=slot.model.len() - length);
        let range = start..start + length;
        let vectors = slot
            .vectors
            .iter()
            .map(|vector| vector.slice(range.clone()));
        let vectors = vectors.collect::<Result<_, _>>()?;
        let what = format!("{}[{range:?}]", slot.label());
        self.keep(vectors, slot.model[range].to_vec(), &what, scene);
        self.slots.last_mut().unwrap().is_submitted = slot.is_submitted;
        Ok(())
    }

    fn forget(&mut self, scene: &mut Scene) {
        let place = scene.random.random_range(0..self.slots.len());
        let gone = self.slots.swap_remove(place);
        scene.trace.push(format!("drop {}", gone.label()));
    }

    /// Puts the latest vector in the place of its argument, which only clones keep then; or not.
    fn replace(&mut self, scene: &mut Scene, argument: usize) {
        if scene.random.random_bool(0.5) {
            let gone = self.slots.swap_remove(argument);
            scene.trace.push(format!("  in place of {}", gone.label()));
        }
    }

    fn read(&self, scene: &mut Scene) -> anyhow::Result<()> {
        let slot = self.any(scene);
        scene.trace.push(format!("read {}", slot.label()));
        for (track, vector) in zip(&mut scene.tracks, &slot.vectors) {
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

    fn compare(&self, scene: &mut Scene) -> anyhow::Result<()> {
        let x = self.any(scene);
        let y = self.partner(scene, x);
        let what = format!("equal {} {}", x.label(), y.label());
        scene.trace.push(what.clone());
        let expected = x.model == y.model;
        for (track, (x, y)) in zip(&mut scene.tracks, zip(&x.vectors, &y.vectors)) {
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

    fn keep(
        &mut self,
        vectors: Vec<FieldVec<F>>,
        model: Vec<F::Model>,
        what: &str,
        scene: &mut Scene,
    ) {
        self.names += 1;
        let slot = Slot {
            vectors,
            model,
            name: self.names,
            is_submitted: false,
        };
        scene.trace.push(format!(
            "{} of {} := {what}",
            slot.label(),
            slot.model.len()
        ));
        self.slots.push(slot);
    }
}

impl<F: Oracle> World<F> {
    /// An operation over whole vectors.
    fn whole(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let x = self.any(scene).clone();
        let y = self.partner(scene, &x);
        let operation = one_for(whole_operations::<F>(), x.form(), &mut scene.random);
        let record = |queue: &Queue, at: usize| {
            let (x, y) = (&x.vectors[at], &y.vectors[at]);
            (operation.record)(queue, x, y)
        };
        let vectors = recorded(&scene.tracks, record)?;
        let what = format!("{} {} {}", operation.name, x.label(), y.label());
        let model = (operation.model)(&x.model, &y.model);
        self.keep(vectors, model, &what, scene);
        Ok(())
    }

    /// An operand for `x`: a vector, an element of the host, or an element of a vector.
    fn other(&self, scene: &mut Scene, x: &Slot<F>) -> anyhow::Result<Other<F>> {
        let count = x.model.len();
        if scene.random.random_bool(0.6) {
            let y = self.partner(scene, x);
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
        let y = match scene.random.random_bool(0.4) {
            true => x,
            false => of.choose(&mut scene.random).copied().unwrap_or(x),
        };
        if scene.random.random_bool(0.7) {
            let place = scene.random.random_range(0..y.model.len());
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
        let limbs = oracle::random::<F>(1, scene.random.next_u64())[0];
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

    /// An operation on the elements of vectors, in place or not.
    fn of_elements(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let x_at = scene.random.random_range(0..self.slots.len());
        let x = self.slots[x_at].clone();
        let y = self.other(scene, &x)?;
        let z = self.partner(scene, &x);
        let exponent = scene.random.random_range(0..20_u64);
        let operation = one_for(operations::<F>(), x.form(), &mut scene.random);
        let all = zip(zip(&x.model, &y.model), &z.model);
        let model = all.map(|((x, y), z)| (operation.model)(*x, *y, *z, exponent));
        let model = model.collect();
        let (name, label) = (operation.name, x.label());
        let what = format!("{name} {label} {} {} {exponent}", y.name, z.label());
        let record = |queue: &Queue, at: usize| {
            let (x, y) = (&x.vectors[at], y.operands[at].clone());
            (operation.record)(queue, x, y, &z.vectors[at], exponent)
        };
        let vectors = recorded(&scene.tracks, record)?;
        self.keep(vectors, model, &what, scene);
        self.replace(scene, x_at);
        Ok(())
    }
}

impl<F: Modelled> Slot<F> {
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
fn recorded<F: ElementType>(
    tracks: &[Track],
    record: impl Fn(&Queue, usize) -> gpu_executor::Result<FieldVec<F>>,
) -> gpu_executor::Result<Vec<FieldVec<F>>> {
    let numbered = tracks.iter().enumerate();
    numbered
        .map(|(at, track)| record(&track.queue, at))
        .collect()
}

/// R, which Montgomery form multiplies by.
fn radix<F: Oracle>() -> F::Ark {
    let bits = 8 * F::ID.base().bytes();
    ark_ff::Field::pow(&F::Ark::from(2_u64), [bits as u64])
}
