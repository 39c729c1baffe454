//! Every kernel of the library on every path that the device has, against the
//! reference.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use field_kernels::Fp;
use gpu_executor::kernels::{KERNELS, Kernel};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, PathChoice, TransferPath};
use gpu_executor_soak::finding;
use gpu_executor_soak::operands::Operands;

use crate::oracle;

/// Elements of a workgroup of the library's kernels.
const WORKGROUP: usize = 128;
/// How the elements reach the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Sequential,
    Pipelined,
    HostBuffers,
}

const WAYS: [Way; 3] = [Way::Sequential, Way::Pipelined, Way::HostBuffers];

/// All pairs of edge elements in one job, on every kernel, path and way.
pub(crate) fn edges() -> anyhow::Result<bool> {
    let (a, b) = oracle::edge_pairs::<Fp>();
    let (a, b) = (a.into_flattened(), b.into_flattened());
    let operands = Operands { a, b };
    let mut count = Count::default();
    for path in TransferPath::ALL {
        let mut on = OnPath::new(path, 5_000)?;
        on.compare(&operands, &mut count)?;
    }
    let promise = "every kernel and path agrees with the reference on all pairs of edge elements";
    Ok(finding(count.runs > 0, promise, &count.to_string()))
}

/// Sizes around workgroups and chunks, for each of `chunks`.
pub(crate) fn boundaries(chunks: &[usize], seed: u64) -> anyhow::Result<bool> {
    let mut count = Count::default();
    for &chunk in chunks {
        for path in TransferPath::ALL {
            let mut on = OnPath::new(path, chunk)?;
            for elements in sizes(chunk) {
                on.compare(&Operands::random(elements, seed), &mut count)?;
            }
        }
    }
    let promise = format!(
        "every kernel and path agrees with the reference around workgroups and chunks of {chunks:?}"
    );
    Ok(finding(count.runs > 0, &promise, &count.to_string()))
}

/// Around nothing, a workgroup, one chunk, two, and one and a workgroup; and
/// one between, with its neighbours.
fn sizes(chunk: usize) -> BTreeSet<usize> {
    let between = chunk + chunk / 3;
    let middles = [1, WORKGROUP, chunk, chunk + WORKGROUP, 2 * chunk, between];
    middles
        .into_iter()
        .flat_map(|middle| middle - 1..=middle + 1)
        .collect()
}

/// How much was compared.
#[derive(Default)]
struct Count {
    runs: usize,
    elements: usize,
    kernels: BTreeSet<&'static str>,
    paths: BTreeSet<String>,
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: Vec<&str>| names.join(", ");
        write!(
            f,
            "{} runs, {} elements; kernels {}; paths {}; sequential, pipelined, host buffers",
            self.runs,
            self.elements,
            list(self.kernels.iter().copied().collect()),
            list(self.paths.iter().map(String::as_str).collect()),
        )
    }
}

/// A backend that takes one path.
struct OnPath {
    backend: PersistentVulkanBackend,
    path: TransferPath,
}

impl OnPath {
    fn new(path: TransferPath, chunk: usize) -> anyhow::Result<Self> {
        let builder = PersistentVulkanBackend::builder()
            .cache(Cache::Off)
            .path(PathChoice::Fixed(path))
            .chunk_elements(chunk);
        Ok(Self {
            backend: builder.build()?,
            path,
        })
    }

    /// Runs `operands` in every way with every kernel that the device has what
    /// it takes for; nothing on a path that it has not.
    fn compare(&mut self, operands: &Operands, count: &mut Count) -> anyhow::Result<()> {
        let features = &self.backend.device().features;
        let int64 = features.shader_int64;
        if !self.path.is_usable(self.backend.device()) {
            return Ok(());
        }
        for kernel in KERNELS.iter().copied() {
            if kernel.needs_shader_int64 && !int64 {
                continue;
            }
            let expected = operands.results(kernel.reference);
            for way in WAYS {
                // Host buffers have no third path.
                if way == Way::HostBuffers && self.path == TransferPath::Bar {
                    continue;
                }
                let what = format!(
                    "{}, {}, {way:?}, {} elements",
                    kernel.name,
                    self.path,
                    operands.elements()
                );
                let found = self.run(kernel, way, operands).context(what.clone())?;
                let wrong = first_difference(&found, &expected);
                ensure!(wrong.is_none(), "{what}: wrong from limb {wrong:?}");
                count.runs += 1;
                count.elements += operands.elements();
                count.kernels.insert(kernel.name);
                count.paths.insert(self.path.to_string());
            }
        }
        Ok(())
    }

    fn run(&mut self, kernel: &Kernel, way: Way, operands: &Operands) -> anyhow::Result<Vec<u64>> {
        let elements = operands.elements();
        let jobs = [(operands.a.as_slice(), operands.b.as_slice())];
        let backend = &mut self.backend;
        let results = match way {
            Way::Sequential => backend.run_field_add_batch(kernel.spirv, &jobs, elements, false)?,
            Way::Pipelined => {
                backend.run_field_add_batch_pipelined(kernel.spirv, &jobs, elements)?
            }
            Way::HostBuffers => {
                vec![operands.over_host_buffers(backend, kernel.spirv, self.path)?]
            }
        };
        results.into_iter().next().context("no result")
    }
}

/// The first limb that differs, or the shorter length.
fn first_difference(found: &[u64], expected: &[u64]) -> Option<usize> {
    match found.iter().zip(expected).position(|(a, b)| a != b) {
        None if found.len() != expected.len() => Some(found.len().min(expected.len())),
        first => first,
    }
}
