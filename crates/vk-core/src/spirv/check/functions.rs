//! Functions: signatures, ids within their reach, and every instruction.

use std::collections::HashMap;

use rspirv::dr::{Function, Operand};
use rspirv::spirv::{FunctionControl, Op, Word};

use super::blocks::Blocks;
use super::ids::{Place, body};
use super::types::{Type, members};
use super::{At, Context, blocks, calls, extent, instructions, structured};
use crate::Error;

/// Checks all functions; an invocation has `global_bytes` of variables outside
/// of them.
pub(super) fn check(cx: &Context<'_>, global_bytes: u64) -> Result<(), Error> {
    let mut numbers = HashMap::new();
    for (number, function) in (1..).zip(&cx.module.functions) {
        let Some(i) = &function.def else {
            return Err(Error::spirv("expected OpFunction, found none"));
        };
        let at = At { i };
        signature(cx, at, function)?;
        if function.blocks.is_empty() {
            return Err(at.wrong("expected a function with a body, found none"));
        }
        one(cx, function, number)?;
        numbers.insert(i.result_id.unwrap_or_default(), number);
    }
    calls::check(cx, &numbers, global_bytes)
}

fn signature(cx: &Context<'_>, at: At<'_>, function: &Function) -> Result<(), Error> {
    let core = FunctionControl::INLINE
        | FunctionControl::DONT_INLINE
        | FunctionControl::PURE
        | FunctionControl::CONST;
    match at.i.operands.first() {
        Some(Operand::FunctionControl(control)) if core.contains(*control) => {}
        found => return Err(at.wrong(format!("expected controls of {core:?}, found {found:?}"))),
    }
    let (result, wanted) = match at.blame(cx.kind(at.id(1)?))? {
        Type::Function { result, parameters } => (result, members(parameters)),
        found => return Err(at.wrong(format!("expected a function type, found {found:?}"))),
    };
    at.same(at.result_type()?, result, || "its result".to_owned())?;
    let wanted: Vec<Word> = wanted.collect();
    let found = &function.parameters;
    if found.len() != wanted.len() {
        return Err(at.wrong(format!(
            "expected {} parameters, found {}",
            wanted.len(),
            found.len()
        )));
    }
    for (i, wanted) in found.iter().zip(wanted) {
        let at = At { i };
        at.same(at.result_type()?, wanted, || "the parameter".to_owned())?;
    }
    Ok(())
}

fn one(cx: &Context<'_>, function: &Function, number: u32) -> Result<(), Error> {
    let blocks = Blocks::new(function)?;
    structured::check(&blocks)?;
    for (i, place) in body(function, number).skip(1 + function.parameters.len()) {
        let at = At { i };
        operands_in_reach(cx, at, place, &blocks)?;
        blocks::check_position(function, at, place)?;
        match i.class.opcode {
            Op::Phi => blocks.check_phi(cx, at, place)?,
            Op::ReturnValue => {
                let result = function.def.as_ref().and_then(|def| def.result_type);
                at.expect_type(cx, 0, result.unwrap_or_default())?;
            }
            Op::Return => {
                let result = function.def.as_ref().and_then(|def| def.result_type);
                if cx.kind(result.unwrap_or_default())? != Type::Void {
                    return Err(at.wrong("expected OpReturnValue in a function with a result"));
                }
            }
            _ => instructions::check(cx, i)?,
        }
    }
    Ok(())
}

/// Checks that each operand was defined before, on every way to here.
fn operands_in_reach(
    cx: &Context<'_>,
    at: At<'_>,
    place: Place,
    blocks: &Blocks<'_>,
) -> Result<(), Error> {
    let forward = |number: usize| match at.i.class.opcode {
        // Values of the blocks before, and labels: `Blocks` checks them.
        Op::Phi | Op::Branch | Op::SelectionMerge | Op::LoopMerge => true,
        Op::BranchConditional | Op::Switch => number > 0,
        Op::FunctionCall => number == 0,
        _ => false,
    };
    if let Some(id) = at.i.result_type
        && at.blame(cx.ids.get(id))?.place.function != 0
    {
        return Err(at.wrong(format!("expected a type, found %{id}")));
    }
    if let Some(id) = at.i.result_type {
        extent::value(cx, at, id)?;
    }
    for (number, operand) in at.i.operands.iter().enumerate() {
        let id = match operand {
            Operand::IdRef(id) | Operand::IdScope(id) | Operand::IdMemorySemantics(id) => *id,
            _ => continue,
        };
        let found = at.blame(cx.ids.get(id))?.place;
        if !forward(number) && !blocks.reaches(found, place) {
            return Err(at.wrong(format!(
                "expected %{id} to be defined on every way to here, found that it is not"
            )));
        }
    }
    Ok(())
}
