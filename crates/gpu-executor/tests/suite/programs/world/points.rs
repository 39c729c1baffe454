//! Points of G1: sums, products by scalars of the same submission, and transforms.

use std::iter::zip;

use ark_bls12_381::{Fr as ArkFr, G1Projective};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use field_kernels::{ElementType as _, Fr, G1};
use gpu_executor::vectors::{
    Bases, Domain, FieldVec, Form, Order, PointCheck, PointVec, Queue, TableMemory, VectorEngine,
};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::transforms::Rows;
use super::{Check, Modelled, Scene, Track, World, recorded};
use crate::curves;
use crate::oracle::{Oracle as _, table};

impl Modelled for G1 {
    type Model = G1Projective;
    // Powers of two, and around workgroups.
    const LENGTHS: &[usize] = &[1, 16, 31, 64, 65, 130];

    fn models(points: &[[u64; 12]]) -> Vec<G1Projective> {
        curves::all_to_ark::<G1>(points)
    }

    fn limbs(models: &[G1Projective]) -> Vec<[u64; 12]> {
        curves::all_from_ark::<G1>(models)
    }

    fn random(count: usize, seed: u64) -> Vec<[u64; 12]> {
        curves::points::<G1>(count, seed)
    }

    fn upload(
        engine: &VectorEngine,
        points: &[[u64; 12]],
        _form: Form,
    ) -> gpu_executor::Result<PointVec<G1>> {
        engine.upload_points(G1::words(points), PointCheck::Subgroup)
    }

    fn compute(world: &mut World<G1>, scene: &mut Scene) -> anyhow::Result<()> {
        match scene.random.random_range(0..8) {
            0 => world.transform(scene),
            1 => world.multiply(scene),
            _ => world.of_points(scene),
        }
    }
}

type Record =
    fn(&Queue, &PointVec<G1>, &PointVec<G1>, &FieldVec<Fr>) -> gpu_executor::Result<PointVec<G1>>;

type Model = fn(&[G1Projective], &[G1Projective], &[ArkFr]) -> Vec<G1Projective>;

/// The list: each on points and as many scalars, and what arkworks makes of all of them.
fn operations() -> Vec<(&'static str, Record, Model)> {
    let row = |name, record: Record, model: Model| (name, record, model);
    table! { (q x y k) (x y k)
        row "add_points": q.add_points(x, y) => zip(x, y).map(|(x, y)| *x + y).collect();
        row "sub_points": q.sub_points(x, y) => zip(x, y).map(|(x, y)| *x - y).collect();
        row "neg_points": q.neg_points(x) => x.iter().map(|x| -*x).collect();
        row "double_points": q.double_points(x) => x.iter().map(|x| *x + x).collect();
        row "sum_points": q.sum_points(x) => vec![x.iter().sum()];
        row "mul_points": q.mul_points(x, k) => zip(x, k).map(|(x, k)| *x * k).collect();
        row "mul_points by one": q.mul_points(x, k.slice(..1)?.as_scalar()?)
            => x.iter().map(|x| *x * k[0]).collect();
        row "msm_rows_as_points": q.msm_rows_as_points(x, k)
            => vec![zip(x, k).map(|(x, k)| *x * k).sum()];
        row "msm_each_as_points": q.msm_each_as_points(x, k, 1)
            => zip(x, k).map(|(x, k)| *x * k).collect();
        row "rotate": q.rotate(x, 1) => [&x[1..], &x[..1]].concat();
        row "concat of halves": q.concat(&[y.slice(y.len() / 2..)?, x.slice(..x.len() / 2)?])
            => [&y[y.len() / 2..], &x[..x.len() / 2]].concat();
    }
}

/// Scalars that a step uploads: what is computed with is their opposites.
struct Scalars {
    limbs: Vec<[u64; 4]>,
    opposites: Vec<ArkFr>,
}

impl Scalars {
    fn random(random: &mut SmallRng, count: usize) -> Self {
        let limbs = Fr::random(count, random.next_u64());
        let opposites = limbs.iter().map(|it| -Fr::ark_of(it)).collect();
        Self { limbs, opposites }
    }

    /// The opposites, which are computed when the queue is.
    fn on(&self, track: &Track) -> gpu_executor::Result<FieldVec<Fr>> {
        let scalars = track.engine.upload::<Fr>(&self.limbs)?;
        track.queue.neg(&scalars)
    }
}

impl World<G1> {
    /// An operation from points to points, in place or not.
    fn of_points(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let at = scene.random.random_range(0..self.slots.len());
        let x = self.slots[at].clone();
        let y = self.partner(scene, &x);
        let scalars = Scalars::random(&mut scene.random, x.model.len());
        let (name, record, model) = *operations().choose(&mut scene.random).unwrap();
        let vectors = scene.tracks.iter().zip(zip(&x.vectors, &y.vectors));
        let record = |(track, (x, y)): (&Track, _)| record(&track.queue, x, y, &scalars.on(track)?);
        let vectors = vectors.map(record).collect::<Result<_, _>>()?;
        let what = format!("{name} {} {}", x.label(), y.label());
        let model = model(&x.model, &y.model, &scalars.opposites);
        self.keep(vectors, model, &what, scene);
        self.replace(scene, at);
        Ok(())
    }

    /// A multi-scalar multiplication, whose sum comes to the host: by scalars and by bits, and
    /// over multiples of the points where these are known.
    fn multiply(&self, scene: &mut Scene) -> anyhow::Result<()> {
        let x = self.any(scene);
        let scalars = Scalars::random(&mut scene.random, x.model.len());
        let bits: Vec<bool> = x.model.iter().map(|_| scene.random.random()).collect();
        let by_scalars = zip(&x.model, &scalars.opposites).map(|(x, k)| *x * k);
        let by_bits = zip(&x.model, &bits).filter(|(_, bit)| **bit);
        let expected = [by_scalars.sum(), by_bits.map(|(x, _)| *x).sum()];
        let what = format!("msm {}", x.label());
        scene.trace.push(what.clone());
        for (track, vector) in zip(&mut scene.tracks, &x.vectors) {
            let scalars = scalars.on(track)?;
            let mut sums = vec![
                track.queue.msm(vector, &scalars)?,
                track
                    .queue
                    .msm(vector, &track.engine.upload_integers(&bits)?)?,
            ];
            if x.is_submitted {
                let bases = Bases::prepare(vector, 1, TableMemory::Multiples(3))?;
                sums.push(track.queue.msm(&bases, &scalars)?);
            }
            let what = what.clone();
            let check: Check = Box::new(move |done| {
                for (sum, expected) in zip(&sums, [expected[0], expected[1], expected[0]]) {
                    let found = done.msm(sum)?.to_affine();
                    super::expect::<G1>(&[found], &[expected], &what)?;
                }
                Ok(())
            });
            track.checks.push(check);
        }
        Ok(())
    }

    /// The transform of rows of points, or what FK20 makes of them.
    fn transform(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let x = self.any(scene).clone();
        let size = 1 << x.model.len().trailing_zeros();
        let (vectors, model, name) = if size > 1 && scene.random.random_bool(0.3) {
            let (domain, orders) = (Domain::new(size)?, [Order::Natural; 2]);
            let record = |queue: &Queue, at: usize| {
                queue.lower_half_of_points(&x.vectors[at], &domain, orders)
            };
            let model = x.model.chunks(size).flat_map(lower_half).collect();
            (
                recorded(&scene.tracks, record)?,
                model,
                "lower half".to_owned(),
            )
        } else {
            let rows = Rows::random(&mut scene.random, x.model.len())?;
            let record =
                |queue: &Queue, at: usize| queue.transform_points(&x.vectors[at], &rows.transform);
            let name = format!("{:?}", rows.transform);
            (recorded(&scene.tracks, record)?, rows.model(&x.model), name)
        };
        let what = format!("{name} of {}", x.label());
        self.keep(vectors, model, &what, scene);
        Ok(())
    }
}

/// Twice the transform of the lower half of what an inverse one makes of a row.
fn lower_half(row: &[G1Projective]) -> Vec<G1Projective> {
    let domain = Radix2EvaluationDomain::<ArkFr>::new(row.len()).unwrap();
    let mut coefficients = domain.ifft(row);
    coefficients[row.len() / 2..].fill(G1Projective::default());
    let values = domain.fft(&coefficients);
    values.into_iter().map(|it| it + it).collect()
}
