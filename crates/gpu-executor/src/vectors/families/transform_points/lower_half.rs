//! The lower halves of polynomials whose coefficients are points, by their values.
//!
//! Twice the values y of the lower half, of n values x, are y_i = x_i + the sum over odd d of
//! g_d x_(i - d), with g_d = -4 / n (w^d - 1): of even d other than 0, the sum of half of all
//! powers of w^d vanishes. So the values at even places take those at odd ones and the other
//! way around: two *classes* of m = n / 2, each a product of polynomials modulo X^m - 1 by one
//! that is known, which has the values g_d as its coefficients. Modulo X^m - 1 is modulo
//! X^(m/2) + 1, X^(m/4) + 1 and so on to X + 1, and X - 1: the *blocks* of a class, of h
//! coefficients each. Going there and back are additions alone, and between them are a third
//! of the products that there would be at once.

use field_kernels::arithmetic::{
    add, bit_reversed, from_montgomery, inverse, mul, neg, sub, to_montgomery,
};
use field_kernels::curve::Xyzz;

use super::super::map_points::{Integer, Stage, run, take_in};
use super::super::prelude::*;
use super::super::{Order, Transform};
use super::{cpu, finish, table};
use crate::vectors::domain::Domain;

static LOWER_HALF: WholeOperation =
    WholeOperation::new("lower_half_of_points", on_device, |run, call| {
        let Transform {
            domain, from, to, ..
        } = Transform::of(call.parameters)?;
        let there_and_back = [
            Transform::inverse(&domain).from(from),
            Transform::forward(&domain).to(to),
        ];
        with_curve!(call.arguments[0].of, C => cpu::on_cpu::<C>(run, call, &there_and_back, |row| {
            let (lower, upper) = row.split_at_mut(row.len() / 2);
            lower.iter_mut().for_each(|it| *it = it.double());
            upper.fill(Xyzz::default());
        }))
    });

/// Values of a row at most: the table of products has about 9 n^2 words.
const MOST: usize = 1 << 10;

impl Queue {
    /// Of each row of n points, which are the values over `domain` of a polynomial whose
    /// coefficients are points, twice the values of its lower half, the first n / 2
    /// coefficients: what an inverse transform, infinity in the place of the other half, a
    /// forward transform and a doubling make of it, in one. So FK20 has it between the sums of
    /// products and the proofs. Halve the scalars of those sums for the values themselves.
    /// Rows come and go in these orders.
    ///
    /// # Errors
    /// [`Error::WrongLength`] for a domain of other than 2 to 1,024 points, else as
    /// [`Self::transform_points`].
    pub fn lower_half_of_points<C: Curve>(
        &self,
        points: &PointVec<C>,
        domain: &Domain,
        [from, to]: [Order; 2],
    ) -> Result<PointVec<C>> {
        let (operation, row) = (LOWER_HALF.name, domain.size());
        if !(2..=MOST).contains(&row) {
            return Err(Error::WrongLength {
                operation,
                expected: "a domain of 2 to 1,024 points",
                found: row,
            });
        }
        expect_rows(operation, row, points.len())?;
        let node = self.whole_of(&LOWER_HALF, C::Field::ID, points)?;
        // The same on any coset: its shift is a factor of each coefficient.
        let on = Transform::forward(&Domain::new(row)?).from(from).to(to);
        let node = node.with(&on.parameters());
        Ok(node.result(points.len(), Form::Montgomery))
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let (field, points) = (call.field, &call.arguments[0]);
    let Transform {
        domain, from, to, ..
    } = Transform::of(call.parameters)?;
    let row = domain.size();
    let halves = Halves {
        domain,
        class: row / 2,
        to,
    };
    let rows = points.elements / row;
    let values = steps.take(field, 4 * points.elements)?;
    let is_reversed = from == Order::BitReversed;
    take_in(steps, field, points, (row, is_reversed), &values)?;
    let sums = steps.take(field, 4 * points.elements)?;
    let mut from = &values;
    let mut modulus = halves.class;
    while modulus > 1 {
        let next = (modulus >> LEVELS).max(1);
        let stage = Stage::of_signs(row, row);
        let words = table(steps, call, &[modulus as u64], || {
            stage.words(halves.reduced(modulus, next))
        })?;
        run(steps, field, (&stage, &words), rows, (&[from], &sums))?;
        (from, modulus) = (&sums, next);
    }
    let stage = Stage::new(row, row);
    let words = table(steps, call, &[0], || stage.words(halves.products()))?;
    run(steps, field, (&stage, &words), rows, (&[from], &sums))?;
    let stage = Stage::of_signs(row, row);
    let words = table(steps, call, &[1], || stage.words(halves.joined()))?;
    run(
        steps,
        field,
        (&stage, &words),
        rows,
        (&[&sums, &values], &sums),
    )?;
    finish(steps, call, &sums)
}

/// Levels of a stage of additions: an output has up to 2^LEVELS inputs.
const LEVELS: u32 = 3;

type Terms = Vec<(usize, Integer)>;

struct Halves {
    domain: Domain,
    /// Values of a class, m: class 0 is of those at odd places, class 1 of the others.
    class: usize,
    to: Order,
}

impl Halves {
    /// For each place of a row, class by class: what is there once the blocks below `modulus`,
    /// as far as `next`, are made of what there is modulo X^modulus - 1. Blocks lie from the
    /// longest to the shortest, and then what is left, modulo X^next - 1.
    fn reduced(&self, modulus: usize, next: usize) -> impl Iterator<Item = Terms> {
        let (class, blocks) = (self.class, self.class - modulus);
        self.places(move |class_number, place| {
            let input = |at: usize| match modulus == class {
                true => 2 * at + 1 - class_number,
                false => class_number * class + at,
            };
            if place < blocks {
                return vec![(input(place), one(false))];
            }
            let (h, at, alternates) = match place < class - next {
                true => {
                    let (h, at) = block(class, place);
                    (h, at, true)
                }
                false => (next, place - (class - next), false),
            };
            let those = (at..modulus).step_by(h).enumerate();
            let those = those.map(|(number, at)| {
                let negative = alternates && number % 2 == 1;
                (input(blocks + at), one(negative))
            });
            those.collect()
        })
    }

    /// The products of each block by what it is multiplied by.
    fn products(&self) -> impl Iterator<Item = Terms> {
        let class = self.class;
        let factors = [0, 1].map(|number| self.factors(number));
        self.places(move |number, place| {
            let input = |at: usize| match class {
                1 => 1 - number,
                _ => number * class + at,
            };
            let (h, at) = block(class, place);
            let first = place - at;
            let terms = (0..h).map(|j| {
                let factor = factors[number][first + (at + h - j) % h];
                // X^h is -1 of a block, and 1 of the last.
                let factor = match j > at && place < class - 1 {
                    true => neg::<Fr>(&factor),
                    false => factor,
                };
                (input(first + j), from_montgomery::<Fr>(&factor))
            });
            terms.collect()
        })
    }

    /// Twice the values: of the blocks of a class, and beside them of the values of all.
    fn joined(&self) -> impl Iterator<Item = Terms> {
        let (row, class) = (2 * self.class, self.class);
        (0..row).map(move |place| {
            let place = match self.to {
                Order::BitReversed => bit_reversed(place, row.ilog2()),
                Order::Natural => place,
            };
            let (number, at) = (place % 2, place / 2);
            let first = number * class;
            let mut terms = vec![(row + place, one(false)), (first + class - 1, one(false))];
            let mut h = class / 2;
            while h > 0 {
                let of_block = first + class - 2 * h + at % h;
                terms.push((of_block, one(at / h % 2 == 1)));
                h /= 2;
            }
            terms
        })
    }

    /// What the blocks of a class are multiplied by, as they lie, times what is left to be
    /// divided by.
    fn factors(&self, number: usize) -> Vec<[u64; 4]> {
        let (row, class) = (2 * self.class, self.class);
        let integer = |it: usize| to_montgomery::<Fr>(&[it as u64, 0, 0, 0]);
        let inverse = |it: &_| inverse::<Fr>(it).unwrap_or_default();
        let scale = mul::<Fr>(&neg::<Fr>(&integer(4)), &inverse(&integer(row)));
        let coefficient = |at: usize| {
            // d is 2 at - 1 of class 0, 2 at + 1 of class 1.
            let power = self.domain.element((2 * at + 2 * number + row - 1) % row);
            mul::<Fr>(&scale, &inverse(&sub::<Fr>(&power, &Fr::ONE)))
        };
        let coefficients: Vec<_> = (0..class).map(coefficient).collect();
        let factor = |place: usize| {
            let (h, at) = block(class, place);
            let those = coefficients.iter().skip(at).step_by(h).enumerate();
            let sum = those.fold([0; 4], |sum, (number, it)| {
                match number % 2 == 1 && place < class - 1 {
                    true => sub::<Fr>(&sum, it),
                    false => add::<Fr>(&sum, it),
                }
            });
            mul::<Fr>(&sum, &inverse(&integer(class / h)))
        };
        (0..class).map(factor).collect()
    }

    /// What `terms` has of each place of both classes.
    fn places(&self, terms: impl Fn(usize, usize) -> Terms) -> impl Iterator<Item = Terms> {
        let class = self.class;
        (0..2 * class).map(move |place| terms(place / class, place % class))
    }
}

/// The length of the block that a place of a class is in, and which of it the place is: they
/// have m / 2, m / 4 and so on to 1, and the last, modulo X - 1, has 1.
fn block(class: usize, place: usize) -> (usize, usize) {
    let left = class - place;
    // The block of h has h + 1 to 2 h left.
    let h = match left {
        1 => return (1, 0),
        _ => left.next_power_of_two() / 2,
    };
    (h, 2 * h - left)
}

fn one(negative: bool) -> Integer {
    let one = [1, 0, 0, 0];
    if negative { neg::<Fr>(&one) } else { one }
}
