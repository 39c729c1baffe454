//! How much a type holds, with all that is inside of it, and how much of it
//! drivers bear.

use rspirv::spirv::Word;

use super::types::{Type, members};
use super::{At, Context};
use crate::Error;

/// The most levels of types within types.
const MAX_DEPTH: u32 = 64;
/// The most scalars of a type, an array counting as one element: a driver
/// takes structs apart, and structs that name one another several times,
/// level upon level, would be exponential work.
const MAX_PARTS: u64 = 1 << 14;
/// The most scalars of a value, every element of an array counted: a driver
/// takes values apart, down to one register and one instruction for each.
const MAX_VALUE_SCALARS: u64 = 1 << 14;
/// The most bytes of a type whose size is known, 1 GiB.
const MAX_BYTES: u64 = 1 << 30;

/// What holds for a type with all that is inside of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Bytes without padding; a bool counts as 4.
    pub(super) bytes: u64,
    /// Scalars, an array counting as one element.
    parts: u64,
    /// Scalars, with every element of an array.
    pub(super) scalars: u64,
    depth: u32,
    /// Whether it is or ends in a runtime array.
    pub(super) unsized_end: bool,
    /// Whether memory that the host sees can hold it.
    pub(super) plain: bool,
}

impl Extent {
    /// Whether values can be of such a type.
    pub(super) fn is_of_a_value(&self) -> bool {
        !self.unsized_end && self.scalars <= MAX_VALUE_SCALARS
    }

    fn scalar(bytes: u64, plain: bool) -> Self {
        Self {
            bytes,
            parts: 1,
            scalars: 1,
            depth: 0,
            unsized_end: false,
            plain,
        }
    }

    fn several(self, count: u64, parts: u64) -> Self {
        Self {
            bytes: self.bytes.saturating_mul(count),
            parts: self.parts.saturating_mul(parts),
            scalars: self.scalars.saturating_mul(count),
            depth: self.depth + 1,
            ..self
        }
    }

    fn add(&mut self, member: Self) {
        self.bytes = self.bytes.saturating_add(member.bytes);
        self.parts = self.parts.saturating_add(member.parts);
        self.scalars = self.scalars.saturating_add(member.scalars);
        self.depth = self.depth.max(member.depth + 1);
        self.unsized_end |= member.unsized_end;
        self.plain &= member.plain;
    }
}

/// Measures the type that `at` declares; `inner` has those declared before.
pub(super) fn measure(
    at: At<'_>,
    kind: Type<'_>,
    inner: impl Fn(Word) -> Option<Extent>,
) -> Result<Extent, Error> {
    let of_inner = |id| inner(id).unwrap_or(Extent::scalar(0, false));
    let extent = match kind {
        Type::Void | Type::Function { .. } | Type::Pointer { .. } => Extent::scalar(0, false),
        Type::Bool => Extent::scalar(4, false),
        Type::Int { width, .. } | Type::Float { width } => {
            Extent::scalar(u64::from(width / 8), true)
        }
        Type::Vector { of, count } | Type::Matrix { column: of, count } => {
            of_inner(of).several(count.into(), count.into())
        }
        Type::Array { of, length } => of_inner(of).several(length, 1),
        Type::RuntimeArray { of } => Extent {
            unsized_end: true,
            ..of_inner(of).several(0, 1)
        },
        Type::Struct { members: list } => {
            let mut extent = Extent::scalar(0, true);
            members(list)
                .filter_map(inner)
                .for_each(|member| extent.add(member));
            extent
        }
    };
    if extent.bytes > MAX_BYTES || extent.parts > MAX_PARTS || extent.depth > MAX_DEPTH {
        return Err(at.wrong(format!(
            "expected a type of at most {MAX_BYTES} bytes, {MAX_PARTS} parts and {MAX_DEPTH} levels, found {extent:?}"
        )));
    }
    Ok(extent)
}

/// Checks that values can be of the type `id`.
pub(super) fn value(cx: &Context<'_>, at: At<'_>, id: Word) -> Result<(), Error> {
    match cx.types.extent(id) {
        Some(extent) if extent.is_of_a_value() => Ok(()),
        Some(extent) if !extent.unsized_end => Err(at.wrong(format!(
            "expected a value of at most {MAX_VALUE_SCALARS} scalars, found one of {} (type %{id})",
            extent.scalars
        ))),
        _ => Err(at.wrong(format!("expected a value of known size, found type %{id}"))),
    }
}
