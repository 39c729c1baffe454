//! Entry point, bindings, push constants and workgroup size of a module.

use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{BuiltIn, Decoration, ExecutionMode, ExecutionModel, Op, StorageClass, Word};

use super::module::{Index, too_large};
use super::{BINDING_OUT, BINDINGS, KernelInterface};
use crate::Error;

/// Reads the interface, without the bytes of shared memory.
pub(super) fn read(words: Vec<u32>, module: &Module) -> Result<KernelInterface, Error> {
    let index = Index::new(module);
    let entry = entry_point(module)?;
    let mut push_constant_bytes = 0;
    let (mut has_output, mut writes_inputs) = (false, false);
    for variable in &module.types_global_values {
        if variable.class.opcode != Op::Variable {
            continue;
        }
        match check_variable(&index, variable)? {
            Variable::Buffer { binding, read_only } => {
                let is_output = binding == BINDING_OUT;
                has_output |= is_output;
                writes_inputs |= !is_output && !read_only;
            }
            // Variables of several entry points start at the same offset.
            Variable::PushConstants(bytes) => push_constant_bytes = push_constant_bytes.max(bytes),
            Variable::Internal => {}
        }
    }
    if !has_output {
        return Err(Error::spirv(
            "expected a storage buffer at set 0, binding 2 (the output), found none",
        ));
    }
    let (size, local_size_id) = workgroup_size(module, &index, entry)?;
    let header = module.header.as_ref();
    Ok(KernelInterface {
        words,
        version: header.map(|header| header.version()).unwrap_or_default(),
        workgroup_size: size,
        push_constant_bytes,
        shared_memory_bytes: 0,
        local_size_id,
        inputs_read_only: !writes_inputs,
        capabilities: capabilities(module),
    })
}

fn capabilities(module: &Module) -> Vec<rspirv::spirv::Capability> {
    let operands = module
        .capabilities
        .iter()
        .filter_map(|i| i.operands.first());
    operands
        .filter_map(|operand| match operand {
            Operand::Capability(capability) => Some(*capability),
            _ => None,
        })
        .collect()
}

fn entry_point(module: &Module) -> Result<Word, Error> {
    let mut found = Vec::new();
    for entry in &module.entry_points {
        let [
            Operand::ExecutionModel(model),
            Operand::IdRef(id),
            Operand::LiteralString(name),
            ..,
        ] = entry.operands.as_slice()
        else {
            continue;
        };
        if *model == ExecutionModel::GLCompute && name == "main" {
            return Ok(*id);
        }
        found.push(format!("{model:?} `{name}`"));
    }
    Err(Error::spirv(format!(
        "expected a compute entry point (GLCompute) named `main`, found {}",
        if found.is_empty() {
            "no entry point".to_owned()
        } else {
            found.join(", ")
        }
    )))
}

enum Variable {
    /// A storage buffer, and whether the module promises not to write it.
    Buffer {
        binding: u32,
        read_only: bool,
    },
    PushConstants(u32),
    Internal,
}

fn check_variable(index: &Index<'_>, variable: &Instruction) -> Result<Variable, Error> {
    let Some(Operand::StorageClass(class)) = variable.operands.first() else {
        return Err(Error::spirv("a variable without a storage class"));
    };
    match class {
        StorageClass::Input
        | StorageClass::Output
        | StorageClass::Private
        | StorageClass::Function
        | StorageClass::Workgroup => Ok(Variable::Internal),
        StorageClass::PushConstant => push_constants(index, variable).map(Variable::PushConstants),
        StorageClass::StorageBuffer | StorageClass::Uniform => buffer(index, variable, *class),
        other => Err(Error::spirv(format!(
            "expected storage buffers and push constants only, found a variable of storage class {other:?}"
        ))),
    }
}

fn pointee<'m>(index: &Index<'m>, variable: &Instruction) -> Result<&'m Instruction, Error> {
    let pointer = index.get(variable.result_type.unwrap_or_default())?;
    match pointer.operands.as_slice() {
        [_, Operand::IdRef(id)] => index.get(*id),
        _ => Err(Error::spirv("a variable whose type is not a pointer")),
    }
}

fn buffer(
    index: &Index<'_>,
    variable: &Instruction,
    class: StorageClass,
) -> Result<Variable, Error> {
    let id = variable.result_id.unwrap_or_default();
    let place = |kind| index.literal(id, kind);
    let (set, binding) = (place(Decoration::DescriptorSet), place(Decoration::Binding));
    let (Some(set), Some(binding)) = (set, binding) else {
        return Err(Error::spirv(format!(
            "expected a set and a binding on buffer %{id}, found set {set:?}, binding {binding:?}"
        )));
    };
    let inside = usize::try_from(binding).is_ok_and(|binding| binding < BINDINGS);
    if set != 0 || !inside {
        return Err(Error::spirv(format!(
            "expected buffers at set 0, bindings 0 (A), 1 (B) and 2 (output); found set {set}, binding {binding}"
        )));
    }
    let block = pointee(index, variable)?;
    if block.class.opcode != Op::TypeStruct {
        return Err(Error::spirv(format!(
            "expected a storage buffer block at binding {binding}, found {:?}",
            block.class.opcode
        )));
    }
    let read_only = index.is_read_only(id, block);
    let block = block.result_id.unwrap_or_default();
    // Before SPIR-V 1.3 a storage buffer is a Uniform variable whose struct
    // is a BufferBlock.
    let storage =
        class == StorageClass::StorageBuffer || index.is_decorated(block, Decoration::BufferBlock);
    if !storage {
        return Err(Error::spirv(format!(
            "expected a storage buffer at binding {binding}, found a uniform buffer"
        )));
    }
    Ok(Variable::Buffer { binding, read_only })
}

fn push_constants(index: &Index<'_>, variable: &Instruction) -> Result<u32, Error> {
    let block = pointee(index, variable)?;
    let id = block.result_id.unwrap_or_default();
    let first = match (block.class.opcode, block.operands.first()) {
        (Op::TypeStruct, Some(Operand::IdRef(first))) => index.get(*first)?,
        (other, _) => {
            return Err(Error::spirv(format!(
                "expected a push constant block with a u32 as its first member, found {other:?}"
            )));
        }
    };
    let is_u32 = first.class.opcode == Op::TypeInt
        && first.operands.first() == Some(&Operand::LiteralBit32(32))
        && index.member_offset(id, 0)? == 0;
    if !is_u32 {
        return Err(Error::spirv(format!(
            "expected the first member of the push constant block to be a u32 at offset 0 (the element count), found {:?} {:?}",
            first.class.opcode, first.operands
        )));
    }
    // Vulkan takes push constant ranges in multiples of 4 bytes.
    let bytes = index.block_bytes(id)?.checked_next_multiple_of(4);
    bytes.ok_or_else(too_large)
}

/// The workgroup's invocations along x, and whether `LocalSizeId` gave them.
///
/// A constant decorated `WorkgroupSize` overrides the execution mode.
fn workgroup_size(module: &Module, index: &Index<'_>, entry: Word) -> Result<(u32, bool), Error> {
    let built_in = index
        .decorated(Decoration::BuiltIn)
        .find(|(_, operands)| *operands == [Operand::BuiltIn(BuiltIn::WorkgroupSize)]);
    if let Some((id, _)) = built_in {
        let parts = &index.get(id)?.operands;
        return along_x(&constants(index, parts)?).map(|x| (x, false));
    }
    for mode in &module.execution_modes {
        let [Operand::IdRef(of), Operand::ExecutionMode(mode), parts @ ..] =
            mode.operands.as_slice()
        else {
            continue;
        };
        match mode {
            _ if *of != entry => {}
            ExecutionMode::LocalSize => return along_x(&literals(parts)).map(|x| (x, false)),
            ExecutionMode::LocalSizeId => {
                return along_x(&constants(index, parts)?).map(|x| (x, true));
            }
            _ => {}
        }
    }
    Err(Error::spirv(
        "expected a workgroup size (LocalSize, LocalSizeId or WorkgroupSize), found none",
    ))
}

fn literals(parts: &[Operand]) -> Vec<u32> {
    let values = parts.iter().filter_map(|part| match part {
        Operand::LiteralBit32(value) => Some(*value),
        _ => None,
    });
    values.collect()
}

fn constants(index: &Index<'_>, parts: &[Operand]) -> Result<Vec<u32>, Error> {
    let ids = parts.iter().filter_map(|part| match part {
        Operand::IdRef(id) => Some(*id),
        _ => None,
    });
    ids.map(|id| index.constant(id)).collect()
}

fn along_x(size: &[u32]) -> Result<u32, Error> {
    match size {
        [x, 1, 1] if *x > 0 => Ok(*x),
        other => Err(Error::spirv(format!(
            "expected a workgroup of N x 1 x 1 invocations, found {other:?}"
        ))),
    }
}
