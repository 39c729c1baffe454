//! How a program tells the layer what to do: by functions that it finds in the loaded library.

use std::ffi::{CStr, c_char};
use std::path::Path;

use ash::vk;

use crate::layer::state;
use crate::state::{Counts, Fault, Mode, Pretence, known_call};

type Arm = unsafe extern "C" fn(*const c_char) -> bool;
type Disarm = extern "C" fn();
type Pretend = extern "C" fn(bool, bool, bool);
type Report = unsafe extern "C" fn(*mut u8, usize) -> usize;

/// Injects the fault that `text` describes from now on, or none for null.
/// Counts calls and objects anew. `false` for a text that describes no fault.
///
/// # Safety
/// `text` is null or a C string.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn vk_faults_arm(text: *const c_char) -> bool {
    if text.is_null() {
        state().arm(None);
        return true;
    }
    // SAFETY: this function's contract.
    let text = unsafe { CStr::from_ptr(text) };
    let fault = text.to_str().ok().and_then(read);
    let known = fault.is_some();
    if known {
        state().arm(fault);
    }
    known
}

/// Injects nothing more; what was counted stays.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn vk_faults_disarm() {
    state().disarm();
}

/// Changes what devices that are described from now on look like.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn vk_faults_pretend(no_timelines: bool, incoherent: bool, lazy: bool) {
    state().pretence = Pretence {
        no_timelines,
        incoherent,
        lazy,
    };
}

/// Writes as much of the counts, in JSON, to `buffer` as `capacity` bytes take,
/// and returns how long they are.
///
/// # Safety
/// `buffer` is valid for writes of `capacity` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn vk_faults_report(buffer: *mut u8, capacity: usize) -> usize {
    let report = serde_json::to_string(&state().counts()).unwrap_or_default();
    let length = report.len().min(capacity);
    // SAFETY: this function's contract; the report is a string of its own.
    unsafe { std::ptr::copy_nonoverlapping(report.as_ptr(), buffer, length) };
    report.len()
}

/// A fault of a call that the layer can make fail.
fn read(text: &str) -> Option<Fault> {
    let fault: Fault = text.parse().ok()?;
    let name = std::ffi::CString::new(fault.call.as_str()).ok()?;
    known_call(&name).map(|_| fault)
}

/// The layer of this process, from outside: the library that the Vulkan loader
/// loads too.
pub struct Control {
    arm: Arm,
    disarm: Disarm,
    pretend: Pretend,
    report: Report,
    // The functions above live in it.
    _library: libloading::Library,
}

impl Control {
    /// Opens the layer's library; the Vulkan loader will find the same one.
    ///
    /// # Errors
    /// For a file that is not that library.
    pub fn open(library: &Path) -> anyhow::Result<Self> {
        // SAFETY: the library of this very crate, which runs nothing when it
        // is loaded.
        let library = unsafe { libloading::Library::new(library) }?;
        // SAFETY: the function of this name has this type; here and below it
        // stays loaded with `library`, kept in the value.
        let arm = *unsafe { library.get::<Arm>(b"vk_faults_arm\0") }?;
        // SAFETY: as above.
        let disarm = *unsafe { library.get::<Disarm>(b"vk_faults_disarm\0") }?;
        // SAFETY: as above.
        let pretend = *unsafe { library.get::<Pretend>(b"vk_faults_pretend\0") }?;
        // SAFETY: as above.
        let report = *unsafe { library.get::<Report>(b"vk_faults_report\0") }?;
        Ok(Self {
            arm,
            disarm,
            pretend,
            report,
            _library: library,
        })
    }

    /// Injects `fault`, or none, and counts calls and objects anew.
    ///
    /// # Errors
    /// For a call that the layer does not know.
    pub fn arm(&self, fault: Option<&Fault>) -> anyhow::Result<()> {
        let text = fault.map(|fault| std::ffi::CString::new(fault.to_string()));
        let text = text.transpose()?;
        let text_pointer = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
        // SAFETY: null or a C string that outlives the call.
        if unsafe { (self.arm)(text_pointer) } {
            return Ok(());
        }
        anyhow::bail!("expected a fault that the layer knows, found {text:?}")
    }

    /// Injects nothing more.
    pub fn disarm(&self) {
        (self.disarm)();
    }

    /// Changes what devices look like from now on.
    pub fn pretend(&self, pretence: Pretence) {
        let Pretence {
            no_timelines,
            incoherent,
            lazy,
        } = pretence;
        (self.pretend)(no_timelines, incoherent, lazy);
    }

    /// What was counted since the last [`Self::arm`].
    ///
    /// # Errors
    /// For a report that cannot be read.
    pub fn counts(&self) -> anyhow::Result<Counts> {
        let mut buffer = vec![0_u8; 64 << 10];
        // SAFETY: the buffer is that long.
        let length = unsafe { (self.report)(buffer.as_mut_ptr(), buffer.len()) };
        buffer.truncate(length);
        Ok(serde_json::from_slice(&buffer)?)
    }
}

/// Whether the layer can make `call` return `result` at all.
#[must_use]
pub fn can_inject(call: &str, result: vk::Result) -> bool {
    let fault = Fault {
        call: call.to_owned(),
        index: 0,
        result,
        mode: Mode::Once,
    };
    read(&fault.to_string()).is_some() && crate::layer::intercepts(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_of_known_calls_are_taken() {
        assert!(read("vkQueueSubmit:0:-4:once").is_some());
        assert!(read("vkQueuePresentKHR:0:-4:once").is_none());
        assert!(can_inject(
            "vkMapMemory",
            vk::Result::ERROR_MEMORY_MAP_FAILED
        ));
        // The allocator's calls are not the driver's.
        assert!(!can_inject("vmaCreateBuffer", vk::Result::ERROR_UNKNOWN));
    }
}
