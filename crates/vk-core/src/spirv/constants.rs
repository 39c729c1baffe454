//! The values of a module's constants, specialization constants at their defaults.
//!
//! Sizes are what they are needed for: of a workgroup, of shared memory, of push
//! constants. What is not worked out here (floats, operations on vectors, and what is not
//! valid) is a value that is not known, never a reason to refuse a module.

use std::collections::HashMap;
use std::rc::Rc;

use rspirv::spirv::Op;

use super::types::{Scalar, Types};
use super::words::Instruction;

/// The longest vector that is asked for.
const MAX_PARTS: usize = 16;
/// The most levels of a composite: dropping one takes a call for each.
const MAX_LEVELS: u32 = 64;

#[derive(Clone, Debug)]
enum Value {
    /// An integer, or 0 and 1 for a bool; bits past the type's width are 0.
    Scalar(u64),
    /// A composite of so many levels. Shared, because constants that are made of
    /// constants, level upon level, would take exponential memory.
    Parts(Rc<[Option<Value>]>, u32),
    /// Zero in every part, of any type.
    Zero,
}

impl Value {
    /// A composite; `None` for one of too many levels.
    fn composite(parts: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let parts: Rc<[_]> = parts.collect();
        let levels = parts.iter().map(|part| match part {
            Some(Self::Parts(_, levels)) => *levels,
            _ => 0,
        });
        let levels = levels.max().unwrap_or(0) + 1;
        (levels <= MAX_LEVELS).then_some(Self::Parts(parts, levels))
    }

    fn scalar(&self) -> Option<u64> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Zero => Some(0),
            Self::Parts(..) => None,
        }
    }

    fn part(&self, number: u32) -> Option<Self> {
        match self {
            Self::Parts(parts, _) => parts.get(usize::try_from(number).ok()?)?.clone(),
            Self::Zero => Some(Self::Zero),
            Self::Scalar(_) => None,
        }
    }
}

#[derive(Default)]
pub(super) struct Constants {
    /// With the ids of their types.
    known: HashMap<u32, (u32, Value)>,
}

impl Constants {
    pub(super) fn scalar(&self, id: u32) -> Option<u64> {
        self.value(id)?.scalar()
    }

    pub(super) fn vector(&self, id: u32) -> Option<Vec<u64>> {
        match self.value(id)? {
            Value::Parts(parts, _) if parts.len() <= MAX_PARTS => {
                let values = parts.iter().map(|part| part.as_ref()?.scalar());
                values.collect()
            }
            _ => None,
        }
    }

    /// Takes note of `i`, where it is a constant. Constants name those before them.
    pub(super) fn read(&mut self, i: &Instruction<'_>, types: &Types<'_>) {
        let (kind, id) = (i.word(0), i.word(1));
        let rest = i.operands.get(2..).unwrap_or_default();
        let value = match i.op {
            Some(Op::Constant | Op::SpecConstant) => literal(rest, types.component(kind)),
            Some(Op::ConstantTrue | Op::SpecConstantTrue) => Some(Value::Scalar(1)),
            Some(Op::ConstantFalse | Op::SpecConstantFalse) => Some(Value::Scalar(0)),
            Some(Op::ConstantNull) => Some(Value::Zero),
            Some(Op::ConstantComposite | Op::SpecConstantComposite) => {
                let parts = rest.iter().map(|part| self.value(*part).cloned());
                Value::composite(parts)
            }
            Some(Op::SpecConstantOp) => self.operation(kind, rest, types),
            _ => None,
        };
        if let Some(value) = value {
            self.known.insert(id, (kind, value));
        }
    }

    fn value(&self, id: u32) -> Option<&Value> {
        self.known.get(&id).map(|(_, value)| value)
    }

    fn operation(&self, kind: u32, words: &[u32], types: &Types<'_>) -> Option<Value> {
        let (op, operands) = words.split_first()?;
        let op = Op::from_u32(*op)?;
        match (op, operands) {
            (Op::CompositeExtract, [from, indices @ ..]) => {
                let from = self.value(*from)?.clone();
                indices.iter().try_fold(from, |from, at| from.part(*at))
            }
            _ => self.computed(op, kind, operands, types),
        }
    }

    fn computed(&self, op: Op, kind: u32, operands: &[u32], types: &Types<'_>) -> Option<Value> {
        let known = operands.iter().map(|id| self.known.get(id));
        let known: Vec<_> = known.collect::<Option<_>>()?;
        // Of a selection the first operand is a bool, of a shift the second one a count.
        let of = known.get(usize::from(op == Op::Select))?.0;
        let width = |kind| types.scalar(kind).and_then(bits);
        let (from, to) = (width(of)?, width(kind)?);
        let operands = known.iter().map(|(_, value)| value.scalar());
        let operands: Vec<_> = operands.collect::<Option<_>>()?;
        compute(op, &operands, from).map(|value| Value::Scalar(value & mask(to)))
    }
}

fn literal(words: &[u32], of: Option<Scalar>) -> Option<Value> {
    let width = bits(of?)?;
    let low = u64::from(*words.first()?);
    let high = u64::from(words.get(1).copied().unwrap_or_default());
    Some(Value::Scalar((high << 32 | low) & mask(width)))
}

/// The width of an integer, and 1 for a bool.
fn bits(of: Scalar) -> Option<u32> {
    match of {
        Scalar::Bool => Some(1),
        Scalar::Int(width) if (1..=64).contains(&width) => Some(width),
        Scalar::Int(_) | Scalar::Float(_) => None,
    }
}

fn mask(width: u32) -> u64 {
    u64::MAX >> (64 - width.clamp(1, 64))
}

/// What `op` makes of operands that are `width` bits wide. Bits past the result's
/// width are anything.
fn compute(op: Op, operands: &[u64], width: u32) -> Option<u64> {
    let signed = |value: u64| (value << (64 - width)).cast_signed() >> (64 - width);
    let shift = |by: u64| u32::try_from(by).ok().filter(|by| *by < width);
    let (a, b) = (*operands.first()?, operands.get(1).copied().unwrap_or(0));
    let (sa, sb) = (signed(a), signed(b));
    Some(match op {
        Op::SNegate => sa.wrapping_neg().cast_unsigned(),
        Op::Not => !a,
        Op::UConvert => a,
        Op::SConvert => sa.cast_unsigned(),
        Op::IAdd => a.wrapping_add(b),
        Op::ISub => a.wrapping_sub(b),
        Op::IMul => a.wrapping_mul(b),
        Op::UDiv => a.checked_div(b)?,
        Op::UMod => a.checked_rem(b)?,
        Op::SDiv => sa.checked_div(sb)?.cast_unsigned(),
        Op::SRem => sa.checked_rem(sb)?.cast_unsigned(),
        Op::SMod => {
            let rest = sa.checked_rem(sb)?;
            let other_sign = rest != 0 && (rest < 0) != (sb < 0);
            (if other_sign { rest + sb } else { rest }).cast_unsigned()
        }
        Op::ShiftLeftLogical => a << shift(b)?,
        Op::ShiftRightLogical => a >> shift(b)?,
        Op::ShiftRightArithmetic => (sa >> shift(b)?).cast_unsigned(),
        Op::BitwiseOr => a | b,
        Op::BitwiseXor => a ^ b,
        Op::BitwiseAnd => a & b,
        Op::LogicalOr => a | b,
        Op::LogicalAnd => a & b,
        Op::LogicalNot => a ^ 1,
        Op::LogicalEqual | Op::IEqual => u64::from(a == b),
        Op::LogicalNotEqual | Op::INotEqual => u64::from(a != b),
        Op::ULessThan => u64::from(a < b),
        Op::ULessThanEqual => u64::from(a <= b),
        Op::UGreaterThan => u64::from(a > b),
        Op::UGreaterThanEqual => u64::from(a >= b),
        Op::SLessThan => u64::from(sa < sb),
        Op::SLessThanEqual => u64::from(sa <= sb),
        Op::SGreaterThan => u64::from(sa > sb),
        Op::SGreaterThanEqual => u64::from(sa >= sb),
        Op::Select => *operands.get(if a == 1 { 1 } else { 2 })?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_those_of_their_width_and_sign() {
        let minus = |value: u64, width| value.wrapping_neg() & mask(width);
        let cases: [(Op, &[u64], u32, u64); 14] = [
            (Op::IAdd, &[0xFFFF_FFFF, 2], 32, 1),
            (Op::IMul, &[1 << 20, 1 << 12], 32, 0),
            (Op::SNegate, &[5], 16, minus(5, 16)),
            (Op::SDiv, &[minus(7, 32), 2], 32, minus(3, 32)),
            (Op::SRem, &[minus(7, 32), 3], 32, minus(1, 32)),
            (Op::SMod, &[minus(7, 32), 3], 32, 2),
            (Op::UMod, &[7, 3], 32, 1),
            (
                Op::ShiftRightArithmetic,
                &[minus(64, 32), 2],
                32,
                minus(16, 32),
            ),
            (Op::ShiftRightLogical, &[minus(64, 8), 2], 8, 0x30),
            (Op::SLessThan, &[minus(1, 32), 0], 32, 1),
            (Op::ULessThan, &[minus(1, 32), 0], 32, 0),
            (Op::Select, &[1, 4, 9], 32, 4),
            (Op::Select, &[0, 4, 9], 32, 9),
            (Op::Not, &[0], 64, u64::MAX),
        ];
        for (op, operands, width, expected) in cases {
            let found = compute(op, operands, width).map(|value| value & mask(width));
            assert_eq!(found, Some(expected), "{op:?} {operands:?}");
        }
        // What has no value.
        assert_eq!(compute(Op::UDiv, &[1, 0], 32), None);
        assert_eq!(compute(Op::SDiv, &[1 << 63, u64::MAX], 64), None);
        assert_eq!(compute(Op::ShiftLeftLogical, &[1, 32], 32), None);
        assert_eq!(compute(Op::FAdd, &[1, 1], 32), None);
    }
}
