//! How long the CPU engine takes, measured.

use std::time::Duration;

use vk_mem_paths::fastest_of;

use super::CpuEngine;
use crate::Result;
use crate::calibration::CpuTime;
use crate::field_add::{Batch, FieldAdd, Job};

use crate::kernels::LIMBS;

/// The sizes at which engines are measured, in elements; the largest first, whose
/// staging memory serves all.
pub(crate) const SIZES: [usize; 4] = [1 << 17, 1 << 14, 1 << 10, 1 << 6];

/// How long `engine` takes now. It forgets its last run: that was none of the caller's.
///
/// # Errors
/// Those of its runs.
pub(crate) fn times(engine: &mut CpuEngine) -> Result<Vec<CpuTime>> {
    let mut times = Vec::new();
    for elements in SIZES {
        let mut operands = Operands::new(elements);
        let (jobs, mut sums) = operands.borrowed();
        let batch = Batch::new(&jobs, elements);
        let time = fastest_of(|| engine.run(&batch, Some(&mut sums)).map(drop))?;
        times.push(CpuTime {
            elements,
            nanoseconds: nanoseconds(time),
        });
    }
    engine.report = None;
    Ok(times)
}

pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Inputs, and memory for results that was written before: of a run that is measured.
pub(crate) struct Operands([Vec<u64>; 3]);

impl Operands {
    pub(crate) fn new(elements: usize) -> Self {
        Self([1, 2, 3].map(|limb| vec![limb; elements * LIMBS]))
    }

    pub(crate) fn borrowed(&mut self) -> ([Job<'_>; 1], [&mut [u64]; 1]) {
        let [a, b, sums] = &mut self.0;
        ([(a, b)], [sums])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_measured() {
        let mut engine = CpuEngine::with_threads(1).unwrap();
        let times = times(&mut engine).unwrap();
        let sizes: Vec<_> = times.iter().map(|time| time.elements).collect();
        assert_eq!(sizes, SIZES);
        assert!(times.iter().all(|time| time.nanoseconds > 0));
        assert!(engine.last_report().is_none());
    }
}
