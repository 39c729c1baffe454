//! Decorations: known ones, each once, on what they are for.

use std::collections::HashMap;

use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{Decoration, Op, StorageClass, Word};

use super::types::Type;
use super::{At, Context, opcodes};
use crate::Error;

/// The decorations of a module by what they decorate.
pub(super) struct Decorations<'m> {
    on_ids: HashMap<(Word, Decoration), &'m Instruction>,
    on_members: HashMap<(Word, u32, Decoration), &'m Instruction>,
}

impl<'m> Decorations<'m> {
    /// Reads the decorations of `module`; a second one of a kind that has a
    /// value is refused: readers differ in which of two they go by.
    pub(super) fn read(module: &'m Module) -> Result<Self, Error> {
        let mut found = Self {
            on_ids: HashMap::new(),
            on_members: HashMap::new(),
        };
        for i in &module.annotations {
            let at = At { i };
            let before = match (i.class.opcode, i.operands.as_slice()) {
                (Op::Decorate, [Operand::IdRef(id), Operand::Decoration(kind), ..]) => {
                    found.on_ids.insert((*id, *kind), i)
                }
                (
                    Op::MemberDecorate,
                    [
                        Operand::IdRef(id),
                        Operand::LiteralBit32(member),
                        Operand::Decoration(kind),
                        ..,
                    ],
                ) => found.on_members.insert((*id, *member, *kind), i),
                _ => return Err(at.wrong("expected an id and a decoration")),
            };
            // Compilers repeat some that have no value, word for word.
            let has_value = !matches!(i.operands.last(), Some(Operand::Decoration(_)));
            if before.is_some() && has_value {
                return Err(at.wrong(format!(
                    "expected one decoration of each kind, found another: {:?}",
                    i.operands
                )));
            }
        }
        Ok(found)
    }

    /// Whether `id` carries `kind`.
    pub(super) fn has(&self, id: Word, kind: Decoration) -> bool {
        self.on_ids.contains_key(&(id, kind))
    }

    /// The number that decoration `kind` gives `id`.
    pub(super) fn number(&self, id: Word, kind: Decoration) -> Option<u32> {
        number(self.on_ids.get(&(id, kind))?)
    }

    pub(super) fn has_member(&self, id: Word, member: u32, kind: Decoration) -> bool {
        self.on_members.contains_key(&(id, member, kind))
    }

    /// The number that decoration `kind` gives a member.
    pub(super) fn member_number(&self, id: Word, member: u32, kind: Decoration) -> Option<u32> {
        number(self.on_members.get(&(id, member, kind))?)
    }

    /// The ids that carry `kind`, with the instruction that says so.
    pub(super) fn all(&self, kind: Decoration) -> impl Iterator<Item = (Word, &'m Instruction)> {
        let all = self.on_ids.iter();
        all.filter(move |((_, found), _)| *found == kind)
            .map(|((id, _), i)| (*id, *i))
    }

    /// Checks that each decoration is on what it is for.
    pub(super) fn check_targets(&self, cx: &Context<'m>) -> Result<(), Error> {
        for ((id, kind), i) in &self.on_ids {
            let at = At { i };
            let target = at.blame(cx.ids.get(*id))?.instruction;
            if !fits(cx, *kind, target) {
                return Err(at.wrong(format!(
                    "expected a decoration that kernels need, on what it is for; found {kind:?} on Op{:?} %{id}",
                    target.class.opcode
                )));
            }
        }
        for ((id, member, kind), i) in &self.on_members {
            let at = At { i };
            let members = match cx.types.get(*id) {
                Some(Type::Struct { members }) => members,
                _ => return Err(at.wrong(format!("expected a struct, found %{id}"))),
            };
            let of = match members.get(*member as usize) {
                Some(Operand::IdRef(of)) => *of,
                _ => {
                    return Err(at.wrong(format!(
                        "expected one of the {} members of %{id}, found member {member}",
                        members.len()
                    )));
                }
            };
            if !fits_member(cx, *kind, of) {
                return Err(at.wrong(format!(
                    "expected a decoration that members of buffers have, found {kind:?}"
                )));
            }
        }
        Ok(())
    }
}

fn number(i: &Instruction) -> Option<u32> {
    match i.operands.last() {
        Some(Operand::LiteralBit32(value)) => Some(*value),
        _ => None,
    }
}

fn fits(cx: &Context<'_>, kind: Decoration, target: &Instruction) -> bool {
    let op = target.class.opcode;
    let is_value = target.result_type.is_some();
    match kind {
        Decoration::RelaxedPrecision => is_value,
        Decoration::NoContraction => is_value && !opcodes::is_constant(op),
        Decoration::NoSignedWrap | Decoration::NoUnsignedWrap => matches!(
            op,
            Op::IAdd | Op::ISub | Op::IMul | Op::SNegate | Op::ShiftLeftLogical
        ),
        Decoration::SpecId => matches!(
            op,
            Op::SpecConstant | Op::SpecConstantTrue | Op::SpecConstantFalse
        ),
        Decoration::Block | Decoration::BufferBlock => op == Op::TypeStruct,
        Decoration::ArrayStride => {
            matches!(op, Op::TypeArray | Op::TypeRuntimeArray | Op::TypePointer)
        }
        // Where else it may stand, `builtins` says.
        Decoration::BuiltIn => op == Op::Variable || opcodes::is_constant(op),
        Decoration::DescriptorSet | Decoration::Binding => is_buffer(cx, target),
        // From 1.4 on also what an invocation has for itself.
        Decoration::NonWritable if cx.version >= (1, 4) => op == Op::Variable,
        Decoration::NonWritable | Decoration::NonReadable => is_buffer(cx, target),
        Decoration::Restrict
        | Decoration::Aliased
        | Decoration::Volatile
        | Decoration::Coherent => matches!(op, Op::Variable | Op::FunctionParameter),
        _ => false,
    }
}

/// Whether `variable` is one that a binding is given to.
fn is_buffer(cx: &Context<'_>, variable: &Instruction) -> bool {
    let class = variable.result_type.and_then(|id| cx.types.get(id));
    let bound = matches!(
        class,
        Some(Type::Pointer {
            class: StorageClass::StorageBuffer | StorageClass::Uniform,
            ..
        })
    );
    variable.class.opcode == Op::Variable && bound
}

fn fits_member(cx: &Context<'_>, kind: Decoration, of: Word) -> bool {
    match kind {
        Decoration::RelaxedPrecision
        | Decoration::Offset
        | Decoration::NonWritable
        | Decoration::NonReadable
        | Decoration::Restrict
        | Decoration::Volatile
        | Decoration::Coherent => true,
        Decoration::RowMajor | Decoration::ColMajor | Decoration::MatrixStride => {
            let mut of = of;
            // Types nest a bounded number of levels.
            while let Some(Type::Array { of: inner, .. } | Type::RuntimeArray { of: inner }) =
                cx.types.get(of)
            {
                of = inner;
            }
            matches!(cx.types.get(of), Some(Type::Matrix { .. }))
        }
        _ => false,
    }
}
