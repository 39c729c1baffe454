//! What a program does with the library while a fault is injected.

use std::path::Path;
use std::time::Duration;

use field_kernels::edge::random_elements;
use field_kernels::{Fp, G1, G2, arithmetic};
use gpu_executor::FieldAdd;
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{
    Cache, Calibration, Effort, Error, PathChoice, TransferPath, VulkanError, WaitPolicy,
};

use super::verdict::Promise;
use super::{blobs, points, vectors};
use crate::Pretence;

/// A program that runs under faults.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What the device looks like to it.
    pub pretence: Pretence,
    /// The calls that it is there to see fail; all where there is none.
    pub calls: &'static [&'static str],
    /// Whether it runs in the short form of the sweep too.
    pub quick: bool,
    /// Whether it is there for places where calls are made, and not for their results: the
    /// short form then tries one result of each call, and others' scenarios all.
    pub places: bool,
    /// Whether its device is the one that a process shares. That is made once, and neither
    /// it nor what is kept for all who share it is ever destroyed.
    pub shared: bool,
    kind: Kind,
    /// Whether compiled pipelines are kept, and a second backend uses them.
    cached: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    HostVisible,
    DeviceLocal,
    Pipelined,
    HostBuffers,
    Vectors,
    LongVectors,
    HostTransforms,
    PointsOfG1,
    PointsOfG2,
    Cells,
    Commitments,
    Calibrating,
    Planted(Mistake),
}

/// What a planted scenario does wrong after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// It passes wrong results off as right ones.
    Lie,
    /// It keeps a backend for ever that has run.
    Leak,
    /// It says nothing of what happened.
    Silence,
    /// It fails for ever after.
    Refusal,
    /// It takes the process with it.
    Crash,
}

const AS_IT_IS: Pretence = Pretence {
    no_timelines: false,
    incoherent: false,
    lazy: false,
};
const FENCES: Pretence = Pretence {
    no_timelines: true,
    ..AS_IT_IS
};
const INCOHERENT: Pretence = Pretence {
    incoherent: true,
    ..AS_IT_IS
};
const LAZY: Pretence = Pretence {
    lazy: true,
    ..AS_IT_IS
};
const LAZY_FENCES: Pretence = Pretence {
    no_timelines: true,
    ..LAZY
};

const fn scenario(name: &'static str, kind: Kind) -> Scenario {
    Scenario {
        name,
        pretence: AS_IT_IS,
        calls: &[],
        quick: true,
        places: false,
        shared: false,
        kind,
        cached: false,
    }
}

impl Scenario {
    const fn on(self, pretence: Pretence) -> Self {
        Self { pretence, ..self }
    }

    const fn of(self, calls: &'static [&'static str]) -> Self {
        Self { calls, ..self }
    }

    const fn shared(self) -> Self {
        Self {
            shared: true,
            ..self
        }
    }

    const fn for_places(self) -> Self {
        Self {
            places: true,
            ..self
        }
    }

    const fn long(self) -> Self {
        Self {
            quick: false,
            ..self
        }
    }

    const fn cached(self) -> Self {
        Self {
            cached: true,
            ..self
        }
    }
}

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    scenario("host-visible", Kind::HostVisible),
    scenario("device-local", Kind::DeviceLocal).cached(),
    scenario("pipelined", Kind::Pipelined),
    scenario("host-buffers", Kind::HostBuffers),
    scenario("vectors", Kind::Vectors).of(VECTOR_CALLS),
    scenario("fences", Kind::Pipelined).on(FENCES),
    scenario("incoherent", Kind::Pipelined)
        .on(INCOHERENT)
        .of(RANGES),
    scenario("incoherent-buffers", Kind::HostBuffers)
        .on(INCOHERENT)
        .of(RANGES),
    scenario("blocking", Kind::Pipelined)
        .on(LAZY)
        .of(&["vkWaitSemaphores"]),
    scenario("blocking-fences", Kind::Pipelined)
        .on(LAZY_FENCES)
        .of(&["vkWaitForFences"]),
    scenario("blocking-buffers", Kind::HostBuffers)
        .on(LAZY)
        .of(&["vkWaitSemaphores"]),
    scenario("vectors-fences", Kind::Vectors)
        .on(FENCES)
        .of(FENCE_CALLS),
    scenario("incoherent-vectors", Kind::Vectors)
        .on(INCOHERENT)
        .of(RANGES),
    scenario("blocking-vectors", Kind::Vectors)
        .on(LAZY)
        .of(&["vkWaitSemaphores"]),
    scenario("long-vectors", Kind::LongVectors)
        .of(LONG_VECTOR_CALLS)
        .long(),
    scenario("host-transforms", Kind::HostTransforms).of(BATCH_CALLS),
    // "vectors" makes these calls too, with every result.
    scenario("points", Kind::PointsOfG1)
        .of(POINT_CALLS)
        .for_places(),
    scenario("points-of-g2", Kind::PointsOfG2)
        .of(POINT_CALLS)
        .long(),
    scenario("cells", Kind::Cells).of(BATCH_CALLS),
    scenario("commitments", Kind::Commitments)
        .of(&["vkQueueSubmit"])
        .long(),
    scenario("calibrating", Kind::Calibrating).long(),
    scenario("shared", Kind::Pipelined)
        .shared()
        .of(&["vkCreateDevice", "vkQueueSubmit"]),
    scenario("shared-pipelined", Kind::Pipelined)
        .shared()
        .long(),
    scenario("shared-vectors", Kind::Vectors).shared().long(),
];

const RANGES: &[&str] = &[
    "vkFlushMappedMemoryRanges",
    "vkInvalidateMappedMemoryRanges",
];
const FENCE_CALLS: &[&str] = &["vkGetFenceStatus", "vkCreateFence", "vkResetFences"];

/// Of the rest nothing depends on the length.
const LONG_VECTOR_CALLS: &[&str] = &[
    "vkCreateBuffer",
    "vkAllocateMemory",
    "vkMapMemory",
    "vkCreateCommandPool",
    "vkAllocateCommandBuffers",
    "vkBeginCommandBuffer",
    "vkEndCommandBuffer",
    "vkQueueSubmit",
    "vkGetSemaphoreCounterValue",
];

/// What vectors call by themselves; the rest is called as in the other scenarios.
const VECTOR_CALLS: &[&str] = &[
    "vkAllocateCommandBuffers",
    "vkAllocateDescriptorSets",
    "vkAllocateMemory",
    "vkBeginCommandBuffer",
    "vkCreateBuffer",
    "vkCreateCommandPool",
    "vkCreateComputePipelines",
    "vkCreateDescriptorPool",
    "vkCreateDescriptorSetLayout",
    "vkCreateQueryPool",
    "vkEndCommandBuffer",
    "vkGetQueryPoolResults",
    "vkGetSemaphoreCounterValue",
    "vkMapMemory",
    "vkQueueSubmit",
    "vkResetCommandBuffer",
];

/// What takes other arguments, or comes more often, for each kernel and each step.
const POINT_CALLS: &[&str] = &[
    "vkAllocateDescriptorSets",
    "vkAllocateMemory",
    "vkCreateBuffer",
    "vkCreateComputePipelines",
    "vkCreateDescriptorPool",
    "vkQueueSubmit",
];

/// Where memory and submissions are; the rest comes as in other scenarios.
const BATCH_CALLS: &[&str] = &[
    "vkAllocateMemory",
    "vkBeginCommandBuffer",
    "vkGetSemaphoreCounterValue",
    "vkQueueSubmit",
];

/// Scenarios that break a promise each: what shows that the sweep would see it.
pub const PLANTED: &[(Scenario, Promise)] = &[
    (
        planted("planted-lie", Mistake::Lie),
        Promise::NoFalseSuccess,
    ),
    (planted("planted-leak", Mistake::Leak), Promise::NoLeak),
    (
        planted("planted-shared-leak", Mistake::Leak).shared(),
        Promise::NoLeak,
    ),
    (
        planted("planted-silence", Mistake::Silence),
        Promise::TypedError,
    ),
    (
        planted("planted-refusal", Mistake::Refusal),
        Promise::NextCallWorks,
    ),
    (planted("planted-crash", Mistake::Crash), Promise::NoCrash),
];

const fn planted(name: &'static str, mistake: Mistake) -> Scenario {
    scenario(name, Kind::Planted(mistake))
}

/// Elements of a job, and of a chunk: several chunks a run, each of which the
/// library would halve twice before it gives up.
const ELEMENTS: usize = 5000;
const CHUNK: usize = 4096;
const JOBS: usize = 2;

impl Scenario {
    /// The scenario of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        let planted = PLANTED.iter().map(|(scenario, _)| scenario);
        let mut all = SCENARIOS.iter().chain(planted);
        all.find(|scenario| scenario.name == name)
    }

    /// Whether its runs can be cut into smaller chunks where memory is short.
    #[must_use]
    pub fn can_halve(&self) -> bool {
        match self.kind {
            Kind::HostVisible | Kind::DeviceLocal | Kind::Pipelined => true,
            Kind::Calibrating | Kind::Planted(_) => true,
            Kind::HostBuffers | Kind::Vectors | Kind::LongVectors => false,
            Kind::HostTransforms => false,
            Kind::PointsOfG1 | Kind::PointsOfG2 => false,
            Kind::Cells | Kind::Commitments => false,
        }
    }

    /// Makes a backend and runs twice with it, what is kept being in
    /// `folder`; a cached scenario then does so with another one. Says whether
    /// every result was right, and gives back the backend that there is.
    pub fn run(
        &self,
        folder: &Path,
        timeout: Duration,
    ) -> (Option<PersistentVulkanBackend>, anyhow::Result<bool>) {
        let first = self.backend_and_runs(folder, timeout);
        match (&first.1, self.cached) {
            (Ok(true), true) => {
                drop(first);
                self.backend_and_runs(folder, timeout)
            }
            _ => first,
        }
    }

    fn backend_and_runs(
        &self,
        folder: &Path,
        timeout: Duration,
    ) -> (Option<PersistentVulkanBackend>, anyhow::Result<bool>) {
        let mut backend = match self.builder(folder, timeout).build() {
            Ok(backend) => backend,
            Err(error) => return (None, Err(error.into())),
        };
        let mut result = self.work(&mut backend, 1);
        if let Ok(true) = result {
            result = self.work(&mut backend, 2);
        }
        (Some(backend), result)
    }

    fn builder(&self, folder: &Path, timeout: Duration) -> Builder<PersistentVulkanBackend> {
        let cache = match self.cached || self.kind == Kind::Calibrating {
            true => Cache::Folder(folder.to_owned()),
            false => Cache::Off,
        };
        let builder = PersistentVulkanBackend::builder()
            .cache(cache)
            .threads(2)
            .timestamps(self.kind != Kind::HostVisible)
            .wait(WaitPolicy {
                timeout,
                ..WaitPolicy::default()
            });
        match self.kind {
            Kind::Calibrating => builder,
            Kind::Pipelined => builder
                .calibration(Calibration::Off)
                .path(PathChoice::Fixed(TransferPath::DeviceLocal))
                .chunk_elements(CHUNK)
                .depth(2),
            // More chunks than are in flight, and nothing to halve.
            Kind::HostBuffers => builder
                .calibration(Calibration::Off)
                .chunk_elements(CHUNK / 4)
                .depth(2),
            // Several dispatches a kernel.
            Kind::Vectors | Kind::HostTransforms => builder
                .calibration(Calibration::Off)
                .dispatch_elements(vectors::DISPATCH),
            Kind::PointsOfG1 | Kind::PointsOfG2 => builder
                .calibration(Calibration::Off)
                .dispatch_elements(points::DISPATCH),
            Kind::Cells | Kind::Commitments => builder.calibration(Calibration::Off),
            _ => builder.calibration(Calibration::Off).chunk_elements(CHUNK),
        }
    }

    /// What a program does after the loss of the device before it goes on. A
    /// host buffer is made on the device that there is, and only a run opens
    /// it anew.
    ///
    /// # Errors
    /// What the library returned.
    pub fn reopen(&self, backend: &mut PersistentVulkanBackend) -> anyhow::Result<bool> {
        match self.kind {
            Kind::HostBuffers => one_job(backend, 4),
            _ => Ok(true),
        }
    }

    /// One run of the backend; whether its results are right. Each seed has
    /// its own operands, so that old results pass for no new ones.
    ///
    /// # Errors
    /// What the library returned.
    pub fn work(&self, backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
        if let Kind::Planted(mistake) = self.kind {
            return after_mistake(mistake, one_job(backend, seed), seed);
        }
        match self.kind {
            Kind::HostBuffers => return over_host_buffers(backend, seed),
            Kind::Vectors => return vectors::short(backend, seed),
            Kind::LongVectors => return vectors::long(backend, seed),
            Kind::HostTransforms => return vectors::from_host_to_host(backend, seed),
            Kind::PointsOfG1 => return points::on::<G1>(backend, seed),
            Kind::PointsOfG2 => return points::on::<G2>(backend, seed),
            Kind::Cells => return blobs::cells(backend, seed),
            Kind::Commitments => return blobs::commitments(backend, seed),
            Kind::Calibrating => {
                backend.calibrate(Effort::BRIEF)?;
            }
            _ => {}
        }
        let operands: Vec<_> = (0..JOBS as u64)
            .map(|job| {
                let seed = 100 * seed + 2 * job;
                (elements(seed), elements(seed + 1))
            })
            .collect();
        let jobs: Vec<_> = operands
            .iter()
            .map(|(a, b)| (a.as_slice(), b.as_slice()))
            .collect();
        let spirv = backend.field_add_spirv();
        let results = match self.kind {
            Kind::HostVisible => backend.run_field_add_batch(spirv, &jobs, ELEMENTS, false)?,
            Kind::DeviceLocal => backend.run_field_add_batch(spirv, &jobs, ELEMENTS, true)?,
            _ => backend.run_field_add_batch_pipelined(spirv, &jobs, ELEMENTS)?,
        };
        let right = jobs.iter().map(|(a, b)| sums(a, b));
        Ok(right.eq(results))
    }
}

/// What a planted scenario makes of `result`. The run after a failed one has
/// seed 3.
fn after_mistake(
    mistake: Mistake,
    result: anyhow::Result<bool>,
    seed: u64,
) -> anyhow::Result<bool> {
    if mistake == Mistake::Refusal && seed == 3 {
        let call = "vkQueueSubmit";
        return Err(Error::from(VulkanError::OutOfHostMemory { call }).into());
    }
    match (mistake, result) {
        (Mistake::Lie, Err(_)) => Ok(false),
        (Mistake::Silence, Err(_)) => Err(anyhow::anyhow!("something went wrong")),
        (Mistake::Leak, Err(error)) => {
            let mut backend = PersistentVulkanBackend::builder()
                .cache(Cache::Off)
                .build()?;
            one_job(&mut backend, seed)?;
            std::mem::forget(backend);
            Err(error)
        }
        (Mistake::Crash, Err(_)) => std::process::abort(),
        (_, result) => result,
    }
}

fn one_job(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let (a, b) = (elements(seed), elements(seed + 100));
    let spirv = backend.field_add_spirv();
    let sum = backend.run_field_add(spirv, &a, &b, ELEMENTS, false)?;
    Ok(sum == sums(&a, &b))
}

fn over_host_buffers(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let mut a = backend.host_buffer(ELEMENTS)?;
    let mut b = backend.host_buffer(ELEMENTS)?;
    let mut out = backend.host_buffer(ELEMENTS)?;
    let spirv = backend.field_add_spirv();
    for (number, path) in (0..).zip([TransferPath::HostVisible, TransferPath::DeviceLocal]) {
        let seed = 100 * seed + 2 * number;
        a.copy_from_slice(&elements(seed));
        b.copy_from_slice(&elements(seed + 1));
        let path = PathChoice::Fixed(path);
        backend.run_field_add_host_on(spirv, &a, &b, &mut out, path)?;
        if *out != *sums(&a, &b) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Random canonical elements, as limbs.
fn elements(seed: u64) -> Vec<u64> {
    random_elements::<Fp>(ELEMENTS, seed).into_flattened()
}

fn sums(a: &[u64], b: &[u64]) -> Vec<u64> {
    let pairs = a.as_chunks().0.iter().zip(b.as_chunks().0);
    pairs
        .flat_map(|(a, b)| arithmetic::add::<Fp>(a, b))
        .collect()
}
