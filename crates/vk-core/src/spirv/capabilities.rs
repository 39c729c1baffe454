//! Which device feature each SPIR-V capability needs.

use ash::vk::SubgroupFeatureFlags as Subgroup;
use rspirv::spirv::Capability;

use crate::{DeviceCaps, Error, Features};

/// Checks one capability of a module against a device.
pub(super) fn check(capability: Capability, caps: &DeviceCaps) -> Result<(), Error> {
    let (present, feature) = requirement(capability, &caps.features);
    if present {
        return Ok(());
    }
    Err(Error::Unsupported {
        needed: format!("the SPIR-V capability {capability:?}"),
        found: format!("{} {feature}", caps.name),
    })
}

/// Whether `have` covers the capability, and what to say where it does not.
///
/// What is not in this table is refused: running a module whose capability
/// was not enabled on the device is undefined behaviour.
fn requirement(capability: Capability, have: &Features) -> (bool, &'static str) {
    let subgroup = |operation| have.subgroup_operations.contains(operation);
    match capability {
        Capability::Shader | Capability::Matrix => (true, ""),
        Capability::Int64 => (have.shader_int64, "without shaderInt64"),
        Capability::Int16 => (have.shader_int16, "without shaderInt16"),
        Capability::Int8 => (have.shader_int8, "without shaderInt8"),
        Capability::Float64 => (have.shader_float64, "without shaderFloat64"),
        Capability::Float16 => (have.shader_float16, "without shaderFloat16"),
        Capability::StorageBuffer16BitAccess => (
            have.storage_buffer_16bit,
            "without storageBuffer16BitAccess",
        ),
        Capability::StorageBuffer8BitAccess => {
            (have.storage_buffer_8bit, "without storageBuffer8BitAccess")
        }
        Capability::VariablePointers | Capability::VariablePointersStorageBuffer => {
            (have.variable_pointers, "without variablePointers")
        }
        Capability::VulkanMemoryModel => (have.vulkan_memory_model, "without vulkanMemoryModel"),
        Capability::GroupNonUniform => (subgroup(Subgroup::BASIC), "without basic subgroups"),
        Capability::GroupNonUniformVote => (subgroup(Subgroup::VOTE), "without subgroup vote"),
        Capability::GroupNonUniformBallot => {
            (subgroup(Subgroup::BALLOT), "without subgroup ballot")
        }
        Capability::GroupNonUniformArithmetic => (
            subgroup(Subgroup::ARITHMETIC),
            "without subgroup arithmetic",
        ),
        Capability::GroupNonUniformShuffle => {
            (subgroup(Subgroup::SHUFFLE), "without subgroup shuffle")
        }
        Capability::GroupNonUniformShuffleRelative => (
            subgroup(Subgroup::SHUFFLE_RELATIVE),
            "without relative subgroup shuffle",
        ),
        _ => (
            false,
            "without it: this library does not enable it (see docs/kernels.md)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    #[test]
    fn a_missing_feature_is_named() {
        let error = check(Capability::Int64, &recorded::integrated()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("Int64") && text.contains("without shaderInt64"),
            "{text}"
        );
        assert!(check(Capability::Int64, &recorded::h200()).is_ok());
    }

    #[test]
    fn an_unknown_capability_is_refused() {
        let error = check(Capability::RayQueryKHR, &recorded::h200()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("found NVIDIA H200 without it: "), "{text}");
    }
}
