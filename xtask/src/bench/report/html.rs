//! The page: one file, nothing loaded from elsewhere.

use std::fmt::Write as _;

use super::headline::{Row, bandwidth};
use crate::bench::limits::Limits;
use crate::bench::measurements::Measurement;
use crate::bench::record::Heading;

/// A plot with what is to be said about it.
pub(crate) struct Section {
    /// Its title.
    pub(crate) title: String,
    /// How it is to be read.
    pub(crate) text: String,
    /// The plot, as SVG.
    pub(crate) svg: String,
    /// What belongs below it, as HTML.
    pub(crate) below: String,
}

/// What a page shows.
pub(crate) struct Page<'a> {
    pub(crate) heading: &'a Heading,
    pub(crate) rows: &'a [Row],
    pub(crate) limits: &'a Limits,
    pub(crate) sections: &'a [Section],
    pub(crate) measurements: &'a [Measurement],
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

impl Page<'_> {
    /// The whole page.
    pub(crate) fn html(&self) -> String {
        let title = format!("Benchmarks on {}", escape(&self.heading.device));
        let mut text = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
        );
        text += &self.source();
        text += &self.headline();
        text += &self.limits();
        for section in self.sections {
            // Writing to a `String` does not fail, here and below.
            let _ = write!(
                text,
                "<h2>{}</h2>\n<p>{}</p>\n<figure style=\"margin:0\">{}</figure>\n{}",
                escape(&section.title),
                escape(&section.text),
                section.svg,
                section.below
            );
        }
        text += &self.table();
        text += "</body></html>\n";
        text
    }

    /// What was measured, when, on what and how.
    fn source(&self) -> String {
        let heading = self.heading;
        let mut text = "<dl>".to_owned();
        for (name, value) in [
            ("date", &heading.date),
            ("device", &heading.device),
            ("driver", &heading.driver),
            ("CPU", &heading.cpu),
            ("revision", &heading.revision),
        ] {
            let _ = write!(text, "<dt>{name}</dt><dd>{}</dd>", escape(value));
        }
        let command = escape(&heading.command);
        let _ = writeln!(text, "<dt>command</dt><dd><code>{command}</code></dd></dl>");
        if heading.quick {
            text += "<p class=\"warning\">A quick run, with few and short samples: a look at the \
                     machine, not figures to publish.</p>\n";
        }
        text
    }

    fn headline(&self) -> String {
        let mut text = "<h2>Beside limits and peers</h2>\n<p>Every timed result was compared with the \
                        CPU reference, limb by limb. Times are medians. An addition reads 96 bytes and \
                        writes 48, one in the scalar field 64 and 32. A ratio of times tells how many times \
                        faster the first is.</p>\n\
                        <table><tr><th>measured</th><th class=\"number\">value</th>\
                        <th>limit or peer</th><th class=\"number\">ratio</th></tr>\n"
            .to_owned();
        for row in self.rows {
            let _ = writeln!(
                text,
                "<tr><td>{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{}</td></tr>",
                escape(&row.measure),
                escape(&row.value),
                escape(&row.beside),
                escape(&row.ratio)
            );
        }
        text + "</table>\n"
    }

    fn limits(&self) -> String {
        let limits = self.limits;
        let mut text = format!(
            "<h2>Limits of this machine</h2>\n<p>Measured in the same run: copies of {} bytes by the \
             device alone, and by the host's {} threads. Both directions count the bytes of both \
             together; a copy in device memory counts the bytes read plus the bytes written.</p>\n<table>\n",
            limits.copy_bytes, limits.threads
        );
        for (name, bytes) in limits.rows() {
            let (name, bytes) = (name.replace('_', " "), bandwidth(bytes));
            let _ = writeln!(
                text,
                "<tr><td>{name}</td><td class=\"number\">{bytes}</td></tr>"
            );
        }
        text + "</table>\n"
    }

    /// Everything that was measured.
    fn table(&self) -> String {
        let mut text = "<h2>All measurements</h2>\n<details><summary>Show the table</summary>\n\
                        <table><tr><th>group</th><th>function</th><th class=\"number\">elements</th>\
                        <th class=\"number\">median ms</th><th class=\"number\">million elements/s</th></tr>\n"
            .to_owned();
        for one in self.measurements {
            let _ = writeln!(
                text,
                "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{:.4}</td>\
                 <td class=\"number\">{:.3}</td></tr>",
                escape(&one.group),
                escape(&one.function),
                one.elements,
                one.median_ns / 1e6,
                one.elements_per_second / 1e6
            );
        }
        text + "</table></details>\n"
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
