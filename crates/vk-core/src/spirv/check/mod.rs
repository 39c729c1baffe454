//! Whether a parsed module is a valid one, before a driver sees it.
//!
//! Drivers take valid modules for granted: on others they crash, compile for
//! ever or write where they should not. The rules are those of the SPIR-V
//! specification and its Vulkan environment, for what compute kernels use;
//! whatever has no rule here is refused ([`opcodes`]). A module that passes is
//! still code: what it does when it runs is not looked at.
//!
//! Nothing here recurses over the module, and no step takes more than about
//! linear time in its size.

mod atomics;
mod blocks;
#[cfg(test)]
mod bounds_tests;
mod builtins;
mod calls;
mod composite;
mod constants;
mod decorations;
mod dominators;
mod entry;
mod extended;
mod extent;
mod flow;
mod functions;
mod group;
mod ids;
mod instructions;
mod layout;
mod memory;
mod numeric;
mod opcodes;
mod order;
mod readonly;
#[cfg(test)]
mod rules_tests;
mod silent;
mod structured;
#[cfg(test)]
mod tests;
mod types;
mod variables;

use std::collections::HashSet;
use std::fmt::Display;

use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{Capability, Word};

use crate::Error;
use constants::Constants;
pub(super) use constants::may_be_constant;
use decorations::Decorations;
use ids::Ids;
pub(super) use order::load;
use readonly::ReadOnly;
use types::{Shape, Type, Types};

/// Checks the module that [`load`] returned; gives the bytes of its shared
/// memory, without padding.
///
/// # Errors
/// [`Error::InvalidSpirv`] naming the instruction, what was expected of it and
/// what was found.
pub(super) fn check(module: &Module) -> Result<u32, Error> {
    let mut cx = Context {
        module,
        ids: Ids::new(module)?,
        types: Types::default(),
        constants: Constants::default(),
        decorations: Decorations::read(module)?,
        read_only: ReadOnly::default(),
        entries: entry::functions(module),
        capabilities: capabilities(module),
        version: module.header.as_ref().map_or((1, 0), |h| h.version()),
    };
    entry::check_preamble(&cx)?;
    for (instruction, place) in ids::declarations(module) {
        variables::declare(&mut cx, instruction, place)?;
    }
    cx.decorations.check_targets(&cx)?;
    layout::check(&cx)?;
    builtins::check(&cx)?;
    let global_bytes = variables::check_sizes(&cx)?;
    cx.read_only = ReadOnly::new(&cx);
    functions::check(&cx, global_bytes)?;
    entry::check_entry_points(&cx)?;
    Ok(variables::shared_bytes(&cx))
}

fn capabilities(module: &Module) -> HashSet<Capability> {
    let operands = module.capabilities.iter().flat_map(|i| &i.operands);
    let mut found: HashSet<_> = operands
        .filter_map(|operand| match operand {
            Operand::Capability(capability) => Some(*capability),
            _ => None,
        })
        .collect();
    if found.contains(&Capability::VariablePointers) {
        found.insert(Capability::VariablePointersStorageBuffer);
    }
    found
}

/// What is known of a module so far.
struct Context<'m> {
    module: &'m Module,
    ids: Ids<'m>,
    types: Types<'m>,
    constants: Constants,
    decorations: Decorations<'m>,
    read_only: ReadOnly,
    /// The functions that are entry points.
    entries: HashSet<Word>,
    capabilities: HashSet<Capability>,
    version: (u8, u8),
}

impl<'m> Context<'m> {
    fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// The type with this id, as an error where it is none.
    fn kind(&self, id: Word) -> Result<Type<'m>, Error> {
        self.types.get(id).ok_or_else(|| {
            Error::spirv(format!("expected %{id} to be a type, found something else"))
        })
    }

    /// The id of the type of the value `id`.
    fn type_of(&self, id: Word) -> Result<Word, Error> {
        let definition = self.ids.get(id)?.instruction;
        definition.result_type.ok_or_else(|| {
            let found = types::name(definition);
            Error::spirv(format!("expected %{id} to be a value, found {found}"))
        })
    }

    /// The storage class and pointee of the pointer value `id`.
    fn pointer(&self, id: Word) -> Result<(rspirv::spirv::StorageClass, Word), Error> {
        match self.kind(self.type_of(id)?)? {
            Type::Pointer { class, to } => Ok((class, to)),
            found => Err(Error::spirv(format!(
                "expected %{id} to be a pointer, found {found:?}"
            ))),
        }
    }
}

/// An instruction under the check.
#[derive(Clone, Copy)]
struct At<'m> {
    i: &'m Instruction,
}

impl<'m> At<'m> {
    /// That this instruction is not as it must be.
    fn wrong(self, what: impl Display) -> Error {
        Error::spirv(format!("{}: {what}", types::name(self.i)))
    }

    /// What `found` says, with this instruction's name.
    fn blame<T>(self, found: Result<T, Error>) -> Result<T, Error> {
        found.map_err(|error| match error {
            Error::InvalidSpirv { reason } => self.wrong(reason),
            other => other,
        })
    }

    fn id(self, number: usize) -> Result<Word, Error> {
        match self.i.operands.get(number) {
            Some(Operand::IdRef(id) | Operand::IdScope(id) | Operand::IdMemorySemantics(id)) => {
                Ok(*id)
            }
            found => Err(self.wrong(format!(
                "expected an id as operand {number}, found {found:?}"
            ))),
        }
    }

    fn literal(self, number: usize) -> Result<u32, Error> {
        match self.i.operands.get(number) {
            Some(Operand::LiteralBit32(value) | Operand::LiteralExtInstInteger(value)) => {
                Ok(*value)
            }
            found => Err(self.wrong(format!(
                "expected a number as operand {number}, found {found:?}"
            ))),
        }
    }

    /// The result type's id.
    fn result_type(self) -> Result<Word, Error> {
        self.i
            .result_type
            .ok_or_else(|| self.wrong("expected a result type"))
    }

    /// The result type.
    fn result(self, cx: &Context<'m>) -> Result<Type<'m>, Error> {
        let id = self.result_type()?;
        self.blame(cx.kind(id))
    }

    /// The id of the type of the value that operand `number` names.
    fn type_of(self, cx: &Context<'m>, number: usize) -> Result<Word, Error> {
        let id = self.id(number)?;
        self.blame(cx.type_of(id))
    }

    fn result_shape(self, cx: &Context<'m>) -> Result<Shape, Error> {
        let id = self.result_type()?;
        cx.types.shape(id).ok_or_else(|| {
            self.wrong(format!(
                "expected a scalar or vector as result type, found %{id}"
            ))
        })
    }

    /// The shape of the value that operand `number` names.
    fn shape(self, cx: &Context<'m>, number: usize) -> Result<Shape, Error> {
        let id = self.type_of(cx, number)?;
        cx.types.shape(id).ok_or_else(|| {
            self.wrong(format!(
                "expected a scalar or vector as operand {number}, found a value of type %{id}"
            ))
        })
    }

    /// Checks that the value of operand `number` has the type `wanted`.
    fn expect_type(self, cx: &Context<'m>, number: usize, wanted: Word) -> Result<(), Error> {
        let found = self.type_of(cx, number)?;
        self.same(found, wanted, || format!("operand {number}"))
    }

    fn same(self, found: Word, wanted: Word, what: impl Fn() -> String) -> Result<(), Error> {
        match found == wanted {
            true => Ok(()),
            false => Err(self.wrong(format!(
                "expected {} to be of type %{wanted}, found type %{found}",
                what()
            ))),
        }
    }

    fn needs(self, cx: &Context<'m>, capability: Capability) -> Result<(), Error> {
        match cx.has(capability) {
            true => Ok(()),
            false => Err(self.wrong(format!("expected the capability {capability:?} with it"))),
        }
    }
}
