//! Programs on a Vulkan device.

mod chain;
mod choice;
mod dispatch;
mod flight;
mod host_transform;
mod kept;
mod kernels;
mod pieces;
mod settle;
mod steps;
#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex};

use field_kernels::chain::MOST_PRODUCTS;
use field_kernels::{Arithmetic, ElementId, ElementType as _, Fr};
use vk_core::{Device, DeviceCaps, DeviceKind, WaitPolicy, lock};
use vk_mem_paths::{
    Downloads, ElementFormat, Lane, Storage, StoragePool, ThreadPool, Uploads, most_dispatched,
};

use super::families::Transform;
use super::plan::{Fusion, Stage};
use super::program::Program;
use super::runner::{Begun, ComeDown, Did, Runner, internal};
use super::tables::{TableKey, Tables};
use super::value::Stored;
use crate::calibration::{ChosenBy, Keeper};
use crate::device::{Asked, OpenDevice, noting_loss};
use crate::{Engine, Error};

pub(crate) use choice::{Choice, FieldChoice, runs};
pub(crate) use dispatch::{Window, count};
use flight::DeviceFlight;
pub(crate) use kernels::Kernels;
pub(crate) use pieces::PART;
use settle::Chosen;
pub(crate) use steps::Steps;
#[cfg(test)]
pub(crate) use tests::{engine_on, runner_on};

/// The most operations of one kernel.
const MOST_OPERATIONS: usize = 32;

/// Points from which on a device is sooner done with checks and decoding than the host's
/// threads. An H200 takes 9 ms for checks of 1,024 points of G1 as of 4,096, and the 16 threads
/// beside it 6 and 23 ms (docs/benchmarks.md).
const LEAST_POINTS: usize = 2048;

/// Runs programs on one device.
pub(crate) struct VulkanRunner {
    on: Arc<OnDevice>,
    chosen: Mutex<Chosen>,
    /// Whether it goes by any, right or not, and reports none: what others submit meanwhile goes
    /// by what was chosen.
    is_trial: bool,
}

/// What runners on one device share: its lane and kernels. The ways to and from the host
/// have locks of their own: whoever waits for a download keeps nobody from submitting.
struct OnDevice {
    // A panic leaves a lane with frames, and a way with pieces, that it knows of, as an error does.
    inner: Arc<Mutex<Inner>>,
    uploads: Mutex<Uploads>,
    downloads: Mutex<Downloads>,
    device: Arc<Device>,
    pool: Arc<StoragePool>,
    tables: DeviceTables,
    wait: WaitPolicy,
    fusion: Fusion,
    settings: VulkanSettings,
}

/// What a device's vectors are set up with.
#[derive(Clone, Debug)]
pub(super) struct VulkanSettings {
    /// 0 for one per core.
    pub(super) threads: usize,
    /// Elements of one dispatch at most, beside what the device's limits say.
    pub(super) dispatch: Option<usize>,
    /// What of the choice of kernels is not the library's.
    pub(super) asked: Asked,
    pub(super) keeper: Keeper,
}

pub(super) struct Inner {
    pub(super) lane: Lane,
    pub(super) kernels: Kernels,
}

impl VulkanRunner {
    /// On the device of `open`, whose memory `lane` has: with the kernels that a calibration
    /// found, else those of the rule.
    ///
    /// # Errors
    /// [`vk_core::Error::Unsupported`] for an arithmetic that was asked for and that the
    /// device lacks or gets wrong, else what the device returned.
    pub(crate) fn open(open: &OpenDevice, lane: Lane) -> Result<Self, Error> {
        let (caps, asked) = (open.caps(), open.settings.kernels);
        let keeper = open.keeper(ThreadPool::size(0));
        let (choice, by) = match open.kept::<Choice>(&keeper) {
            Some(kept) => (kept.found, kept.chosen_by()),
            None => (Choice::of(caps), ChosenBy::Rule),
        };
        let settings = VulkanSettings {
            threads: open.settings.transfer.threads,
            dispatch: open.settings.dispatch,
            asked,
            keeper,
        };
        let chosen = Chosen::new(asked.over(choice, caps)?, by);
        let kernels = Kernels::new(&open.compiler, Arc::clone(&open.kernels), chosen.choice());
        let runner = Self::new(lane, kernels, chosen, settings);
        if asked.arithmetic == Some(Arithmetic::F64) {
            // Not every device gets it right, and whoever asks for it hears it at once.
            runner.settle_now()?;
        }
        Ok(runner)
    }

    /// With those of `kernels` that `chosen` says.
    fn new(lane: Lane, kernels: Kernels, chosen: Chosen, settings: VulkanSettings) -> Self {
        let (uploads, downloads) = lane.transfers();
        let device = Arc::clone(lane.device());
        let buffers = device.caps().limits.max_storage_buffers as usize;
        let on = OnDevice {
            pool: Arc::clone(lane.pool()),
            tables: DeviceTables::new(),
            wait: lane.wait_policy(),
            fusion: Fusion {
                buffers,
                operations: MOST_OPERATIONS,
                products: MOST_PRODUCTS,
            },
            inner: Arc::new(Mutex::new(Inner { lane, kernels })),
            uploads: Mutex::new(uploads),
            downloads: Mutex::new(downloads),
            device,
            settings,
        };
        Self {
            on: Arc::new(on),
            chosen: Mutex::new(chosen),
            is_trial: false,
        }
    }

    /// One that goes by `choice` on the same device, until another is chosen.
    fn trial(&self, choice: Choice) -> Arc<Self> {
        Arc::new(Self {
            on: Arc::clone(&self.on),
            chosen: Mutex::new(Chosen::new(choice, ChosenBy::Rule)),
            is_trial: true,
        })
    }

    pub(crate) fn caps(&self) -> &DeviceCaps {
        self.on.device.caps()
    }
}

impl OnDevice {
    /// Runs a program with the kernels of `choice`.
    fn run(&self, choice: Choice, mut program: Program, stages: &[Stage]) -> Result<Begun, Error> {
        self.device.expect_usable()?;
        // Not where another thread uploads: nobody waits for that here.
        if let Ok(mut uploads) = self.uploads.try_lock() {
            uploads.let_go();
        }
        let mut inner = lock(&self.inner);
        let Inner { lane, kernels } = &mut *inner;
        kernels.choose(choice);
        // What a program that failed had made is not this one's.
        kernels.take_compiling();
        let chunk = self.settings.dispatch;
        let inputs = std::mem::take(&mut program.inputs);
        let memory = (self.pool.for_batch(), &self.tables);
        let mut steps = Steps::new(&program, stages, inputs, memory, kernels, chunk)?;
        steps.add_all()?;
        let (reads, stored) = steps.finish()?;
        // SAFETY: the steps' modules are this library's, which stay inside the
        // elements that their constants name, and `Steps` names the regions of
        // those elements; operations come from this device's kernels. `steps` has their
        // memory.
        let submitted = unsafe { lane.submit(&steps.steps, &reads)? };
        // Whoever uses them is submitted later.
        for (key, table) in steps.tables {
            self.tables.keep(key, table);
        }
        Ok(Begun {
            stored,
            did: Did {
                kernels: steps.kernel_count,
                compile: steps.kernels.take_compiling(),
                choice: None,
            },
            flight: Arc::new(DeviceFlight {
                inner: Arc::clone(&self.inner),
                submitted,
                readbacks: steps.readbacks,
                wait: self.wait,
            }),
        })
    }
}

/// Tables in device memory, with the arithmetic that made them: that of a trial may be
/// wrong.
type DeviceTables = Tables<(TableKey, Arithmetic), Storage>;

/// Whether an error says that there is no device memory left.
fn is_full(error: &vk_mem_paths::Error) -> bool {
    error.is_out_of_device_memory()
}

impl Runner for VulkanRunner {
    fn engine(&self) -> Engine {
        Engine::Vulkan {
            device: self.caps().name.clone(),
            driver: self.caps().driver.clone(),
        }
    }

    fn fusion(&self) -> Fusion {
        self.on.fusion
    }

    fn most_bound(&self, of: ElementId) -> usize {
        most_dispatched(self.caps(), of.bytes(), usize::MAX)
    }

    fn upload(&self, parts: &[&[u8]], element: ElementFormat) -> Result<Stored, Error> {
        let on = &*self.on;
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if bytes == 0 {
            return Ok(Stored::Nowhere);
        }
        on.device.expect_alive()?;
        let mut uploads = lock(&on.uploads);
        uploads.let_go();
        let take = || on.pool.take(bytes.next_multiple_of(element.bytes));
        let storage = on.tables.make_room(is_full, take).map_err(Error::from);
        let storage = noting_loss(&on.device, storage)?;
        let uploaded = uploads.upload(&storage, parts, element);
        noting_loss(&on.device, uploaded.map_err(Error::from))?;
        Ok(Stored::Device(Arc::new(storage)))
    }

    fn download(
        &self,
        stored: &Stored,
        first: usize,
        out: &mut [MaybeUninit<u8>],
    ) -> Result<(), Error> {
        let on = &*self.on;
        if out.is_empty() {
            return Ok(());
        }
        // Before any lock: see `vk_core::Process`.
        on.device.expect_alive()?;
        let Stored::Device(storage) = stored else {
            return Err(internal("elements in device memory"));
        };
        let bytes = first..first + out.len();
        let downloaded = lock(&on.downloads).download(storage, bytes, out);
        noting_loss(&on.device, downloaded.map_err(Error::from))
    }

    fn run(&self, program: Program, stages: Vec<Stage>) -> Result<Begun, Error> {
        let on = &*self.on;
        on.device.expect_usable()?;
        let settled = noting_loss(&on.device, self.settled(&program, &stages));
        let (choice, report, compile) = settled?;
        let begun = on.run(choice, program, &stages);
        let mut begun = noting_loss(&on.device, begun)?;
        begun.did.compile += compile;
        begun.did.choice = report;
        Ok(begun)
    }

    fn transform(
        &self,
        row: &[u8],
        element: ElementFormat,
        transform: &Transform,
    ) -> Result<Option<ComeDown<'_>>, Error> {
        let on = &*self.on;
        on.device.expect_usable()?;
        let choice = noting_loss(&on.device, self.settled_in(Fr::ID))?;
        let begun = on.go_up(choice, row, element, transform);
        let begun = noting_loss(&on.device, begun)?;
        Ok(begun.map(|begun| -> ComeDown<'_> {
            Box::new(|out| noting_loss(&on.device, on.come_down(begun, out)))
        }))
    }

    fn on_host(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<(), Error> {
        // Those that copy have a lock that copies wait for.
        let mut threads = ThreadPool::new(self.on.settings.threads)?;
        threads.run(count, task);
        Ok(())
    }

    fn is_for_points(&self, points: usize) -> bool {
        points >= LEAST_POINTS && self.caps().kind != DeviceKind::Software
    }

    fn trim(&self) -> usize {
        let on = &*self.on;
        if on.device.is_inherited() {
            return 0;
        }
        lock(&on.uploads).let_go();
        on.tables.let_go();
        on.pool.trim()
    }

    fn calibrate(&self) -> Result<(), Error> {
        self.measure()
    }
}
