//! Pointers: what they lead to, and what is read and written through them.

use rspirv::dr::Operand;
use rspirv::spirv::{Capability, Decoration, MemoryAccess, Op, StorageClass, Word};

use super::types::{Scalar, Type};
use super::{At, Context, extent};
use crate::Error;

/// Checks a load, a store or a step from one pointer to another.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    match at.i.class.opcode {
        Op::Load => {
            let (_, to) = pointer(cx, at, 0)?;
            at.same(at.result_type()?, to, || "the result".to_owned())?;
            extent::value(cx, at, to)?;
            access(cx, at, 1)
        }
        Op::Store => {
            let (class, to) = pointer(cx, at, 0)?;
            at.expect_type(cx, 1, to)?;
            extent::value(cx, at, to)?;
            writable(cx, at, (class, to), 0)?;
            access(cx, at, 2)
        }
        Op::CopyMemory => {
            let ((class, to), (_, from)) = (pointer(cx, at, 0)?, pointer(cx, at, 1)?);
            at.same(from, to, || "the source".to_owned())?;
            extent::value(cx, at, to)?;
            writable(cx, at, (class, to), 0)?;
            access(cx, at, 2)
        }
        Op::ArrayLength => length(cx, at),
        _ => chain(cx, at),
    }
}

/// The storage class and pointee of the pointer that operand `number` names.
pub(super) fn pointer<'m>(
    cx: &Context<'m>,
    at: At<'m>,
    number: usize,
) -> Result<(StorageClass, Word), Error> {
    let id = at.id(number)?;
    at.blame(cx.pointer(id))
}

/// Checks that a kernel may write a value of type `to` through the pointer in
/// operand `number`.
pub(super) fn writable<'m>(
    cx: &Context<'m>,
    at: At<'m>,
    (class, to): (StorageClass, Word),
    number: usize,
) -> Result<(), Error> {
    let read_only = matches!(class, StorageClass::Input | StorageClass::PushConstant);
    // A type with read-only members may serve for a copy of them, too.
    let shared = matches!(class, StorageClass::StorageBuffer | StorageClass::Uniform);
    if read_only || shared && cx.read_only.holds(at.id(number)?, to) {
        return Err(at.wrong(format!(
            "expected memory that a kernel may write, found {class:?}, perhaps NonWritable"
        )));
    }
    Ok(())
}

/// Checks the optional memory operands from operand `from` on.
fn access(cx: &Context<'_>, at: At<'_>, from: usize) -> Result<(), Error> {
    let rest = at.i.operands.get(from..).unwrap_or_default();
    let mask = match rest.first() {
        None => return Ok(()),
        Some(Operand::MemoryAccess(mask)) => *mask,
        found => return Err(at.wrong(format!("expected memory operands, found {found:?}"))),
    };
    let plain = MemoryAccess::VOLATILE | MemoryAccess::ALIGNED | MemoryAccess::NONTEMPORAL;
    let scoped = MemoryAccess::MAKE_POINTER_AVAILABLE
        | MemoryAccess::MAKE_POINTER_VISIBLE
        | MemoryAccess::NON_PRIVATE_POINTER;
    let allowed = match cx.has(Capability::VulkanMemoryModel) {
        true => plain | scoped,
        false => plain,
    };
    if !allowed.contains(mask) {
        return Err(at.wrong(format!(
            "expected memory operands of {allowed:?}, found {mask:?}"
        )));
    }
    for (number, operand) in (from + 1..).zip(rest.iter().skip(1)) {
        match operand {
            Operand::LiteralBit32(align) if align.is_power_of_two() => {}
            Operand::IdScope(_) => super::atomics::scope(cx, at, number)?,
            found => {
                return Err(at.wrong(format!(
                    "expected an alignment that is a power of two, or a scope; found {found:?}"
                )));
            }
        }
    }
    Ok(())
}

fn length<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let (_, to) = pointer(cx, at, 0)?;
    let member = at.literal(1)? as usize;
    let last = match cx.kind(to)? {
        Type::Struct { members } if member + 1 == members.len() => members.last(),
        _ => None,
    };
    let is_array = matches!(
        last,
        Some(Operand::IdRef(id)) if matches!(cx.types.get(*id), Some(Type::RuntimeArray { .. }))
    );
    let result = at.result(cx)?;
    let is_u32 = result
        == Type::Int {
            width: 32,
            signed: false,
        };
    match is_array && is_u32 {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected the last member of a block, a runtime array, and a u32 as result; found member {member} of %{to} and {result:?}"
        ))),
    }
}

/// Checks a chain of indices, each against the type that it goes into.
fn chain<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let (class, mut to) = pointer(cx, at, 0)?;
    let mut first = 1;
    if at.i.class.opcode == Op::PtrAccessChain {
        variable_pointer(cx, at, class)?;
        index(cx, at, 1)?;
        let strided = cx
            .decorations
            .number(at.type_of(cx, 0)?, Decoration::ArrayStride);
        if class != StorageClass::Workgroup && strided.is_none_or(|stride| stride == 0) {
            return Err(at.wrong("expected an ArrayStride on the pointer's type"));
        }
        first = 2;
    }
    for number in first..at.i.operands.len() {
        to = step(cx, at, to, number)?;
    }
    match at.result(cx)? {
        Type::Pointer {
            class: found,
            to: wanted,
        } if found == class && wanted == to => Ok(()),
        found => Err(at.wrong(format!(
            "expected a pointer of class {class:?} to %{to} as result, found {found:?}"
        ))),
    }
}

fn step<'m>(cx: &Context<'m>, at: At<'m>, of: Word, number: usize) -> Result<Word, Error> {
    let known = cx.constants.value(at.id(number)?);
    index(cx, at, number)?;
    let (inner, count) = match cx.kind(of)? {
        Type::Struct { members } => {
            let op = cx.ids.get(at.id(number)?)?.instruction.class.opcode;
            let member = known.filter(|_| op == Op::Constant);
            let member = member.and_then(|member| usize::try_from(member).ok());
            return match member.and_then(|member| members.get(member)) {
                Some(Operand::IdRef(id)) => Ok(*id),
                _ => Err(at.wrong(format!(
                    "expected a constant below {} to choose a member, found {known:?}",
                    members.len()
                ))),
            };
        }
        Type::Vector { of, count } | Type::Matrix { column: of, count } => (of, count.into()),
        Type::Array { of, length } => (of, length),
        Type::RuntimeArray { of } => (of, u64::MAX),
        found => return Err(at.wrong(format!("expected something to index, found {found:?}"))),
    };
    match known {
        Some(place) if place >= count => {
            Err(at.wrong(format!("expected an index below {count}, found {place}")))
        }
        _ => Ok(inner),
    }
}

fn index<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<(), Error> {
    let shape = at.shape(cx, number)?;
    match shape.scalar {
        Scalar::Int(_) if shape.count == 1 => Ok(()),
        _ => Err(at.wrong(format!("expected an int as index, found {shape:?}"))),
    }
}

/// Checks that pointers of this class may be computed like values.
pub(super) fn variable_pointer(
    cx: &Context<'_>,
    at: At<'_>,
    class: StorageClass,
) -> Result<(), Error> {
    match class {
        StorageClass::StorageBuffer => at.needs(cx, Capability::VariablePointersStorageBuffer),
        StorageClass::Workgroup => at.needs(cx, Capability::VariablePointers),
        found => Err(at.wrong(format!(
            "expected pointers to be computed in StorageBuffer and Workgroup only, found {found:?}"
        ))),
    }
}

/// Checks a pointer that is handed to a function: a variable or a parameter,
/// unless pointers may be computed.
pub(super) fn argument(
    cx: &Context<'_>,
    at: At<'_>,
    number: usize,
    class: StorageClass,
) -> Result<(), Error> {
    let op = cx.ids.get(at.id(number)?)?.instruction.class.opcode;
    let whole = matches!(op, Op::Variable | Op::FunctionParameter);
    match class {
        StorageClass::Function | StorageClass::Private | StorageClass::Workgroup if whole => Ok(()),
        _ => variable_pointer(cx, at, class),
    }
}
