//! Vectors, matrices, arrays and structs: taken apart and put together.

use rspirv::dr::Operand;
use rspirv::spirv::{Op, Word};

use super::types::{Scalar, Shape, Type, members};
use super::{At, Context, memory};
use crate::Error;

/// Checks an instruction on composites, or one that copies or selects.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let result = at.result_type()?;
    match at.i.class.opcode {
        Op::CompositeConstruct => construct(cx, at),
        Op::CompositeExtract => {
            let part = part(cx, at, at.type_of(cx, 0)?, 1)?;
            at.same(part, result, || "the part".to_owned())
        }
        Op::CompositeInsert => {
            at.expect_type(cx, 1, result)?;
            let part = part(cx, at, result, 2)?;
            at.expect_type(cx, 0, part)
        }
        Op::VectorShuffle => shuffle(cx, at),
        Op::VectorExtractDynamic => {
            let vector = at.shape(cx, 0)?;
            int_index(cx, at, 1)?;
            let wanted = Shape { count: 1, ..vector };
            like(at, at.result_shape(cx)? == wanted && vector.count > 1)
        }
        Op::VectorInsertDynamic => {
            let vector = at.result_shape(cx)?;
            at.expect_type(cx, 0, result)?;
            int_index(cx, at, 2)?;
            let wanted = Shape { count: 1, ..vector };
            like(at, at.shape(cx, 1)? == wanted && vector.count > 1)
        }
        Op::CopyObject => {
            if let Type::Void | Type::Function { .. } = at.result(cx)? {
                return Err(at.wrong("expected a value to copy"));
            }
            at.expect_type(cx, 0, result)
        }
        Op::CopyLogical => copy_logical(cx, at),
        Op::Select => select(cx, at),
        _ => matrix(cx, at),
    }
}

fn like(at: At<'_>, good: bool) -> Result<(), Error> {
    match good {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected operands that go with the result, found {:?} for %{:?}",
            at.i.operands, at.i.result_type
        ))),
    }
}

fn int_index<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<(), Error> {
    let shape = at.shape(cx, number)?;
    like(
        at,
        shape.count == 1 && matches!(shape.scalar, Scalar::Int(_)),
    )
}

/// The type of the part that the literals from operand `from` on lead to.
fn part<'m>(cx: &Context<'m>, at: At<'m>, mut of: Word, from: usize) -> Result<Word, Error> {
    for number in from..at.i.operands.len() {
        let place = at.literal(number)?;
        let (inner, count) = match cx.kind(of)? {
            Type::Vector { of, count } | Type::Matrix { column: of, count } => {
                (Some(of), count.into())
            }
            Type::Array { of, length } => (Some(of), length),
            Type::Struct { members: list } => {
                let member = match list.get(place as usize) {
                    Some(Operand::IdRef(id)) => Some(*id),
                    _ => None,
                };
                (member, list.len() as u64)
            }
            found => return Err(at.wrong(format!("expected a composite, found {found:?}"))),
        };
        of = match inner {
            Some(inner) if u64::from(place) < count => inner,
            _ => {
                return Err(at.wrong(format!("expected an index below {count}, found {place}")));
            }
        };
    }
    match at.i.operands.len() > from {
        true => Ok(of),
        false => Err(at.wrong("expected an index, found none")),
    }
}

fn construct<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let parts = at.i.operands.len();
    let wanted: Vec<Word> = match at.result(cx)? {
        Type::Vector { of, count } => return construct_vector(cx, at, of, count),
        Type::Matrix { column, count } if count as usize == parts => vec![column; parts],
        Type::Array { of, length } if length == parts as u64 => vec![of; parts],
        Type::Struct { members: list } if list.len() == parts => members(list).collect(),
        found => {
            return Err(at.wrong(format!(
                "expected {parts} parts to make up the result type, found {found:?}"
            )));
        }
    };
    for (number, wanted) in wanted.into_iter().enumerate() {
        at.expect_type(cx, number, wanted)?;
    }
    Ok(())
}

/// A vector may be put together from scalars and shorter vectors.
fn construct_vector<'m>(cx: &Context<'m>, at: At<'m>, of: Word, count: u32) -> Result<(), Error> {
    let wanted = cx.types.shape(of);
    let mut found = 0_u32;
    for number in 0..at.i.operands.len() {
        let shape = at.shape(cx, number)?;
        if Some(Shape { count: 1, ..shape }) != wanted {
            return Err(at.wrong(format!(
                "expected components of type %{of}, found {shape:?} as operand {number}"
            )));
        }
        found = found.saturating_add(shape.count);
    }
    match found == count && at.i.operands.len() > 1 {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected {count} components in two parts at least, found {found}"
        ))),
    }
}

fn shuffle<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let (a, b) = (at.shape(cx, 0)?, at.shape(cx, 1)?);
    let result = at.result_shape(cx)?;
    let picks = at.i.operands.len() - 2;
    let one = |shape: Shape| Shape { count: 1, ..shape };
    let vectors = a.count > 1 && b.count > 1 && result.count as usize == picks;
    like(
        at,
        vectors && one(a) == one(result) && one(b) == one(result),
    )?;
    for number in 2..at.i.operands.len() {
        let place = at.literal(number)?;
        if place >= a.count + b.count && place != u32::MAX {
            return Err(at.wrong(format!(
                "expected one of {} components, found {place}",
                a.count + b.count
            )));
        }
    }
    Ok(())
}

fn select<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let result = at.result_type()?;
    at.expect_type(cx, 1, result)?;
    at.expect_type(cx, 2, result)?;
    let condition = at.shape(cx, 0)?;
    let shape = cx.types.shape(result);
    // From 1.4 on one bool may choose between composites as a whole.
    let whole = condition.count == 1 && cx.version >= (1, 4);
    let counts = shape.is_some_and(|shape| shape.count == condition.count);
    let good = match at.result(cx)? {
        Type::Pointer { class, .. } => {
            memory::variable_pointer(cx, at, class)?;
            condition.count == 1
        }
        Type::Void | Type::Function { .. } => false,
        _ => counts || whole,
    };
    like(at, good && condition.scalar == Scalar::Bool)
}

/// A copy between types that differ in their decorations only.
fn copy_logical<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let (from, to) = (at.type_of(cx, 0)?, at.result_type()?);
    match cx.types.logical(from) == cx.types.logical(to) {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected %{to}, or a type like it but for decorations, to copy from; found %{from}"
        ))),
    }
}

/// Linear algebra: rows, columns and components must go together.
fn matrix<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    /// Components of a column, columns; a vector is one column.
    fn size(cx: &Context<'_>, id: Word) -> Option<(Scalar, u32, u32)> {
        let (columns, id) = match cx.types.get(id)? {
            Type::Matrix { column, count } => (count, column),
            _ => (1, id),
        };
        let shape = cx.types.shape(id)?;
        matches!(shape.scalar, Scalar::Float(_)).then_some((shape.scalar, shape.count, columns))
    }
    let operand = |number: usize| at.type_of(cx, number).map(|id| size(cx, id));
    let (Some(result), Some(a)) = (size(cx, at.result_type()?), operand(0)?) else {
        return like(at, false);
    };
    let op = at.i.class.opcode;
    if op == Op::Transpose {
        return like(at, a.2 > 1 && result == (a.0, a.2, a.1));
    }
    let Some(b) = operand(1)? else {
        return like(at, false);
    };
    let good = match op {
        Op::VectorTimesScalar | Op::MatrixTimesScalar => {
            let scalar = (b.1, b.2) == (1, 1);
            let matrix = op == Op::MatrixTimesScalar;
            scalar && result == a && (a.2 > 1) == matrix && a.1 > 1
        }
        // A row vector times each column.
        Op::VectorTimesMatrix => a.2 == 1 && b.2 > 1 && a.1 == b.1 && result == (a.0, b.2, 1),
        Op::MatrixTimesVector => a.2 > 1 && b.2 == 1 && a.2 == b.1 && result == (a.0, a.1, 1),
        Op::MatrixTimesMatrix => a.2 > 1 && b.2 > 1 && a.2 == b.1 && result == (a.0, a.1, b.2),
        Op::OuterProduct => a.2 == 1 && b.2 == 1 && b.1 > 1 && result == (a.0, a.1, b.1),
        _ => false,
    };
    like(at, good && a.0 == b.0)
}
