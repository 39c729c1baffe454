//! What an entry point uses ("static use"): Vulkan's rules are about that, not about
//! all that a module declares.

use std::collections::{HashMap, HashSet};

use rspirv::spirv::Op;

use super::grammar::each_id;
use super::module::Module;
use super::types::Scalar;
use super::words::Instruction;

/// What a function, and all that it calls, use.
#[derive(Default)]
pub(super) struct Uses {
    /// Variables outside of functions, by id.
    pub(super) variables: HashSet<u32>,
    /// Atomic operations on floats, which no capability stands for.
    pub(super) float_atomics: bool,
    /// Operations of subgroups on 8-, 16- and 64-bit integers and 16-bit floats.
    pub(super) extended_subgroups: bool,
}

impl Uses {
    pub(super) fn of(module: &Module<'_>, entry: u32) -> Self {
        let variables = module.variables.iter().map(|known| (known.id, known));
        let variables: HashMap<_, _> = variables.collect();
        let mut uses = Self::default();
        let (mut seen, mut open) = (HashSet::from([entry]), vec![entry]);
        while let Some(function) = open.pop() {
            let Some(range) = module.functions.get(&function) else {
                continue;
            };
            for i in &module.instructions[range.clone()] {
                if is_debug(module, i) {
                    continue;
                }
                uses.note(module, i);
                each_id(i, |id| {
                    if variables.contains_key(&id) {
                        uses.variables.insert(id);
                    } else if module.functions.contains_key(&id) && seen.insert(id) {
                        open.push(id);
                    }
                });
            }
        }
        // A variable may hold a pointer to another one from the start.
        let mut open: Vec<_> = uses.variables.iter().copied().collect();
        while let Some(id) = open.pop() {
            let held = variables.get(&id).map_or(0, |known| known.initializer);
            if variables.contains_key(&held) && uses.variables.insert(held) {
                open.push(held);
            }
        }
        uses
    }

    fn note(&mut self, module: &Module<'_>, i: &Instruction<'_>) {
        let scalar = |kind: Option<&u32>| kind.and_then(|kind| module.types.component(*kind));
        let of_value = |id: u32| scalar(module.value_types.get(&id));
        match i.op {
            Some(Op::AtomicLoad | Op::AtomicExchange) => {
                let of = scalar(Some(&i.word(0)));
                self.float_atomics |= matches!(of, Some(Scalar::Float(_)));
            }
            Some(Op::AtomicStore) => {
                let of = of_value(i.word(3));
                self.float_atomics |= matches!(of, Some(Scalar::Float(_)));
            }
            Some(op) if is_subgroup(op) => {
                let of = match op {
                    Op::GroupNonUniformAllEqual => of_value(i.word(3)),
                    _ => scalar(Some(&i.word(0))),
                };
                self.extended_subgroups |=
                    matches!(of, Some(Scalar::Int(8 | 16 | 64) | Scalar::Float(16)));
            }
            _ => {}
        }
    }
}

fn is_subgroup(op: Op) -> bool {
    (Op::GroupNonUniformElect as u32..=Op::GroupNonUniformQuadSwap as u32).contains(&(op as u32))
}

/// Whether `i` is an instruction of a set of debug information, which names variables
/// without using them.
fn is_debug(module: &Module<'_>, i: &Instruction<'_>) -> bool {
    let set = module.sets.get(&i.word(2));
    let debug = |set: &String| set != super::requirements::GLSL;
    i.op == Some(Op::ExtInst) && set.is_some_and(debug)
}
