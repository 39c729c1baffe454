//! Modules that are valid but for their size: what a driver would not bear, and
//! what the check itself must not take long for.
#![allow(clippy::panic, reason = "tests")]

use rspirv::binary::Assemble;
use rspirv::dr::{Builder, Operand};
use rspirv::spirv::{
    AddressingModel, Capability, Decoration, ExecutionMode, ExecutionModel, FunctionControl,
    LoopControl, MemoryModel, SelectionControl, StorageClass, Word,
};

use crate::Error;
use crate::spirv::KernelInterface;

/// The ids that every module here has.
#[derive(Clone, Copy)]
pub(super) struct Base {
    pub(super) void: Word,
    pub(super) u32_type: Word,
    /// The buffer at binding 2, a block of one runtime array of words.
    pub(super) output: Word,
    /// The function `main`.
    pub(super) main: Word,
}

/// A valid kernel whose `main` begins with what `body` writes; `functions` are
/// written before it.
pub(super) fn kernel(
    functions: impl FnOnce(&mut Builder, Base),
    body: impl FnOnce(&mut Builder, Base),
) -> Vec<u8> {
    let mut b = Builder::new();
    b.set_version(1, 4);
    b.capability(Capability::Shader);
    b.memory_model(AddressingModel::Logical, MemoryModel::GLSL450);
    let (void, u32_type) = (b.type_void(), b.type_int(32, 0));
    let words = b.type_runtime_array(u32_type);
    b.decorate(words, Decoration::ArrayStride, [Operand::LiteralBit32(4)]);
    let output = buffer(&mut b, words, 2);
    let main = b.id();
    let base = Base {
        void,
        u32_type,
        output,
        main,
    };
    functions(&mut b, base);
    let function = b.type_function(void, []);
    b.begin_function(void, Some(main), FunctionControl::NONE, function)
        .unwrap();
    b.begin_block(None).unwrap();
    body(&mut b, base);
    b.ret().unwrap();
    b.end_function().unwrap();
    b.entry_point(ExecutionModel::GLCompute, main, "main", []);
    b.execution_mode(main, ExecutionMode::LocalSize, [64, 1, 1]);
    let words = b.module().assemble();
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// A storage buffer with one member of type `of`, at `binding`.
pub(super) fn buffer(b: &mut Builder, of: Word, binding: u32) -> Word {
    let id = b.id();
    let block = b.type_struct_id(Some(id), [of]);
    b.decorate(block, Decoration::Block, []);
    b.member_decorate(block, 0, Decoration::Offset, [Operand::LiteralBit32(0)]);
    let pointer = b.type_pointer(None, StorageClass::StorageBuffer, block);
    let buffer = b.variable(pointer, None, StorageClass::StorageBuffer, None);
    for (kind, value) in [
        (Decoration::DescriptorSet, 0),
        (Decoration::Binding, binding),
    ] {
        b.decorate(buffer, kind, [Operand::LiteralBit32(value)]);
    }
    buffer
}

/// An array type of `length` words, laid out for buffers.
pub(super) fn array(b: &mut Builder, of: Word, length: u32) -> Word {
    let u32_type = b.type_int(32, 0);
    let length = b.constant_bit32(u32_type, length);
    let id = b.id();
    let array = b.type_array_id(Some(id), of, length);
    b.decorate(array, Decoration::ArrayStride, [Operand::LiteralBit32(4)]);
    array
}

/// What is said about `main` with this body; "" where it is accepted.
#[track_caller]
pub(super) fn found(body: impl FnOnce(&mut Builder, Base)) -> String {
    verdict(&kernel(|_, _| (), body))
}

#[track_caller]
pub(super) fn verdict(spirv: &[u8]) -> String {
    match KernelInterface::parse(spirv) {
        Ok(_) => String::new(),
        Err(Error::InvalidSpirv { reason }) => reason,
        Err(other) => panic!("expected InvalidSpirv, found {other}"),
    }
}

#[track_caller]
pub(super) fn says(found: &str, wanted: &str) {
    assert!(found.contains(wanted), "expected {wanted:?} in {found:?}");
}

/// The most scalars of a value.
const MOST: u32 = 1 << 14;

#[test]
fn values_are_of_a_size_that_drivers_can_take_apart() {
    let undefined = |length| {
        found(|b, base| {
            let array = array(b, base.u32_type, length);
            let value = b.undef(array, None);
            b.composite_extract(base.u32_type, None, value, [0])
                .unwrap();
        })
    };
    let null = |length| {
        found(|b, base| {
            let array = array(b, base.u32_type, length);
            let value = b.constant_null(array);
            b.composite_extract(base.u32_type, None, value, [0])
                .unwrap();
        })
    };
    let loaded = |length| found(|b, base| through_memory(b, base, length, false));
    let copied = |length| found(|b, base| through_memory(b, base, length, true));
    let wanted = "expected a value of at most 16384 scalars, found one of ";
    let sides: [&dyn Fn(u32) -> String; 4] = [&undefined, &null, &loaded, &copied];
    for (number, side) in sides.iter().enumerate() {
        assert_eq!(side(MOST), "", "{number}");
        says(&side(MOST + 1), &format!("{wanted}16385"));
        says(&side(1 << 28), &format!("{wanted}268435456"));
    }
}

/// Reads a whole array from one buffer and writes it to another.
fn through_memory(b: &mut Builder, base: Base, length: u32, copy: bool) {
    let array = array(b, base.u32_type, length);
    let pointer = b.type_pointer(None, StorageClass::StorageBuffer, array);
    let zero = b.constant_bit32(base.u32_type, 0);
    // Not among the instructions of `main`, where the builder stands.
    let block = b.selected_block();
    b.select_block(None).unwrap();
    let function = b.selected_function();
    b.select_function(None).unwrap();
    let buffers = [0, 1].map(|binding| buffer(b, array, binding));
    b.select_function(function).unwrap();
    b.select_block(block).unwrap();
    let [from, to] = buffers.map(|buffer| b.access_chain(pointer, None, buffer, [zero]).unwrap());
    if copy {
        b.copy_memory(to, from, None, None, []).unwrap();
    } else {
        let value = b.load(array, None, from, None, []).unwrap();
        b.store(to, value, None, []).unwrap();
    }
}

#[test]
fn functions_take_and_return_values_of_bearable_size() {
    let with = |length| {
        let spirv = kernel(
            |b, base| {
                let array = array(b, base.u32_type, length);
                let function = b.type_function(base.void, [array]);
                b.begin_function(base.void, None, FunctionControl::NONE, function)
                    .unwrap();
                b.function_parameter(array).unwrap();
                b.begin_block(None).unwrap();
                b.ret().unwrap();
                b.end_function().unwrap();
            },
            |_, _| (),
        );
        verdict(&spirv)
    };
    assert_eq!(with(MOST), "");
    says(&with(MOST + 1), "expected types that a function can take");
}

#[test]
fn many_large_values_are_too_much_together() {
    let copies = |count| {
        found(|b, base| {
            let array = array(b, base.u32_type, MOST);
            let value = b.undef(array, None);
            for _ in 0..count {
                b.copy_object(array, None, value).unwrap();
            }
        })
    };
    // The first value counts, too, and each 16 times for every scalar.
    assert_eq!(copies(2), "");
    says(&copies(4), "expected 1048576 instructions at most");
    let constants = |count| {
        found(|b, base| {
            for _ in 0..count {
                let array = array(b, base.u32_type, MOST);
                b.constant_null(array);
            }
        })
    };
    assert_eq!(constants(63), "");
    says(&constants(64), "scalars in the module's constants at most");
}

#[test]
fn variables_count_once_for_each_call() {
    let calls = |count| {
        let spirv = kernel(
            |b, base| {
                let array = array(b, base.u32_type, 1 << 14);
                let pointer = b.type_pointer(None, StorageClass::Function, array);
                let kind = b.type_function(base.void, []);
                b.begin_function(base.void, None, FunctionControl::NONE, kind)
                    .unwrap();
                b.begin_block(None).unwrap();
                b.variable(pointer, None, StorageClass::Function, None);
                b.ret().unwrap();
                b.end_function().unwrap();
            },
            |b, base| {
                let callee = b.module_ref().functions[0].def.as_ref();
                let callee = callee.and_then(|def| def.result_id).unwrap();
                for _ in 0..count {
                    b.function_call(base.void, None, callee, []).unwrap();
                }
            },
        );
        verdict(&spirv)
    };
    assert_eq!(calls(4), "");
    let found = calls(5);
    says(
        &found,
        "262144 bytes of variables at most for an invocation, found 327680",
    );
}

/// Checks what takes a second or two; a step that takes quadratic time
/// would take minutes.
#[track_caller]
fn passes_in_bearable_time(spirv: &[u8]) {
    let start = std::time::Instant::now();
    assert_eq!(verdict(spirv), "");
    let took = start.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn long_chains_of_pointers_are_checked_in_linear_time() {
    let spirv = kernel(
        |_, _| (),
        |b, base| {
            let pointer = b.type_pointer(None, StorageClass::StorageBuffer, base.u32_type);
            let zero = b.constant_bit32(base.u32_type, 0);
            let mut word = b
                .access_chain(pointer, None, base.output, [zero, zero])
                .unwrap();
            for _ in 0..150_000 {
                word = b.access_chain(pointer, None, word, []).unwrap();
                b.store(word, zero, None, []).unwrap();
            }
        },
    );
    passes_in_bearable_time(&spirv);
}

#[test]
fn large_structs_and_many_entry_points_are_checked_in_linear_time() {
    let members = 10_000;
    let spirv = kernel(
        |b, base| {
            let kind = b.type_function(base.void, []);
            for number in 0..100_000 {
                let function = b
                    .begin_function(base.void, None, FunctionControl::NONE, kind)
                    .unwrap();
                b.begin_block(None).unwrap();
                b.ret().unwrap();
                b.end_function().unwrap();
                let name = number.to_string();
                b.entry_point(ExecutionModel::GLCompute, function, name, []);
                b.execution_mode(function, ExecutionMode::LocalSize, [1, 1, 1]);
            }
        },
        |b, base| {
            let large = b.type_struct(vec![base.u32_type; members]);
            let other = b.id();
            let other = b.type_struct_id(Some(other), vec![base.u32_type; members]);
            let value = b.undef(large, None);
            for _ in 0..6 {
                b.copy_logical(other, None, value).unwrap();
            }
            let last = u32::try_from(members).unwrap() - 1;
            for _ in 0..100_000 {
                b.composite_extract(base.u32_type, None, value, [last])
                    .unwrap();
            }
        },
    );
    passes_in_bearable_time(&spirv);
}

/// Begins the block `label`.
fn begin(b: &mut Builder, label: Word) {
    b.begin_block(Some(label)).unwrap();
}

#[test]
fn a_loop_may_be_left_from_thousands_of_blocks() {
    let spirv = kernel(
        |_, _| (),
        |b, _| {
            let bool_type = b.type_bool();
            let condition = b.constant_true(bool_type);
            let [header, continues, merge] = [(); 3].map(|()| b.id());
            b.branch(header).unwrap();
            begin(b, header);
            b.loop_merge(merge, continues, LoopControl::NONE, [])
                .unwrap();
            let first = b.id();
            b.branch(first).unwrap();
            begin(b, first);
            for _ in 0..20_000 {
                let next = b.id();
                b.branch_conditional(condition, merge, next, []).unwrap();
                begin(b, next);
            }
            b.branch(continues).unwrap();
            begin(b, continues);
            b.branch(header).unwrap();
            begin(b, merge);
        },
    );
    passes_in_bearable_time(&spirv);
}

#[test]
fn deep_selections_with_many_ways_out_are_checked_in_linear_time() {
    let spirv = kernel(
        |_, _| (),
        |b, base| {
            let bool_type = b.type_bool();
            let condition = b.constant_true(bool_type);
            let zero = b.constant_bit32(base.u32_type, 0);
            let outside = b.id();
            // A switch around everything, which many blocks far inside leave.
            let inside = b.id();
            b.selection_merge(outside, SelectionControl::NONE).unwrap();
            b.switch(zero, inside, []).unwrap();
            begin(b, inside);
            let merges: Vec<Word> = (0..1000)
                .map(|_| {
                    let [merge, then] = [(); 2].map(|()| b.id());
                    b.selection_merge(merge, SelectionControl::NONE).unwrap();
                    b.branch_conditional(condition, then, merge, []).unwrap();
                    begin(b, then);
                    merge
                })
                .collect();
            for _ in 0..100_000 {
                let next = b.id();
                b.branch_conditional(condition, outside, next, []).unwrap();
                begin(b, next);
            }
            for merge in merges.into_iter().rev() {
                b.branch(merge).unwrap();
                begin(b, merge);
            }
            b.branch(outside).unwrap();
            begin(b, outside);
        },
    );
    passes_in_bearable_time(&spirv);
}
