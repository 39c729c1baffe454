//! What a module needs of a device by its version, capabilities, extensions and sets
//! of instructions.
//!
//! What is in no table here is refused: running a module with a capability or an
//! extension that was not enabled on the device is undefined behaviour.

use ash::vk::SubgroupFeatureFlags as Subgroup;
use rspirv::spirv::{BuiltIn, Capability, Decoration, Op};

use super::module::Module;
use super::types::Kind;
use crate::{ApiVersion, DeviceCaps, Error, Features};

/// The set of mathematical functions that every device has.
pub(super) const GLSL: &str = "GLSL.std.450";

const NOT_ENABLED: &str = "without it: this library does not enable it (see docs/kernels.md)";

/// Checks a module against a device.
///
/// # Errors
/// [`Error::Unsupported`] naming the version, the capability, the extension, the set, or
/// what drivers compute wrongly.
pub(super) fn check(module: &Module<'_>, caps: &DeviceCaps) -> Result<(), Error> {
    let most = newest_spirv(caps.api);
    if module.version > most || module.version < (1, 0) {
        let needed = format!("SPIR-V {}.{}", module.version.0, module.version.1);
        let found = format!("SPIR-V {}.{} at most (Vulkan {})", most.0, most.1, caps.api);
        return Err(Error::unsupported(needed, found));
    }
    let lacks = |needed: String, reason: &str| {
        let found = format!("{} {reason}", caps.name);
        Err(Error::unsupported(needed, found))
    };
    for number in &module.capabilities {
        let known = Capability::from_u32(*number);
        let name = known.map_or_else(|| number.to_string(), |known| format!("{known:?}"));
        let needed = format!("the SPIR-V capability {name}");
        match known.and_then(|known| capability_of(known, &caps.features)) {
            None => return lacks(needed, NOT_ENABLED),
            Some((feature, false)) => return lacks(needed, &format!("without {feature}")),
            Some((_, true)) => {}
        }
    }
    for name in &module.extensions {
        let needed = || format!("the SPIR-V extension {name}");
        match extension_since(name) {
            None => return lacks(needed(), NOT_ENABLED),
            Some(since) if caps.api < since => {
                return lacks(needed(), &format!("with Vulkan {}", caps.api));
            }
            Some(_) => {}
        }
    }
    for name in module.sets.values() {
        // Debug information changes nothing of what is computed.
        let debug = name.starts_with("NonSemantic.") || name == "OpenCL.DebugInfo.100";
        if name != GLSL && !debug {
            return lacks(format!("the set of instructions {name:?}"), "without it");
        }
    }
    if sized_by_operation(module) {
        return lacks(
            "a workgroup size that an operation on vectors yields".to_owned(),
            "whose driver may take another (see docs/kernels.md)",
        );
    }
    if keeps_a_buffer(module) {
        return lacks(
            "a pointer to a whole buffer or its array in a variable, or as what a function returns"
                .to_owned(),
            "whose driver may compute that wrongly (see docs/kernels.md)",
        );
    }
    Ok(())
}

/// Whether the built-in `WorkgroupSize` is what a specialization operation yields, not
/// a composite. That is valid, but NVIDIA's compiler (580.159.04) runs one invocation then.
fn sized_by_operation(module: &Module<'_>) -> bool {
    let size = BuiltIn::WorkgroupSize as u32;
    let sizes: Vec<_> = module.decorations.built_in(size).collect();
    module
        .instructions
        .iter()
        .any(|i| i.op == Some(Op::SpecConstantOp) && sizes.contains(&i.word(1)))
}

/// Whether a variable holds, or a function returns, a pointer to a block or to an array
/// without a length. That is valid where variable pointers are, but NVIDIA's compiler
/// (580.159.04) drops what is written through such a pointer or ends the process, and
/// Mesa's (22.3.6) drops it where the variable has it from an initializer. Pointers to
/// elements are computed rightly.
fn keeps_a_buffer(module: &Module<'_>) -> bool {
    let types = &module.types;
    let is_buffer = |pointer: u32| {
        let to = types.pointee(pointer).map(|(_, to)| to);
        let facts = to.map(|to| module.decorations.of(to));
        let is_block = facts.is_some_and(|facts| {
            facts.has(Decoration::Block) || facts.has(Decoration::BufferBlock)
        });
        let target = to.and_then(|to| types.get(to));
        let endless = |of: &super::types::Type<'_>| {
            matches!(of.kind, Kind::Array { .. }) && of.extent == Some(0)
        };
        is_block || target.is_some_and(endless)
    };
    module.instructions.iter().any(|i| match i.op {
        Some(Op::Variable) => {
            let held = types.pointee(i.word(0)).map(|(_, of)| of);
            held.is_some_and(|held| is_buffer(types.without_arrays(held)))
        }
        Some(Op::Function) => is_buffer(i.word(0)),
        _ => false,
    })
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

/// What a capability stands for, and whether `have` covers it; `None` for one that this library
/// does not enable.
fn capability_of(capability: Capability, have: &Features) -> Option<(&'static str, bool)> {
    use Capability as C;
    let subgroup = |operation| have.subgroup_operations.contains(operation);
    Some(match capability {
        // Of every device that Vulkan knows.
        C::Shader | C::Matrix | C::InputAttachment | C::DerivativeControl => ("", true),
        C::Sampled1D | C::Image1D | C::SampledBuffer | C::ImageBuffer | C::ImageQuery => ("", true),
        C::Int64 => ("shaderInt64", have.shader_int64),
        C::Int16 => ("shaderInt16", have.shader_int16),
        C::Int8 => ("shaderInt8", have.shader_int8),
        C::Float64 => ("shaderFloat64", have.shader_float64),
        C::Float16 => ("shaderFloat16", have.shader_float16),
        C::StorageBuffer16BitAccess => ("storageBuffer16BitAccess", have.storage_buffer_16bit),
        C::StorageBuffer8BitAccess => ("storageBuffer8BitAccess", have.storage_buffer_8bit),
        C::VariablePointers | C::VariablePointersStorageBuffer => {
            ("variablePointers", have.variable_pointers)
        }
        C::VulkanMemoryModel | C::VulkanMemoryModelDeviceScope => {
            ("vulkanMemoryModel", have.vulkan_memory_model)
        }
        C::GroupNonUniform => ("basic subgroups", subgroup(Subgroup::BASIC)),
        C::GroupNonUniformVote => ("subgroup vote", subgroup(Subgroup::VOTE)),
        C::GroupNonUniformBallot => ("subgroup ballot", subgroup(Subgroup::BALLOT)),
        C::GroupNonUniformArithmetic => ("subgroup arithmetic", subgroup(Subgroup::ARITHMETIC)),
        C::GroupNonUniformShuffle => ("subgroup shuffle", subgroup(Subgroup::SHUFFLE)),
        C::GroupNonUniformShuffleRelative => (
            "relative subgroup shuffle",
            subgroup(Subgroup::SHUFFLE_RELATIVE),
        ),
        C::GroupNonUniformClustered => (
            "clustered subgroup operations",
            subgroup(Subgroup::CLUSTERED),
        ),
        C::GroupNonUniformQuad => ("subgroup quads", subgroup(Subgroup::QUAD)),
        _ => return None,
    })
}

/// The Vulkan version that has an extension of SPIR-V built in; `None` for one that
/// no version has, or none that this library asks for. What it brings beside is behind
/// capabilities. (`SPV_KHR_no_integer_wrap_decoration` is none of Vulkan's: its
/// decorations are part of SPIR-V 1.4.)
fn extension_since(name: &str) -> Option<ApiVersion> {
    match name {
        "SPV_KHR_storage_buffer_storage_class"
        | "SPV_KHR_variable_pointers"
        | "SPV_KHR_16bit_storage"
        | "SPV_KHR_device_group"
        | "SPV_KHR_multiview"
        | "SPV_KHR_shader_draw_parameters" => Some(ApiVersion::V1_1),
        "SPV_KHR_8bit_storage"
        | "SPV_KHR_vulkan_memory_model"
        | "SPV_KHR_float_controls"
        | "SPV_KHR_physical_storage_buffer"
        | "SPV_EXT_physical_storage_buffer"
        | "SPV_EXT_descriptor_indexing"
        | "SPV_EXT_shader_viewport_index_layer" => Some(ApiVersion::V1_2),
        "SPV_KHR_non_semantic_info"
        | "SPV_KHR_integer_dot_product"
        | "SPV_KHR_terminate_invocation"
        | "SPV_EXT_demote_to_helper_invocation" => Some(ApiVersion::V1_3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    fn refusal(module: &Module<'_>, caps: &DeviceCaps) -> String {
        match check(module, caps) {
            Err(Error::Unsupported { needed, found }) => format!("{needed}, {found}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_a_device_lacks_is_named() {
        let of = |capability: u32| Module {
            version: (1, 3),
            capabilities: vec![1, capability],
            ..Module::default()
        };
        let int64 = of(Capability::Int64 as u32);
        let text = refusal(&int64, &recorded::integrated());
        assert!(text.starts_with("the SPIR-V capability Int64, "), "{text}");
        assert!(text.ends_with("without shaderInt64"), "{text}");
        assert_eq!(check(&int64, &recorded::h200()), Ok(()));
        let text = refusal(&of(Capability::RayQueryKHR as u32), &recorded::h200());
        assert!(
            text.contains("RayQueryKHR, NVIDIA H200 without it"),
            "{text}"
        );
        let text = refusal(&of(0x7FFF_0000), &recorded::h200());
        assert!(
            text.starts_with("the SPIR-V capability 2147418112, "),
            "{text}"
        );
    }

    #[test]
    fn extensions_come_with_a_vulkan_version_or_not_at_all() {
        let of = |name: &str| Module {
            version: (1, 0),
            extensions: vec![name.to_owned()],
            ..Module::default()
        };
        let mut old = recorded::h200();
        old.api = ApiVersion::V1_1;
        let debug = of("SPV_KHR_non_semantic_info");
        assert_eq!(check(&debug, &recorded::h200()), Ok(()));
        let text = refusal(&debug, &old);
        let expected =
            "the SPIR-V extension SPV_KHR_non_semantic_info, NVIDIA H200 with Vulkan 1.1.0";
        assert_eq!(text, expected);
        let text = refusal(&of("SPV_NEW_thing"), &recorded::h200());
        assert!(text.contains("SPV_NEW_thing"), "{text}");
    }
}
