//! What the device tells an invocation: each built-in once, of its type.

use std::collections::HashSet;

use rspirv::dr::Operand;
use rspirv::spirv::{BuiltIn, Capability, Decoration, Op, StorageClass, Word};

use super::types::{Scalar, Shape};
use super::{At, Context, opcodes};
use crate::Error;

/// Checks that every `Input` variable is a built-in, and each as it must be.
pub(super) fn check(cx: &Context<'_>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (id, i) in cx.decorations.all(Decoration::BuiltIn) {
        let at = At { i };
        let kind = match i.operands.last() {
            Some(Operand::BuiltIn(kind)) => *kind,
            found => return Err(at.wrong(format!("expected a built-in, found {found:?}"))),
        };
        if !seen.insert(kind) {
            return Err(at.wrong(format!("expected {kind:?} once, found it twice")));
        }
        one(cx, at, id, kind)?;
    }
    for i in &cx.module.types_global_values {
        let id = i.result_id.unwrap_or_default();
        let input = i.operands.first() == Some(&Operand::StorageClass(StorageClass::Input));
        if i.class.opcode == Op::Variable && input && !cx.decorations.has(id, Decoration::BuiltIn) {
            return Err(At { i }.wrong("expected a built-in, as all inputs of a kernel are"));
        }
    }
    Ok(())
}

fn one(cx: &Context<'_>, at: At<'_>, id: Word, kind: BuiltIn) -> Result<(), Error> {
    let Some((count, capability)) = shape(kind) else {
        return Err(at.wrong(format!(
            "expected a built-in of compute kernels, found {kind:?}"
        )));
    };
    if let Some(capability) = capability {
        at.needs(cx, capability)?;
    }
    let of = cx.type_of(id)?;
    let op = cx.ids.get(id)?.instruction.class.opcode;
    let of = match kind {
        BuiltIn::WorkgroupSize if opcodes::is_constant(op) => of,
        BuiltIn::WorkgroupSize => 0,
        _ => match cx.pointer(id) {
            Ok((StorageClass::Input, to)) => to,
            _ => 0,
        },
    };
    let good = matches!(
        cx.types.shape(of),
        Some(Shape { scalar: Scalar::Int(32), count: found, .. }) if found == count
    );
    match good {
        true => Ok(()),
        false => Err(at.wrong(format!(
            "expected {kind:?} on an input (WorkgroupSize: a constant) of {count} 32-bit ints, found Op{op:?} %{id}"
        ))),
    }
}

/// The components of a built-in, and the capability that it needs.
fn shape(kind: BuiltIn) -> Option<(u32, Option<Capability>)> {
    Some(match kind {
        BuiltIn::NumWorkgroups
        | BuiltIn::WorkgroupId
        | BuiltIn::LocalInvocationId
        | BuiltIn::GlobalInvocationId
        | BuiltIn::WorkgroupSize => (3, None),
        BuiltIn::LocalInvocationIndex => (1, None),
        BuiltIn::SubgroupSize
        | BuiltIn::SubgroupLocalInvocationId
        | BuiltIn::NumSubgroups
        | BuiltIn::SubgroupId => (1, Some(Capability::GroupNonUniform)),
        BuiltIn::SubgroupEqMask
        | BuiltIn::SubgroupGeMask
        | BuiltIn::SubgroupGtMask
        | BuiltIn::SubgroupLeMask
        | BuiltIn::SubgroupLtMask => (4, Some(Capability::GroupNonUniformBallot)),
        _ => return None,
    })
}
