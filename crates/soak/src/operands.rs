//! Random canonical elements, edge elements first, and what comes of them.

use field_kernels::{BinaryOp, Fp, LIMBS, edge};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{PathChoice, TransferPath};

/// An element's limbs.
pub type Element = [u64; LIMBS];

/// Two operands of equal length, as flat limbs.
pub struct Operands {
    /// A.
    pub a: Vec<u64>,
    /// B.
    pub b: Vec<u64>,
}

impl Operands {
    /// `elements` random elements each; the first are edge elements, others in
    /// A than in B.
    #[must_use]
    pub fn random(elements: usize, seed: u64) -> Self {
        let flat = |seed| edge::edges_and_random::<Fp>(elements, seed).into_flattened();
        Self {
            a: flat(2 * seed),
            b: flat(2 * seed + 1),
        }
    }

    /// `operation` on every pair.
    #[must_use]
    pub fn results(&self, operation: BinaryOp) -> Vec<u64> {
        let pairs = self.a.as_chunks().0.iter().zip(self.b.as_chunks().0);
        pairs.flat_map(|(a, b)| operation(a, b)).collect()
    }

    /// What a kernel computes in host buffers that are made for it and dropped.
    ///
    /// # Errors
    /// What the backend returned.
    pub fn over_host_buffers(
        &self,
        backend: &mut PersistentVulkanBackend,
        spirv: &[u8],
        path: TransferPath,
    ) -> anyhow::Result<Vec<u64>> {
        let mut buffer = || backend.host_buffer(self.elements());
        let (mut a, mut b, mut out) = (buffer()?, buffer()?, buffer()?);
        a.copy_from_slice(&self.a);
        b.copy_from_slice(&self.b);
        // What no chunk writes stands out.
        out.fill(u64::MAX);
        let path = PathChoice::Fixed(path);
        backend.run_field_add_host_on(spirv, &a, &b, &mut out, path)?;
        Ok(out.to_vec())
    }

    /// How many elements each operand has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.a.len() / LIMBS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use field_kernels::{Fp, arithmetic};

    #[test]
    fn operands_are_canonical_and_begin_with_edges() {
        let operands = Operands::random(300, 1);
        assert_eq!(operands.elements(), 300);
        let edges = edge::edge_elements::<Fp>();
        for limbs in [&operands.a, &operands.b] {
            assert!(
                limbs
                    .as_chunks()
                    .0
                    .iter()
                    .all(arithmetic::is_canonical::<Fp>)
            );
            assert!(edges.contains(&limbs.as_chunks().0[0]));
        }
        let sums = operands.results(arithmetic::add::<Fp>);
        let (a, b) = (operands.a.as_chunks().0[299], operands.b.as_chunks().0[299]);
        assert_eq!(sums.as_chunks().0[299], arithmetic::add::<Fp>(&a, &b));
    }
}
