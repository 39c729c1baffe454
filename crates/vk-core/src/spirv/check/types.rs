//! Type declarations: each valid by itself and of bearable size.

use std::collections::{HashMap, HashSet};

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Op, StorageClass, Word};

use super::At;
use super::extent::{self, Extent};
use crate::Error;

/// A type, resolved by one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Type<'m> {
    Void,
    Bool,
    Int {
        width: u32,
        signed: bool,
    },
    Float {
        width: u32,
    },
    Vector {
        of: Word,
        count: u32,
    },
    Matrix {
        column: Word,
        count: u32,
    },
    Array {
        of: Word,
        length: u64,
    },
    RuntimeArray {
        of: Word,
    },
    Struct {
        members: &'m [Operand],
    },
    Pointer {
        class: StorageClass,
        to: Word,
    },
    Function {
        result: Word,
        parameters: &'m [Operand],
    },
}

/// A scalar's kind with its width, or the component of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int(u32),
    Float(u32),
}

/// A scalar (`count` 1) or a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) scalar: Scalar,
    pub(super) count: u32,
    pub(super) signed: bool,
}

/// The types of a module by id, filled in the order of their declarations.
#[derive(Default)]
pub(super) struct Types<'m> {
    known: HashMap<Word, (Type<'m>, Extent)>,
    /// What was declared that must not be declared twice.
    unique: HashSet<(Op, &'m [Operand])>,
    /// For each type the first one that differs from it in decorations only.
    logical: HashMap<Word, Word>,
    /// The first type of each kind of array (length, then element) and struct
    /// (members), its parts by what `logical` has for them.
    first: HashMap<(Option<u64>, Vec<Word>), Word>,
}

impl<'m> Types<'m> {
    pub(super) fn get(&self, id: Word) -> Option<Type<'m>> {
        self.known.get(&id).map(|(kind, _)| *kind)
    }

    pub(super) fn extent(&self, id: Word) -> Option<Extent> {
        self.known.get(&id).map(|(_, extent)| *extent)
    }

    /// A type that stands for all that differ from `id` in decorations only.
    pub(super) fn logical(&self, id: Word) -> Word {
        self.logical.get(&id).copied().unwrap_or(id)
    }

    /// The shape of a scalar or vector type.
    pub(super) fn shape(&self, id: Word) -> Option<Shape> {
        let (scalar, signed) = match self.get(id)? {
            Type::Bool => (Scalar::Bool, false),
            Type::Int { width, signed } => (Scalar::Int(width), signed),
            Type::Float { width } => (Scalar::Float(width), false),
            Type::Vector { of, count } => {
                let one = self.shape(of)?;
                return (one.count == 1).then_some(Shape { count, ..one });
            }
            _ => return None,
        };
        Some(Shape {
            scalar,
            count: 1,
            signed,
        })
    }

    /// Adds the type that `at` declares; `length` gives an array's length.
    pub(super) fn declare(
        &mut self,
        at: At<'m>,
        length: impl Fn(Word) -> Option<u64>,
    ) -> Result<(), Error> {
        let kind = self.read(at, length)?;
        let aggregate = matches!(kind, Type::Array { .. } | Type::RuntimeArray { .. })
            || matches!(kind, Type::Struct { .. });
        let op = at.i.class.opcode;
        if !aggregate && !self.unique.insert((op, &at.i.operands)) {
            return Err(at.wrong("expected one declaration of this type, found a second"));
        }
        let extent = extent::measure(at, kind, |id| self.extent(id))?;
        if let Some(id) = at.i.result_id {
            self.known.insert(id, (kind, extent));
            self.add_logical(id, kind);
        }
        Ok(())
    }

    fn add_logical(&mut self, id: Word, kind: Type<'m>) {
        let key = match kind {
            Type::Array { of, length } => (Some(length), vec![self.logical(of)]),
            Type::Struct { members: list } => {
                (None, members(list).map(|id| self.logical(id)).collect())
            }
            _ => return,
        };
        let first = *self.first.entry(key).or_insert(id);
        self.logical.insert(id, first);
    }

    fn read(&self, at: At<'m>, length: impl Fn(Word) -> Option<u64>) -> Result<Type<'m>, Error> {
        Ok(match at.i.class.opcode {
            Op::TypeVoid => Type::Void,
            Op::TypeBool => Type::Bool,
            Op::TypeInt => match (at.literal(0)?, at.literal(1)?) {
                (width @ (8 | 16 | 32 | 64), signed @ (0 | 1)) => Type::Int {
                    width,
                    signed: signed == 1,
                },
                found => {
                    let wanted = "expected a width of 8, 16, 32 or 64 and a signedness of 0 or 1";
                    return Err(at.wrong(format!("{wanted}, found {found:?}")));
                }
            },
            Op::TypeFloat => match (at.literal(0)?, at.i.operands.len()) {
                (width @ (16 | 32 | 64), 1) => Type::Float { width },
                (width, _) => {
                    let wanted = "expected an IEEE float of 16, 32 or 64 bits";
                    return Err(at.wrong(format!("{wanted}, found {width} bits")));
                }
            },
            Op::TypeVector | Op::TypeMatrix => return self.read_vector(at),
            Op::TypeArray => {
                let of = self.element(at)?;
                match length(at.id(1)?) {
                    Some(length @ 1..) => Type::Array { of, length },
                    found => {
                        let wanted = "expected a constant integer above 0 as its length";
                        return Err(at.wrong(format!("{wanted}, found {found:?}")));
                    }
                }
            }
            Op::TypeRuntimeArray => Type::RuntimeArray {
                of: self.element(at)?,
            },
            Op::TypeStruct => {
                self.check_members(at)?;
                Type::Struct {
                    members: &at.i.operands,
                }
            }
            Op::TypePointer => self.read_pointer(at)?,
            Op::TypeFunction => self.read_function(at)?,
            other => return Err(at.wrong(format!("expected a type, found Op{other:?}"))),
        })
    }

    fn read_vector(&self, at: At<'m>) -> Result<Type<'m>, Error> {
        let (of, count) = (at.id(0)?, at.literal(1)?);
        let shape = self.shape(of);
        if !(2..=4).contains(&count) {
            return Err(at.wrong(format!("expected 2 to 4 components, found {count}")));
        }
        match (at.i.class.opcode, shape) {
            (Op::TypeVector, Some(Shape { count: 1, .. })) => Ok(Type::Vector { of, count }),
            (
                Op::TypeMatrix,
                Some(Shape {
                    scalar: Scalar::Float(_),
                    count: 2..,
                    ..
                }),
            ) => Ok(Type::Matrix { column: of, count }),
            _ => Err(at.wrong(format!(
                "expected components that are scalars (of a matrix: vectors of floats), found %{of}"
            ))),
        }
    }

    /// The element type of an array: not void, not a function, not unsized.
    fn element(&self, at: At<'m>) -> Result<Word, Error> {
        let of = at.id(0)?;
        match self.known.get(&of) {
            Some((Type::Void | Type::Function { .. } | Type::Pointer { .. }, _)) | None => {}
            Some((_, extent)) if extent.unsized_end => {}
            Some(_) => return Ok(of),
        }
        Err(at.wrong(format!(
            "expected elements of known size, found %{of}, which is none"
        )))
    }

    fn check_members(&self, at: At<'m>) -> Result<(), Error> {
        let last = at.i.operands.len().saturating_sub(1);
        for number in 0..at.i.operands.len() {
            let of = at.id(number)?;
            let good = match self.known.get(&of) {
                Some((Type::Void | Type::Function { .. } | Type::Pointer { .. }, _)) | None => {
                    false
                }
                Some((Type::RuntimeArray { .. }, _)) => number == last,
                Some((_, extent)) => !extent.unsized_end,
            };
            if !good {
                return Err(at.wrong(format!(
                    "expected members of known size, the last one perhaps a runtime array, found %{of} as member {number}"
                )));
            }
        }
        Ok(())
    }

    fn read_pointer(&self, at: At<'m>) -> Result<Type<'m>, Error> {
        let (class, to) = match at.i.operands.as_slice() {
            [Operand::StorageClass(class), Operand::IdRef(to)] => (*class, *to),
            _ => return Err(at.wrong("expected a storage class and a type")),
        };
        let known = matches!(
            class,
            StorageClass::Input
                | StorageClass::Uniform
                | StorageClass::StorageBuffer
                | StorageClass::PushConstant
                | StorageClass::Workgroup
                | StorageClass::Private
                | StorageClass::Function
        );
        if !known {
            return Err(at.wrong(format!(
                "expected a storage class of compute kernels with storage buffers and push constants, found {class:?}"
            )));
        }
        match self.get(to) {
            Some(Type::Void | Type::Function { .. } | Type::Pointer { .. }) | None => {
                Err(at.wrong(format!("expected a pointer to a value, found one to %{to}")))
            }
            Some(_) => Ok(Type::Pointer { class, to }),
        }
    }

    fn read_function(&self, at: At<'m>) -> Result<Type<'m>, Error> {
        for number in 0..at.i.operands.len() {
            let id = at.id(number)?;
            let good = match self.known.get(&id) {
                Some((Type::Function { .. }, _)) | None => false,
                Some((Type::Void, _)) => number == 0,
                Some((_, extent)) => extent.is_of_a_value(),
            };
            if !good {
                return Err(at.wrong(format!(
                    "expected types that a function can take and return, found %{id}"
                )));
            }
        }
        match at.i.operands.as_slice() {
            [Operand::IdRef(result), parameters @ ..] => Ok(Type::Function {
                result: *result,
                parameters,
            }),
            _ => Err(at.wrong("expected a return type")),
        }
    }
}

/// The member types of a struct, by id.
pub(super) fn members(operands: &[Operand]) -> impl Iterator<Item = Word> + '_ {
    operands.iter().filter_map(|operand| match operand {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    })
}

/// How a message names an instruction.
pub(super) fn name(instruction: &Instruction) -> String {
    let op = instruction.class.opcode;
    match instruction.result_id {
        Some(id) => format!("Op{op:?} %{id}"),
        None => format!("Op{op:?}"),
    }
}
