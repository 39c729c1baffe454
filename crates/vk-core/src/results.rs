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
    let found = TABLE.iter().find(|(calls, _)| calls.contains(&call));
    found.map(|(_, results)| *results)
}

/// Whether the specification allows `call` to return `result`; `None` for a
/// call without an entry in the table.
#[must_use]
pub fn is_allowed(call: &str, result: R) -> Option<bool> {
    let anywhere = [R::ERROR_UNKNOWN, R::ERROR_VALIDATION_FAILED_EXT];
    allowed(call).map(|results| results.contains(&result) || anywhere.contains(&result))
}

/// Rows of calls and what they may return beside success.
macro_rules! table {
    ($($($call:literal)+ => $($result:ident)*;)+) => {
        &[$((&[$($call),+], &[R::SUCCESS, $(R::$result),*])),+]
    };
}

const TABLE: &[(&[&str], &[R])] = table! {
    "vkEnumerateInstanceVersion" "vkCreateDebugUtilsMessengerEXT"
        => ERROR_OUT_OF_HOST_MEMORY;
    "vkResetCommandBuffer" "vkResetFences"
        => ERROR_OUT_OF_DEVICE_MEMORY;
    "vmaCreateAllocator" "vmaFlushAllocation" "vmaInvalidateAllocation"
    "vkCreateSemaphore" "vkCreateFence" "vkCreateQueryPool" "vkCreateCommandPool"
    "vkCreatePipelineCache" "vkCreateDescriptorSetLayout" "vkCreatePipelineLayout"
    "vkFlushMappedMemoryRanges" "vkInvalidateMappedMemoryRanges"
    "vkAllocateCommandBuffers" "vkBeginCommandBuffer" "vkEndCommandBuffer"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY;
    "vkQueueSubmit" "vkGetSemaphoreCounterValue" "vkDeviceWaitIdle"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_DEVICE_LOST;
    "vkGetFenceStatus" "vkGetQueryPoolResults"
        => NOT_READY ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_DEVICE_LOST;
    "vkWaitSemaphores" "vkWaitForFences"
        => TIMEOUT ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_DEVICE_LOST;
    "vkEnumerateInstanceLayerProperties" "vkGetPipelineCacheData"
        => INCOMPLETE ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY;
    "vkEnumerateInstanceExtensionProperties" "vkEnumerateDeviceExtensionProperties"
        => INCOMPLETE ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_LAYER_NOT_PRESENT;
    "vkEnumeratePhysicalDevices"
        => INCOMPLETE ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_INITIALIZATION_FAILED;
    "vkCreateInstance"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_INITIALIZATION_FAILED
           ERROR_LAYER_NOT_PRESENT ERROR_EXTENSION_NOT_PRESENT ERROR_INCOMPATIBLE_DRIVER;
    "vkCreateDevice"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_INITIALIZATION_FAILED
           ERROR_EXTENSION_NOT_PRESENT ERROR_FEATURE_NOT_PRESENT ERROR_TOO_MANY_OBJECTS
           ERROR_DEVICE_LOST;
    "vkCreateShaderModule"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_INVALID_SHADER_NV;
    "vkCreateComputePipelines"
        => PIPELINE_COMPILE_REQUIRED ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_INVALID_SHADER_NV;
    // The last three are the allocator's own: no such type, too many allocations, size 0.
    "vmaCreateBuffer"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS ERROR_INVALID_EXTERNAL_HANDLE
           ERROR_MEMORY_MAP_FAILED
           ERROR_FEATURE_NOT_PRESENT ERROR_TOO_MANY_OBJECTS ERROR_INITIALIZATION_FAILED;
    "vkCreateBuffer" "vkBindBufferMemory" "vkBindBufferMemory2"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS;
    "vkAllocateMemory"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_INVALID_EXTERNAL_HANDLE ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS;
    "vkMapMemory"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_MEMORY_MAP_FAILED;
    "vkCreateDescriptorPool"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY ERROR_FRAGMENTATION;
    "vkAllocateDescriptorSets"
        => ERROR_OUT_OF_HOST_MEMORY ERROR_OUT_OF_DEVICE_MEMORY
           ERROR_FRAGMENTED_POOL ERROR_OUT_OF_POOL_MEMORY;
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_there_once_with_each_result_once() {
        let calls = || TABLE.iter().flat_map(|(calls, _)| *calls);
        let names: std::collections::BTreeSet<_> = calls().collect();
        assert_eq!(calls().count(), names.len());
        for (names, results) in TABLE {
            let distinct: std::collections::HashSet<_> = results.iter().collect();
            assert_eq!(results.len(), distinct.len(), "{names:?}");
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
        let made = [
            ("vmaCreateBuffer", "vkCreateBuffer"),
            ("vmaCreateBuffer", "vkAllocateMemory"),
            ("vmaCreateBuffer", "vkMapMemory"),
            ("vmaCreateBuffer", "vkBindBufferMemory"),
            ("vmaCreateBuffer", "vkBindBufferMemory2"),
            ("vmaFlushAllocation", "vkFlushMappedMemoryRanges"),
            ("vmaInvalidateAllocation", "vkInvalidateMappedMemoryRanges"),
        ];
        for (outer, call) in made {
            for result in allowed(call).unwrap() {
                assert_eq!(is_allowed(outer, *result), Some(true), "{call} {result:?}");
            }
        }
    }
}
