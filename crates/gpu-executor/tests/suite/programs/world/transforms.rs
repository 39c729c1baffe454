//! Transforms in rows, which elements of one field have and points.

use ark_ff::FftField as _;
use ark_poly::domain::DomainCoeff;
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use field_kernels::Fr;
use gpu_executor::vectors::{Domain, Form, Order, Queue, Transform};
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::oracle::in_order;

use super::{Scene, World, recorded};

/// Rows of equal size that are transformed alike.
pub(super) struct Rows {
    pub(super) transform: Transform,
    ark: Radix2EvaluationDomain<ark_bls12_381::Fr>,
    is_inverse: bool,
    orders: [Order; 2],
}

impl Rows {
    /// Of any size that divides `length`.
    pub(super) fn random(random: &mut SmallRng, length: usize) -> anyhow::Result<Self> {
        let most = length.trailing_zeros();
        let size = 1 << (most - random.random_range(0..=most.min(3)));
        let mut domain = Domain::new(size)?;
        let mut ark = Radix2EvaluationDomain::new(size).unwrap();
        if random.random_bool(0.5) {
            domain = domain.coset_of_generator();
            ark = ark.get_coset(ark_bls12_381::Fr::GENERATOR).unwrap();
        }
        let is_inverse = random.random_bool(0.5);
        let orders = [(); 2].map(|()| match random.random_bool(0.5) {
            true => Order::Natural,
            false => Order::BitReversed,
        });
        let transform = match is_inverse {
            false => Transform::forward(&domain),
            true => Transform::inverse(&domain),
        };
        Ok(Self {
            transform: transform.from(orders[0]).to(orders[1]),
            ark,
            is_inverse,
            orders,
        })
    }

    /// What arkworks makes of them.
    pub(super) fn model<T: DomainCoeff<ark_bls12_381::Fr>>(&self, x: &[T]) -> Vec<T> {
        let [from, to] = self.orders;
        let rows = x.chunks(self.ark.size()).flat_map(|row| {
            let row = in_order(row, row.len(), from);
            let row = match self.is_inverse {
                true => self.ark.ifft(&row),
                false => self.ark.fft(&row),
            };
            in_order(&row, row.len(), to)
        });
        rows.collect()
    }
}

impl World<Fr> {
    /// The transform of a vector.
    pub(in crate::programs) fn transform(&mut self, scene: &mut Scene) -> anyhow::Result<()> {
        let fits = |at: &usize| self.slots[*at].form() == Form::Montgomery;
        let Some(at) = (0..self.slots.len()).rfind(fits) else {
            return Ok(());
        };
        let x = self.slots[at].clone();
        let rows = Rows::random(&mut scene.random, x.model.len())?;
        let record = |queue: &Queue, at: usize| queue.transform(&x.vectors[at], &rows.transform);
        let vectors = recorded(&scene.tracks, record)?;
        let what = format!("{:?} of {}", rows.transform, x.label());
        self.keep(vectors, rows.model(&x.model), &what, scene);
        self.replace(scene, at);
        Ok(())
    }
}
