//! `soak-mutants`: damaged SPIR-V, mutants 0, 1, 2 and so on of each kernel, the same on every
//! machine: how many of them the check of the interface stops, how many spirv-val, and which
//! would have killed the driver.
//!
//! Every mutant goes to the driver unchecked, in child processes that may die of it; what each
//! layer says of it is asked apart.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program; the lint is for libraries"
)]

mod survey;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use gpu_executor::kernels::{KERNELS, Kernel, LIMBS};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Calibration, DeviceCaps, FieldAdd, VulkanError};
use gpu_executor_soak::verdict;
use vk_core::spirv::{KernelInterface, validate};
use vk_core::testing::{mutants::mutant, trust_all_spirv};

use survey::{Fate, Judged, Survey};

/// Child processes at a time.
const LANES: usize = 2;
/// How long a driver may take for one mutant before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);
/// Elements of the dispatch: several workgroups, the last one in part.
const ELEMENTS: usize = 300;
/// What a driver may allocate before it counts as killed, 8 GiB.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE: u64 = 8 << 30;

#[derive(Parser)]
struct Args {
    /// Mutants of each kernel.
    #[arg(long, default_value_t = 3_000)]
    mutants: u64,
    /// In a child: hand the mutants of this kernel to the driver, with a line `begin INDEX` and
    /// one `end INDEX` around each.
    #[arg(long, hide = true)]
    drive: Option<String>,
    /// The first of them; all others of its lane follow.
    #[arg(long, hide = true, default_value_t = 0)]
    from: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(name) = &args.drive {
        let kernel = KERNELS.iter().find(|kernel| kernel.name == name);
        let kernel = kernel.with_context(|| format!("expected a kernel, found {name:?}"))?;
        return drive(kernel, args.from, args.mutants);
    }
    let caps = backend()?.device().clone();
    let mut kept = Vec::new();
    for kernel in KERNELS {
        let mut survey = Survey::default();
        thread::scope(|scope| {
            let caps = &caps;
            let start = |lane| scope.spawn(move || judged(kernel, caps, lane, args.mutants));
            let lanes: Vec<_> = (0..LANES as u64).map(start).collect();
            for lane in lanes {
                let judged = lane.join().map_err(|_| anyhow!("a lane panicked"))??;
                judged.into_iter().for_each(|mutant| survey.count(mutant));
            }
            anyhow::Ok(())
        })?;
        kept.push(survey.print(kernel.name));
    }
    verdict(&kept)
}

fn backend() -> Result<PersistentVulkanBackend> {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let builder = builder.calibration(Calibration::Off).threads(1);
    Ok(builder.build()?)
}

/// Hands the mutants of a lane to the driver, in as many processes as it takes, and asks the
/// layers about each.
fn judged(kernel: &Kernel, caps: &DeviceCaps, lane: u64, count: u64) -> Result<Vec<Judged>> {
    let mut all = Vec::new();
    let mut from = lane;
    while from < count {
        for (index, fate) in until_death(kernel.name, from, count)? {
            let spirv = mutant(kernel.spirv, index);
            let interface = KernelInterface::parse(&spirv, caps).is_err();
            let validator = match validate(&spirv, caps) {
                Ok(()) => false,
                Err(VulkanError::InvalidSpirv { .. }) => true,
                Err(error) => return Err(error.into()),
            };
            all.push((index, fate, [interface, validator]));
            from = index + LANES as u64;
        }
    }
    Ok(all)
}

fn child(kernel: &str, from: u64, count: u64) -> Result<Child> {
    let (from, count) = (from.to_string(), count.to_string());
    Command::new(std::env::current_exe()?)
        .args(["--drive", kernel, "--from", &from, "--mutants", &count])
        // Each mutant is to be compiled, whatever the last run compiled.
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("this program as a child")
}

/// What became of the mutants from one on, up to the first that a process did not survive.
fn until_death(kernel: &str, from: u64, count: u64) -> Result<Vec<(u64, Fate)>> {
    let mut child = child(kernel, from, count)?;
    let output = child.stdout.take().context("a pipe from the child")?;
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        // An error is that nobody listens any more.
        let _ = lines.into_iter().try_for_each(|line| sender.send(line));
    });
    let (mut fates, mut begun) = (Vec::new(), None);
    let hung = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => match line.split_once(' ') {
                Some(("begin", index)) => begun = Some(index.parse()?),
                Some(("end", index)) => {
                    fates.push((index.parse()?, Fate::Survived));
                    begun = None;
                }
                _ => bail!("expected `begin` or `end`, found {line:?}"),
            },
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    if hung {
        child.kill()?;
    }
    let status = child.wait()?;
    drop(reader.join());
    match (begun, hung) {
        (Some(index), true) => fates.push((index, Fate::Hung)),
        (Some(index), false) => fates.push((index, Fate::Killed)),
        (None, _) if status.success() && !fates.is_empty() => {}
        (None, _) => bail!("a child failed between mutants: {status}"),
    }
    Ok(fates)
}

/// The child: pipeline and one small dispatch of each; it may die of one, which is what it is
/// for.
fn drive(kernel: &Kernel, from: u64, count: u64) -> Result<()> {
    limit_memory();
    let mut backend = backend()?;
    let interface = KernelInterface::parse(kernel.spirv, backend.device())?;
    trust_all_spirv(Some(interface));
    let a = vec![0x0123_4567_89AB_CDEF; LIMBS * ELEMENTS];
    let b = vec![0x1111_2222_3333_4444; LIMBS * ELEMENTS];
    for index in (from..count).step_by(LANES) {
        let spirv = mutant(kernel.spirv, index);
        println!("begin {index}");
        // It may refuse it too.
        drop(backend.run_field_add(&spirv, &a, &b, ELEMENTS, false));
        println!("end {index}");
    }
    Ok(())
}

/// A driver that asks for all of the machine's memory fails by itself.
fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let limit = |bytes| Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        let _ = setrlimit(Resource::As, limit(ADDRESS_SPACE));
        let _ = setrlimit(Resource::Core, limit(0));
    }
}
