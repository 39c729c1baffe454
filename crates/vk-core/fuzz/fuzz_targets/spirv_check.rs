//! Any bytes at all: the check takes them or refuses them, and does nothing
//! else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vk_core::spirv::KernelInterface;

fuzz_target!(|bytes: &[u8]| {
    let _ = KernelInterface::parse(bytes);
});
