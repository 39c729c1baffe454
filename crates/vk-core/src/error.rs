//! The one error type of this crate.

use std::path::PathBuf;
use std::time::Duration;

use ash::vk;

use crate::results::{allowed, is_allowed};

/// What went wrong between the loader and a finished submission.
///
/// Misuse (`InvalidSpirv`, `NotAKernel`, `SpirvNotAllowed`, `NoMatchingDevice`), environment
/// (`NoLoader`, `BrokenLoaderFile`, `NoDevice`, `NoValidationLayer`,
/// `SpirvValidator`, `Unsupported`, the memory variants) and the driver's own failures
/// (`DeviceLost`, `Timeout`, `Busy`, `Forked`, `Thread`, `Vulkan`, `UnexpectedResult`) are kept
/// apart, so that a caller can act on each.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system has no Vulkan loader, or it cannot be opened.
    #[error(
        "no Vulkan loader found ({detail}); install one: `apt install libvulkan1`, \
         `dnf install vulkan-loader`, `pacman -S vulkan-icd-loader` or `brew install vulkan-loader molten-vk`"
    )]
    NoLoader {
        /// What the operating system said.
        detail: String,
    },
    /// The loader cannot read a file that names a driver or a layer to it,
    /// and gave up for all of them: as being out of host memory, in its words.
    #[error(
        "the Vulkan loader gave up in {call} (VK_ERROR_OUT_OF_HOST_MEMORY), as it does over a file \
         that it cannot read: {detail}; {advice}"
    )]
    BrokenLoaderFile {
        /// The Vulkan entry point that reported it.
        call: &'static str,
        /// The files that are broken.
        files: Vec<PathBuf>,
        /// Each file, what was expected in it and what was found.
        detail: String,
        /// What to do about it.
        advice: String,
    },
    /// The loader works, but no usable device is behind it.
    #[error("no Vulkan device found (searched: {searched}); {advice}")]
    NoDevice {
        /// Where was looked, and what was passed over.
        searched: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// Devices exist, but none is the one that was asked for.
    #[error("no Vulkan device matches {wanted}; found: {found}")]
    NoMatchingDevice {
        /// The policy, in words.
        wanted: String,
        /// The devices there are, by index, name and UUID.
        found: String,
    },
    /// Validation was asked for and the Khronos layer is not installed.
    #[error(
        "validation was asked for, but the layer VK_LAYER_KHRONOS_validation is not installed; \
         `apt install vulkan-validationlayers` or the Vulkan SDK brings it"
    )]
    NoValidationLayer,
    /// A SPIR-V module is damaged, or not a valid one for Vulkan.
    #[error("invalid SPIR-V: {reason}")]
    InvalidSpirv {
        /// What was expected and what was found, or what the validator said.
        reason: String,
    },
    /// A SPIR-V module does not keep the interface of kernels; it may be valid.
    #[error("the SPIR-V module does not keep the kernel interface: {reason}")]
    NotAKernel {
        /// What was expected and what was found.
        reason: String,
    },
    /// A SPIR-V module is not on the list of those that may run.
    #[error("the SPIR-V module with SHA-256 {sha256} is not on the list of allowed modules")]
    SpirvNotAllowed {
        /// The module's SHA-256, in hexadecimal digits.
        sha256: String,
    },
    /// The Khronos validator is required, or installed, and cannot be asked.
    #[error(
        "SPIR-V modules must pass the program spirv-val, which failed ({detail}); install it: \
         `apt install spirv-tools`, `dnf install spirv-tools`, `pacman -S spirv-tools` or the Vulkan SDK"
    )]
    SpirvValidator {
        /// What failed.
        detail: String,
    },
    /// The device lacks something that is needed.
    #[error("not supported by this device: needed {needed}, found {found}")]
    Unsupported {
        /// What is needed, and by what.
        needed: String,
        /// What the device has instead.
        found: String,
    },
    /// The driver ran out of host memory.
    #[error("out of host memory in {call}")]
    OutOfHostMemory {
        /// The Vulkan entry point that reported it.
        call: &'static str,
    },
    /// The driver ran out of device memory.
    #[error("out of device memory in {call}")]
    OutOfDeviceMemory {
        /// The Vulkan entry point that reported it.
        call: &'static str,
    },
    /// The device was lost; nothing submitted to it can be trusted.
    #[error("device lost, first reported by {call}; what was made on it must be made anew")]
    DeviceLost {
        /// The Vulkan entry point that reported it first.
        call: &'static str,
    },
    /// A submission did not finish in time and is still in flight, or the driver's compiler
    /// took too long over a module and is still at it.
    #[error("{what} did not finish within {after:?}")]
    Timeout {
        /// What was at work: the device, or the driver's compiler.
        what: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// Earlier work did not finish in time, and the device or the driver's compiler is
    /// still at it: it is given nothing more until that has ended. Where it never ends,
    /// only the end of the process frees it.
    #[error(
        "{what} is still busy with work that did not finish within {after:?}; \
         call again later, or use another device or process"
    )]
    Busy {
        /// What is at work: the device, or the driver's compiler.
        what: &'static str,
        /// How long was waited for it.
        after: Duration,
    },
    /// The device was opened by another process, of which this one is a fork.
    #[error(
        "{device} was opened by the process that this one was forked from, and cannot be used here; \
         open devices after the fork, or start a program of its own"
    )]
    Forked {
        /// The device, or what else of Vulkan was inherited.
        device: String,
    },
    /// The system gave no thread for something.
    #[error("no thread for {purpose}: {detail}")]
    Thread {
        /// What the thread was for.
        purpose: &'static str,
        /// What the operating system said.
        detail: String,
    },
    /// Any other result that the specification allows for the call.
    #[error("{call} failed: {result}")]
    Vulkan {
        /// The Vulkan entry point.
        call: &'static str,
        /// The result it returned.
        result: vk::Result,
    },
    /// A result that the specification does not allow for the call: a bug of
    /// the driver or of a layer, whose state is anybody's guess.
    #[error(
        "{call} returned {result:?}, which the Vulkan specification does not allow for it \
         (allowed: {allowed:?}); this is a bug of the driver or of a layer"
    )]
    UnexpectedResult {
        /// The Vulkan entry point.
        call: &'static str,
        /// The result it returned.
        result: vk::Result,
        /// What it may return, by the specification.
        allowed: &'static [vk::Result],
    },
}

/// What helps where there is no device.
const INSTALL_A_DRIVER: &str = "install the driver of your GPU, or a software device: \
     `apt install mesa-vulkan-drivers`, `dnf install mesa-vulkan-drivers` or `pacman -S vulkan-swrast`";

impl Error {
    /// No device was found where `searched` says.
    pub(crate) fn no_device(searched: impl Into<String>) -> Self {
        Self::NoDevice {
            searched: searched.into(),
            advice: INSTALL_A_DRIVER,
        }
    }

    /// The error for `result` as returned by the entry point `call`, by what
    /// the specification allows that call ([`crate::results`]).
    ///
    /// A loss of the device is [`Error::DeviceLost`] whichever call reports
    /// it: what follows from it is the same, and trusting such a driver less
    /// than it asks for costs nothing.
    #[must_use]
    pub fn from_vk(call: &'static str, result: vk::Result) -> Self {
        let lost = result == vk::Result::ERROR_DEVICE_LOST;
        if let (Some(false), Some(allowed), false) = (is_allowed(call, result), allowed(call), lost)
        {
            return Self::UnexpectedResult {
                call,
                result,
                allowed,
            };
        }
        match result {
            vk::Result::ERROR_OUT_OF_HOST_MEMORY => Self::OutOfHostMemory { call },
            vk::Result::ERROR_OUT_OF_DEVICE_MEMORY => Self::OutOfDeviceMemory { call },
            vk::Result::ERROR_DEVICE_LOST => Self::DeviceLost { call },
            result => Self::Vulkan { call, result },
        }
    }

    pub(crate) fn unsupported(needed: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unsupported {
            needed: needed.into(),
            found: found.into(),
        }
    }

    pub(crate) fn kernel(reason: impl Into<String>) -> Self {
        Self::NotAKernel {
            reason: reason.into(),
        }
    }

    pub(crate) fn spirv(reason: impl Into<String>) -> Self {
        Self::InvalidSpirv {
            reason: reason.into(),
        }
    }
}

/// Gives a `VkResult` the name of the call that returned it.
pub trait VkContext<T> {
    /// The value, or the error of the entry point `call`: [`Error::from_vk`].
    ///
    /// # Errors
    /// What was returned.
    fn during(self, call: &'static str) -> Result<T, Error>;
}

impl<T> VkContext<T> for ash::prelude::VkResult<T> {
    fn during(self, call: &'static str) -> Result<T, Error> {
        self.map_err(|result| Error::from_vk(call, result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_a_caller_can_act_on_have_their_own_variant() {
        let call = "vkQueueSubmit";
        let of = |result| Error::from_vk(call, result);
        let lost = Error::DeviceLost { call };
        assert_eq!(of(vk::Result::ERROR_DEVICE_LOST), lost);
        let memory = Error::OutOfDeviceMemory { call };
        assert_eq!(of(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY), memory);
        let (call, result) = ("vkCreateDevice", vk::Result::ERROR_TOO_MANY_OBJECTS);
        let other = Error::from_vk(call, result);
        assert_eq!(other, Error::Vulkan { call, result });
        assert!(other.to_string().contains("vkCreateDevice failed"));
    }

    #[test]
    fn a_result_that_the_specification_does_not_allow_is_reported_as_such() {
        let (call, result) = ("vkQueueSubmit", vk::Result::ERROR_INITIALIZATION_FAILED);
        let error = Error::from_vk(call, result);
        assert!(matches!(error, Error::UnexpectedResult { .. }));
        let text = error.to_string();
        assert!(
            text.contains("vkQueueSubmit returned ERROR_INITIALIZATION_FAILED")
                && text.contains("ERROR_DEVICE_LOST"),
            "{text}"
        );
        // Of a call that the table lacks nothing can be said.
        let call = "vkQueuePresentKHR";
        assert_eq!(Error::from_vk(call, result), Error::Vulkan { call, result });
        // A loss is a loss, whoever reports it.
        let lost = vk::Result::ERROR_DEVICE_LOST;
        let call = "vkMapMemory";
        assert_eq!(Error::from_vk(call, lost), Error::DeviceLost { call });
    }
}
