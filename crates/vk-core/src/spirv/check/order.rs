//! The order in which a module's instructions stand, checked while parsing.

use std::collections::HashSet;

use rspirv::binary::{Consumer, ParseAction, ParseState, parse_words};
use rspirv::dr::{Instruction, Loader, Module, ModuleHeader, Operand};
use rspirv::spirv::{Op, Word};

use super::opcodes::{Section, section};
use crate::Error;

/// Parses `words`, with opcodes and their order checked.
///
/// What the parser returns has lost the order: it sorts instructions into
/// lists, wherever they stood.
pub(in crate::spirv) fn load(words: &[u32]) -> Result<Module, Error> {
    let mut consumer = InOrder::new();
    match parse_words(words, &mut consumer) {
        Ok(()) => Ok(consumer.module()),
        Err(ParseState::ConsumerError(error)) => match error.downcast::<Error>() {
            Ok(refused) => Err(*refused),
            Err(error) => Err(Error::spirv(format!("not a well-formed module: {error}"))),
        },
        Err(state) => Err(Error::spirv(format!("not a well-formed module: {state}"))),
    }
}

/// Hands instructions on to the parser's loader as long as they are known and
/// in order.
struct InOrder {
    loader: Loader,
    section: Section,
    function: Function,
    has_memory_model: bool,
    /// The loader knows no `OpExecutionModeId`.
    modes: Vec<Instruction>,
    strings: HashSet<Word>,
}

/// How far the function that is read now has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    None,
    Parameters,
    Blocks,
}

impl InOrder {
    fn new() -> Self {
        Self {
            loader: Loader::new(),
            section: Section::Capabilities,
            function: Function::None,
            has_memory_model: false,
            modes: Vec::new(),
            strings: HashSet::new(),
        }
    }

    fn module(self) -> Module {
        let mut module = self.loader.module();
        module.execution_modes.extend(self.modes);
        module
    }

    fn check(&mut self, instruction: &Instruction) -> Result<(), Error> {
        let op = instruction.class.opcode;
        let Some(wanted) = section(op) else {
            return Err(Error::spirv(format!(
                "expected opcodes that compute kernels need (docs/kernels.md), found Op{op:?}"
            )));
        };
        let either = matches!(op, Op::Variable | Op::Undef | Op::Line | Op::NoLine);
        let inside = self.function != Function::None;
        let wanted = match wanted {
            Section::Declarations if either && inside => Section::Functions,
            wanted => wanted,
        };
        if wanted < self.section && !(either && self.section == Section::Functions) {
            return Err(Error::spirv(format!(
                "expected Op{op:?} before the module's {:?}, found it after",
                self.section
            )));
        }
        if op == Op::MemoryModel && std::mem::replace(&mut self.has_memory_model, true) {
            return Err(Error::spirv("expected one OpMemoryModel, found two"));
        }
        self.section = self.section.max(wanted);
        self.function(op)?;
        if let (Op::String, Some(id)) = (op, instruction.result_id) {
            self.strings.insert(id);
        }
        Ok(())
    }

    /// Parameters stand before the first block, and everything else in one;
    /// the loader checks the blocks themselves.
    fn function(&mut self, op: Op) -> Result<(), Error> {
        self.function = match (self.function, op) {
            (Function::None, Op::Function) => Function::Parameters,
            (Function::None, Op::Variable | Op::Undef) if self.section == Section::Functions => {
                return Err(Error::spirv(format!(
                    "expected Op{op:?} before the first function or in one, found it between functions"
                )));
            }
            (Function::Parameters, Op::Label) => Function::Blocks,
            (Function::Blocks, Op::FunctionParameter) => {
                return Err(Error::spirv(
                    "expected OpFunctionParameter before the first block, found it after",
                ));
            }
            (_, Op::FunctionEnd) => Function::None,
            (same, _) => same,
        };
        Ok(())
    }

    /// Line numbers go no further: nothing here needs them, and where they
    /// may stand is looser than the loader has it.
    fn check_line(&self, instruction: &Instruction) -> Result<(), Error> {
        match instruction.operands.first() {
            Some(Operand::IdRef(file)) if !self.strings.contains(file) => Err(Error::spirv(
                format!("expected OpLine to name an OpString, found %{file}"),
            )),
            _ => Ok(()),
        }
    }
}

impl Consumer for InOrder {
    fn initialize(&mut self) -> ParseAction {
        self.loader.initialize()
    }

    fn finalize(&mut self) -> ParseAction {
        self.loader.finalize()
    }

    fn consume_header(&mut self, header: ModuleHeader) -> ParseAction {
        self.loader.consume_header(header)
    }

    fn consume_instruction(&mut self, instruction: Instruction) -> ParseAction {
        let checked = self.check(&instruction);
        match (instruction.class.opcode, checked) {
            (_, Err(error)) => ParseAction::Error(Box::new(error)),
            (Op::Line | Op::NoLine, Ok(())) => match self.check_line(&instruction) {
                Ok(()) => ParseAction::Continue,
                Err(error) => ParseAction::Error(Box::new(error)),
            },
            (Op::ExecutionModeId, Ok(())) => {
                self.modes.push(instruction);
                ParseAction::Continue
            }
            (_, Ok(())) => self.loader.consume_instruction(instruction),
        }
    }
}
