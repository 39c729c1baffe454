//! `--report`: a page with this run's figures beside their limits and peers.

mod auto;
mod crossover;
mod headline;
mod html;
mod plots;
mod results;
mod timeline;
mod vectors;

use super::suite_output::{Limits, SuiteOutput};
use html::Section;
use results::Results;

/// The page, as HTML.
pub(crate) fn page(output: &SuiteOutput) -> anyhow::Result<String> {
    let results = Results(&output.measurements);
    let mut sections = sections(&results, &output.limits)?;
    for run in &output.runs {
        sections.extend(timeline::section(run)?);
    }
    let rows = headline::rows(&results, &output.limits);
    Ok(html::page(&rows, output, &sections))
}

/// The headline table as lines of text.
pub(crate) fn headline(output: &SuiteOutput) -> Vec<String> {
    let rows = headline::rows(&Results(&output.measurements), &output.limits);
    rows.iter().map(headline::Row::to_string).collect()
}

/// The chart of the paths alone, with its source above, as SVG; `None` where
/// no path was measured.
pub(crate) fn paths_svg(output: &SuiteOutput) -> anyhow::Result<Option<String>> {
    let heading = &output.heading;
    let above = [
        format!("BLS12-381 field additions on {}", heading.device),
        format!(
            "{}, revision {}, driver {}, CPU {}",
            heading.date, heading.revision, heading.driver, heading.cpu
        ),
    ];
    let chart = plots::paths(&Results(&output.measurements), &output.limits);
    chart.map(|chart| chart.svg(&above)).transpose()
}

/// The line charts of the page, in order; groups that were not measured have
/// none.
fn sections(results: &Results<'_>, limits: &Limits) -> anyhow::Result<Vec<Section>> {
    let choices = auto::choices(results);
    let charts = [
        (
            "One job, per path",
            "Host memory to host memory, over the size of the job; dashed with results written to \
             the same memory every time. Host buffers are memory that host and device share: the \
             kernel works in it (direct), or the device copies chunks to its own memory and back \
             (staged). The limits: what the bus carries if neither direction slows the other \
             down; what the device's copies carry both ways at once, which bounds the paths that \
             copy on the device; and what the host's own copies carry into and out of staging \
             memory, which bounds all but host buffers.",
            plots::paths(results, limits),
            String::new(),
        ),
        (
            "Pipelined over sequential",
            "How many times faster one pipelined call is than one sequential call with the same \
             jobs; dashed with results written to the same memory every time.",
            plots::batches(results),
            String::new(),
        ),
        (
            "The path that the library chooses",
            "Pipelined calls that leave the path open, beside the fastest of those that name one, \
             over the size and the number of the jobs; results are written to the same memory \
             every time. The calls that leave it open go by what the library measured on this \
             machine where it did, the others by its fixed rules: below 1 the choice was also \
             the better cut of the work. Each is measured by itself, so that on a busy machine a \
             part of every difference is noise.",
            auto::chart(&choices),
            auto::table(&choices),
        ),
        (
            "Kernels on resident operands",
            "The kernel alone on operands in device memory, by the device's own clock where it \
             has one, beside a copy inside device memory, which moves as many bytes and computes \
             nothing.",
            plots::kernels(results, limits),
            String::new(),
        ),
        (
            "Vectors that stay, element by element",
            "One operation on vectors in device memory, from its recording to the end of the wait \
             for it by the host's clock, over their length; dashed in the scalar field. The limits \
             are additions whose bytes move at the speed of a copy inside device memory; a copy \
             and a square move fewer bytes.",
            vectors::element_wise(results, limits),
            vectors::table(results, limits),
        ),
        (
            "Vectors that stay, reductions and chains",
            "The same of sums, inner products, batched inverses, and five operations in one \
             submission, as one kernel and as five.",
            vectors::others(results),
            String::new(),
        ),
        (
            "Against the CPU",
            "The fastest path at each size, and the fastest over host buffers, beside CPU \
             libraries on all threads; dashed with results written to the same memory every \
             time. The circle is where the fastest path \
             overtakes the fastest of them for good.",
            plots::against_cpu(results),
            String::new(),
        ),
    ];
    let drawn = charts
        .into_iter()
        .filter_map(|(title, text, chart, below)| {
            let section = chart?.svg(&[]).map(|svg| Section {
                title: title.to_owned(),
                text: text.to_owned(),
                svg,
                below,
            });
            Some(section)
        });
    drawn.collect()
}

#[cfg(test)]
mod tests;
