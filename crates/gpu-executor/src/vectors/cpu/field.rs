//! What the CPU engine computes with: field-kernels' arithmetic, and in its place, where
//! it is faster, that of blst.

use field_kernels::{Bulk, ElementOperation, Field};

/// A field with its fastest functions on the CPU. All of them are equal to those of
/// [`field_kernels::arithmetic`] on canonical elements.
pub(crate) trait CpuField: Field {
    /// Operations that have a faster implementation than that of the registry.
    const FASTER: &'static [(&'static ElementOperation, Bulk<Self>)];

    /// a b.
    fn mul(a: &Self::Limbs, b: &Self::Limbs) -> Self::Limbs;

    /// x^-1, and 0 for 0.
    fn inverse(x: &Self::Limbs) -> Self::Limbs;

    /// The function that computes `operation`.
    fn bulk(operation: &ElementOperation) -> Bulk<Self> {
        let mut faster = Self::FASTER.iter();
        match faster.find(|(other, _)| *other == operation) {
            Some((_, bulk)) => *bulk,
            None => operation.bulk::<Self>(),
        }
    }
}
