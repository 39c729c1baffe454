//! `cargo xtask bench`: the Criterion suite and a dated record of it.
//!
//! In a build with the feature `bench`, which one without starts.
//!
//! Also works without cargo and without the sources: the suite's executable is
//! carried to the machine that has the GPU, and started there with the folder
//! for its output in `CRITERION_HOME` (`suite --bench`, in parts if wanted:
//! `suite --bench kernel`); from what it left there `xtask bench --from FOLDER`
//! makes the record anywhere.

mod chart;
mod numbers;
mod plots;
mod record;
mod report;
mod suite_output;

use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::cmd;

use crate::driver;
use crate::packages::Need;
use crate::workspace;
use suite_output::SuiteOutput;

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fewer sizes and samples: under two minutes, and not for publishing.
    #[arg(long)]
    quick: bool,
    /// Also write a page with the figures beside their limits and peers.
    #[arg(long)]
    report: bool,
    /// The folder for records [default: benches/records, and for a quick run
    /// a folder beside the build output].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Measure nothing: make the record from what the suite left in this
    /// folder, which was its CRITERION_HOME.
    #[arg(
        long,
        value_name = "FOLDER",
        requires = "revision",
        conflicts_with_all = ["quick", "no_install", "filter"]
    )]
    from: Option<PathBuf>,
    /// Measure nothing: plot these records of transforms, CSVs of the example `ntt` or with its
    /// first columns, beside each other and beside the first file.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["quick", "no_install", "filter", "from", "report", "out"]
    )]
    transforms: Vec<PathBuf>,
    /// Likewise records of multi-scalar multiplications, of the example `msm`.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 1..,
        conflicts_with_all = ["quick", "no_install", "filter", "from", "report", "out", "transforms"]
    )]
    msm: Vec<PathBuf>,
    /// The git revision the record names [default: asked of git].
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Never install packages.
    #[arg(long)]
    no_install: bool,
    /// Measure only what contains this, such as `batch` or `paths/pipelined`.
    filter: Option<String>,
}

/// Runs the suite and writes `DIR/<device>/<date>.csv`, `<date>-limits.csv`,
/// `<date>.svg` and, if asked for, `<date>.html`. With `--transforms` and `--msm` only plots.
///
/// # Errors
/// When there is no device, when the suite fails (a wrong result among the
/// reasons), or when the record cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if !args.transforms.is_empty() {
        return plots::TRANSFORMS.write(&args.transforms);
    }
    if !args.msm.is_empty() {
        return plots::MSM.write(&args.msm);
    }
    let criterion = match &args.from {
        Some(folder) => folder.clone(),
        None => measure(args)?,
    };
    write_record(args, &criterion)
}

/// Runs the suite and returns the folder of its output.
fn measure(args: &Args) -> anyhow::Result<PathBuf> {
    let shell = workspace::shell()?;
    let criterion = workspace::target_dir(&shell)?.join("bench-criterion");
    let survey = driver::prepare(&shell, &[Need::Driver], !args.no_install);
    driver::require(&survey, &[Need::Driver])?;
    // Old measurements would turn up in the record as new ones.
    shell.remove_path(&criterion)?;
    shell.create_dir(&criterion)?;
    let filter = args.filter.as_slice();
    let command = cmd!(
        shell,
        "cargo bench -p gpu-executor-benches --features criterion --bench suite -- {filter...}"
    );
    let mut command = command.env("CRITERION_HOME", &criterion);
    if args.quick {
        command = command.env("GPU_EXECUTOR_BENCH_QUICK", "1");
    }
    command.run()?;
    Ok(criterion)
}

/// Makes the record from what the suite left in `criterion`.
fn write_record(args: &Args, criterion: &Path) -> anyhow::Result<()> {
    let mut output = SuiteOutput::read(criterion)?;
    output.heading.revision = revision(args)?;
    output.heading.command = command_line(args, output.heading.quick);
    let heading = &output.heading;
    let folder = out(args, heading.quick)?.join(record::slug(&heading.device));
    let save = |what: &str, ending: &str, text: &str| {
        let path = folder.join(format!("{}{ending}", heading.date));
        println!("{what}: {}", path.display());
        write(&path, text)
    };
    for line in report::headline(&output) {
        println!("{line}");
    }
    save("record", ".csv", &record::csv(&output))?;
    save("limits", "-limits.csv", &record::limits_csv(&output))?;
    if let Some(svg) = report::paths_svg(&output)? {
        save("plot", ".svg", &svg)?;
    }
    if args.report {
        save("report", ".html", &report::page(&output)?)?;
    }
    Ok(())
}

/// The command that measures the same again, wherever this was done.
fn command_line(args: &Args, quick: bool) -> String {
    let mut words = vec!["cargo xtask bench"];
    words.extend(quick.then_some("--quick"));
    words.extend(args.report.then_some("--report"));
    words.extend(args.filter.as_deref());
    words.join(" ")
}

/// The folder for records.
fn out(args: &Args, quick: bool) -> anyhow::Result<PathBuf> {
    if let Some(out) = &args.out {
        // What the user types is relative to where the user stands.
        return Ok(std::path::absolute(out)?);
    }
    let shell = workspace::shell()?;
    Ok(match quick {
        true => workspace::target_dir(&shell)?.join("bench-quick"),
        false => shell.current_dir().join("benches/records"),
    })
}

/// The commit that was measured, marked where the tree differs from it.
fn revision(args: &Args) -> anyhow::Result<String> {
    if let Some(revision) = &args.revision {
        return Ok(revision.clone());
    }
    let shell = workspace::shell()?;
    let revision = cmd!(shell, "git rev-parse --short=12 HEAD")
        .quiet()
        .read()
        .context("no git revision: name one with --revision")?;
    let changes = cmd!(shell, "git status --porcelain").quiet().read()?;
    Ok(if changes.is_empty() {
        revision
    } else {
        format!("{revision}-dirty")
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    path.parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))
}
