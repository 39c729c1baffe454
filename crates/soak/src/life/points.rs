//! Points that are uploaded, multiplied, transformed there and back, downloaded and dropped on
//! one engine, with bases that are prepared and dropped.

use std::iter::{successors, zip};
use std::time::Duration;

use anyhow::{Context, ensure};
use field_kernels::{Curve, Fr, G1, G2, arithmetic, edge};
use gpu_executor::Cache;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Bases, Domain, PointCheck, TableMemory, Transform, VectorEngine, Xyzz,
};

use super::watch;

/// Points, scalars and integers, and what comes of them.
struct Sample<C: Curve> {
    points: Vec<C::Limbs>,
    scalars: Vec<[u64; 4]>,
    integers: Vec<u64>,
    by_scalars: Xyzz<C>,
    by_integers: Xyzz<C>,
}

impl<C: Curve> Sample<C> {
    /// Multiples of the generator, infinity among them.
    fn new(count: usize, seed: u64) -> Self {
        let next = |it: &Xyzz<C>| Some(it.add_affine(&C::GENERATOR));
        let points: Vec<_> = successors(Some(Xyzz::default()), next)
            .take(count)
            .collect();
        let scalars = edge::edges_and_random::<Fr>(count, seed);
        let integers: Vec<_> = scalars.iter().map(|it| it[0]).collect();
        let sum = |scalars: &mut dyn Iterator<Item = Vec<u64>>| {
            let products = zip(&points, scalars).map(|(point, k)| point.mul(&k));
            products.fold(Xyzz::default(), |sum, it| sum.add(&it))
        };
        let plain = scalars
            .iter()
            .map(|it| arithmetic::from_montgomery::<Fr>(it).to_vec());
        let by_scalars = sum(&mut plain.into_iter());
        let by_integers = sum(&mut integers.iter().map(|it| vec![*it]));
        Self {
            points: Xyzz::to_affine_all(&points),
            scalars,
            integers,
            by_scalars,
            by_integers,
        }
    }

    fn run(&self, engine: &VectorEngine) -> anyhow::Result<()> {
        let points = C::words(&self.points);
        let points = engine.upload_points::<C>(points, PointCheck::Subgroup)?;
        let scalars = engine.upload::<Fr>(&self.scalars)?;
        let integers = engine.upload_integers(&self.integers)?;
        let bases = Bases::prepare(&points, 1, TableMemory::Multiples(3))?;
        // Which does not wait. Whoever waits for what comes later waits for it too, so that
        // one submission is in flight at a time, and memory is kept for no more.
        let queue = engine.queue();
        let opposites = queue.neg(&scalars)?;
        queue.submit()?.wait()?;
        drop(opposites);
        let row = 1 << self.points.len().trailing_zeros();
        let domain = Domain::new(row)?;

        let queue = engine.queue();
        let sums = [
            queue.msm(&points, &scalars)?,
            queue.msm(&bases, &scalars)?,
            queue.msm(&points, &integers)?,
        ];
        let there = queue.transform_points(&points, &Transform::forward(&domain))?;
        let back = queue.transform_points(&there, &Transform::inverse(&domain))?;
        let double = queue.double_points(&back)?;
        let back = queue.sub_points(&double, &points)?;
        let done = queue.submit()?.wait()?;
        let expected = [&self.by_scalars, &self.by_scalars, &self.by_integers];
        for (sum, expected) in zip(&sums, expected) {
            ensure!(done.msm(sum)? == *expected, "a wrong sum");
        }
        let back = back.download::<u64>()?;
        ensure!(back == C::words(&self.points), "wrong points");
        Ok(())
    }
}

/// Runs `count` batches of points on one engine; whether resident memory grew by `most` bytes
/// at most and nothing else grew.
pub(crate) fn batches(count: usize, most: i64) -> anyhow::Result<bool> {
    // A software driver compiles kernels of points when it first runs them.
    let builder = PersistentVulkanBackend::builder().timeout(Duration::from_secs(600));
    let builder = builder.cache(Cache::Off);
    let mut backend = builder.build()?;
    let engine = backend.vectors()?;
    let of_g1 = [1, 31, 64, 200].map(|points| Sample::<G1>::new(points, 1));
    let of_g2 = Sample::<G2>::new(12, 2);
    println!("{count} batches of points");
    let one = |number: usize| {
        let ran = match of_g1.get(number % (of_g1.len() + 1)) {
            Some(sample) => sample.run(&engine),
            None => of_g2.run(&engine),
        };
        ran.with_context(|| format!("batch {number} of points"))
    };
    // By then the memory that is kept for the next has settled.
    let round = 8 * (of_g1.len() + 1);
    let work = ("batches of points on one engine", count, round);
    watch::batches(work, most, one, || {
        engine.trim();
        Ok(backend.allocated_memory()?)
    })
}
