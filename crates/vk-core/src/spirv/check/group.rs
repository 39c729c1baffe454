//! Operations over the invocations of a subgroup.

use rspirv::dr::Operand;
use rspirv::spirv::{Capability, GroupOperation, Op};

use super::types::{Scalar, Shape};
use super::{At, Context, atomics};
use crate::Error;

/// The capability that a subgroup opcode needs; `None` for other opcodes.
pub(super) fn capability(op: Op) -> Option<Capability> {
    Some(match op {
        Op::GroupNonUniformElect => Capability::GroupNonUniform,
        Op::GroupNonUniformAll | Op::GroupNonUniformAny | Op::GroupNonUniformAllEqual => {
            Capability::GroupNonUniformVote
        }
        Op::GroupNonUniformBroadcast
        | Op::GroupNonUniformBroadcastFirst
        | Op::GroupNonUniformBallot
        | Op::GroupNonUniformInverseBallot
        | Op::GroupNonUniformBallotBitExtract
        | Op::GroupNonUniformBallotBitCount
        | Op::GroupNonUniformBallotFindLSB
        | Op::GroupNonUniformBallotFindMSB => Capability::GroupNonUniformBallot,
        Op::GroupNonUniformShuffle | Op::GroupNonUniformShuffleXor => {
            Capability::GroupNonUniformShuffle
        }
        Op::GroupNonUniformShuffleUp | Op::GroupNonUniformShuffleDown => {
            Capability::GroupNonUniformShuffleRelative
        }
        op if reduced(op).is_some() => Capability::GroupNonUniformArithmetic,
        _ => return None,
    })
}

fn reduced(op: Op) -> Option<fn(Scalar) -> bool> {
    Some(match op {
        Op::GroupNonUniformIAdd
        | Op::GroupNonUniformIMul
        | Op::GroupNonUniformSMin
        | Op::GroupNonUniformUMin
        | Op::GroupNonUniformSMax
        | Op::GroupNonUniformUMax
        | Op::GroupNonUniformBitwiseAnd
        | Op::GroupNonUniformBitwiseOr
        | Op::GroupNonUniformBitwiseXor => |scalar| matches!(scalar, Scalar::Int(_)),
        Op::GroupNonUniformFAdd
        | Op::GroupNonUniformFMul
        | Op::GroupNonUniformFMin
        | Op::GroupNonUniformFMax => |scalar| matches!(scalar, Scalar::Float(_)),
        Op::GroupNonUniformLogicalAnd
        | Op::GroupNonUniformLogicalOr
        | Op::GroupNonUniformLogicalXor => |scalar| scalar == Scalar::Bool,
        _ => return None,
    })
}

/// Checks a subgroup operation.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let op = at.i.class.opcode;
    if let Some(capability) = capability(op) {
        at.needs(cx, capability)?;
    }
    if cx.version < (1, 3) {
        return Err(at.wrong("expected SPIR-V 1.3 or newer with it"));
    }
    let subgroup = cx.constants.value(at.id(0)?) == Some(3);
    atomics::execution_scope(cx, at, 0)?;
    if !subgroup {
        return Err(at.wrong("expected scope Subgroup"));
    }
    let result = at.result_shape(cx)?;
    if let Some(fits) = reduced(op) {
        return reduction(at, fits(result.scalar))
            .and_then(|()| at.expect_type(cx, 2, at.result_type()?));
    }
    let bool_shape = Shape {
        scalar: Scalar::Bool,
        count: 1,
        signed: false,
    };
    let is_bool = result == bool_shape;
    let word = |shape: Shape| shape.scalar == Scalar::Int(32) && shape.count == 1;
    let mask = |shape: Shape| shape.scalar == Scalar::Int(32) && shape.count == 4;
    let shape = |number| at.shape(cx, number);
    let good = match op {
        Op::GroupNonUniformElect => is_bool,
        Op::GroupNonUniformAll | Op::GroupNonUniformAny => is_bool && shape(1)? == bool_shape,
        Op::GroupNonUniformAllEqual => shape(1).map(|_| is_bool)?,
        Op::GroupNonUniformBallot => mask(result) && shape(1)? == bool_shape,
        Op::GroupNonUniformInverseBallot => is_bool && mask(shape(1)?),
        Op::GroupNonUniformBallotBitExtract => is_bool && mask(shape(1)?) && word(shape(2)?),
        Op::GroupNonUniformBallotFindLSB | Op::GroupNonUniformBallotFindMSB => {
            word(result) && mask(shape(1)?)
        }
        Op::GroupNonUniformBallotBitCount => {
            reduction(at, true)?;
            word(result) && mask(shape(2)?)
        }
        Op::GroupNonUniformBroadcastFirst => shape(1)? == result,
        Op::GroupNonUniformBroadcast => {
            let constant = cx.version >= (1, 5) || cx.constants.value(at.id(2)?).is_some();
            constant && shape(1)? == result && word(shape(2)?)
        }
        _ => shape(1)? == result && word(shape(2)?),
    };
    match good {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected operands that go with this opcode and its result {result:?}, found {:?}",
            at.i.operands
        ))),
    }
}

fn reduction(at: At<'_>, fits: bool) -> Result<(), Error> {
    match at.i.operands.get(1) {
        Some(Operand::GroupOperation(
            GroupOperation::Reduce | GroupOperation::InclusiveScan | GroupOperation::ExclusiveScan,
        )) if fits && at.i.operands.len() == 3 => Ok(()),
        found => Err(at.wrong(format!(
            "expected Reduce, InclusiveScan or ExclusiveScan over values of the result's type, found {found:?}"
        ))),
    }
}
