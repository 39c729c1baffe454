//! Every id of a module: defined once, below the bound, and where.

use rspirv::dr::{Function, Instruction, Module};
use rspirv::spirv::Word;

use crate::Error;

/// Where an instruction stands; the later place is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The function's number from 1; 0 outside of functions.
    pub(super) function: u32,
    /// The block's number from 1; 0 for the function and its parameters.
    pub(super) block: u32,
    /// The instruction's number within that.
    pub(super) position: u32,
}

/// An id's definition.
#[derive(Clone, Copy)]
pub(super) struct Definition<'m> {
    pub(super) instruction: &'m Instruction,
    pub(super) place: Place,
}

/// The definitions of a module by id.
pub(super) struct Ids<'m> {
    /// For each id the number of its definition, from 1; 0 without one.
    numbers: Vec<u32>,
    definitions: Vec<Definition<'m>>,
}

impl<'m> Ids<'m> {
    /// The definitions of `module`, whose bound was checked to be bearable.
    pub(super) fn new(module: &'m Module) -> Result<Self, Error> {
        let bound = module.header.as_ref().map_or(0, |header| header.bound);
        let mut ids = Self {
            numbers: vec![0; bound as usize],
            definitions: Vec::new(),
        };
        for (instruction, place) in declarations(module) {
            ids.define(instruction, place)?;
        }
        for (number, function) in (1..).zip(&module.functions) {
            for (instruction, place) in body(function, number) {
                ids.define(instruction, place)?;
            }
        }
        Ok(ids)
    }

    fn define(&mut self, instruction: &'m Instruction, place: Place) -> Result<(), Error> {
        let Some(id) = instruction.result_id else {
            return Ok(());
        };
        let op = instruction.class.opcode;
        let bound = self.numbers.len();
        let number = match self.numbers.get_mut(id as usize) {
            Some(number) if id != 0 => number,
            _ => {
                return Err(Error::spirv(format!(
                    "expected ids of 1 up to the bound {bound}, found Op{op:?} %{id}"
                )));
            }
        };
        if *number != 0 {
            return Err(Error::spirv(format!(
                "expected each id to be defined once, found Op{op:?} %{id} again"
            )));
        }
        self.definitions.push(Definition { instruction, place });
        *number = u32::try_from(self.definitions.len()).unwrap_or(0);
        Ok(())
    }

    /// The definition of `id`.
    pub(super) fn get(&self, id: Word) -> Result<Definition<'m>, Error> {
        self.number(id)
            .and_then(|number| self.definitions.get(number).copied())
            .ok_or_else(|| Error::spirv(format!("id %{id} is used but not defined")))
    }

    /// The number of the definition of `id`, from 0.
    pub(super) fn number(&self, id: Word) -> Option<usize> {
        let number = self.numbers.get(id as usize).copied()?;
        (number as usize).checked_sub(1)
    }
}

/// What stands before the functions and may define an id, in order.
pub(super) fn declarations(module: &Module) -> impl Iterator<Item = (&Instruction, Place)> {
    let all = module
        .ext_inst_imports
        .iter()
        .chain(&module.debug_string_source)
        .chain(&module.types_global_values);
    (0..).zip(all).map(|(position, instruction)| {
        let place = Place {
            function: 0,
            block: 0,
            position,
        };
        (instruction, place)
    })
}

/// The instructions of a function, in order: itself, its parameters, then
/// each block's label and instructions.
pub(super) fn body(
    function: &Function,
    number: u32,
) -> impl Iterator<Item = (&Instruction, Place)> {
    let head = (0..).zip(function.def.iter().chain(&function.parameters));
    let head = head.map(move |(position, instruction)| (instruction, 0, position));
    let blocks = (1..).zip(&function.blocks).flat_map(|(block, content)| {
        let instructions = content.label.iter().chain(&content.instructions);
        (0..)
            .zip(instructions)
            .map(move |(position, instruction)| (instruction, block, position))
    });
    head.chain(blocks)
        .map(move |(instruction, block, position)| {
            let place = Place {
                function: number,
                block,
                position,
            };
            (instruction, place)
        })
}
