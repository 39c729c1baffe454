//! Makes every kernel of the library on the one device that there is, and submits
//! nothing: what `cargo xtask compilers` starts, with an environment that has the driver
//! say how it compiled each.
//!
//! On stderr, where the driver writes too: first a line `device<TAB>NAME<TAB>DRIVER`,
//! before each kernel `kernel<TAB>NAME<TAB>ARITHMETIC`, and after one that the device
//! cannot run `cannot<TAB>REASON`.
#![allow(
    clippy::print_stderr,
    reason = "an example; stderr, so that the driver's lines and these are in order"
)]

use std::error::Error;

use field_kernels::chain::{
    CONSTANT_WORDS, Chain, Input, Layout, Link, MAX_INPUTS, MAX_OUTPUTS, MemoryAccess, Template,
};
use field_kernels::operations::{ADD, DOUBLE, ELEMENT_OPERATIONS, MUL, NEG, SQUARE, SUB};
use field_kernels::{Arithmetic, ElementOperation, FAMILIES, Family, FieldId, KERNELS, families};
use vk_core::ash::{self, vk};
use vk_core::{DeviceCaps, Instance, InstanceOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let instance = Instance::new(&InstanceOptions::default())?;
    let compiler = Compiler::open(&instance)?;
    for kernel in KERNELS {
        let arithmetic = match kernel.needs_shader_int64 {
            true => Arithmetic::U64,
            false => Arithmetic::U32,
        };
        let words = kernel.spirv.as_chunks().0.iter();
        let words: Vec<u32> = words.map(|word| u32::from_le_bytes(*word)).collect();
        compiler.make(kernel.name, arithmetic, &words, (3, 1))?;
    }
    for module in families::ELEMENTWISE.modules() {
        let (arithmetic, template) = (module.arithmetic, Template::parse(module.spirv)?);
        let field = module.field.map_or("", FieldId::name);
        for (what, chain) in chains(arithmetic) {
            let name = format!("{field} {arithmetic} {what}");
            let words = template.link(&chain, LAYOUT)?;
            let shape = (chain.bindings(), CONSTANT_WORDS);
            compiler.make(&name, arithmetic, &words, shape)?;
        }
    }
    let whole = |family: &&&Family| family.name != families::ELEMENTWISE.name;
    for family in FAMILIES.iter().filter(whole) {
        let shape = (family.bindings, family.constant_words);
        for module in family.modules() {
            compiler.make(module.name, module.arithmetic, &module.words(), shape)?;
        }
    }
    Ok(())
}

/// A device that makes pipelines and does nothing else. Not `vk_core::Device`, which waits
/// for the device when it is dropped: without a chip, a driver crashes there. So nothing
/// is destroyed here; the process ends.
struct Compiler {
    caps: DeviceCaps,
    device: ash::Device,
}

impl Compiler {
    fn open(instance: &std::sync::Arc<Instance>) -> Result<Self, Box<dyn Error>> {
        let devices = instance.devices()?;
        let [device] = devices.as_slice() else {
            return Err(format!("expected one Vulkan device, found {}", devices.len()).into());
        };
        let caps = device.caps().clone();
        eprintln!("device\t{}\t{}", caps.name, caps.driver);
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let features = vk::PhysicalDeviceFeatures::default()
            .shader_int64(caps.features.shader_int64)
            .shader_float64(caps.features.shader_float64);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_features(&features);
        // SAFETY: the instance is alive.
        let raw = unsafe { instance.raw().enumerate_physical_devices() }?;
        let physical = raw.first().copied().ok_or("the device went away")?;
        // SAFETY: every device has a queue family 0; the features are those that it has.
        let device = unsafe { instance.raw().create_device(physical, &info, None) }?;
        Ok(Self { caps, device })
    }

    /// Says which kernel is next and makes it, if the device can run it: one with so many
    /// bindings and words of push constants.
    fn make(
        &self,
        name: &str,
        arithmetic: Arithmetic,
        words: &[u32],
        (bindings, constants): (usize, usize),
    ) -> Result<(), Box<dyn Error>> {
        eprintln!("kernel\t{name}\t{arithmetic}");
        let has = &self.caps.features;
        let lacked = [
            (
                "shaderInt64",
                arithmetic.needs_shader_int64() && !has.shader_int64,
            ),
            (
                "shaderFloat64",
                arithmetic.needs_shader_float64() && !has.shader_float64,
            ),
        ];
        if let Some((feature, _)) = lacked.iter().find(|(_, lacked)| *lacked) {
            eprintln!("cannot\tthe device lacks {feature}");
            return Ok(());
        }
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
        // SAFETY: the device is never destroyed; `info` points to locals, here and below.
        let sets = [unsafe { self.device.create_descriptor_set_layout(&info, None) }?];
        let range = [vk::PushConstantRange::default()
            .stage_flags(vk::ShaderStageFlags::COMPUTE)
            .size(u32::try_from(4 * constants)?)];
        let info = vk::PipelineLayoutCreateInfo::default()
            .set_layouts(&sets)
            .push_constant_ranges(&range);
        // SAFETY: as above.
        let layout = unsafe { self.device.create_pipeline_layout(&info, None) }?;
        let info = vk::ShaderModuleCreateInfo::default().code(words);
        // SAFETY: a module of this library, or linked from one: tests hold them all to
        // the Khronos validator.
        let module = unsafe { self.device.create_shader_module(&info, None) }?;
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(c"main");
        let info = [vk::ComputePipelineCreateInfo::default()
            .stage(stage)
            .layout(layout)];
        let none = vk::PipelineCache::null();
        // SAFETY: module and layout were made above and have the module's bindings and
        // constants; the device has the features that its arithmetic takes.
        unsafe { self.device.create_compute_pipelines(none, &info, None) }
            .map_err(|(_, result)| result)?;
        Ok(())
    }
}

/// How the library lays out chains on a GPU: its `Choice::of`.
const LAYOUT: Layout = Layout {
    access: MemoryAccess::StagedStores,
    group_size: 64,
};

/// Each operation by itself, and chains up to the longest that the planner makes. Those
/// without a product are made with `Arithmetic::U32` alone.
fn chains(arithmetic: Arithmetic) -> Vec<(String, Chain)> {
    let single = |operation: &&'static ElementOperation| {
        let inputs = vec![Input::Vector; operation.arity];
        (operation.name.to_owned(), Chain::of(operation, &inputs))
    };
    let mut chains: Vec<_> = ELEMENT_OPERATIONS.iter().map(single).collect();
    let mut add = |operations: &[&'static ElementOperation], inputs, outputs| {
        let chain = in_a_row(operations, inputs, outputs);
        let (length, products) = (operations.len(), chain.products());
        let what = format!("chain of {length}, {products} products, {inputs} in, {outputs} out");
        chains.push((what, chain));
    };
    add(&[&ADD, &SUB, &DOUBLE], 3, 1);
    add(
        &[&ADD, &SUB, &NEG, &ADD, &DOUBLE, &SUB, &ADD, &ADD],
        MAX_INPUTS,
        MAX_OUTPUTS,
    );
    add(&[&ADD; 32], MAX_INPUTS, 1);
    add(&[&MUL, &ADD, &MUL], 3, 1);
    add(&[&MUL, &ADD, &MUL, &SUB, &SQUARE, &ADD, &MUL, &SUB], 3, 1);
    add(
        &[&MUL, &ADD, &MUL, &SUB, &SQUARE, &ADD, &MUL, &SUB],
        MAX_INPUTS,
        MAX_OUTPUTS,
    );
    let mut longest = vec![&ADD; 32];
    longest[..4].fill(&MUL);
    add(&longest, MAX_INPUTS, MAX_OUTPUTS);
    chains.retain(|(_, chain)| chain.products() > 0 || arithmetic == Arithmetic::U32);
    chains
}

/// Each operation takes the result before and the next of the inputs, in turn; the last
/// results are written.
fn in_a_row(operations: &[&'static ElementOperation], inputs: usize, outputs: usize) -> Chain {
    let link = |(number, operation): (usize, &&'static ElementOperation)| Link {
        operation,
        arguments: [
            if number == 0 { 0 } else { inputs + number - 1 },
            (number + 1) % inputs,
            (number + 2) % inputs,
        ],
    };
    let values = inputs + operations.len();
    Chain {
        inputs: vec![Input::Vector; inputs],
        links: operations.iter().enumerate().map(link).collect(),
        outputs: (values - outputs..values).collect(),
    }
}
