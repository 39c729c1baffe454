//! The stages of a run, drawn over time.

use super::html::Section;
use crate::bench::chart::{Axis, Band, Bar, Bars, Panel, binary, plain};
use crate::bench::timeline::{Run, Span, Stage};

/// The section of one run; `None` where its stages were not timed.
///
/// # Errors
/// When drawing fails.
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
    let slots = distinct(run.spans.iter().map(|span| span.slot)).len();
    let mut text = format!(
        "{} of {} elements each, results written to memory that was used before: {} of {} elements \
         at most, in {}, {} ms from call to return. ",
        count(run.jobs, "job"),
        binary(run.elements as f64 / run.jobs.max(1) as f64),
        count(run.chunks, "chunk"),
        binary(run.chunk as f64),
        count(slots, "slot"),
        plain(run.total_ms)
    );
    if run.forced {
        text += "The library runs one chunk at a time on a software device, whose kernels need the \
                 cores that would copy meanwhile; here it was told to keep several in flight. ";
    }
    if let Some(overlap) = run.overlap {
        text += &format!(
            "While any was at work, {overlap:.2} of the {} kinds of stages were at work at once on \
             average. ",
            kinds(run).len()
        );
    }
    text + "The host's stages are exact. The device's have their own durations, but are placed as \
            late as the host's observations allow: a chunk that was complete long before the host \
            looked is drawn too late. A bar is one pixel wide at least."
}

fn bars(run: &Run) -> anyhow::Result<Bars> {
    let longest = run.spans.iter().map(|span| span.end_ms);
    Ok(Bars {
        x: Axis::times("ms since the start of the run", longest.fold(0.0, f64::max))?,
        panels: vec![
            Panel {
                title: "Stages, all chunks together".to_owned(),
                bands: kinds(run)
                    .into_iter()
                    .map(|stage| together(run, stage))
                    .collect(),
            },
            Panel {
                title: "Slots, in the colours of the stages".to_owned(),
                bands: distinct(run.spans.iter().map(|span| span.slot))
                    .into_iter()
                    .map(|number| slot(run, number))
                    .collect(),
            },
        ],
    })
}

/// When any chunk was in `stage`.
fn together(run: &Run, stage: Stage) -> Band {
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
    Band {
        label: stage.name().to_owned(),
        rows: vec![bars],
    }
}

/// What went through a slot.
fn slot(run: &Run, number: usize) -> Band {
    let of_slot = run.spans.iter().filter(|span| span.slot == number);
    Band {
        label: format!("slot {number}"),
        rows: vec![of_slot.map(bar).collect()],
    }
}

fn bar(span: &Span) -> Bar {
    Bar {
        from: span.start_ms,
        to: span.end_ms,
        // Neighbours in this order are the ones that are easiest to tell apart.
        colour: match span.stage {
            Stage::CopyIn => 0,
            Stage::Upload => 4,
            Stage::Kernel => 1,
            Stage::Download => 5,
            Stage::CopyOut => 2,
        },
    }
}

/// The stages that any chunk was in, in order.
fn kinds(run: &Run) -> Vec<Stage> {
    let used = |stage: &Stage| run.spans.iter().any(|span| span.stage == *stage);
    Stage::ALL.into_iter().filter(used).collect()
}

fn distinct(numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// `1 slot`, `2 slots`.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::timeline::tests::runs;

    #[test]
    fn what_touches_is_one_bar_of_its_stage() {
        let runs = runs();
        let ends = |stage| -> Vec<_> {
            let bars = together(&runs[0], stage).rows.concat();
            bars.iter().map(|bar| (bar.from, bar.to)).collect()
        };
        assert_eq!(ends(Stage::CopyIn), [(0.0, 4.0)]);
        assert_eq!(ends(Stage::CopyOut), [(5.0, 6.0), (8.0, 10.0)]);
    }

    #[test]
    fn every_slot_is_a_band() {
        let runs = runs();
        let bars = bars(&runs[0]).unwrap();
        let [stages, slots] = &bars.panels[..] else {
            unreachable!("two panels were made");
        };
        let labels: Vec<_> = stages
            .bands
            .iter()
            .map(|band| band.label.as_str())
            .collect();
        assert_eq!(labels, ["copy in", "kernel", "copy out"]);
        let bars: Vec<_> = slots.bands.iter().map(|slot| slot.rows[0].len()).collect();
        assert_eq!(bars, [3, 3]);
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
