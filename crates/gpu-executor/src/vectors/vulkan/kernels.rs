//! The kernels of a device, each made when it is first wanted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use field_kernels::chain::{CONSTANT_WORDS, Chain, Layout, Template};
use field_kernels::families::ELEMENTWISE;
use field_kernels::{Arithmetic, Family, FieldId};
use vk_core::{DeviceCaps, Operation, OperationCache, OperationShape};

use super::choice::Choice;
use crate::Error;
use crate::vectors::runner::internal;

/// How many kernels are kept; the least recently used goes first.
const MOST_KERNELS: usize = 256;

/// What a kernel is made from.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Chain(FieldId, Arithmetic, Layout, Chain),
    // By the module's name.
    Module(&'static str),
}

/// Pipelines of one device.
pub(crate) struct Kernels {
    operations: OperationCache,
    // With the count of uses at its last one.
    made: HashMap<Key, (Arc<Operation>, u64)>,
    uses: u64,
    templates: HashMap<(FieldId, Arithmetic), Template>,
    choice: Choice,
    compiling: Duration,
}

impl Kernels {
    /// None yet, to be made by `operations`.
    pub(crate) fn new(operations: OperationCache, choice: Choice) -> Self {
        Self {
            operations,
            made: HashMap::new(),
            uses: 0,
            templates: HashMap::new(),
            choice,
            compiling: Duration::ZERO,
        }
    }

    /// What the device can do.
    pub(super) fn caps(&self) -> &DeviceCaps {
        self.operations.device().caps()
    }

    /// Changes which kernels are used from here on.
    pub(super) fn choose(&mut self, choice: Choice) {
        self.choice = choice;
    }

    /// How long kernels were linked and their pipelines made since this was last asked.
    pub(super) fn take_compiling(&mut self) -> Duration {
        std::mem::take(&mut self.compiling)
    }

    /// The kernel of a chain.
    pub(super) fn chain(&mut self, field: FieldId, chain: &Chain) -> Result<Arc<Operation>, Error> {
        let choice = self.choice.of_field(field);
        let arithmetic = match chain.products() {
            // Nothing is multiplied: what every device takes is compiled fastest.
            0 => Arithmetic::U32,
            _ => choice.arithmetic,
        };
        let layout = choice.layout(chain);
        let key = Key::Chain(field, arithmetic, layout, chain.clone());
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let begun = Instant::now();
        let words = self.template(field, arithmetic)?.link(chain, layout);
        let words = words.map_err(|error| internal(&format!("a chain that links ({error})")))?;
        let shape = OperationShape {
            bindings: chain.bindings(),
            push_constant_bytes: bytes(CONSTANT_WORDS),
            workgroup_size: layout.group_size,
        };
        self.make(key, &words, shape, begun)
    }

    /// The kernel of a module that is used as it is.
    pub(super) fn family(
        &mut self,
        family: &Family,
        field: FieldId,
    ) -> Result<Arc<Operation>, Error> {
        let arithmetic = self.choice.of_field(field).arithmetic;
        let module = family.module(field, arithmetic);
        let module = module.ok_or_else(|| internal("a module for every family and field"))?;
        let key = Key::Module(module.name);
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let shape = OperationShape {
            bindings: family.bindings,
            push_constant_bytes: bytes(family.constant_words),
            workgroup_size: family.group_size,
        };
        self.make(key, &module.words(), shape, Instant::now())
    }

    fn known(&mut self, key: &Key) -> Option<Arc<Operation>> {
        self.uses += 1;
        let (known, used) = self.made.get_mut(key)?;
        *used = self.uses;
        Some(Arc::clone(known))
    }

    fn make(
        &mut self,
        key: Key,
        words: &[u32],
        shape: OperationShape,
        begun: Instant,
    ) -> Result<Arc<Operation>, Error> {
        // SAFETY: a module of this library, as compiled or linked from such: tests
        // hold them all to the check of SPIR-V and to their shapes. What they ask
        // of the device was looked at when the arithmetic was chosen.
        let made = unsafe { self.operations.create(words, shape)? };
        self.compiling += begun.elapsed();
        if self.made.len() >= MOST_KERNELS {
            let oldest = self.made.iter().min_by_key(|(_, (_, used))| *used);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.and_then(|key| self.made.remove(&key));
        }
        self.made.insert(key, (Arc::clone(&made), self.uses));
        Ok(made)
    }

    fn template(&mut self, field: FieldId, arithmetic: Arithmetic) -> Result<&Template, Error> {
        use std::collections::hash_map::Entry;
        match self.templates.entry((field, arithmetic)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let module = ELEMENTWISE.module(field, arithmetic);
                let module = module.ok_or_else(|| internal("a template for every field"))?;
                let template = Template::parse(module.spirv);
                let template = template
                    .map_err(|error| internal(&format!("a template that parses ({error})")))?;
                Ok(place.insert(template))
            }
        }
    }
}

fn bytes(words: usize) -> u32 {
    u32::try_from(4 * words).unwrap_or(u32::MAX)
}
