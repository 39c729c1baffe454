//! Whole modules: what compilers make is taken, what lacks something is told apart from
//! what is damaged, and nothing makes the reading of a module panic or hang.
#![allow(clippy::panic, reason = "tests")]

use super::{KernelInterface, validate};
use crate::testing::mutants::mutant;
use crate::testing::recorded;
use crate::{DeviceCaps, Error};

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/tests/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let spirv = paths.filter(|path| path.extension().is_some_and(|end| end == "spv"));
    let files = spirv.map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    });
    files.collect()
}

#[test]
fn what_compilers_make_of_kernels_passes() {
    let compiled = files("accepted");
    assert!(compiled.len() >= 30, "{} fixtures", compiled.len());
    let own = field_kernels::KERNELS.iter();
    let own = own.map(|kernel| (kernel.name.to_owned(), kernel.spirv.to_vec()));
    for (name, spirv) in compiled.into_iter().chain(own) {
        let found = KernelInterface::parse(&spirv, &recorded::h200());
        assert!(found.is_ok(), "{name}: {}", found.unwrap_err());
        assert_eq!(validate(&spirv, &recorded::h200()), Ok(()), "{name}");
    }
}

/// What a device with every feature that this library enables lacks for a fixture in
/// `kinds`; nothing for most.
const LACKS: [(&str, &str); 9] = [
    (
        "workgroup_size_by_vector_operation",
        "a workgroup size that an operation on vectors yields",
    ),
    ("int64_atomics", "the SPIR-V capability Int64Atomics"),
    (
        "no_integer_wrap",
        "the SPIR-V extension SPV_KHR_no_integer_wrap_decoration",
    ),
    (
        "float_atomic_load",
        "the extension VK_EXT_shader_atomic_float",
    ),
    (
        "float_atomic_store",
        "the extension VK_EXT_shader_atomic_float",
    ),
    ("pointer_from_the_start", "a pointer to a whole buffer"),
    ("buffer_in_variable", "a pointer to a whole buffer"),
    ("array_in_variable", "a pointer to a whole buffer"),
    ("buffer_returned", "a pointer to a whole buffer"),
];

/// What a device without optional features lacks for others.
const OPTIONAL: [(&str, &str); 7] = [
    (
        "pointer_in_variable",
        "the SPIR-V capability VariablePointersStorageBuffer",
    ),
    ("copy_memory_two_operands", "SPIR-V 1.4"),
    (
        "subgroup_clustered",
        "the SPIR-V capability GroupNonUniformClustered",
    ),
    ("subgroup_quad", "the SPIR-V capability GroupNonUniformQuad"),
    (
        "subgroup_of_64_bits",
        "the feature shaderSubgroupExtendedTypes",
    ),
    ("scalar_layout", "the feature scalarBlockLayout"),
    (
        "zeroed_shared_memory",
        "the feature shaderZeroInitializeWorkgroupMemory",
    ),
];

/// A device of Vulkan 1.1 with little more than it must have.
fn bare() -> DeviceCaps {
    use ash::vk::SubgroupFeatureFlags as Subgroup;
    let mut caps = recorded::h200();
    caps.api = crate::ApiVersion::V1_1;
    caps.features = crate::Features {
        shader_int64: true,
        subgroup_operations: Subgroup::BASIC | Subgroup::ARITHMETIC,
        ..crate::Features::default()
    };
    caps
}

#[test]
fn a_valid_module_is_taken_or_what_it_needs_is_named() {
    let kinds = files("kinds");
    assert!(kinds.len() >= 35, "{} fixtures", kinds.len());
    for (name, spirv) in &kinds {
        assert_eq!(validate(spirv, &recorded::h200()), Ok(()), "{name}");
        let found = KernelInterface::parse(spirv, &recorded::h200());
        let lacks = LACKS.iter().find(|(known, _)| known == name);
        match (found, lacks) {
            (Ok(kernel), None) => {
                assert_eq!(kernel.workgroup_size, 64, "{name}");
                assert!(kernel.inputs_read_only, "{name}");
            }
            (Err(Error::Unsupported { needed, .. }), Some((_, expected))) => {
                assert!(needed.starts_with(expected), "{name}: {needed}");
            }
            (found, lacks) => panic!("{name}: expected {lacks:?}, found {found:?}"),
        }
    }
    for (name, expected) in OPTIONAL {
        let (_, spirv) = kinds.iter().find(|(known, _)| known == name).unwrap();
        match KernelInterface::parse(spirv, &bare()) {
            Err(Error::Unsupported { needed, found }) => {
                assert!(needed.starts_with(expected), "{name}: {needed}, {found}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn sizes_by_specialization_constants_are_those_of_the_defaults() {
    let sizes: Vec<_> = files("kinds")
        .into_iter()
        .filter(|(name, _)| name.starts_with("spec_"))
        .map(|(name, spirv)| {
            let found = KernelInterface::parse(&spirv, &recorded::h200());
            (name, found.unwrap().shared_memory_bytes)
        })
        .collect();
    // Arrays of 64 and 32 words; and of 5.
    for expected in [
        ("spec_lengths", 4 * (64 + 32)),
        ("spec_extract_two_indices", 4 * 5),
    ] {
        let expected = (expected.0.to_owned(), expected.1);
        assert!(sizes.contains(&expected), "{expected:?} in {sizes:?}");
    }
}

/// Modules that killed a driver once, found by `cargo xtask soak mutants`.
#[test]
fn what_killed_a_driver_is_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/killers");
    let modules = files("killers");
    let seeds = std::fs::read_to_string(format!("{folder}/seeds.txt")).unwrap();
    let caps = recorded::llvmpipe();
    let (mut by_interface, mut by_validator, mut past) = (0, 0, Vec::new());
    for line in seeds.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [name, hash, seeds @ ..] = &words[..] else {
            panic!("expected a name and a hash, found {line}");
        };
        let (_, module) = modules.iter().find(|(found, _)| found == name).unwrap();
        let mut all = Vec::new();
        for seed in seeds {
            let killer = mutant(module, seed.parse().unwrap());
            match KernelInterface::parse(&killer, &caps) {
                Err(_) => by_interface += 1,
                Ok(_) if validate(&killer, &caps).is_err() => by_validator += 1,
                Ok(_) => past.push(format!("{name} {seed}")),
            }
            all.extend(killer);
        }
        let found = crate::spirv::spirv_hash(&all);
        let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            found, *hash,
            "{name}: these are not the mutants that killed"
        );
    }
    assert!(
        by_interface + by_validator >= 190,
        "{by_interface} and {by_validator}"
    );
    assert!(past.is_empty(), "{past:?}");
}

proptest::proptest! {
    #[test]
    fn any_words_behind_a_header_are_an_error_or_a_kernel(
        version in 0_u32..8,
        bound in 0_u32..512,
        body in proptest::collection::vec((0_u32..400, proptest::collection::vec(0_u32..64, 0..6)), 0..64),
    ) {
        let mut words = vec![0x0723_0203, 0x0001_0000 | version << 8, 0, bound, 0];
        for (op, operands) in body {
            words.push((u32::try_from(operands.len()).unwrap() + 1) << 16 | op);
            words.extend(operands);
        }
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        let _ = KernelInterface::parse(&bytes, &recorded::h200());
    }

    #[test]
    fn a_mutant_of_any_fixture_is_an_error_or_a_kernel(seed: u64, which: usize) {
        let mut all = files("accepted");
        all.extend(files("kinds"));
        let (_, spirv) = &all[which % all.len()];
        let _ = KernelInterface::parse(&mutant(spirv, seed), &recorded::h200());
    }

    /// What a file may hold after an accident.
    #[test]
    fn a_damaged_module_is_an_error_or_a_kernel(
        damage in proptest::collection::vec((0_usize..4096, proptest::prelude::any::<u8>()), 1..12),
    ) {
        let mut bytes = field_kernels::FIELD_ADD.spirv.to_vec();
        for (place, value) in damage {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        let _ = KernelInterface::parse(&bytes, &recorded::h200());
    }
}

/// Modules of 16 MiB, each made of what could take more than its share.
#[test]
fn the_largest_modules_are_read_in_bearable_time() {
    const HEADER: [u32; 5] = [0x0723_0203, 0x0001_0300, 0, 0x3F_FFFF, 0];
    const WORDS: usize = 1 << 22;
    let u32_type = [4 << 16 | 21, 1, 32, 0];
    let patterns: [fn(u32) -> Vec<u32>; 6] = [
        // Structs of the struct before, and constants of the constant before.
        |n| vec![5 << 16 | 30, n, n - 1, n - 1, n - 1],
        |n| vec![5 << 16 | 44, 1, n, n - 1, n - 1],
        // Arrays of arrays, of a length that is computed.
        |n| vec![4 << 16 | 28, n, n - 1, 2],
        |n| vec![6 << 16 | 52, 1, n, 132, n - 1, n - 1],
        // A group's decorations, applied to itself.
        |n| vec![4 << 16 | 74, n, n - 1, n],
        // Functions that each call the one before.
        |n| {
            vec![
                5 << 16 | 54,
                1,
                n,
                0,
                1,
                4 << 16 | 57,
                1,
                3,
                n - 1,
                1 << 16 | 56,
            ]
        },
    ];
    for pattern in patterns {
        let mut words = HEADER.to_vec();
        words.extend(u32_type);
        words.extend([4 << 16 | 43, 1, 2, 7]);
        // An entry point, so that functions are followed.
        let mut n = 3;
        while words.len() + 16 < WORDS {
            words.extend(pattern(n));
            n += 1;
        }
        words.extend([5 << 16 | 15, 5, n - 1, u32::from_le_bytes(*b"main"), 0]);
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        let start = std::time::Instant::now();
        let found = KernelInterface::parse(&bytes, &recorded::h200());
        assert!(found.is_err());
        let took = start.elapsed();
        assert!(took < std::time::Duration::from_secs(20), "{took:?}");
    }
}
