//! Entry point, bindings, push constants and workgroup size of a module.

use std::ffi::CString;

use rspirv::spirv::{BuiltIn, Decoration, ExecutionMode, ExecutionModel, StorageClass};

use super::module::{EntryPoint, Module, Variable};
use super::types::{Kind, Scalar};
use super::uses::Uses;
use super::{BINDING_OUT, BINDINGS, KernelInterface};
use crate::Error;

/// Reads the interface, with `words` empty.
pub(super) fn read(module: &Module<'_>) -> Result<KernelInterface, Error> {
    let entry = entry_point(module)?;
    if !module.functions.contains_key(&entry.function) {
        return Err(Error::spirv(format!(
            "expected a function as entry point, found %{}",
            entry.function
        )));
    }
    let uses = Uses::of(module, entry.function);
    let (workgroup_size, local_size_id) = workgroup_size(module, entry)?;
    let mut found = KernelInterface {
        words: Vec::new(),
        entry_point: CString::new(entry.name.as_slice()).unwrap_or_default(),
        workgroup_size,
        push_constant_bytes: 0,
        shared_memory_bytes: 0,
        inputs_read_only: true,
        local_size_id,
        scalar_layout: false,
        zeroed_shared_memory: false,
        float_atomics: uses.float_atomics,
        extended_subgroups: uses.extended_subgroups,
    };
    let mut has_output = false;
    for variable in &module.variables {
        if uses.variables.contains(&variable.id) {
            found.add(module, variable)?;
        }
        // A kernel may leave its output alone.
        has_output |= place(module, variable) == (Some(0), Some(BINDING_OUT));
    }
    match has_output {
        true => Ok(found),
        false => Err(Error::kernel(
            "expected a storage buffer at set 0, binding 2 (the output), found none",
        )),
    }
}

/// The compute entry point `main`, or the only one that there is.
fn entry_point<'m>(module: &'m Module<'_>) -> Result<&'m EntryPoint, Error> {
    let compute = |entry: &&EntryPoint| entry.model == ExecutionModel::GLCompute as u32;
    let mut found = module.entry_points.iter().filter(compute);
    if let Some(main) = found.clone().find(|entry| entry.name == b"main") {
        return Ok(main);
    }
    if let (Some(only), None) = (found.next(), found.next()) {
        return Ok(only);
    }
    let names = module.entry_points.iter().map(|entry| {
        let name = String::from_utf8_lossy(&entry.name);
        match ExecutionModel::from_u32(entry.model) {
            Some(model) => format!("{model:?} `{name}`"),
            None => format!("model {} `{name}`", entry.model),
        }
    });
    let names: Vec<_> = names.collect();
    Err(Error::kernel(format!(
        "expected a compute entry point (GLCompute) named `main`, or a single one, found {}",
        match names.is_empty() {
            true => "no entry point".to_owned(),
            false => names.join(", "),
        }
    )))
}

fn place(module: &Module<'_>, variable: &Variable) -> (Option<u32>, Option<u32>) {
    let facts = module.decorations.of(variable.id);
    (
        facts.value(Decoration::DescriptorSet),
        facts.value(Decoration::Binding),
    )
}

impl KernelInterface {
    /// Takes note of a variable that the entry point uses.
    fn add(&mut self, module: &Module<'_>, variable: &Variable) -> Result<(), Error> {
        match variable.class {
            Some(StorageClass::Private | StorageClass::Function) => Ok(()),
            Some(StorageClass::Workgroup) => {
                let of = variable.of.and_then(|of| module.types.get(of));
                let bytes = u32::try_from(of.map_or(0, |of| of.packed)).unwrap_or(u32::MAX);
                self.shared_memory_bytes = self.shared_memory_bytes.saturating_add(bytes);
                self.zeroed_shared_memory |= variable.initializer != 0;
                Ok(())
            }
            Some(StorageClass::Input) => input(module, variable),
            Some(StorageClass::PushConstant) => self.push_constants(module, variable),
            Some(StorageClass::StorageBuffer | StorageClass::Uniform) => {
                self.buffer(module, variable)
            }
            Some(other) => Err(Error::kernel(format!(
                "expected storage buffers and push constants only, found a variable of storage class {other:?}"
            ))),
            None => Err(Error::kernel(
                "expected storage buffers and push constants only, found a variable of an unknown storage class",
            )),
        }
    }

    fn buffer(&mut self, module: &Module<'_>, variable: &Variable) -> Result<(), Error> {
        let (Some(set), Some(binding)) = place(module, variable) else {
            return Err(Error::spirv(format!(
                "expected a set and a binding on the buffer %{}, found {:?}",
                variable.id,
                place(module, variable)
            )));
        };
        let inside = usize::try_from(binding).is_ok_and(|binding| binding < BINDINGS);
        if set != 0 || !inside {
            return Err(Error::kernel(format!(
                "expected buffers at set 0, bindings 0 (A), 1 (B) and 2 (output); found set {set}, binding {binding}"
            )));
        }
        let id = variable.of.unwrap_or_default();
        let block = module.types.get(id);
        let Some(Kind::Struct { members }) = block.map(|block| block.kind) else {
            return Err(Error::kernel(format!(
                "expected a storage buffer block at binding {binding}, found an array of blocks or something else"
            )));
        };
        // Before SPIR-V 1.3 a storage buffer is a Uniform variable whose struct
        // is a BufferBlock.
        let storage = variable.class == Some(StorageClass::StorageBuffer)
            || module.decorations.of(id).has(Decoration::BufferBlock);
        if !storage {
            return Err(Error::kernel(format!(
                "expected a storage buffer at binding {binding}, found a uniform buffer"
            )));
        }
        let mut members = (0..).zip(members);
        let promised = module
            .decorations
            .of(variable.id)
            .has(Decoration::NonWritable)
            || members.all(|(member, _)| {
                module
                    .decorations
                    .of_member(id, member)
                    .has(Decoration::NonWritable)
            });
        self.inputs_read_only &= promised || binding == BINDING_OUT;
        self.scalar_layout |= block.is_some_and(|block| block.scalar_layout);
        Ok(())
    }

    fn push_constants(&mut self, module: &Module<'_>, variable: &Variable) -> Result<(), Error> {
        let block = variable.of.and_then(|of| module.types.get(of));
        let first = block.and_then(|block| block.first);
        if first != Some(Scalar::Int(32)) {
            return Err(Error::kernel(format!(
                "expected a 32-bit integer at the start of the push constant block (the element count), found {first:?}"
            )));
        }
        let bytes = block.and_then(|block| block.extent);
        // Vulkan takes push constant ranges in multiples of 4 bytes.
        let bytes = bytes.and_then(|bytes| bytes.checked_next_multiple_of(4));
        let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok());
        let Some(bytes) = bytes else {
            return Err(Error::kernel(
                "expected a push constant block of known size and below 4 GiB, found another",
            ));
        };
        self.push_constant_bytes = self.push_constant_bytes.max(bytes);
        self.scalar_layout |= block.is_some_and(|block| block.scalar_layout);
        Ok(())
    }
}

/// Checks that an input is what a compute kernel can have: a built-in.
fn input(module: &Module<'_>, variable: &Variable) -> Result<(), Error> {
    let facts = module.decorations.of(variable.id);
    let id = variable.of.unwrap_or_default();
    let by_members = match module.types.get(id).map(|of| of.kind) {
        Some(Kind::Struct { members }) => (0..).zip(members).all(|(member, _)| {
            module
                .decorations
                .of_member(id, member)
                .has(Decoration::BuiltIn)
        }),
        _ => false,
    };
    match facts.has(Decoration::BuiltIn) || by_members {
        true => Ok(()),
        false => Err(Error::spirv(format!(
            "expected built-ins as inputs of a compute entry point, found %{} without BuiltIn",
            variable.id
        ))),
    }
}

/// The workgroup's invocations along x, and whether `LocalSizeId` is used.
///
/// A constant decorated `WorkgroupSize` overrides the execution mode.
fn workgroup_size(module: &Module<'_>, entry: &EntryPoint) -> Result<(u32, bool), Error> {
    let (mut size, mut by_id) = (None, false);
    for words in &module.modes {
        let [function, mode, parts @ ..] = words else {
            continue;
        };
        match ExecutionMode::from_u32(*mode) {
            _ if *function != entry.function => {}
            Some(ExecutionMode::LocalSize) => {
                size = Some(parts.iter().map(|part| Some(u64::from(*part))).collect());
            }
            Some(ExecutionMode::LocalSizeId) => {
                by_id = true;
                let parts = parts.iter().map(|part| module.constants.scalar(*part));
                size = Some(parts.collect());
            }
            _ => {}
        }
    }
    let built_in = module.decorations.built_in(BuiltIn::WorkgroupSize as u32);
    // Of several, which is not valid, always the same one.
    if let Some(id) = built_in.max() {
        size = Some(module.constants.vector(id));
    }
    let found: Option<Vec<u64>> = size.unwrap_or_else(|| Some(Vec::new()));
    match found.as_deref() {
        Some([x, 1, 1]) if *x > 0 => Ok((u32::try_from(*x).unwrap_or(u32::MAX), by_id)),
        Some([]) => Err(Error::spirv(
            "expected a workgroup size (LocalSize, LocalSizeId or WorkgroupSize), found none",
        )),
        Some(other) => Err(Error::kernel(format!(
            "expected a workgroup of N x 1 x 1 invocations, found {other:?}"
        ))),
        None => Err(Error::kernel(
            "expected a workgroup of N x 1 x 1 invocations, found a size that is no constant of integers",
        )),
    }
}
