//! Sizes of types that no decoration lays out, as in shared memory.

use std::collections::HashMap;

use rspirv::dr::{Module, Operand};
use rspirv::spirv::{Op, Word};

use super::module::Index;

/// The bytes of each type whose size the module tells, without padding; no
/// more than `u32::MAX`.
///
/// A type is declared before the types made of it, so one pass in order does,
/// whatever they nest like.
pub(super) fn natural(module: &Module, index: &Index<'_>) -> HashMap<Word, u32> {
    let mut sizes: HashMap<Word, u32> = HashMap::new();
    for kind in &module.types_global_values {
        let size_of = |id: &Word| sizes.get(id).copied();
        let bytes = match (kind.class.opcode, kind.operands.as_slice()) {
            (Op::TypeInt | Op::TypeFloat, [Operand::LiteralBit32(width), ..]) => Some(width / 8),
            (
                Op::TypeVector | Op::TypeMatrix,
                [Operand::IdRef(of), Operand::LiteralBit32(count)],
            ) => size_of(of).map(|one| one.saturating_mul(*count)),
            (Op::TypeArray, [Operand::IdRef(of), Operand::IdRef(count)]) => size_of(of)
                .zip(index.constant(*count).ok())
                .map(|(one, count)| one.saturating_mul(count)),
            // A member of unknown size takes nothing away from the others.
            (Op::TypeStruct, members) => Some(members.iter().fold(0_u32, |sum, member| {
                let member = match member {
                    Operand::IdRef(id) => size_of(id),
                    _ => None,
                };
                sum.saturating_add(member.unwrap_or(0))
            })),
            _ => None,
        };
        if let (Some(id), Some(bytes)) = (kind.result_id, bytes) {
            sizes.insert(id, bytes);
        }
    }
    sizes
}
