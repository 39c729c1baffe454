//! Whether the path that the library chooses is the fastest one.

use super::headline::{Row, beside_other};
use super::html;
use super::plots::{lines_by_jobs, over_sizes};
use super::results::{Pair, Results, is_reused, jobs, memory, numbers_of_jobs};
use crate::bench::chart::{Axis, Chart, Limit};
use crate::bench::numbers::{milliseconds, percent};

/// The most time that the chosen path may take, beside the fastest one.
const TARGET: f64 = 1.05;

/// What the library chose beside the fastest fixed path, by size and number of jobs.
pub(crate) fn choices<'a>(results: &Results<'a>) -> Vec<Pair<'a>> {
    let fastest = |batch: &str, elements| {
        let of_size = results.group("auto").filter(|one| one.elements == elements);
        let times = of_size.filter_map(|one| Some((path_of(&one.function, batch)?, one.median_ns)));
        let fixed = times.filter(|(path, _)| *path != "auto");
        fixed.min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let chosen = results.group("auto").filter(|one| is_reused(&one.function));
    let choices = chosen.filter_map(|one| {
        let batch = one.function.strip_prefix("auto, ")?;
        let (other, other_ns) = fastest(batch, one.elements)?;
        Some(Pair {
            jobs: jobs(batch)?,
            elements: one.elements,
            ns: one.median_ns,
            other,
            other_ns,
        })
    });
    let mut choices: Vec<_> = choices.collect();
    choices.sort_by_key(|choice| (choice.elements, choice.jobs));
    choices
}

/// The time of the chosen path over that of the fastest one.
fn ratio(choice: &Pair<'_>) -> f64 {
    choice.ns / choice.other_ns
}

/// `bar` of `bar, 4 jobs, reused`, which ran the batch `4 jobs, reused`.
fn path_of<'a>(function: &'a str, batch: &str) -> Option<&'a str> {
    function.strip_suffix(batch)?.strip_suffix(", ")
}

/// How many choices met the target, and the worst of them.
pub(crate) fn rows(choices: &[Pair<'_>]) -> Vec<Row> {
    let worst = choices.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let Some(worst) = worst else {
        return Vec::new();
    };
    let met = choices.iter().filter(|one| ratio(one) <= TARGET).count();
    vec![
        Row {
            measure: "chosen path within 5 % of the fastest fixed one".to_owned(),
            value: format!("{met} of {} batches", choices.len()),
            beside: "target: all of them".to_owned(),
            ratio: percent(met as f64 / choices.len() as f64),
        },
        beside_other("chosen path at its worst, ", worst, memory(true)),
    ]
}

/// The time of the chosen path over that of the fastest one, per number of
/// jobs, over their size; `None` where nothing was chosen.
pub(crate) fn chart(choices: &[Pair<'_>]) -> Option<Chart> {
    let lines = lines_by_jobs(choices, &numbers_of_jobs(choices), "", ratio);
    let limits = vec![
        Limit::new("as fast as the fastest fixed path", 1.0),
        Limit::new("target: 5 % slower at most", TARGET),
    ];
    over_sizes("elements in each job", lines, limits, |ratios| {
        Axis::close("time of the chosen path / of the fastest", ratios)
    })
}

/// All choices as a table, in HTML.
pub(crate) fn table(choices: &[Pair<'_>]) -> String {
    let columns = [
        "#elements in each job",
        "#jobs",
        "#chosen path",
        "#fastest fixed path",
        "which",
        "#time / fastest",
    ];
    let rows = choices.iter().map(|one| {
        [
            one.elements.to_string(),
            one.jobs.to_string(),
            milliseconds(one.ns),
            milliseconds(one.other_ns),
            one.other.to_owned(),
            format!("{:.3}", ratio(one)),
        ]
    });
    html::details("Show every batch", &html::table(columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::suite_output::Measurement;
    use crate::bench::suite_output::tests::measurement;

    fn measured(rates: &[(&str, u64, f64)]) -> Vec<Measurement> {
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
        let text = |one: &Pair<'_>| {
            let (elements, jobs, fastest) = (one.elements, one.jobs, one.other);
            format!("{elements} {jobs} {fastest} {:.2}", ratio(one))
        };
        let found: Vec<_> = choices(&Results(&all)).iter().map(text).collect();
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
        let rows: Vec<_> = rows(&choices(&Results(&all)))
            .iter()
            .map(Row::to_string)
            .collect();
        let expected = [
            "chosen path within 5 % of the fastest fixed one: 1 of 2 batches; target: all of them; 50.0 %",
            "chosen path at its worst, 4 jobs of 4K, reused results: 4.10 ms; bar: 2.05 ms; 0.500 x",
        ];
        assert_eq!(rows, expected);
        let alone = measured(&[("auto, 1 job, reused", 64, 1e6)]);
        let found = choices(&Results(&alone));
        assert!(super::rows(&found).is_empty() && chart(&found).is_none());
    }
}
