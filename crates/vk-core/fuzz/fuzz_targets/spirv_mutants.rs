//! A module from the corpus, damaged by the seed in its last 8 bytes: deeper
//! into the reading than bytes at random get.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vk_core::spirv::KernelInterface;
use vk_core::testing::mutants::mutant;
use vk_core::testing::recorded;

fuzz_target!(|bytes: &[u8]| {
    if let Some((module, seed)) = bytes.split_last_chunk::<8>() {
        let mutant = mutant(module, u64::from_le_bytes(*seed));
        let _ = KernelInterface::parse(&mutant, &recorded::h200());
    }
});
