//! The page: one file, nothing loaded from elsewhere.

use super::headline::Row;
use crate::bench::numbers::bandwidth;
use crate::bench::suite_output::{Heading, SuiteOutput};

/// A plot with what is to be said about it.
pub(crate) struct Section {
    pub(crate) title: String,
    /// How it is to be read.
    pub(crate) text: String,
    pub(crate) svg: String,
    /// What belongs below it, as HTML.
    pub(crate) below: String,
}

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:68rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.7rem;margin-bottom:.3rem}h2{font-size:1.25rem;margin:2.2rem 0 .3rem}\
p{max-width:50rem;margin:.3rem 0 .8rem}\
dl{display:grid;grid-template-columns:max-content auto;gap:.1rem 1rem;margin:0}dt{color:#555}dd{margin:0}\
table{border-collapse:collapse;font-size:.94rem}\
th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}\
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
svg{max-width:100%;height:auto}code{font-size:.94em}\
.warning{border-left:4px solid #d55e00;padding-left:.8rem}";

/// The whole page.
pub(crate) fn page(rows: &[Row], output: &SuiteOutput, sections: &[Section]) -> String {
    let heading = &output.heading;
    let title = format!("Benchmarks on {}", escape(&heading.device));
    let sections = sections.iter().map(|section| {
        let (text, below) = (escape(&section.text), &section.below);
        let figure = format!("<figure style=\"margin:0\">{}</figure>\n", section.svg);
        headed(&section.title, &format!("<p>{text}</p>\n{figure}{below}"))
    });
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n\
         {}{}{}{}{}</body></html>\n",
        source(heading),
        headline(rows),
        limits(output),
        sections.collect::<String>(),
        measurements(output)
    )
}

/// What was measured, when, on what and how.
fn source(heading: &Heading) -> String {
    let terms = [
        ("date", &heading.date),
        ("device", &heading.device),
        ("driver", &heading.driver),
        ("CPU", &heading.cpu),
        ("revision", &heading.revision),
    ];
    let terms = terms.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value)));
    let command = escape(&heading.command);
    let warning = match heading.quick {
        true => {
            "<p class=\"warning\">A quick run, with few and short samples: a look at the machine, \
             not figures to publish.</p>\n"
        }
        false => "",
    };
    let terms = terms.concat();
    format!("<dl>{terms}<dt>command</dt><dd><code>{command}</code></dd></dl>\n{warning}")
}

fn headline(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let [measure, value] = [&row.measure, &row.value];
        [measure, value, &row.beside, &row.ratio].map(Clone::clone)
    });
    let text = "<p>Every timed result was compared with the CPU reference, limb by limb. Times are \
                medians. An addition reads 96 bytes and writes 48, one in the scalar field 64 and \
                32. A ratio of times tells how many times faster the first is.</p>\n";
    let columns = ["measured", "#value", "limit or peer", "#ratio"];
    headed(
        "Beside limits and peers",
        &(text.to_owned() + &table(columns, cells)),
    )
}

fn limits(output: &SuiteOutput) -> String {
    let limits = &output.limits;
    let text = format!(
        "<p>Measured in the same run: copies of {} bytes by the device alone, and by the host's {} \
         threads. Both directions count the bytes of both together; a copy in device memory counts \
         the bytes read plus the bytes written.</p>\n",
        limits.copy_bytes, limits.threads
    );
    let rows = limits.rows().into_iter();
    let cells = rows.map(|(name, bytes)| [name.replace('_', " "), bandwidth(bytes)]);
    headed(
        "Limits of this machine",
        &(text + &table(["copies", "#speed"], cells)),
    )
}

/// Everything that was measured.
fn measurements(output: &SuiteOutput) -> String {
    let cells = output.measurements.iter().map(|one| {
        [
            one.group.clone(),
            one.function.clone(),
            one.elements.to_string(),
            format!("{:.4}", one.median_ns / 1e6),
            format!("{:.3}", one.elements_per_second / 1e6),
        ]
    });
    let columns = [
        "group",
        "function",
        "#elements",
        "#median ms",
        "#million elements/s",
    ];
    headed(
        "All measurements",
        &details("Show the table", &table(columns, cells)),
    )
}

fn headed(title: &str, text: &str) -> String {
    format!("<h2>{}</h2>\n{text}", escape(title))
}

/// What is shown when somebody asks for it.
pub(crate) fn details(summary: &str, html: &str) -> String {
    format!("<details><summary>{summary}</summary>\n{html}</details>\n")
}

/// A table; the names of columns of numbers begin with `#`.
pub(crate) fn table<const N: usize>(
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let row = |kind: &str, cells: [String; N]| {
        let cells = columns.iter().zip(cells).map(|(column, cell)| {
            let class = if column.starts_with('#') {
                " class=\"number\""
            } else {
                ""
            };
            format!("<{kind}{class}>{}</{kind}>", escape(&cell))
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let names = columns.map(|column| column.trim_start_matches('#').to_owned());
    let rows = rows.map(|cells| row("td", cells)).collect::<String>();
    format!("<table>{}{rows}</table>\n", row("th", names))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
