//! Modules built for one question each.

use rspirv::binary::Assemble;
use rspirv::dr::{Builder, Instruction, Operand};
use rspirv::spirv::{
    AddressingModel, Capability, Decoration, ExecutionMode, ExecutionModel, MemoryModel, Op,
    StorageClass, Word,
};

use super::KernelInterface;
use crate::Error;
use crate::testing::recorded;

/// A kernel that does nothing, with what `more` adds to its types and
/// variables; `more` is given the id of `u32`.
fn module(more: impl FnOnce(&mut Builder, Word)) -> Vec<u8> {
    let mut b = Builder::new();
    b.set_version(1, 3);
    b.capability(Capability::Shader);
    b.memory_model(AddressingModel::Logical, MemoryModel::GLSL450);
    let (void, u32_type) = (b.type_void(), b.type_int(32, 0));
    let words = b.type_runtime_array(u32_type);
    b.decorate(words, Decoration::ArrayStride, [Operand::LiteralBit32(4)]);
    let block = block(&mut b, &[(words, 0)]);
    b.decorate(block, Decoration::Block, []);
    let out = variable(&mut b, block, StorageClass::StorageBuffer);
    bind(&mut b, out, 2);
    more(&mut b, u32_type);
    let function = b.type_function(void, []);
    let control = rspirv::spirv::FunctionControl::NONE;
    let main = b.begin_function(void, None, control, function).unwrap();
    b.begin_block(None).unwrap();
    // What an entry point does not use is not looked at.
    let globals = b.module_ref().types_global_values.iter();
    let variables = globals.filter(|i| i.class.opcode == Op::Variable);
    let variables: Vec<_> = variables
        .filter_map(|i| i.result_type.zip(i.result_id))
        .collect();
    for (kind, variable) in variables {
        b.copy_object(kind, None, variable).unwrap();
    }
    b.ret().unwrap();
    b.end_function().unwrap();
    b.entry_point(ExecutionModel::GLCompute, main, "main", []);
    b.execution_mode(main, ExecutionMode::LocalSize, [64, 1, 1]);
    bytes(&b.module())
}

fn bytes(module: &rspirv::dr::Module) -> Vec<u8> {
    let words = module.assemble().into_iter();
    words.flat_map(u32::to_le_bytes).collect()
}

fn bind(b: &mut Builder, variable: Word, binding: u32) {
    for (kind, value) in [
        (Decoration::DescriptorSet, 0),
        (Decoration::Binding, binding),
    ] {
        b.decorate(variable, kind, [Operand::LiteralBit32(value)]);
    }
}

fn variable(b: &mut Builder, of: Word, class: StorageClass) -> Word {
    let pointer = b.type_pointer(None, class, of);
    b.variable(pointer, None, class, None)
}

/// A struct with its members at these offsets.
fn block(b: &mut Builder, members: &[(Word, u32)]) -> Word {
    // Not `type_struct`, which gives two structs of equal members one id.
    let id = b.id();
    let types: Vec<_> = members.iter().map(|(kind, _)| *kind).collect();
    let id = b.type_struct_id(Some(id), types);
    for (member, (_, offset)) in (0..).zip(members) {
        let operands = [Operand::LiteralBit32(*offset)];
        b.member_decorate(id, member, Decoration::Offset, operands);
    }
    id
}

/// As by a device whose limits are no limits.
fn parse(more: impl FnOnce(&mut Builder, Word)) -> Result<KernelInterface, Error> {
    let mut caps = recorded::h200();
    caps.limits.max_push_constants = u32::MAX;
    caps.limits.max_shared_memory = u32::MAX;
    KernelInterface::parse(&module(more), &caps)
}

#[test]
fn a_block_that_rounds_up_past_4_gib_is_refused() {
    let with_last_byte_at = |offset| {
        parse(|b, u32_type| {
            let byte = b.type_int(8, 0);
            let block = block(b, &[(u32_type, 0), (byte, offset)]);
            variable(b, block, StorageClass::PushConstant);
        })
    };
    assert_eq!(with_last_byte_at(4).unwrap().push_constant_bytes, 8);
    for offset in [u32::MAX - 1, u32::MAX] {
        let error = with_last_byte_at(offset).unwrap_err();
        assert!(error.to_string().contains("4 GiB"), "{error}");
    }
}

#[test]
fn structs_that_share_their_members_are_measured_in_no_time() {
    // 40^14 paths lead from the block down to the integer.
    let interface = parse(|b, u32_type| {
        let mut of = u32_type;
        for _ in 0..14 {
            of = block(b, &[(of, 0); 40]);
        }
        let block = block(b, &[(u32_type, 0), (of, 4)]);
        variable(b, block, StorageClass::PushConstant);
    });
    assert_eq!(interface.unwrap().push_constant_bytes, 8);
}

#[test]
fn the_largest_push_constant_block_counts() {
    for sizes in [[1, 3], [3, 1]] {
        let interface = parse(|b, u32_type| {
            for words in sizes {
                let members: Vec<_> = (0..words).map(|word| (u32_type, 4 * word)).collect();
                let block = block(b, &members);
                variable(b, block, StorageClass::PushConstant);
            }
        });
        assert_eq!(interface.unwrap().push_constant_bytes, 12);
    }
}

#[test]
fn shared_memory_is_the_sum_of_its_variables() {
    let interface = parse(|b, u32_type| {
        b.capability(Capability::Float64);
        let float = b.type_float(64, None);
        let vector = b.type_vector(float, 3);
        let matrix = b.type_matrix(vector, 2);
        let bool_type = b.type_bool();
        let five = b.spec_constant_bit32(u32_type, 5);
        let add = [
            Operand::LiteralSpecConstantOpInteger(Op::IAdd),
            Operand::IdRef(five),
            Operand::IdRef(five),
        ];
        let (op, ten_id) = (Op::SpecConstantOp, b.id());
        let ten = Instruction::new(op, Some(u32_type), Some(ten_id), add.to_vec());
        b.module_mut().types_global_values.push(ten);
        let array = b.type_array(u32_type, ten_id);
        let flags = b.type_array(bool_type, five);
        let pair = b.type_struct([array, bool_type, vector]);
        for of in [u32_type, vector, matrix, bool_type, array, flags, pair] {
            variable(b, of, StorageClass::Workgroup);
        }
        variable(b, matrix, StorageClass::Private);
    });
    let bytes = 4 + 24 + 48 + 4 + 40 + 20 + (40 + 4 + 24);
    assert_eq!(interface.unwrap().shared_memory_bytes, bytes);
}

/// A storage buffer of two members at `binding`.
fn input(b: &mut Builder, u32_type: Word, binding: u32) -> [Word; 2] {
    let block = block(b, &[(u32_type, 0), (u32_type, 4)]);
    b.decorate(block, Decoration::Block, []);
    let input = variable(b, block, StorageClass::StorageBuffer);
    bind(b, input, binding);
    [input, block]
}

#[test]
fn inputs_are_read_only_where_the_module_promises_it_of_all_that_there_is_of_them() {
    // For each input: whether the variable promises it, and which members do.
    let promised = |inputs: &[(u32, bool, &[u32])]| {
        let interface = parse(|b, u32_type| {
            for (binding, whole, members) in inputs {
                let [input, block] = input(b, u32_type, *binding);
                if *whole {
                    b.decorate(input, Decoration::NonWritable, []);
                }
                for member in *members {
                    b.member_decorate(block, *member, Decoration::NonWritable, []);
                }
            }
        });
        interface.unwrap().inputs_read_only
    };
    assert!(promised(&[]));
    assert!(promised(&[(0, true, &[]), (1, false, &[0, 1])]));
    assert!(!promised(&[(0, true, &[]), (1, false, &[])]));
    assert!(!promised(&[(0, false, &[1])]));
    // Two variables for one buffer.
    assert!(!promised(&[(0, true, &[]), (0, false, &[])]));
    // The output is there to be written.
    assert!(promised(&[(2, false, &[])]));
    for kernel in field_kernels::KERNELS {
        let interface = KernelInterface::parse(kernel.spirv, &recorded::h200()).unwrap();
        assert!(interface.inputs_read_only, "{}", kernel.name);
    }
}

#[test]
fn too_much_shared_memory_is_refused_with_both_numbers() {
    let of = |of: fn(&mut Builder, Word) -> Word, elements| {
        let spirv = module(|b, u32_type| {
            let of = of(b, u32_type);
            let length = b.constant_bit32(u32_type, elements);
            let array = b.type_array(of, length);
            for _ in 0..40 {
                variable(b, array, StorageClass::Workgroup);
            }
        });
        let checked = KernelInterface::parse(&spirv, &recorded::llvmpipe());
        checked.map_or_else(|error| error.to_string(), |_| String::new())
    };
    let (words, bools): (fn(&mut Builder, Word) -> Word, _) =
        (|_, u32_type| u32_type, |b: &mut Builder, _| b.type_bool());
    assert_eq!(of(words, 204), "");
    let text = of(words, 205);
    let needed = text.contains("needed 32800 bytes of shared memory");
    assert!(needed && text.contains("found 32768 at most"), "{text}");
    let text = of(bools, 100_000_000);
    assert!(text.contains("needed 4294967295 bytes of shared"), "{text}");
}

#[test]
fn the_library_kernels_keep_their_interface() {
    let spirv = field_kernels::FIELD_ADD.spirv;
    let coalesced = KernelInterface::parse(spirv, &recorded::llvmpipe()).unwrap();
    // Two inputs of 128 elements are staged there.
    assert_eq!(coalesced.shared_memory_bytes, 2 * 128 * 48);
    assert_eq!(coalesced.push_constant_bytes, 4);
}

#[test]
fn the_entry_point_is_main_or_the_only_one() {
    let named = |names: &[&str]| {
        let mut module = rspirv::dr::load_bytes(module(|_, _| {})).unwrap();
        let entry = module.entry_points[0].clone();
        module.entry_points = names
            .iter()
            .map(|name| {
                let mut entry = entry.clone();
                entry.operands[2] = Operand::LiteralString((*name).to_owned());
                entry
            })
            .collect();
        let found = KernelInterface::parse(&bytes(&module), &recorded::h200());
        found.map(|interface| interface.entry_point.into_string().unwrap())
    };
    assert_eq!(named(&["main"]), Ok("main".to_owned()));
    assert_eq!(named(&["add"]), Ok("add".to_owned()));
    assert_eq!(named(&["add", "main"]), Ok("main".to_owned()));
    let text = named(&["add", "sub"]).unwrap_err().to_string();
    assert!(
        text.contains("found GLCompute `add`, GLCompute `sub`"),
        "{text}"
    );
    let text = named(&[]).unwrap_err().to_string();
    assert!(text.contains("found no entry point"), "{text}");
}

/// An array of three elements, `stride` bytes apart.
fn array(b: &mut Builder, of: Word, stride: u32) -> Word {
    let u32_type = b.type_int(32, 0);
    let length = b.constant_bit32(u32_type, 3);
    let array = b.type_array(of, length);
    let stride = [Operand::LiteralBit32(stride)];
    b.decorate(array, Decoration::ArrayStride, stride);
    array
}

#[test]
fn a_layout_that_needs_a_feature_is_refused_without_it() {
    // For the members of a struct: whether the layout needs `scalarBlockLayout`.
    type Members = fn(&mut Builder, Word) -> Vec<(Word, u32)>;
    let cases: [(&str, bool, Members); 7] = [
        ("a vector of 12 bytes at 4", false, |b, u32_type| {
            vec![(b.type_vector(u32_type, 3), 4)]
        }),
        (
            "a vector of 12 bytes over a border of 16",
            true,
            |b, u32_type| vec![(b.type_vector(u32_type, 3), 12)],
        ),
        ("an integer of 8 bytes at 4", true, |b, _| {
            vec![(b.type_int(64, 0), 4)]
        }),
        ("an array of integers", false, |b, u32_type| {
            vec![(array(b, u32_type, 4), 4)]
        }),
        (
            "an array of vectors of 12 bytes, 12 apart",
            true,
            |b, u32_type| {
                let vector = b.type_vector(u32_type, 3);
                vec![(array(b, vector, 12), 16)]
            },
        ),
        (
            "an array of vectors of 12 bytes, 16 apart",
            false,
            |b, u32_type| {
                let vector = b.type_vector(u32_type, 3);
                vec![(array(b, vector, 16), 16)]
            },
        ),
        (
            "behind a struct, in what rounds it up",
            true,
            |b, u32_type| {
                let vector = b.type_vector(u32_type, 3);
                let inner = block(b, &[(vector, 0)]);
                vec![(inner, 16), (u32_type, 28)]
            },
        ),
    ];
    for (what, needs, members) in cases {
        let spirv = module(|b, u32_type| {
            b.capability(Capability::Int64);
            let mut all = vec![(u32_type, 0)];
            all.extend(members(b, u32_type));
            let block = block(b, &all);
            variable(b, block, StorageClass::PushConstant);
        });
        let mut caps = recorded::h200();
        assert!(KernelInterface::parse(&spirv, &caps).is_ok(), "{what}");
        caps.features.scalar_block_layout = false;
        let refused = KernelInterface::parse(&spirv, &caps).err();
        let text = refused.map_or_else(String::new, |error| error.to_string());
        let found = (text.is_empty(), text.contains("scalarBlockLayout"));
        assert_eq!(found, (!needs, needs), "{what}: {text}");
    }
}
