//! Whether the path that the library chooses is the fastest one.

use std::fmt::Write as _;

use super::headline::{Row, milliseconds, percent, times};
use super::results::{Results, is_reused};
use crate::bench::chart::{Axis, Chart, Limit, Line, binary};

/// The most time that the chosen path may take, beside the fastest one.
const TARGET: f64 = 1.05;

/// What the library chose for one batch, and what was fastest.
pub(crate) struct Choice<'a> {
    jobs: u64,
    elements: u64,
    auto_ns: f64,
    fastest_ns: f64,
    fastest: &'a str,
}

impl Choice<'_> {
    /// The time of the chosen path over that of the fastest one.
    fn ratio(&self) -> f64 {
        self.auto_ns / self.fastest_ns
    }
}

/// The choices of the group `auto`, by size and number of jobs.
pub(crate) fn choices<'a>(results: &Results<'a>) -> Vec<Choice<'a>> {
    let of_batch = |batch: &str, elements| {
        let mut fixed: Vec<_> = results
            .group("auto")
            .filter(|one| one.elements == elements)
            .filter_map(|one| Some((path_of(&one.function, batch)?, one.median_ns)))
            .filter(|(path, _)| *path != "auto")
            .collect();
        fixed.sort_by(|a, b| a.1.total_cmp(&b.1));
        fixed.first().copied()
    };
    let mut choices: Vec<_> = results
        .group("auto")
        .filter(|one| is_reused(&one.function))
        .filter_map(|one| {
            let batch = one.function.strip_prefix("auto, ")?;
            let (fastest, fastest_ns) = of_batch(batch, one.elements)?;
            Some(Choice {
                jobs: batch.split(' ').next()?.parse().ok()?,
                elements: one.elements,
                auto_ns: one.median_ns,
                fastest_ns,
                fastest,
            })
        })
        .collect();
    choices.sort_by_key(|choice| (choice.elements, choice.jobs));
    choices
}

/// `bar` of `bar, 4 jobs, reused`, which ran the batch `4 jobs, reused`.
fn path_of<'a>(function: &'a str, batch: &str) -> Option<&'a str> {
    function.strip_suffix(batch)?.strip_suffix(", ")
}

/// How many choices met the target, and the worst of them.
pub(crate) fn rows(choices: &[Choice<'_>]) -> Vec<Row> {
    let Some(worst) = choices
        .iter()
        .max_by(|a, b| a.ratio().total_cmp(&b.ratio()))
    else {
        return Vec::new();
    };
    let met = choices.iter().filter(|one| one.ratio() <= TARGET).count();
    vec![
        Row {
            measure: "chosen path within 5 % of the fastest fixed one".to_owned(),
            value: format!("{met} of {} batches", choices.len()),
            beside: "target: all of them".to_owned(),
            ratio: percent(met as f64 / choices.len() as f64),
        },
        Row {
            measure: format!(
                "chosen path at its worst, {} of {}, reused results",
                jobs(worst.jobs),
                binary(worst.elements as f64)
            ),
            value: milliseconds(worst.auto_ns),
            beside: format!("{}: {}", worst.fastest, milliseconds(worst.fastest_ns)),
            ratio: times(1.0 / worst.ratio()),
        },
    ]
}

/// The time of the chosen path over that of the fastest one, per number of
/// jobs, over their size; `None` where nothing was chosen.
///
/// # Errors
/// When no measurement is positive.
pub(crate) fn chart(choices: &[Choice<'_>]) -> anyhow::Result<Option<Chart>> {
    if choices.is_empty() {
        return Ok(None);
    }
    let mut counts: Vec<u64> = choices.iter().map(|choice| choice.jobs).collect();
    counts.sort_unstable();
    counts.dedup();
    let line = |(colour, count): (usize, u64)| Line {
        label: jobs(count),
        colour,
        dashed: false,
        points: choices
            .iter()
            .filter(|choice| choice.jobs == count)
            .map(|choice| (choice.elements as f64, choice.ratio()))
            .collect(),
    };
    let sizes = choices.iter().map(|choice| choice.elements as f64);
    let ratios = choices.iter().map(Choice::ratio);
    Ok(Some(Chart {
        x: Axis::sizes("elements in each job", sizes)?,
        y: Axis::near_one(
            "time of the chosen path / of the fastest",
            ratios.chain([TARGET]),
        )?,
        lines: counts.into_iter().enumerate().map(line).collect(),
        limits: vec![
            Limit {
                label: "as fast as the fastest fixed path".to_owned(),
                y: 1.0,
            },
            Limit {
                label: "target: 5 % slower at most".to_owned(),
                y: TARGET,
            },
        ],
        marks: Vec::new(),
    }))
}

/// All choices as a table, in HTML.
pub(crate) fn table(choices: &[Choice<'_>]) -> String {
    let mut text = "<details><summary>Show every batch</summary>\n<table><tr>\
                    <th class=\"number\">elements in each job</th><th class=\"number\">jobs</th>\
                    <th class=\"number\">chosen path</th><th class=\"number\">fastest fixed path</th>\
                    <th>which</th><th class=\"number\">time / fastest</th></tr>\n"
        .to_owned();
    for one in choices {
        // Writing to a `String` does not fail.
        let _ = writeln!(
            text,
            "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td>{}</td><td class=\"number\">{:.3}</td></tr>",
            one.elements,
            one.jobs,
            milliseconds(one.auto_ns),
            milliseconds(one.fastest_ns),
            one.fastest,
            one.ratio()
        );
    }
    text + "</table></details>\n"
}

/// `1 job`, `4 jobs`.
fn jobs(count: u64) -> String {
    match count {
        1 => "1 job".to_owned(),
        _ => format!("{count} jobs"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::measurement;
    use super::*;

    /// Rates in elements of one job per second.
    fn measured(rates: &[(&str, u64, f64)]) -> Vec<crate::bench::measurements::Measurement> {
        let one = |(function, elements, rate): &(&str, u64, f64)| {
            measurement("auto", function, *elements, *rate)
        };
        rates.iter().map(one).collect()
    }

    #[test]
    fn the_chosen_path_is_set_beside_the_fastest_of_the_same_batch() {
        let all = measured(&[
            ("auto, 1 job, reused", 64, 1e6),
            ("auto, 1 job, reused", 4096, 1e6),
            ("auto, 4 jobs, reused", 64, 1e6),
            ("bar, 1 job, reused", 64, 0.5e6),
            ("bar, 4 jobs, reused", 64, 2e6),
            ("device-local, 1 job, reused", 4096, 1.04e6),
            ("host-visible, 1 job, reused", 64, 0.8e6),
        ]);
        let found = choices(&Results(&all));
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.elements, one.jobs, one.fastest, one.ratio()))
            .map(|(elements, jobs, path, ratio)| format!("{elements} {jobs} {path} {ratio:.2}"))
            .collect();
        let expected = [
            "64 1 host-visible 0.80",
            "64 4 bar 2.00",
            "4096 1 device-local 1.04",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_rows_tell_how_many_meet_the_target_and_the_worst() {
        let all = measured(&[
            ("auto, 1 job, reused", 4096, 1e6),
            ("auto, 4 jobs, reused", 4096, 1e6),
            ("bar, 1 job, reused", 4096, 1.04e6),
            ("bar, 4 jobs, reused", 4096, 2e6),
        ]);
        let rows = rows(&choices(&Results(&all)));
        assert_eq!(
            (rows[0].value.as_str(), rows[0].ratio.as_str()),
            ("1 of 2 batches", "50.0 %")
        );
        assert_eq!(
            rows[1].measure,
            "chosen path at its worst, 4 jobs of 4K, reused results"
        );
        assert_eq!(
            (rows[1].beside.as_str(), rows[1].ratio.as_str()),
            ("bar: 2.05 ms", "0.500 x")
        );
    }

    #[test]
    fn what_was_not_measured_is_not_shown() {
        let all = measured(&[("auto, 1 job, reused", 64, 1e6)]);
        let found = choices(&Results(&all));
        assert!(rows(&found).is_empty());
        assert!(chart(&found).unwrap().is_none());
    }
}
