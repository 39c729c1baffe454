//! Atomics and barriers, with their scopes and memory semantics.

use rspirv::spirv::{Capability, Op, Scope, StorageClass, Word};

use super::types::Type;
use super::{At, Context, memory};
use crate::Error;

const ACQUIRE: u64 = 0x2;
const RELEASE: u64 = 0x4;
const ACQUIRE_RELEASE: u64 = 0x8;
/// All of these and SequentiallyConsistent.
const ORDERS: u64 = ACQUIRE | RELEASE | ACQUIRE_RELEASE | 0x10;
/// Uniform, Workgroup, AtomicCounter and Image memory.
const MEMORY: u64 = 0x40 | 0x100 | 0x400 | 0x800;
/// MakeAvailable, MakeVisible and Volatile, of the Vulkan memory model.
const VULKAN: u64 = 0x2000 | 0x4000 | 0x8000;

/// Checks an atomic instruction.
pub(super) fn check<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    let (class, to) = memory::pointer(cx, at, 0)?;
    let shared = matches!(
        class,
        StorageClass::StorageBuffer | StorageClass::Uniform | StorageClass::Workgroup
    );
    let kind = cx.kind(to)?;
    if !shared || !matches!(kind, Type::Int { width: 32, .. }) {
        return Err(at.wrong(format!(
            "expected a 32-bit int in a buffer or in shared memory, found {kind:?} in {class:?}"
        )));
    }
    let op = at.i.class.opcode;
    if op != Op::AtomicLoad {
        memory::writable(cx, at, (class, to), 0)?;
    }
    scope(cx, at, 1)?;
    let order = semantics(cx, at, 2)?;
    let one_way = match op {
        Op::AtomicLoad => order & !ACQUIRE == 0,
        Op::AtomicStore => order & !RELEASE == 0,
        _ => true,
    };
    if !one_way {
        return Err(at.wrong(format!(
            "expected a load to acquire at most and a store to release at most, found the order {order:#x}"
        )));
    }
    let values = match op {
        Op::AtomicLoad | Op::AtomicIIncrement | Op::AtomicIDecrement => 3..3,
        Op::AtomicCompareExchange => {
            // What it does where nothing is stored.
            let order = semantics(cx, at, 3)?;
            if order & (RELEASE | ACQUIRE_RELEASE) != 0 {
                return Err(at.wrong(format!(
                    "expected an unequal comparison to release nothing, found the order {order:#x}"
                )));
            }
            4..6
        }
        _ => 3..4,
    };
    for number in values {
        at.expect_type(cx, number, to)?;
    }
    match op {
        Op::AtomicStore => Ok(()),
        _ => at.same(at.result_type()?, to, || "the result".to_owned()),
    }
}

/// Checks a barrier.
pub(super) fn barrier<'m>(cx: &Context<'m>, at: At<'m>) -> Result<(), Error> {
    if at.i.class.opcode == Op::MemoryBarrier {
        scope(cx, at, 0)?;
        return semantics(cx, at, 1).map(|_| ());
    }
    execution_scope(cx, at, 0)?;
    scope(cx, at, 1)?;
    semantics(cx, at, 2).map(|_| ())
}

fn known<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<u64, Error> {
    let id: Word = at.id(number)?;
    let shape = at.shape(cx, number)?;
    let op = cx.ids.get(id)?.instruction.class.opcode;
    let word = shape.count == 1 && shape.scalar == super::types::Scalar::Int(32);
    match cx.constants.value(id) {
        Some(value) if word && op == Op::Constant => Ok(value),
        _ => Err(at.wrong(format!(
            "expected a 32-bit constant as operand {number}, found %{id}"
        ))),
    }
}

/// Checks the scope whose invocations wait for one another.
pub(super) fn execution_scope<'m>(
    cx: &Context<'m>,
    at: At<'m>,
    number: usize,
) -> Result<(), Error> {
    let value = known(cx, at, number)?;
    match value == Scope::Workgroup as u64 || value == Scope::Subgroup as u64 {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected scope Workgroup or Subgroup, found {value}"
        ))),
    }
}

/// Checks a scope of memory.
pub(super) fn scope<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<(), Error> {
    let value = known(cx, at, number)?;
    let mut allowed = vec![Scope::Workgroup, Scope::Subgroup, Scope::Invocation];
    match cx.has(Capability::VulkanMemoryModel) {
        true => allowed.push(Scope::QueueFamily),
        false => allowed.push(Scope::Device),
    }
    match allowed.iter().any(|scope| *scope as u64 == value) {
        true => Ok(()),
        false => Err(at.wrong(format!("expected a scope of {allowed:?}, found {value}"))),
    }
}

/// Checks memory semantics, and returns their order.
fn semantics<'m>(cx: &Context<'m>, at: At<'m>, number: usize) -> Result<u64, Error> {
    let value = known(cx, at, number)?;
    let vulkan = cx.has(Capability::VulkanMemoryModel);
    let allowed = match vulkan {
        true => ORDERS | MEMORY | VULKAN,
        false => ORDERS | MEMORY,
    };
    let order = value & ORDERS;
    let good = value & !allowed == 0
        && order.count_ones() <= 1
        && (order == 0 || value & MEMORY != 0)
        && !(vulkan && order == 0x10);
    match good {
        true => Ok(order),
        false => Err(at.wrong(format!(
            "expected memory semantics of one order at most, with a kind of memory; found {value:#x}"
        ))),
    }
}
