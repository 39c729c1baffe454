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
use std::sync::Arc;
use std::time::Duration;

use field_kernels::chain::{
    CONSTANT_WORDS, Chain, Input, Layout, Link, MAX_INPUTS, MAX_OUTPUTS, MOST_PRODUCTS, Template,
};
use field_kernels::operations::{ADD, DOUBLE, ELEMENT_OPERATIONS, MUL, NEG, SQUARE, SUB};
use field_kernels::{
    Arithmetic, ElementId, ElementOperation, KERNELS, VECTOR_KERNELS, VectorKernel, vector_kernels,
};
use vk_core::testing::without_timeline_semaphores;
use vk_core::{Compiler, Device, Features, Instance, PipelineCache, PipelineShape, Validation};

fn main() -> Result<(), Box<dyn Error>> {
    let maker = Maker::open()?;
    for kernel in KERNELS {
        let arithmetic = match kernel.needs_shader_int64 {
            true => Arithmetic::U64,
            false => Arithmetic::U32,
        };
        let words = kernel.spirv.as_chunks().0.iter();
        let words: Vec<u32> = words.map(|word| u32::from_le_bytes(*word)).collect();
        maker.make(kernel.name, arithmetic, &words, (3, 1))?;
    }
    for module in vector_kernels::ELEMENTWISE.modules() {
        let (arithmetic, template) = (module.arithmetic, Template::parse(module.spirv)?);
        let field = module.field.ok_or("a template of no field")?;
        for (what, chain) in chains(field, arithmetic) {
            let name = format!("{field} {arithmetic} {what}");
            let words = template.link(&chain, Layout::OF_A_GPU)?;
            let shape = (chain.bindings(), CONSTANT_WORDS);
            maker.make(&name, arithmetic, &words, shape)?;
        }
    }
    let whole = |kernel: &&&VectorKernel| kernel.name != vector_kernels::ELEMENTWISE.name;
    for kernel in VECTOR_KERNELS.iter().filter(whole) {
        let shape = (kernel.bindings, kernel.constant_words);
        for module in kernel.modules() {
            if kernel.needs_shuffle && !maker.features().subgroup_shuffle() {
                eprintln!("kernel\t{}\t{}", module.name, module.arithmetic);
                eprintln!("cannot\tthe device lacks subgroup shuffle");
                continue;
            }
            maker.make(module.name, module.arithmetic, &module.words(), shape)?;
        }
    }
    Ok(())
}

/// Makes pipelines on the device that the process shares, which is never destroyed:
/// without a chip, a driver crashes where it is waited for.
struct Maker(Arc<Compiler>);

impl Maker {
    fn open() -> Result<Self, Box<dyn Error>> {
        let devices = Instance::new(Validation::Off)?.devices()?;
        let [device] = devices.as_slice() else {
            return Err(format!("expected one Vulkan device, found {}", devices.len()).into());
        };
        eprintln!("device\t{}\t{}", device.caps().name, device.caps().driver);
        // Nor are there any semaphores.
        let device = Device::shared(&without_timeline_semaphores(device.clone()))?;
        let cache = PipelineCache::new(&device, None);
        Ok(Self(Compiler::new(cache, Duration::from_hours(1))))
    }

    fn features(&self) -> &Features {
        &self.0.cache().device().caps().features
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
        let has = self.features();
        if arithmetic.needs_shader_int64() && !has.shader_int64 {
            eprintln!("cannot\tthe device lacks shaderInt64");
            return Ok(());
        }
        if arithmetic.needs_shader_float64() && !has.shader_float64 {
            eprintln!("cannot\tthe device lacks shaderFloat64");
            return Ok(());
        }
        let shape = PipelineShape {
            bindings,
            push_constant_bytes: u32::try_from(4 * constants)?,
            // Nothing is dispatched.
            workgroup_size: 1,
        };
        // SAFETY: a module of this library, or linked from one, with its bindings and
        // constants: tests hold them all to the Khronos validator. The device has the
        // features that its arithmetic takes, and where it shuffles that one.
        unsafe { self.0.make(words, shape)? };
        Ok(())
    }
}

/// Each operation by itself, and chains up to the longest that the planner makes. Those
/// without a product are made with `Arithmetic::U32` alone.
fn chains(field: ElementId, arithmetic: Arithmetic) -> Vec<(String, Chain)> {
    let single = |operation: &&'static ElementOperation| {
        let inputs = vec![Input::Vector; operation.arity];
        (operation.name.to_owned(), Chain::of(operation, &inputs))
    };
    let of_field = ELEMENT_OPERATIONS.iter().filter(|it| it.is_of(field));
    let mut chains: Vec<_> = of_field.map(single).collect();
    let mut add = |operations: &[&'static ElementOperation], inputs, outputs| {
        let chain = in_a_row(operations, inputs, outputs);
        let (length, products) = (operations.len(), chain.products());
        let each = field.coordinates();
        let is_planned = each * products as usize <= MOST_PRODUCTS as usize
            && each * inputs <= MAX_INPUTS
            && each * outputs <= MAX_OUTPUTS;
        if !is_planned {
            return;
        }
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
    // As much as one kernel takes.
    let each = field.coordinates();
    let mut longest = vec![&ADD; 32];
    longest[..MOST_PRODUCTS as usize / each].fill(&MUL);
    add(&longest, MAX_INPUTS / each, MAX_OUTPUTS / each);
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
