//! Transforms of rows that are longer than what a kernel can bind: one level by element-wise
//! operations on halves, and two transforms of half the size.
//!
//! With s the shift of the domain, n its size, g its root and w = s^(n/2), a polynomial
//! a + b X^(n/2) is a + w b modulo X^(n/2) - s^(n/2), which vanishes on the points s, s g^2, s g^4
//! and so on, and a - w b modulo X^(n/2) + s^(n/2), which vanishes on s g, s g^3 and so on: each
//! are the points of a coset.

use super::super::prelude::*;
use super::{Order, Transform};
use crate::vectors::domain::Domain;
use crate::vectors::operand::Scalar;

impl Queue {
    /// The transform of one row of two elements or more, in Montgomery form.
    pub(super) fn transform_by_halves(
        &self,
        x: &FieldVec<Fr>,
        transform: &Transform,
    ) -> Result<FieldVec<Fr>> {
        let Transform {
            domain,
            inverse,
            from,
            to,
        } = *transform;
        let half = Domain::new(domain.size() / 2)?;
        let (even, odd) = (half.coset(domain.shift())?, half.coset(domain.element(1))?);
        let on = |domain: Domain, x: &FieldVec<Fr>| {
            let transform = Transform {
                domain,
                ..*transform
            };
            self.transform(x, &transform)
        };
        // Of coefficients a and then b, of values those at even points and then those at odd:
        // in one order halves, in the other by turns.
        let by_turns = |order: Order, are_values: bool| (order == Order::Natural) == are_values;
        let (first, second) = match by_turns(from, inverse) {
            false => x.split_at(half.size())?,
            true => (self.strided(x, 0, 2)?, self.strided(x, 1, 2)?),
        };
        let (first, second) = match inverse {
            false => {
                let w = arithmetic::neg::<Fr>(&even.vanishing_at([0; 4]));
                let second = self.mul(&second, Scalar::<Fr>::new(w))?;
                let (sum, difference) = (self.add(&first, &second)?, self.sub(&first, &second)?);
                (on(even, &sum)?, on(odd, &difference)?)
            }
            true => {
                let (first, second) = (on(even, &first)?, on(odd, &second)?);
                let (sum, difference) = (self.add(&first, &second)?, self.sub(&first, &second)?);
                // 1 / 2 and 1 / 2w.
                let halved = arithmetic::inverse::<Fr>(&arithmetic::double::<Fr>(&Fr::ONE));
                let factors = [halved.unwrap_or_default(), odd.vanishing_inverse_on(&even)?];
                let [halved, by_second] = factors.map(Scalar::<Fr>::new);
                (self.mul(&sum, halved)?, self.mul(&difference, by_second)?)
            }
        };
        match by_turns(to, !inverse) {
            false => self.concat(&[first, second]),
            true => self.interleave(&[first, second]),
        }
    }
}

#[cfg(test)]
mod tests {
    use field_kernels::edge::edge_elements;
    use vk_core::testing::{changed, device_under_test};

    use super::*;
    use crate::vectors::VectorEngine;
    use crate::vectors::vulkan::engine_on;

    /// As on the CPU, which takes them whole: one, two and four levels by halves, one row and
    /// several, at an odd offset, in all directions and orders, on cosets too.
    #[test]
    fn rows_longer_than_a_binding_are_transformed_by_halves() {
        let (_guard, physical) = device_under_test().unwrap();
        // With room for the alignment.
        let most = 64 * 32 + 256;
        let short = changed(physical, |caps| caps.limits.max_storage_buffer_range = most);
        let device = engine_on(&short, Default::default(), None);
        let cpu = VectorEngine::cpu_with_threads(2).unwrap();
        assert_eq!(device.queue().most_bound::<Fr>().ilog2(), 6);
        let edges = edge_elements::<Fr>();
        for (log2, rows) in [(7, 1), (7, 3), (8, 1), (10, 1)] {
            let domain = Domain::new(1 << log2).unwrap();
            let len = rows * domain.size();
            let x: Vec<_> = edges.iter().copied().cycle().take(3 + len).collect();
            for domain in [domain, domain.coset_of_generator()] {
                for case in 0..8 {
                    let order = |bit: u32| match case >> bit & 1 {
                        0 => Order::Natural,
                        _ => Order::BitReversed,
                    };
                    let transform = match case >> 2 {
                        0 => Transform::forward(&domain),
                        _ => Transform::inverse(&domain),
                    };
                    let transform = transform.from(order(0)).to(order(1));
                    let [found, expected] = [&device, &cpu].map(|engine| {
                        let x = engine.upload::<Fr>(&x).unwrap().slice(3..).unwrap();
                        let queue = engine.queue();
                        let y = queue.transform(&x, &transform).unwrap();
                        queue.submit().unwrap().wait().unwrap();
                        y.download::<[u64; 4]>().unwrap()
                    });
                    assert!(found == expected, "{rows} rows by {transform:?}");
                }
            }
        }
    }
}
