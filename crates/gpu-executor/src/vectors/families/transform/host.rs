//! Transforms of elements on the host: up, computed, and down again.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use field_kernels::{ElementType as _, Fr};

use super::Transform;
use crate::vectors::elements::AsElementsMut;
use crate::vectors::engine::VectorEngine;
use crate::{Error, Result};

/// Elements of a part, where rows are not longer: 32 MiB, for the copies' speed to show.
const PART: usize = 1 << 20;

impl VectorEngine {
    /// Transforms elements on the host in place, each row of them: uploads, transforms and
    /// downloads. Of slices of limbs in Montgomery form, and with the features of these names
    /// of arkworks' `Fr` and of `blst_fr`.
    ///
    /// Of several rows with more than 2^20 elements together, a device transforms some while
    /// others are copied: in parts of so many elements, or of one row, two at a time. The
    /// second has memory, staging and tables of its own.
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
    /// As [`Self::upload`], [`Queue::transform`](crate::vectors::Queue::transform) and
    /// [`Queue::submit`](crate::vectors::Queue::submit). The elements are as they were then,
    /// unless it was the copy back to them that failed; of several parts, some may be
    /// transformed.
    pub fn transform(
        &self,
        elements: &mut (impl AsElementsMut<Fr> + ?Sized),
        transform: &Transform,
    ) -> Result<()> {
        let part = transform.domain.size().max(PART);
        in_parts(self, elements.as_limbs_mut(), transform, part)
    }
}

/// Transforms parts of so many elements, whole rows, two at a time.
fn in_parts(
    engine: &VectorEngine,
    limbs: &mut [u64],
    transform: &Transform,
    part: usize,
) -> Result<()> {
    let [row, each] = [transform.domain.size(), part].map(|elements| elements * Fr::LIMBS);
    let beside = match limbs.len() > each && limbs.len().is_multiple_of(row) {
        true => engine.beside()?,
        false => None,
    };
    let Some(beside) = beside else {
        return at_once(engine, limbs, transform);
    };
    let parts = Mutex::new(limbs.chunks_mut(each).enumerate());
    // Each change is one call, so a panic elsewhere left it whole.
    let left = || parts.lock().unwrap_or_else(PoisonError::into_inner);
    let work = |engine: &VectorEngine| {
        loop {
            let Some((number, limbs)) = left().next() else {
                return Ok(());
            };
            if let Err(error) = at_once(engine, limbs, transform) {
                left().by_ref().for_each(drop);
                return Err(counted_from(number * part, error));
            }
        }
    };
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, || work(&beside));
        let other = other.map_err(|error| {
            Error::DataPath(vk_mem_paths::Error::Threads {
                threads: 2,
                detail: error.to_string(),
            })
        })?;
        let own = work(engine);
        let other = other.join().unwrap_or_else(|panic| resume_unwind(panic));
        own.and(other)
    })
}

fn at_once(engine: &VectorEngine, limbs: &mut [u64], transform: &Transform) -> Result<()> {
    let mut vector = engine.upload(limbs)?;
    let queue = engine.queue();
    queue.transform_assign(&mut vector, transform)?;
    // Nobody waits: the download does, and reports what became of it.
    let _pending = queue.submit()?;
    vector.download_into(limbs)
}

/// An error of a part that begins with element `first`.
fn counted_from(first: usize, error: Error) -> Error {
    match error {
        Error::VectorNotCanonical {
            element,
            field,
            limb,
            found,
        } => Error::VectorNotCanonical {
            element: first + element,
            field,
            limb,
            found,
        },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use field_kernels::FR_MODULUS;
    use field_kernels::edge::edge_elements;
    use vk_core::testing::device_under_test;

    use super::*;
    use crate::Inputs;
    use crate::device::Asked;
    use crate::vectors::Domain;
    use crate::vectors::vulkan::runner_on;

    /// Parts of one row and of several, the last of them shorter, on both engines.
    #[test]
    fn rows_in_parts_are_as_all_at_once() {
        let (_guard, physical) = device_under_test().unwrap();
        let runner = runner_on(&physical, |_| {}, Asked::default(), None);
        let device = VectorEngine::on(runner, Inputs::default());
        let cpu = VectorEngine::cpu_with_threads(2).unwrap();
        let edges = edge_elements::<Fr>();
        let x: Vec<[u64; 4]> = edges.into_iter().cycle().take(7 * 64).collect();
        let transform = Transform::forward(&Domain::new(64).unwrap().coset_of_generator());
        let mut expected = x.clone();
        cpu.transform(&mut expected, &transform).unwrap();
        for part in [64, 128, 192, 448, 512] {
            for engine in [&device, &cpu] {
                let mut limbs = x.concat();
                in_parts(engine, &mut limbs, &transform, part).unwrap();
                assert!(limbs == expected.concat(), "{engine:?}, parts of {part}");
            }
        }
        assert!(device.trim() > 0);
    }

    #[test]
    fn an_element_that_is_refused_is_counted_in_all_parts() {
        let (_guard, physical) = device_under_test().unwrap();
        let runner = runner_on(&physical, |_| {}, Asked::default(), None);
        let engine = VectorEngine::on(runner, Inputs::default());
        let transform = Transform::inverse(&Domain::new(8).unwrap());
        let mut x = vec![[1, 2, 3, 4]; 8 * 100];
        x[8 * 9 + 3] = FR_MODULUS;
        let mut limbs = x.concat();
        let error = in_parts(&engine, &mut limbs, &transform, 16).unwrap_err();
        let is_so = matches!(error, Error::VectorNotCanonical { element: 75, .. });
        assert!(is_so, "{error}");
        assert_eq!(limbs[64 * 4..80 * 4], *x[64..80].concat(), "its own part");
    }
}
