//! Which rule an instruction of a function has.

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Op, StorageClass};

use super::types::{Scalar, Type};
use super::{
    At, Context, atomics, composite, extended, group, memory, numeric, opcodes, variables,
};
use crate::Error;

/// Unroll to PartialCount, with all between.
const ALL_LOOP_CONTROLS: u32 = 0x1FF;

/// Checks the types of an instruction's operands and result.
pub(super) fn check<'m>(cx: &Context<'m>, i: &'m Instruction) -> Result<(), Error> {
    let at = At { i };
    match i.class.opcode {
        Op::Variable => match at.blame(variables::variable(cx, at))? {
            StorageClass::Function => Ok(()),
            found => Err(at.wrong(format!(
                "expected storage class Function in a function, found {found:?}"
            ))),
        },
        Op::Undef => variables::undefined(cx, at),
        Op::ExtInst => extended::check(cx, at),
        Op::FunctionCall => call(cx, at),
        Op::BranchConditional => branch(cx, at),
        Op::Switch => switch(cx, at),
        Op::Load
        | Op::Store
        | Op::CopyMemory
        | Op::AccessChain
        | Op::InBoundsAccessChain
        | Op::PtrAccessChain
        | Op::ArrayLength => memory::check(cx, at),
        Op::ControlBarrier | Op::MemoryBarrier => atomics::barrier(cx, at),
        Op::SelectionMerge | Op::LoopMerge => merge(at),
        // Labels and branches, which `blocks` and `structured` check.
        Op::Label
        | Op::Branch
        | Op::Unreachable
        | Op::Nop
        | Op::Function
        | Op::FunctionParameter
        | Op::FunctionEnd => Ok(()),
        op if opcodes::is_atomic(op) => atomics::check(cx, at),
        op if opcodes::is_group(op) => group::check(cx, at),
        _ => check_value(cx, i),
    }
}

/// Checks an instruction that only turns values into a value.
pub(super) fn check_value<'m>(cx: &Context<'m>, i: &'m Instruction) -> Result<(), Error> {
    let at = At { i };
    match numeric::rule(i.class.opcode) {
        Some(rule) => numeric::check(cx, at, rule),
        None => composite::check(cx, at),
    }
}

/// Hints to unroll are the only loop controls that kernels need.
fn merge(at: At<'_>) -> Result<(), Error> {
    let known = match at.i.operands.get(1..).unwrap_or_default() {
        [Operand::SelectionControl(_)] => true,
        [
            Operand::IdRef(_),
            Operand::LoopControl(control),
            parameters @ ..,
        ] => {
            // One number for each control above the first three.
            let numbers = (control.bits() >> 3).count_ones() as usize;
            control.bits() <= ALL_LOOP_CONTROLS && parameters.len() == numbers
        }
        _ => false,
    };
    match known {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected controls of the core of SPIR-V, found {:?}",
            at.i.operands
        ))),
    }
}

fn branch<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let shape = at.shape(cx, 0)?;
    let weights = at.i.operands.len();
    if shape.scalar != Scalar::Bool || shape.count != 1 || !matches!(weights, 3 | 5) {
        return Err(at.wrong(format!(
            "expected a bool, two labels and perhaps two weights, found {shape:?} and {weights} operands"
        )));
    }
    Ok(())
}

fn switch<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let shape = at.shape(cx, 0)?;
    if !matches!(shape.scalar, Scalar::Int(_)) || shape.count != 1 {
        return Err(at.wrong(format!("expected an int to switch by, found {shape:?}")));
    }
    let mut seen = std::collections::HashSet::new();
    for literal in at.i.operands.iter().skip(2).step_by(2) {
        if !seen.insert(literal) {
            return Err(at.wrong(format!("expected each case once, found {literal:?} twice")));
        }
    }
    Ok(())
}

fn call<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let callee = cx.ids.get(at.id(0)?)?.instruction;
    if callee.class.opcode != Op::Function {
        return Err(at.wrong(format!(
            "expected a function, found Op{:?}",
            callee.class.opcode
        )));
    }
    if cx.entries.contains(&at.id(0)?) {
        return Err(at.wrong("expected a function that is no entry point, found one that is"));
    }
    let (result, parameters) = match cx.kind(At { i: callee }.id(1)?)? {
        Type::Function { result, parameters } => (result, parameters),
        found => return Err(at.wrong(format!("expected a function type, found {found:?}"))),
    };
    at.same(at.result_type()?, result, || "the result".to_owned())?;
    let arguments = at.i.operands.len() - 1;
    if arguments != parameters.len() {
        return Err(at.wrong(format!(
            "expected {} arguments, found {arguments}",
            parameters.len()
        )));
    }
    for (number, wanted) in (1..).zip(super::types::members(parameters)) {
        at.expect_type(cx, number, wanted)?;
        if let Type::Pointer { class, .. } = cx.kind(wanted)? {
            memory::argument(cx, at, number, class)?;
        }
    }
    Ok(())
}
