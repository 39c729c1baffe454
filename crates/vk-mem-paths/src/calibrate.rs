//! Measures which strategy is fastest, size by size and path by path.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vk_core::{DeviceCaps, DeviceKind, Kernel};

use crate::{
    Error, Job, Measured, Packing, Path, PathChoice, Request, Strategy, Transfer, Tuning,
    advise_huge_pages, fastest_of,
};

/// How long a calibration may take, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Once this has passed, no further size is begun, and of the one begun
    /// only the likeliest strategies are measured.
    pub budget: Duration,
    /// The most elements of one run; its operands take 3 times its bytes of
    /// host memory, its staging buffers as much.
    pub largest: usize,
    /// How many times as many elements as the size before the next one has; 2
    /// or more.
    pub step: usize,
}

impl Effort {
    /// What a first run may pass unnoticed with.
    pub const BRIEF: Self = Self {
        budget: Duration::from_millis(100),
        largest: 1 << 18,
        step: 16,
    };
    /// For a calibration that was asked for.
    pub const THOROUGH: Self = Self {
        budget: Duration::from_secs(10),
        largest: 1 << 22,
        step: 4,
    };

    /// The sizes to measure, in elements.
    fn sizes(self) -> impl Iterator<Item = usize> {
        let step = self.step.max(2);
        std::iter::successors(Some(SMALLEST), move |size| size.checked_mul(step))
            .take_while(move |size| *size <= self.largest)
    }
}

/// The elements of the smallest run that is measured: one that is all overhead.
const SMALLEST: usize = 64;
/// The size at which it is decided what holds for all sizes.
const KNOBS_AT: usize = 1 << 18;
/// A strategy replaces one that came before it only if it is faster by more
/// than this share of its time: less is noise.
const MARGIN: u32 = 32;
/// How many strategies each path gets a chance with.
const CHANCES: usize = 2;
/// A path that is slower with them than the fastest one, by more than this
/// share of its time, gets no other.
const HOPELESS: u32 = 3;
/// What is on or off for runs of every size.
struct Knob {
    turn: fn(&mut Tuning),
    matters_to: fn(&Strategy) -> bool,
}

const KNOBS: [Knob; 3] = [
    Knob {
        turn: |tuning| tuning.streaming_stores = true,
        matters_to: |_| true,
    },
    Knob {
        turn: |tuning| tuning.cached_upload = true,
        matters_to: |strategy| strategy.path != Path::Bar,
    },
    Knob {
        turn: |tuning| tuning.one_queue = true,
        matters_to: |strategy| strategy.path == Path::DeviceLocal && strategy.depth > 1,
    },
];

impl Transfer {
    /// Measures how runs of `kernel` over elements of `element_bytes` bytes
    /// are fastest on this device and host, and plans all further runs by it.
    ///
    /// # Errors
    /// As [`Transfer::run`], but for staging memory that runs out, which ends
    /// the calibration at the sizes before. After an error the tuning is what
    /// it was.
    pub fn calibrate(
        &mut self,
        kernel: &Arc<Kernel>,
        element_bytes: usize,
        effort: Effort,
    ) -> Result<Tuning, Error> {
        let before = self.tuning().clone();
        self.set_tuning(Tuning::default());
        let mut bench = Bench {
            deadline: Instant::now() + effort.budget,
            transfer: self,
            kernel,
            element_bytes,
            operands: [Vec::new(), Vec::new()],
            out: Vec::new(),
        };
        let measured = bench.measure(effort);
        let tuning = match &measured {
            Ok(rows) => Tuning {
                measured: rows.clone(),
                ..self.tuning().clone()
            },
            Err(_) => before,
        };
        self.set_tuning(tuning.clone());
        measured.map(|_| tuning)
    }
}

/// What the measurements share.
struct Bench<'a> {
    transfer: &'a mut Transfer,
    kernel: &'a Arc<Kernel>,
    element_bytes: usize,
    operands: [Vec<u8>; 2],
    out: Vec<MaybeUninit<u8>>,
    deadline: Instant,
}

impl Bench<'_> {
    fn measure(&mut self, effort: Effort) -> Result<Vec<Measured>, Error> {
        let caps = self.kernel.device().caps().clone();
        let mut rows: Vec<Measured> = Vec::new();
        for elements in effort.sizes() {
            if !rows.is_empty() && self.is_late() {
                break;
            }
            let of_size = match self.measure_size(&caps, elements) {
                Ok(of_size) => of_size,
                Err(Error::OutOfMemory { .. }) if !rows.is_empty() => break,
                Err(error) => return Err(error),
            };
            rows.extend(of_size);
        }
        Ok(rows)
    }

    fn measure_size(&mut self, caps: &DeviceCaps, elements: usize) -> Result<Vec<Measured>, Error> {
        self.grow(elements);
        let shapes = shapes(caps.kind, self.transfer.threads(), elements);
        let (likely, others) = shapes.split_at(shapes.len().min(CHANCES));
        let mut rows = Vec::new();
        for path in paths(caps) {
            let mut best = None;
            for shape in likely {
                self.try_shape(elements, Strategy { path, ..*shape }, &mut best)?;
            }
            rows.extend(best);
        }
        let fastest = rows.iter().map(|row| row.nanoseconds).min().unwrap_or(0);
        for row in &mut rows {
            let hopeless = row.nanoseconds - row.nanoseconds / u64::from(HOPELESS) > fastest;
            let mut best = Some(*row);
            for shape in others {
                if hopeless || self.is_late() {
                    break;
                }
                let path = row.strategy.path;
                self.try_shape(elements, Strategy { path, ..*shape }, &mut best)?;
            }
            *row = best.unwrap_or(*row);
        }
        self.confirm(&mut rows)?;
        if elements == KNOBS_AT && !self.is_late() {
            self.turn_knobs(&mut rows)?;
        }
        Ok(rows)
    }

    /// Measures one strategy, which replaces `best` if it is clearly faster.
    fn try_shape(
        &mut self,
        elements: usize,
        strategy: Strategy,
        best: &mut Option<Measured>,
    ) -> Result<(), Error> {
        let row = self.time(elements, strategy)?;
        if best.is_none_or(|best| is_faster(&row, &best)) {
            *best = Some(row);
        }
        Ok(())
    }

    /// Measures the best of each path once more: a moment in which the host
    /// was busy hit one of them only.
    fn confirm(&mut self, rows: &mut [Measured]) -> Result<(), Error> {
        for row in rows {
            let again = self.time(row.elements, row.strategy)?;
            row.nanoseconds = row.nanoseconds.min(again.nanoseconds);
        }
        Ok(())
    }

    /// Tries each of [`KNOBS`], keeps those that make the fastest run they
    /// matter to faster, and measures `rows` again if any did.
    fn turn_knobs(&mut self, rows: &mut [Measured]) -> Result<(), Error> {
        let first = self.transfer.tuning().clone();
        for knob in KNOBS {
            let matters = rows.iter().filter(|row| (knob.matters_to)(&row.strategy));
            let Some(row) = matters.min_by_key(|row| row.nanoseconds).copied() else {
                continue;
            };
            let before = self.transfer.tuning().clone();
            let without = self.time(row.elements, row.strategy)?;
            let mut turned = before.clone();
            (knob.turn)(&mut turned);
            self.transfer.set_tuning(turned);
            let with = self.time(row.elements, row.strategy)?;
            if !is_faster(&with, &without) {
                self.transfer.set_tuning(before);
            }
        }
        if *self.transfer.tuning() != first {
            for row in rows {
                *row = self.time(row.elements, row.strategy)?;
            }
        }
        Ok(())
    }

    fn time(&mut self, elements: usize, strategy: Strategy) -> Result<Measured, Error> {
        let fastest = fastest_of(|| self.run(elements, &strategy))?;
        Ok(Measured {
            elements,
            strategy,
            nanoseconds: u64::try_from(fastest.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    fn run(&mut self, elements: usize, strategy: &Strategy) -> Result<(), Error> {
        let request = Request {
            path: PathChoice::Fixed(strategy.path),
            chunk: Some(strategy.chunk),
            depth: Some(strategy.depth),
            lanes: Some(strategy.lanes),
            packing: Packing::AcrossJobs,
        };
        let bytes = elements * self.element_bytes;
        let [a, b] = &self.operands;
        let mut jobs = [Job {
            a: &a[..bytes],
            b: &b[..bytes],
            out: &mut self.out[..bytes],
            fresh: false,
        }];
        self.transfer
            .run(self.kernel, &request, self.element_bytes, &mut jobs)
            .map(drop)
    }

    /// Makes the operands long enough; their pages are written, as those of a
    /// caller would be.
    fn grow(&mut self, elements: usize) {
        let bytes = elements * self.element_bytes;
        for operand in &mut self.operands {
            operand.reserve(bytes.saturating_sub(operand.len()));
            advise_huge_pages(operand.spare_capacity_mut());
            operand.resize(bytes, 1);
        }
        self.out.resize(bytes, MaybeUninit::new(0));
    }

    fn is_late(&self) -> bool {
        Instant::now() > self.deadline
    }
}

fn is_faster(row: &Measured, than: &Measured) -> bool {
    row.nanoseconds < than.nanoseconds - than.nanoseconds / u64::from(MARGIN)
}

/// The paths that differ on a device with `caps`.
fn paths(caps: &DeviceCaps) -> impl Iterator<Item = Path> {
    let differs = |path: &Path| match path {
        // Where host and device share their memory, it is the host's.
        Path::Bar => !caps.unified_memory() && path.is_usable(caps),
        Path::HostVisible | Path::DeviceLocal => true,
    };
    Path::ALL.into_iter().filter(differs)
}

/// The strategies worth trying for a run of `elements` with `threads` threads
/// on the host, but for the path; the likeliest first.
fn shapes(kind: DeviceKind, threads: usize, elements: usize) -> Vec<Strategy> {
    let shape = |lanes: usize, depth, chunk: usize| Strategy {
        path: Path::HostVisible,
        lanes,
        depth,
        chunk: chunk.max(1),
    };
    let whole = shape(1, 1, elements);
    // Pieces of a few thousand elements cost as much to submit as to compute.
    if elements < 1 << 14 {
        return vec![whole];
    }
    if kind == DeviceKind::Software {
        // Its kernels run on the cores that would copy meanwhile: only how
        // well a chunk fits the caches makes a difference.
        return vec![whole, shape(1, 1, elements / 4)];
    }
    let mut shapes = vec![whole];
    let lanes = [threads, threads / 2, threads / 4];
    for lanes in lanes.into_iter().filter(|lanes| *lanes > 1) {
        let share = elements / (2 * lanes);
        for chunk in [share, share / 2, share / 4] {
            let chunk = chunk.clamp(1 << 12, 1 << 16);
            if chunk * lanes <= elements {
                shapes.push(shape(lanes, 2 * lanes, chunk));
            }
        }
    }
    shapes.dedup();
    shapes.insert(shapes.len().min(CHANCES), shape(1, 2, elements / 2));
    shapes.push(shape(1, 3, elements / 4));
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    #[test]
    fn every_shape_is_one_that_the_planner_takes() {
        for kind in [DeviceKind::Discrete, DeviceKind::Software] {
            for threads in [1, 2, 3, 16, 128] {
                for elements in Effort::THOROUGH.sizes() {
                    let shapes = shapes(kind, threads, elements);
                    assert!(!shapes.is_empty());
                    for shape in shapes {
                        assert!(shape.lanes >= 1 && shape.lanes <= threads, "{shape:?}");
                        assert!(shape.depth >= shape.lanes, "{shape:?}");
                        assert!(shape.chunk >= 1 && shape.chunk <= elements, "{shape:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn sizes_go_from_the_smallest_to_the_largest() {
        let brief: Vec<_> = Effort::BRIEF.sizes().collect();
        assert_eq!(brief, [1 << 6, 1 << 10, 1 << 14, 1 << 18]);
        assert_eq!(Effort::THOROUGH.sizes().count(), 9);
        let endless = Effort {
            largest: usize::MAX,
            step: 0,
            ..Effort::BRIEF
        };
        assert!(endless.sizes().count() < 64);
    }

    #[test]
    fn the_bar_is_measured_only_where_it_is_a_path_of_its_own() {
        let has_bar = |caps: &DeviceCaps| paths(caps).any(|path| path == Path::Bar);
        assert!(has_bar(&recorded::h200()));
        assert!(!has_bar(&recorded::small_bar()));
        assert!(!has_bar(&recorded::llvmpipe()));
    }

    #[test]
    fn a_difference_within_the_noise_changes_nothing() {
        let row = |nanoseconds| Measured {
            elements: 64,
            strategy: shapes(DeviceKind::Software, 1, 64)[0],
            nanoseconds,
        };
        assert!(!is_faster(&row(1000), &row(1000)));
        assert!(!is_faster(&row(980), &row(1000)));
        assert!(is_faster(&row(900), &row(1000)));
    }
}
