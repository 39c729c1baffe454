//! The Khronos validation layer's messages, kept per instance.

use std::ffi::{CStr, c_void};
use std::fmt;
use std::sync::{Arc, Mutex};

use ash::vk;

use crate::lock;

/// Whether an instance runs under the Khronos validation layer.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// No layer; the default.
    #[default]
    Off,
    /// Core checks and, inside each command buffer, synchronization checks.
    /// Instance creation fails where the layer is not installed.
    ///
    /// For tests and debugging, one thread at a time: the layer (seen with
    /// 1.3.239) crashes when one thread creates a validated instance or device
    /// while another calls through the layer.
    On,
}

/// The warnings and errors that the validation layer reported for one
/// instance. A clone shows the same log and outlives the instance.
#[derive(Clone, Default)]
pub struct ValidationLog {
    messages: Arc<Mutex<Vec<String>>>,
}

impl ValidationLog {
    /// The messages so far; the log is empty afterwards.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.messages))
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.messages).len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        lock(&self.messages).is_empty()
    }
}

impl fmt::Debug for ValidationLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(lock(&self.messages).iter()).finish()
    }
}

/// The name of the layer, as the loader knows it.
pub(crate) const LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

/// The create info of a messenger that writes into `log`.
///
/// The pointer inside is to `log`'s own allocation: the caller keeps a clone
/// of `log` alive for as long as the messenger, or the instance whose creation
/// chains this info, lives.
pub(crate) fn messenger_info(log: &ValidationLog) -> vk::DebugUtilsMessengerCreateInfoEXT<'static> {
    let sink = Arc::as_ptr(&log.messages).cast_mut().cast::<c_void>();
    vk::DebugUtilsMessengerCreateInfoEXT::default()
        .message_severity(
            vk::DebugUtilsMessageSeverityFlagsEXT::WARNING
                | vk::DebugUtilsMessageSeverityFlagsEXT::ERROR,
        )
        .message_type(
            vk::DebugUtilsMessageTypeFlagsEXT::VALIDATION
                | vk::DebugUtilsMessageTypeFlagsEXT::PERFORMANCE,
        )
        .pfn_user_callback(Some(on_message))
        .user_data(sink)
}

unsafe extern "system" fn on_message(
    _severity: vk::DebugUtilsMessageSeverityFlagsEXT,
    _types: vk::DebugUtilsMessageTypeFlagsEXT,
    data: *const vk::DebugUtilsMessengerCallbackDataEXT<'_>,
    sink: *mut c_void,
) -> vk::Bool32 {
    // SAFETY: the loader passes callback data that is valid for this call.
    let message = unsafe { data.as_ref() }.map(|data| data.p_message);
    // SAFETY: `messenger_info` stored a pointer to the mutex of a log that
    // outlives the messenger.
    let sink = unsafe { sink.cast::<Mutex<Vec<String>>>().as_ref() };
    if let (Some(message), Some(sink)) = (message.filter(|text| !text.is_null()), sink) {
        // SAFETY: Vulkan strings are NUL-terminated; null was excluded above.
        let text = unsafe { CStr::from_ptr(message) }
            .to_string_lossy()
            .into_owned();
        tracing::warn!(target: "vk_core::validation", "{text}");
        lock(sink).push(text);
    }
    // Never abort the call that is being validated.
    vk::FALSE
}
