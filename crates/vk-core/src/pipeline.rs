//! Compute pipelines, each made on a thread of its own.
//!
//! A driver's compiler can take minutes over one module, and no limit of Vulkan covers
//! it. On its own thread a caller can give up waiting; the thread then owns all that the
//! driver still uses, and what it makes is there for whoever asks for it again.

use std::ffi::{CStr, CString};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ash::vk;

use crate::error::VkContext;
use crate::kernel::SetLayout;
use crate::pipeline_cache::SharedPipelines;
use crate::{Device, Error};

/// What takes its time, in errors.
pub(crate) const COMPILER: &str = "the driver's compiler";

/// Has the driver make pipelines of one device, each within a limit.
pub struct Compiler {
    pipelines: SharedPipelines,
    limit: Duration,
    // The last module that a caller gave up on.
    overdue: Mutex<Option<Overdue>>,
}

impl Compiler {
    /// With the pipeline cache `pipelines`; `limit` says how long one module may take.
    #[must_use]
    pub fn new(pipelines: SharedPipelines, limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            pipelines,
            limit,
            overdue: Mutex::default(),
        })
    }

    pub(crate) fn pipelines(&self) -> &SharedPipelines {
        &self.pipelines
    }

    /// The pipeline of the module in `words`, whose entry point is `entry_point`.
    ///
    /// # Errors
    /// [`Error::Timeout`] where the driver's compiler takes longer than the limit, and
    /// [`Error::Busy`] while it is still at a module that an earlier call gave up on;
    /// [`Error::Thread`], else what the driver returned.
    ///
    /// # Safety
    /// The module is valid, has a compute entry point of this name, which uses no buffer
    /// outside of `set_layout` and no push constant past `push_constant_bytes`, and asks
    /// for nothing that the device lacks.
    pub(crate) unsafe fn compile(
        &self,
        set_layout: &Arc<SetLayout>,
        push_constant_bytes: u32,
        words: &[u32],
        entry_point: &CStr,
    ) -> Result<Pipeline, Error> {
        let same = |module: &Overdue| {
            Arc::ptr_eq(&module.set_layout, set_layout)
                && module.push_constant_bytes == push_constant_bytes
                && module.words == words
        };
        if let Some(made) = self.finished(same)? {
            return made;
        }
        let job = Job {
            pipeline: Pipeline::without_code(set_layout, push_constant_bytes)?,
            words: words.to_vec(),
            entry_point: entry_point.to_owned(),
            pipelines: self.pipelines.clone(),
        };
        let (sender, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new().name("gpu-executor-compiler".to_owned());
        let spawned = thread.spawn(move || {
            // SAFETY: this function's contract; the job owns what it names.
            let made = unsafe { job.compile() };
            // Where nobody is to ask for it any more, this drops what was made.
            let _ = sender.send(made);
        });
        spawned.map_err(|error| Error::Thread {
            purpose: COMPILER,
            detail: error.to_string(),
        })?;
        let after = self.limit;
        match receiver.recv_timeout(after) {
            Ok(made) => made,
            Err(RecvTimeoutError::Timeout) => {
                *self.overdue() = Some(Overdue {
                    set_layout: Arc::clone(set_layout),
                    push_constant_bytes,
                    words: words.to_vec(),
                    receiver,
                    after,
                });
                Err(Error::Timeout {
                    what: COMPILER,
                    after,
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(ended_early()),
        }
    }

    /// What became of the module that a caller gave up on, if it is the one that `same`
    /// names; another's is let go.
    ///
    /// # Errors
    /// [`Error::Busy`] while the driver's compiler is at it, whichever it is.
    fn finished(
        &self,
        same: impl FnOnce(&Overdue) -> bool,
    ) -> Result<Option<Result<Pipeline, Error>>, Error> {
        let mut overdue = self.overdue();
        let Some(module) = &*overdue else {
            return Ok(None);
        };
        let outcome = module.outcome()?;
        let asked = same(module);
        *overdue = None;
        Ok(asked.then_some(outcome))
    }

    fn overdue(&self) -> MutexGuard<'_, Option<Overdue>> {
        // Written as a whole, so a panic elsewhere left it whole.
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A compute pipeline and its layout.
pub(crate) struct Pipeline {
    raw: vk::Pipeline,
    layout: vk::PipelineLayout,
    set_layout: Arc<SetLayout>,
}

impl Pipeline {
    /// The pipeline's handle, for recording.
    pub(crate) fn raw(&self) -> vk::Pipeline {
        self.raw
    }

    /// The pipeline layout's handle, for recording.
    pub(crate) fn layout(&self) -> vk::PipelineLayout {
        self.layout
    }

    /// The layout of its descriptor sets.
    pub(crate) fn set_layout(&self) -> &Arc<SetLayout> {
        &self.set_layout
    }

    fn device(&self) -> &Arc<Device> {
        self.set_layout.device()
    }

    fn without_code(set_layout: &Arc<SetLayout>, push_constant_bytes: u32) -> Result<Self, Error> {
        let sets = [set_layout.raw()];
        let range = [vk::PushConstantRange::default()
            .stage_flags(vk::ShaderStageFlags::COMPUTE)
            .size(push_constant_bytes)];
        let mut info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        if push_constant_bytes > 0 {
            info = info.push_constant_ranges(&range);
        }
        let device = set_layout.device().raw();
        // SAFETY: the device is alive; `info` points to locals.
        let layout = unsafe { device.create_pipeline_layout(&info, None) };
        Ok(Self {
            raw: vk::Pipeline::null(),
            layout: layout.during("vkCreatePipelineLayout")?,
            set_layout: Arc::clone(set_layout),
        })
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if self.device().is_inherited() {
            return;
        }
        let device = self.device().raw();
        // SAFETY: null, or not in use: whoever submits work with it holds its owner until
        // the work is complete (contract of `Device::submit`).
        unsafe { device.destroy_pipeline(self.raw, None) };
        // SAFETY: as above.
        unsafe { device.destroy_pipeline_layout(self.layout, None) };
    }
}

/// What a compiling thread owns: all that the driver reads.
struct Job {
    pipeline: Pipeline,
    words: Vec<u32>,
    entry_point: CString,
    pipelines: SharedPipelines,
}

impl Job {
    /// # Safety
    /// As [`Compiler::compile`].
    unsafe fn compile(mut self) -> Result<Pipeline, Error> {
        let device = Arc::clone(self.pipeline.device());
        let device = device.raw();
        let info = vk::ShaderModuleCreateInfo::default().code(&self.words);
        // SAFETY: this function's contract.
        let module = unsafe { device.create_shader_module(&info, None) };
        let module = module.during("vkCreateShaderModule")?;
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(&self.entry_point);
        let info = vk::ComputePipelineCreateInfo::default()
            .stage(stage)
            .layout(self.pipeline.layout);
        // The cache synchronizes itself, so that threads compile beside each other.
        let cache = self.pipelines.raw();
        // SAFETY: module, layout and cache are alive; the entry point exists.
        let created = unsafe { device.create_compute_pipelines(cache, &[info], None) };
        // SAFETY: a pipeline does not need its module after creation.
        unsafe { device.destroy_shader_module(module, None) };
        let call = "vkCreateComputePipelines";
        let made = created.map_err(|(_, result)| Error::from_vk(call, result))?;
        self.pipeline.raw = made.first().copied().ok_or(Error::Vulkan {
            call,
            result: vk::Result::ERROR_UNKNOWN,
        })?;
        Ok(self.pipeline)
    }
}

/// A module that a caller gave up on.
struct Overdue {
    set_layout: Arc<SetLayout>,
    push_constant_bytes: u32,
    words: Vec<u32>,
    receiver: Receiver<Result<Pipeline, Error>>,
    after: Duration,
}

impl Overdue {
    /// What became of it.
    ///
    /// # Errors
    /// [`Error::Busy`] while the compiler is at it.
    fn outcome(&self) -> Result<Result<Pipeline, Error>, Error> {
        match self.receiver.try_recv() {
            Ok(made) => Ok(made),
            Err(TryRecvError::Disconnected) => Ok(Err(ended_early())),
            Err(TryRecvError::Empty) => Err(Error::Busy {
                what: COMPILER,
                after: self.after,
            }),
        }
    }
}

fn ended_early() -> Error {
    Error::Thread {
        purpose: COMPILER,
        detail: "it ended without a pipeline".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::KernelCache;
    use crate::device::tests::device_with;
    use crate::testing::device_under_test;

    static CREATE: OnceLock<vk::PFN_vkCreateComputePipelines> = OnceLock::new();
    static MAY_END: AtomicBool = AtomicBool::new(false);

    /// A compiler that takes as long as the test wants.
    unsafe extern "system" fn create_when_told(
        device: vk::Device,
        cache: vk::PipelineCache,
        count: u32,
        infos: *const vk::ComputePipelineCreateInfo<'_>,
        allocator: *const vk::AllocationCallbacks<'_>,
        pipelines: *mut vk::Pipeline,
    ) -> vk::Result {
        let start = Instant::now();
        while !MAY_END.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: the arguments are the caller's; set before the first call.
        unsafe { CREATE.get().unwrap()(device, cache, count, infos, allocator, pipelines) }
    }

    #[test]
    fn a_compiler_that_takes_too_long_is_given_up_and_busy_until_it_has_ended() {
        let (_guard, physical) = device_under_test().unwrap();
        let create = Device::new(&physical).unwrap();
        CREATE.get_or_init(|| create.raw().fp_v1_0().create_compute_pipelines);
        let name = c"vkCreateComputePipelines";
        let device = device_with(&physical, &[(name, create_when_told as *const c_void)]);
        let after = Duration::from_millis(20);
        let pipelines = SharedPipelines::of_process(&device, None);
        let compiler = Compiler::new(pipelines, after);
        let mut kernels = KernelCache::with_compiler(&device, &compiler).unwrap();
        let spirv = field_kernels::FIELD_ADD.spirv;
        let what = COMPILER;
        let timeout = Error::Timeout { what, after };
        assert_eq!(kernels.get(spirv).err(), Some(timeout));
        let busy = Error::Busy { what, after };
        assert_eq!(kernels.get(spirv).err(), Some(busy));

        MAY_END.store(true, Ordering::SeqCst);
        let start = Instant::now();
        let mut found = kernels.get(spirv);
        while matches!(found, Err(Error::Busy { .. })) && start.elapsed().as_secs() < 20 {
            std::thread::sleep(Duration::from_millis(1));
            found = kernels.get(spirv);
        }
        assert!(found.is_ok(), "{:?}", found.err());
        drop((found, kernels, compiler));
        assert_eq!(Arc::strong_count(&device), 1);
    }
}
