//! Damaged SPIR-V against the interface check, spirv-val and the driver: the child
//! processes of `cargo xtask soak mutants`.
//!
//! Each kernel has mutants 0, 1, 2 and so on, the same on every machine.
//! `layers` says which of them each layer stops. `drive` hands them to the
//! driver unchecked, pipeline and one small dispatch each; it may die of one,
//! which is what it is for. Both write a line per mutant.
#![allow(clippy::print_stdout, reason = "a command-line program")]

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use gpu_executor::FieldAdd;
use gpu_executor::kernels::{KERNELS, LIMBS};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, Calibration, VulkanError};
use vk_core::spirv::{KernelInterface, validate};
use vk_core::testing::{mutants::mutant, trust_all_spirv};

/// Elements of the dispatch: several workgroups, the last one in part.
const ELEMENTS: usize = 300;
/// What a driver may allocate before it counts as killed, 8 GiB.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE: u64 = 8 << 30;

#[derive(Parser)]
#[command(about = "Damaged kernels against the interface check, spirv-val and the driver")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The names of the kernels, one per line.
    Kernels,
    /// `INDEX INTERFACE VAL` for each mutant of a kernel: 1 where the
    /// layer lets it pass.
    Layers {
        kernel: String,
        #[command(flatten)]
        range: Range,
    },
    /// `begin INDEX` and `end INDEX` around each mutant's way to the driver.
    Drive {
        kernel: String,
        #[command(flatten)]
        range: Range,
    },
}

/// Mutants `from`, `from + step` and so on, below `to`.
#[derive(clap::Args)]
struct Range {
    #[arg(long, default_value_t = 0)]
    from: u64,
    #[arg(long)]
    to: u64,
    #[arg(long, default_value_t = 1)]
    step: usize,
}

impl Range {
    fn indices(&self) -> impl Iterator<Item = u64> {
        (self.from..self.to).step_by(self.step.max(1))
    }
}

fn main() -> Result<()> {
    match Options::parse().what {
        What::Kernels => {
            for kernel in KERNELS {
                println!("{}", kernel.name);
            }
            Ok(())
        }
        What::Layers { kernel, range } => layers(find(&kernel)?, &range),
        What::Drive { kernel, range } => drive(find(&kernel)?, &range),
    }
}

/// The module of the kernel with this name.
fn find(name: &str) -> Result<&'static [u8]> {
    let kernel = KERNELS.iter().find(|kernel| kernel.name == name);
    let kernel = kernel.with_context(|| format!("expected a kernel, found {name:?}"))?;
    Ok(kernel.spirv)
}

fn backend() -> Result<PersistentVulkanBackend> {
    Ok(PersistentVulkanBackend::builder()
        .cache(Cache::Off)
        .calibration(Calibration::Off)
        .threads(1)
        .build()?)
}

fn layers(module: &[u8], range: &Range) -> Result<()> {
    let backend = backend()?;
    let caps = backend.device();
    for index in range.indices() {
        let spirv = mutant(module, index);
        let interface = KernelInterface::parse(&spirv, caps).is_ok();
        let valid = match validate(&spirv, caps) {
            Ok(()) => true,
            Err(VulkanError::InvalidSpirv { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        println!("{index} {} {}", u8::from(interface), u8::from(valid));
    }
    Ok(())
}

fn drive(module: &[u8], range: &Range) -> Result<()> {
    limit_memory();
    let mut backend = backend()?;
    let interface = KernelInterface::parse(module, backend.device())?;
    trust_all_spirv(Some(interface));
    let a = vec![0x0123_4567_89AB_CDEF; LIMBS * ELEMENTS];
    let b = vec![0x1111_2222_3333_4444; LIMBS * ELEMENTS];
    for index in range.indices() {
        let spirv = mutant(module, index);
        println!("begin {index}");
        let ran = backend.run_field_add(&spirv, &a, &b, ELEMENTS, false);
        println!("end {index} {}", u8::from(ran.is_ok()));
    }
    Ok(())
}

/// A driver that asks for all of the machine's memory fails by itself.
fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let limit = |bytes| Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        let _ = setrlimit(Resource::As, limit(ADDRESS_SPACE));
        let _ = setrlimit(Resource::Core, limit(0));
    }
}
