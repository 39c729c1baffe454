//! What stands before the functions: types, constants and variables.

use rspirv::dr::{Instruction, Operand};
use rspirv::spirv::{Capability, Op, StorageClass};

use super::ids::Place;
use super::types::Type;
use super::{At, Context, constants, extent, opcodes};
use crate::Error;

/// The most bytes of the variables of one invocation, with those of a function
/// once for each call: drivers put the function in place of the call, and keep
/// all variables on a thread's stack.
pub(super) const MAX_INVOCATION_BYTES: u64 = 1 << 18;
/// The most scalars of all constants of a module: a driver makes each.
const MAX_CONSTANT_SCALARS: u64 = 1 << 20;

/// Checks one declaration, and adds what it tells to `cx`.
pub(super) fn declare<'m>(
    cx: &mut Context<'m>,
    i: &'m Instruction,
    place: Place,
) -> Result<(), Error> {
    let at = At { i };
    defined_before(cx, at, place)?;
    let op = i.class.opcode;
    if opcodes::is_type(op) {
        width_is_supported(cx, at)?;
        let constants = &cx.constants;
        return cx.types.declare(at, |id| constants.value(id));
    }
    if opcodes::is_constant(op) {
        let value = constants::check(cx, at)?;
        cx.constants.insert(i.result_id, value);
        return Ok(());
    }
    match op {
        Op::Variable => global(cx, at),
        Op::Undef => undefined(cx, at),
        // Names of extensions and debug strings.
        _ => Ok(()),
    }
}

/// Types and operands of a declaration must have been declared before.
fn defined_before(cx: &Context<'_>, at: At<'_>, place: Place) -> Result<(), Error> {
    let ids = at.i.operands.iter().filter_map(|operand| match operand {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    });
    for id in ids.chain(at.i.result_type) {
        let found = at.blame(cx.ids.get(id))?;
        if found.place >= place {
            return Err(at.wrong(format!("expected %{id} to be defined before it is used")));
        }
    }
    Ok(())
}

fn width_is_supported(cx: &Context<'_>, at: At<'_>) -> Result<(), Error> {
    let any = |wanted: &[Capability]| wanted.iter().any(|capability| cx.has(*capability));
    let bytes = [
        Capability::Int8,
        Capability::StorageBuffer8BitAccess,
        Capability::UniformAndStorageBuffer8BitAccess,
    ];
    let [halves, floats] = [Capability::Int16, Capability::Float16].map(|own| {
        [
            own,
            Capability::StorageBuffer16BitAccess,
            Capability::UniformAndStorageBuffer16BitAccess,
        ]
    });
    let wanted: &[Capability] = match (at.i.class.opcode, at.i.operands.first()) {
        (Op::TypeInt, Some(Operand::LiteralBit32(8))) => &bytes,
        (Op::TypeInt, Some(Operand::LiteralBit32(16))) => &halves,
        (Op::TypeInt, Some(Operand::LiteralBit32(64))) => &[Capability::Int64],
        (Op::TypeFloat, Some(Operand::LiteralBit32(16))) => &floats,
        (Op::TypeFloat, Some(Operand::LiteralBit32(64))) => &[Capability::Float64],
        _ => return Ok(()),
    };
    match any(wanted) {
        true => Ok(()),
        false => Err(at.wrong(format!("expected the capability {wanted:?} with it"))),
    }
}

fn global(cx: &Context<'_>, at: At<'_>) -> Result<(), Error> {
    let class = variable(cx, at)?;
    let initialized = at.i.operands.len() > 1;
    match class {
        StorageClass::Function => {
            Err(at.wrong("expected a variable of storage class Function to stand in a function"))
        }
        StorageClass::Private => Ok(()),
        _ if initialized => Err(at.wrong(format!(
            "expected no initializer on a variable of storage class {class:?}"
        ))),
        _ => Ok(()),
    }
}

/// Checks a variable's type and initializer; returns its storage class.
pub(super) fn variable(cx: &Context<'_>, at: At<'_>) -> Result<StorageClass, Error> {
    let Some(Operand::StorageClass(class)) = at.i.operands.first() else {
        return Err(at.wrong("expected a storage class"));
    };
    let to = match at.result(cx)? {
        Type::Pointer { class: of, to } if of == *class => to,
        found => {
            return Err(at.wrong(format!(
                "expected a pointer of storage class {class:?} as result type, found {found:?}"
            )));
        }
    };
    let unsized_end = cx.types.extent(to).is_some_and(|extent| extent.unsized_end);
    let buffer = matches!(class, StorageClass::StorageBuffer | StorageClass::Uniform);
    if unsized_end && !buffer {
        return Err(at.wrong(format!(
            "expected a type of known size in storage class {class:?}, found %{to}"
        )));
    }
    if at.i.operands.len() > 1 {
        at.expect_type(cx, 1, to)?;
        constants::expect_constant(cx, at, 1)?;
    }
    Ok(*class)
}

/// Checks an undefined value's type.
pub(super) fn undefined(cx: &Context<'_>, at: At<'_>) -> Result<(), Error> {
    match at.result(cx)? {
        Type::Void | Type::Function { .. } | Type::Pointer { .. } => {
            Err(at.wrong("expected a value that is no pointer as result"))
        }
        _ => extent::value(cx, at, at.result_type()?),
    }
}

/// Checks that a driver can bear the constants, and the variables that every
/// function of an invocation shares; returns the bytes of the latter.
pub(super) fn check_sizes(cx: &Context<'_>) -> Result<u64, Error> {
    let (mut bytes, mut scalars) = (0_u64, 0_u64);
    for i in &cx.module.types_global_values {
        let at = At { i };
        bytes = bytes.saturating_add(bytes_of_invocation(cx, i));
        if bytes > MAX_INVOCATION_BYTES {
            return Err(at.wrong(too_many_bytes(bytes)));
        }
        let is_value = opcodes::is_constant(i.class.opcode) || i.class.opcode == Op::Undef;
        let extent = i.result_type.and_then(|id| cx.types.extent(id));
        let own = extent.filter(|_| is_value).map_or(0, |found| found.scalars);
        scalars = scalars.saturating_add(own);
        if scalars > MAX_CONSTANT_SCALARS {
            return Err(at.wrong(format!(
                "expected {MAX_CONSTANT_SCALARS} scalars in the module's constants at most, found {scalars}"
            )));
        }
    }
    Ok(bytes)
}

/// The bytes of the variables that a workgroup shares, no more than `u32::MAX`.
pub(super) fn shared_bytes(cx: &Context<'_>) -> u32 {
    let globals = cx.module.types_global_values.iter();
    let shared = globals.map(|i| bytes_in(cx, i, &[StorageClass::Workgroup]));
    let bytes = shared.fold(0, u64::saturating_add);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The bytes that each invocation has of the variable `i`; 0 if it is none.
pub(super) fn bytes_of_invocation(cx: &Context<'_>, i: &Instruction) -> u64 {
    bytes_in(cx, i, &[StorageClass::Private, StorageClass::Function])
}

/// The bytes of `i` where it is a variable of one of these storage classes.
fn bytes_in(cx: &Context<'_>, i: &Instruction, classes: &[StorageClass]) -> u64 {
    let pointee = match i.result_type.and_then(|id| cx.types.get(id)) {
        Some(Type::Pointer { class, to })
            if i.class.opcode == Op::Variable && classes.contains(&class) =>
        {
            Some(to)
        }
        _ => None,
    };
    let extent = pointee.and_then(|id| cx.types.extent(id));
    extent.map_or(0, |extent| extent.bytes)
}

/// What is wrong with `bytes` of variables for an invocation.
pub(super) fn too_many_bytes(bytes: u64) -> String {
    format!(
        "expected {MAX_INVOCATION_BYTES} bytes of variables at most for an invocation, found {bytes}"
    )
}
