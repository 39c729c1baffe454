//! Blocks: what stands where in them, and where they lead.

use std::collections::{HashMap, HashSet};

use rspirv::dr::{Block, Function, Instruction, Operand};
use rspirv::spirv::{Op, Word};

use super::flow::Flow;
use super::ids::Place;
use super::types::Type;
use super::{At, Context, opcodes};
use crate::Error;

/// The blocks of a function and how they follow one another.
pub(super) struct Blocks<'m> {
    pub(super) blocks: &'m [Block],
    numbers: HashMap<Word, usize>,
    pub(super) flow: Flow,
}

impl<'m> Blocks<'m> {
    pub(super) fn new(function: &'m Function) -> Result<Self, Error> {
        let blocks = &function.blocks[..];
        let labels = blocks.iter().map(label).enumerate();
        let numbers: HashMap<Word, usize> = labels.map(|(number, id)| (id, number)).collect();
        let mut successors = Vec::with_capacity(blocks.len());
        for block in blocks {
            successors.push(targets(&numbers, block)?);
        }
        Ok(Self {
            blocks,
            numbers,
            flow: Flow::new(successors),
        })
    }

    /// The number of the block with this label.
    pub(super) fn number(&self, id: Word) -> Option<usize> {
        self.numbers.get(&id).copied()
    }

    /// Whether what is defined at `found` is known at `user`.
    ///
    /// In blocks that nothing leads to only the order counts.
    pub(super) fn reaches(&self, found: Place, user: Place) -> bool {
        if found.function != 0 && found.function != user.function || found >= user {
            return false;
        }
        if found.function == 0 || found.block == 0 || found.block == user.block {
            return true;
        }
        let (a, b) = (block_number(found), block_number(user));
        !self.flow.is_reachable(b) || self.flow.dominates(a, b)
    }

    /// Checks a choice by where the invocation came from.
    pub(super) fn check_phi(
        &self,
        cx: &Context<'_>,
        at: At<'_>,
        place: Place,
    ) -> Result<(), Error> {
        let result = at.result_type()?;
        match at.result(cx)? {
            Type::Void | Type::Function { .. } => {
                return Err(at.wrong("expected a value, found a result type without any"));
            }
            Type::Pointer { class, .. } => super::memory::variable_pointer(cx, at, class)?,
            _ => {}
        }
        let before = self.flow.predecessors.get(block_number(place));
        let before: HashSet<usize> = before.into_iter().flatten().copied().collect();
        let mut seen = HashSet::new();
        for pair in (0..at.i.operands.len()).step_by(2) {
            at.expect_type(cx, pair, result)?;
            let (value, from) = (at.id(pair)?, at.id(pair + 1)?);
            let from = self.number(from).filter(|from| before.contains(from));
            let Some(from) = from.filter(|from| seen.insert(*from)) else {
                return Err(at.wrong(format!(
                    "expected the blocks that lead here, each once, found %{}",
                    at.id(pair + 1)?
                )));
            };
            let found = cx.ids.get(value)?.place;
            let here = found.function == 0 || found.function == place.function;
            let defined = found.function == 0
                || found.block == 0
                || !self.flow.is_reachable(from)
                || self.flow.dominates(block_number(found), from);
            if !here || !defined {
                return Err(at.wrong(format!(
                    "expected %{value} to be defined on the way from the block it is named with"
                )));
            }
        }
        match seen.len() == before.len() {
            true => Ok(()),
            false => Err(at.wrong(format!(
                "expected a value for each of the {} blocks that lead here, found {}",
                before.len(),
                seen.len()
            ))),
        }
    }
}

fn block_number(place: Place) -> usize {
    (place.block as usize).saturating_sub(1)
}

pub(super) fn label(block: &Block) -> Word {
    let label = block.label.as_ref();
    label.and_then(|i| i.result_id).unwrap_or_default()
}

/// The instruction that leaves `block`.
pub(super) fn terminator(block: &Block) -> Result<&Instruction, Error> {
    let last = block.instructions.last();
    last.filter(|i| opcodes::is_terminator(i.class.opcode))
        .ok_or_else(|| {
            let id = label(block);
            Error::spirv(format!("expected block %{id} to end in a terminator"))
        })
}

/// The instruction that says where the ways out of `block` meet again.
pub(super) fn merge(block: &Block) -> Option<&Instruction> {
    let before_last = block.instructions.iter().rev().nth(1)?;
    matches!(before_last.class.opcode, Op::SelectionMerge | Op::LoopMerge).then_some(before_last)
}

fn targets(numbers: &HashMap<Word, usize>, block: &Block) -> Result<Vec<usize>, Error> {
    let i = terminator(block)?;
    let at = At { i };
    let first = match i.class.opcode {
        Op::Branch => 0,
        Op::BranchConditional | Op::Switch => 1,
        _ => return Ok(Vec::new()),
    };
    let ids = i.operands.iter().skip(first).filter_map(|o| match o {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    });
    let mut found = Vec::new();
    for id in ids {
        match numbers.get(&id) {
            Some(0) => return Err(at.wrong("expected no way back to a function's first block")),
            Some(number) => found.push(*number),
            None => {
                return Err(at.wrong(format!("expected a label of this function, found %{id}")));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Checks that an instruction stands where its kind may stand in a block.
pub(super) fn check_position(function: &Function, at: At<'_>, place: Place) -> Result<(), Error> {
    let block = function.blocks.get(block_number(place));
    let instructions = block.map_or(&[][..], |block| &block.instructions[..]);
    let number = place.position as usize;
    let before = number.checked_sub(2).and_then(|at| instructions.get(at));
    let behind =
        |allowed: &[Op]| before.is_none_or(|before| allowed.contains(&before.class.opcode));
    let good = match at.i.class.opcode {
        Op::Phi => behind(&[Op::Phi]),
        Op::Variable => place.block == 1 && behind(&[Op::Variable]),
        Op::SelectionMerge => {
            let next = instructions.get(number).map(|next| next.class.opcode);
            matches!(next, Some(Op::BranchConditional | Op::Switch))
        }
        Op::LoopMerge => {
            let next = instructions.get(number).map(|next| next.class.opcode);
            matches!(next, Some(Op::BranchConditional | Op::Branch))
        }
        Op::Label => number == 0,
        op if opcodes::is_terminator(op) => number == instructions.len(),
        _ => true,
    };
    match good {
        true => Ok(()),
        false => Err(at.wrong(
            "expected phis and variables first in a block, merges just before the branch, one terminator last",
        )),
    }
}
