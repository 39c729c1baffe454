//! Many batches on one backend: sequential, pipelined, over slices of the
//! caller's and over host buffers, on both paths, of mixed sizes; and backends that are
//! made, used once and dropped.

use std::cell::RefCell;

use anyhow::{Context, ensure};
use field_kernels::{Fp, arithmetic};
use gpu_executor::FieldAdd;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, TransferPath};
use gpu_executor_soak::operands::Operands;

use super::watch;

/// The two operands of a job, and their sums.
struct Job {
    operands: Operands,
    sums: Vec<u64>,
}

/// Runs `count` batches of jobs of up to `elements` elements; whether resident
/// memory grew by `most` bytes at most and nothing else grew.
pub(crate) fn run(count: usize, elements: usize, most: i64) -> anyhow::Result<bool> {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let backend = RefCell::new(builder.build()?);
    let jobs = jobs(elements);
    let name = backend.borrow().device().name.clone();
    println!("{count} batches of up to {elements} elements a job on {name}");
    let one = |number: usize| {
        let way = WAYS[number % WAYS.len()];
        batch(&mut backend.borrow_mut(), &jobs, number / WAYS.len(), way)
            .with_context(|| format!("batch {number}"))
    };
    let work = ("batches in one process", count, WAYS.len() * jobs.len());
    watch::batches(work, most, one, || {
        Ok(backend.borrow().allocated_memory()?)
    })
}

/// Makes, uses once and drops `count` backends; whether resident memory grew by `most`
/// bytes at most and nothing else grew.
pub(crate) fn cycles(count: usize, most: i64) -> anyhow::Result<bool> {
    let operands = Operands::random(2_000, 9);
    let sums = operands.results(arithmetic::add::<Fp>);
    watch::cycles(("backends made and dropped", count), most, || {
        let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
        let found = builder.build()?.field_add(&operands.a, &operands.b)?;
        ensure!(found == sums, "wrong sums");
        Ok(())
    })
}

/// Sizes at and around workgroups and chunks, and the largest.
fn jobs(elements: usize) -> Vec<Job> {
    let sizes = [1, 127, 1_000, 4_097, 20_000, elements];
    let sizes = sizes.into_iter().filter(|size| *size <= elements);
    sizes
        .zip(1..)
        .map(|(size, seed)| {
            let operands = Operands::random(size, seed);
            let sums = operands.results(arithmetic::add::<Fp>);
            Job { operands, sums }
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Way {
    Sequential { device_local: bool },
    Pipelined,
    Into,
    HostBuffers(TransferPath),
}

const WAYS: [Way; 6] = [
    Way::Sequential {
        device_local: false,
    },
    Way::Sequential { device_local: true },
    Way::Pipelined,
    Way::Into,
    Way::HostBuffers(TransferPath::HostVisible),
    Way::HostBuffers(TransferPath::DeviceLocal),
];

/// One batch of one to three jobs, compared with the reference.
fn batch(
    backend: &mut PersistentVulkanBackend,
    jobs: &[Job],
    number: usize,
    way: Way,
) -> anyhow::Result<()> {
    let job = &jobs[number % jobs.len()];
    let copies = 1 + number % jobs.len() % 3;
    let elements = job.operands.elements();
    let batch = vec![(job.operands.a.as_slice(), job.operands.b.as_slice()); copies];
    let spirv = backend.field_add_spirv();
    let results = match way {
        Way::Sequential { device_local } => {
            backend.run_field_add_batch(spirv, &batch, elements, device_local)?
        }
        Way::Pipelined => backend.run_field_add_batch_pipelined(spirv, &batch, elements)?,
        Way::Into => {
            let mut results = vec![vec![0; job.sums.len()]; copies];
            let mut slices: Vec<_> = results.iter_mut().map(Vec::as_mut_slice).collect();
            backend.field_add_batch_into(&batch, elements, &mut slices)?;
            results
        }
        Way::HostBuffers(path) => {
            vec![job.operands.over_host_buffers(backend, spirv, path)?; copies]
        }
    };
    ensure!(results.len() == copies, "{} results", results.len());
    let right = results.iter().all(|result| *result == job.sums);
    ensure!(right, "wrong sums of {elements} elements");
    Ok(())
}
