//! Extended instructions: GLSL's functions. Those of other sets mean nothing to
//! a driver, and were left out while parsing.

use rspirv::dr::Operand;
use rspirv::spirv::{GlslStd450Op as Glsl, Op, StorageClass};

use super::entry::GLSL;
use super::types::{Scalar, Shape, Type, members};
use super::{At, Context, memory, numeric};
use crate::Error;

/// The operands before those of the extended instruction itself.
const FIRST: usize = 2;

/// Checks an extended instruction.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let set = cx.ids.get(at.id(0)?)?.instruction;
    let name = match (set.class.opcode, set.operands.first()) {
        (Op::ExtInstImport, Some(Operand::LiteralString(name))) => name.as_str(),
        _ => {
            return Err(at.wrong(format!(
                "expected a set of instructions, found %{}",
                at.id(0)?
            )));
        }
    };
    let number = at.literal(1)?;
    let known = Glsl::from_u32(number).filter(|_| name == GLSL);
    match known {
        Some(op) => glsl(cx, at, op),
        None => Err(at.wrong(format!(
            "expected an instruction of {GLSL}, found number {number}"
        ))),
    }
}

/// Which components an instruction takes.
type Fits = fn(Scalar) -> bool;

/// How many operands an instruction has that are all like its result.
fn alike(op: Glsl) -> Option<(usize, Fits)> {
    let float: Fits = |scalar| matches!(scalar, Scalar::Float(_));
    // Trigonometry and powers are not defined for 64 bits.
    let short: Fits = |scalar| matches!(scalar, Scalar::Float(16 | 32));
    let int: Fits = |scalar| matches!(scalar, Scalar::Int(_));
    let word: Fits = |scalar| scalar == Scalar::Int(32);
    Some(match op {
        Glsl::Round
        | Glsl::RoundEven
        | Glsl::Trunc
        | Glsl::FAbs
        | Glsl::FSign
        | Glsl::Floor
        | Glsl::Ceil
        | Glsl::Fract
        | Glsl::Sqrt
        | Glsl::InverseSqrt
        | Glsl::Normalize => (1, float),
        Glsl::Radians
        | Glsl::Degrees
        | Glsl::Sin
        | Glsl::Cos
        | Glsl::Tan
        | Glsl::Asin
        | Glsl::Acos
        | Glsl::Atan
        | Glsl::Sinh
        | Glsl::Cosh
        | Glsl::Tanh
        | Glsl::Asinh
        | Glsl::Acosh
        | Glsl::Atanh
        | Glsl::Exp
        | Glsl::Log
        | Glsl::Exp2
        | Glsl::Log2 => (1, short),
        Glsl::SAbs | Glsl::SSign => (1, int),
        Glsl::FindILsb | Glsl::FindSMsb | Glsl::FindUMsb => (1, word),
        Glsl::Atan2 | Glsl::Pow => (2, short),
        Glsl::FMin | Glsl::FMax | Glsl::NMin | Glsl::NMax | Glsl::Step | Glsl::Reflect => {
            (2, float)
        }
        Glsl::UMin | Glsl::SMin | Glsl::UMax | Glsl::SMax => (2, int),
        Glsl::Cross => (2, float),
        Glsl::FClamp
        | Glsl::NClamp
        | Glsl::FMix
        | Glsl::SmoothStep
        | Glsl::Fma
        | Glsl::FaceForward => (3, float),
        Glsl::UClamp | Glsl::SClamp => (3, int),
        _ => return None,
    })
}

fn glsl<'m>(cx: &Context<'m>, at: At<'m>, op: Glsl) -> Result<(), Error> {
    let arguments = at.i.operands.len().saturating_sub(FIRST);
    let good = match alike(op) {
        Some((count, fits)) => {
            let result = at.result_shape(cx)?;
            numeric::arithmetic(cx, at, result)?;
            let mut same = count == arguments && fits(result.scalar);
            for number in 0..arguments {
                let shape = argument(cx, at, number)?;
                same &= (shape.scalar, shape.count) == (result.scalar, result.count);
            }
            same && (op != Glsl::Cross || result.count == 3)
        }
        None => special(cx, at, op, arguments)?,
    };
    match good {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected operands and a result that go with {op:?}, found {arguments}: {:?}",
            at.i.operands
        ))),
    }
}

fn argument<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<Shape, Error> {
    at.shape(cx, FIRST + number)
}

/// Instructions whose operands differ from their result.
fn special<'m>(cx: &Context<'m>, at: At<'m>, op: Glsl, count: usize) -> Result<bool, Error> {
    let is = |shape: Shape, scalar, count| shape.scalar == scalar && shape.count == count;
    let (word, float) = (Scalar::Int(32), Scalar::Float(32));
    let first = || argument(cx, at, 0);
    Ok(match (op, count) {
        (Glsl::Modf | Glsl::Frexp, 2) => split(cx, at, op)?,
        (Glsl::ModfStruct | Glsl::FrexpStruct, 1) => split_struct(cx, at, op)?,
        (Glsl::Ldexp, 2) => {
            let (result, exponent) = (at.result_shape(cx)?, argument(cx, at, 1)?);
            let same = first()? == result && exponent.count == result.count;
            same && matches!(result.scalar, Scalar::Float(_))
                && matches!(exponent.scalar, Scalar::Int(_))
        }
        (Glsl::PackSnorm4x8 | Glsl::PackUnorm4x8, 1) => {
            is(at.result_shape(cx)?, word, 1) && is(first()?, float, 4)
        }
        (Glsl::PackSnorm2x16 | Glsl::PackUnorm2x16 | Glsl::PackHalf2x16, 1) => {
            is(at.result_shape(cx)?, word, 1) && is(first()?, float, 2)
        }
        (Glsl::PackDouble2x32, 1) => {
            is(at.result_shape(cx)?, Scalar::Float(64), 1) && is(first()?, word, 2)
        }
        (Glsl::UnpackSnorm4x8 | Glsl::UnpackUnorm4x8, 1) => {
            is(at.result_shape(cx)?, float, 4) && is(first()?, word, 1)
        }
        (Glsl::UnpackSnorm2x16 | Glsl::UnpackUnorm2x16 | Glsl::UnpackHalf2x16, 1) => {
            is(at.result_shape(cx)?, float, 2) && is(first()?, word, 1)
        }
        (Glsl::UnpackDouble2x32, 1) => {
            is(at.result_shape(cx)?, word, 2) && is(first()?, Scalar::Float(64), 1)
        }
        (Glsl::Length, 1) | (Glsl::Distance, 2) => {
            let (result, one) = (at.result_shape(cx)?, first()?);
            let same = argument(cx, at, count - 1)? == one;
            same && matches!(one.scalar, Scalar::Float(_)) && is(result, one.scalar, 1)
        }
        (Glsl::Refract, 3) => {
            let result = at.result_shape(cx)?;
            let same = first()? == result && argument(cx, at, 1)? == result;
            let eta = argument(cx, at, 2)?;
            same && matches!(result.scalar, Scalar::Float(_)) && is(eta, result.scalar, 1)
        }
        (Glsl::Determinant, 1) => match cx.kind(at.type_of(cx, FIRST)?)? {
            Type::Matrix { column, count } => {
                let column = cx.types.shape(column);
                let result = at.result_shape(cx)?;
                column == Some(Shape { count, ..result }) && result.count == 1
            }
            _ => false,
        },
        (Glsl::MatrixInverse, 1) => match at.result(cx)? {
            Type::Matrix { column, count } => {
                at.expect_type(cx, FIRST, at.result_type()?)?;
                cx.types
                    .shape(column)
                    .is_some_and(|shape| shape.count == count)
            }
            _ => false,
        },
        _ => false,
    })
}

/// A float as two parts, the second written through a pointer.
fn split<'m>(cx: &Context<'m>, at: At<'m>, op: Glsl) -> Result<bool, Error> {
    let result = at.result_shape(cx)?;
    let (class, to) = memory::pointer(cx, at, FIRST + 1)?;
    memory::writable(cx, at, (class, to), FIRST + 1)?;
    let part = cx.types.shape(to);
    let good = part.is_some_and(|part| second(op, result, part));
    let near = !matches!(class, StorageClass::Input | StorageClass::PushConstant);
    Ok(near && good && argument(cx, at, 0)? == result)
}

/// As `split`, with both parts in the result.
fn split_struct<'m>(cx: &Context<'m>, at: At<'m>, op: Glsl) -> Result<bool, Error> {
    let parts: Vec<_> = match at.result(cx)? {
        // No more than tells whether there are two.
        Type::Struct { members: list } => {
            let shapes = members(list).map(|id| cx.types.shape(id));
            shapes.take(3).collect()
        }
        _ => Vec::new(),
    };
    match parts[..] {
        [Some(whole), Some(part)] => Ok(argument(cx, at, 0)? == whole && second(op, whole, part)),
        _ => Ok(false),
    }
}

/// Whether `part` can be the second part of `whole`.
fn second(op: Glsl, whole: Shape, part: Shape) -> bool {
    let float = matches!(whole.scalar, Scalar::Float(_));
    let kind = match op {
        Glsl::Modf | Glsl::ModfStruct => part.scalar == whole.scalar,
        _ => part.scalar == Scalar::Int(32),
    };
    float && kind && part.count == whole.count
}
