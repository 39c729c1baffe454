//! Kernels: compute pipelines from SPIR-V, each module's made once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ash::vk;

use crate::error::VkContext;
use crate::pipeline::{Compiler, Pipeline};
use crate::pipeline_cache::{CacheOrigin, PipelineCache};
use crate::spirv::{self, BINDINGS, KernelInterface, SpirvCheck, SpirvPolicy, spirv_hash};
use crate::{Device, Error, WaitPolicy};

/// A compute pipeline that keeps the kernel interface of [`crate::spirv`].
pub struct Kernel {
    pipeline: Pipeline,
    hash: [u8; 32],
    workgroup_size: u32,
    push_constant_bytes: u32,
    inputs_read_only: bool,
    check: SpirvCheck,
}

impl Kernel {
    /// The device that the kernel was made for.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        self.pipeline.set_layout().device()
    }

    /// The pipeline's handle, for recording.
    #[must_use]
    pub fn pipeline(&self) -> vk::Pipeline {
        self.pipeline.raw()
    }

    /// The pipeline layout's handle, for recording.
    #[must_use]
    pub fn layout(&self) -> vk::PipelineLayout {
        self.pipeline.layout()
    }

    /// The SHA-256 of the SPIR-V module.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Who has looked at the module.
    #[must_use]
    pub fn check(&self) -> SpirvCheck {
        self.check
    }

    /// Elements that one workgroup computes.
    #[must_use]
    pub fn workgroup_size(&self) -> u32 {
        self.workgroup_size
    }

    /// Checks that the kernel writes its output only, as far as a module can
    /// promise it: for runs whose inputs nobody else may write.
    ///
    /// # Errors
    /// [`Error::NotAKernel`] for a module that uses an input without
    /// `NonWritable`.
    pub fn expect_inputs_read_only(&self) -> Result<(), Error> {
        match self.inputs_read_only {
            true => Ok(()),
            false => Err(Error::kernel(
                "expected the buffers at bindings 0 and 1 to be NonWritable (`readonly` in GLSL), found one that is not",
            )),
        }
    }

    /// The push constants for a dispatch over `elements`: the count, then
    /// zeros up to the size of the module's block; empty without a block.
    #[must_use]
    pub fn push_constants(&self, elements: u32) -> Vec<u8> {
        let mut block = vec![0; self.push_constant_bytes as usize];
        if let Some(count) = block.first_chunk_mut::<4>() {
            *count = elements.to_le_bytes();
        }
        block
    }
}

/// A descriptor set layout of storage buffers at bindings 0, 1, 2 and so on. The
/// kernels of a [`KernelCache`] share one, of three.
pub struct SetLayout {
    device: Arc<Device>,
    raw: vk::DescriptorSetLayout,
}

impl SetLayout {
    pub(crate) fn new(device: &Arc<Device>, bindings: usize) -> Result<Self, Error> {
        let bindings: Vec<_> = (0..)
            .take(bindings)
            .map(|binding| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(vk::DescriptorType::STORAGE_BUFFER)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        // SAFETY: the device is alive; `info` points to locals.
        let raw = unsafe { device.raw().create_descriptor_set_layout(&info, None) };
        Ok(Self {
            device: Arc::clone(device),
            raw: raw.during("vkCreateDescriptorSetLayout")?,
        })
    }

    /// The layout's handle, for allocating sets.
    #[must_use]
    pub fn raw(&self) -> vk::DescriptorSetLayout {
        self.raw
    }

    /// The device that the layout was made for.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }
}

impl Drop for SetLayout {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: kernels and caches hold an `Arc` of this value.
        unsafe {
            self.device
                .raw()
                .destroy_descriptor_set_layout(self.raw, None)
        };
    }
}

/// The kernels of a device, each made once.
///
/// Holds the most recently used [`KernelCache::CAPACITY`] kernels; one that
/// is pushed out lives on until the last submission using it is complete.
///
/// What the driver compiled for them can also be kept in a file
/// ([`KernelCache::with_folder`]), so that the next process need not compile
/// it again.
pub struct KernelCache {
    set_layout: Arc<SetLayout>,
    compiler: Arc<Compiler>,
    policy: SpirvPolicy,
    // The most recently used first.
    kernels: Vec<Entry>,
}

/// A module and its kernel. The bytes are kept because comparing them is
/// cheaper than hashing the module of every call.
struct Entry {
    spirv: Box<[u8]>,
    kernel: Arc<Kernel>,
}

impl KernelCache {
    /// How many kernels are kept.
    pub const CAPACITY: usize = 64;

    /// An empty cache, in memory only.
    ///
    /// # Errors
    /// What the driver returned.
    pub fn new(device: &Arc<Device>) -> Result<Self, Error> {
        Self::by_default(device, PipelineCache::in_memory(device))
    }

    /// A cache whose compiled pipelines are also kept in `folder`, in one
    /// file for each device and driver.
    ///
    /// The file is read now, and written anew after each [`KernelCache::get`]
    /// that made a kernel which the driver had to compile. Several processes
    /// may share a folder: a reader finds what one of them wrote last, whole.
    /// Only what is undamaged and of this device and driver reaches the
    /// driver. The folder is made when it is first written to. On Unix it and
    /// the file must belong to the user of this process, who alone may write
    /// to them, and must not be symbolic links: a driver trusts its data.
    ///
    /// A folder or file that cannot be used is no error. It is logged, and
    /// [`KernelCache::origin`] tells.
    ///
    /// # Errors
    /// What the driver returned, as for [`KernelCache::new`].
    pub fn with_folder(device: &Arc<Device>, folder: &Path) -> Result<Self, Error> {
        Self::by_default(device, PipelineCache::in_folder(device, folder))
    }

    fn by_default(device: &Arc<Device>, pipelines: PipelineCache) -> Result<Self, Error> {
        let limit = WaitPolicy::default().timeout;
        Self::with_compiler(device, &Compiler::new(pipelines.shared(), limit))
    }

    /// A cache that has `compiler` make its pipelines, and that others may share.
    ///
    /// # Errors
    /// What the driver returned.
    pub fn with_compiler(device: &Arc<Device>, compiler: &Arc<Compiler>) -> Result<Self, Error> {
        Ok(Self {
            set_layout: Arc::new(SetLayout::new(device, BINDINGS)?),
            compiler: Arc::clone(compiler),
            policy: SpirvPolicy::default(),
            kernels: Vec::new(),
        })
    }

    /// This cache with `policy` for which modules may run. Forgets the kernels it had
    /// made.
    #[must_use]
    pub fn with_policy(mut self, policy: SpirvPolicy) -> Self {
        self.policy = policy;
        self.kernels.clear();
        self
    }

    /// What was found on disk when the cache was made.
    #[must_use]
    pub fn origin(&self) -> CacheOrigin {
        self.compiler.pipelines().lock().origin()
    }

    /// The file that compiled pipelines are kept in, whether or not it is
    /// there yet; `None` where they are kept in memory only, by choice or
    /// because the folder could not be used.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        self.compiler
            .pipelines()
            .lock()
            .path()
            .map(Path::to_path_buf)
    }

    /// What makes its pipelines, for an [`OperationCache`](crate::OperationCache) beside
    /// this cache.
    #[must_use]
    pub fn compiler(&self) -> &Arc<Compiler> {
        &self.compiler
    }

    /// The descriptor set layout of every kernel.
    #[must_use]
    pub fn set_layout(&self) -> &Arc<SetLayout> {
        &self.set_layout
    }

    /// The kernel of the module in `spirv`, made now if it is new.
    ///
    /// # Errors
    /// [`Error::SpirvNotAllowed`] for a module that the policy does not list,
    /// [`Error::InvalidSpirv`] for one that is not valid, [`Error::NotAKernel`] for
    /// one that does not keep the kernel interface, [`Error::Unsupported`] for one
    /// that needs more than the device or this library has, [`Error::Timeout`] where
    /// the driver's compiler takes too long over it and [`Error::Busy`] while it is at
    /// one that took too long, [`Error::SpirvValidator`] where the policy requires a
    /// validator that cannot be asked, else what the driver returned.
    pub fn get(&mut self, spirv: &[u8]) -> Result<Arc<Kernel>, Error> {
        if let Some(found) = self.kernels.iter().position(|e| *e.spirv == *spirv) {
            self.kernels[..=found].rotate_right(1);
        } else {
            let kernel = Arc::new(self.create(spirv)?);
            self.compiler.pipelines().lock().save();
            let spirv = Box::from(spirv);
            self.kernels.insert(0, Entry { spirv, kernel });
            self.kernels.truncate(Self::CAPACITY);
        }
        Ok(Arc::clone(&self.kernels[0].kernel))
    }

    /// How many kernels are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kernels.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kernels.is_empty()
    }

    fn create(&self, spirv: &[u8]) -> Result<Kernel, Error> {
        let hash = spirv_hash(spirv);
        self.policy.expect_allowed(&hash)?;
        let (interface, check) = self.checked(spirv, &hash)?;
        // SAFETY: the module fits the layout and asks for nothing that the device
        // lacks, by its interface. That it is valid the validator has found, or the
        // caller vouches for, as for what it does when it runs: SPIR-V is code
        // (module documentation of `spirv`).
        let pipeline = unsafe {
            self.compiler.compile(
                &self.set_layout,
                interface.push_constant_bytes,
                &interface.words,
                &interface.entry_point,
            )?
        };
        Ok(Kernel {
            pipeline,
            hash,
            workgroup_size: interface.workgroup_size,
            push_constant_bytes: interface.push_constant_bytes,
            inputs_read_only: interface.inputs_read_only,
            check,
        })
    }

    /// The interface of a module that may go to the driver.
    fn checked(
        &self,
        spirv: &[u8],
        hash: &[u8; 32],
    ) -> Result<(KernelInterface, SpirvCheck), Error> {
        #[cfg(feature = "testing")]
        if let Some(interface) = crate::testing::trusted(spirv) {
            return Ok((interface, SpirvCheck::Off));
        }
        let caps = self.set_layout.device.caps();
        let interface = KernelInterface::parse(spirv, caps)?;
        let check = spirv::check(spirv, hash, &self.policy, caps)?;
        Ok((interface, check))
    }
}
