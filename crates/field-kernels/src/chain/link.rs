//! From a chain and its template to a module.

mod body;
mod edit;

use std::collections::{HashMap, HashSet};

use rspirv::binary::Assemble as _;
use rspirv::dr::{Function, Module, Operand};
use rspirv::spirv::{Op, Word};

use super::{Chain, Layout, MemoryAccess, Unlinkable};
use body::Body;

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
        let module = load(spirv)?;
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
    /// [`super::MAX_INPUTS`] + 1 on those of the outputs.
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
        let areas = body.areas_used();
        let main = body.finish();
        let mut module = self.module.clone();
        let header = module.header.as_mut();
        header.ok_or_else(|| missing("a header"))?.bound = main.bound;
        module.types_global_values.extend(main.constants);
        module.functions = self.reachable(main.function);
        edit::strip(&mut module);
        edit::bind(&mut module, chain)?;
        edit::set_group_size(&mut module, layout.group_size)?;
        edit::set_areas(&mut module, areas)?;
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
                .ok_or_else(|| missing_function(name))
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

/// The words of a module with workgroups of so many invocations: it leaves that open, as a
/// template does.
pub(crate) fn in_groups_of(spirv: &[u8], invocations: u32) -> Result<Vec<u32>, Unlinkable> {
    let mut module = load(spirv)?;
    edit::set_group_size(&mut module, invocations)?;
    Ok(module.assemble())
}

fn load(spirv: &[u8]) -> Result<Module, Unlinkable> {
    rspirv::dr::load_bytes(spirv)
        .map_err(|error| Unlinkable(format!("expected a SPIR-V module, found: {error}")))
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

fn id(operand: &Operand) -> Option<Word> {
    match operand {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    }
}

/// Of an operation's row, when it is new.
fn missing_function(name: &str) -> Unlinkable {
    let Unlinkable(missing) = missing(&format!("function `{name}`"));
    Unlinkable(format!(
        "{missing}: does `main` of shaders/elementwise.comp call it, and was it compiled since \
         (cargo xtask shaders)?"
    ))
}

fn missing(what: &str) -> Unlinkable {
    Unlinkable(format!("expected {what} in the template, found none"))
}
