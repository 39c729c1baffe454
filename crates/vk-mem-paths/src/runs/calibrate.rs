//! Measures which strategy is fastest, size by size and path by path.

mod candidates;
mod trials;

use std::sync::Arc;
use std::time::Duration;

use vk_core::{ComputePipeline, DeviceCaps};

use crate::{Error, Measured, Strategy, Transfer, Tuning};
use candidates::{paths, shapes};
use trials::Trials;

/// How long a calibration may take, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// No size is begun that is expected to take longer than what is left of
    /// this, and once it has passed, only the likeliest strategies of the one
    /// begun are measured.
    pub budget: Duration,
    /// The most elements of one run; its operands take 3 times its bytes of
    /// host memory, its staging buffers up to 6 times.
    pub largest: usize,
    /// How many times as many elements as the size before the next one has; 2
    /// or more.
    pub step: usize,
}

impl Effort {
    /// A look at sizes up to 2^18 elements.
    pub const BRIEF: Self = Self {
        budget: Duration::from_millis(100),
        largest: 1 << 18,
        step: 8,
    };
    /// Sizes up to 2^22 elements, with every strategy that is worth trying.
    pub const THOROUGH: Self = Self {
        budget: Duration::from_secs(10),
        largest: 1 << 22,
        step: 4,
    };

    fn sizes(self) -> impl Iterator<Item = usize> {
        let step = self.step.max(2);
        std::iter::successors(Some(SMALLEST), move |size| size.checked_mul(step))
            .take_while(move |size| *size <= self.largest)
    }
}

/// The elements of the smallest run that is measured: one that is all overhead.
const SMALLEST: usize = 64;
/// A strategy replaces one that came before it only if it is faster by more
/// than this share of its time: less is noise.
const MARGIN: u64 = 32;

impl Transfer {
    /// Measures how runs of `kernel` over elements of `element_bytes` bytes
    /// are fastest on this device and host, and plans all further runs by it.
    /// Waits for the device as [`vk_core::WaitPolicy::default`] says, and keeps none of
    /// the staging memory that it took.
    ///
    /// # Errors
    /// As [`Transfer::run`], but for memory that runs out, which ends the
    /// calibration at the sizes before. After an error the tuning is what it
    /// was.
    pub fn calibrate(
        &mut self,
        kernel: &Arc<ComputePipeline>,
        element_bytes: usize,
        effort: Effort,
    ) -> Result<Tuning, Error> {
        let before = self.tuning().clone();
        let wait = std::mem::take(&mut self.options.wait);
        self.halves = false;
        let mut trials = Trials::new(self, kernel, element_bytes, effort.budget);
        let measured = measure(&mut trials, effort);
        let found = measured.map(|measured| Tuning { measured });
        self.slots.clear();
        self.halves = true;
        self.options.wait = wait;
        self.set_tuning(found.as_ref().unwrap_or(&before).clone());
        found
    }
}

fn measure(trials: &mut Trials<'_>, effort: Effort) -> Result<Vec<Measured>, Error> {
    let caps = trials.kernel.device().caps();
    let mut rows: Vec<Measured> = Vec::new();
    // The fastest run of the size before.
    let mut before: Option<Measured> = None;
    for elements in effort.sizes() {
        if before.is_some_and(|before| !trials.has_time_for(elements, before)) {
            break;
        }
        match measure_size(trials, caps, elements) {
            Ok(of_size) => {
                before = of_size.iter().min_by_key(|row| row.nanoseconds).copied();
                rows.extend(of_size);
            }
            // On either side.
            Err(Error::OutOfHostMemory { .. }) if !rows.is_empty() => break,
            Err(error) if !rows.is_empty() && error.is_out_of_device_memory() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

/// The fastest strategy of each path.
fn measure_size(
    trials: &mut Trials<'_>,
    caps: &DeviceCaps,
    elements: usize,
) -> Result<Vec<Measured>, Error> {
    trials.grow(elements)?;
    let mut candidates = Vec::new();
    for (number, shape) in shapes(caps.kind, elements).into_iter().enumerate() {
        // The likeliest shape is measured on each path in any case.
        if number > 0 && trials.is_late() {
            break;
        }
        for path in paths(caps) {
            let mut row = Measured::of(elements, Strategy { path, ..shape });
            trials.time(&mut row)?;
            candidates.push(row);
        }
    }
    trials.rounds(&mut candidates)?;
    let of_path = |path| {
        candidates
            .iter()
            .filter(move |row| row.strategy.path == path)
    };
    Ok(paths(caps)
        .filter_map(|path| of_path(path).copied().reduce(faster))
        .collect())
}

/// `other` if it is clearly faster, else `row`.
fn faster(row: Measured, other: Measured) -> Measured {
    match other.nanoseconds < row.nanoseconds - row.nanoseconds / MARGIN {
        true => other,
        false => row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_from_the_smallest_to_the_largest() {
        let brief: Vec<_> = Effort::BRIEF.sizes().collect();
        assert_eq!(brief, [1 << 6, 1 << 9, 1 << 12, 1 << 15, 1 << 18]);
        assert_eq!(Effort::THOROUGH.sizes().count(), 9);
        let endless = Effort {
            largest: usize::MAX,
            step: 0,
            ..Effort::BRIEF
        };
        assert_eq!(endless.sizes().count(), 58);
    }

    #[test]
    fn a_difference_within_the_noise_changes_nothing() {
        let row = |nanoseconds| Measured {
            elements: 64,
            strategy: shapes(vk_core::DeviceKind::Software, 64)[0],
            nanoseconds,
        };
        for (other, taken) in [(1000, 1000), (980, 1000), (900, 900)] {
            assert_eq!(faster(row(1000), row(other)).nanoseconds, taken);
        }
    }
}
