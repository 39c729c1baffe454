//! The stages of a run, drawn over time.

use anyhow::Context;

use super::html::Section;
use crate::bench::chart::{Axis, Bar, Bars, Row};
use crate::bench::numbers::{binary, count, plain};
use crate::bench::suite_output::{Run, Span};

/// The stages in the order that a chunk goes through them, each with its colour:
/// neighbours have those that are easiest to tell apart.
const STAGES: [(&str, usize); 5] = [
    ("copy in", 0),
    ("upload", 4),
    ("kernel", 1),
    ("download", 5),
    ("copy out", 2),
];

/// The section of one run; `None` where its stages were not timed.
pub(crate) fn section(run: &Run) -> anyhow::Result<Option<Section>> {
    if run.spans.is_empty() {
        return Ok(None);
    }
    Ok(Some(Section {
        title: format!("Stages of a pipelined run, {} path", run.path),
        text: caption(run),
        svg: bars(run)?.svg()?,
        below: String::new(),
    }))
}

/// What ran, how much of it overlapped, and how exact it is.
fn caption(run: &Run) -> String {
    let mut text = format!(
        "{} of {} elements each, results written to memory that was used before: {} of {} elements \
         at most, in {}, {} ms from call to return. ",
        count(run.jobs, "job"),
        binary(run.elements as f64 / run.jobs.max(1) as f64),
        count(run.chunks, "chunk"),
        binary(run.chunk as f64),
        count(slots(run).len(), "slot"),
        plain(run.total_ms)
    );
    if run.forced {
        text += "The library runs one chunk at a time on a software device, whose kernels need the \
                 cores that would copy meanwhile; here it was asked to keep several in flight. ";
    }
    if let Some(overlap) = run.overlap {
        text += &format!(
            "While any was at work, {overlap:.2} of the {} kinds of stages were at work at once on \
             average. ",
            kinds(run).count()
        );
    }
    text + "The host's stages are exact. The device's have their own durations, but are placed as \
            late as the host's observations allow: a chunk that was complete long before the host \
            looked is drawn too late. A bar is one pixel wide at least."
}

fn bars(run: &Run) -> anyhow::Result<Bars> {
    let mut rows = vec![Row::Title("Stages, all chunks together".to_owned())];
    rows.extend(kinds(run).map(|stage| Row::Bars(stage.to_owned(), together(run, stage))));
    rows.push(Row::Title("Slots, in the colours of the stages".to_owned()));
    rows.extend(slots(run).into_iter().map(|slot| {
        let of_slot = run.spans.iter().filter(|span| span.slot == slot);
        Row::Bars(format!("slot {slot}"), of_slot.map(bar).collect())
    }));
    let ends = run.spans.iter().map(|span| span.end_ms);
    let x = Axis::from_zero("ms since the start of the run", ends);
    let x = x.context("no stage takes any time")?;
    Ok(Bars { x, rows })
}

/// When any chunk was in `stage`.
fn together(run: &Run, stage: &str) -> Vec<Bar> {
    let of_stage = run.spans.iter().filter(|span| span.stage == stage);
    let mut bars: Vec<Bar> = of_stage.map(bar).collect();
    bars.sort_by(|a, b| a.from.total_cmp(&b.from));
    bars.dedup_by(|next, bar| {
        let touches = next.from <= bar.to;
        if touches {
            bar.to = bar.to.max(next.to);
        }
        touches
    });
    bars
}

fn bar(span: &Span) -> Bar {
    let stage = STAGES.iter().find(|(stage, _)| *stage == span.stage);
    Bar {
        from: span.start_ms,
        to: span.end_ms,
        colour: stage.map_or(3, |(_, colour)| *colour),
    }
}

/// The stages that any chunk was in, in order.
fn kinds(run: &Run) -> impl Iterator<Item = &'static str> {
    let names = STAGES.iter().map(|(stage, _)| *stage);
    names.filter(|stage| run.spans.iter().any(|span| span.stage == *stage))
}

fn slots(run: &Run) -> Vec<usize> {
    let mut slots: Vec<usize> = run.spans.iter().map(|span| span.slot).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::suite_output::tests::runs;

    #[test]
    fn what_touches_is_one_bar_of_its_stage() {
        let runs = runs();
        let ends = |stage| -> Vec<_> {
            let bars = together(&runs[0], stage).into_iter();
            bars.map(|bar| (bar.from, bar.to)).collect()
        };
        assert_eq!(ends("copy in"), [(0.0, 4.0)]);
        assert_eq!(ends("copy out"), [(5.0, 6.0), (8.0, 10.0)]);
    }

    #[test]
    fn every_stage_and_every_slot_is_a_row() {
        let rows = bars(&runs()[0]).unwrap().rows;
        let rows = rows.iter().filter_map(|row| match row {
            Row::Title(_) => None,
            Row::Bars(label, bars) => Some((label.as_str(), bars.len())),
        });
        let expected = [
            ("copy in", 1),
            ("kernel", 1),
            ("copy out", 2),
            ("slot 0", 3),
            ("slot 1", 3),
        ];
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_section_tells_the_overlap_and_how_exact_it_is() {
        let mut runs = runs();
        let section = section(&runs[0]).unwrap().unwrap();
        for wanted in [
            "4 jobs of 8K elements each",
            "2 chunks of 16K elements at most, in 2 slots, 10.5 ms",
            "1.25 of the 3 kinds",
            "as late as the host's observations allow",
        ] {
            assert!(section.text.contains(wanted), "{wanted}: {}", section.text);
        }
        assert!(!section.text.contains("software"));
        assert!(section.svg.contains("slot 0") && section.svg.contains("ms since"));
        runs[0].forced = true;
        assert!(caption(&runs[0]).contains("software device"));
        runs[0].spans.clear();
        assert!(super::section(&runs[0]).unwrap().is_none());
    }
}
