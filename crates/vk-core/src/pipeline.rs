//! Compute pipelines, and the layouts of the descriptor sets that they take.

use std::sync::Arc;

use ash::vk;

use crate::error::VkContext;
use crate::spirv::SpirvCheck;
use crate::{Device, Error};

/// What a dispatch of a pipeline must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PipelineShape {
    /// Storage buffers, at bindings 0, 1, 2 and so on of set 0.
    pub bindings: usize,
    /// Bytes of the push constant block; 0 for none.
    pub push_constant_bytes: u32,
    /// Invocations of one workgroup, along x.
    pub workgroup_size: u32,
}

/// A compute pipeline and its layout. A [`Compiler`](crate::Compiler) makes it.
pub struct ComputePipeline {
    pub(crate) raw: vk::Pipeline,
    layout: vk::PipelineLayout,
    set_layout: Arc<SetLayout>,
    module: ModuleFacts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModuleFacts {
    pub(crate) shape: PipelineShape,
    pub(crate) hash: [u8; 32],
    pub(crate) check: SpirvCheck,
    /// Whether it promises to write no buffer but that of the last binding.
    pub(crate) inputs_read_only: bool,
}

impl ComputePipeline {
    /// The handle, for recording.
    #[must_use]
    pub fn raw(&self) -> vk::Pipeline {
        self.raw
    }

    /// The pipeline layout's handle, for recording.
    #[must_use]
    pub fn layout(&self) -> vk::PipelineLayout {
        self.layout
    }

    /// The layout of its descriptor sets.
    #[must_use]
    pub fn set_layout(&self) -> &Arc<SetLayout> {
        &self.set_layout
    }

    /// The device that it was made for. Whoever shares that device may use it.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        self.set_layout.device()
    }

    /// What a dispatch must keep to.
    #[must_use]
    pub fn shape(&self) -> PipelineShape {
        self.module.shape
    }

    /// The SHA-256 of the SPIR-V module.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.module.hash
    }

    /// Who has looked at the module.
    #[must_use]
    pub fn check(&self) -> SpirvCheck {
        self.module.check
    }

    /// Checks that a kernel writes its output only, as far as a module can
    /// promise it: for runs whose inputs nobody else may write.
    ///
    /// # Errors
    /// [`Error::NotAKernel`] for a module that uses an input without
    /// `NonWritable`.
    pub fn expect_inputs_read_only(&self) -> Result<(), Error> {
        match self.module.inputs_read_only {
            true => Ok(()),
            false => Err(Error::kernel(
                "expected the buffers at bindings 0 and 1 to be NonWritable (`readonly` in GLSL), found one that is not",
            )),
        }
    }

    /// The push constants for a dispatch of a kernel over `elements`: the count, then
    /// zeros up to the size of the module's block; empty without a block.
    #[must_use]
    pub fn push_constants(&self, elements: u32) -> Vec<u8> {
        let mut block = vec![0; self.module.shape.push_constant_bytes as usize];
        if let Some(count) = block.first_chunk_mut::<4>() {
            *count = elements.to_le_bytes();
        }
        block
    }

    /// The layout alone, and a null handle.
    pub(crate) fn without_code(
        set_layout: &Arc<SetLayout>,
        module: ModuleFacts,
    ) -> Result<Self, Error> {
        let sets = [set_layout.raw()];
        let range = [vk::PushConstantRange::default()
            .stage_flags(vk::ShaderStageFlags::COMPUTE)
            .size(module.shape.push_constant_bytes)];
        let mut info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
        if module.shape.push_constant_bytes > 0 {
            info = info.push_constant_ranges(&range);
        }
        let device = set_layout.device().raw();
        // SAFETY: the device is alive; `info` points to locals.
        let layout = unsafe { device.create_pipeline_layout(&info, None) };
        Ok(Self {
            raw: vk::Pipeline::null(),
            layout: layout.during("vkCreatePipelineLayout")?,
            set_layout: Arc::clone(set_layout),
            module,
        })
    }
}

impl Drop for ComputePipeline {
    fn drop(&mut self) {
        if self.device().is_inherited() {
            return;
        }
        let device = self.device().raw();
        // SAFETY: null, or not in use: whoever submits work with it holds it until the
        // work is complete (contract of `Device::submit`).
        unsafe { device.destroy_pipeline(self.raw, None) };
        // SAFETY: as above.
        unsafe { device.destroy_pipeline_layout(self.layout, None) };
    }
}

/// A descriptor set layout of storage buffers at bindings 0, 1, 2 and so on.
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

    /// The handle, for allocating sets.
    #[must_use]
    pub fn raw(&self) -> vk::DescriptorSetLayout {
        self.raw
    }

    /// The device that it was made for.
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
        let device = self.device.raw();
        // SAFETY: pipelines, and whoever allocates sets, hold an `Arc` of this value.
        unsafe { device.destroy_descriptor_set_layout(self.raw, None) };
    }
}
