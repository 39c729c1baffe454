//! Transforms on the CPU: code of this library's own, since the default build has no other
//! that it could depend on.
//!
//! Splitting, a polynomial modulo X^n - s^n becomes two, modulo X^(n/2) - s^(n/2) and
//! X^(n/2) + s^(n/2), and so on down to the values: each *level* splits the blocks of the one
//! before, with one root for all butterflies of a block. It takes coefficients in natural order
//! and leaves values in bit-reversed order. Joining is the same backwards. The shift s of a
//! coset is part of the roots, and costs no pass of its own. Without one, values are as good as
//! coefficients: either direction splits or joins, whichever leaves the order that is wanted.
//!
//! The first levels, or the last to be joined, go through memory four at a time, the rest
//! within blocks that stay in a core's cache.

use std::sync::Arc;

use field_kernels::arithmetic::{add, bit_reversed, sub, to_montgomery};

use super::super::prelude::*;
use super::{Order, Transform};
use crate::vectors::cpu::Words;
use crate::vectors::domain::Domain;

type Limbs = [u64; 4];

/// The levels of a pass through memory, and the parts that it cuts a block into.
const PASS: u32 = 4;
const PARTS: usize = 1 << PASS;
/// Elements of each part that one thread works on at a time: all parts' are in its first cache.
const PIECE: usize = 64;
/// The levels within a block at most, which stays in a core's second cache.
const MOST_WITHIN: u32 = 12;
/// Rows of so many levels are not cut into blocks.
const ONE_BLOCK: u32 = 10;
/// The longest transforms whose roots are all in a table, for the domain itself; of longer ones
/// and of cosets each root is a product of two.
const MOST_IN_TABLE: u32 = 20;

pub(super) fn on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let transform = Transform::of(call.parameters)?;
    let (domain, inverse) = (transform.domain, transform.inverse);
    let [from, to] = [transform.from, transform.to].map(|it| it == Order::BitReversed);
    let x = run.elements::<Fr>(&call.arguments[0])?;
    let mut out = run.take(x.len() * Fr::LIMBS)?;
    let elements = Fr::elements_mut(out.as_mut_slice())?;
    // Joining takes bit-reversed order and leaves the natural one, splitting the other way
    // around.
    let joins = if domain.shift() == Fr::ONE {
        !to
    } else {
        inverse
    };
    copy(run, domain.log2(), x, elements, from != joins)?;
    let roots = Roots::new(run, &domain, inverse)?;
    match joins {
        false => roots.transform::<false>(run, elements)?,
        true => roots.transform::<true>(run, elements)?,
    }
    if to == joins {
        let mut ordered = run.take(x.len() * Fr::LIMBS)?;
        let to = Fr::elements_mut(ordered.as_mut_slice())?;
        copy(run, domain.log2(), elements, to, true)?;
        out = ordered;
    }
    run.only_result(call, out)
}

/// Copies rows of 2^log2 elements, each into bit-reversed order if that is wanted.
fn copy(
    run: &Run<'_>,
    log2: u32,
    x: &[Limbs],
    out: &mut [Limbs],
    reversed: bool,
) -> Result<(), Error> {
    let pieces = out.chunks_mut(GRAIN).enumerate().collect();
    run.for_each(pieces, |(number, out)| {
        let first = number * GRAIN;
        if !reversed {
            return out.copy_from_slice(&x[first..first + out.len()]);
        }
        let inside = (1 << log2) - 1;
        for (place, out) in (first..).zip(out) {
            *out = x[(place & !inside) + bit_reversed(place & inside, log2)];
        }
    })
}

/// The roots that a transform multiplies by, those of the inverse inverted.
struct Roots {
    log2: u32,
    /// Root i, of those of the domain itself, is w^(i bit-reversed), at every level: it is in
    /// the table of every size.
    table: Arc<Words>,
    /// The points, where not all roots are in the table.
    points: Option<Domain>,
    /// What the inverse is multiplied by: 1/n.
    scale: Option<Limbs>,
}

/// Those of a block.
struct Block<'r> {
    number: usize,
    table: &'r [Limbs],
    /// What those of each level are to be multiplied by.
    factors: Option<Vec<Limbs>>,
}

impl Roots {
    fn new(run: &Run<'_>, domain: &Domain, inverse: bool) -> Result<Self, Error> {
        let log2 = domain.log2();
        let is_in_table = domain.shift() == Fr::ONE && log2 <= MOST_IN_TABLE;
        let most = if is_in_table {
            MOST_IN_TABLE
        } else {
            MOST_WITHIN
        };
        let bits = most.min(log2).saturating_sub(1);
        let key = TableKey {
            name: "roots of transforms",
            element: Fr::ID,
            parameters: vec![u64::from(inverse), u64::from(bits)],
        };
        let table = run.table(key, |run| {
            let mut words = run.take(Fr::LIMBS << bits)?;
            let table = Fr::elements_mut(words.as_mut_slice())?;
            table[0] = Fr::ONE;
            for bit in 0..bits {
                let root = Domain::new(4 << bit)?.generator();
                let root = if inverse { Fr::inverse(&root) } else { root };
                let (known, rest) = table.split_at_mut(1 << bit);
                for (new, known) in rest.iter_mut().zip(known) {
                    *new = Fr::mul(known, &root);
                }
            }
            Ok(words)
        })?;
        let points = match is_in_table {
            true => None,
            false if inverse => Some(domain.inverted()),
            false => Some(*domain),
        };
        let size = to_montgomery::<Fr>(&[1 << log2, 0, 0, 0]);
        Ok(Self {
            log2,
            table,
            points,
            scale: inverse.then(|| Fr::inverse(&size)),
        })
    }

    /// Transforms rows in place.
    fn transform<const JOINS: bool>(&self, run: &Run<'_>, x: &mut [Limbs]) -> Result<(), Error> {
        let passes = match self.log2 {
            ..=ONE_BLOCK => 0,
            log2 => log2.saturating_sub(MOST_WITHIN).div_ceil(PASS).max(1),
        };
        if JOINS {
            self.within_blocks::<JOINS>(run, x, passes * PASS)?;
        }
        for number in 0..passes {
            let pass = if JOINS { passes - 1 - number } else { number };
            self.pass::<JOINS>(run, x, pass * PASS)?;
        }
        match JOINS {
            true => Ok(()),
            false => self.within_blocks::<JOINS>(run, x, passes * PASS),
        }
    }

    /// Those of a block after so many levels, for the next ones.
    fn of_block<'t>(&self, table: &'t [Limbs], number: usize, done: u32, levels: u32) -> Block<'t> {
        let factors = self.points.map(|points| {
            // At level l, half a block's power of its first point.
            let mut factor = points.element(bit_reversed(number, done));
            (done + levels..self.log2).for_each(|_| factor = square(&factor));
            let mut factors = vec![Limbs::default(); levels as usize];
            for place in factors.iter_mut().rev() {
                *place = factor;
                factor = square(&factor);
            }
            factors
        });
        Block {
            number,
            table,
            factors,
        }
    }

    /// A few levels through memory, after those that are `done`: at equal places of all parts
    /// of a block.
    fn pass<const JOINS: bool>(
        &self,
        run: &Run<'_>,
        x: &mut [Limbs],
        done: u32,
    ) -> Result<(), Error> {
        let (block, blocks) = (1 << (self.log2 - done), 1 << done);
        let part = block / PARTS;
        let mut tasks = Vec::new();
        for (number, block) in x.chunks_exact_mut(block).enumerate() {
            let mut pieces: Vec<Vec<_>> = Vec::new();
            pieces.resize_with(part / PIECE, || Vec::with_capacity(PARTS));
            for part in block.chunks_exact_mut(part) {
                let places = pieces.iter_mut().zip(part.chunks_exact_mut(PIECE));
                places.for_each(|(piece, part)| piece.push(part));
            }
            tasks.extend(pieces.into_iter().map(|parts| (number % blocks, parts)));
        }
        let table = Fr::elements(self.table.as_slice())?;
        run.for_each(tasks, |(number, mut parts)| {
            let roots = self.of_block(table, number, done, PASS);
            levels::<_, JOINS>(&mut parts, &roots, |us, vs, root| {
                for (u, v) in us.iter_mut().zip(vs) {
                    butterflies::<JOINS>(u, v, root);
                }
            });
        })
    }

    /// All levels after those that are `done`, each block by itself.
    fn within_blocks<const JOINS: bool>(
        &self,
        run: &Run<'_>,
        x: &mut [Limbs],
        done: u32,
    ) -> Result<(), Error> {
        let levels_left = self.log2 - done;
        let (block, blocks) = (1 << levels_left, 1 << done);
        let each = GRAIN.max(block);
        let table = Fr::elements(self.table.as_slice())?;
        run.for_each(x.chunks_mut(each).enumerate().collect(), |(number, x)| {
            for (place, x) in x.chunks_exact_mut(block).enumerate() {
                let number = (number * each / block + place) % blocks;
                let roots = self.of_block(table, number, done, levels_left);
                levels::<_, JOINS>(x, &roots, butterflies::<JOINS>);
                if let Some(scale) = &self.scale {
                    x.iter_mut().for_each(|x| *x = Fr::mul(x, scale));
                }
            }
        })
    }
}

impl Block<'_> {
    /// Root i of a level; none where it is one.
    fn root(&self, level: u32, i: usize) -> Option<Limbs> {
        match &self.factors {
            Some(factors) => Some(Fr::mul(&self.table[i], &factors[level as usize])),
            None => match (self.number << level) + i {
                0 => None,
                place => Some(self.table[place]),
            },
        }
    }
}

/// All levels of a block of 2^levels parts.
fn levels<T, const JOINS: bool>(
    x: &mut [T],
    roots: &Block<'_>,
    butterflies: impl Fn(&mut [T], &mut [T], Option<Limbs>),
) {
    let levels = x.len().ilog2();
    for number in 0..levels {
        let level = if JOINS { levels - 1 - number } else { number };
        let half = x.len() >> (level + 1);
        for (i, both) in x.chunks_exact_mut(2 * half).enumerate() {
            let (u, v) = both.split_at_mut(half);
            butterflies(u, v, roots.root(level, i));
        }
    }
}

/// u + root v and u - root v, of all elements at equal places; joining, u + v and
/// root (u - v).
fn butterflies<const JOINS: bool>(u: &mut [Limbs], v: &mut [Limbs], root: Option<Limbs>) {
    let times = |x: Limbs| root.map_or(x, |root| Fr::mul(&x, &root));
    for (u, v) in u.iter_mut().zip(v) {
        if JOINS {
            (*u, *v) = (add::<Fr>(u, v), times(sub::<Fr>(u, v)));
        } else {
            let v_times = times(*v);
            (*u, *v) = (add::<Fr>(u, &v_times), sub::<Fr>(u, &v_times));
        }
    }
}

fn square(x: &Limbs) -> Limbs {
    Fr::mul(x, x)
}
