//! Integers of few bits, kept where an engine computes, as scalars of points.

use std::ops::RangeBounds;

use bytemuck::{NoUninit, must_cast_slice};
use field_kernels::{ElementType as _, Fr};
use vk_mem_paths::ElementFormat;

use super::engine::VectorEngine;
use super::field_vec::{FieldVec, Form, range_in};
use super::value::State;
use crate::Result;

/// Integers as scalars of points, from the lowest bit up in as many bytes as their bits take,
/// kept where the engine computes: what [`Queue::msm`](super::Queue::msm) takes in the place of
/// elements. Clones and slices share memory.
#[derive(Clone, Debug)]
pub struct Integers {
    /// 32 bytes of them where an element would be: no element of a field, and never used as
    /// one.
    pub(super) words: FieldVec<Fr>,
    /// The first, in integers from the start of `words`.
    pub(super) start: usize,
    len: usize,
    pub(super) bits: u32,
}

/// A type of integers that [`VectorEngine::upload_integers`] takes: `bool`, and `u8` to `u128`.
pub trait Integer: sealed::Bits {}

mod sealed {
    /// What is known of a type of integers.
    pub trait Bits: bytemuck::NoUninit {
        /// Bits of the largest.
        const BITS: u32;
    }
}

macro_rules! integers {
    ($($type:ty: $bits:expr),+) => {$(
        impl sealed::Bits for $type {
            const BITS: u32 = $bits;
        }

        impl Integer for $type {}
    )+};
}

integers!(bool: 1, u8: u8::BITS, u16: u16::BITS, u32: u32::BITS, u64: u64::BITS, u128: u128::BITS);

impl Integers {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of them, as [`FieldVec::slice`].
    ///
    /// # Errors
    /// [`Error::OutOfRange`](crate::Error::OutOfRange).
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self> {
        let range = range_in(self.len, &range)?;
        Ok(Self {
            start: self.start + range.start,
            len: range.len(),
            ..self.clone()
        })
    }
}

impl VectorEngine {
    /// Integers as scalars for [`Queue::msm`](super::Queue::msm): `bool`s, `u8`s to `u128`s, in
    /// as many bytes as they have here. A multiplication by them takes time in proportion to
    /// the bits of their type.
    ///
    /// ```
    /// use gpu_executor::vectors::{Curve, G1, PointCheck, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let points = engine.upload_points::<G1>(&[G1::GENERATOR; 3].concat(), PointCheck::Subgroup)?;
    /// let (weights, chosen) = (engine.upload_integers(&[1_u32, 2, 3])?, [true, true, false]);
    /// let chosen = engine.upload_integers(&chosen)?;
    /// let queue = engine.queue();
    /// let weighted = queue.msm(&points, &weights)?;
    /// let of_two = queue.msm(&points, &chosen)?;
    /// let done = queue.submit()?.wait()?;
    /// let sum = done.msm(&of_two)?;
    /// assert_eq!(done.msm(&weighted)?, sum.add(&sum).add(&sum));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::DataPath`](crate::Error::DataPath) and [`Error::Vulkan`](crate::Error::Vulkan)
    /// for memory and for what the driver returned.
    pub fn upload_integers<T: Integer>(&self, integers: &[T]) -> Result<Integers> {
        if cfg!(target_endian = "little") {
            return self.upload_packed(bytes_of(integers), T::BITS, integers.len());
        }
        let mut bytes = bytes_of(integers).to_vec();
        bytes.chunks_mut(size_of::<T>()).for_each(<[u8]>::reverse);
        self.upload_packed(&bytes, T::BITS, integers.len())
    }

    /// `len` integers of `bits` bits, one at least, each in whole bytes from the lowest up.
    pub(super) fn upload_packed(&self, bytes: &[u8], bits: u32, len: usize) -> Result<Integers> {
        let any = ElementFormat::from(Fr::BYTES);
        let state = State::Stored(self.runner().upload(&[bytes], any)?);
        let elements = bytes.len().div_ceil(Fr::BYTES);
        Ok(Integers {
            words: FieldVec::new(self, state, elements, Form::Plain),
            start: 0,
            len,
            bits,
        })
    }
}

fn bytes_of<T: NoUninit>(integers: &[T]) -> &[u8] {
    must_cast_slice(integers)
}
