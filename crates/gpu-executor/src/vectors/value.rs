//! What a vector stands for: elements that are somewhere, or will be.

use std::sync::{Arc, Mutex};

use vk_core::lock;
use vk_mem_paths::Storage;

use super::cpu::HostElements;
use crate::Error;

/// Where elements are.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    /// No elements at all.
    Nowhere,
    /// In device memory.
    Device(Arc<Storage>),
    /// In host memory, or there once they are computed.
    Host(Arc<HostElements>),
}

impl Stored {
    /// Why there will never be elements, where that is known.
    pub(crate) fn failure(&self, operation: &'static str) -> Option<Error> {
        match self {
            Self::Host(place) => place.failure(operation),
            Self::Nowhere | Self::Device(_) => None,
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nowhere, Self::Nowhere) => true,
            (Self::Device(one), Self::Device(other)) => Arc::ptr_eq(one, other),
            (Self::Host(one), Self::Host(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

/// What becomes of a vector in its life.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// A result of a node of a queue that was not submitted yet.
    Recorded {
        queue: u64,
        /// Which result of its nodes.
        result: usize,
    },
    /// There, or on its way there: what is submitted later finds it.
    Stored(Stored),
    /// Its submission failed.
    Failed(Arc<Error>),
}

/// A vector's elements; shared by its clones and slices.
#[derive(Debug)]
pub(crate) struct Value {
    state: Mutex<State>,
}

impl Value {
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> State {
        lock(&self.state).clone()
    }

    pub(crate) fn set(&self, state: State) {
        *lock(&self.state) = state;
    }
}
