//! What a process can do with engines that it inherited through a fork: drop them, and
//! compute on the CPU; what needs the device says so at once.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "a child reports to its parent")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use gpu_executor::FieldAdd;
use gpu_executor::cpu::CpuEngine;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Completed, FieldVec, Fr, Pending, Readback, VectorEngine};
use gpu_executor::{Cache, Error, Validation, VulkanError};

use crate::support::{child, unvalidated};

const CHILD: &str = "GPU_EXECUTOR_FORK_CHILD";
/// Far longer than anything here takes unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
const ELEMENTS: usize = 100_000;

/// Forks, so it has a process of its own, in which no other test runs.
#[test]
fn a_forked_child_drops_what_it_inherited_and_computes_on_the_cpu() {
    if std::env::var_os(CHILD).is_some() {
        fork_once_for_each_case();
        return;
    }
    let (_guard, _backend) = unvalidated(PersistentVulkanBackend::builder());
    let folder = tempfile::tempdir().unwrap();
    let test = "fork::a_forked_child_drops_what_it_inherited_and_computes_on_the_cpu";
    let mut child = child::command(test, folder.path());
    let child = child.env(CHILD, "1").stdout(Stdio::piped());
    let output = child.stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    // Nothing of it speaks up, not even in the log.
    assert_eq!(
        text.matches("as it should").count(),
        CASES.len(),
        "{text}{errors}"
    );
}

/// What the parent made before it forked.
struct Inherited {
    backend: PersistentVulkanBackend,
    on_device: VectorEngine,
    cpu: CpuEngine,
    on_cpu: VectorEngine,
    in_flight: (FieldVec<Fr>, Pending),
    read: (Completed, Readback<Fr>),
}

type Case = (&'static str, fn(Inherited) -> Result<()>);

const CASES: [Case; 12] = [
    ("drop everything", |all| {
        drop(all);
        Ok(())
    }),
    ("the inherited CPU engine", |mut all| {
        let sums = all.cpu.field_add(&[1; 6 * ELEMENTS], &[2; 6 * ELEMENTS]);
        expect(sums? == [3; 6 * ELEMENTS])
    }),
    ("inherited vectors on the CPU", |all| {
        expect(double(&all.on_cpu)? == 2)
    }),
    ("vectors that the CPU was still computing", |all| {
        let (power, pending) = all.in_flight;
        let left = Error::OtherProcess;
        expect(pending.is_complete().err() == Some(left.clone()))?;
        expect(pending.wait().err() == Some(left.clone()))?;
        let queue = all.on_cpu.queue();
        let used = queue.double(&power)?;
        let submitted = queue.submit().and_then(Pending::wait);
        expect(matches!(submitted, Err(Error::NotComputed { .. })))?;
        for lost in [power, used] {
            expect(matches!(
                lost.download::<u64>(),
                Err(Error::NotComputed { .. })
            ))?;
        }
        expect(double(&all.on_cpu)? == 2)
    }),
    ("a CPU engine of its own", |_| {
        let engine = VectorEngine::cpu()?;
        expect(double(&engine)? == 2)
    }),
    ("the inherited backend", |mut all| {
        forked(all.backend.field_add(&[1; 6], &[2; 6]).err())
    }),
    ("the memory of the inherited backend", |all| {
        forked(all.backend.allocated_memory().err())
    }),
    ("a host buffer", |mut all| {
        forked(all.backend.host_buffer(64).err())
    }),
    ("what was read from the device", |all| {
        let (completed, first) = all.read;
        forked(completed.element(&first).err())
    }),
    ("inherited vectors on the device", |all| {
        forked(double(&all.on_device).err())
    }),
    ("a validated backend of its own", |_| {
        let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
        forked(builder.validation(Validation::On).build().map(drop).err())
    }),
    ("a backend of its own", |_| {
        let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
        forked(builder.build().map(drop).err())
    }),
];

fn expect(right: bool) -> Result<()> {
    ensure!(right, "wrong results");
    Ok(())
}

fn forked(error: Option<Error>) -> Result<()> {
    match error.context("no error")? {
        Error::Vulkan(VulkanError::Forked { .. }) => Ok(()),
        error => Err(error.into()),
    }
}

fn double(engine: &VectorEngine) -> gpu_executor::Result<u64> {
    let x = engine.upload::<Fr>(&vec![1_u64; 4 * ELEMENTS])?;
    let queue = engine.queue();
    let y = queue.add(&x, &x)?;
    queue.submit()?.wait()?;
    Ok(y.download::<u64>()?[0])
}

/// The first of some elements.
fn first(engine: &VectorEngine) -> (Completed, Readback<Fr>) {
    let x = engine.upload::<Fr>(&[7, 0, 0, 0, 8, 0, 0, 0]).unwrap();
    let queue = engine.queue();
    let first = queue.read(&x.slice(..1).unwrap()).unwrap();
    (queue.submit().unwrap().wait().unwrap(), first)
}

/// Takes long after this has returned.
fn slow(engine: &VectorEngine) -> (FieldVec<Fr>, Pending) {
    let mut x = engine.upload::<Fr>(&vec![1_u64; 4 * ELEMENTS]).unwrap();
    let queue = engine.queue();
    for _ in 0..1000 {
        queue.square_assign(&mut x).unwrap();
    }
    (x, queue.submit().unwrap())
}

fn fork_once_for_each_case() {
    for (name, case) in CASES {
        let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
        let mut backend = builder.build().unwrap();
        let on_device = backend.vectors().unwrap();
        let on_cpu = VectorEngine::cpu().unwrap();
        assert_eq!(double(&on_cpu).unwrap(), 2);
        let mut all = Inherited {
            cpu: CpuEngine::new().unwrap(),
            in_flight: slow(&on_cpu),
            on_cpu,
            backend,
            read: first(&on_device),
            on_device,
        };
        // Everything was used, so that threads and locks are in use as they ever are.
        let sum = |sums: gpu_executor::Result<Vec<u64>>| assert_eq!(sums.unwrap()[0], 3);
        sum(all.backend.field_add(&[1; 6 * 64], &[2; 6 * 64]));
        sum(all.cpu.field_add(&[1; 6 * ELEMENTS], &[2; 6 * ELEMENTS]));
        assert_eq!(double(&all.on_device).unwrap(), 2);
        // SAFETY: the child calls this library, prints, and ends by `_exit`; what it
        // inherited of other threads is what is tested.
        match unsafe { libc::fork() } {
            0 => {
                let begin = Instant::now();
                let came_to = case(all);
                let came_to = match (came_to, begin.elapsed()) {
                    (Ok(()), took) if took < LIMIT => "as it should".to_owned(),
                    (came_to, took) => format!("{came_to:?} after {took:?}"),
                };
                println!("{name}: {came_to}");
                // SAFETY: ends the process and nothing else.
                unsafe { libc::_exit(0) }
            }
            pid => assert!(ended(pid), "{name}: hangs"),
        }
    }
}

/// Waits for the child; kills it where it hangs.
fn ended(pid: libc::pid_t) -> bool {
    let begin = Instant::now();
    let mut status = 0;
    while begin.elapsed() < LIMIT {
        // SAFETY: `status` is a place for the status of the child.
        if unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == pid {
            return libc::WIFEXITED(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // SAFETY: the child was not waited for yet, so the number is its.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    false
}
