//! Which results each entry point may return, by the Vulkan specification.

use ash::vk::Result as R;

/// The results that the specification allows `call` to return, successes
/// first; `None` for an entry point that this project does not call, or that
/// returns no result.
///
/// Every call may also return [`vk::Result::ERROR_UNKNOWN`] and
/// [`vk::Result::ERROR_VALIDATION_FAILED_EXT`] (the second from a layer);
/// [`is_allowed`] knows them, this list does not.
///
/// The calls of the memory allocator (`vma...`) have the union of the calls
/// that they make, and what the allocator itself reports.
///
/// [`vk::Result::ERROR_UNKNOWN`]: ash::vk::Result::ERROR_UNKNOWN
/// [`vk::Result::ERROR_VALIDATION_FAILED_EXT`]: ash::vk::Result::ERROR_VALIDATION_FAILED_EXT
#[must_use]
pub fn allowed(call: &str) -> Option<&'static [R]> {
    let found = TABLE.iter().find(|(name, _)| *name == call);
    found.map(|(_, results)| *results)
}

/// Whether the specification allows `call` to return `result`; `None` for a
/// call without an entry in the table.
#[must_use]
pub fn is_allowed(call: &str, result: R) -> Option<bool> {
    let anywhere = [R::ERROR_UNKNOWN, R::ERROR_VALIDATION_FAILED_EXT];
    allowed(call).map(|results| results.contains(&result) || anywhere.contains(&result))
}

/// Every call of the table, in the order of a program's life.
pub fn calls() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

const MEMORY: &[R] = &[
    R::SUCCESS,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
];
const MEMORY_OR_LOSS: &[R] = &[
    R::SUCCESS,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
    R::ERROR_DEVICE_LOST,
];
const QUERY_OR_LOSS: &[R] = &[
    R::SUCCESS,
    R::NOT_READY,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
    R::ERROR_DEVICE_LOST,
];
const WAIT: &[R] = &[
    R::SUCCESS,
    R::TIMEOUT,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
    R::ERROR_DEVICE_LOST,
];
const LIST: &[R] = &[
    R::SUCCESS,
    R::INCOMPLETE,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
];
const LIST_OF_LAYER: &[R] = &[
    R::SUCCESS,
    R::INCOMPLETE,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
    R::ERROR_LAYER_NOT_PRESENT,
];
const DEVICE_MEMORY: &[R] = &[R::SUCCESS, R::ERROR_OUT_OF_DEVICE_MEMORY];
const CAPTURED: &[R] = &[
    R::SUCCESS,
    R::ERROR_OUT_OF_HOST_MEMORY,
    R::ERROR_OUT_OF_DEVICE_MEMORY,
    R::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS,
];

const TABLE: &[(&str, &[R])] = &[
    (
        "vkEnumerateInstanceVersion",
        &[R::SUCCESS, R::ERROR_OUT_OF_HOST_MEMORY],
    ),
    ("vkEnumerateInstanceLayerProperties", LIST),
    ("vkEnumerateInstanceExtensionProperties", LIST_OF_LAYER),
    (
        "vkCreateInstance",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INITIALIZATION_FAILED,
            R::ERROR_LAYER_NOT_PRESENT,
            R::ERROR_EXTENSION_NOT_PRESENT,
            R::ERROR_INCOMPATIBLE_DRIVER,
        ],
    ),
    (
        "vkCreateDebugUtilsMessengerEXT",
        &[R::SUCCESS, R::ERROR_OUT_OF_HOST_MEMORY],
    ),
    (
        "vkEnumeratePhysicalDevices",
        &[
            R::SUCCESS,
            R::INCOMPLETE,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INITIALIZATION_FAILED,
        ],
    ),
    ("vkEnumerateDeviceExtensionProperties", LIST_OF_LAYER),
    (
        "vkCreateDevice",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INITIALIZATION_FAILED,
            R::ERROR_EXTENSION_NOT_PRESENT,
            R::ERROR_FEATURE_NOT_PRESENT,
            R::ERROR_TOO_MANY_OBJECTS,
            R::ERROR_DEVICE_LOST,
        ],
    ),
    ("vkCreateSemaphore", MEMORY),
    ("vkCreateFence", MEMORY),
    ("vkCreatePipelineCache", MEMORY),
    ("vkCreateDescriptorSetLayout", MEMORY),
    ("vmaCreateAllocator", MEMORY),
    ("vkCreatePipelineLayout", MEMORY),
    (
        "vkCreateShaderModule",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INVALID_SHADER_NV,
        ],
    ),
    (
        "vkCreateComputePipelines",
        &[
            R::SUCCESS,
            R::PIPELINE_COMPILE_REQUIRED,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INVALID_SHADER_NV,
        ],
    ),
    ("vkGetPipelineCacheData", LIST),
    (
        "vmaCreateBuffer",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS,
            R::ERROR_INVALID_EXTERNAL_HANDLE,
            R::ERROR_MEMORY_MAP_FAILED,
            // The allocator's own: no such type, too many allocations, size 0.
            R::ERROR_FEATURE_NOT_PRESENT,
            R::ERROR_TOO_MANY_OBJECTS,
            R::ERROR_INITIALIZATION_FAILED,
        ],
    ),
    ("vkCreateBuffer", CAPTURED),
    (
        "vkAllocateMemory",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_INVALID_EXTERNAL_HANDLE,
            R::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS,
        ],
    ),
    (
        "vkMapMemory",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_MEMORY_MAP_FAILED,
        ],
    ),
    ("vkBindBufferMemory", CAPTURED),
    ("vkBindBufferMemory2", CAPTURED),
    ("vmaFlushAllocation", MEMORY),
    ("vmaInvalidateAllocation", MEMORY),
    ("vkFlushMappedMemoryRanges", MEMORY),
    ("vkInvalidateMappedMemoryRanges", MEMORY),
    (
        "vkCreateDescriptorPool",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_FRAGMENTATION,
        ],
    ),
    (
        "vkAllocateDescriptorSets",
        &[
            R::SUCCESS,
            R::ERROR_OUT_OF_HOST_MEMORY,
            R::ERROR_OUT_OF_DEVICE_MEMORY,
            R::ERROR_FRAGMENTED_POOL,
            R::ERROR_OUT_OF_POOL_MEMORY,
        ],
    ),
    ("vkCreateQueryPool", MEMORY),
    ("vkCreateCommandPool", MEMORY),
    ("vkAllocateCommandBuffers", MEMORY),
    ("vkResetCommandBuffer", DEVICE_MEMORY),
    ("vkBeginCommandBuffer", MEMORY),
    ("vkEndCommandBuffer", MEMORY),
    ("vkResetFences", DEVICE_MEMORY),
    ("vkQueueSubmit", MEMORY_OR_LOSS),
    ("vkGetSemaphoreCounterValue", MEMORY_OR_LOSS),
    ("vkGetFenceStatus", QUERY_OR_LOSS),
    ("vkWaitSemaphores", WAIT),
    ("vkWaitForFences", WAIT),
    ("vkGetQueryPoolResults", QUERY_OR_LOSS),
    ("vkDeviceWaitIdle", MEMORY_OR_LOSS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_there_once_and_may_succeed() {
        let names: Vec<_> = calls().collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
        for (name, results) in TABLE {
            assert_eq!(results.first(), Some(&R::SUCCESS), "{name}");
            let distinct: std::collections::HashSet<_> = results.iter().collect();
            assert_eq!(results.len(), distinct.len(), "{name}");
        }
    }

    #[test]
    fn only_what_the_specification_lists_is_allowed() {
        let lost = R::ERROR_DEVICE_LOST;
        assert_eq!(is_allowed("vkQueueSubmit", lost), Some(true));
        assert_eq!(is_allowed("vkMapMemory", lost), Some(false));
        assert_eq!(
            is_allowed("vkMapMemory", R::ERROR_MEMORY_MAP_FAILED),
            Some(true)
        );
        assert_eq!(is_allowed("vkMapMemory", R::ERROR_UNKNOWN), Some(true));
        assert_eq!(is_allowed("vkCmdDispatch", lost), None);
    }

    /// The allocator reports what the calls that it makes report.
    #[test]
    fn a_call_of_the_allocator_may_return_what_its_calls_may() {
        let made: [(&str, &[&str]); 3] = [
            (
                "vmaCreateBuffer",
                &[
                    "vkCreateBuffer",
                    "vkAllocateMemory",
                    "vkMapMemory",
                    "vkBindBufferMemory",
                    "vkBindBufferMemory2",
                ],
            ),
            ("vmaFlushAllocation", &["vkFlushMappedMemoryRanges"]),
            (
                "vmaInvalidateAllocation",
                &["vkInvalidateMappedMemoryRanges"],
            ),
        ];
        for (outer, inner) in made {
            for call in inner {
                for result in allowed(call).unwrap() {
                    assert_eq!(is_allowed(outer, *result), Some(true), "{call} {result:?}");
                }
            }
        }
    }
}
