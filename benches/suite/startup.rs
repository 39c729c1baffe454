//! What a new process pays once. Each sample is a process of its own, the
//! suite itself under another name: what drivers keep in memory between two
//! backends of one process is not there.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use gpu_executor::Cache;
use gpu_executor::kernels::FIELD_ADD;
use gpu_executor::spirv::PersistentVulkanBackend;
use vk_core::spirv::SpirvPolicy;
use vk_core::{Compiler, KernelCache, PipelineCache, WaitPolicy};

use crate::device;
use crate::measure::Group;

/// Names, to a child, what it is to time.
const VARIABLE: &str = "GPU_EXECUTOR_BENCH_STARTUP";
const NEW: &str = "new_process";
const PIPELINE: &str = "pipeline_new_process";

/// Times `new()`, and the way of the library's kernel from its bytes to its
/// pipeline, both in a new process. The caches of driver and library hold
/// what the process before left there.
pub(crate) fn bench(group: &mut Group<'_>) -> anyhow::Result<()> {
    for what in [NEW, PIPELINE] {
        run_child(what)?;
        group.timed(what, 0, 0, |iterations| {
            (0..iterations).map(|_| run_child(what)).sum()
        })?;
    }
    Ok(())
}

/// Whether this process is to time something and to end.
pub(crate) fn is_child() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Times what the variable names and prints the nanoseconds.
#[allow(clippy::print_stdout, reason = "how a child answers")]
pub(crate) fn child() -> anyhow::Result<()> {
    let elapsed = match std::env::var(VARIABLE)?.as_str() {
        NEW => {
            let start = Instant::now();
            let backend = PersistentVulkanBackend::new()?;
            let elapsed = start.elapsed();
            drop(backend);
            elapsed
        }
        PIPELINE => {
            let device = device::open()?;
            let folder = Cache::User.folder();
            let folder = folder.context("expected a cache folder of the user, found none")?;
            let cache = PipelineCache::new(&device, Some(&folder));
            let compiler = Compiler::new(cache, WaitPolicy::default().timeout);
            let mut kernels = KernelCache::with_compiler(&compiler, SpirvPolicy::default());
            let start = Instant::now();
            kernels.get(FIELD_ADD.spirv)?;
            start.elapsed()
        }
        other => anyhow::bail!("{VARIABLE}: expected {NEW} or {PIPELINE}, found {other:?}"),
    };
    println!("{}", elapsed.as_nanos());
    Ok(())
}

fn run_child(what: &str) -> anyhow::Result<Duration> {
    let executable = std::env::current_exe()?;
    let output = Command::new(executable).env(VARIABLE, what).output()?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    anyhow::ensure!(output.status.success(), "{what}: {}: {err}", output.status);
    let nanoseconds = out.trim().parse();
    let nanoseconds = nanoseconds.with_context(|| format!("{what}: found {out:?}"))?;
    Ok(Duration::from_nanos(nanoseconds))
}
