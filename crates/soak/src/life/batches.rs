//! Many batches on one backend: sequential, pipelined, over slices of the
//! caller's and over host buffers, on both paths, of mixed sizes.

use anyhow::{Context, ensure};
use field_kernels::reference;
use gpu_executor::FieldAdd;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{AllocatedMemory, Cache, PathChoice, TransferPath};
use gpu_executor_soak::operands::Operands;
use gpu_executor_soak::{finding, process::Usage};

/// Times the process is looked at, after the first tenth.
const LOOKS: usize = 10;

/// The two operands of a job, and their sums.
struct Job {
    operands: Operands,
    sums: Vec<u64>,
}

/// Runs `count` batches of jobs of up to `elements` elements; whether resident
/// memory grew by `most` bytes at most and nothing else grew.
pub(crate) fn run(count: usize, elements: usize, most: u64) -> anyhow::Result<bool> {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let mut backend = builder.build()?;
    let jobs = jobs(elements);
    println!(
        "{count} batches of up to {elements} elements a job on {}",
        backend.device().name
    );
    // A whole round of ways and sizes at a time, so that all looks are at the
    // same place in it.
    let round = WAYS.len() * jobs.len();
    let looks: Vec<_> = (0..=LOOKS)
        .map(|look| (count * (look + 1) / (LOOKS + 1)).next_multiple_of(round))
        .collect();
    let (mut done, mut seen) = (0, Vec::new());
    for until in looks {
        while done < until.max(round) {
            let way = WAYS[done % WAYS.len()];
            batch(&mut backend, &jobs, done / WAYS.len(), way)
                .with_context(|| format!("batch {done}"))?;
            done += 1;
        }
        let look = (Usage::now()?, backend.allocated_memory()?);
        print(done, &look);
        seen.push(look);
    }
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
        anyhow::bail!("nothing was looked at");
    };
    let growth = last.0.since(&first.0);
    let found = format!("{done} batches right; {growth}; {}", described(&last.1));
    let flat = growth.is_within(most) && last.1 == first.1;
    let promise = format!(
        "{count} batches in one process: resident memory grows by {} MiB at most, all else not at all",
        most >> 20
    );
    Ok(finding(flat, &promise, &found))
}

/// Sizes at and around workgroups and chunks, and the largest.
fn jobs(elements: usize) -> Vec<Job> {
    let sizes = [1, 127, 1_000, 4_097, 20_000, elements];
    let sizes = sizes.into_iter().filter(|size| *size <= elements);
    sizes
        .zip(1..)
        .map(|(size, seed)| {
            let operands = Operands::random(size, seed);
            let sums = operands.results(reference::add);
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
        Way::HostBuffers(path) => vec![over_host_buffers(backend, job, path)?; copies],
    };
    ensure!(results.len() == copies, "{} results", results.len());
    let right = results.iter().all(|result| *result == job.sums);
    ensure!(right, "wrong sums of {elements} elements");
    Ok(())
}

/// In buffers that are made for it and dropped.
fn over_host_buffers(
    backend: &mut PersistentVulkanBackend,
    job: &Job,
    path: TransferPath,
) -> anyhow::Result<Vec<u64>> {
    let elements = job.operands.elements();
    let mut a = backend.host_buffer(elements)?;
    let mut b = backend.host_buffer(elements)?;
    let mut out = backend.host_buffer(elements)?;
    a.copy_from_slice(&job.operands.a);
    b.copy_from_slice(&job.operands.b);
    let (spirv, path) = (backend.field_add_spirv(), PathChoice::Fixed(path));
    backend.run_field_add_host_on(spirv, &a, &b, &mut out, path)?;
    Ok(out.to_vec())
}

pub(crate) fn print(done: usize, (usage, allocated): &(Usage, AllocatedMemory)) {
    println!("{done:>6} batches: {usage}; {}", described(allocated));
}

pub(crate) fn described(allocated: &AllocatedMemory) -> String {
    format!(
        "allocated: {} buffers of {} KiB in {} blocks of {} KiB",
        allocated.buffers,
        allocated.buffer_bytes / 1024,
        allocated.blocks,
        allocated.block_bytes / 1024
    )
}
