//! What a program does with the library while a fault is injected.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use field_kernels::{G1, G2};
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Calibration, Effort, PathChoice, TransferPath};

use super::jobs::{self, CHUNK};
use super::verdict::Promise;
use super::{blobs, points, vectors};
use crate::Pretence;

/// A program that runs under faults.
#[derive(Clone, Copy)]
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
    /// Whether its runs can be cut into smaller chunks where memory is short.
    pub can_halve: bool,
    /// Whether it begins with host buffers: one is made on the device that there is, and only a
    /// run opens a lost one anew.
    begins_with_buffers: bool,
    keeps: Keeps,
    settings: fn(Settings) -> Settings,
    work: Work,
}

type Settings = Builder<PersistentVulkanBackend>;

/// One run of the backend; whether its results are right. Each seed has its own operands, so
/// that old results pass for no new ones. The run after a failed one has seed 3.
type Work = fn(&mut PersistentVulkanBackend, u64) -> anyhow::Result<bool>;

/// What a scenario keeps in a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Nothing,
    Calibrations,
    /// Compiled pipelines, which a second backend then uses.
    Pipelines,
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

/// What does `work` on the device as it is, in chunks of [`CHUNK`] elements where it has any.
const fn scenario(name: &'static str, work: Work) -> Scenario {
    Scenario {
        name,
        pretence: AS_IT_IS,
        calls: &[],
        quick: true,
        places: false,
        shared: false,
        can_halve: false,
        begins_with_buffers: false,
        keeps: Keeps::Nothing,
        settings: |settings| settings.chunk_elements(CHUNK),
        work,
    }
}

const fn pipelined(name: &'static str) -> Scenario {
    let settings = |settings: Settings| {
        let path = PathChoice::Fixed(TransferPath::DeviceLocal);
        settings.path(path).chunk_elements(CHUNK).depth(2)
    };
    scenario(name, jobs::pipelined).halving().with(settings)
}

const fn host_buffers(name: &'static str) -> Scenario {
    // More chunks than are in flight, and nothing to halve.
    let settings = |settings: Settings| settings.chunk_elements(CHUNK / 4).depth(2);
    Scenario {
        begins_with_buffers: true,
        ..scenario(name, jobs::over_host_buffers).with(settings)
    }
}

/// Over vectors, with several dispatches a kernel.
const fn vectors(name: &'static str, work: Work) -> Scenario {
    scenario(name, work).with(|settings| settings.dispatch_elements(vectors::DISPATCH))
}

/// Likewise over points.
const fn points(name: &'static str, work: Work) -> Scenario {
    let settings = |settings: Settings| settings.dispatch_elements(points::DISPATCH);
    scenario(name, work).with(settings).of(POINT_CALLS)
}

impl Scenario {
    const fn on(mut self, pretence: Pretence) -> Self {
        self.pretence = pretence;
        self
    }

    const fn of(mut self, calls: &'static [&'static str]) -> Self {
        self.calls = calls;
        self
    }

    const fn with(mut self, settings: fn(Settings) -> Settings) -> Self {
        self.settings = settings;
        self
    }

    const fn keeping(mut self, keeps: Keeps) -> Self {
        self.keeps = keeps;
        self
    }

    const fn halving(mut self) -> Self {
        self.can_halve = true;
        self
    }

    const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    const fn for_places(mut self) -> Self {
        self.places = true;
        self
    }

    const fn long(mut self) -> Self {
        self.quick = false;
        self
    }
}

/// Every scenario.
pub const SCENARIOS: &[Scenario] = &[
    scenario("host-visible", |backend, seed| {
        jobs::in_turn(backend, seed, false)
    })
    .halving()
    .with(|settings| settings.timestamps(false).chunk_elements(CHUNK)),
    scenario("device-local", |backend, seed| {
        jobs::in_turn(backend, seed, true)
    })
    .halving()
    .keeping(Keeps::Pipelines),
    pipelined("pipelined"),
    host_buffers("host-buffers"),
    vectors("vectors", vectors::short).of(VECTOR_CALLS),
    pipelined("fences").on(FENCES),
    pipelined("incoherent").on(INCOHERENT).of(RANGES),
    host_buffers("incoherent-buffers").on(INCOHERENT).of(RANGES),
    pipelined("blocking").on(LAZY).of(&["vkWaitSemaphores"]),
    pipelined("blocking-fences")
        .on(LAZY_FENCES)
        .of(&["vkWaitForFences"]),
    host_buffers("blocking-buffers")
        .on(LAZY)
        .of(&["vkWaitSemaphores"]),
    vectors("vectors-fences", vectors::short)
        .on(FENCES)
        .of(FENCE_CALLS),
    vectors("incoherent-vectors", vectors::short)
        .on(INCOHERENT)
        .of(RANGES),
    vectors("blocking-vectors", vectors::short)
        .on(LAZY)
        .of(&["vkWaitSemaphores"]),
    scenario("long-vectors", vectors::long)
        .of(LONG_VECTOR_CALLS)
        .long(),
    vectors("host-transforms", vectors::from_host_to_host).of(BATCH_CALLS),
    // "vectors" makes these calls too, with every result.
    points("points", points::on::<G1>).for_places(),
    points("points-of-g2", points::on::<G2>).long(),
    scenario("cells", blobs::cells).of(BATCH_CALLS),
    scenario("commitments", blobs::commitments)
        .of(&["vkQueueSubmit"])
        .long(),
    scenario("calibrating", |backend, seed| {
        backend.calibrate(Effort::BRIEF)?;
        jobs::pipelined(backend, seed)
    })
    .halving()
    .keeping(Keeps::Calibrations)
    .with(|settings| settings.calibration(Calibration::Stored))
    .long(),
    pipelined("shared")
        .shared()
        .of(&["vkCreateDevice", "vkQueueSubmit"]),
    pipelined("shared-pipelined").shared().long(),
    vectors("shared-vectors", vectors::short).shared().long(),
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

/// Scenarios that break a promise each after an error: what shows that the sweep would see it.
pub const PLANTED: &[(Scenario, Promise)] = &[
    (
        planted("planted-lie", |it, seed| {
            jobs::one_job(it, seed).or(Ok(false))
        }),
        Promise::NoFalseSuccess,
    ),
    (planted("planted-leak", jobs::leak), Promise::NoLeak),
    (
        planted("planted-shared-leak", jobs::leak).shared(),
        Promise::NoLeak,
    ),
    (
        planted("planted-silence", |it, seed| {
            jobs::one_job(it, seed).map_err(|_| anyhow!("something went wrong"))
        }),
        Promise::TypedError,
    ),
    (
        planted("planted-refusal", jobs::refuse),
        Promise::NextCallWorks,
    ),
    (
        planted("planted-crash", |it, seed| {
            jobs::one_job(it, seed).map_err(|_| std::process::abort())
        }),
        Promise::NoCrash,
    ),
];

const fn planted(name: &'static str, work: Work) -> Scenario {
    scenario(name, work).halving()
}

impl Scenario {
    /// The scenario of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        let planted = PLANTED.iter().map(|(scenario, _)| scenario);
        let mut all = SCENARIOS.iter().chain(planted);
        all.find(|scenario| scenario.name == name)
    }

    /// Makes a backend and runs twice with it, what is kept being in
    /// `folder`; one that keeps pipelines then does so with another one. Says whether
    /// every result was right, and gives back the backend that there is.
    pub fn run(
        &self,
        folder: &Path,
        timeout: Duration,
    ) -> (Option<PersistentVulkanBackend>, anyhow::Result<bool>) {
        let first = self.backend_and_runs(folder, timeout);
        match (&first.1, self.keeps) {
            (Ok(true), Keeps::Pipelines) => {
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

    fn builder(&self, folder: &Path, timeout: Duration) -> Settings {
        let cache = match self.keeps {
            Keeps::Nothing => Cache::Off,
            Keeps::Calibrations | Keeps::Pipelines => Cache::Folder(folder.to_owned()),
        };
        let common = PersistentVulkanBackend::builder()
            .cache(cache)
            .threads(2)
            .timestamps(true)
            .calibration(Calibration::Off)
            .timeout(timeout);
        (self.settings)(common)
    }

    /// What a program does after the loss of the device before it goes on.
    ///
    /// # Errors
    /// What the library returned.
    pub fn reopen(&self, backend: &mut PersistentVulkanBackend) -> anyhow::Result<bool> {
        match self.begins_with_buffers {
            true => jobs::one_job(backend, 4),
            false => Ok(true),
        }
    }

    /// One run of the backend; whether its results are right.
    ///
    /// # Errors
    /// What the library returned.
    pub fn work(&self, backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
        (self.work)(backend, seed)
    }
}
