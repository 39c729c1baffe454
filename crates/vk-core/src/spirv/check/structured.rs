//! Structured control flow: selections and loops that nest.
//!
//! A header says where its ways meet again (its merge block), and a loop's
//! header also which block leads back to it. A driver rebuilds `if` and `while`
//! from that, and takes for granted that they nest.

use std::collections::HashSet;

use rspirv::spirv::{Op, Word};

use super::At;
use super::blocks::{Blocks, label, merge, terminator};
use super::flow::Flow;
use crate::Error;

/// The most selections and loops within one another ("Universal Limits").
const MAX_DEPTH: u32 = 1023;

/// A header's construct: the blocks that it dominates, up to its merge block.
#[derive(Clone, Copy)]
struct Construct {
    merge: usize,
    continues: Option<usize>,
    is_switch: bool,
    depth: u32,
    /// The header of the construct around it.
    around: Option<usize>,
    /// The header of the innermost loop that it lies in or is.
    in_loop: Option<usize>,
    /// As `in_loop`, of the innermost switch inside of that loop.
    in_switch: Option<usize>,
}

struct Constructs {
    /// The blocks as a header's merge block and continue target were next to
    /// it ("structural dominance"): what only an inner break leads to belongs
    /// to the construct that it ends.
    flow: Flow,
    /// By header.
    headers: Vec<Option<Construct>>,
    /// The header of the innermost construct around each block, itself
    /// included.
    innermost: Vec<Option<usize>>,
    /// Whether a block is where some construct merges or continues.
    ends: Vec<bool>,
}

/// Checks that selections and loops nest.
pub(super) fn check(blocks: &Blocks<'_>) -> Result<(), Error> {
    let headers = find(blocks)?;
    let constructs = nest(blocks, headers)?;
    let flow = &constructs.flow;
    let mut looped = HashSet::new();
    for from in flow.order.iter().copied() {
        for to in blocks.flow.successors[from].iter().copied() {
            match flow.dominates(to, from) {
                true => {
                    back_edge(blocks, &constructs, from, to)?;
                    if !looped.insert(to) {
                        return Err(wrong(blocks, to, "expected one way back to a loop"));
                    }
                }
                false if flow.leads_back(from, to) => {
                    let what =
                        "expected ways back to lead to a loop's header, found one that does not";
                    return Err(wrong(blocks, from, what));
                }
                false => {
                    enter(blocks, &constructs, from, to)?;
                    leave(blocks, &constructs, from, to)?;
                }
            }
        }
        selection(blocks, &constructs, from)?;
    }
    Ok(())
}

fn wrong(blocks: &Blocks<'_>, block: usize, what: &str) -> Error {
    let id = blocks.blocks.get(block).map_or(0, label);
    Error::spirv(format!("block %{id}: {what}"))
}

/// Reads the merge instructions of all blocks.
fn find(blocks: &Blocks<'_>) -> Result<Vec<Option<Construct>>, Error> {
    let count = blocks.blocks.len();
    let mut headers = vec![None; count];
    let mut merges = HashSet::new();
    for (number, block) in blocks.blocks.iter().enumerate() {
        let Some(i) = merge(block) else { continue };
        let at = At { i };
        let labelled = |id: Word| {
            blocks
                .number(id)
                .filter(|found| *found != number && *found != 0)
                .ok_or_else(|| at.wrong(format!("expected another block's label, found %{id}")))
        };
        let merge = labelled(at.id(0)?)?;
        let continues = match i.class.opcode {
            Op::LoopMerge => match blocks.number(at.id(1)?) {
                // A loop of one block leads back by itself.
                Some(own) if own == number => Some(own),
                _ => Some(labelled(at.id(1)?)?),
            },
            _ => None,
        };
        if continues == Some(merge) || !merges.insert(merge) {
            return Err(at.wrong("expected a merge block of its own, found a shared one"));
        }
        headers[number] = Some(Construct {
            merge,
            continues,
            is_switch: terminator(block)?.class.opcode == Op::Switch,
            depth: 0,
            around: None,
            in_loop: None,
            in_switch: None,
        });
    }
    Ok(headers)
}

/// Finds which construct each block lies in, from the entry down.
fn nest(blocks: &Blocks<'_>, headers: Vec<Option<Construct>>) -> Result<Constructs, Error> {
    let mut successors = blocks.flow.successors.clone();
    let mut merge_of = vec![None; headers.len()];
    for (number, header) in headers.iter().enumerate() {
        let Some(header) = header else { continue };
        merge_of[header.merge] = Some(number);
        successors[number].push(header.merge);
        successors[number].extend(header.continues);
    }
    let flow = Flow::new(successors);
    for (number, header) in headers.iter().enumerate() {
        let Some(header) = header else { continue };
        for target in [Some(header.merge), header.continues].into_iter().flatten() {
            if flow.is_reachable(number) && !flow.dominates(number, target) {
                let what = "expected it to be reached through its header only";
                return Err(wrong(blocks, target, what));
            }
        }
    }
    let mut ends = vec![false; headers.len()];
    for (number, header) in headers.iter().enumerate() {
        let Some(header) = header else { continue };
        if flow.is_reachable(number) {
            ends[header.merge] = true;
            header.continues.iter().for_each(|to| ends[*to] = true);
        }
    }
    let mut found = Constructs {
        flow,
        innermost: vec![None; headers.len()],
        headers,
        ends,
    };
    for block in found.flow.order.iter().copied() {
        let around = match merge_of[block] {
            Some(header) => found.headers[header].and_then(|header| header.around),
            None if block == 0 => None,
            None => found.innermost[found.flow.dominator(block)],
        };
        let outer = around.and_then(|header| found.headers[header]);
        found.innermost[block] = match &mut found.headers[block] {
            Some(own) => {
                own.around = around;
                own.depth = outer.map_or(0, |outer| outer.depth) + 1;
                (own.in_loop, own.in_switch) = match own.continues {
                    Some(_) => (Some(block), None),
                    None => (
                        outer.and_then(|outer| outer.in_loop),
                        match own.is_switch {
                            true => Some(block),
                            false => outer.and_then(|outer| outer.in_switch),
                        },
                    ),
                };
                if own.depth > MAX_DEPTH {
                    let what = "expected at most 1023 selections and loops within one another";
                    return Err(wrong(blocks, block, what));
                }
                Some(block)
            }
            None => around,
        };
    }
    Ok(found)
}

/// A way back leads to a loop's header, from the loop's continue construct.
fn back_edge(
    blocks: &Blocks<'_>,
    constructs: &Constructs,
    from: usize,
    to: usize,
) -> Result<(), Error> {
    let continues = constructs.headers[to].and_then(|header| header.continues);
    match continues {
        Some(target) if constructs.flow.dominates(target, from) => Ok(()),
        _ => Err(wrong(
            blocks,
            from,
            "expected a way back to lead from a loop's continue target to its header",
        )),
    }
}

/// The way into a construct leads through its header.
fn enter(
    blocks: &Blocks<'_>,
    constructs: &Constructs,
    from: usize,
    to: usize,
) -> Result<(), Error> {
    let into = match constructs.headers[to] {
        Some(own) => own.around,
        None => constructs.innermost[to],
    };
    let flow = &constructs.flow;
    match into.and_then(|header| Some((header, constructs.headers[header]?))) {
        Some((header, construct))
            if !flow.dominates(header, from) || flow.dominates(construct.merge, from) =>
        {
            let what = "expected the way into a selection or loop to lead through its header";
            Err(wrong(blocks, from, what))
        }
        _ => Ok(()),
    }
}

/// A way out of a construct leads to its merge block, out of the innermost
/// loop or switch, or to the continue target of the innermost loop.
fn leave(
    blocks: &Blocks<'_>,
    constructs: &Constructs,
    from: usize,
    to: usize,
) -> Result<(), Error> {
    let flow = &constructs.flow;
    let found = |header: usize| constructs.headers[header].map(|construct| (header, construct));
    let Some((own, construct)) = constructs.innermost[from].and_then(found) else {
        return Ok(());
    };
    let leads_to = |of: &Construct| to == of.merge || of.continues == Some(to);
    if !leads_to(&construct) && flow.dominates(own, to) && !flow.dominates(construct.merge, to) {
        return Ok(());
    }
    // Nothing leads out of more than one loop, or of more than one switch.
    let outer = match construct.continues {
        Some(_) => [None, None],
        None => [
            construct.in_switch.filter(|_| !construct.is_switch),
            construct.in_loop,
        ],
    };
    let ways = [Some(own)].into_iter().chain(outer).flatten();
    let left = ways.filter_map(found).find(|(_, of)| leads_to(of));
    let what = match left {
        Some((header, of)) if to == of.merge && ends_early(blocks, constructs, from, header) => {
            "expected a loop to be left from its body or from the block that leads back"
        }
        Some(_) => return Ok(()),
        None => "expected the way out of a selection or loop to lead to where it merges",
    };
    Err(wrong(blocks, from, what))
}

/// Whether `from` is between a loop's continue target and its way back.
fn ends_early(blocks: &Blocks<'_>, constructs: &Constructs, from: usize, header: usize) -> bool {
    let target = constructs.headers[header].and_then(|construct| construct.continues);
    let leads_back = blocks.flow.successors[from].contains(&header);
    target.is_some_and(|target| {
        target != header && !leads_back && constructs.flow.dominates(target, from)
    })
}

/// A choice between two ways needs a merge block, unless one leaves the
/// construct that it is in.
fn selection(blocks: &Blocks<'_>, constructs: &Constructs, from: usize) -> Result<(), Error> {
    let ways = &blocks.flow.successors[from];
    let op = terminator(&blocks.blocks[from])?.class.opcode;
    let has_merge = constructs.headers[from].is_some();
    if has_merge || !(op == Op::Switch || op == Op::BranchConditional && ways.len() > 1) {
        return Ok(());
    }
    // `leave` has found that what ends there, or begins again, is around `from`.
    let leaves = |to: &usize| constructs.ends[*to] || constructs.flow.dominates(*to, from);
    if op == Op::BranchConditional && ways.iter().any(leaves) {
        return Ok(());
    }
    Err(wrong(
        blocks,
        from,
        "expected OpSelectionMerge before a branch of several ways",
    ))
}
