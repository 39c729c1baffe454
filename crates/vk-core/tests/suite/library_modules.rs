//! What this library hands to a driver without asking the validator passes it, by the
//! rules of the oldest device that it runs on.

#[path = "../../../field-kernels/tests/suite/linked/mod.rs"]
mod linked;

use field_kernels::chain::{Chain, Input, Link, MAX_INPUTS, MAX_OUTPUTS};
use field_kernels::operations::{ELEMENT_OPERATIONS, MUL};
use field_kernels::{ElementId, KERNELS, VECTOR_KERNELS, vector_kernels};
use vk_core::spirv::validate;
use vk_core::testing::recorded;
use vk_core::{ApiVersion, Error, Features};

use linked::{LAYOUTS, templates};

fn are_valid(words: &[u32]) -> Result<(), Error> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    is_valid(&bytes)
}

fn is_valid(spirv: &[u8]) -> Result<(), Error> {
    let mut caps = recorded::h200();
    caps.api = ApiVersion::V1_1;
    caps.features = Features::default();
    validate(spirv, &caps)
}

/// Each operation alone, with a vector and with a scalar; and as much as one kernel
/// takes.
fn chains(field: ElementId) -> Vec<Chain> {
    let mut chains = Vec::new();
    for operation in ELEMENT_OPERATIONS.iter().filter(|it| it.is_of(field)) {
        for last in [Input::Vector, Input::Scalar] {
            let mut inputs = vec![Input::Vector; operation.arity];
            inputs[operation.arity - 1] = last;
            chains.push(Chain::of(operation, &inputs));
        }
    }
    let link = |it| Link {
        operation: &MUL,
        arguments: [it, it + 1, 0],
    };
    chains.push(Chain {
        inputs: vec![Input::Vector; MAX_INPUTS],
        links: (0..12).map(link).collect(),
        outputs: (MAX_INPUTS..MAX_INPUTS + MAX_OUTPUTS).collect(),
    });
    chains
}

#[test]
fn modules_of_every_vector_kernel_are_valid() {
    for module in VECTOR_KERNELS.iter().flat_map(|kernel| kernel.modules()) {
        assert_eq!(is_valid(module.spirv), Ok(()), "{}", module.name);
    }
    for kernel in KERNELS {
        assert_eq!(is_valid(kernel.spirv), Ok(()), "{}", kernel.name);
    }
}

#[test]
fn linked_kernels_are_valid() {
    for (module, template) in templates() {
        let name = module.name;
        for chain in chains(module.field.unwrap()) {
            for layout in LAYOUTS {
                let words = template.link(&chain, layout).unwrap();
                assert_eq!(are_valid(&words), Ok(()), "{name} {layout:?} {chain:?}");
            }
        }
    }
}

#[test]
fn transforms_are_valid_in_workgroups_of_every_size() {
    let kernels = [
        &vector_kernels::TRANSFORM,
        &vector_kernels::TRANSFORM_SHUFFLE,
    ];
    for module in kernels.iter().flat_map(|kernel| kernel.modules()) {
        for invocations in [32, 64, 128, 256] {
            let words = module.words_in_groups_of(invocations).unwrap();
            assert_eq!(
                are_valid(&words),
                Ok(()),
                "{} of {invocations}",
                module.name
            );
        }
    }
    let fixed = vector_kernels::EQUAL.modules().next().unwrap();
    let error = fixed.words_in_groups_of(64).unwrap_err();
    assert!(
        error.to_string().contains("specialization constant 0"),
        "{error}"
    );
}

/// What the batched inverse and scans read and write in place.
#[test]
fn the_ways_down_may_overwrite_what_they_read() {
    const DECORATE_ALIASED: [u32; 2] = [3 << 16 | 71, 20];
    let kernels = [
        // Elements, products and output.
        (&vector_kernels::INVERSE_DOWN, 3),
        // Elements and output.
        (&vector_kernels::SCAN_SUM_DOWN, 2),
        (&vector_kernels::SCAN_PRODUCT_DOWN, 2),
        (&vector_kernels::SCAN_HORNER_DOWN, 2),
    ];
    for (kernel, aliased) in kernels {
        for module in kernel.modules() {
            let words = module.words();
            let notes = words
                .windows(3)
                .filter(|w| [w[0], w[2]] == DECORATE_ALIASED);
            assert_eq!(notes.count(), aliased, "{}", module.name);
        }
    }
}

/// The validator sees something: a call of what is no function, and a missing end.
#[test]
fn a_damaged_kernel_is_refused() {
    const FUNCTION_CALL: u32 = 4 << 16 | 57;
    let (module, template) = templates().next().unwrap();
    let chain = &chains(module.field.unwrap())[0];
    let mut words = template.link(chain, LAYOUTS[0]).unwrap();
    let call = words
        .iter()
        .position(|word| *word == FUNCTION_CALL)
        .unwrap();
    words[call + 3] = words[call + 1];
    let refused = |words: &[u32]| matches!(are_valid(words), Err(Error::InvalidSpirv { .. }));
    assert!(refused(&words));
    let whole = template.link(chain, LAYOUTS[0]).unwrap();
    assert!(!refused(&whole));
    assert!(refused(&whole[..whole.len() - 1]));
}
