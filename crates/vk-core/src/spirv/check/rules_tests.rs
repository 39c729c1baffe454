//! Valid kernels with one instruction that is not, built for one rule each.

use rspirv::dr::{Builder, Operand};
use rspirv::spirv::{
    Capability, Decoration, ExecutionModel, FunctionControl, Op, StorageClass, Word,
};

use super::bounds_tests::{Base, buffer, found, kernel, says, verdict};

/// A pointer to the first word of `buffer`, a block of a runtime array.
fn word_of(b: &mut Builder, base: Base, buffer: Word) -> Word {
    let pointer = b.type_pointer(None, StorageClass::StorageBuffer, base.u32_type);
    let zero = b.constant_bit32(base.u32_type, 0);
    b.access_chain(pointer, None, buffer, [zero, zero]).unwrap()
}

/// A kernel that writes a word through what `pointer` makes of an input, which
/// `promise` decorates; it is given the input's id and that of its struct.
fn writes(
    promise: fn(&mut Builder, Word, Word),
    pointer: fn(&mut Builder, Base, Word) -> Word,
) -> String {
    let input = std::cell::Cell::new(0);
    let spirv = kernel(
        |b, base| {
            let words = b.type_runtime_array(base.u32_type);
            input.set(buffer(b, words, 0));
            let mut globals = b.module_ref().types_global_values.iter().rev();
            let block = globals.find(|i| i.class.opcode == Op::TypeStruct);
            let block = block.and_then(|i| i.result_id).unwrap();
            promise(b, input.get(), block);
        },
        |b, base| {
            let zero = b.constant_bit32(base.u32_type, 0);
            let pointer = pointer(b, base, input.get());
            b.store(pointer, zero, None, []).unwrap();
        },
    );
    verdict(&spirv)
}

#[test]
fn what_is_promised_to_be_read_only_is_not_written() {
    let nothing = |_: &mut Builder, _, _| ();
    let whole = |b: &mut Builder, input, _| b.decorate(input, Decoration::NonWritable, []);
    let member =
        |b: &mut Builder, _, block| b.member_decorate(block, 0, Decoration::NonWritable, []);
    let copied = |b: &mut Builder, base: Base, input| {
        let pointer = b.type_pointer(None, StorageClass::StorageBuffer, base.u32_type);
        let word = word_of(b, base, input);
        let again = b.copy_object(pointer, None, word).unwrap();
        b.access_chain(pointer, None, again, []).unwrap()
    };
    assert_eq!(writes(nothing, word_of), "");
    assert_eq!(writes(nothing, copied), "");
    for promise in [whole, member] {
        for pointer in [word_of, copied] {
            says(&writes(promise, pointer), "perhaps NonWritable");
        }
        // The output is another buffer.
        assert_eq!(
            writes(promise, |b, base, _| word_of(b, base, base.output)),
            ""
        );
    }
}

#[test]
fn operations_on_words_take_words() {
    let reversed = |width| {
        found(|b, _| {
            if width == 64 {
                b.capability(Capability::Int64);
            }
            let int = b.type_int(width, 0);
            let one = b.undef(int, None);
            b.bit_reverse(int, None, one).unwrap();
        })
    };
    assert_eq!(reversed(32), "");
    says(&reversed(64), "expected operands that go with this opcode");
    let quantized = |width| {
        found(|b, _| {
            if width == 64 {
                b.capability(Capability::Float64);
            }
            let float = b.type_float(width, None);
            let one = b.undef(float, None);
            b.quantize_to_f16(float, None, one).unwrap();
        })
    };
    assert_eq!(quantized(32), "");
    says(&quantized(64), "expected operands that go with this opcode");
}

#[test]
fn entry_points_are_not_called() {
    let found = found(|b, base| {
        b.function_call(base.void, None, base.main, []).unwrap();
    });
    says(&found, "expected a function that is no entry point");
}

#[test]
fn entry_points_take_and_return_nothing() {
    let with_parameters = |count| {
        let spirv = kernel(
            |b, base| {
                let kind = b.type_function(base.void, vec![base.u32_type; count]);
                let function = b
                    .begin_function(base.void, None, FunctionControl::NONE, kind)
                    .unwrap();
                for _ in 0..count {
                    b.function_parameter(base.u32_type).unwrap();
                }
                b.begin_block(None).unwrap();
                b.ret().unwrap();
                b.end_function().unwrap();
                b.entry_point(ExecutionModel::GLCompute, function, "other", []);
            },
            |_, _| (),
        );
        verdict(&spirv)
    };
    assert_eq!(with_parameters(0), "");
    let found = with_parameters(1);
    says(&found, "expected a function that takes and returns nothing");
}

#[test]
fn atomics_have_orders_that_go_with_them() {
    const UNIFORM_MEMORY: u32 = 0x40;
    let with = |order: u32, store: bool| {
        found(|b, base| {
            let word = word_of(b, base, base.output);
            let scope = b.constant_bit32(base.u32_type, 1);
            let semantics = b.constant_bit32(base.u32_type, order | UNIFORM_MEMORY);
            if store {
                b.atomic_store(word, scope, semantics, scope).unwrap();
            } else {
                b.atomic_load(base.u32_type, None, word, scope, semantics)
                    .unwrap();
            }
        })
    };
    let (acquire, release) = (0x2, 0x4);
    for (order, load, store) in [
        (0, true, true),
        (acquire, true, false),
        (release, false, true),
        (0x8, false, false),
        (0x10, false, false),
    ] {
        for (good, found) in [(load, with(order, false)), (store, with(order, true))] {
            match good {
                true => assert_eq!(found, "", "{order:#x}"),
                false => says(&found, "expected a load to acquire at most"),
            }
        }
    }
    let unequal = |order: u32| {
        found(|b, base| {
            let word = word_of(b, base, base.output);
            let one = b.constant_bit32(base.u32_type, 1);
            let [equal, unequal] =
                [0x8, order].map(|order| b.constant_bit32(base.u32_type, order | UNIFORM_MEMORY));
            b.atomic_compare_exchange(base.u32_type, None, word, one, equal, unequal, one, one)
                .unwrap();
        })
    };
    assert_eq!(unequal(acquire), "");
    says(
        &unequal(release),
        "expected an unequal comparison to release nothing",
    );
}

#[test]
fn copies_between_types_are_of_types_alike_but_for_decorations() {
    let copy = |other_length: u32| {
        found(|b, base| {
            let [one, other] = [4, other_length].map(|length| {
                let array = super::bounds_tests::array(b, base.u32_type, length);
                let id = b.id();
                b.type_struct_id(Some(id), [array, base.u32_type])
            });
            b.member_decorate(other, 0, Decoration::Offset, [Operand::LiteralBit32(0)]);
            let value = b.undef(one, None);
            b.copy_logical(other, None, value).unwrap();
        })
    };
    assert_eq!(copy(4), "");
    says(&copy(5), "or a type like it but for decorations");
}

/// A fixture with debug information, with something in its words changed.
fn with_debug_information(change: impl FnOnce(&mut Vec<Vec<u32>>)) -> String {
    let spirv = include_bytes!("../../../tests/fixtures/accepted/functions.gVS.spv");
    let words = crate::spirv::module::words(spirv).unwrap();
    let mut instructions = Vec::new();
    let mut at = 5;
    while at < words.len() {
        let end = at + (words[at] >> 16) as usize;
        instructions.push(words[at..end].to_vec());
        at = end;
    }
    change(&mut instructions);
    let all = words[..5].iter().chain(instructions.iter().flatten());
    let bytes: Vec<u8> = all.flat_map(|word| word.to_le_bytes()).collect();
    verdict(&bytes)
}

#[test]
fn instructions_that_mean_nothing_are_left_out_but_for_their_places_and_ids() {
    const EXT_INST: u32 = 6 << 16 | 12;
    let is = |op: Op| move |i: &Vec<u32>| i[0] & 0xFFFF == op as u32;
    let silent = |all: &[Vec<u32>]| {
        let mut all = all.iter().rev();
        let mut silent = all.find(|i| is(Op::ExtInst)(i)).unwrap().clone();
        silent.truncate(6);
        silent[0] = EXT_INST;
        silent[2] = 1000;
        silent
    };
    assert_eq!(with_debug_information(|_| ()), "");
    let insert_behind = |op: Op| {
        with_debug_information(|all| {
            let at = all.iter().position(is(op)).unwrap();
            let mut new = silent(all);
            // An id that the debug information has and nothing names.
            let line = all.iter().rposition(is(Op::ExtInst)).unwrap();
            new[2] = all.remove(line)[2];
            all.insert(at + 1, new);
        })
    };
    assert_eq!(insert_behind(Op::TypeVoid), "");
    assert_eq!(insert_behind(Op::Store), "");
    for op in [
        Op::SelectionMerge,
        Op::Branch,
        Op::FunctionEnd,
        Op::Function,
    ] {
        says(
            &insert_behind(op),
            "expected a non-semantic OpExtInst among",
        );
    }
    says(
        &insert_behind(Op::MemoryModel),
        "expected OpEntryPoint before",
    );
    says(
        &insert_behind(Op::Label),
        "expected OpVariable before the non-semantic",
    );
    let with_id = |id: fn(&[Vec<u32>]) -> u32| {
        with_debug_information(|all| {
            let new = id(all);
            let at = all.iter().rposition(is(Op::ExtInst)).unwrap();
            all[at][2] = new;
        })
    };
    says(&with_id(|_| 0), "expected ids of 1 up to the bound");
    says(&with_id(|_| 60_000), "expected ids of 1 up to the bound");
    let again = |all: &[Vec<u32>]| all.iter().find(|i| i[0] & 0xFFFF == 19).unwrap()[1];
    says(&with_id(again), "expected each id to be defined once");
    let found = with_debug_information(|all| {
        let int = all.iter().find(|i| is(Op::TypeInt)(i)).unwrap()[1];
        let at = all.iter().rposition(is(Op::ExtInst)).unwrap();
        all[at][1] = int;
    });
    says(&found, "expected void as result type");
}
