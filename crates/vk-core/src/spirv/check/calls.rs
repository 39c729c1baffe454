//! Calls between functions: known ones, and never in a circle.

use std::collections::HashMap;

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Op, Word};

use super::Context;
use super::variables::{self, MAX_INVOCATION_BYTES};
use crate::Error;

/// The most instructions after every call is replaced by what it calls, each
/// counted once for every scalar that it handles. Drivers do that, so that
/// functions which call the next one several times, level upon level, are
/// exponential work.
const MAX_INLINED: u64 = 1 << 20;
/// The scalars from which on a value counts for more: twice for twice as many,
/// and so on. Drivers take quadratic time for what they take apart (llvmpipe
/// 0.7 s to load and store 4096 words as one value, 12 s for 16,384).
const LARGE: u64 = 1 << 10;

/// What a function costs with every call replaced by what it calls.
#[derive(Clone, Copy, Default)]
struct Cost {
    instructions: u64,
    /// Of its variables.
    bytes: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.instructions = self.instructions.saturating_add(other.instructions);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Checks the graph of calls; `numbers` has each function's number from 1, and
/// `global_bytes` is what an invocation has of variables outside of functions.
pub(super) fn check(
    cx: &Context<'_>,
    numbers: &HashMap<Word, u32>,
    global_bytes: u64,
) -> Result<(), Error> {
    let mut callees = Vec::new();
    let mut costs = Vec::new();
    for function in &cx.module.functions {
        let mut called = Vec::new();
        let mut cost = Cost::default();
        for i in function.blocks.iter().flat_map(|block| &block.instructions) {
            cost.add(Cost {
                instructions: scalars(cx, i).max(1),
                bytes: variables::bytes_of_invocation(cx, i),
            });
            if let (Op::FunctionCall, Some(Operand::IdRef(id))) =
                (i.class.opcode, i.operands.first())
            {
                called.extend(numbers.get(id).map(|number| *number as usize - 1));
            }
        }
        callees.push(called);
        costs.push(cost);
    }
    inlined(
        &callees,
        costs,
        MAX_INVOCATION_BYTES.saturating_sub(global_bytes),
    )
}

/// The scalars of the values that an instruction makes, stores or hands on,
/// weighted.
fn scalars(cx: &Context<'_>, i: &Instruction) -> u64 {
    let weighted = |scalars: u64| scalars.saturating_mul((scalars / LARGE).max(1));
    let of_type = |id: Word| {
        let extent = cx.types.extent(id);
        extent.map_or(0, |extent| weighted(extent.scalars))
    };
    let of_value = |operand: &Operand| match operand {
        Operand::IdRef(id) => cx.type_of(*id).map_or(0, of_type),
        _ => 0,
    };
    let result = i.result_type.map_or(0, of_type);
    match (i.class.opcode, i.operands.as_slice()) {
        (Op::Store, [_, value, ..]) => of_value(value),
        (Op::CopyMemory, [Operand::IdRef(target), ..]) => {
            cx.pointer(*target).map_or(0, |(_, to)| of_type(to))
        }
        (Op::FunctionCall, [_, arguments @ ..]) => arguments
            .iter()
            .map(of_value)
            .fold(result, u64::saturating_add),
        _ => result,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// Walks the graph of calls, callees first, adding up costs.
fn inlined(callees: &[Vec<usize>], mut total: Vec<Cost>, most_bytes: u64) -> Result<(), Error> {
    let mut state = vec![State::New; callees.len()];
    for root in 0..callees.len() {
        let mut stack = vec![(root, 0)];
        while let Some((function, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut state[function], State::Open) == State::Done {
                state[function] = State::Done;
                continue;
            }
            if next > 0 {
                let done = callees[function][next - 1];
                let done = total[done];
                total[function].add(done);
            }
            match callees[function].get(next) {
                Some(callee) if state[*callee] == State::Open => {
                    return Err(Error::spirv(
                        "expected no recursion, found a function that calls itself",
                    ));
                }
                Some(callee) => {
                    stack.push((function, next + 1));
                    stack.push((*callee, 0));
                }
                None => state[function] = State::Done,
            }
            if total[function].instructions > MAX_INLINED {
                return Err(Error::spirv(format!(
                    "expected {MAX_INLINED} instructions at most, each counted for every scalar (of more than {LARGE}: several times), with all calls replaced by what they call; found more"
                )));
            }
            if total[function].bytes > most_bytes {
                let global = MAX_INVOCATION_BYTES - most_bytes;
                let bytes = total[function].bytes.saturating_add(global);
                return Err(Error::spirv(format!(
                    "{}, with all calls replaced by what they call",
                    variables::too_many_bytes(bytes)
                )));
            }
        }
    }
    Ok(())
}
