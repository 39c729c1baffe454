//! Arithmetic, bits, comparisons and conversions: which operands go with
//! which result.

use rspirv::spirv::{Capability, Op};

use super::types::{Scalar, Shape, Type, members};
use super::{At, Context};
use crate::Error;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
}

impl Kind {
    fn holds(self, shape: Shape) -> bool {
        matches!(
            (self, shape.scalar),
            (Self::Bool, Scalar::Bool)
                | (Self::Int, Scalar::Int(_))
                | (Self::Float, Scalar::Float(_))
        )
    }
}

/// How the operands of an opcode relate to its result.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Operands and result of one kind, width and count.
    Alike(Kind),
    /// As `Alike`, of 32 bits.
    Word(Kind),
    /// As `Alike(Int)`, with an unsigned result.
    Unsigned,
    /// Two operands alike, and a bool for each component.
    Compare(Kind),
    /// The first operand like the result, the second any int per component.
    Shift,
    /// Two operands of one type, and a struct of two of that type.
    Extended,
    /// From one kind to another, per component.
    Convert(Kind, Kind),
    /// As `Convert` between two widths of one kind.
    Resize(Kind),
    Bitcast,
    /// So many operands like the result, then places in the word.
    BitField(usize),
    BitCount,
    /// A float's property, as a bool per component.
    Property,
    /// A vector of bools as one.
    Reduce,
    Dot,
}

pub(super) fn rule(op: Op) -> Option<Rule> {
    Some(match op {
        Op::IAdd
        | Op::ISub
        | Op::IMul
        | Op::SDiv
        | Op::SRem
        | Op::SMod
        | Op::SNegate
        | Op::Not
        | Op::BitwiseOr
        | Op::BitwiseXor
        | Op::BitwiseAnd => Rule::Alike(Kind::Int),
        Op::BitReverse => Rule::Word(Kind::Int),
        Op::UDiv | Op::UMod => Rule::Unsigned,
        Op::FAdd | Op::FSub | Op::FMul | Op::FDiv | Op::FRem | Op::FMod | Op::FNegate => {
            Rule::Alike(Kind::Float)
        }
        Op::QuantizeToF16 => Rule::Word(Kind::Float),
        Op::LogicalEqual
        | Op::LogicalNotEqual
        | Op::LogicalOr
        | Op::LogicalAnd
        | Op::LogicalNot => Rule::Alike(Kind::Bool),
        Op::IEqual
        | Op::INotEqual
        | Op::UGreaterThan
        | Op::SGreaterThan
        | Op::UGreaterThanEqual
        | Op::SGreaterThanEqual
        | Op::ULessThan
        | Op::SLessThan
        | Op::ULessThanEqual
        | Op::SLessThanEqual => Rule::Compare(Kind::Int),
        Op::FOrdEqual
        | Op::FUnordEqual
        | Op::FOrdNotEqual
        | Op::FUnordNotEqual
        | Op::FOrdLessThan
        | Op::FUnordLessThan
        | Op::FOrdGreaterThan
        | Op::FUnordGreaterThan
        | Op::FOrdLessThanEqual
        | Op::FUnordLessThanEqual
        | Op::FOrdGreaterThanEqual
        | Op::FUnordGreaterThanEqual => Rule::Compare(Kind::Float),
        Op::ShiftRightLogical | Op::ShiftRightArithmetic | Op::ShiftLeftLogical => Rule::Shift,
        Op::IAddCarry | Op::ISubBorrow | Op::UMulExtended | Op::SMulExtended => Rule::Extended,
        Op::ConvertFToU | Op::ConvertFToS => Rule::Convert(Kind::Float, Kind::Int),
        Op::ConvertSToF | Op::ConvertUToF => Rule::Convert(Kind::Int, Kind::Float),
        Op::UConvert | Op::SConvert => Rule::Resize(Kind::Int),
        Op::FConvert => Rule::Resize(Kind::Float),
        Op::Bitcast => Rule::Bitcast,
        Op::BitFieldInsert => Rule::BitField(2),
        Op::BitFieldSExtract | Op::BitFieldUExtract => Rule::BitField(1),
        Op::BitCount => Rule::BitCount,
        Op::IsNan | Op::IsInf => Rule::Property,
        Op::Any | Op::All => Rule::Reduce,
        Op::Dot => Rule::Dot,
        _ => return None,
    })
}

/// Checks the operands of `at` by the rule of its opcode.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>, rule: Rule) -> Result<(), Error> {
    let count = at.i.operands.len();
    if let Rule::Extended = rule {
        return extended(cx, at);
    }
    let result = at.result_shape(cx)?;
    let good = match rule {
        Rule::Alike(kind) => {
            arithmetic(cx, at, result)?;
            kind.holds(result) && alike(cx, at, 0..count, result)?
        }
        Rule::Word(kind) => {
            let word = matches!(result.scalar, Scalar::Int(32) | Scalar::Float(32));
            word && kind.holds(result) && alike(cx, at, 0..count, result)?
        }
        Rule::Unsigned => {
            arithmetic(cx, at, result)?;
            Kind::Int.holds(result) && !result.signed && alike(cx, at, 0..count, result)?
        }
        Rule::Compare(kind) => {
            let first = at.shape(cx, 0)?;
            arithmetic(cx, at, first)?;
            let bools = Kind::Bool.holds(result) && result.count == first.count;
            bools && kind.holds(first) && alike(cx, at, 1..count, first)?
        }
        Rule::Shift => {
            arithmetic(cx, at, result)?;
            let by = at.shape(cx, 1)?;
            let ints = Kind::Int.holds(result) && Kind::Int.holds(by);
            ints && by.count == result.count && alike(cx, at, 0..1, result)?
        }
        Rule::Convert(from, to) => {
            let first = at.shape(cx, 0)?;
            from.holds(first) && to.holds(result) && first.count == result.count
        }
        Rule::Resize(kind) => {
            let first = at.shape(cx, 0)?;
            let kinds = kind.holds(first) && kind.holds(result);
            kinds && first.count == result.count && first.scalar != result.scalar
        }
        Rule::Bitcast => {
            let first = at.shape(cx, 0)?;
            bits(first).is_some() && bits(first) == bits(result)
        }
        Rule::BitField(alike_operands) => {
            let places = (alike_operands..count).map(|number| at.shape(cx, number));
            let mut places = places.collect::<Result<Vec<_>, _>>()?.into_iter();
            let ints = places.all(|place| Kind::Int.holds(place) && place.count == 1);
            let word = result.scalar == Scalar::Int(32);
            ints && word && alike(cx, at, 0..alike_operands, result)?
        }
        Rule::BitCount => {
            let first = at.shape(cx, 0)?;
            let word = first.scalar == Scalar::Int(32) && result.scalar == Scalar::Int(32);
            word && first.count == result.count
        }
        Rule::Property => {
            let first = at.shape(cx, 0)?;
            Kind::Float.holds(first) && Kind::Bool.holds(result) && first.count == result.count
        }
        Rule::Reduce => {
            let first = at.shape(cx, 0)?;
            let bools = Kind::Bool.holds(first) && Kind::Bool.holds(result);
            bools && first.count > 1 && result.count == 1
        }
        Rule::Dot => {
            let first = at.shape(cx, 0)?;
            let same = first.scalar == result.scalar && result.count == 1 && first.count > 1;
            same && Kind::Float.holds(first) && alike(cx, at, 1..count, first)?
        }
        Rule::Extended => true,
    };
    match good {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected operands that go with this opcode and its result {result:?}, found {:?}",
            (0..count)
                .map(|number| at.shape(cx, number).ok())
                .collect::<Vec<_>>()
        ))),
    }
}

fn alike<'m>(
    cx: &Context<'m>,
    at: At<'m>,
    operands: std::ops::Range<usize>,
    wanted: Shape,
) -> Result<bool, Error> {
    for number in operands {
        let found = at.shape(cx, number)?;
        if (found.scalar, found.count) != (wanted.scalar, wanted.count) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Types of 8 and 16 bits may be there for storage only; computing with them
/// needs a capability of its own.
pub(super) fn arithmetic<'m>(cx: &Context<'m>, at: At<'m>, shape: Shape) -> Result<(), Error> {
    match shape.scalar {
        Scalar::Int(8) => at.needs(cx, Capability::Int8),
        Scalar::Int(16) => at.needs(cx, Capability::Int16),
        Scalar::Float(16) => at.needs(cx, Capability::Float16),
        _ => Ok(()),
    }
}

fn bits(shape: Shape) -> Option<u32> {
    match shape.scalar {
        Scalar::Bool => None,
        Scalar::Int(width) | Scalar::Float(width) => width.checked_mul(shape.count),
    }
}

fn extended<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let parts: Vec<_> = match at.result(cx)? {
        // No more than tells whether there are two.
        Type::Struct { members: list } => members(list).take(3).collect(),
        _ => Vec::new(),
    };
    let [low, high] = parts[..] else {
        return Err(at.wrong("expected a struct of two members as result type"));
    };
    let shape = cx.types.shape(low);
    let good = shape.is_some_and(|shape| {
        let wants_unsigned = at.i.class.opcode != Op::SMulExtended;
        Kind::Int.holds(shape) && !(wants_unsigned && shape.signed)
    });
    if low != high || !good {
        return Err(at.wrong(format!(
            "expected a result of two alike ints, unsigned ones but for OpSMulExtended, found %{low} and %{high}"
        )));
    }
    if let Some(shape) = shape {
        arithmetic(cx, at, shape)?;
    }
    at.expect_type(cx, 0, low)?;
    at.expect_type(cx, 1, low)
}
