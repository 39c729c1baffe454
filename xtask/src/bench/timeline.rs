//! The runs whose stages the suite wrote down.

use std::path::Path;

use serde::Deserialize;

use super::measurements::json;

/// A run of `timeline.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    /// The data path.
    pub(crate) path: String,
    /// How many jobs.
    pub(crate) jobs: usize,
    /// Elements of all jobs together.
    pub(crate) elements: usize,
    /// How many chunks.
    pub(crate) chunks: usize,
    /// Elements in each, at most.
    pub(crate) chunk: usize,
    /// Whether it was made to overlap where the library would not have.
    pub(crate) forced: bool,
    /// From call to return, in milliseconds.
    pub(crate) total_ms: f64,
    /// How many kinds of stages were at work at once.
    pub(crate) overlap: Option<f64>,
    /// Its stages.
    pub(crate) spans: Vec<Span>,
}

/// When one chunk was in one stage, since the start of the run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Span {
    /// The slot that it was in.
    pub(crate) slot: usize,
    /// The stage.
    pub(crate) stage: Stage,
    /// The start, in milliseconds.
    pub(crate) start_ms: f64,
    /// The end, in milliseconds.
    pub(crate) end_ms: f64,
}

/// The stages, in the order that a chunk goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// The host copies operands in.
    #[serde(rename = "copy in")]
    CopyIn,
    /// The device copies them to its own memory.
    Upload,
    /// The kernel.
    Kernel,
    /// The device copies results to the host's memory.
    Download,
    /// The host copies results out.
    #[serde(rename = "copy out")]
    CopyOut,
}

impl Stage {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 5] = [
        Self::CopyIn,
        Self::Upload,
        Self::Kernel,
        Self::Download,
        Self::CopyOut,
    ];

    /// What a chart calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CopyIn => "copy in",
            Self::Upload => "upload",
            Self::Kernel => "kernel",
            Self::Download => "download",
            Self::CopyOut => "copy out",
        }
    }
}

/// The runs that the suite wrote down beside the results in `criterion`; none
/// where it was a suite that did not.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub(crate) fn read(criterion: &Path) -> anyhow::Result<Vec<Run>> {
    let path = criterion.join("timeline.json");
    match path.try_exists()? {
        true => json(&path),
        false => Ok(Vec::new()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As the suite writes it: two chunks, in a slot each.
    pub(crate) const FILE: &str = r#"[{
        "path":"host-visible","jobs":4,"elements":32768,"chunks":2,"chunk":16384,
        "forced":false,"total_ms":10.5,"overlap":1.25,"spans":[
        {"slot":0,"chunk":0,"stage":"copy in","start_ms":0.0,"end_ms":2.0},
        {"slot":0,"chunk":0,"stage":"kernel","start_ms":2.0,"end_ms":5.0},
        {"slot":1,"chunk":1,"stage":"copy in","start_ms":2.0,"end_ms":4.0},
        {"slot":1,"chunk":1,"stage":"kernel","start_ms":5.0,"end_ms":8.0},
        {"slot":0,"chunk":0,"stage":"copy out","start_ms":5.0,"end_ms":6.0},
        {"slot":1,"chunk":1,"stage":"copy out","start_ms":8.0,"end_ms":10.0}]}]"#;

    pub(crate) fn runs() -> Vec<Run> {
        serde_json::from_str(FILE).unwrap()
    }

    #[test]
    fn the_suites_file_is_read_where_there_is_one() {
        let folder = std::env::temp_dir().join(format!("timeline-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(read(&folder).unwrap().is_empty());
        std::fs::write(folder.join("timeline.json"), FILE).unwrap();
        let runs = read(&folder).unwrap();
        std::fs::write(folder.join("timeline.json"), "{}").unwrap();
        assert!(read(&folder).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((runs.len(), runs[0].spans.len()), (1, 6));
    }

    #[test]
    fn a_stage_is_read_by_its_name() {
        for stage in Stage::ALL {
            let text = format!("\"{}\"", stage.name());
            assert_eq!(serde_json::from_str::<Stage>(&text).unwrap(), stage);
        }
    }
}
