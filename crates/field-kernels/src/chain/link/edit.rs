//! Changes to a module that is about to be linked.

use std::collections::HashSet;

use rspirv::dr::{Function, Instruction, Module, Operand};
use rspirv::spirv::{Decoration, ExecutionMode, Op, Word};

use super::{id, missing};
use crate::chain::{Chain, MAX_INPUTS, Unlinkable};

/// The specialization constants of a template: invocations of a workgroup, and areas of
/// shared memory.
const GROUP_SIZE_ID: u32 = 0;
const AREAS_ID: u32 = 1;

/// Leaves out names, variables that no function uses, and what is said of them and
/// of functions that are gone.
pub(super) fn strip(module: &mut Module) {
    module.debug_names.clear();
    module.debug_string_source.clear();
    let used: HashSet<Word> = module
        .functions
        .iter()
        .flat_map(Function::all_inst_iter)
        .flat_map(|instruction| instruction.operands.iter())
        .filter_map(id)
        .collect();
    module.types_global_values.retain(|global| {
        let of = global.result_id.unwrap_or_default();
        global.class.opcode != Op::Variable || used.contains(&of)
    });
    let there: HashSet<Word> = module
        .types_global_values
        .iter()
        .chain(module.functions.iter().flat_map(Function::all_inst_iter))
        .filter_map(|instruction| instruction.result_id)
        .collect();
    let is_there = |operand: &Operand| id(operand).is_none_or(|of| there.contains(&of));
    module
        .annotations
        .retain(|note| note.operands.first().is_none_or(is_there));
    for entry in &mut module.entry_points {
        entry.operands.retain(is_there);
    }
}

/// Numbers the bindings without gaps: inputs, then outputs. An output may be the memory
/// of an input; without a word of it drivers are free to assume that it is not, and to
/// read an input again after its place was written.
pub(super) fn bind(module: &mut Module, chain: &Chain) -> Result<(), Unlinkable> {
    let outputs = MAX_INPUTS..MAX_INPUTS + chain.outputs.len();
    let mut bound = Vec::with_capacity(chain.bindings());
    for note in &mut module.annotations {
        let [
            of,
            Operand::Decoration(Decoration::Binding),
            Operand::LiteralBit32(binding),
        ] = note.operands.as_mut_slice()
        else {
            continue;
        };
        bound.push(of.clone());
        let number = *binding as usize;
        if outputs.contains(&number) {
            let place = chain.inputs.len() + number - MAX_INPUTS;
            *binding = u32::try_from(place).map_err(|_| missing("a binding"))?;
        } else if number >= chain.inputs.len() {
            return Err(Unlinkable(format!(
                "expected bindings of {} inputs and {} outputs, found {number}",
                chain.inputs.len(),
                chain.outputs.len()
            )));
        }
    }
    let aliased = |of| {
        let operands = vec![of, Operand::Decoration(Decoration::Aliased)];
        Instruction::new(Op::Decorate, None, None, operands)
    };
    module.annotations.extend(bound.into_iter().map(aliased));
    Ok(())
}

/// Makes the workgroup's size a constant: the template has it as a specialization
/// constant, and as an execution mode.
pub(super) fn set_group_size(module: &mut Module, size: u32) -> Result<(), Unlinkable> {
    set_constant(module, GROUP_SIZE_ID, size)?;
    for mode in &mut module.execution_modes {
        if let [_, Operand::ExecutionMode(ExecutionMode::LocalSize), x, ..] =
            mode.operands.as_mut_slice()
        {
            *x = Operand::LiteralBit32(size);
        }
    }
    Ok(())
}

/// Says how many areas of shared memory there are.
pub(super) fn set_areas(module: &mut Module, areas: u32) -> Result<(), Unlinkable> {
    set_constant(module, AREAS_ID, areas)
}

/// Sets the value of a specialization constant of the template.
fn set_constant(module: &mut Module, spec_id: u32, value: u32) -> Result<(), Unlinkable> {
    let is_it = |note: &&Instruction| match note.operands.as_slice() {
        [
            _,
            Operand::Decoration(Decoration::SpecId),
            Operand::LiteralBit32(found),
        ] => *found == spec_id,
        _ => false,
    };
    let note = module.annotations.iter().find(is_it);
    let constant = note.and_then(|note| id(note.operands.first()?));
    let mut globals = module.types_global_values.iter_mut();
    let found = globals.find(|global| constant.is_some() && global.result_id == constant);
    let found = found.ok_or_else(|| missing(&format!("specialization constant {spec_id}")))?;
    found.operands = vec![Operand::LiteralBit32(value)];
    Ok(())
}
