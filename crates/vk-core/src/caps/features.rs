//! Optional features: read from a physical device, and turned on for a logical one.

use ash::vk;

use super::ApiVersion;

#[cfg(feature = "testing")]
use crate::testing::fences_forced;

/// In tests alone a device with timeline semaphores can pass for one without.
#[cfg(not(feature = "testing"))]
const fn fences_forced() -> bool {
    false
}

/// Rows of features: documentation, name, and the members of Vulkan's structs that it
/// stands for, all of which it takes.
macro_rules! features {
    ($($(#[$doc:meta])* $name:ident: $($part:ident.$member:ident)&&+;)+) => {
        /// Optional features; each one present is enabled on the logical device.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Features {
            $(
                #[doc = concat!("Vulkan's `", stringify!($($member)&&+), "`.\n")]
                $(#[$doc])*
                pub $name: bool,
            )+
            /// Subgroup operations usable in compute shaders.
            pub subgroup_operations: vk::SubgroupFeatureFlags,
        }

        impl Features {
            /// Every one.
            #[cfg(feature = "testing")]
            pub(crate) fn all() -> Self {
                Self {
                    $($name: true,)+
                    subgroup_operations: vk::SubgroupFeatureFlags::from_raw(0xff),
                }
            }

            fn read(chain: &Chain) -> Self {
                Self {
                    $($name: $(chain.$part.$member == vk::TRUE)&&+,)+
                    subgroup_operations: vk::SubgroupFeatureFlags::empty(),
                }
            }

            /// Vulkan's structs with these features turned on.
            pub(crate) fn chain(&self) -> Chain {
                let mut chain = Chain::default();
                $($(chain.$part.$member = self.$name.into();)+)+
                chain
            }
        }
    };
}

features! {
    shader_int64: core.shader_int64;
    shader_int16: core.shader_int16;
    shader_float64: core.shader_float64;
    storage_buffer_16bit: storage16.storage_buffer16_bit_access;
    variable_pointers: pointers.variable_pointers_storage_buffer && pointers.variable_pointers;
    shader_int8: v12.shader_int8;
    shader_float16: v12.shader_float16;
    storage_buffer_8bit: v12.storage_buffer8_bit_access;
    /// Without device scope a module with atomics at that scope, which plain GLSL has, would
    /// not be valid.
    vulkan_memory_model: v12.vulkan_memory_model && v12.vulkan_memory_model_device_scope;
    scalar_block_layout: v12.scalar_block_layout;
    subgroup_extended_types: v12.shader_subgroup_extended_types;
    zero_initialize_workgroup_memory: v13.shader_zero_initialize_workgroup_memory;
    timeline_semaphore: v12.timeline_semaphore;
    host_query_reset: v12.host_query_reset;
    /// It is needed for the execution mode `LocalSizeId`.
    maintenance4: v13.maintenance4;
}

/// The structs that Vulkan has features in.
#[derive(Default)]
pub(crate) struct Chain {
    core: vk::PhysicalDeviceFeatures,
    storage16: vk::PhysicalDevice16BitStorageFeatures<'static>,
    pointers: vk::PhysicalDeviceVariablePointersFeatures<'static>,
    v12: vk::PhysicalDeviceVulkan12Features<'static>,
    v13: vk::PhysicalDeviceVulkan13Features<'static>,
}

impl Chain {
    /// Those of `api`, linked: once, since the links stay.
    pub(crate) fn link(&mut self, api: ApiVersion) -> vk::PhysicalDeviceFeatures2<'_> {
        let mut all = vk::PhysicalDeviceFeatures2::default()
            .features(self.core)
            .push_next(&mut self.storage16)
            .push_next(&mut self.pointers);
        if api >= ApiVersion::V1_2 {
            all = all.push_next(&mut self.v12);
        }
        if api >= ApiVersion::V1_3 {
            all = all.push_next(&mut self.v13);
        }
        all
    }
}

impl Features {
    /// Whether invocations of a compute shader can hand values to others of their subgroup
    /// (`SHUFFLE`, and what says who is in it, `BASIC`).
    #[must_use]
    pub fn subgroup_shuffle(&self) -> bool {
        let needed = vk::SubgroupFeatureFlags::BASIC | vk::SubgroupFeatureFlags::SHUFFLE;
        self.subgroup_operations.contains(needed)
    }

    /// Those that `physical` has.
    pub(super) fn query(
        instance: &ash::Instance,
        physical: vk::PhysicalDevice,
        api: ApiVersion,
        subgroup: &vk::PhysicalDeviceSubgroupProperties<'_>,
    ) -> Self {
        let mut chain = Chain::default();
        let mut all = chain.link(api);
        // SAFETY: `physical` belongs to `instance`; every linked struct is of a
        // version that `api` covers.
        unsafe { instance.get_physical_device_features2(physical, &mut all) };
        chain.core = all.features;
        let mut features = Self::read(&chain);
        features.timeline_semaphore &= !fences_forced();
        let stages = subgroup.supported_stages;
        if stages.contains(vk::ShaderStageFlags::COMPUTE) {
            features.subgroup_operations = subgroup.supported_operations;
        }
        features
    }
}
