//! A module taken apart, tolerantly: what is not understood is passed over, and what
//! is not valid is for the validator to find.

use std::collections::HashMap;
use std::ops::Range;

use rspirv::spirv::{Op, StorageClass};

use super::constants::Constants;
use super::decorations::Decorations;
use super::grammar::value;
use super::types::Types;
use super::words::{Instruction, instructions, string, version};

/// What a module declares, and where its functions are.
#[derive(Default)]
pub(super) struct Module<'w> {
    pub(super) version: (u8, u8),
    /// Their numbers: some may be newer than this library.
    pub(super) capabilities: Vec<u32>,
    pub(super) extensions: Vec<String>,
    /// Imported sets of instructions.
    pub(super) sets: HashMap<u32, String>,
    pub(super) entry_points: Vec<EntryPoint>,
    /// Execution modes: entry point, mode and its operands.
    pub(super) modes: Vec<&'w [u32]>,
    pub(super) decorations: Decorations,
    pub(super) types: Types<'w>,
    pub(super) constants: Constants,
    /// Those outside of functions.
    pub(super) variables: Vec<Variable>,
    pub(super) functions: HashMap<u32, Range<usize>>,
    pub(super) instructions: Vec<Instruction<'w>>,
    pub(super) value_types: HashMap<u32, u32>,
}

pub(super) struct EntryPoint {
    /// The number of its execution model.
    pub(super) model: u32,
    pub(super) function: u32,
    /// Any bytes but 0.
    pub(super) name: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(super) struct Variable {
    pub(super) id: u32,
    /// `None` for a storage class that is newer than this library.
    pub(super) class: Option<StorageClass>,
    /// The type that it is of, not that of the pointer to it.
    pub(super) of: Option<u32>,
    /// 0 without one.
    pub(super) initializer: u32,
}

impl<'w> Module<'w> {
    /// Takes apart what [`words`](super::words::words) returned.
    pub(super) fn new(words: &'w [u32]) -> Self {
        let mut module = Self {
            version: version(words),
            instructions: instructions(words).collect(),
            ..Self::default()
        };
        let mut function = None;
        for at in 0..module.instructions.len() {
            let i = module.instructions[at];
            if let Some([kind, id]) = value(&i) {
                module.value_types.insert(id, kind);
            }
            match (i.op, function) {
                (Some(Op::Function), _) => function = Some((i.word(1), at)),
                (Some(Op::FunctionEnd), Some((id, start))) => {
                    module.functions.insert(id, start..at);
                    function = None;
                }
                (_, None) => module.declare(&i),
                _ => {}
            }
        }
        module
    }

    fn declare(&mut self, i: &Instruction<'w>) {
        match i.op {
            Some(Op::Capability) => self.capabilities.push(i.word(0)),
            Some(Op::Extension) => self.extensions.push(text(i.operands)),
            Some(Op::ExtInstImport) => {
                let name = text(i.operands.get(1..).unwrap_or_default());
                self.sets.insert(i.word(0), name);
            }
            Some(Op::EntryPoint) => {
                let (name, _) = string(i.operands.get(2..).unwrap_or_default());
                self.entry_points.push(EntryPoint {
                    model: i.word(0),
                    function: i.word(1),
                    name,
                });
            }
            Some(Op::ExecutionMode | Op::ExecutionModeId) => self.modes.push(i.operands),
            Some(Op::Variable) => self.variables.push(Variable {
                id: i.word(1),
                class: StorageClass::from_u32(i.word(2)),
                of: self.types.pointee(i.word(0)).map(|(_, of)| of),
                initializer: i.word(3),
            }),
            _ => {
                self.decorations.read(i);
                self.constants.read(i, &self.types);
                self.types.read(i, &self.decorations, &self.constants);
            }
        }
    }
}

fn text(words: &[u32]) -> String {
    String::from_utf8_lossy(&string(words).0).into_owned()
}
