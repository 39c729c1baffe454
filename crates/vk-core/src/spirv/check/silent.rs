//! Instructions of sets that mean nothing to a driver (`NonSemantic.*`), such
//! as debug information: left out of what is checked, but for their ids.

use std::collections::HashSet;

use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{Op, Word};

use crate::Error;

/// What was left out of a module.
#[derive(Default)]
pub(super) struct Silent {
    /// The sets that the module imports.
    pub(super) sets: HashSet<Word>,
    /// Whether such an instruction stands in the block that is read now.
    pub(super) in_block: bool,
    results: HashSet<Word>,
    result_types: HashSet<Word>,
}

impl Silent {
    /// Whether `i` is an instruction of one of the sets.
    pub(super) fn holds(&self, i: &Instruction) -> bool {
        match (i.class.opcode, i.operands.first()) {
            (Op::ExtInst, Some(Operand::IdRef(set))) => self.sets.contains(set),
            _ => false,
        }
    }

    /// Notes the ids of `i`.
    pub(super) fn add(&mut self, i: &Instruction) -> Result<(), Error> {
        self.result_types.extend(i.result_type);
        match i.result_id {
            Some(id) if !self.results.insert(id) => Err(defined_again(id)),
            _ => Ok(()),
        }
    }

    /// Checks the ids that were noted against the module that is left.
    pub(super) fn check(&self, module: &Module) -> Result<(), Error> {
        let Some(highest) = self.results.iter().max() else {
            return Ok(());
        };
        let bound = module.header.as_ref().map_or(0, |header| header.bound);
        if *highest >= bound || self.results.contains(&0) {
            return Err(Error::spirv(format!(
                "expected ids of 1 up to the bound {bound}, found a non-semantic OpExtInst of another"
            )));
        }
        let mut voids = HashSet::new();
        for i in module.all_inst_iter() {
            let Some(id) = i.result_id else { continue };
            if self.results.contains(&id) {
                return Err(defined_again(id));
            }
            if i.class.opcode == Op::TypeVoid {
                voids.insert(id);
            }
        }
        match self.result_types.difference(&voids).next() {
            None => Ok(()),
            Some(id) => Err(Error::spirv(format!(
                "expected void as result type of a non-semantic OpExtInst, found %{id}"
            ))),
        }
    }
}

fn defined_again(id: Word) -> Error {
    Error::spirv(format!(
        "expected each id to be defined once, found a non-semantic OpExtInst %{id} and another definition"
    ))
}
