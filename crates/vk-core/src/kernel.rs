//! Kernels: compute pipelines of callers' SPIR-V, each module's made once.

use std::ffi::CStr;
use std::sync::Arc;

use crate::pipeline::ModuleFacts;
use crate::spirv::{self, BINDINGS, KernelInterface, SpirvCheck, SpirvPolicy, spirv_hash};
use crate::{Compiler, ComputePipeline, Device, Error, PipelineCache, PipelineShape, WaitPolicy};

/// Makes pipelines of modules that keep the kernel interface of [`crate::spirv`].
///
/// Holds the most recently used [`KernelCache::CAPACITY`] kernels; one that
/// is pushed out lives on until the last submission using it is complete.
pub struct KernelCache {
    compiler: Arc<Compiler>,
    policy: SpirvPolicy,
    // The most recently used first.
    kernels: Vec<Entry>,
}

/// A module and its kernel. The bytes are kept because comparing them is
/// cheaper than hashing the module of every call.
struct Entry {
    spirv: Box<[u8]>,
    kernel: Arc<ComputePipeline>,
}

impl KernelCache {
    /// How many kernels are kept.
    pub const CAPACITY: usize = 64;

    /// An empty cache, with a compiler of its own that keeps nothing on disk.
    #[must_use]
    pub fn new(device: &Arc<Device>) -> Self {
        let limit = WaitPolicy::default().timeout;
        let compiler = Compiler::new(PipelineCache::new(device, None), limit);
        Self::with_compiler(&compiler, SpirvPolicy::default())
    }

    /// An empty cache that has `compiler` make its pipelines, of the modules that may run
    /// by `policy`.
    #[must_use]
    pub fn with_compiler(compiler: &Arc<Compiler>, policy: SpirvPolicy) -> Self {
        Self {
            compiler: Arc::clone(compiler),
            policy,
            kernels: Vec::new(),
        }
    }

    /// What makes its pipelines.
    #[must_use]
    pub fn compiler(&self) -> &Arc<Compiler> {
        &self.compiler
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
    pub fn get(&mut self, spirv: &[u8]) -> Result<Arc<ComputePipeline>, Error> {
        if let Some(found) = self.kernels.iter().position(|e| *e.spirv == *spirv) {
            self.kernels[..=found].rotate_right(1);
        } else {
            let kernel = Arc::new(self.create(spirv)?);
            let spirv = Box::from(spirv);
            self.kernels.insert(0, Entry { spirv, kernel });
            self.kernels.truncate(Self::CAPACITY);
        }
        Ok(Arc::clone(&self.kernels[0].kernel))
    }

    fn create(&self, spirv: &[u8]) -> Result<ComputePipeline, Error> {
        let hash = spirv_hash(spirv);
        self.policy.expect_allowed(&hash)?;
        #[cfg(feature = "testing")]
        let trusted = crate::testing::trusted(spirv);
        #[cfg(not(feature = "testing"))]
        let trusted = None;
        let caps = self.compiler.cache().device().caps();
        let (interface, check) = match trusted {
            Some(interface) => (interface, SpirvCheck::Off),
            None => {
                let interface = KernelInterface::parse(spirv, caps)?;
                (interface, spirv::check(spirv, &hash, &self.policy, caps)?)
            }
        };
        let module = ModuleFacts {
            shape: PipelineShape {
                bindings: BINDINGS,
                push_constant_bytes: interface.push_constant_bytes,
                workgroup_size: interface.workgroup_size,
            },
            hash,
            check,
            inputs_read_only: interface.inputs_read_only,
        };
        let entry_point: &CStr = &interface.entry_point;
        // SAFETY: the module fits the layout and asks for nothing that the device
        // lacks, by its interface. That it is valid the validator has found, or the
        // caller vouches for, as for what it does when it runs: SPIR-V is code
        // (module documentation of `spirv`).
        unsafe { self.compiler.compile(module, &interface.words, entry_point) }
    }
}
