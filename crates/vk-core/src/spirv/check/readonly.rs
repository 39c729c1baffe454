//! Memory that a module promises not to write, and the pointers into it.

use std::collections::HashSet;

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Decoration, Op, Word};

use super::Context;
use super::types::{Type, members};

/// What is `NonWritable`, as a whole or in part, found in one walk over the
/// module: an id is defined before it is used.
///
/// A function's parameters and the pointers that it returns are not followed.
#[derive(Default)]
pub(super) struct ReadOnly {
    /// Pointers into such memory.
    pointers: HashSet<Word>,
    /// Types that have a member of it, at any level.
    types: HashSet<Word>,
}

impl ReadOnly {
    /// Reads a module whose declarations were checked.
    pub(super) fn new(cx: &Context<'_>) -> Self {
        let mut found = Self::default();
        for i in &cx.module.types_global_values {
            found.add_type(cx, i);
        }
        let functions = cx.module.functions.iter();
        let blocks = functions.flat_map(|function| &function.blocks);
        let local = blocks.flat_map(|block| &block.instructions);
        for i in cx.module.types_global_values.iter().chain(local) {
            if let Some(id) = i.result_id
                && found.leads_into(cx, i)
            {
                found.pointers.insert(id);
            }
        }
        found
    }

    /// Whether writing through `pointer`, to a value of type `to`, writes
    /// something that is not to be written.
    pub(super) fn holds(&self, pointer: Word, to: Word) -> bool {
        self.pointers.contains(&pointer) || self.types.contains(&to)
    }

    fn add_type(&mut self, cx: &Context<'_>, i: &Instruction) {
        let Some(id) = i.result_id else { return };
        let promised = match cx.types.get(id) {
            Some(Type::Array { of, .. } | Type::RuntimeArray { of }) => self.types.contains(&of),
            Some(Type::Struct { members: list }) => (0..).zip(members(list)).any(|(number, of)| {
                let own = cx
                    .decorations
                    .has_member(id, number, Decoration::NonWritable);
                own || self.types.contains(&of)
            }),
            _ => false,
        };
        if promised {
            self.types.insert(id);
        }
    }

    fn leads_into(&self, cx: &Context<'_>, i: &Instruction) -> bool {
        let known = |operand: &Operand| match operand {
            Operand::IdRef(id) => self.pointers.contains(id),
            _ => false,
        };
        match i.class.opcode {
            Op::Variable => {
                let id = i.result_id.unwrap_or_default();
                cx.decorations.has(id, Decoration::NonWritable)
            }
            Op::CopyObject | Op::Select | Op::Phi => i.operands.iter().any(known),
            Op::AccessChain | Op::InBoundsAccessChain => {
                i.operands.first().is_some_and(known) || passes_member(cx, i, 1)
            }
            Op::PtrAccessChain => i.operands.first().is_some_and(known) || passes_member(cx, i, 2),
            _ => false,
        }
    }
}

/// Whether the indices from operand `from` on choose a `NonWritable` member.
fn passes_member(cx: &Context<'_>, chain: &Instruction, from: usize) -> bool {
    let Some(Operand::IdRef(base)) = chain.operands.first() else {
        return false;
    };
    let Ok((_, mut of)) = cx.pointer(*base) else {
        return false;
    };
    for index in members(chain.operands.get(from..).unwrap_or_default()) {
        of = match cx.types.get(of) {
            Some(Type::Vector { of, .. } | Type::Matrix { column: of, .. }) => of,
            Some(Type::Array { of, .. } | Type::RuntimeArray { of }) => of,
            Some(Type::Struct { members: list }) => {
                let member = cx
                    .constants
                    .value(index)
                    .and_then(|m| u32::try_from(m).ok());
                let Some(member) = member else { return false };
                if cx
                    .decorations
                    .has_member(of, member, Decoration::NonWritable)
                {
                    return true;
                }
                match list.get(member as usize) {
                    Some(Operand::IdRef(of)) => *of,
                    _ => return false,
                }
            }
            _ => return false,
        };
    }
    false
}
