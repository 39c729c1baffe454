//! Types of a module, each measured where it is declared.
//!
//! A type names only types before it, so nothing here recurses, and each takes time
//! in its own words, however often it is used.

use std::collections::HashMap;

use rspirv::spirv::{Decoration, Op};

use super::constants::Constants;
use super::decorations::Decorations;
use super::words::Instruction;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'w> {
    Scalar(Scalar),
    Vector { of: u32, count: u32 },
    Matrix { column: u32, count: u32 },
    Array { of: u32 },
    Struct { members: &'w [u32] },
    Pointer { class: u32, to: u32 },
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Type<'w> {
    pub(super) kind: Kind<'w>,
    /// Bytes without padding, at least: a bool counts as 4, an array whose length is
    /// not known as none.
    pub(super) packed: u64,
    /// Bytes as the decorations lay it out; `None` where they do not, or an array's
    /// length is not known.
    pub(super) extent: Option<u64>,
    /// The alignment that it has without `scalarBlockLayout` ("base alignment").
    align: u64,
    /// Whether its own layout is one that only `scalarBlockLayout` allows.
    pub(super) scalar_layout: bool,
    /// The type of what lies at its first byte, down to a scalar.
    pub(super) first: Option<Scalar>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int(u32),
    Float(u32),
}

#[derive(Default)]
pub(super) struct Types<'w> {
    known: HashMap<u32, Type<'w>>,
}

impl<'w> Types<'w> {
    pub(super) fn get(&self, id: u32) -> Option<&Type<'w>> {
        self.known.get(&id)
    }

    /// What the pointer type `id` points to: the storage class and the type's id.
    pub(super) fn pointee(&self, id: u32) -> Option<(u32, u32)> {
        match self.get(id)?.kind {
            Kind::Pointer { class, to } => Some((class, to)),
            _ => None,
        }
    }

    /// What `id` is an array of, or an array of arrays of; `id` itself where it is none.
    pub(super) fn without_arrays(&self, mut id: u32) -> u32 {
        // A type names only types before it, so this ends; damaged ones may not.
        for _ in 0..64 {
            match self.get(id).map(|known| known.kind) {
                Some(Kind::Array { of }) => id = of,
                _ => break,
            }
        }
        id
    }

    /// The scalar that `id` is, or is a vector of.
    pub(super) fn component(&self, id: u32) -> Option<Scalar> {
        let known = self.get(id)?;
        match known.kind {
            Kind::Scalar(_) | Kind::Vector { .. } => known.first,
            _ => None,
        }
    }

    pub(super) fn scalar(&self, id: u32) -> Option<Scalar> {
        match self.get(id)?.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Takes note of `i`, where it declares a type.
    pub(super) fn read(
        &mut self,
        i: &Instruction<'w>,
        decorations: &Decorations,
        constants: &Constants,
    ) {
        let (id, a, b) = (i.word(0), i.word(1), i.word(2));
        let stride = || decorations.of(id).value(Decoration::ArrayStride);
        let made = match i.op {
            Some(Op::TypeBool) => Type {
                extent: None,
                ..Type::scalar(Scalar::Bool, 32)
            },
            Some(Op::TypeInt) => Type::scalar(Scalar::Int(a), a),
            Some(Op::TypeFloat) => Type::scalar(Scalar::Float(a), a),
            Some(Op::TypeVector) => self.vector(a, b),
            Some(Op::TypeMatrix) => self.matrix(a, b),
            Some(Op::TypeArray) => self.array(a, constants.scalar(b), stride()),
            Some(Op::TypeRuntimeArray) => self.array(a, Some(0), stride()),
            Some(Op::TypeStruct) => {
                let members = i.operands.get(1..).unwrap_or_default();
                self.structure(id, members, decorations)
            }
            Some(Op::TypePointer) => Type::other(Kind::Pointer { class: a, to: b }),
            _ => return,
        };
        self.known.insert(id, made);
    }

    fn vector(&self, of: u32, count: u32) -> Type<'w> {
        let Some(part) = self.get(of) else {
            return Type::other(Kind::Other);
        };
        let times = u64::from(count);
        Type {
            kind: Kind::Vector { of, count },
            packed: part.packed.saturating_mul(times),
            extent: part.extent.map(|bytes| bytes.saturating_mul(times)),
            align: part.align.saturating_mul(times.next_power_of_two()),
            ..*part
        }
    }

    /// Laid out by the struct that it is a member of.
    fn matrix(&self, column: u32, count: u32) -> Type<'w> {
        let Some(part) = self.get(column) else {
            return Type::other(Kind::Other);
        };
        Type {
            kind: Kind::Matrix { column, count },
            packed: part.packed.saturating_mul(u64::from(count)),
            extent: None,
            ..*part
        }
    }

    fn array(&self, of: u32, length: Option<u64>, stride: Option<u32>) -> Type<'w> {
        let Some(part) = self.get(of) else {
            return Type::other(Kind::Other);
        };
        let stride = stride.map(u64::from);
        let lies_wrong = stride.is_some_and(|stride| !stride.is_multiple_of(part.align));
        Type {
            kind: Kind::Array { of },
            packed: part.packed.saturating_mul(length.unwrap_or(0)),
            extent: stride
                .zip(length)
                .map(|(stride, length)| stride.saturating_mul(length)),
            scalar_layout: part.scalar_layout || lies_wrong,
            ..*part
        }
    }

    fn structure(&self, id: u32, members: &'w [u32], decorations: &Decorations) -> Type<'w> {
        let mut whole = Type {
            extent: Some(0),
            ..Type::other(Kind::Struct { members })
        };
        // Offset, end and alignment of each member; whether it is an aggregate.
        let mut places = Vec::new();
        for (number, of) in (0..).zip(members) {
            let Some(part) = self.get(*of) else {
                whole.extent = None;
                continue;
            };
            let facts = decorations.of_member(id, number);
            let (extent, align) = match self.innermost_matrix(*of) {
                Some(matrix) => {
                    let stride = facts.value(Decoration::MatrixStride);
                    let row_major = facts.has(Decoration::RowMajor);
                    let (bytes, align) = self.laid_out(matrix, stride, row_major);
                    let stride = stride.map_or(0, u64::from);
                    whole.scalar_layout |= !stride.is_multiple_of(align);
                    let itself = matches!(part.kind, Kind::Matrix { .. });
                    (if itself { bytes } else { part.extent }, align)
                }
                None => (part.extent, part.align),
            };
            whole.packed = whole.packed.saturating_add(part.packed);
            whole.align = whole.align.max(align);
            whole.scalar_layout |= part.scalar_layout;
            let offset = facts.value(Decoration::Offset).map(u64::from);
            let (Some(offset), Some(bytes)) = (offset, extent) else {
                whole.extent = None;
                continue;
            };
            let end = offset.saturating_add(bytes);
            whole.extent = whole.extent.map(|bytes| bytes.max(end));
            if offset == 0 && whole.first.is_none() {
                whole.first = part.first;
            }
            let vector = matches!(part.kind, Kind::Vector { .. });
            let scalar = vector || matches!(part.kind, Kind::Scalar(_));
            whole.scalar_layout |= match vector {
                true if bytes <= 16 => offset / 16 != end.saturating_sub(1) / 16,
                true => !offset.is_multiple_of(16),
                false => !offset.is_multiple_of(align),
            };
            places.push((offset, end, align, !scalar));
        }
        places.sort_unstable();
        whole.scalar_layout |= places.windows(2).any(|pair| {
            let ((_, end, align, aggregate), (next, ..)) = (pair[0], pair[1]);
            aggregate && next < end.checked_next_multiple_of(align).unwrap_or(u64::MAX)
        });
        whole
    }

    /// The matrix that `id` is, or is an array of.
    fn innermost_matrix(&self, id: u32) -> Option<u32> {
        let inner = self.without_arrays(id);
        matches!(self.get(inner)?.kind, Kind::Matrix { .. }).then_some(inner)
    }

    /// Bytes and alignment of a matrix that a member's decorations lay out.
    fn laid_out(&self, matrix: u32, stride: Option<u32>, row_major: bool) -> (Option<u64>, u64) {
        let shape = self.get(matrix).and_then(|known| match known.kind {
            Kind::Matrix { column, count } => Some((self.get(column)?, count)),
            _ => None,
        });
        let Some((
            Type {
                kind: Kind::Vector { of, count: rows },
                align,
                ..
            },
            columns,
        )) = shape
        else {
            return (None, 1);
        };
        let (lines, align) = match row_major {
            true => (*rows, self.vector(*of, columns).align),
            false => (columns, *align),
        };
        let bytes = stride.map(|stride| u64::from(stride).saturating_mul(u64::from(lines)));
        (bytes, align.max(1))
    }
}

impl<'w> Type<'w> {
    fn scalar(scalar: Scalar, width: u32) -> Self {
        let bytes = u64::from(width / 8);
        Self {
            packed: bytes,
            extent: Some(bytes),
            align: bytes.max(1),
            first: Some(scalar),
            ..Self::other(Kind::Scalar(scalar))
        }
    }

    fn other(kind: Kind<'w>) -> Self {
        Self {
            kind,
            packed: 0,
            extent: None,
            align: 1,
            scalar_layout: false,
            first: None,
        }
    }
}
