//! Transforms between the coefficients of polynomials and their values at the points of a
//! domain: the number-theoretic transform (NTT) of Fr.

mod cpu;
mod device;
mod factors;
mod halves;
mod parts;

use super::prelude::*;
use crate::vectors::domain::Domain;
use crate::vectors::elements::{AsElements, AsElementsMut, as_bytes, as_uninit, form_of};
use crate::vectors::engine::VectorEngine;
use crate::vectors::runner::ComeDown;
pub(in crate::vectors) use parts::{Cut, InParts, in_parts};

static TRANSFORM: WholeOperation = WholeOperation::new("transform", device::on_device, cpu::on_cpu);

/// In which order a row of 2^k elements stands in a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Element i at place i.
    #[default]
    Natural,
    /// Element i at the place whose number has the k bits of i from the last to the first, as
    /// [`Queue::bit_reverse`] puts it there.
    BitReversed,
}

/// A transform, for [`Queue::transform`]: over which domain, in which direction, and the order
/// of what it takes and of what it leaves, natural unless it says otherwise.
///
/// Forward and to bit-reversed order, and inverse from it, is fastest: products of polynomials
/// need no other order, since at equal places stand values at the same point.
///
/// ```
/// use gpu_executor::vectors::{Domain, Fr, Order, Transform, VectorEngine};
///
/// # fn main() -> anyhow::Result<()> {
/// # let engine = VectorEngine::cpu_with_threads(2)?;
/// let x = engine.upload::<Fr>(&vec![[3, 0, 0, 0]; 1024])?;
/// let domain = Domain::new(1024)?.coset_of_generator();
/// let queue = engine.queue();
/// let there = Transform::forward(&domain).to(Order::BitReversed);
/// let back = Transform::inverse(&domain).from(Order::BitReversed);
/// let y = queue.transform(&queue.transform(&x, &there)?, &back)?;
/// let same = queue.equal(&x, &y)?;
/// assert!(queue.submit()?.wait()?.equal(&same)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transform {
    pub(super) domain: Domain,
    pub(super) inverse: bool,
    pub(super) from: Order,
    pub(super) to: Order,
}

impl Transform {
    /// From coefficients c to values: element i of the result is c_0 + c_1 x + c_2 x^2 + ... at
    /// point i of the domain.
    #[must_use]
    pub fn forward(domain: &Domain) -> Self {
        Self {
            domain: *domain,
            inverse: false,
            from: Order::Natural,
            to: Order::Natural,
        }
    }

    /// From the values back to the coefficients.
    #[must_use]
    pub fn inverse(domain: &Domain) -> Self {
        Self {
            inverse: true,
            ..Self::forward(domain)
        }
    }

    /// The same, of elements in this order.
    #[must_use]
    pub fn from(self, order: Order) -> Self {
        Self {
            from: order,
            ..self
        }
    }

    /// The same, with the result in this order.
    #[must_use]
    pub fn to(self, order: Order) -> Self {
        Self { to: order, ..self }
    }

    pub(super) fn size(&self) -> usize {
        self.domain.size()
    }

    /// log2 of the size, 1 if inverse, 1 if the argument is bit-reversed, 1 if the result is,
    /// and the limbs of the domain's shift.
    pub(super) fn parameters(&self) -> [u64; 8] {
        let Self {
            domain,
            inverse,
            from,
            to,
        } = self;
        let [a, b, c, d] = domain.shift();
        let [from, to] = [from, to].map(|order| u64::from(*order == Order::BitReversed));
        let log2 = u64::from(domain.log2());
        [log2, u64::from(*inverse), from, to, a, b, c, d]
    }

    /// The one with these [`Self::parameters`].
    pub(super) fn of(parameters: &[u64]) -> Result<Self> {
        let &[log2, inverse, from, to, ref shift @ ..] = parameters else {
            return Err(internal("the parameters of a transform"));
        };
        let shift = shift.try_into().map_err(|_| internal("a domain's shift"))?;
        let [from, to] = [from, to].map(|order| match order {
            0 => Order::Natural,
            _ => Order::BitReversed,
        });
        Ok(Self {
            domain: Domain::new(1 << log2)?.coset(shift)?,
            inverse: inverse == 1,
            from,
            to,
        })
    }
}

impl Queue {
    /// The transform of each row of x, a vector in Montgomery form: of its first n elements, of
    /// the next n and so on, where n is the size of the domain. Rows past what a device binds at
    /// once (mostly 2^26 elements) take a pass for each level beyond, one more to natural order
    /// of the result, or from the other order of the argument, and memory for two more vectors.
    ///
    /// # Errors
    /// [`Error::WrongRows`](crate::Error::WrongRows) for a vector that is not of such rows, one
    /// at least, else as [`Self::add`].
    pub fn transform(&self, x: &FieldVec<Fr>, transform: &Transform) -> Result<FieldVec<Fr>> {
        let (operation, row) = (TRANSFORM.name, transform.size());
        expect_rows(operation, row, x.len())?;
        self.expect_form(operation, x, Form::Montgomery)?;
        let arguments = vec![self.argument(operation, x)?];
        if row > self.most_bound::<Fr>() {
            let rows = (0..x.len()).step_by(row);
            let rows = rows.map(|first| x.slice(first..first + row));
            let rows = rows.map(|x| self.transform_by_halves(&x?, transform));
            let mut rows = rows.collect::<Result<Vec<_>>>()?;
            return match rows.len() {
                1 => Ok(rows.remove(0)),
                _ => self.concat(&rows),
            };
        }
        let node = self.whole(&TRANSFORM, Fr::ID, arguments);
        let node = node.with(&transform.parameters());
        Ok(node.result(x.len(), Form::Montgomery))
    }

    in_place!(transform_assign = transform(FieldVec<Fr>, transform: &Transform));

    /// The values at the points of `domain` of the polynomial with the coefficients x, or of
    /// each row of them: [`Transform::forward`], both in natural order.
    ///
    /// # Errors
    /// As [`Self::transform`].
    pub fn ntt(&self, x: &FieldVec<Fr>, domain: &Domain) -> Result<FieldVec<Fr>> {
        self.transform(x, &Transform::forward(domain))
    }

    in_place!(ntt_assign = ntt(FieldVec<Fr>, domain: &Domain));

    /// The coefficients of the polynomial with the values x at the points of `domain`, or of
    /// each row of them: [`Transform::inverse`], both in natural order.
    ///
    /// # Errors
    /// As [`Self::transform`].
    pub fn inverse_ntt(&self, x: &FieldVec<Fr>, domain: &Domain) -> Result<FieldVec<Fr>> {
        self.transform(x, &Transform::inverse(domain))
    }

    in_place!(inverse_ntt_assign = inverse_ntt(FieldVec<Fr>, domain: &Domain));
}

impl VectorEngine {
    /// Transforms elements on the host in place, each row of them: uploads, transforms and
    /// downloads. Of slices of limbs in Montgomery form, and with the features of these names
    /// of arkworks' `Fr` and of `blst_fr`.
    ///
    /// ```
    /// use gpu_executor::vectors::{Domain, Transform, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let mut values = vec![[5, 0, 0, 0]; 1024];
    /// let domain = Domain::new(1024)?;
    /// engine.transform(&mut values, &Transform::forward(&domain))?;
    /// assert_eq!(values[1], [0; 4]);
    /// engine.transform(&mut values, &Transform::inverse(&domain))?;
    /// assert_eq!(values[1], [5, 0, 0, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Self::upload`], [`Queue::transform`] and [`Queue::submit`]. The elements are as they
    /// were then, unless it was the copy back to them that failed.
    pub fn transform(
        &self,
        elements: &mut (impl AsElementsMut<Fr> + ?Sized),
        transform: &Transform,
    ) -> Result<()> {
        if let Some(come_down) = self.begin_transform(elements, transform)? {
            return come_down(as_bytes(as_uninit(elements.as_limbs_mut())));
        }
        let mut vector = self.upload(elements)?;
        let queue = self.queue();
        queue.transform_assign(&mut vector, transform)?;
        // Nobody waits: the download does, and reports what became of it.
        let _pending = queue.submit()?;
        vector.download_into(elements)
    }

    /// Begins to transform one row on the host, where its passes can overlap with the ways up
    /// and down.
    pub(in crate::vectors) fn begin_transform(
        &self,
        elements: &(impl AsElements<Fr> + ?Sized),
        transform: &Transform,
    ) -> Result<Option<ComeDown<'_>>> {
        let limbs = elements.as_limbs();
        let form = form_of::<Fr, _>(elements).unwrap_or_default();
        if form != Form::Montgomery || limbs.len() != transform.size() * Fr::LIMBS {
            return Ok(None);
        }
        let bytes = bytemuck::must_cast_slice(limbs);
        self.runner()
            .transform(bytes, self.format_of::<Fr>(), transform)
    }
}
