//! Pipelines of modules that this library made itself, with as many buffers as
//! they want.

use std::collections::HashMap;
use std::sync::Arc;

use ash::vk;

use crate::pipeline::{Compiler, Pipeline};
use crate::{Device, Error, SetLayout};

/// What a module binds and how many invocations a workgroup of it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationShape {
    /// Storage buffers, at bindings 0, 1, 2 and so on of set 0.
    pub bindings: usize,
    /// Bytes of the push constant block; a multiple of 4.
    pub push_constant_bytes: u32,
    /// Invocations of one workgroup.
    pub workgroup_size: u32,
}

/// A compute pipeline of a module of this library.
pub struct Operation {
    pipeline: Pipeline,
    shape: OperationShape,
}

impl Operation {
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

    /// The layout of its descriptor sets.
    #[must_use]
    pub fn set_layout(&self) -> &Arc<SetLayout> {
        self.pipeline.set_layout()
    }

    /// What it binds.
    #[must_use]
    pub fn shape(&self) -> OperationShape {
        self.shape
    }

    /// The device that it was made for.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        self.set_layout().device()
    }
}

/// Makes operations on one device.
pub struct OperationCache {
    device: Arc<Device>,
    compiler: Arc<Compiler>,
    // By the number of bindings.
    layouts: HashMap<usize, Arc<SetLayout>>,
}

impl OperationCache {
    /// For `device`, whose pipelines `compiler` makes.
    #[must_use]
    pub fn new(device: &Arc<Device>, compiler: &Arc<Compiler>) -> Self {
        Self {
            device: Arc::clone(device),
            compiler: Arc::clone(compiler),
            layouts: HashMap::new(),
        }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// A pipeline of the module in `words`, compiled now unless the pipeline
    /// cache has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for more storage buffers or push constants than
    /// the device takes, [`Error::Timeout`] and [`Error::Busy`] as
    /// [`KernelCache::get`](crate::KernelCache::get), else what the driver returned.
    ///
    /// # Safety
    /// The module is valid, has an entry point `main`, keeps to `shape`, and
    /// asks for no feature that the device lacks.
    pub unsafe fn create(
        &mut self,
        words: &[u32],
        shape: OperationShape,
    ) -> Result<Arc<Operation>, Error> {
        self.expect_within_limits(shape)?;
        let set_layout = self.layout(shape.bindings)?;
        let bytes = shape.push_constant_bytes;
        // SAFETY: this function's contract.
        let pipeline = unsafe { self.compiler.compile(&set_layout, bytes, words, c"main")? };
        self.compiler.pipelines().lock().save();
        Ok(Arc::new(Operation { pipeline, shape }))
    }

    fn expect_within_limits(&self, shape: OperationShape) -> Result<(), Error> {
        let limits = &self.device.caps().limits;
        let most = limits.max_storage_buffers as usize;
        if shape.bindings > most {
            return Err(Error::Unsupported {
                needed: format!("{} storage buffers in one kernel", shape.bindings),
                found: format!("{most} at most on {}", self.device.caps().name),
            });
        }
        let (bytes, most) = (shape.push_constant_bytes, limits.max_push_constants);
        if bytes > most {
            return Err(Error::Unsupported {
                needed: format!("{bytes} bytes of push constants"),
                found: format!("{most} at most on {}", self.device.caps().name),
            });
        }
        Ok(())
    }

    fn layout(&mut self, bindings: usize) -> Result<Arc<SetLayout>, Error> {
        if let Some(known) = self.layouts.get(&bindings) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(SetLayout::new(&self.device, bindings)?);
        self.layouts.insert(bindings, Arc::clone(&made));
        Ok(made)
    }
}
