//! Constants: literals that fit their types, composites of the right parts,
//! and the values of those that the check needs to know.

use std::collections::HashMap;

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Op, Word};

use super::types::{Scalar, Type, members};
use super::{At, Context, extent, instructions, opcodes};
use crate::Error;

/// The values of scalar integer and bool constants by id; specialization
/// constants have their defaults, since nothing here specializes them.
#[derive(Default)]
pub(super) struct Constants {
    values: HashMap<Word, u64>,
}

impl Constants {
    /// The value of the constant `id`, as the bits of its type.
    pub(super) fn value(&self, id: Word) -> Option<u64> {
        self.values.get(&id).copied()
    }

    pub(super) fn insert(&mut self, id: Option<Word>, value: Option<u64>) {
        if let (Some(id), Some(value)) = (id, value) {
            self.values.insert(id, value);
        }
    }
}

/// Checks a constant, and returns its value where it is a known scalar.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<Option<u64>, Error> {
    let kind = at.result(cx)?;
    extent::value(cx, at, at.result_type()?)?;
    match at.i.class.opcode {
        Op::ConstantTrue | Op::SpecConstantTrue if kind == Type::Bool => Ok(Some(1)),
        Op::ConstantFalse | Op::SpecConstantFalse if kind == Type::Bool => Ok(Some(0)),
        Op::Constant | Op::SpecConstant => literal(at, kind),
        Op::ConstantComposite | Op::SpecConstantComposite => composite(cx, at, kind).map(|()| None),
        Op::ConstantNull => null(at, kind),
        Op::SpecConstantOp => operation(cx, at),
        _ => Err(at.wrong(format!("expected a bool as result type, found {kind:?}"))),
    }
}

/// A null is a zero of any type; 0 where that is an int or a bool.
fn null(at: At<'_>, kind: Type<'_>) -> Result<Option<u64>, Error> {
    let good = !matches!(
        kind,
        Type::Void | Type::Function { .. } | Type::Pointer { .. }
    );
    match (good, kind) {
        (false, _) => Err(at.wrong(format!("expected a value, found {kind:?}"))),
        (true, Type::Bool | Type::Int { .. }) => Ok(Some(0)),
        (true, _) => Ok(None),
    }
}

fn literal(at: At<'_>, kind: Type<'_>) -> Result<Option<u64>, Error> {
    let (width, signed, is_int) = match kind {
        Type::Int { width, signed } => (width, signed, true),
        Type::Float { width } => (width, false, false),
        other => {
            return Err(at.wrong(format!(
                "expected an int or a float as result type, found {other:?}"
            )));
        }
    };
    let bits = match (at.i.operands.as_slice(), width) {
        ([Operand::LiteralBit64(value)], 64) => *value,
        ([Operand::LiteralBit32(value)], 32) => u64::from(*value),
        // Narrow values are extended to 32 bits, by their sign if they have one.
        ([Operand::LiteralBit32(value)], 8 | 16) => {
            let above = value >> width;
            let negative = signed && value >> (width - 1) & 1 == 1;
            let filled = u32::MAX >> width;
            if above != 0 && !(negative && above == filled) {
                return Err(at.wrong(format!(
                    "expected a value of {width} bits, extended to 32; found {value:#x}"
                )));
            }
            u64::from(value & (u32::MAX >> (32 - width)))
        }
        (found, _) => {
            return Err(at.wrong(format!(
                "expected a literal of {width} bits, found {found:?}"
            )));
        }
    };
    Ok(is_int.then_some(bits))
}

fn composite<'m>(cx: &Context<'m>, at: At<'m>, kind: Type<'m>) -> Result<(), Error> {
    let parts = at.i.operands.len();
    let wanted: Vec<Word> = match kind {
        Type::Vector { of, count } | Type::Matrix { column: of, count } => {
            vec![of; count as usize]
        }
        // No longer than the instruction, whatever the length.
        Type::Array { of, length } if length == parts as u64 => vec![of; parts],
        Type::Struct { members: list } => members(list).collect(),
        other => {
            return Err(at.wrong(format!(
                "expected {parts} parts to make up the result type, found {other:?}"
            )));
        }
    };
    if wanted.len() != parts {
        return Err(at.wrong(format!("expected {} parts, found {parts}", wanted.len())));
    }
    for (number, wanted) in wanted.into_iter().enumerate() {
        at.expect_type(cx, number, wanted)?;
        expect_constant(cx, at, number)?;
    }
    Ok(())
}

/// Checks that operand `number` is a constant (or undefined).
pub(super) fn expect_constant<'m>(
    cx: &Context<'m>,
    at: At<'m>,
    number: usize,
) -> Result<(), Error> {
    let op = cx.ids.get(at.id(number)?)?.instruction.class.opcode;
    match opcodes::is_constant(op) || op == Op::Undef {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected a constant as operand {number}, found Op{op:?}"
        ))),
    }
}

/// An operation on constants: checked like the instruction that it stands for.
fn operation<'m>(cx: &Context<'m>, at: At<'m>) -> Result<Option<u64>, Error> {
    let (op, operands) = match at.i.operands.as_slice() {
        [Operand::LiteralSpecConstantOpInteger(op), operands @ ..] => (*op, operands),
        found => return Err(at.wrong(format!("expected an opcode, found {found:?}"))),
    };
    if !may_be_constant(op) {
        return Err(at.wrong(format!(
            "expected an operation that constants may have, found Op{op:?}"
        )));
    }
    let instruction = Instruction::new(op, at.i.result_type, at.i.result_id, operands.to_vec());
    for (number, operand) in operands.iter().enumerate() {
        if let Operand::IdRef(_) = operand {
            let shifted = number + 1;
            expect_constant(cx, at, shifted)?;
        }
    }
    at.blame(instructions::check_value(cx, &instruction))?;
    Ok(evaluate(cx, &instruction))
}

/// Whether `OpSpecConstantOp` may stand for this opcode.
pub(in crate::spirv) fn may_be_constant(op: Op) -> bool {
    matches!(
        op,
        Op::SConvert
            | Op::UConvert
            | Op::FConvert
            | Op::SNegate
            | Op::Not
            | Op::IAdd
            | Op::ISub
            | Op::IMul
            | Op::UDiv
            | Op::SDiv
            | Op::UMod
            | Op::SRem
            | Op::SMod
            | Op::ShiftRightLogical
            | Op::ShiftRightArithmetic
            | Op::ShiftLeftLogical
            | Op::BitwiseOr
            | Op::BitwiseXor
            | Op::BitwiseAnd
            | Op::VectorShuffle
            | Op::CompositeExtract
            | Op::CompositeInsert
            | Op::LogicalOr
            | Op::LogicalAnd
            | Op::LogicalNot
            | Op::LogicalEqual
            | Op::LogicalNotEqual
            | Op::Select
            | Op::IEqual
            | Op::INotEqual
            | Op::ULessThan
            | Op::SLessThan
            | Op::UGreaterThan
            | Op::SGreaterThan
            | Op::ULessThanEqual
            | Op::SLessThanEqual
            | Op::UGreaterThanEqual
            | Op::SGreaterThanEqual
            | Op::QuantizeToF16
    )
}

/// The value of an operation on 32-bit unsigned ints and bools, and of an
/// element of a composite: what array lengths and workgroup sizes are made of.
fn evaluate<'m>(cx: &Context<'m>, instruction: &Instruction) -> Option<u64> {
    let id = |number: usize| match instruction.operands.get(number)? {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    };
    let value = |number: usize| cx.constants.value(id(number)?);
    let result = cx.types.shape(instruction.result_type?)?;
    if result.count != 1 || !matches!(result.scalar, Scalar::Bool | Scalar::Int(32)) {
        return None;
    }
    let small = |value: u64| value & u64::from(u32::MAX);
    let word = |number: usize| value(number).filter(|value| *value <= u64::from(u32::MAX));
    let (a, b) = (word(0), word(1));
    Some(match instruction.class.opcode {
        Op::CompositeExtract => {
            let Some([Operand::LiteralBit32(index)]) = instruction.operands.get(1..) else {
                return None;
            };
            let composite = cx.ids.get(id(0)?).ok()?.instruction;
            let of_parts = matches!(
                composite.class.opcode,
                Op::ConstantComposite | Op::SpecConstantComposite
            );
            match composite.operands.get(*index as usize) {
                Some(Operand::IdRef(part)) if of_parts => cx.constants.value(*part)?,
                _ => return None,
            }
        }
        Op::Select => match a? {
            0 => word(2)?,
            _ => word(1)?,
        },
        Op::Not => small(!a?),
        Op::LogicalNot => 1 - a?.min(1),
        Op::SNegate => small(a?.wrapping_neg()),
        Op::IAdd => small(a?.wrapping_add(b?)),
        Op::ISub => small(a?.wrapping_sub(b?)),
        Op::IMul => small(a?.wrapping_mul(b?)),
        Op::UDiv => a?.checked_div(b?)?,
        Op::UMod => a?.checked_rem(b?)?,
        // Alike for values that are not negative.
        Op::SDiv | Op::SRem | Op::SMod if a?.max(b?) <= i32::MAX.unsigned_abs().into() => {
            match instruction.class.opcode {
                Op::SDiv => a?.checked_div(b?)?,
                _ => a?.checked_rem(b?)?,
            }
        }
        Op::ShiftLeftLogical if b? < 32 => small(a? << b?),
        Op::ShiftRightLogical if b? < 32 => a? >> b?,
        Op::BitwiseOr | Op::LogicalOr => a? | b?,
        Op::BitwiseAnd | Op::LogicalAnd => a? & b?,
        Op::BitwiseXor => a? ^ b?,
        Op::IEqual | Op::LogicalEqual => u64::from(a? == b?),
        Op::INotEqual | Op::LogicalNotEqual => u64::from(a? != b?),
        Op::ULessThan => u64::from(a? < b?),
        Op::ULessThanEqual => u64::from(a? <= b?),
        Op::UGreaterThan => u64::from(a? > b?),
        Op::UGreaterThanEqual => u64::from(a? >= b?),
        _ => return None,
    })
}
