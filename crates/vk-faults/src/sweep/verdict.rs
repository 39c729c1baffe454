//! What became of the library under a fault, and whether that is right.

use ash::vk;
use gpu_executor::{DataPathError, Error, VulkanError};
use serde::{Deserialize, Serialize};

use super::scenario::Scenario;
use crate::{Fault, Mode};

/// What became of the library under a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every result was right in spite of the fault.
    Right,
    /// A typed error that names the fault; afterwards all was well again.
    TypedError,
    /// The call that was to fail did not come.
    NotReached,
    /// A broken promise.
    Broken {
        /// Which one.
        promise: Promise,
        /// What was found.
        found: String,
    },
}

/// What the library promises under every fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Promise {
    /// No wrong result passes for a right one.
    NoFalseSuccess,
    /// An error is of the library's type, and says what happened.
    TypedError,
    /// The run after a failed one gives right results.
    NextCallWorks,
    /// Nothing that was made is left when the backend is gone.
    NoLeak,
    /// Every call returns.
    NoHang,
    /// The process lives on.
    NoCrash,
    /// A run that can do with less memory does.
    MemoryIsHalved,
}

impl Verdict {
    /// A broken promise.
    #[must_use]
    pub fn broken(promise: Promise, found: impl Into<String>) -> Self {
        // One line each, in the table of them.
        let found = found.into().replace(['\n', '\t'], " ");
        Self::Broken { promise, found }
    }
}

pub(super) fn typed(error: &anyhow::Error) -> Option<&Error> {
    error.downcast_ref()
}

/// Whether work may still be in flight after `error`, whose memory is then
/// kept on purpose.
pub(super) fn leaves_work_in_flight(error: &Error) -> bool {
    matches!(
        error,
        Error::Vulkan(VulkanError::Timeout { .. } | VulkanError::Busy { .. })
    )
}

pub(super) fn is_loss(error: &Error) -> bool {
    matches!(error, Error::Vulkan(VulkanError::DeviceLost { .. }))
}

/// Whether `error` says what `fault` did.
pub(super) fn names(error: &Error, scenario: &Scenario, fault: &Fault) -> bool {
    use vk::Result as R;
    // The allocator tries again and elsewhere, and folds the reasons together.
    if is_for_allocator(&fault.call) && is_out_of_memory(error) {
        return true;
    }
    // The loader lists a device's extensions within vkCreateDevice too, and
    // passes on what it hears, allowed there or not.
    let by_loader = |call: &str| fault.call == LISTED_BY_LOADER && call == "vkCreateDevice";
    let same_call =
        |call: &str| call == fault.call || is_for_allocator(&fault.call) || by_loader(call);
    let Error::Vulkan(error) = error else {
        return false;
    };
    match (fault.result, error) {
        (R::ERROR_OUT_OF_HOST_MEMORY, VulkanError::OutOfHostMemory { call })
        | (R::ERROR_OUT_OF_DEVICE_MEMORY, VulkanError::OutOfDeviceMemory { call })
        | (R::ERROR_DEVICE_LOST, VulkanError::DeviceLost { call }) => same_call(call),
        (_, VulkanError::Timeout { .. } | VulkanError::Busy { .. }) => stalls(scenario, fault),
        // What a loader says that has no driver.
        (R::ERROR_INCOMPATIBLE_DRIVER, VulkanError::NoDevice { .. }) => true,
        (R::ERROR_INITIALIZATION_FAILED, VulkanError::NoDevice { .. }) => {
            fault.call == "vkEnumeratePhysicalDevices"
        }
        (injected, VulkanError::Vulkan { call, result }) => same_call(call) && injected == *result,
        (injected, VulkanError::UnexpectedResult { call, result, .. }) => {
            by_loader(call) && injected == *result
        }
        _ => false,
    }
}

/// Whether nothing ever says that the device has finished: every look says
/// that it has not, or every wait fails where looking shows nothing.
pub(super) fn stalls(scenario: &Scenario, fault: &Fault) -> bool {
    let never = matches!(fault.result, vk::Result::TIMEOUT | vk::Result::NOT_READY);
    let waits = ["vkWaitSemaphores", "vkWaitForFences"].contains(&fault.call.as_str());
    fault.mode == Mode::Sticky && (never || (scenario.pretence.lazy && waits))
}

const LISTED_BY_LOADER: &str = "vkEnumerateDeviceExtensionProperties";

/// Whether a run under `fault` must succeed with smaller chunks: memory is
/// refused once, or in pieces that are larger than a few elements.
pub(super) fn must_be_halved(fault: &Fault) -> bool {
    let refused = fault.result == vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    let makes_buffers = is_for_allocator(&fault.call) && !fault.call.contains("MappedMemory");
    let passes = match fault.mode {
        Mode::Once => true,
        Mode::Larger => fault.index >= LEAST_BYTES,
        Mode::Sticky | Mode::Forwarded => false,
    };
    refused && makes_buffers && passes
}

/// An allocation of this size must do for a chunk.
const LEAST_BYTES: u64 = 128 << 10;

/// The inputs of a chunk of 64 elements, which a run does not cut any further. The first
/// runs of a calibration are as short.
const LEAST_INPUTS: u64 = 2 * 64 * 48;

/// Whether the memory that was refused is that of a chunk which cannot be smaller.
pub(super) fn is_of_least_chunk(error: &Error) -> bool {
    let Error::DataPath(DataPathError::OutOfDeviceMemory { requested, .. }) = error else {
        return false;
    };
    *requested <= LEAST_INPUTS
}

fn is_for_allocator(call: &str) -> bool {
    [
        "vkAllocateMemory",
        "vkMapMemory",
        "vkCreateBuffer",
        "vkBindBufferMemory",
        "vkBindBufferMemory2",
        "vkFlushMappedMemoryRanges",
        "vkInvalidateMappedMemoryRanges",
    ]
    .contains(&call)
}

fn is_out_of_memory(error: &Error) -> bool {
    matches!(
        error,
        Error::DataPath(DataPathError::OutOfDeviceMemory { .. })
            | Error::Vulkan(
                VulkanError::OutOfDeviceMemory { .. } | VulkanError::OutOfHostMemory { .. }
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::SCENARIOS;

    fn fault(call: &str, result: vk::Result) -> Fault {
        Fault {
            call: call.to_owned(),
            index: 0,
            result,
            mode: Mode::Once,
        }
    }

    #[test]
    fn an_error_names_the_fault_by_call_and_kind() {
        let names = |error: &Error, fault: &Fault| names(error, &SCENARIOS[0], fault);
        let result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        let error = |call| Error::from(VulkanError::from_vk(call, result));
        let injected = fault("vkCreateFence", result);
        assert!(names(&error("vkCreateFence"), &injected));
        assert!(!names(&error("vkCreateSemaphore"), &injected));
        let lost = VulkanError::DeviceLost {
            call: "vkCreateFence",
        };
        assert!(!names(&lost.into(), &injected));
    }

    #[test]
    fn the_allocator_may_answer_for_its_calls() {
        let names = |error: &Error, fault: &Fault| names(error, &SCENARIOS[0], fault);
        let (call, result) = ("vmaCreateBuffer", vk::Result::ERROR_MEMORY_MAP_FAILED);
        let injected = fault("vkMapMemory", result);
        assert!(names(
            &VulkanError::Vulkan { call, result }.into(),
            &injected
        ));
        let timeout = VulkanError::Timeout {
            what: "the device",
            after: std::time::Duration::ZERO,
        };
        assert!(!names(&timeout.into(), &injected));
    }

    #[test]
    fn memory_that_is_refused_once_or_in_large_pieces_is_done_without() {
        let result = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
        let larger = |index| Fault {
            index,
            mode: Mode::Larger,
            ..fault("vkAllocateMemory", result)
        };
        assert!(must_be_halved(&fault("vkCreateBuffer", result)));
        assert!(must_be_halved(&larger(LEAST_BYTES)));
        assert!(!must_be_halved(&larger(16)));
        assert!(!must_be_halved(&fault("vkQueueSubmit", result)));
        assert!(!must_be_halved(&fault("vkFlushMappedMemoryRanges", result)));
    }

    #[test]
    fn a_chunk_that_cannot_be_smaller_may_give_up_and_no_other() {
        let refused = |requested| {
            Error::from(DataPathError::OutOfDeviceMemory {
                purpose: "upload memory".to_owned(),
                requested,
                available: 1 << 30,
                heap: 1 << 31,
            })
        };
        assert!(is_of_least_chunk(&refused(LEAST_INPUTS)));
        assert!(!is_of_least_chunk(&refused(LEAST_INPUTS + 1)));
        let lost = VulkanError::DeviceLost {
            call: "vkMapMemory",
        };
        assert!(!is_of_least_chunk(&lost.into()));
    }
}
