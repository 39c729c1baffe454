//! The order in which a module's instructions stand, checked while parsing.

use std::collections::HashSet;

use rspirv::binary::{Consumer, ParseAction, ParseState, parse_words};
use rspirv::dr::{Instruction, Loader, Module, ModuleHeader, Operand};
use rspirv::spirv::{Op, Word};

use super::entry::NON_SEMANTIC;
use super::opcodes::{Section, section};
use super::silent::Silent;
use crate::Error;

/// Parses `words`, with opcodes and their order checked.
///
/// What the parser returns has lost the order: it sorts instructions into
/// lists, wherever they stood.
pub(in crate::spirv) fn load(words: &[u32]) -> Result<Module, Error> {
    let mut consumer = InOrder::new();
    match parse_words(words, &mut consumer) {
        Ok(()) => consumer.module(),
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
    /// The last instruction of those that go further.
    last: Option<Op>,
    silent: Silent,
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
            last: None,
            silent: Silent::default(),
        }
    }

    fn module(self) -> Result<Module, Error> {
        let mut module = self.loader.module();
        module.execution_modes.extend(self.modes);
        self.silent.check(&module)?;
        Ok(module)
    }

    /// Checks an instruction of a set that means nothing to a driver. Like
    /// line numbers it goes no further; where it stands must not hide that
    /// others stand where they may not.
    fn check_silent(&mut self, instruction: &Instruction) -> Result<(), Error> {
        let in_block = self.function == Function::Blocks
            && !self.last.is_none_or(super::opcodes::is_terminator);
        let after_merge = matches!(self.last, Some(Op::SelectionMerge | Op::LoopMerge));
        let declared = self.function == Function::None && self.section < Section::Functions;
        if !declared && (!in_block || after_merge) {
            return Err(Error::spirv(
                "expected a non-semantic OpExtInst among the declarations, or in a block and not behind its merge instruction; found it elsewhere",
            ));
        }
        if declared {
            self.section = self.section.max(Section::Declarations);
        }
        self.silent.in_block = in_block;
        self.silent.add(instruction)
    }

    fn check(&mut self, instruction: &Instruction) -> Result<(), Error> {
        let op = instruction.class.opcode;
        if op == Op::Label {
            self.silent.in_block = false;
        }
        if self.silent.in_block && matches!(op, Op::Phi | Op::Variable) {
            return Err(Error::spirv(format!(
                "expected Op{op:?} before the non-semantic OpExtInst of its block, found it after"
            )));
        }
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
        match (op, instruction.result_id, instruction.operands.first()) {
            (Op::String, Some(id), _) => {
                self.strings.insert(id);
            }
            (Op::ExtInstImport, Some(id), Some(Operand::LiteralString(name)))
                if name.starts_with(NON_SEMANTIC) =>
            {
                self.silent.sets.insert(id);
            }
            _ => {}
        }
        if !matches!(op, Op::Line | Op::NoLine) {
            self.last = Some(op);
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
        if self.silent.holds(&instruction) {
            return match self.check_silent(&instruction) {
                Ok(()) => ParseAction::Continue,
                Err(error) => ParseAction::Error(Box::new(error)),
            };
        }
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
