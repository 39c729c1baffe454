//! Transforms, which one field has.

use ark_ff::FftField as _;
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use field_kernels::Fr;
use gpu_executor::vectors::{Domain, Form, Order, Queue, Transform};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::{Track, World, recorded};

impl World<Fr> {
    /// The transform of a vector, in rows of any size that divides its length.
    pub(in crate::programs) fn transform(
        &mut self,
        random: &mut SmallRng,
        tracks: &[Track],
        trace: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let fits = |at: &usize| self.slots[*at].form() == Form::Montgomery;
        let Some(at) = (0..self.slots.len()).rfind(fits) else {
            return Ok(());
        };
        let x = self.slots[at].clone();
        let most = x.model.len().trailing_zeros();
        let size = 1 << (most - random.random_range(0..=most.min(3)));
        let mut domain = Domain::new(size)?;
        let mut ark = Radix2EvaluationDomain::new(size).unwrap();
        if random.random_bool(0.5) {
            domain = domain.coset_of_generator();
            ark = ark.get_coset(ark_bls12_381::Fr::GENERATOR).unwrap();
        }
        let inverse = random.random_bool(0.5);
        let [from, to] = [(); 2].map(|()| match random.random_bool(0.5) {
            true => Order::Natural,
            false => Order::BitReversed,
        });
        let transform = match inverse {
            false => Transform::forward(&domain),
            true => Transform::inverse(&domain),
        };
        let transform = transform.from(from).to(to);
        let record = |queue: &Queue, at: usize| queue.transform(&x.vectors[at], &transform);
        let vectors = recorded(tracks, record)?;
        let mut model = Vec::new();
        for row in x.model.chunks(size) {
            let row = in_order(row, from);
            let row = if inverse {
                ark.ifft(&row)
            } else {
                ark.fft(&row)
            };
            model.extend(in_order(&row, to));
        }
        let what = format!("{transform:?} of {}", x.label());
        self.keep(vectors, model, &what, trace);
        // In the place of its argument, which only clones keep then.
        if random.random_bool(0.5) {
            trace.push(format!("  in place of {}", x.label()));
            self.slots.swap_remove(at);
        }
        Ok(())
    }
}

fn in_order<T: Copy>(row: &[T], order: Order) -> Vec<T> {
    let bits = row.len().ilog2();
    let place = |i: usize| match order {
        Order::Natural => i,
        Order::BitReversed => (0..bits).fold(0, |to, bit| to << 1 | (i >> bit & 1)),
    };
    (0..row.len()).map(|i| row[place(i)]).collect()
}
