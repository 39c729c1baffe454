//! Modules that compilers made pass; modules with one thing wrong do not, and
//! the error says what.
#![allow(clippy::panic, reason = "tests")]

use rspirv::binary::Assemble;
use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{BuiltIn, Capability, Decoration, MemoryModel, Op, StorageClass, Word};

use crate::Error;
use crate::spirv::KernelInterface;
use crate::testing::mutants::mutant;

fn compiled() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/accepted");
    files(folder)
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let spirv = paths.filter(|path| path.extension().is_some_and(|end| end == "spv"));
    let files = spirv.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    });
    files.collect()
}

#[test]
fn what_compilers_make_of_kernels_passes() {
    let compiled = compiled();
    assert!(compiled.len() >= 30, "{} fixtures", compiled.len());
    let own = field_kernels::KERNELS.iter();
    let own = own.map(|kernel| (kernel.name.to_owned(), kernel.spirv.to_vec()));
    for (name, spirv) in compiled.into_iter().chain(own) {
        let found = KernelInterface::parse(&spirv);
        assert!(found.is_ok(), "{name}: {}", found.unwrap_err());
    }
}

/// Modules that killed a driver once, found by `cargo xtask soak mutants`.
#[test]
fn what_killed_a_driver_is_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/killers");
    let modules = files(folder);
    let seeds = std::fs::read_to_string(format!("{folder}/seeds.txt")).unwrap();
    let mut refused = 0;
    for line in seeds.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [name, hash, seeds @ ..] = &words[..] else {
            panic!("expected a name and a hash, found {line}");
        };
        let file = format!("{name}.spv");
        let (_, module) = modules.iter().find(|(found, _)| *found == file).unwrap();
        let mut all = Vec::new();
        for seed in seeds {
            let killer = mutant(module, seed.parse().unwrap());
            let found = KernelInterface::parse(&killer);
            let stopped = matches!(found, Err(Error::InvalidSpirv { .. }));
            assert!(stopped, "{name}, seed {seed}");
            refused += 1;
            all.extend(killer);
        }
        let found = crate::spirv::spirv_hash(&all);
        let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            found, *hash,
            "{name}: these are not the mutants that killed"
        );
    }
    assert!(refused >= 190, "{refused} killers");
}

#[test]
fn mutants_are_refused_or_taken_and_nothing_else() {
    let mut taken = 0;
    for kernel in field_kernels::KERNELS {
        for seed in 0..400 {
            taken += usize::from(KernelInterface::parse(&mutant(kernel.spirv, seed)).is_ok());
        }
    }
    // Some change a name, or a constant to another: valid, if not the same.
    assert!((1..400).contains(&taken), "{taken} of 800");
}

proptest::proptest! {
    #[test]
    fn any_words_behind_a_header_are_an_error_or_a_module(
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
        let _ = KernelInterface::parse(&bytes);
    }

    #[test]
    fn a_mutant_of_any_fixture_is_an_error_or_a_module(seed: u64, which: usize) {
        let compiled = compiled();
        let (_, spirv) = &compiled[which % compiled.len()];
        let _ = KernelInterface::parse(&mutant(spirv, seed));
    }
}

/// Instructions behind a header, that each made the parser panic.
#[test]
fn what_the_parser_takes_for_granted_is_checked_before() {
    let refused = |body: &[u32], wanted| {
        let mut words = vec![0x0723_0203, 0x0001_0300, 0, 9, 0];
        words.extend(body);
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        let error = KernelInterface::parse(&bytes).unwrap_err().to_string();
        says(&error, wanted);
    };
    // A string that ends behind the module's end.
    refused(
        &[9 << 16 | 5, 1, 0x6161_6161],
        "an instruction of 1 to 3 words",
    );
    refused(&[5], "an instruction of 1 to 1 words");
    // Operations with operands that depend on their types.
    for op in [43, 50, 52, 251] {
        let body = [6 << 16 | 52, 1, 2, op, 0, 0];
        refused(&body, "expected an operation that constants may have");
    }
}

/// A fixture with something in it changed, and the error for that.
fn refused(name: &str, change: impl FnOnce(&mut Module)) -> String {
    let (_, spirv) = compiled()
        .into_iter()
        .find(|(found, _)| *found == format!("{name}.O0.spv"))
        .unwrap();
    let words = crate::spirv::module::words(&spirv).unwrap();
    let mut module = rspirv::dr::load_words(&words).unwrap();
    module.header.as_mut().unwrap().version = words[1];
    change(&mut module);
    let bytes: Vec<u8> = module
        .assemble()
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    match KernelInterface::parse(&bytes) {
        Err(Error::InvalidSpirv { reason }) => reason,
        other => panic!("expected a refusal, found {:?}", other.map(|_| "a kernel")),
    }
}

/// The first instruction with this opcode.
fn first(module: &mut Module, op: Op) -> &mut Instruction {
    module
        .all_inst_iter_mut()
        .find(|i| i.class.opcode == op)
        .unwrap()
}

fn id_of(module: &mut Module, op: Op) -> Word {
    first(module, op).result_id.unwrap()
}

#[track_caller]
fn says(found: &str, wanted: &str) {
    assert!(found.contains(wanted), "expected {wanted:?} in {found:?}");
}

#[test]
fn ids_are_below_the_bound_defined_once_and_before_use() {
    let found = refused("control_flow", |m| m.header.as_mut().unwrap().bound = 9);
    says(&found, "expected ids of 1 up to the bound 9");
    let found = refused("control_flow", |m| {
        let first_id = id_of(m, Op::TypeVoid);
        first(m, Op::TypeInt).result_id = Some(first_id);
    });
    says(&found, "defined once");
    let found = refused("control_flow", |m| m.types_global_values.swap(0, 1));
    says(&found, "to be defined before it is used");
    let found = refused("control_flow", |m| {
        let later = m.functions[0].blocks[2].instructions.iter();
        let later = later.filter_map(|i| i.result_id).next().unwrap();
        let mut stores = m.functions[0].blocks[0].instructions.iter_mut();
        let store = stores.rfind(|i| i.class.opcode == Op::Store);
        store.unwrap().operands[1] = Operand::IdRef(later);
    });
    says(&found, "to be defined on every way to here");
}

#[test]
fn operands_agree_with_their_instruction() {
    let found = refused("control_flow", |m| {
        let boolean = id_of(m, Op::ULessThan);
        let i = m
            .all_inst_iter_mut()
            .filter(|i| i.class.opcode == Op::Store);
        i.last().unwrap().operands[1] = Operand::IdRef(boolean);
    });
    says(&found, "OpStore: ");
    let found = refused("integers", |m| {
        let other = id_of(m, Op::TypeBool);
        first(m, Op::IAddCarry).result_type = Some(other);
    });
    says(&found, "expected a struct of two members as result type");
    let found = refused("integers", |m| {
        let extract = first(m, Op::CompositeExtract);
        *extract.operands.last_mut().unwrap() = Operand::LiteralBit32(9);
    });
    says(&found, "expected an index below 2, found 9");
    let found = refused("structs", |m| {
        let float = m
            .types_global_values
            .iter()
            .find(|i| i.class.opcode == Op::TypeFloat);
        let float = float.unwrap().result_id;
        first(m, Op::Load).result_type = float;
    });
    says(&found, "OpLoad");
}

#[test]
fn chains_of_indices_stay_inside_their_types() {
    let found = refused("shared_memory", |m| {
        // An index past `grid[4][16]` that is a constant.
        let large = m
            .types_global_values
            .iter()
            .find(|i| i.class.opcode == Op::Constant && i.operands == [Operand::LiteralBit32(264)]);
        let large = large.unwrap().result_id.unwrap();
        let globals = m.types_global_values.iter();
        let shared: Vec<_> = globals
            .filter(|i| i.operands.first() == Some(&Operand::StorageClass(StorageClass::Workgroup)))
            .filter_map(|i| i.result_id.map(Operand::IdRef))
            .collect();
        let chains = m
            .all_inst_iter_mut()
            .filter(|i| i.class.opcode == Op::AccessChain);
        let chains = chains.filter(|i| i.operands.len() == 3 && shared.contains(&i.operands[0]));
        let grid = chains.last().unwrap();
        grid.operands[1] = Operand::IdRef(large);
    });
    says(&found, "expected an index below 4, found 264");
}

#[test]
fn blocks_lead_to_labels_and_constructs_nest() {
    let found = refused("control_flow", |m| {
        let wrong = id_of(m, Op::TypeVoid);
        first(m, Op::Branch).operands[0] = Operand::IdRef(wrong);
    });
    says(&found, "expected a label of this function");
    let found = refused("control_flow", |m| {
        let block = m.functions[0].blocks.iter_mut().find(|block| {
            block
                .instructions
                .iter()
                .any(|i| i.class.opcode == Op::SelectionMerge)
        });
        let block = block.unwrap();
        block
            .instructions
            .retain(|i| i.class.opcode != Op::SelectionMerge);
    });
    says(
        &found,
        "expected OpSelectionMerge before a branch of several ways",
    );
    let found = refused("control_flow", |m| {
        let merge = first(m, Op::LoopMerge);
        merge.operands[1] = merge.operands[0].clone();
    });
    says(&found, "expected a merge block of its own");
    // A way back to a block that is no loop's header.
    let found = refused("control_flow", |m| {
        let header = m
            .functions
            .iter_mut()
            .flat_map(|f| &mut f.blocks)
            .find(|block| {
                let mut ops = block.instructions.iter().map(|i| i.class.opcode);
                ops.any(|op| op == Op::LoopMerge)
            });
        let i = header.unwrap().instructions.iter();
        let i = i.clone().rev().take(2).collect::<Vec<_>>();
        let (body, back) = (i[0].operands[0].clone(), i[1].operands[1].clone());
        let body =
            m.functions.iter().flat_map(|f| &f.blocks).find(|block| {
                Operand::IdRef(block.label.as_ref().unwrap().result_id.unwrap()) == body
            });
        let inner = body.unwrap().instructions.last().unwrap();
        let inner = inner.operands.iter().rev().nth(1).unwrap().clone();
        let continues = m
            .functions
            .iter_mut()
            .flat_map(|f| &mut f.blocks)
            .find(|block| Operand::IdRef(block.label.as_ref().unwrap().result_id.unwrap()) == back);
        let leave = continues.unwrap().instructions.last_mut().unwrap();
        assert_eq!(leave.class.opcode, Op::Branch);
        leave.operands[0] = inner;
    });
    says(&found, "expected ways back to lead to a loop's header");
    let found = refused("functions", |m| {
        let callee = first(m, Op::FunctionCall).operands[0].clone();
        let function = m.functions.iter_mut().find(|function| {
            let def = function.def.as_ref().unwrap();
            Operand::IdRef(def.result_id.unwrap()) == callee
        });
        let call = Instruction::new(
            Op::FunctionCall,
            function.as_ref().unwrap().def.as_ref().unwrap().result_type,
            Some(m.header.as_ref().unwrap().bound),
            vec![callee],
        );
        m.header.as_mut().unwrap().bound += 1;
        let block = &mut function.unwrap().blocks[0].instructions;
        block.insert(block.len() - 1, call);
    });
    says(&found, "expected no recursion");
}

#[test]
fn declarations_are_of_bearable_size_and_once() {
    let found = refused("functions", |m| {
        let again = m
            .types_global_values
            .iter()
            .find(|i| i.class.opcode == Op::TypeBool);
        let mut again = again.unwrap().clone();
        again.result_id = Some(m.header.as_ref().unwrap().bound);
        m.header.as_mut().unwrap().bound += 1;
        m.types_global_values.push(again);
    });
    says(&found, "expected one declaration of this type");
    let found = refused("functions", |m| {
        first(m, Op::TypeInt).operands[1] = Operand::LiteralBit32(2);
    });
    says(&found, "a signedness of 0 or 1");
    let found = refused("shared_memory", |m| {
        first(m, Op::TypeVector).operands[1] = Operand::LiteralBit32(5);
    });
    says(&found, "expected 2 to 4 components, found 5");
    let found = refused("functions", |m| {
        let length = first(m, Op::TypeArray).operands[1].clone();
        let constant = m
            .types_global_values
            .iter_mut()
            .find(|i| i.result_id.map(Operand::IdRef) == Some(length.clone()));
        constant.unwrap().operands[0] = Operand::LiteralBit32(u32::MAX);
    });
    says(&found, "expected a type of at most");
}

#[test]
fn capabilities_and_extensions_come_with_what_needs_them() {
    let without = |name, capability: Capability| {
        refused(name, |m| {
            let operand = Operand::Capability(capability);
            m.capabilities.retain(|i| i.operands[0] != operand);
        })
    };
    says(&without("integers", Capability::Int64), "[Int64]");
    says(&without("doubles", Capability::Float64), "[Float64]");
    says(
        &without("subgroups", Capability::GroupNonUniformArithmetic),
        "GroupNonUniformArithmetic",
    );
    says(&without("floats", Capability::Shader), "capability Shader");
    let found = refused("floats", |m| {
        let name = Operand::LiteralString("OpenCL.std".to_owned());
        m.ext_inst_imports[0].operands[0] = name;
    });
    says(&found, "GLSL.std.450");
    let found = refused("floats", |m| {
        let model = m.memory_model.as_mut().unwrap();
        model.operands[1] = Operand::MemoryModel(MemoryModel::OpenCL);
    });
    says(&found, "expected the memory model Logical GLSL450");
}

#[test]
fn decorations_are_on_what_they_are_for_and_blocks_laid_out() {
    let decorate = |kind: Decoration, op: Op, operands: Vec<Operand>| {
        refused("volatile_memory", |m| {
            let target = id_of(m, op);
            let mut all = vec![Operand::IdRef(target), Operand::Decoration(kind)];
            all.extend(operands);
            m.annotations
                .push(Instruction::new(Op::Decorate, None, None, all));
        })
    };
    let binding = vec![Operand::LiteralBit32(7)];
    let found = decorate(Decoration::Binding, Op::TypeVoid, binding);
    says(&found, "Binding on OpTypeVoid");
    let position = vec![Operand::BuiltIn(BuiltIn::Position)];
    let found = decorate(Decoration::BuiltIn, Op::Constant, position);
    says(&found, "expected a built-in of compute kernels");
    let change = |kind: Decoration, value: u32| {
        refused("volatile_memory", |m| {
            let wanted = Operand::Decoration(kind);
            let found = m.annotations.iter_mut().rev();
            let mut found = found.filter(|i| i.operands.contains(&wanted));
            *found.next().unwrap().operands.last_mut().unwrap() = Operand::LiteralBit32(value);
        })
    };
    says(
        &change(Decoration::ArrayStride, 2),
        "expected an ArrayStride of",
    );
    says(&change(Decoration::Offset, 2), "expected");
}

#[test]
fn storage_classes_and_entry_points_are_those_of_kernels() {
    let found = refused("control_flow", |m| {
        let pointer = m.types_global_values.iter_mut().find(|i| {
            i.operands.first() == Some(&Operand::StorageClass(StorageClass::Input))
                && i.class.opcode == Op::TypePointer
        });
        pointer.unwrap().operands[0] = Operand::StorageClass(StorageClass::Output);
    });
    says(&found, "expected a storage class of compute kernels");
    let found = refused("control_flow", |m| m.entry_points[0].operands.truncate(3));
    says(&found, "expected every input in an entry point's interface");
}

#[test]
fn what_is_not_listed_is_refused() {
    let found = refused("control_flow", |m| {
        let block = &mut m.functions[0].blocks[0].instructions;
        let kill = Instruction::new(
            Op::SetUserEventStatus,
            None,
            None,
            vec![Operand::IdRef(1), Operand::IdRef(1)],
        );
        block.insert(0, kill);
    });
    says(&found, "expected opcodes that compute kernels need");
}
