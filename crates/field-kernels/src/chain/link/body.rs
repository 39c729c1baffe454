//! The `main` of a linked kernel: straight-line calls of the template's functions.

use rspirv::dr::{Block, Function, Instruction, Operand};
use rspirv::spirv::{Op, StorageClass, Word};

use super::{Template, missing_function};
use crate::chain::{Chain, Input, MAX_INPUTS, Unlinkable};

/// A `main` in the making: straight-line calls.
pub(super) struct Body<'t> {
    template: &'t Template,
    variables: Vec<Instruction>,
    code: Vec<Instruction>,
    constants: Vec<Instruction>,
    // The chain's values, as ids.
    values: Vec<Word>,
    // Variables that hold 0 and 1: the two areas of shared memory.
    areas: [Option<Word>; 2],
    next: Word,
}

/// What a [`Body`] becomes.
pub(super) struct Main {
    pub(super) function: Function,
    pub(super) constants: Vec<Instruction>,
    pub(super) bound: Word,
}

impl<'t> Body<'t> {
    pub(super) fn new(template: &'t Template) -> Self {
        let header = template.module.header.as_ref();
        Self {
            template,
            variables: Vec::new(),
            code: Vec::new(),
            constants: Vec::new(),
            values: Vec::new(),
            areas: [None; 2],
            next: header.map_or(0, |header| header.bound),
        }
    }

    pub(super) fn load_directly(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for (number, input) in chain.inputs.iter().enumerate() {
            let how = match input {
                Input::Vector => "load",
                Input::Scalar => "broadcast",
            };
            let value = self.call(&format!("{how}_{number}"), &[])?;
            self.values.push(value);
        }
        Ok(())
    }

    /// Two vectors at a time, so that both are on their way from memory at once.
    pub(super) fn load_staged(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        self.values = vec![0; chain.inputs.len()];
        let mut vectors = Vec::new();
        for (number, input) in chain.inputs.iter().enumerate() {
            match input {
                Input::Vector => vectors.push(number),
                Input::Scalar => {
                    self.values[number] = self.call(&format!("broadcast_{number}"), &[])?;
                }
            }
        }
        for (turn, pair) in vectors.chunks(2).enumerate() {
            if turn > 0 {
                // The areas are free once all have taken what was there.
                self.call("sync", &[])?;
            }
            for (area, number) in pair.iter().enumerate() {
                let area = self.area(area);
                self.call(&format!("fetch_{number}"), &[area])?;
            }
            self.call("sync", &[])?;
            for (area, number) in pair.iter().enumerate() {
                let area = self.area(area);
                self.values[*number] = self.call("take", &[area])?;
            }
        }
        Ok(())
    }

    pub(super) fn compute(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for link in &chain.links {
            let arguments = &link.arguments[..link.operation.arity];
            let values: Vec<Word> = arguments.iter().map(|it| self.values[*it]).collect();
            let pointers: Vec<Word> = values.into_iter().map(|it| self.element(it)).collect();
            let result = self.call(link.operation.function, &pointers)?;
            self.values.push(result);
        }
        Ok(())
    }

    pub(super) fn store_directly(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for (number, output) in chain.outputs.iter().enumerate() {
            let value = self.element(self.values[*output]);
            self.call(&format!("store_{}", MAX_INPUTS + number), &[value])?;
        }
        Ok(())
    }

    /// By turns through the two areas: before an area is filled again, all have
    /// passed the barrier of the other, so its drain is over.
    pub(super) fn store_staged(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for (number, output) in chain.outputs.iter().enumerate() {
            let area = self.area(number % 2);
            let value = self.element(self.values[*output]);
            // Each invocation took its own element from there, and no other's.
            self.call("put", &[area, value])?;
            self.call("sync", &[])?;
            self.call(&format!("drain_{}", MAX_INPUTS + number), &[area])?;
        }
        Ok(())
    }

    /// A variable that holds `value`, to be passed on.
    fn element(&mut self, value: Word) -> Word {
        let pointer = self.variable(self.template.types.element_pointer);
        self.store(pointer, value);
        pointer
    }

    /// A variable that holds the number of an area.
    fn area(&mut self, number: usize) -> Word {
        if let Some(known) = self.areas[number] {
            return known;
        }
        let types = self.template.types;
        let constant = self.fresh();
        let value = u32::from(number == 1);
        self.constants.push(Instruction::new(
            Op::Constant,
            Some(types.number),
            Some(constant),
            vec![Operand::LiteralBit32(value)],
        ));
        let pointer = self.variable(types.number_pointer);
        self.store(pointer, constant);
        self.areas[number] = Some(pointer);
        pointer
    }

    /// How many areas of shared memory there must be; 1 where none is used, since an
    /// array has an element at least.
    pub(super) fn areas_used(&self) -> u32 {
        1 + u32::from(self.areas[1].is_some())
    }

    fn variable(&mut self, pointer_type: Word) -> Word {
        let pointer = self.fresh();
        self.variables.push(Instruction::new(
            Op::Variable,
            Some(pointer_type),
            Some(pointer),
            vec![Operand::StorageClass(StorageClass::Function)],
        ));
        pointer
    }

    fn store(&mut self, pointer: Word, value: Word) {
        let operands = vec![Operand::IdRef(pointer), Operand::IdRef(value)];
        self.code
            .push(Instruction::new(Op::Store, None, None, operands));
    }

    /// Calls a function of the template, and returns the id of its result.
    fn call(&mut self, name: &str, arguments: &[Word]) -> Result<Word, Unlinkable> {
        let function = self.template.functions.get(name).copied();
        let function = function.ok_or_else(|| missing_function(name))?;
        let types = self.template.types;
        let is_element = ["f_", "load_", "broadcast_", "take"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let result_type = if is_element {
            types.element
        } else {
            types.void
        };
        let result = self.fresh();
        let operands = std::iter::once(function).chain(arguments.iter().copied());
        self.code.push(Instruction::new(
            Op::FunctionCall,
            Some(result_type),
            Some(result),
            operands.map(Operand::IdRef).collect(),
        ));
        Ok(result)
    }

    fn fresh(&mut self) -> Word {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn finish(mut self) -> Main {
        let label = self.fresh();
        let types = self.template.types;
        let mut instructions = self.variables;
        instructions.append(&mut self.code);
        instructions.push(Instruction::new(Op::Return, None, None, Vec::new()));
        let block = Block {
            label: Some(Instruction::new(Op::Label, None, Some(label), Vec::new())),
            instructions,
        };
        let control = rspirv::spirv::FunctionControl::NONE;
        let definition = vec![
            Operand::FunctionControl(control),
            Operand::IdRef(types.main),
        ];
        let (void, main) = (Some(types.void), Some(self.template.main));
        let function = Function {
            def: Some(Instruction::new(Op::Function, void, main, definition)),
            end: Some(Instruction::new(Op::FunctionEnd, None, None, Vec::new())),
            parameters: Vec::new(),
            blocks: vec![block],
        };
        Main {
            function,
            constants: self.constants,
            bound: self.next,
        }
    }
}
