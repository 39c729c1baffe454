//! The embedded modules against the manifest, the sources, and what the registry says
//! of them. Not under Miri: these are about files, and compute nothing.

#![cfg(not(miri))]

use std::collections::BTreeSet;
use std::path::PathBuf;

use field_kernels::{Fp, Fr, KERNELS, MANIFEST_JSON, PrimeField, VECTOR_KERNELS};
use sha2::{Digest as _, Sha256};

const MAGIC: u32 = 0x0723_0203;
const VERSION_1_3: u32 = 0x0001_0300;
const HEADER_WORDS: usize = 5;

const OP_ENTRY_POINT: u32 = 15;
const OP_EXECUTION_MODE: u32 = 16;
const OP_CAPABILITY: u32 = 17;
const OP_TYPE_INT: u32 = 21;
const OP_TYPE_VECTOR: u32 = 23;
const OP_TYPE_ARRAY: u32 = 28;
const OP_TYPE_STRUCT: u32 = 30;
const OP_TYPE_POINTER: u32 = 32;
const OP_CONSTANT: u32 = 43;
const OP_DECORATE: u32 = 71;
const OP_MEMBER_DECORATE: u32 = 72;
const OP_LOOP_MERGE: u32 = 246;

const MODE_LOCAL_SIZE: u32 = 17;
const STORAGE_PUSH_CONSTANT: u32 = 9;
const DECORATION_ARRAY_STRIDE: u32 = 6;
const DECORATION_BINDING: u32 = 33;
const DECORATION_OFFSET: u32 = 35;

const CAPABILITY_SHADER: u32 = 1;
const CAPABILITY_FLOAT64: u32 = 10;
const CAPABILITY_INT64: u32 = 11;
/// `GroupNonUniform` and `GroupNonUniformShuffle`.
const CAPABILITIES_SHUFFLE: [u32; 2] = [61, 65];

/// What the registry's tables have in common.
struct Module {
    name: &'static str,
    spirv: &'static [u8],
    needs_shader_int64: bool,
    needs_shader_float64: bool,
    needs_shuffle: bool,
}

impl Module {
    fn words(&self) -> Vec<u32> {
        let (words, rest) = self.spirv.as_chunks();
        assert!(rest.is_empty(), "{}: not whole words", self.name);
        words.iter().map(|word| u32::from_le_bytes(*word)).collect()
    }
}

/// Every module that the crate embeds: the rows of all tables.
fn registered() -> Vec<Module> {
    let kernels = KERNELS.iter().map(|kernel| Module {
        name: kernel.name,
        spirv: kernel.spirv,
        needs_shader_int64: kernel.needs_shader_int64,
        needs_shader_float64: false,
        needs_shuffle: false,
    });
    let modules = VECTOR_KERNELS
        .iter()
        .flat_map(|kernel| kernel.modules().map(move |module| (kernel, module)));
    let modules = modules.map(|(kernel, module)| Module {
        name: module.name,
        spirv: module.spirv,
        needs_shader_int64: module.arithmetic.needs_shader_int64(),
        needs_shader_float64: module.arithmetic.needs_shader_float64(),
        needs_shuffle: kernel.needs_shuffle,
    });
    kernels.chain(modules).collect()
}

/// The instructions as (opcode, operands).
fn instructions(words: &[u32]) -> Vec<(u32, &[u32])> {
    let mut rest = &words[HEADER_WORDS..];
    let mut found = Vec::new();
    while let Some(&first) = rest.first() {
        let (instruction, next) = rest.split_at((first >> 16) as usize);
        found.push((first & 0xffff, &instruction[1..]));
        rest = next;
    }
    found
}

fn capabilities(words: &[u32]) -> Vec<u32> {
    let all = instructions(words).into_iter();
    let mut found: Vec<u32> = all
        .filter(|(opcode, _)| *opcode == OP_CAPABILITY)
        .map(|(_, operands)| operands[0])
        .collect();
    found.sort_unstable();
    found
}

fn shader_root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let link = package.join("shaders");
    if link.is_dir() {
        link
    } else {
        package.join("../../shaders")
    }
}

#[test]
fn every_module_is_the_one_in_the_manifest() {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST_JSON).unwrap();
    let rows = manifest["kernels"].as_array().unwrap();
    for module in registered() {
        let row = rows
            .iter()
            .find(|row| row["name"] == module.name)
            .unwrap_or_else(|| panic!("{} is not in the manifest", module.name));
        let digest = Sha256::digest(module.spirv);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row["spirv_sha256"], hash, "{}", module.name);
        assert_eq!(row["spirv"], format!("{}.spv", module.name));
    }
}

#[test]
fn the_registry_lists_every_product_kernel() {
    let manifest: serde_json::Value = serde_json::from_str(MANIFEST_JSON).unwrap();
    let rows = manifest["kernels"].as_array().unwrap();
    let names = rows.iter().filter_map(|row| row["name"].as_str());
    let product: BTreeSet<&str> = names.filter(|name| !name.contains('/')).collect();
    let rows: BTreeSet<&str> = registered().iter().map(|module| module.name).collect();
    assert_eq!(rows.len(), registered().len(), "two rows of one name");
    let without_row: Vec<_> = product.difference(&rows).collect();
    let without_shader: Vec<_> = rows.difference(&product).collect();
    assert!(
        without_row.is_empty() && without_shader.is_empty(),
        "shaders without a row in src/vector_kernels.rs or src/kernel.rs: {without_row:?}; rows without \
         a shader: {without_shader:?}"
    );
}

#[test]
fn headers_and_entry_points_are_what_every_device_takes() {
    for module in registered() {
        let words = module.words();
        assert_eq!(words[..2], [MAGIC, VERSION_1_3], "{}", module.name);
        let all = instructions(&words);
        let entries: Vec<_> = all
            .iter()
            .filter(|(opcode, _)| *opcode == OP_ENTRY_POINT)
            .collect();
        assert_eq!(entries.len(), 1, "{}", module.name);
        assert_eq!(
            entries[0].1[2..4],
            [u32::from_le_bytes(*b"main"), 0],
            "{}",
            module.name
        );
    }
}

#[test]
fn what_a_row_says_it_needs_is_what_the_module_declares() {
    for module in registered() {
        let mut expected = vec![CAPABILITY_SHADER];
        if module.needs_shader_float64 {
            expected.push(CAPABILITY_FLOAT64);
        }
        if module.needs_shader_int64 {
            expected.push(CAPABILITY_INT64);
        }
        if module.needs_shuffle {
            expected.extend(CAPABILITIES_SHUFFLE);
        }
        assert_eq!(capabilities(&module.words()), expected, "{}", module.name);
    }
}

/// The interface that a module declares, as a row has it: storage buffers, words of push constants,
/// invocations of a workgroup.
fn interface(words: &[u32]) -> (usize, usize, u32) {
    let all = instructions(words);
    // What the first operand of an instruction that says something of it, or its result, is.
    let of = |id: u32| {
        let is_it = |&&(opcode, operands): &&(u32, &[u32])| match opcode {
            OP_TYPE_INT..=OP_TYPE_POINTER => operands[0] == id,
            OP_CONSTANT => operands[1] == id,
            _ => false,
        };
        *all.iter().find(is_it).unwrap()
    };
    let decorations = |decoration: u32| {
        let is_it = move |it: &&(u32, &[u32])| it.0 == OP_DECORATE && it.1[1] == decoration;
        all.iter().filter(is_it).map(|it| (it.1[0], it.1[2]))
    };
    let bytes = |of_type: u32| {
        let (opcode, operands) = of(of_type);
        match opcode {
            OP_TYPE_INT => operands[1] / 8,
            OP_TYPE_VECTOR => operands[2] * 4,
            OP_TYPE_ARRAY => {
                let stride = decorations(DECORATION_ARRAY_STRIDE).find(|it| it.0 == of_type);
                stride.unwrap().1 * of(operands[2]).1[2]
            }
            other => {
                panic!("expected integers, vectors or arrays as push constants, found {other}")
            }
        }
    };
    let struct_pushed = all.iter().find_map(|&(opcode, operands)| {
        let is_it = opcode == OP_TYPE_POINTER && operands[1] == STORAGE_PUSH_CONSTANT;
        let pointed_at = is_it.then(|| of(operands[2]));
        pointed_at.filter(|(opcode, _)| *opcode == OP_TYPE_STRUCT)
    });
    // Up to the end of the last member.
    let pushed = struct_pushed.map_or(0, |(_, operands)| {
        let last = u32::try_from(operands.len() - 2).unwrap();
        let member = [operands[0], last, DECORATION_OFFSET];
        let offset = all.iter().find_map(|&(opcode, operands)| {
            (opcode == OP_MEMBER_DECORATE && operands[..3] == member).then(|| operands[3])
        });
        offset.unwrap() + bytes(operands[operands.len() - 1])
    });
    let size = all.iter().find_map(|&(opcode, operands)| {
        (opcode == OP_EXECUTION_MODE && operands[1] == MODE_LOCAL_SIZE).then(|| operands[2])
    });
    let bindings = decorations(DECORATION_BINDING)
        .map(|it| it.1 as usize + 1)
        .max();
    (bindings.unwrap_or(0), pushed as usize / 4, size.unwrap())
}

#[test]
fn a_rows_numbers_are_those_of_its_modules() {
    for kernel in VECTOR_KERNELS {
        for module in kernel.modules() {
            let words: Vec<u32> = module.words();
            let row = (kernel.bindings, kernel.constant_words, kernel.group_size);
            assert_eq!(interface(&words), row, "{}", module.name);
        }
    }
}

/// One software driver stops, without a word, after 65,535 loop iterations in an
/// invocation. Those of vectors are bounded by who dispatches them.
#[test]
fn kernels_over_slices_have_no_loops() {
    let of_slices = |module: &&Module| KERNELS.iter().any(|kernel| kernel.name == module.name);
    for module in registered().iter().filter(of_slices) {
        let words = module.words();
        let loops = instructions(&words)
            .iter()
            .filter(|(opcode, _)| *opcode == OP_LOOP_MERGE)
            .count();
        assert_eq!(loops, 0, "{}", module.name);
    }
}

/// The words that `NAME_0`, `NAME_1` and on stand for, put together to limbs.
fn limbs_of_macros(text: &str, name: &str) -> Vec<u64> {
    let start = format!("#define {name}_");
    let words: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix(&start))
        .map(|rest| {
            let (_, word) = rest.split_once(" 0x").unwrap();
            u64::from_str_radix(word.strip_suffix('u').unwrap(), 16).unwrap()
        })
        .collect();
    let (pairs, _) = words.as_chunks();
    pairs.iter().map(|[low, high]| high << 32 | low).collect()
}

/// The shaders compute with what this crate computes with. Both calculate it from the
/// modulus, each in its own way.
fn check_constants<F: PrimeField>() {
    let path = format!("include/bls12_381_{}.glsl", F::NAME);
    let text = std::fs::read_to_string(shader_root().join(path)).unwrap();
    let expected = [F::MODULUS, F::ONE, F::R2, F::R3];
    for (name, expected) in ["P32", "R32", "RR32", "RRR32"].iter().zip(expected) {
        assert_eq!(limbs_of_macros(&text, name), expected.as_ref(), "{name}");
    }
    let inverse = format!("#define P_INV32 0x{:08x}u\n", F::INV & 0xffff_ffff);
    assert!(text.contains(&inverse), "expected {inverse}");
}

#[test]
fn the_shaders_have_the_same_constants() {
    check_constants::<Fp>();
    check_constants::<Fr>();
}
