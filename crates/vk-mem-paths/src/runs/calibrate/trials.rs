//! Runs of a calibration, timed.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vk_core::ComputePipeline;

use crate::{
    Error, Job, Measured, Packing, PathChoice, Request, Transfer, Tuning, advise_huge_pages,
};

/// Rounds through all strategies, at least and at most, and how long those of one size
/// should take together.
const ROUNDS: (u32, u32) = (4, 16);
const ROUNDS_TIME: Duration = Duration::from_millis(4);
/// Runs of the fastest strategy that fill the time of one size, at least.
const LEAST_RUNS: u64 = 6;

/// What the runs share.
pub(super) struct Trials<'a> {
    transfer: &'a mut Transfer,
    pub(super) kernel: &'a Arc<ComputePipeline>,
    element_bytes: usize,
    operands: [Vec<u8>; 2],
    out: Vec<MaybeUninit<u8>>,
    /// `None`: too far away to ever come.
    deadline: Option<Instant>,
}

impl<'a> Trials<'a> {
    pub(super) fn new(
        transfer: &'a mut Transfer,
        kernel: &'a Arc<ComputePipeline>,
        element_bytes: usize,
        budget: Duration,
    ) -> Self {
        Self {
            transfer,
            kernel,
            element_bytes,
            operands: [Vec::new(), Vec::new()],
            out: Vec::new(),
            deadline: Instant::now().checked_add(budget),
        }
    }

    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|at| Instant::now() > at)
    }

    /// Whether runs of `elements` are expected to end in time, going by a
    /// shorter one.
    pub(super) fn has_time_for(&self, elements: usize, shorter: Measured) -> bool {
        let Some(deadline) = self.deadline else {
            return true;
        };
        let times_as_many = (elements / shorter.elements.max(1)) as u64;
        let expected = times_as_many.saturating_mul(shorter.nanoseconds);
        let expected = Duration::from_nanos(expected.saturating_mul(LEAST_RUNS));
        expected < deadline.saturating_duration_since(Instant::now())
    }

    /// Makes the operands long enough; their pages are written, as those of a
    /// caller would be.
    pub(super) fn grow(&mut self, elements: usize) -> Result<(), Error> {
        let bytes = elements.saturating_mul(self.element_bytes);
        for operand in &mut self.operands {
            reserve(operand, bytes)?;
            advise_huge_pages(operand.spare_capacity_mut());
            operand.resize(bytes, 1);
        }
        reserve(&mut self.out, bytes)?;
        self.out.resize(bytes, MaybeUninit::new(0));
        Ok(())
    }

    /// Runs each of `rows` several times, in turn, so that a moment in which
    /// the host was busy hits all of them, and notes the least time of each.
    pub(super) fn rounds(&mut self, rows: &mut [Measured]) -> Result<(), Error> {
        let start = Instant::now();
        for round in 1..=ROUNDS.1 {
            rows.iter_mut().try_for_each(|row| self.time(row))?;
            let enough = round >= ROUNDS.0 && start.elapsed() > ROUNDS_TIME;
            if enough || self.is_late() {
                break;
            }
        }
        Ok(())
    }

    /// Runs `row` once more and notes its time if it is the least.
    pub(super) fn time(&mut self, row: &mut Measured) -> Result<(), Error> {
        // A tuning that knows this row alone has runs of its size done so.
        self.transfer.set_tuning(Tuning {
            measured: vec![*row],
        });
        let request = Request {
            path: PathChoice::Auto,
            chunk: None,
            depth: None,
            packing: Packing::AcrossJobs,
        };
        let bytes = row.elements * self.element_bytes;
        let [a, b] = self.operands.each_ref().map(|operand| &operand[..bytes]);
        let (out, fresh) = (&mut self.out[..bytes], false);
        let mut jobs = [Job { a, b, out, fresh }];
        let start = Instant::now();
        self.transfer
            .run(self.kernel, &request, self.element_bytes, &mut jobs)?;
        let time = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        row.nanoseconds = row.nanoseconds.min(time);
        Ok(())
    }
}

/// Makes room for `bytes` bytes in all.
fn reserve<T>(memory: &mut Vec<T>, bytes: usize) -> Result<(), Error> {
    let more = bytes.saturating_sub(memory.len());
    let reserved = memory.try_reserve_exact(more);
    reserved.map_err(|_| Error::OutOfHostMemory {
        purpose: "the operands of a calibration".to_owned(),
        requested: bytes as u64,
    })
}
