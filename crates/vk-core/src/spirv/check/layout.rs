//! Where the members of buffers and push constants lie: inside, apart from one
//! another, aligned.

use std::collections::HashMap;

use rspirv::dr::Instruction;
use rspirv::spirv::{Decoration, Op, StorageClass, Word};

use super::types::{Scalar, Type, members};
use super::{At, Context};
use crate::Error;

/// The most bytes between the first and the last of a block. A driver may
/// count in 32 bits.
const MAX_BYTES: u64 = 1 << 30;

/// How much room a type takes where decorations lay it out.
#[derive(Clone, Copy)]
struct Room {
    /// Bytes up to the end of its last part; a runtime array has one element.
    bytes: u64,
    align: u64,
}

/// Checks the layout of all types that have one, and that all that the host
/// shares with a kernel do.
pub(super) fn check(cx: &Context<'_>) -> Result<(), Error> {
    let mut rooms = HashMap::new();
    for i in &cx.module.types_global_values {
        let Some(id) = i.result_id else { continue };
        if let Some(kind) = cx.types.get(id)
            && let Some(room) = room(cx, At { i }, id, kind, &rooms)?
        {
            rooms.insert(id, room);
        }
        if i.class.opcode == Op::Variable {
            check_variable(cx, i, &rooms)?;
        }
    }
    Ok(())
}

fn room(
    cx: &Context<'_>,
    at: At<'_>,
    id: Word,
    kind: Type<'_>,
    rooms: &HashMap<Word, Room>,
) -> Result<Option<Room>, Error> {
    if let Some(shape) = cx.types.shape(id) {
        let one = match shape.scalar {
            Scalar::Int(width) | Scalar::Float(width) => u64::from(width / 8),
            Scalar::Bool => return Ok(None),
        };
        let bytes = one * u64::from(shape.count);
        return Ok(Some(Room { bytes, align: one }));
    }
    match kind {
        Type::Array { of, length } => array(cx, at, id, of, length, rooms),
        Type::RuntimeArray { of } => array(cx, at, id, of, 1, rooms),
        Type::Struct { members: list } => {
            let members: Vec<Word> = members(list).collect();
            structure(cx, at, id, &members, rooms)
        }
        _ => Ok(None),
    }
}

fn array(
    cx: &Context<'_>,
    at: At<'_>,
    id: Word,
    of: Word,
    length: u64,
    rooms: &HashMap<Word, Room>,
) -> Result<Option<Room>, Error> {
    let Some(stride) = cx.decorations.number(id, Decoration::ArrayStride) else {
        return Ok(None);
    };
    let stride = u64::from(stride);
    if stride == 0 {
        return Err(at.wrong("expected an ArrayStride above 0"));
    }
    // A matrix has its own stride, which its struct's member gives.
    let Some(one) = rooms.get(&of) else {
        return match innermost_is_matrix(cx, of) {
            true => Ok(Some(Room {
                bytes: bounded(at, stride.saturating_mul(length))?,
                align: 1,
            })),
            false => Ok(None),
        };
    };
    if stride < one.bytes || !stride.is_multiple_of(one.align) {
        return Err(at.wrong(format!(
            "expected an ArrayStride of {} bytes at least, a multiple of {}; found {stride}",
            one.bytes, one.align
        )));
    }
    let bytes = stride.saturating_mul(length - 1).saturating_add(one.bytes);
    Ok(Some(Room {
        bytes: bounded(at, bytes)?,
        align: one.align,
    }))
}

fn innermost_is_matrix(cx: &Context<'_>, mut of: Word) -> bool {
    while let Some(Type::Array { of: inner, .. }) = cx.types.get(of) {
        of = inner;
    }
    matches!(cx.types.get(of), Some(Type::Matrix { .. }))
}

fn structure(
    cx: &Context<'_>,
    at: At<'_>,
    id: Word,
    members: &[Word],
    rooms: &HashMap<Word, Room>,
) -> Result<Option<Room>, Error> {
    let mut spans = Vec::with_capacity(members.len());
    let mut align = 1;
    for (member, of) in (0..).zip(members) {
        let offset = cx.decorations.member_number(id, member, Decoration::Offset);
        let (Some(offset), room) = (offset, member_room(cx, at, (id, member), *of, rooms)?) else {
            return Ok(None);
        };
        let Some(room) = room else { return Ok(None) };
        let offset = u64::from(offset);
        if !offset.is_multiple_of(room.align) {
            return Err(at.wrong(format!(
                "expected member {member} at a multiple of {} bytes, found Offset {offset}",
                room.align
            )));
        }
        align = align.max(room.align);
        let end = bounded(at, offset.saturating_add(room.bytes))?;
        spans.push((offset, end, member));
    }
    spans.sort_unstable();
    for pair in spans.windows(2) {
        let [(_, end, one), (start, _, other)] = pair else {
            continue;
        };
        if start < end {
            return Err(at.wrong(format!(
                "expected members apart from one another, found member {other} at {start}, before the end of member {one} at {end}"
            )));
        }
    }
    // A runtime array goes on past its one element counted here.
    let unsized_at = members.len().checked_sub(1).filter(|last| {
        let last = members.get(*last).and_then(|of| cx.types.extent(*of));
        last.is_some_and(|extent| extent.unsized_end)
    });
    if let (Some(number), Some((_, _, last))) = (unsized_at, spans.last())
        && *last as usize != number
    {
        return Err(at.wrong("expected the runtime array behind all other members"));
    }
    let bytes = spans.last().map_or(0, |(_, end, _)| *end);
    Ok(Some(Room { bytes, align }))
}

fn member_room(
    cx: &Context<'_>,
    at: At<'_>,
    (id, member): (Word, u32),
    of: Word,
    rooms: &HashMap<Word, Room>,
) -> Result<Option<Room>, Error> {
    if !innermost_is_matrix(cx, of) {
        return Ok(rooms.get(&of).copied());
    }
    let stride = cx
        .decorations
        .member_number(id, member, Decoration::MatrixStride);
    let row = cx.decorations.has_member(id, member, Decoration::RowMajor);
    let column = cx.decorations.has_member(id, member, Decoration::ColMajor);
    let mut length = 1_u64;
    let mut outer_stride = None;
    let mut inner = of;
    while let Some(Type::Array { of, length: count }) = cx.types.get(inner) {
        length = length.saturating_mul(count);
        outer_stride = cx.decorations.number(inner, Decoration::ArrayStride);
        inner = of;
    }
    let Some(Type::Matrix { column: of, count }) = cx.types.get(inner) else {
        return Ok(None);
    };
    let (Some(stride), Some(shape)) = (stride, cx.types.shape(of)) else {
        return Ok(None);
    };
    let one = match shape.scalar {
        Scalar::Float(width) => u64::from(width / 8),
        _ => return Ok(None),
    };
    let (vectors, components) = match (row, column) {
        (true, false) => (shape.count, count),
        (false, true) => (count, shape.count),
        _ => {
            return Err(at.wrong(format!(
                "expected member {member} to be RowMajor or ColMajor, found RowMajor {row}, ColMajor {column}"
            )));
        }
    };
    let stride = u64::from(stride);
    if stride < one * u64::from(components) || !stride.is_multiple_of(one) {
        return Err(at.wrong(format!(
            "expected a MatrixStride of {} bytes at least for member {member}, found {stride}",
            one * u64::from(components)
        )));
    }
    let matrix = stride * u64::from(vectors);
    let each = match outer_stride {
        Some(stride) if u64::from(stride) < matrix => {
            return Err(at.wrong(format!(
                "expected an ArrayStride of {matrix} bytes at least for member {member}, found {stride}"
            )));
        }
        Some(stride) => u64::from(stride),
        None => matrix,
    };
    Ok(Some(Room {
        bytes: bounded(at, each.saturating_mul(length))?,
        align: one,
    }))
}

fn bounded(at: At<'_>, bytes: u64) -> Result<u64, Error> {
    match bytes > MAX_BYTES {
        true => Err(at.wrong(format!(
            "expected {MAX_BYTES} bytes at most in a block, found {bytes}"
        ))),
        false => Ok(bytes),
    }
}

/// Checks that a variable which the host shares has a block, laid out.
fn check_variable(
    cx: &Context<'_>,
    i: &Instruction,
    rooms: &HashMap<Word, Room>,
) -> Result<(), Error> {
    let at = At { i };
    let (class, to) = cx.pointer(i.result_id.unwrap_or_default())?;
    let kind = match class {
        StorageClass::StorageBuffer | StorageClass::PushConstant => Decoration::Block,
        StorageClass::Uniform => match cx.decorations.has(to, Decoration::BufferBlock) {
            true => Decoration::BufferBlock,
            false => Decoration::Block,
        },
        _ => return Ok(()),
    };
    let plain = cx.types.extent(to).is_some_and(|extent| extent.plain);
    if !cx.decorations.has(to, kind) || !plain || !rooms.contains_key(&to) {
        return Err(at.wrong(format!(
            "expected a {kind:?} of numbers, each member with an Offset and each array with an ArrayStride, found %{to}"
        )));
    }
    Ok(())
}
