//! Sums of more terms than device memory holds at once.

use std::collections::VecDeque;

use field_kernels::curve::{Curve, Xyzz};

use super::{Msm, Scalars};
use crate::Result;
use crate::vectors::engine::VectorEngine;
use crate::vectors::pending::Pending;
use crate::vectors::points::PointVec;

/// Chunks whose sums are on their way at once.
const AT_ONCE: usize = 2;

impl VectorEngine {
    /// The sum of the points of all chunks, each times its scalar, for more of them than device
    /// memory holds: elements, or integers ([`upload_integers`](Self::upload_integers)). A chunk
    /// is asked for while the device is at work on the one before. What an upload copies to
    /// staging memory it copies meanwhile; the device copies it further after that work, since
    /// all that it does is in one order. Of a third chunk the memory is needed only once that
    /// of the first is free.
    ///
    /// ```
    /// use gpu_executor::vectors::{Curve, Fr, G1, PointCheck, VectorEngine};
    ///
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// let (points, scalars) = ([G1::GENERATOR; 5], [[2, 0, 0, 0]; 5]);
    /// let chunks = points.chunks(2).zip(scalars.chunks(2)).map(|(points, scalars)| {
    ///     let points = engine.upload_points::<G1>(points.as_flattened(), PointCheck::Subgroup)?;
    ///     Ok((points, engine.upload_plain::<Fr>(scalars)?))
    /// });
    /// let sum = engine.msm_of_chunks(chunks)?;
    /// # let ten = gpu_executor::vectors::Xyzz::<G1>::from_affine(&G1::GENERATOR).mul(&[10]);
    /// # assert_eq!(sum, ten);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the first chunk that is an error is, else as [`Queue::msm`](crate::vectors::Queue::msm),
    /// [`Queue::submit`](crate::vectors::Queue::submit) and [`Pending::wait`].
    pub fn msm_of_chunks<C: Curve, S>(
        &self,
        chunks: impl IntoIterator<Item = Result<(PointVec<C>, S)>>,
    ) -> Result<Xyzz<C>>
    where
        for<'s> &'s S: Into<Scalars<'s>>,
    {
        let mut sum = Xyzz::default();
        let mut pending: VecDeque<(Pending, Msm<C>)> = VecDeque::new();
        for chunk in chunks {
            let (points, scalars) = chunk?;
            let queue = self.queue();
            let msm = queue.msm(&points, &scalars)?;
            pending.push_back((queue.submit()?, msm));
            // Their memory is free once the device is done with them.
            drop((points, scalars));
            if pending.len() == AT_ONCE {
                sum = sum.add(&first(&mut pending)?);
            }
        }
        while !pending.is_empty() {
            sum = sum.add(&first(&mut pending)?);
        }
        Ok(sum)
    }
}

/// The sum of the first of them, which is waited for.
fn first<C: Curve>(pending: &mut VecDeque<(Pending, Msm<C>)>) -> Result<Xyzz<C>> {
    match pending.pop_front() {
        Some((pending, msm)) => pending.wait()?.msm(&msm),
        None => Ok(Xyzz::default()),
    }
}
