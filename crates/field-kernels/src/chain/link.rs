//! From a chain and its template to a module.

use std::collections::{HashMap, HashSet};

use rspirv::binary::Assemble as _;
use rspirv::dr::{Block, Function, Instruction, Module, Operand};
use rspirv::spirv::{Decoration, ExecutionMode, Op, StorageClass, Word};

use super::{Chain, Input, Layout, MAX_INPUTS, MemoryAccess, Unlinkable};

/// A module of functions, ready to be linked.
pub struct Template {
    module: Module,
    // By name.
    functions: HashMap<String, Word>,
    main: Word,
    types: Types,
}

/// Types that a `main` needs.
#[derive(Clone, Copy)]
struct Types {
    void: Word,
    main: Word,
    element: Word,
    element_pointer: Word,
    number: Word,
    number_pointer: Word,
}

impl Template {
    /// Reads the module in `spirv`: a whole one, compiled with its functions kept.
    ///
    /// # Errors
    ///
    /// What is missing in it.
    pub fn parse(spirv: &[u8]) -> Result<Self, Unlinkable> {
        let module = rspirv::dr::load_bytes(spirv)
            .map_err(|error| Unlinkable(format!("expected a SPIR-V module, found: {error}")))?;
        let entry = module.entry_points.first();
        let main = entry.and_then(|entry| id(entry.operands.get(1)?));
        let main = main.ok_or_else(|| missing("an entry point"))?;
        let functions = functions(&module);
        let types = Types::of(&module, &functions, main)?;
        Ok(Self {
            module,
            functions,
            main,
            types,
        })
    }

    /// The words of a kernel for `chain`. It binds the chain's inputs at 0, 1 and so
    /// on, its outputs after them, and takes [`super::CONSTANT_WORDS`] words of push
    /// constants: the count, the beginnings of input 0, 1 and so on, and from word
    /// [`MAX_INPUTS`] + 1 on those of the outputs.
    ///
    /// # Errors
    ///
    /// As [`Chain::check`], and for a function that the template lacks.
    pub fn link(&self, chain: &Chain, layout: Layout) -> Result<Vec<u32>, Unlinkable> {
        chain.check()?;
        let mut body = Body::new(self);
        match layout.access {
            MemoryAccess::Direct | MemoryAccess::StagedStores => body.load_directly(chain)?,
            MemoryAccess::Staged => body.load_staged(chain)?,
        }
        body.compute(chain)?;
        match layout.access {
            MemoryAccess::Direct => body.store_directly(chain)?,
            MemoryAccess::Staged | MemoryAccess::StagedStores => body.store_staged(chain)?,
        }
        let main = body.finish();
        let mut module = self.module.clone();
        let header = module.header.as_mut();
        header.ok_or_else(|| missing("a header"))?.bound = main.bound;
        module.types_global_values.extend(main.constants);
        module.functions = self.reachable(main.function);
        strip(&mut module);
        bind(&mut module, chain)?;
        set_group_size(&mut module, layout.group_size)?;
        Ok(module.assemble())
    }

    /// `main` and the functions that it calls, through others too.
    fn reachable(&self, main: Function) -> Vec<Function> {
        let by_id: HashMap<Word, &Function> = self
            .module
            .functions
            .iter()
            .filter_map(|function| Some((function.def_id()?, function)))
            .collect();
        let mut seen: HashSet<Word> = HashSet::new();
        let mut wanted: Vec<Word> = calls(&main).filter(|it| seen.insert(*it)).collect();
        let mut kept = vec![main];
        while let Some(next) = wanted.pop() {
            if let Some(function) = by_id.get(&next) {
                wanted.extend(calls(function).filter(|callee| seen.insert(*callee)));
                kept.push((*function).clone());
            }
        }
        kept
    }
}

impl Types {
    fn of(
        module: &Module,
        functions: &HashMap<String, Word>,
        main: Word,
    ) -> Result<Self, Unlinkable> {
        let find = |name: &str| {
            let id = functions.get(name).copied();
            let found = module.functions.iter().find(|f| f.def_id() == id);
            found
                .filter(|_| id.is_some())
                .ok_or_else(|| missing(&format!("function `{name}`")))
        };
        let result = |function: &Function| function.def.as_ref().and_then(|def| def.result_type);
        let parameter =
            |function: &Function| function.parameters.first().and_then(|p| p.result_type);
        let main = module.functions.iter().find(|f| f.def_id() == Some(main));
        let main = main.ok_or_else(|| missing("the entry point's function"))?;
        let type_of_main = main.def.as_ref().and_then(|def| id(def.operands.get(1)?));
        let (negate, put) = (find("f_neg")?, find("take")?);
        let number_pointer = parameter(put);
        let pointee = number_pointer.and_then(|pointer| {
            let all = &module.types_global_values;
            let found = all.iter().find(|i| i.result_id == Some(pointer))?;
            id(found.operands.get(1)?)
        });
        let all = || {
            Some(Self {
                void: result(main)?,
                main: type_of_main?,
                element: result(negate)?,
                element_pointer: parameter(negate)?,
                number: pointee?,
                number_pointer: number_pointer?,
            })
        };
        all().ok_or_else(|| missing("the types of a `main`"))
    }
}

/// A `main` in the making: straight-line calls.
struct Body<'t> {
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
struct Main {
    function: Function,
    constants: Vec<Instruction>,
    bound: Word,
}

impl<'t> Body<'t> {
    fn new(template: &'t Template) -> Self {
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

    fn load_directly(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
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
    fn load_staged(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
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

    fn compute(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for link in &chain.links {
            let arguments = &link.arguments[..link.operation.arity];
            let values: Vec<Word> = arguments.iter().map(|it| self.values[*it]).collect();
            let pointers: Vec<Word> = values.into_iter().map(|it| self.element(it)).collect();
            let result = self.call(link.operation.function, &pointers)?;
            self.values.push(result);
        }
        Ok(())
    }

    fn store_directly(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
        for (number, output) in chain.outputs.iter().enumerate() {
            let value = self.element(self.values[*output]);
            self.call(&format!("store_{}", MAX_INPUTS + number), &[value])?;
        }
        Ok(())
    }

    /// By turns through the two areas: before an area is filled again, all have
    /// passed the barrier of the other, so its drain is over.
    fn store_staged(&mut self, chain: &Chain) -> Result<(), Unlinkable> {
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
        let function = function.ok_or_else(|| missing(&format!("function `{name}`")))?;
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

    fn finish(mut self) -> Main {
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

/// The functions that a function calls.
fn calls(function: &Function) -> impl Iterator<Item = Word> + '_ {
    let all = function.all_inst_iter();
    let calls = all.filter(|instruction| instruction.class.opcode == Op::FunctionCall);
    calls.filter_map(|call| id(call.operands.first()?))
}

/// Functions by their names in the source, which the compiler puts before the types
/// of their parameters.
fn functions(module: &Module) -> HashMap<String, Word> {
    let defined: HashSet<Word> = module
        .functions
        .iter()
        .filter_map(Function::def_id)
        .collect();
    let named = module.debug_names.iter().filter_map(|name| {
        let (Some(Operand::IdRef(of)), Some(Operand::LiteralString(text))) =
            (name.operands.first(), name.operands.get(1))
        else {
            return None;
        };
        let text = text.split('(').next().unwrap_or_default();
        defined.contains(of).then(|| (text.to_owned(), *of))
    });
    named.collect()
}

/// Leaves out names, variables that no function uses, and what is said of them and
/// of functions that are gone.
fn strip(module: &mut Module) {
    module.debug_names.clear();
    module.debug_string_source.clear();
    let used: HashSet<Word> = module
        .functions
        .iter()
        .flat_map(Function::all_inst_iter)
        .flat_map(|instruction| instruction.operands.iter())
        .filter_map(id)
        .collect();
    module.types_global_values.retain(|global| {
        let of = global.result_id.unwrap_or_default();
        global.class.opcode != Op::Variable || used.contains(&of)
    });
    let there: HashSet<Word> = module
        .types_global_values
        .iter()
        .chain(module.functions.iter().flat_map(Function::all_inst_iter))
        .filter_map(|instruction| instruction.result_id)
        .collect();
    let is_there = |operand: &Operand| id(operand).is_none_or(|of| there.contains(&of));
    module
        .annotations
        .retain(|note| note.operands.first().is_none_or(is_there));
    for entry in &mut module.entry_points {
        entry.operands.retain(is_there);
    }
}

/// Numbers the bindings without gaps: inputs, then outputs. An output may be the memory
/// of an input; without a word of it drivers are free to assume that it is not, and to
/// read an input again after its place was written.
fn bind(module: &mut Module, chain: &Chain) -> Result<(), Unlinkable> {
    let outputs = MAX_INPUTS..MAX_INPUTS + chain.outputs.len();
    let mut bound = Vec::with_capacity(chain.bindings());
    for note in &mut module.annotations {
        let [
            of,
            Operand::Decoration(Decoration::Binding),
            Operand::LiteralBit32(binding),
        ] = note.operands.as_mut_slice()
        else {
            continue;
        };
        bound.push(of.clone());
        let number = *binding as usize;
        if outputs.contains(&number) {
            let place = chain.inputs.len() + number - MAX_INPUTS;
            *binding = u32::try_from(place).map_err(|_| missing("a binding"))?;
        } else if number >= chain.inputs.len() {
            return Err(Unlinkable(format!(
                "expected bindings of {} inputs and {} outputs, found {number}",
                chain.inputs.len(),
                chain.outputs.len()
            )));
        }
    }
    let aliased = |of| {
        let operands = vec![of, Operand::Decoration(Decoration::Aliased)];
        Instruction::new(Op::Decorate, None, None, operands)
    };
    module.annotations.extend(bound.into_iter().map(aliased));
    Ok(())
}

/// Makes the workgroup's size a constant: the template has it as the specialization
/// constant 0, and as an execution mode.
fn set_group_size(module: &mut Module, size: u32) -> Result<(), Unlinkable> {
    let is_size = |note: &&Instruction| {
        matches!(
            note.operands.as_slice(),
            [
                _,
                Operand::Decoration(Decoration::SpecId),
                Operand::LiteralBit32(0)
            ]
        )
    };
    let note = module.annotations.iter().find(is_size);
    let constant = note.and_then(|note| id(note.operands.first()?));
    let mut globals = module.types_global_values.iter_mut();
    let found = globals.find(|global| constant.is_some() && global.result_id == constant);
    let found = found.ok_or_else(|| missing("a workgroup size"))?;
    found.operands = vec![Operand::LiteralBit32(size)];
    for mode in &mut module.execution_modes {
        if let [_, Operand::ExecutionMode(ExecutionMode::LocalSize), x, ..] =
            mode.operands.as_mut_slice()
        {
            *x = Operand::LiteralBit32(size);
        }
    }
    Ok(())
}

fn id(operand: &Operand) -> Option<Word> {
    match operand {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    }
}

fn missing(what: &str) -> Unlinkable {
    Unlinkable(format!("expected {what} in the template, found none"))
}
