//! Calls between functions: known ones, and never in a circle.

use std::collections::HashMap;

use rspirv::spirv::{Op, Word};

use super::Context;
use crate::Error;

/// The most instructions after every call is replaced by what it calls.
/// Drivers do that, so that functions which call the next one several times,
/// level upon level, are exponential work.
const MAX_INLINED: u64 = 1 << 20;

/// Checks the graph of calls; `numbers` has each function's number from 1.
pub(super) fn check(cx: &Context<'_>, numbers: &HashMap<Word, u32>) -> Result<(), Error> {
    let mut callees = Vec::new();
    let mut sizes = Vec::new();
    for function in &cx.module.functions {
        let instructions = || function.blocks.iter().flat_map(|block| &block.instructions);
        let calls = instructions().filter(|i| i.class.opcode == Op::FunctionCall);
        let called = calls.filter_map(|i| match i.operands.first() {
            Some(rspirv::dr::Operand::IdRef(id)) => numbers.get(id),
            _ => None,
        });
        callees.push(
            called
                .map(|number| *number as usize - 1)
                .collect::<Vec<usize>>(),
        );
        sizes.push(instructions().count() as u64);
    }
    inlined(&callees, &sizes)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// Walks the graph of calls, callees first, adding up sizes.
fn inlined(callees: &[Vec<usize>], sizes: &[u64]) -> Result<(), Error> {
    let mut state = vec![State::New; callees.len()];
    let mut total = sizes.to_vec();
    for root in 0..callees.len() {
        let mut stack = vec![(root, 0)];
        while let Some((function, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut state[function], State::Open) == State::Done {
                state[function] = State::Done;
                continue;
            }
            if next > 0 {
                let done = callees[function][next - 1];
                total[function] = total[function].saturating_add(total[done]);
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
            if total[function] > MAX_INLINED {
                return Err(Error::spirv(format!(
                    "expected {MAX_INLINED} instructions at most with all calls replaced by what they call, found more"
                )));
            }
        }
    }
    Ok(())
}
