//! The error type of this crate.

use std::sync::Arc;

use field_kernels::PartialElement;
use vk_mem_paths::Refused;

use crate::kernels::LIMBS;

/// What a call to this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong in a call to this crate.
///
/// Calls that return [`anyhow::Result`] hold it too:
/// `error.downcast_ref::<gpu_executor::Error>()` gives it.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A job's slice does not have the length that `elements` asks for.
    #[error(
        "job {job}: expected {operand} of {expected} limbs ({} elements x {LIMBS}), found {found}",
        expected / LIMBS
    )]
    InvalidJob {
        /// The job's position in the batch, from 0.
        job: usize,
        /// `A`, `B` or `a result`.
        operand: &'static str,
        /// The expected length, in limbs.
        expected: usize,
        /// The length found, in limbs.
        found: usize,
    },
    /// An element of an input, a vector or a scalar is not below its field's modulus. Its
    /// `limb` is the highest in which it differs from the modulus, 0 for the modulus itself.
    #[error(
        "{0}, which makes it the modulus or more; docs/configuration.md tells \
         where the check can be switched off"
    )]
    NotCanonical(#[from] Refused),
    /// There is not one slice for results per job.
    #[error("expected {expected} slices for the results, one per job, found {found}")]
    InvalidResults {
        /// The number of jobs.
        expected: usize,
        /// The number of slices.
        found: usize,
    },
    /// The host buffers of a run do not hold equally many elements.
    #[error(
        "expected host buffers of equal length, found A of {a} elements, B of {b}, the output of {out}"
    )]
    UnequalHostBuffers {
        /// Elements of A.
        a: usize,
        /// Elements of B.
        b: usize,
        /// Elements of the output; 0 after a run that gave its memory up.
        out: usize,
    },
    /// `elements` is more than the address space can hold.
    #[error("expected at most {most} elements, found {elements}")]
    TooManyElements {
        /// The value passed.
        elements: usize,
        /// The largest value that a vector can have.
        most: usize,
    },
    /// An environment variable, a builder setting or an argument has a value
    /// that is not accepted.
    #[error("{variable}: expected {accepted}, found {value:?}")]
    Config {
        /// The variable, the setting or the argument.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        accepted: String,
    },
    /// The CPU engine was given a kernel that is not one of this library's.
    #[error(
        "the CPU engine runs no SPIR-V and knows only this library's kernels ({known}); \
         found a module of {bytes} bytes"
    )]
    UnknownKernelOnCpu {
        /// The names of the kernels it knows.
        known: String,
        /// The size of the module passed.
        bytes: usize,
    },
    /// There is no host memory for something.
    #[error("out of host memory: {requested} bytes for {purpose}")]
    OutOfHostMemory {
        /// What the memory is for.
        purpose: String,
        /// Bytes requested.
        requested: usize,
    },
    /// A vector has a point, or the encoding of one, that is refused.
    #[error("point {element}: expected one of {curve}, found {fault}")]
    InvalidPoint {
        /// The point's position, from 0.
        element: usize,
        /// The curve: `g1` or `g2`.
        curve: &'static str,
        /// Why.
        fault: crate::vectors::PointFault,
    },
    /// A slice of limbs or bytes is no whole number of elements, or not as long as a
    /// vector.
    #[error("{what}: expected {expected}, found {found} {unit}")]
    InvalidLength {
        /// Which slice.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// Its length.
        found: usize,
        /// What that counts: `limbs` or `bytes`.
        unit: &'static str,
    },
    /// Two vectors of one operation are not equally long.
    #[error("{operation}: expected vectors of equal length, found {left} and {right} elements")]
    UnequalVectors {
        /// The operation.
        operation: &'static str,
        /// Elements of the first vector.
        left: usize,
        /// Elements of the second.
        right: usize,
    },
    /// A vector is not in the form that an operation wants.
    #[error("{operation}: expected elements in {expected}, found {found}")]
    WrongForm {
        /// The operation.
        operation: &'static str,
        /// The form that it wants.
        expected: crate::vectors::Form,
        /// The form that it was given.
        found: crate::vectors::Form,
    },
    /// A vector has another length than an operation can take.
    #[error("{operation}: expected {expected}, found {found} elements")]
    WrongLength {
        /// The operation.
        operation: &'static str,
        /// What it takes.
        expected: &'static str,
        /// Elements of the vector.
        found: usize,
    },
    /// A number that an operation is given, other than a vector's length, is one that it
    /// cannot take.
    #[error("{operation}: expected {expected}, found {found}")]
    WrongNumber {
        /// The operation.
        operation: &'static str,
        /// What it takes.
        expected: String,
        /// The number.
        found: usize,
    },
    /// A vector is not made of rows as an operation takes them.
    #[error("{operation}: expected one or more rows of {row} elements, found {found} elements")]
    WrongRows {
        /// The operation.
        operation: &'static str,
        /// Elements of a row.
        row: usize,
        /// Elements of the vector.
        found: usize,
    },
    /// A vector is too long for an operation on this device.
    #[error("{operation}: expected {most} elements at most on this device, found {found}")]
    VectorTooLong {
        /// The operation.
        operation: &'static str,
        /// The most elements that it takes.
        most: usize,
        /// Elements of the vector.
        found: usize,
    },
    /// A part of a vector was asked for that it does not have.
    #[error("expected a range inside a vector of {elements} elements, found {start}..{end}")]
    OutOfRange {
        /// Elements of the vector.
        elements: usize,
        /// The range's start.
        start: usize,
        /// The range's end.
        end: usize,
    },
    /// A vector belongs to another engine than the one it was used with.
    #[error("{operation}: expected a vector of this engine, found one of another")]
    ForeignVector {
        /// The operation.
        operation: &'static str,
    },
    /// A vector was used whose queue was not submitted.
    #[error(
        "{operation}: expected a vector that was computed, or recorded in this queue; \
         found one of a queue that was not submitted"
    )]
    NotSubmitted {
        /// The operation.
        operation: &'static str,
    },
    /// A vector was used whose submission failed.
    #[error("{operation}: expected a vector that was computed, found one whose submission failed")]
    NotComputed {
        /// The operation.
        operation: &'static str,
        /// What the submission failed with.
        source: Arc<Error>,
    },
    /// A submission was left to the process that this one was forked from: nothing of it
    /// comes here.
    #[error(
        "expected a submission of this process, found one of the process that it was forked from"
    )]
    OtherProcess,
    /// One submission has more of something than it can hold.
    #[error("expected {most} {operation} at most, found {found}")]
    TooMany {
        /// Of what.
        operation: &'static str,
        /// How many it can hold.
        most: usize,
        /// How many it has.
        found: usize,
    },
    /// A device computed something else than the CPU: its driver is at fault.
    #[error("{device}: expected the results of the CPU, found others for {operation}")]
    WrongResults {
        /// The device.
        device: String,
        /// The operation.
        operation: &'static str,
    },
    /// A file of prepared bases cannot be written or read, or is another than was asked for.
    #[error("{}: {reason}", path.display())]
    BasesFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why: what was expected and what was found, or what the system said.
        reason: String,
    },
    /// A readback was taken from another submission than the one it belongs to.
    #[error("expected a readback of this submission, found one of another")]
    ForeignReadback,
    /// The Vulkan context reported it: loader, device, SPIR-V, submission.
    #[error(transparent)]
    Vulkan(#[from] vk_core::Error),
    /// The data path reported it: staging memory, threads.
    #[error(transparent)]
    DataPath(vk_mem_paths::Error),
}

impl From<PartialElement> for Error {
    fn from(PartialElement { each, found }: PartialElement) -> Self {
        Self::InvalidLength {
            what: "the limbs",
            expected: format!("a multiple of {each} limbs"),
            found,
            unit: "limbs",
        }
    }
}

impl From<vk_mem_paths::Error> for Error {
    fn from(error: vk_mem_paths::Error) -> Self {
        match error {
            vk_mem_paths::Error::Vulkan(error) => Self::Vulkan(error),
            vk_mem_paths::Error::Refused(refused) => Self::NotCanonical(refused),
            error => Self::DataPath(error),
        }
    }
}
