//! The opcodes that a compute kernel needs, and where in a module each stands.
//!
//! What is not listed is refused. A compiler for kernels emits nothing else
//! (images, geometry, ray tracing and `Kernel` are not for this interface),
//! and each opcode here has a rule in this folder.

use rspirv::spirv::Op;

/// The parts of a module, in the order that SPIR-V wants them ("Logical
/// Layout of a Module").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Capabilities,
    Extensions,
    Imports,
    MemoryModel,
    EntryPoints,
    ExecutionModes,
    DebugStrings,
    DebugNames,
    ModuleProcessed,
    Annotations,
    Declarations,
    Functions,
}

/// Where `op` stands; `None` for an opcode that is refused.
///
/// `OpVariable` and `OpUndef` stand among the declarations and in functions,
/// `OpLine` and `OpNoLine` anywhere from the declarations on: for them this
/// names the first of the two.
pub(super) fn section(op: Op) -> Option<Section> {
    Some(match op {
        Op::Capability => Section::Capabilities,
        Op::Extension => Section::Extensions,
        Op::ExtInstImport => Section::Imports,
        Op::MemoryModel => Section::MemoryModel,
        Op::EntryPoint => Section::EntryPoints,
        Op::ExecutionMode | Op::ExecutionModeId => Section::ExecutionModes,
        Op::String | Op::Source | Op::SourceExtension | Op::SourceContinued => {
            Section::DebugStrings
        }
        Op::Name | Op::MemberName => Section::DebugNames,
        Op::ModuleProcessed => Section::ModuleProcessed,
        Op::Decorate | Op::MemberDecorate => Section::Annotations,
        op if is_type(op) || is_constant(op) => Section::Declarations,
        Op::Variable | Op::Undef | Op::Line | Op::NoLine => Section::Declarations,
        op if is_structure(op) || is_memory(op) || is_computation(op) || is_group(op) => {
            Section::Functions
        }
        _ => return None,
    })
}

pub(super) fn is_type(op: Op) -> bool {
    matches!(
        op,
        Op::TypeVoid
            | Op::TypeBool
            | Op::TypeInt
            | Op::TypeFloat
            | Op::TypeVector
            | Op::TypeMatrix
            | Op::TypeArray
            | Op::TypeRuntimeArray
            | Op::TypeStruct
            | Op::TypePointer
            | Op::TypeFunction
    )
}

pub(super) fn is_constant(op: Op) -> bool {
    matches!(
        op,
        Op::ConstantTrue
            | Op::ConstantFalse
            | Op::Constant
            | Op::ConstantComposite
            | Op::ConstantNull
            | Op::SpecConstantTrue
            | Op::SpecConstantFalse
            | Op::SpecConstant
            | Op::SpecConstantComposite
            | Op::SpecConstantOp
    )
}

/// Functions, blocks and what leads from one block to the next.
fn is_structure(op: Op) -> bool {
    is_terminator(op)
        || matches!(
            op,
            Op::Function
                | Op::FunctionParameter
                | Op::FunctionEnd
                | Op::FunctionCall
                | Op::Label
                | Op::SelectionMerge
                | Op::LoopMerge
                | Op::Phi
                | Op::Nop
        )
}

pub(super) fn is_terminator(op: Op) -> bool {
    matches!(
        op,
        Op::Branch
            | Op::BranchConditional
            | Op::Switch
            | Op::Return
            | Op::ReturnValue
            | Op::Unreachable
    )
}

fn is_memory(op: Op) -> bool {
    matches!(
        op,
        Op::Load
            | Op::Store
            | Op::CopyMemory
            | Op::AccessChain
            | Op::InBoundsAccessChain
            | Op::PtrAccessChain
            | Op::ArrayLength
            | Op::ControlBarrier
            | Op::MemoryBarrier
    ) || is_atomic(op)
}

pub(super) fn is_atomic(op: Op) -> bool {
    matches!(
        op,
        Op::AtomicLoad
            | Op::AtomicStore
            | Op::AtomicExchange
            | Op::AtomicCompareExchange
            | Op::AtomicIIncrement
            | Op::AtomicIDecrement
            | Op::AtomicIAdd
            | Op::AtomicISub
            | Op::AtomicSMin
            | Op::AtomicUMin
            | Op::AtomicSMax
            | Op::AtomicUMax
            | Op::AtomicAnd
            | Op::AtomicOr
            | Op::AtomicXor
    )
}

/// What turns values into a value.
fn is_computation(op: Op) -> bool {
    use super::numeric::rule;
    rule(op).is_some()
        || matches!(
            op,
            Op::ExtInst
                | Op::Select
                | Op::CopyObject
                | Op::CopyLogical
                | Op::CompositeConstruct
                | Op::CompositeExtract
                | Op::CompositeInsert
                | Op::VectorShuffle
                | Op::VectorExtractDynamic
                | Op::VectorInsertDynamic
                | Op::Transpose
                | Op::VectorTimesScalar
                | Op::MatrixTimesScalar
                | Op::VectorTimesMatrix
                | Op::MatrixTimesVector
                | Op::MatrixTimesMatrix
                | Op::OuterProduct
        )
}

/// Operations over a subgroup.
pub(super) fn is_group(op: Op) -> bool {
    super::group::capability(op).is_some()
}
