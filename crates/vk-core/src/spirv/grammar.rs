//! Which words of an instruction are ids, by the grammar of SPIR-V.

use std::sync::LazyLock;

use rspirv::grammar::{INSTRUCTION_TABLE, LogicalOperand, OperandKind, OperandQuantifier};
use rspirv::spirv::Op;

use super::words::Instruction;

/// The operands of each opcode, found by its number.
static OPERANDS: LazyLock<Vec<&'static [LogicalOperand]>> = LazyLock::new(|| {
    let mut all: Vec<&[LogicalOperand]> = Vec::new();
    for row in INSTRUCTION_TABLE.iter() {
        let number = row.opcode as usize;
        if all.len() <= number {
            all.resize(number + 1, &[]);
        }
        all[number] = row.operands;
    }
    all
});

fn operands(op: Op) -> &'static [LogicalOperand] {
    OPERANDS.get(op as usize).copied().unwrap_or_default()
}

/// The ids of the type and of the value, where `i` makes a value.
pub(super) fn value(i: &Instruction<'_>) -> Option<[u32; 2]> {
    let [first, second, ..] = operands(i.op?) else {
        return None;
    };
    let kinds = (first.kind, second.kind);
    let makes = kinds == (OperandKind::IdResultType, OperandKind::IdResult);
    makes.then(|| [i.word(0), i.word(1)])
}

/// Calls `found` with each id that `i` names, its own and that of its type apart.
///
/// Where the grammar is not clear about a word, it counts as one.
pub(super) fn each_id(i: &Instruction<'_>, mut found: impl FnMut(u32)) {
    let mut rest = i.operands;
    for operand in i.op.map(operands).unwrap_or_default() {
        let one = operand.quantifier != OperandQuantifier::ZeroOrMore;
        let Some((word, behind)) = rest.split_first() else {
            return;
        };
        match operand.kind {
            OperandKind::IdRef | OperandKind::IdScope | OperandKind::IdMemorySemantics if one => {
                found(*word);
            }
            OperandKind::IdResultType
            | OperandKind::IdResult
            | OperandKind::LiteralExtInstInteger
            | OperandKind::StorageClass
            | OperandKind::GroupOperation
            | OperandKind::FunctionControl
            | OperandKind::PackedVectorFormat => {}
            OperandKind::LiteralInteger if one => {}
            // The ids behind these are constants, and labels.
            OperandKind::LiteralInteger
            | OperandKind::LiteralString
            | OperandKind::MemoryAccess
            | OperandKind::SelectionControl
            | OperandKind::LoopControl
            | OperandKind::PairLiteralIntegerIdRef => return,
            _ => break,
        }
        rest = behind;
    }
    rest.iter().copied().for_each(found);
}
