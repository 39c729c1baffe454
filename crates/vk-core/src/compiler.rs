//! Makes compute pipelines, each on a thread of its own.
//!
//! A driver's compiler can take minutes over one module, and no limit of Vulkan covers
//! it. On its own thread a caller can give up waiting; the thread then owns all that the
//! driver still uses, and what it makes is there for whoever asks for it again.

use std::ffi::{CStr, CString};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ash::vk;

use crate::error::VkContext;
use crate::pipeline::ModuleFacts;
use crate::spirv::{SpirvCheck, spirv_hash};
use crate::{ComputePipeline, Error, PipelineCache, PipelineShape, lock};

/// What takes its time, in errors.
pub(crate) const COMPILER: &str = "the driver's compiler";

/// Has the driver make pipelines of one device, each within a limit.
pub struct Compiler {
    cache: Arc<PipelineCache>,
    limit: Duration,
    // The last module that a caller gave up on.
    overdue: Mutex<Option<Overdue>>,
}

impl Compiler {
    /// For the device of `cache`; `limit` says how long one module may take.
    #[must_use]
    pub fn new(cache: Arc<PipelineCache>, limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            cache,
            limit,
            overdue: Mutex::default(),
        })
    }

    /// The driver's cache of what it compiled.
    #[must_use]
    pub fn cache(&self) -> &Arc<PipelineCache> {
        &self.cache
    }

    /// The pipeline of a library's own module in `words`, whose entry point is `main`:
    /// compiled now, unless the driver's cache has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for more storage buffers or push constants than the device
    /// takes. [`Error::Timeout`] where the driver's compiler takes longer than the limit,
    /// and [`Error::Busy`] while it is still at a module that an earlier call gave up on;
    /// [`Error::Thread`], else what the driver returned.
    ///
    /// # Safety
    /// The module is valid, has a compute entry point `main`, keeps to `shape`, and asks
    /// for no feature that the device lacks.
    pub unsafe fn make(
        &self,
        words: &[u32],
        shape: PipelineShape,
    ) -> Result<ComputePipeline, Error> {
        let caps = self.cache.device().caps();
        let bindings = u32::try_from(shape.bindings).unwrap_or(u32::MAX);
        let limits = &caps.limits;
        let (buffers, constants) = (limits.max_storage_buffers, limits.max_push_constants);
        caps.expect_at_most(&[
            (bindings, buffers, "{} storage buffers in one kernel"),
            (
                shape.push_constant_bytes,
                constants,
                "{} bytes of push constants",
            ),
        ])?;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let module = ModuleFacts {
            shape,
            hash: spirv_hash(&bytes),
            check: SpirvCheck::Own,
            inputs_read_only: false,
        };
        // SAFETY: this function's contract.
        unsafe { self.compile(module, words, c"main") }
    }

    /// The pipeline of `module`, whose code is in `words`.
    ///
    /// # Errors
    /// As [`Self::make`].
    ///
    /// # Safety
    /// As for [`Self::make`], with this entry point.
    pub(crate) unsafe fn compile(
        &self,
        module: ModuleFacts,
        words: &[u32],
        entry_point: &CStr,
    ) -> Result<ComputePipeline, Error> {
        if let Some(made) = self.finished(&module)? {
            self.cache.save();
            return Ok(made);
        }
        let set_layout = self.cache.set_layout(module.shape.bindings)?;
        let work = Compilation {
            pipeline: ComputePipeline::without_code(&set_layout, module)?,
            words: words.to_vec(),
            entry_point: entry_point.to_owned(),
            cache: Arc::clone(&self.cache),
        };
        let (sender, receiver) = sync_channel(1);
        let thread = std::thread::Builder::new().name("gpu-executor-compiler".to_owned());
        let spawned = thread.spawn(move || {
            // SAFETY: this function's contract; it owns what it names.
            let made = unsafe { work.compile() };
            // Where nobody is to ask for it any more, this drops what was made.
            let _ = sender.send(made);
        });
        spawned.map_err(|error| Error::Thread {
            purpose: COMPILER,
            detail: error.to_string(),
        })?;
        match receiver.recv_timeout(self.limit) {
            Ok(made) => made.inspect(|_| self.cache.save()),
            Err(RecvTimeoutError::Timeout) => {
                *lock(&self.overdue) = Some((module, receiver));
                Err(Error::Timeout {
                    what: COMPILER,
                    after: self.limit,
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(ended_early()),
        }
    }

    /// What became of the module that a caller gave up on, if it is `wanted`; another's is
    /// let go. [`Error::Busy`] while the driver's compiler is at it, whichever it is.
    fn finished(&self, wanted: &ModuleFacts) -> Result<Option<ComputePipeline>, Error> {
        let mut overdue = lock(&self.overdue);
        let Some((module, receiver)) = &*overdue else {
            return Ok(None);
        };
        let made = match receiver.try_recv() {
            Ok(made) => made,
            Err(TryRecvError::Disconnected) => Err(ended_early()),
            Err(TryRecvError::Empty) => {
                return Err(Error::Busy {
                    what: COMPILER,
                    after: self.limit,
                });
            }
        };
        let is_wanted = module == wanted;
        *overdue = None;
        is_wanted.then_some(made).transpose()
    }
}

/// What a compiling thread owns: all that the driver reads.
struct Compilation {
    pipeline: ComputePipeline,
    words: Vec<u32>,
    entry_point: CString,
    cache: Arc<PipelineCache>,
}

impl Compilation {
    /// # Safety
    /// As for [`Compiler::compile`].
    unsafe fn compile(mut self) -> Result<ComputePipeline, Error> {
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
            .layout(self.pipeline.layout());
        // The cache synchronizes itself, so that threads compile beside each other.
        let cache = self.cache.raw();
        // SAFETY: module, layout and cache are alive; the entry point exists.
        let created = unsafe { device.create_compute_pipelines(cache, &[info], None) };
        // SAFETY: a pipeline does not need its module after creation.
        unsafe { device.destroy_shader_module(module, None) };
        let call = "vkCreateComputePipelines";
        let made = created.map_err(|(_, result)| result).during(call)?;
        let (first, result) = (made.first().copied(), vk::Result::ERROR_UNKNOWN);
        self.pipeline.raw = first.ok_or(Error::Vulkan { call, result })?;
        Ok(self.pipeline)
    }
}

/// A module that a caller gave up on, and where its pipeline will come from.
type Overdue = (ModuleFacts, Receiver<Result<ComputePipeline, Error>>);

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
    use crate::device::tests::device_with;
    use crate::spirv::SpirvPolicy;
    use crate::testing::device_under_test;
    use crate::{Device, KernelCache};

    static CREATE: OnceLock<vk::PFN_vkCreateComputePipelines> = OnceLock::new();
    static MAY_END: AtomicBool = AtomicBool::new(false);

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
        let compiler = Compiler::new(PipelineCache::new(&device, None), after);
        let mut kernels = KernelCache::with_compiler(&compiler, SpirvPolicy::default());
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
