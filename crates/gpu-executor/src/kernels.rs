//! The library's own kernels, and which one a device runs by default.

pub use field_kernels::{
    BLS12_381_FIELD_ADD_SPV, ELEMENT_BYTES, FIELD_ADD, FIELD_ADD_U64, KERNELS, Kernel, LIMBS,
    MANIFEST_JSON, MODULUS, find_by_spirv,
};

pub use vk_core::spirv::spirv_hash;

use vk_core::spirv::{SpirvPolicy, SpirvValidation};
use vk_core::{DeviceCaps, DeviceKind};

/// The field addition that a device with `caps` runs when the caller passes
/// no kernel.
///
/// GPUs multiply and add 32-bit words natively and gain from coalesced loads;
/// a software device runs 64-bit limbs on the host's 64-bit registers
/// (docs/benchmarks.md has both measured on both).
#[must_use]
pub fn field_add_for(caps: &DeviceCaps) -> &'static Kernel {
    match caps.kind {
        DeviceKind::Software if caps.features.shader_int64 => &FIELD_ADD_U64,
        _ => &FIELD_ADD,
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The policy under which this library's own kernels run, and of other modules those
/// with the hashes `only`, where there are any, and under this validation.
pub(crate) fn policy(only: Option<Vec<[u8; 32]>>, validation: SpirvValidation) -> SpirvPolicy {
    let own = KERNELS.iter().map(|kernel| spirv_hash(kernel.spirv));
    SpirvPolicy {
        only,
        own: own.collect(),
        validation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vk_core::testing::recorded;

    #[test]
    fn the_kernel_suits_the_device_and_what_it_can_do() {
        assert_eq!(field_add_for(&recorded::h200()).name, FIELD_ADD.name);
        assert_eq!(field_add_for(&recorded::integrated()).name, FIELD_ADD.name);
        let mut caps = recorded::llvmpipe();
        assert_eq!(field_add_for(&caps).name, FIELD_ADD_U64.name);
        caps.features.shader_int64 = false;
        assert_eq!(field_add_for(&caps).name, FIELD_ADD.name);
    }
}
