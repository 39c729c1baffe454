//! How a program tells the layer what to do: by a function that it finds in the loaded library.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use vk_core::results;

use crate::layer::state;
use crate::state::{Counts, Fault, Pretence};

type Obey = unsafe extern "C" fn(*const c_char, *mut u8, usize) -> usize;

#[derive(Serialize, Deserialize)]
pub(crate) enum Order {
    /// Inject this fault from now on, or none; count calls and objects anew.
    Arm(Option<String>),
    /// Inject nothing more; what was counted stays.
    Disarm,
    /// Change what devices that are described from now on look like.
    Pretend(Pretence),
    /// Only answer.
    Count,
}

/// Obeys the order in `order`, in JSON. Writes as much of the counts after it, or of what is
/// wrong with it, in JSON too, to `answer` as `capacity` bytes take, and returns how long that is.
///
/// # Safety
/// `order` is a C string, and `answer` valid for writes of `capacity` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn vk_faults_obey(
    order: *const c_char,
    answer: *mut u8,
    capacity: usize,
) -> usize {
    // SAFETY: this function's contract.
    let order = unsafe { CStr::from_ptr(order) };
    let order = serde_json::from_slice(order.to_bytes()).map_err(|error| error.to_string());
    let said = serde_json::to_string(&order.and_then(obey)).unwrap_or_default();
    let length = said.len().min(capacity);
    // SAFETY: this function's contract; what is said is a string of its own.
    unsafe { std::ptr::copy_nonoverlapping(said.as_ptr(), answer, length) };
    said.len()
}

fn obey(order: Order) -> Result<Counts, String> {
    let mut state = state();
    match order {
        Order::Arm(fault) => state.arm(fault.as_deref().map(known).transpose()?),
        Order::Disarm => state.disarm(),
        Order::Pretend(pretence) => state.pretence = pretence,
        Order::Count => {}
    }
    Ok(state.counts())
}

/// A fault of a call that the layer can make fail: another would never come.
fn known(fault: &str) -> Result<Fault, String> {
    let fault: Fault = fault.parse()?;
    match can_fail(&fault.call) {
        true => Ok(fault),
        false => Err(format!(
            "expected a call that the layer knows, found {fault}"
        )),
    }
}

/// Whether the layer can make `call` fail.
pub(crate) fn can_fail(call: &str) -> bool {
    results::allowed(call).is_some() && crate::layer::intercepts(call)
}

/// The layer of this process, from outside: the library that the Vulkan loader loads too.
pub(crate) struct Control {
    obey: Obey,
    // The function above lives in it.
    _library: libloading::Library,
}

impl Control {
    pub(crate) fn open(library: &Path) -> anyhow::Result<Self> {
        // SAFETY: the library of this very crate, which runs nothing when it
        // is loaded.
        let library = unsafe { libloading::Library::new(library) }?;
        // SAFETY: the function of this name has this type; it stays loaded with `library`, kept
        // in the value.
        let obey = *unsafe { library.get::<Obey>(b"vk_faults_obey\0") }?;
        Ok(Self {
            obey,
            _library: library,
        })
    }

    /// Has the layer obey `order`; what it has counted since the last [`Order::Arm`].
    pub(crate) fn order(&self, order: &Order) -> anyhow::Result<Counts> {
        let order = CString::new(serde_json::to_vec(order)?)?;
        let mut answer = vec![0_u8; 64 << 10];
        // SAFETY: a C string that outlives the call; the buffer is that long.
        let length = unsafe { (self.obey)(order.as_ptr(), answer.as_mut_ptr(), answer.len()) };
        let said = answer.get(..length).context("a longer answer")?;
        serde_json::from_slice::<Result<_, String>>(said)?.map_err(anyhow::Error::msg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_of_known_calls_are_taken() {
        assert!(known("vkQueueSubmit:0:-4:once").is_ok());
        // The last are the allocator's, not the driver's.
        for call in ["vkQueuePresentKHR", "vmaCreateBuffer"] {
            assert!(known(&format!("{call}:0:-4:once")).is_err());
        }
        assert!(can_fail("vkMapMemory"));
    }
}
