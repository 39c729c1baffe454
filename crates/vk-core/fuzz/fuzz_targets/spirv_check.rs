//! Any bytes at all: they are read as a kernel or refused, and nothing
//! else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vk_core::spirv::KernelInterface;
use vk_core::testing::recorded;

fuzz_target!(|bytes: &[u8]| {
    let _ = KernelInterface::parse(bytes, &recorded::h200());
});
