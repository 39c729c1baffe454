//! When the stages of a run's chunks were at work.

use std::ops::Range;
use std::time::{Duration, Instant};

/// One of the five stages that a chunk can go through, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageKind {
    /// On the host: copying the caller's slices into upload memory.
    CopyIn,
    /// On the device: staging buffer to device memory.
    Upload,
    /// On the device: the kernel.
    Kernel,
    /// On the device: device memory to staging buffer.
    Download,
    /// On the host: copying results out of readback memory.
    CopyOut,
}

impl StageKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::CopyIn,
        Self::Upload,
        Self::Kernel,
        Self::Download,
        Self::CopyOut,
    ];
}

/// When one chunk was in one stage, counted from the start of the run's loop.
///
/// The host's stages are exact. Of the device's stages the durations are, and
/// so are the distances between them. When they ran is known only within a
/// window: after the host began to submit the chunk, and before it saw that the
/// chunk was complete. They are placed as late in it as can be: the last one ends
/// where the window ends. What would begin before the window is cut off at its start. So a chunk
/// that was complete long before the host looked is shown too late, but never
/// outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The slot, from 0.
    pub slot: usize,
    /// The chunk, from 0.
    pub chunk: usize,
    /// The stage.
    pub stage: StageKind,
    /// When the chunk entered the stage.
    pub start: Duration,
    /// When the chunk left the stage.
    pub end: Duration,
}

/// The stages of one chunk on the device: when each was at work, counted from
/// the start of the first; none where they are not timed.
pub(super) type TimedStages = Vec<(StageKind, Range<Duration>)>;

/// Collects the spans of a run; nothing where it is not timed.
pub(super) struct Timing {
    /// The start of the run's loop, if it is timed.
    pub(super) origin: Option<Instant>,
    pub(super) spans: Vec<Span>,
}

/// A slot, and the chunk in it.
pub(super) type ChunkId = (usize, usize);

impl Timing {
    pub(super) fn host(&mut self, id: ChunkId, stage: StageKind, at: Range<Instant>) {
        if let Some(origin) = self.origin {
            self.push(id, stage, since(origin, &at));
        }
    }

    /// Notes the stages on the device, which were at work some time in
    /// `window`.
    pub(super) fn device(&mut self, id: ChunkId, stages: &TimedStages, window: Range<Instant>) {
        if let Some(origin) = self.origin {
            for (stage, at) in place_stages(stages, since(origin, &window)) {
                self.push(id, stage, at);
            }
        }
    }

    fn push(&mut self, (slot, chunk): ChunkId, stage: StageKind, at: Range<Duration>) {
        self.spans.push(Span {
            slot,
            chunk,
            stage,
            start: at.start,
            end: at.end,
        });
    }
}

/// How many kinds of stages were at work at once, on average over the time in
/// which any was.
pub(super) fn overlap(spans: &[Span]) -> Option<f64> {
    let any = covered(spans.iter().map(Span::range));
    let each = StageKind::ALL.map(|kind| {
        let of_kind = spans.iter().filter(|span| span.stage == kind);
        covered(of_kind.map(Span::range))
    });
    let sum: Duration = each.iter().sum();
    (!any.is_zero()).then(|| sum.div_duration_f64(any))
}

impl Span {
    fn range(&self) -> Range<Duration> {
        self.start..self.end
    }
}

/// How much time lies in at least one of `ranges`.
fn covered(ranges: impl Iterator<Item = Range<Duration>>) -> Duration {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let (mut sum, mut reached) = (Duration::ZERO, Duration::ZERO);
    for range in ranges {
        sum += range.end.saturating_sub(range.start.max(reached));
        reached = reached.max(range.end);
    }
    sum
}

fn since(origin: Instant, at: &Range<Instant>) -> Range<Duration> {
    at.start.duration_since(origin)..at.end.duration_since(origin)
}

/// Places the stages of one chunk inside `window`: as late as can be (see
/// [`Span`]).
fn place_stages(
    stages: &TimedStages,
    window: Range<Duration>,
) -> impl Iterator<Item = (StageKind, Range<Duration>)> {
    let length = stages.last().map_or(Duration::ZERO, |(_, at)| at.end);
    let placed = move |at: Duration| {
        let before_end = length.saturating_sub(at);
        window.end.saturating_sub(before_end).max(window.start)
    };
    let stages = stages.iter();
    stages.map(move |(stage, at)| (*stage, placed(at.start)..placed(at.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageKind::{CopyIn, CopyOut, Download, Kernel, Upload};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn spans(all: &[(StageKind, u64, u64)]) -> Vec<Span> {
        let span = |&(stage, start, end)| Span {
            slot: 0,
            chunk: 0,
            stage,
            start: ms(start),
            end: ms(end),
        };
        all.iter().map(span).collect()
    }

    fn timed(stages: &[(StageKind, u64, u64)]) -> TimedStages {
        let timed = |&(stage, start, end)| (stage, ms(start)..ms(end));
        stages.iter().map(timed).collect()
    }

    fn placed(stages: &[(StageKind, u64, u64)], window: Range<u64>) -> Vec<(StageKind, u64, u64)> {
        let window = ms(window.start)..ms(window.end);
        let whole = |at: Duration| u64::try_from(at.as_millis()).unwrap();
        place_stages(&timed(stages), window)
            .map(|(stage, at)| (stage, whole(at.start), whole(at.end)))
            .collect()
    }

    #[test]
    fn stages_one_after_the_other_do_not_overlap_whatever_the_gaps() {
        let one = spans(&[(CopyIn, 0, 4), (Kernel, 4, 5), (CopyOut, 9, 12)]);
        assert_eq!(overlap(&one), Some(1.0));
    }

    #[test]
    fn overlap_is_the_mean_number_of_kinds_at_work() {
        let half = spans(&[(CopyIn, 0, 10), (Kernel, 0, 5)]);
        assert_eq!(overlap(&half), Some(1.5));
        let all = StageKind::ALL.map(|kind| (kind, 3, 7));
        assert_eq!(overlap(&spans(&all)), Some(5.0));
        // Idle time does not count.
        let with_gap = spans(&[(CopyIn, 0, 2), (Kernel, 8, 10), (CopyOut, 8, 10)]);
        assert_eq!(overlap(&with_gap), Some(1.5));
    }

    #[test]
    fn a_kind_with_several_chunks_at_work_counts_once() {
        let copies = spans(&[
            (CopyIn, 2, 8),
            (CopyIn, 0, 10),
            (CopyIn, 9, 12),
            (CopyIn, 3, 3),
        ]);
        assert_eq!(overlap(&copies), Some(1.0));
        let with_kernel = [copies, spans(&[(Kernel, 6, 12)])].concat();
        assert_eq!(overlap(&with_kernel), Some(1.5));
    }

    #[test]
    fn without_time_at_work_there_is_no_overlap() {
        assert_eq!(overlap(&[]), None);
        assert_eq!(overlap(&spans(&[(Kernel, 4, 4)])), None);
    }

    #[test]
    fn the_last_stage_ends_where_the_window_ends() {
        let one = [(Upload, 0, 3), (Kernel, 4, 6), (Download, 6, 10)];
        assert_eq!(
            placed(&one, 100..200),
            [(Upload, 190, 193), (Kernel, 194, 196), (Download, 196, 200)]
        );
        assert_eq!(placed(&[], 0..9), []);
    }

    #[test]
    fn nothing_is_placed_before_the_submission() {
        let long = [(Upload, 0, 50), (Kernel, 50, 58), (Download, 58, 62)];
        assert_eq!(
            placed(&long, 100..110),
            [(Upload, 100, 100), (Kernel, 100, 106), (Download, 106, 110)]
        );
        assert_eq!(
            placed(&long, 100..115),
            [(Upload, 100, 103), (Kernel, 103, 111), (Download, 111, 115)]
        );
    }

    #[test]
    fn nothing_is_kept_of_a_run_that_is_not_timed() {
        let now = Instant::now();
        for origin in [None, Some(now)] {
            let mut timing = Timing {
                origin,
                spans: Vec::new(),
            };
            timing.host((3, 4), CopyIn, now..now + ms(1));
            let stages = timed(&[(Kernel, 0, 1)]);
            timing.device((3, 4), &stages, now + ms(1)..now + ms(3));
            let found = timing.spans;
            let expected = spans(&[(CopyIn, 0, 1), (Kernel, 2, 3)]).into_iter();
            let expected = expected.map(|span| Span {
                slot: 3,
                chunk: 4,
                ..span
            });
            assert_eq!(
                found,
                expected.take(2 * origin.iter().len()).collect::<Vec<_>>()
            );
        }
    }
}
