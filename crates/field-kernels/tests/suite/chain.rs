//! Linked kernels: every operation, field, arithmetic and way to memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use field_kernels::ElementOperation;
use field_kernels::chain::{
    CONSTANT_WORDS, Chain, GROUP_SIZE, Input, Layout, Link, MAX_INPUTS, MAX_OUTPUTS, MemoryAccess,
    Template,
};
use field_kernels::operations::{ADD, DOUBLE, ELEMENT_OPERATIONS, MUL, NEG, SQUARE, SUB};
use rspirv::dr::{Module, Operand};
use rspirv::spirv::{Decoration, MemorySemantics, Op, StorageClass};

use crate::linked::{LAYOUTS, templates};

use Input::{Scalar, Vector};

const DIRECT: Layout = LAYOUTS[0];

/// An operation and the values that it takes.
type Call = (&'static ElementOperation, [usize; 2]);

fn chain(inputs: &[Input], links: &[Call], outputs: &[usize]) -> Chain {
    let link = |call: &Call| Link {
        operation: call.0,
        arguments: [call.1[0], call.1[1], 0],
    };
    Chain {
        inputs: inputs.to_vec(),
        links: links.iter().map(link).collect(),
        outputs: outputs.to_vec(),
    }
}

/// Of each binding the variable, and what else is said of that.
fn bindings(module: &Module) -> BTreeMap<u32, (u32, HashSet<Decoration>)> {
    let mut found = BTreeMap::new();
    for note in &module.annotations {
        let [
            Operand::IdRef(of),
            Operand::Decoration(Decoration::Binding),
            Operand::LiteralBit32(binding),
        ] = note.operands.as_slice()
        else {
            continue;
        };
        let said = module
            .annotations
            .iter()
            .filter_map(|other| match other.operands.as_slice() {
                [Operand::IdRef(also), Operand::Decoration(what), ..] if also == of => Some(*what),
                _ => None,
            });
        let before = found.insert(*binding, (*of, said.collect()));
        assert_eq!(before, None, "binding {binding} is there twice");
    }
    found
}

/// Links `chain` and holds the module to what is said of it.
fn check(template: &Template, chain: &Chain, layout: Layout, what: &str) -> Module {
    let words = template.link(chain, layout).unwrap();
    let module = rspirv::dr::load_words(&words).unwrap();
    let bound = bindings(&module);
    let numbers: Vec<u32> = bound.keys().copied().collect();
    let expected: Vec<u32> = (0..).take(chain.bindings()).collect();
    assert_eq!(numbers, expected, "{what}");
    for (of, said) in bound.values() {
        // An output may be the memory of an input.
        assert!(said.contains(&Decoration::Aliased), "{what}: %{of}");
        assert!(said.contains(&Decoration::DescriptorSet), "{what}: %{of}");
    }
    let variables: HashSet<u32> = bound.values().map(|(of, _)| *of).collect();
    let globals = module.types_global_values.iter();
    let buffers = globals.filter(|i| {
        i.class.opcode == Op::Variable
            && i.operands[0] == Operand::StorageClass(StorageClass::StorageBuffer)
    });
    let buffers: HashSet<u32> = buffers.filter_map(|i| i.result_id).collect();
    assert_eq!(buffers, variables, "{what}: every buffer has a binding");
    assert_ids(&module, what);
    module
}

/// Every id is defined once, below the bound, and every one that is used is defined.
fn assert_ids(module: &Module, what: &str) {
    let bound = module.header.as_ref().unwrap().bound;
    let mut defined = BTreeSet::new();
    for id in module.all_inst_iter().filter_map(|i| i.result_id) {
        assert!(id < bound, "{what}: %{id} of {bound}");
        assert!(defined.insert(id), "{what}: %{id} is defined twice");
    }
    for instruction in module.all_inst_iter() {
        let used = instruction.operands.iter().filter_map(Operand::id_ref_any);
        for id in used.chain(instruction.result_type) {
            assert!(defined.contains(&id), "{what}: {instruction:?} of %{id}");
        }
    }
}

#[test]
fn every_operation_links_in_every_field_arithmetic_and_way_to_memory() {
    for (source, template) in templates() {
        let of_field = |it: &&&ElementOperation| source.field.is_some_and(|field| it.is_of(field));
        for operation in ELEMENT_OPERATIONS.iter().filter(of_field) {
            for layout in LAYOUTS {
                for second in [Vector, Scalar] {
                    let chain = Chain::of(operation, &[Vector, second, Vector][..operation.arity]);
                    let what = format!("{} {} {layout:?}", source.name, operation.name);
                    let module = check(&template, &chain, layout, &what);
                    assert!(module.functions.len() > 1, "{what}");
                }
            }
        }
    }
}

#[test]
fn chains_of_any_shape_link() {
    let eight = [
        Vector, Scalar, Vector, Vector, Scalar, Vector, Vector, Vector,
    ];
    let shapes = [
        ("a repeated scalar", chain(&[Scalar], &[], &[0])),
        ("a copy, twice", chain(&[Vector], &[], &[0, 0])),
        (
            "scalars alone",
            chain(&[Scalar, Scalar], &[(&ADD, [0, 1])], &[2]),
        ),
        (
            "all inputs and outputs",
            chain(
                &eight,
                &[
                    (&ADD, [0, 1]),
                    (&MUL, [2, 3]),
                    (&SUB, [4, 5]),
                    (&MUL, [6, 7]),
                    (&ADD, [8, 9]),
                    (&SUB, [10, 11]),
                    (&NEG, [12, 12]),
                    (&SQUARE, [13, 13]),
                ],
                &[12, 13, 14, 15],
            ),
        ),
        (
            "an input passed on beside a result",
            chain(&[Vector, Vector], &[(&DOUBLE, [1, 1])], &[0, 2]),
        ),
        (
            "an input that nothing uses",
            chain(&[Vector, Vector], &[(&DOUBLE, [0, 0])], &[2]),
        ),
    ];
    for (source, template) in templates() {
        for layout in LAYOUTS {
            for (name, chain) in &shapes {
                let what = format!("{name}, {} {layout:?}", source.name);
                check(&template, chain, layout, &what);
            }
        }
    }
}

/// Where invocations write what others load, no load may come after the barrier.
#[test]
fn barriers_order_buffers_too() {
    let copy = chain(&[Vector], &[], &[0]);
    for (source, template) in templates() {
        for layout in LAYOUTS
            .iter()
            .filter(|it| it.access != MemoryAccess::Direct)
        {
            let module = check(&template, &copy, *layout, source.name);
            let constant = |id: &Operand| {
                let globals = module.types_global_values.iter();
                let mut found = globals.filter(|i| i.result_id == id.id_ref_any());
                found.next().unwrap().operands[0].clone()
            };
            let barriers = module.all_inst_iter();
            let barriers = barriers.filter(|i| i.class.opcode == Op::ControlBarrier);
            let wanted = MemorySemantics::ACQUIRE_RELEASE
                | MemorySemantics::UNIFORM_MEMORY
                | MemorySemantics::WORKGROUP_MEMORY;
            let mut count = 0;
            for barrier in barriers {
                count += 1;
                let semantics = constant(&barrier.operands[2]);
                assert_eq!(semantics, Operand::LiteralBit32(wanted.bits()));
            }
            assert!(count > 0, "{}", source.name);
        }
    }
}

/// A long chain calls a function again, and does not have it again.
#[test]
fn what_is_called_often_is_there_once() {
    let (_, template) = templates().next().unwrap();
    let sizes = [1, 2, 30].map(|count| {
        let links: Vec<_> = (0..count).map(|it| (&MUL, [it, it])).collect();
        let chain = chain(&[Vector], &links, &[count]);
        let module = check(&template, &chain, DIRECT, "squarings");
        module.functions.len()
    });
    assert_eq!(sizes, [sizes[0]; 3]);
}

#[test]
fn what_no_kernel_can_hold_is_refused() {
    let (_, template) = templates().next().unwrap();
    let links: Vec<_> = (0..MAX_INPUTS).map(|it| (&ADD, [it, it])).collect();
    let first = MAX_INPUTS;
    let refused = [
        (chain(&[], &[], &[0]), "1 to 8 inputs of a chain, found 0"),
        (
            chain(&[Vector; MAX_INPUTS + 1], &[], &[0]),
            "1 to 8 inputs of a chain, found 9",
        ),
        (
            chain(&[Vector], &[], &[]),
            "1 to 4 outputs of a chain, found 0",
        ),
        (
            chain(
                &[Vector; MAX_INPUTS],
                &links,
                &(first..=first + MAX_OUTPUTS).collect::<Vec<_>>(),
            ),
            "1 to 4 outputs of a chain, found 5",
        ),
        (
            chain(&[Vector], &[(&ADD, [0, 1])], &[1]),
            "one of 1 values, found number 1",
        ),
        (
            chain(&[Vector], &[(&NEG, [0, 9])], &[2]),
            "one of 2 values, found number 2",
        ),
    ];
    for (chain, expected) in refused {
        let error = template.link(&chain, DIRECT).unwrap_err();
        assert_eq!(error.to_string(), format!("expected {expected}"));
    }
    let kernel = field_kernels::FIELD_ADD.spirv;
    assert!(Template::parse(kernel).is_err());
}

#[test]
fn the_shape_of_a_kernel_is_what_the_constants_say() {
    let one = Chain::of(&NEG, &[Vector]);
    for (source, template) in templates() {
        let module = check(&template, &one, DIRECT, source.name);
        let size = &module.execution_modes[0].operands[2..];
        let along = |words: &[u32]| {
            words
                .iter()
                .map(|w| Operand::LiteralBit32(*w))
                .collect::<Vec<_>>()
        };
        assert_eq!(size, along(&[GROUP_SIZE, 1, 1]));
        // Member 1 of the push constants is the array of beginnings.
        let lengths = module
            .types_global_values
            .iter()
            .filter(|i| i.class.opcode == Op::Constant);
        let entries = u32::try_from(CONSTANT_WORDS - 1).unwrap();
        assert!(lengths.into_iter().any(|i| i.operands == along(&[entries])));
    }
}
