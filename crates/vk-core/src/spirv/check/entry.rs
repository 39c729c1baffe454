//! Header, extensions, memory model, names and entry points.

use std::collections::HashSet;

use rspirv::dr::{Module, Operand};
use rspirv::spirv::{
    AddressingModel, Capability, ExecutionMode, ExecutionModel, MemoryModel, Op, StorageClass, Word,
};

use super::types::Type;
use super::{At, Context};
use crate::Error;

/// The extensions whose features the library enables or that need none.
const EXTENSIONS: [&str; 6] = [
    "SPV_KHR_storage_buffer_storage_class",
    "SPV_KHR_variable_pointers",
    "SPV_KHR_16bit_storage",
    "SPV_KHR_8bit_storage",
    "SPV_KHR_vulkan_memory_model",
    "SPV_KHR_non_semantic_info",
];
/// The one set of extended instructions that drivers must know.
pub(super) const GLSL: &str = "GLSL.std.450";
/// Sets with this prefix mean nothing to a driver.
pub(super) const NON_SEMANTIC: &str = "NonSemantic.";

/// The functions that entry points name.
pub(super) fn functions(module: &Module) -> HashSet<Word> {
    let entries = module.entry_points.iter();
    let named = entries.filter_map(|entry| match entry.operands.get(1) {
        Some(Operand::IdRef(id)) => Some(*id),
        _ => None,
    });
    named.collect()
}

/// Checks what stands before the declarations.
pub(super) fn check_preamble(cx: &Context<'_>) -> Result<(), Error> {
    extensions(cx)?;
    memory_model(cx)?;
    for i in &cx.module.debug_names {
        let at = At { i };
        let target = at.id(0)?;
        let target = at.blame(cx.ids.get(target))?.instruction;
        if i.class.opcode == Op::MemberName {
            let member = at.literal(1)? as usize;
            let is_struct = target.class.opcode == Op::TypeStruct;
            if !is_struct || member >= target.operands.len() {
                return Err(at.wrong(format!("expected a member of a struct, found {member}")));
            }
        }
    }
    for i in &cx.module.debug_string_source {
        let at = At { i };
        let files = i.operands.iter().filter_map(|operand| match operand {
            Operand::IdRef(id) => Some(*id),
            _ => None,
        });
        for file in files {
            if at.blame(cx.ids.get(file))?.instruction.class.opcode != Op::String {
                return Err(at.wrong(format!("expected an OpString, found %{file}")));
            }
        }
    }
    Ok(())
}

fn extensions(cx: &Context<'_>) -> Result<(), Error> {
    for i in &cx.module.extensions {
        match i.operands.first() {
            Some(Operand::LiteralString(name)) if EXTENSIONS.contains(&name.as_str()) => {}
            found => {
                return Err(
                    At { i }.wrong(format!("expected one of {EXTENSIONS:?}, found {found:?}"))
                );
            }
        }
    }
    for i in &cx.module.ext_inst_imports {
        match i.operands.first() {
            Some(Operand::LiteralString(name))
                if name == GLSL || name.starts_with(NON_SEMANTIC) => {}
            found => {
                return Err(At { i }.wrong(format!(
                    "expected {GLSL:?} or a set named {NON_SEMANTIC:?}..., found {found:?}"
                )));
            }
        }
    }
    if !cx.has(Capability::Shader) {
        return Err(Error::spirv("expected the capability Shader, found none"));
    }
    Ok(())
}

fn memory_model(cx: &Context<'_>) -> Result<(), Error> {
    let operands = cx.module.memory_model.as_ref().map(|i| &i.operands[..]);
    let wanted = match cx.has(Capability::VulkanMemoryModel) {
        true => MemoryModel::Vulkan,
        false => MemoryModel::GLSL450,
    };
    match operands {
        Some(
            [
                Operand::AddressingModel(AddressingModel::Logical),
                Operand::MemoryModel(model),
            ],
        ) if *model == wanted => Ok(()),
        found => Err(Error::spirv(format!(
            "expected the memory model Logical {wanted:?}, found {found:?}"
        ))),
    }
}

/// Checks the entry points and their execution modes, once the functions are
/// known to be sound.
pub(super) fn check_entry_points(cx: &Context<'_>) -> Result<(), Error> {
    let mut names = HashSet::new();
    let mut inputs = HashSet::new();
    for i in &cx.module.entry_points {
        let at = At { i };
        let (function, name, interface) = match i.operands.as_slice() {
            [
                Operand::ExecutionModel(ExecutionModel::GLCompute),
                Operand::IdRef(function),
                Operand::LiteralString(name),
                interface @ ..,
            ] => (*function, name, interface),
            found => {
                return Err(at.wrong(format!("expected a compute entry point, found {found:?}")));
            }
        };
        if !names.insert(name) {
            return Err(at.wrong(format!("expected each name once, found {name:?} twice")));
        }
        let found = at.blame(cx.ids.get(function))?.instruction;
        if found.class.opcode != Op::Function || !takes_and_returns_nothing(cx, At { i: found })? {
            return Err(at.wrong(format!(
                "expected a function that takes and returns nothing, found %{function}"
            )));
        }
        let mut listed = HashSet::new();
        for number in 0..interface.len() {
            let id = at.id(3 + number)?;
            let variable = at.blame(cx.ids.get(id))?;
            let is_global =
                variable.instruction.class.opcode == Op::Variable && variable.place.function == 0;
            let class = variable.instruction.operands.first();
            let is_input = class == Some(&Operand::StorageClass(StorageClass::Input));
            if !is_global || !(is_input || cx.version >= (1, 4)) || !listed.insert(id) {
                return Err(at.wrong(format!(
                    "expected its interface to list inputs (from SPIR-V 1.4 on: global variables), each once; found %{id}"
                )));
            }
            inputs.insert(id);
        }
    }
    for i in &cx.module.types_global_values {
        let input = i.operands.first() == Some(&Operand::StorageClass(StorageClass::Input));
        let listed = inputs.contains(&i.result_id.unwrap_or_default());
        if i.class.opcode == Op::Variable && input && !listed {
            return Err(At { i }.wrong("expected every input in an entry point's interface"));
        }
    }
    execution_modes(cx)
}

fn takes_and_returns_nothing<'m>(cx: &Context<'m>, function: At<'m>) -> Result<bool, Error> {
    let kind = cx.kind(function.id(1)?)?;
    Ok(match kind {
        Type::Function { result, parameters } => {
            parameters.is_empty() && cx.kind(result)? == Type::Void
        }
        _ => false,
    })
}

fn execution_modes(cx: &Context<'_>) -> Result<(), Error> {
    let mut sized = HashSet::new();
    for i in &cx.module.execution_modes {
        let at = At { i };
        let function = at.id(0)?;
        if !cx.entries.contains(&function) {
            return Err(at.wrong(format!("expected an entry point, found %{function}")));
        }
        match (i.class.opcode, i.operands.get(1)) {
            (Op::ExecutionMode, Some(Operand::ExecutionMode(ExecutionMode::LocalSize))) => {}
            (_, Some(Operand::ExecutionMode(ExecutionMode::LocalSizeId))) => {
                for number in 2..5 {
                    let id = at.id(number)?;
                    if cx.constants.value(id).is_none() {
                        return Err(at.wrong(format!("expected a constant, found %{id}")));
                    }
                }
            }
            (_, found) => {
                return Err(at.wrong(format!(
                    "expected LocalSize or LocalSizeId, found {found:?}"
                )));
            }
        }
        if !sized.insert(function) {
            return Err(at.wrong("expected one workgroup size for each entry point, found two"));
        }
    }
    Ok(())
}
