//! Indices of elements, kept where an engine computes.

use bytemuck::must_cast_slice;
use field_kernels::{ElementType as _, Fr};
use vk_mem_paths::ElementFormat;

use super::engine::VectorEngine;
use super::field_vec::{FieldVec, Form};
use super::value::State;
use crate::Result;

/// Places of a vector's elements, from 0, kept where the engine computes: what
/// [`Queue::gather`](super::Queue::gather) goes by. The same index may be in it several times.
#[derive(Clone, Debug)]
pub struct Indices {
    /// Eight indices where an element would be: no element of a field, and never used as
    /// one.
    pub(super) words: FieldVec<Fr>,
    count: usize,
    /// The largest, and its place.
    pub(super) largest: Option<(u32, usize)>,
}

/// Indices that lie where one element of `Indices::words` would.
pub(super) const INDICES_OF_AN_ELEMENT: usize = Fr::BYTES / size_of::<u32>();

impl Indices {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl VectorEngine {
    /// Keeps indices for [`Queue::gather`](super::Queue::gather), to be used once or often.
    ///
    /// # Errors
    /// [`Error::DataPath`](crate::Error::DataPath) and [`Error::Vulkan`](crate::Error::Vulkan) for memory and for what the driver
    /// returned.
    pub fn upload_indices(&self, indices: &[u32]) -> Result<Indices> {
        let any = ElementFormat::from(Fr::BYTES);
        let stored = self.runner().upload(&[must_cast_slice(indices)], any)?;
        let elements = indices.len().div_ceil(INDICES_OF_AN_ELEMENT);
        let state = State::Stored(stored);
        let places = indices.iter().copied().zip(0..);
        Ok(Indices {
            words: FieldVec::new(self, state, elements, Form::Plain),
            count: indices.len(),
            largest: places.max_by_key(|(index, _)| *index),
        })
    }
}
