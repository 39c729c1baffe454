//! Reads from a SPIR-V module what is needed to run it as a kernel.
//!
//! The kernel interface: a compute entry point `main`; in descriptor set 0,
//! storage buffers at bindings 0 and 1 (inputs) and 2 (output); optionally a
//! push constant block whose first member is a `u32`, the element count; a
//! workgroup of N x 1 x 1 invocations, one element each.
//!
//! SPIR-V is code that a driver compiles and a device runs: give a module the
//! trust that you give a library you link. A module that is not valid, or does
//! not keep the interface, is refused before a driver sees it; what a valid
//! one does when it runs is not looked at. A [`SpirvPolicy`] names the modules
//! that may run.

mod capabilities;
mod check;
mod interface;
mod module;
mod policy;
#[cfg(test)]
mod tests;
#[cfg(feature = "spirv-val")]
pub(crate) mod validator;

use rspirv::spirv::Capability;

use crate::{ApiVersion, DeviceCaps, Error};

pub use policy::{SpirvPolicy, spirv_hash};

/// The binding of the first input.
pub const BINDING_A: u32 = 0;
/// The binding of the second input.
pub const BINDING_B: u32 = 1;
/// The binding of the output.
pub const BINDING_OUT: u32 = 2;
/// How many bindings a kernel's descriptor set has.
pub const BINDINGS: usize = 3;

/// Checks that the module in `bytes` (little-endian words) is a valid one, whatever it
/// binds: what [`KernelInterface::parse`] checks of a kernel beside its interface.
///
/// # Errors
/// [`Error::InvalidSpirv`] naming the instruction, what was expected of it and what was
/// found.
pub fn check_module(bytes: &[u8]) -> Result<(), Error> {
    let words = module::words(bytes)?;
    check::check(&module::load(&words)?).map(drop)
}

/// What a module asks of whoever runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelInterface {
    /// The module as words, as the driver takes it.
    pub words: Vec<u32>,
    /// SPIR-V version, major and minor.
    pub version: (u8, u8),
    /// Invocations of one workgroup, along x; one element each.
    pub workgroup_size: u32,
    /// Bytes of the push constant block; 0 without one.
    pub push_constant_bytes: u32,
    /// Bytes of shared memory (`Workgroup` variables) at least: without
    /// padding; a bool counts as 4 bytes.
    pub shared_memory_bytes: u32,
    /// Whether the module uses the execution mode `LocalSizeId`.
    pub local_size_id: bool,
    /// Whether the module promises not to write the buffers at bindings 0 and
    /// 1: each is decorated `NonWritable`, or not declared.
    pub inputs_read_only: bool,
    capabilities: Vec<Capability>,
}

impl KernelInterface {
    /// Reads the interface of the module in `bytes` (little-endian words).
    ///
    /// # Errors
    /// [`Error::InvalidSpirv`] naming what was expected and what was found: of
    /// the interface (bindings, push constant block, workgroup size), or of an
    /// instruction that is not valid.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let words = module::words(bytes)?;
        let module = module::load(&words)?;
        let interface = interface::read(words, &module)?;
        let shared_memory_bytes = check::check(&module)?;
        Ok(Self {
            shared_memory_bytes,
            ..interface
        })
    }

    /// Checks that a device with `caps` can run the module.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming the capability, the SPIR-V version or
    /// the limit that the device lacks.
    pub fn check_device(&self, caps: &DeviceCaps) -> Result<(), Error> {
        let most = newest_spirv(caps.api);
        if self.version > most {
            return Err(Error::Unsupported {
                needed: format!("SPIR-V {}.{}", self.version.0, self.version.1),
                found: format!("SPIR-V {}.{} at most (Vulkan {})", most.0, most.1, caps.api),
            });
        }
        for capability in &self.capabilities {
            capabilities::check(*capability, caps)?;
        }
        if self.local_size_id && !caps.features.maintenance4 {
            return Err(Error::Unsupported {
                needed: "the feature maintenance4 (execution mode LocalSizeId)".to_owned(),
                found: format!("{} without it", caps.name),
            });
        }
        let limits = &caps.limits;
        let most = limits
            .max_workgroup_size_x
            .min(limits.max_workgroup_invocations);
        if self.workgroup_size > most {
            return Err(Error::Unsupported {
                needed: format!("workgroups of {} invocations", self.workgroup_size),
                found: format!("{most} at most on {}", caps.name),
            });
        }
        if self.shared_memory_bytes > limits.max_shared_memory {
            return Err(Error::Unsupported {
                needed: format!("{} bytes of shared memory", self.shared_memory_bytes),
                found: format!("{} at most on {}", limits.max_shared_memory, caps.name),
            });
        }
        if self.push_constant_bytes > limits.max_push_constants {
            return Err(Error::Unsupported {
                needed: format!("{} bytes of push constants", self.push_constant_bytes),
                found: format!("{} at most on {}", limits.max_push_constants, caps.name),
            });
        }
        Ok(())
    }
}

/// The name that the Khronos validator `spirv-val` has for the rules of a
/// Vulkan version.
#[must_use]
pub fn validator_environment(api: ApiVersion) -> &'static str {
    if api >= ApiVersion::V1_3 {
        "vulkan1.3"
    } else if api >= ApiVersion::V1_2 {
        "vulkan1.2"
    } else {
        "vulkan1.1"
    }
}

/// The newest SPIR-V that a Vulkan version takes (Vulkan specification,
/// "Versions and Formats" of the appendix on SPIR-V).
fn newest_spirv(api: ApiVersion) -> (u8, u8) {
    if api >= ApiVersion::V1_3 {
        (1, 6)
    } else if api >= ApiVersion::V1_2 {
        (1, 5)
    } else {
        (1, 3)
    }
}
