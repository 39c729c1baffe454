//! The kernels that an engine uses, each made when it is first wanted on its device.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use field_kernels::chain::{CONSTANT_WORDS, Chain, Template};
use field_kernels::vector_kernels::ELEMENTWISE;
use field_kernels::{Arithmetic, ElementId, VectorKernel};
use vk_core::{Compiler, ComputePipeline, DeviceCaps, PipelineShape};

use super::choice::Choice;
use crate::Error;
use crate::device::{KernelSource, VectorKernels};
use crate::vectors::runner::internal;

/// Finds kernels among those of the device, and makes what is not there.
pub(crate) struct Kernels {
    compiler: Arc<Compiler>,
    made: Arc<VectorKernels>,
    templates: HashMap<(ElementId, Arithmetic), Template>,
    choice: Choice,
    compiling: Duration,
}

impl Kernels {
    /// Those in `made`, and what `compiler` makes.
    pub(super) fn new(compiler: &Arc<Compiler>, made: Arc<VectorKernels>, choice: Choice) -> Self {
        Self {
            compiler: Arc::clone(compiler),
            made,
            templates: HashMap::new(),
            choice,
            compiling: Duration::ZERO,
        }
    }

    pub(super) fn caps(&self) -> &DeviceCaps {
        self.compiler.cache().device().caps()
    }

    /// Changes which kernels are used from here on.
    pub(super) fn choose(&mut self, choice: Choice) {
        self.choice = choice;
    }

    pub(super) fn arithmetic(&self, field: ElementId) -> Arithmetic {
        self.choice.of_field(field).arithmetic
    }

    /// How long kernels were linked and their pipelines made since this was last asked.
    pub(super) fn take_compiling(&mut self) -> Duration {
        std::mem::take(&mut self.compiling)
    }

    pub(super) fn chain(
        &mut self,
        field: ElementId,
        chain: &Chain,
    ) -> Result<Arc<ComputePipeline>, Error> {
        let choice = self.choice.of_field(field);
        let arithmetic = match chain.products() {
            // Nothing is multiplied: what every device takes is compiled fastest.
            0 => Arithmetic::U32,
            _ => choice.arithmetic,
        };
        let layout = choice.layout(chain, field);
        let source = KernelSource::Chain(field, arithmetic, layout, chain.clone());
        if let Some(known) = self.made.get(&source) {
            return Ok(known);
        }
        let begun = Instant::now();
        let words = self.template(field, arithmetic)?.link(chain, layout);
        let words = words.map_err(|error| internal(&format!("a chain that links ({error})")))?;
        let shape = PipelineShape {
            bindings: chain.bindings(),
            push_constant_bytes: bytes(CONSTANT_WORDS),
            workgroup_size: layout.group_size,
        };
        self.make(source, &words, shape, begun)
    }

    /// The kernel of a module with workgroups of `group_size` invocations: the module's own,
    /// or another that it leaves open.
    pub(super) fn whole(
        &mut self,
        kernel: &VectorKernel,
        field: ElementId,
        group_size: u32,
    ) -> Result<Arc<ComputePipeline>, Error> {
        let arithmetic = self.arithmetic(field);
        let module = kernel.module(field, arithmetic);
        let module = module.ok_or_else(|| internal("a module for every kernel and field"))?;
        let source = KernelSource::Module(module.name, group_size);
        if let Some(known) = self.made.get(&source) {
            return Ok(known);
        }
        let begun = Instant::now();
        let shape = PipelineShape {
            bindings: kernel.bindings,
            push_constant_bytes: bytes(kernel.constant_words),
            workgroup_size: group_size,
        };
        let words = match group_size == kernel.group_size {
            true => module.words(),
            false => module
                .words_in_groups_of(group_size)
                .map_err(|error| internal(&format!("workgroups of any size ({error})")))?,
        };
        self.make(source, &words, shape, begun)
    }

    fn make(
        &mut self,
        source: KernelSource,
        words: &[u32],
        shape: PipelineShape,
        begun: Instant,
    ) -> Result<Arc<ComputePipeline>, Error> {
        // SAFETY: a module of this library, as compiled or linked from such: tests
        // hold them all to the check of SPIR-V and to their shapes. What they ask
        // of the device was looked at when the arithmetic was chosen.
        let kernel = unsafe { self.compiler.make(words, shape)? };
        self.compiling += begun.elapsed();
        Ok(self.made.keep(source, kernel))
    }

    fn template(&mut self, field: ElementId, arithmetic: Arithmetic) -> Result<&Template, Error> {
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
