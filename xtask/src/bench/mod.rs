//! `cargo xtask bench`: the Criterion suite and a dated record of it.
//!
//! Also runs without cargo and without the sources: this program and the
//! suite's executable can be carried to the machine that has the GPU, and
//! started there as `xtask bench --bench-exe suite --revision REV --out DIR`.

mod axes;
mod machine;
mod measurements;
mod plot;
mod record;

use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::{Shell, cmd};

use crate::driver::{self, Wanted};
use crate::workspace;
use record::Heading;

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fewer sizes and samples: under two minutes, and not for publishing.
    #[arg(long)]
    quick: bool,
    /// The folder for records [default: benches/records, and for --quick a
    /// folder beside the build output].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run this prebuilt suite instead of `cargo bench`.
    #[arg(long, value_name = "PATH", requires_all = ["revision", "out"])]
    bench_exe: Option<PathBuf>,
    /// The git revision the record names [default: asked of git].
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Never install packages.
    #[arg(long)]
    no_install: bool,
    /// Measure only what contains this, such as `batch` or `paths/pipelined`.
    filter: Option<String>,
}

/// Runs the suite and writes `DIR/<device>/<date>.csv` and `.svg`.
///
/// # Errors
/// When there is no device, when the suite fails (a wrong result among the
/// reasons), or when the record cannot be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let plan = Plan::new(args)?;
    let wanted = Wanted {
        validation: false,
        shaderc: false,
        install: !args.no_install,
    };
    driver::require_device(&driver::prepare(&plan.shell, &wanted))?;
    plan.measure(args)?;

    let measurements = measurements::read(&plan.criterion)?;
    let device = measurements::device(&plan.criterion)?;
    let heading = Heading {
        date: machine::today()?,
        revision: plan.revision,
        device: device.name,
        driver: device.driver,
        cpu: machine::cpu(),
    };
    let folder = plan.out.join(record::slug(&heading.device));
    let csv = folder.join(format!("{}.csv", heading.date));
    let svg = folder.join(format!("{}.svg", heading.date));
    write(&csv, &record::csv(&heading, &measurements))?;
    write(&svg, &plot::svg(&heading, &measurements)?)?;
    println!("record: {}", csv.display());
    println!("plot:   {}", svg.display());
    Ok(())
}

/// Where things are read and written, with or without a workspace around.
struct Plan {
    shell: Shell,
    criterion: PathBuf,
    out: PathBuf,
    revision: String,
}

impl Plan {
    fn new(args: &Args) -> anyhow::Result<Self> {
        // Clap asks for all three together.
        if let (Some(_), Some(out), Some(revision)) = (&args.bench_exe, &args.out, &args.revision) {
            let folder = format!("gpu-executor-criterion-{}", std::process::id());
            return Ok(Self {
                shell: Shell::new()?,
                criterion: std::env::temp_dir().join(folder),
                out: std::path::absolute(out)?,
                revision: revision.clone(),
            });
        }
        let shell = workspace::shell()?;
        let target = workspace::target_dir(&shell)?;
        let out = match &args.out {
            // What the user types is relative to where the user stands.
            Some(out) => std::path::absolute(out)?,
            None if args.quick => target.join("bench-quick"),
            None => shell.current_dir().join("benches/records"),
        };
        let revision = match &args.revision {
            Some(revision) => revision.clone(),
            None => revision(&shell)?,
        };
        Ok(Self {
            shell,
            criterion: target.join("bench-criterion"),
            out,
            revision,
        })
    }

    fn measure(&self, args: &Args) -> anyhow::Result<()> {
        // Old measurements would turn up in the record as new ones.
        self.shell.remove_path(&self.criterion)?;
        self.shell.create_dir(&self.criterion)?;
        let filter = args.filter.as_slice();
        let command = match &args.bench_exe {
            Some(exe) => {
                let exe = std::path::absolute(exe)?;
                cmd!(self.shell, "{exe} --bench {filter...}")
            }
            None => cmd!(
                self.shell,
                "cargo bench -p gpu-executor-benches --bench suite -- {filter...}"
            ),
        };
        let command = command.env("CRITERION_HOME", &self.criterion);
        let command = if args.quick {
            command.env("GPU_EXECUTOR_BENCH_QUICK", "1")
        } else {
            command
        };
        Ok(command.run()?)
    }
}

/// The commit that is measured, marked where the tree differs from it.
fn revision(shell: &Shell) -> anyhow::Result<String> {
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
