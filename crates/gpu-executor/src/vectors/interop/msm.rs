//! Multi-scalar multiplications in the shape that arkworks' and blst's have, from host to host.

#[cfg(feature = "arkworks")]
mod arkworks;
#[cfg(feature = "blst")]
mod blst;

#[cfg(feature = "blst")]
pub use blst::BlstPoint;

use field_kernels::Curve;
use field_kernels::curve::Xyzz;

use crate::Result;
use crate::vectors::{AsElements, PointCheck, Scalars, VectorEngine};

impl VectorEngine {
    /// The sum of points of the subgroup, which are taken on trust, each times its scalar.
    /// Where the same points come again, upload them once and use
    /// [`Queue::msm`](crate::vectors::Queue::msm).
    fn msm<'s, C: Curve>(
        &self,
        points: &(impl AsElements<C> + ?Sized),
        scalars: impl Into<Scalars<'s>>,
    ) -> Result<Xyzz<C>> {
        let points = self.upload_points::<C>(points, PointCheck::Trusted)?;
        let queue = self.queue();
        let msm = queue.msm(&points, scalars)?;
        queue.submit()?.wait()?.msm(&msm)
    }
}
