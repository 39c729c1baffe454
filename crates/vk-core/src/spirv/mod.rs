//! Reads from a SPIR-V module what is needed to run it as a kernel.
//!
//! The kernel interface: a compute entry point, `main` or the only one; in descriptor
//! set 0, storage buffers at bindings 0 and 1 (inputs) and 2 (output); optionally a
//! push constant block that begins with a 32-bit integer, the element count; a
//! workgroup of N x 1 x 1 invocations, one element each.
//!
//! SPIR-V is code that a driver compiles and a device runs: give a module the
//! trust that you give a library you link. Before a driver sees a module, two
//! look at it: [`KernelInterface::parse`], whether it keeps the interface and asks for
//! nothing that the device lacks; and the Khronos validator, where it is installed,
//! whether it is valid ([`SpirvValidation`]). What a valid one does when it runs is not
//! looked at. A [`SpirvPolicy`] names the modules that may run.

mod constants;
mod decorations;
mod grammar;
mod interface;
mod module;
#[cfg(test)]
mod module_tests;
mod policy;
mod requirements;
#[cfg(test)]
mod tests;
mod types;
mod uses;
mod validator;
mod words;

use std::ffi::CString;

use crate::{DeviceCaps, Error};

pub use policy::{SpirvPolicy, spirv_hash};
pub(crate) use validator::check;
pub use validator::{SpirvCheck, SpirvValidation, validate};

/// The binding of the output, behind those of the inputs.
const BINDING_OUT: u32 = 2;
/// How many bindings a kernel's descriptor set has.
pub const BINDINGS: usize = 3;

/// What a module asks of whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelInterface {
    /// The module as words, as the driver takes it.
    pub words: Vec<u32>,
    /// The entry point's name.
    pub entry_point: CString,
    /// Invocations of one workgroup, along x; one element each.
    pub workgroup_size: u32,
    /// Bytes of the push constant block; 0 where the entry point uses none.
    pub push_constant_bytes: u32,
    /// Bytes of shared memory (`Workgroup` variables) at least: without
    /// padding; a bool counts as 4 bytes.
    pub shared_memory_bytes: u32,
    /// Whether the module promises not to write the buffers at bindings 0 and
    /// 1: each is decorated `NonWritable`, or not used.
    pub inputs_read_only: bool,
    local_size_id: bool,
    scalar_layout: bool,
    zeroed_shared_memory: bool,
    float_atomics: bool,
    extended_subgroups: bool,
}

impl KernelInterface {
    /// Reads the interface of the module in `bytes` (little-endian words), for a device
    /// with `caps`.
    ///
    /// # Errors
    /// [`Error::InvalidSpirv`] for what is no module, [`Error::Unsupported`] naming the
    /// SPIR-V version, the capability, the extension, the feature or the limit that the
    /// device or this library lacks, [`Error::NotAKernel`] naming what the interface
    /// expects and what was found.
    pub fn parse(bytes: &[u8], caps: &DeviceCaps) -> Result<Self, Error> {
        let words = words::words(bytes)?;
        let module = module::Module::new(&words);
        requirements::check(&module, caps)?;
        let interface = interface::read(&module)?;
        interface.check_features(caps)?;
        interface.check_limits(caps)?;
        Ok(Self { words, ..interface })
    }

    /// What no capability stands for.
    fn check_features(&self, caps: &DeviceCaps) -> Result<(), Error> {
        let have = &caps.features;
        let needs = [
            (
                self.local_size_id && !have.maintenance4,
                "the feature maintenance4 (execution mode LocalSizeId)",
            ),
            (
                self.scalar_layout && !have.scalar_block_layout,
                "the feature scalarBlockLayout (offsets and strides of a block)",
            ),
            (
                self.zeroed_shared_memory && !have.zero_initialize_workgroup_memory,
                "the feature shaderZeroInitializeWorkgroupMemory (shared memory with an initializer)",
            ),
            (
                self.extended_subgroups && !have.subgroup_extended_types,
                "the feature shaderSubgroupExtendedTypes (subgroup operations on 8, 16 and 64 bits)",
            ),
            (
                self.float_atomics,
                "the extension VK_EXT_shader_atomic_float (atomic operations on floats)",
            ),
        ];
        match needs.into_iter().find(|(lacks, _)| *lacks) {
            Some((_, needed)) => {
                let found = format!("{} without it", caps.name);
                Err(Error::unsupported(needed, found))
            }
            None => Ok(()),
        }
    }

    fn check_limits(&self, caps: &DeviceCaps) -> Result<(), Error> {
        let limits = &caps.limits;
        let most = limits.max_workgroup_size_x;
        let most = most.min(limits.max_workgroup_invocations);
        let (shared, constants) = (limits.max_shared_memory, limits.max_push_constants);
        caps.expect_at_most(&[
            (self.workgroup_size, most, "workgroups of {} invocations"),
            (
                self.shared_memory_bytes,
                shared,
                "{} bytes of shared memory",
            ),
            (
                self.push_constant_bytes,
                constants,
                "{} bytes of push constants",
            ),
        ])
    }
}
