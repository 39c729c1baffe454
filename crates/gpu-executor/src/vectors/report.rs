//! What a submission did.

use std::fmt;
use std::time::Duration;

use field_kernels::PRIME_FIELDS;

use super::{Arithmetic, ElementId};
use crate::{ChosenBy, Engine};

/// What a submission of a queue did.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorReport {
    /// Where it was computed.
    pub engine: Engine,
    /// Operations that the queue had recorded.
    pub operations: usize,
    /// Kernels that were run for them; on the CPU, passes over memory.
    pub kernels: usize,
    /// Which kernels an engine on a device goes by; `None` on the CPU.
    pub choice: Option<KernelChoice>,
    /// Zeros that inverses met; each became zero.
    pub zeros: u64,
    /// From the submission until it was found to be complete.
    pub total: Duration,
    /// Of that, linking chains into kernels and making their pipelines; zero where the
    /// engine had them, and on the CPU.
    pub compile: Duration,
    /// On the device, by its clock; `None` unless the backend was built with
    /// `timestamps(true)`, and on the CPU.
    pub device_time: Option<Duration>,
}

/// Which of several kernels for the same an engine on a device goes by.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelChoice {
    /// How products are computed in each of the prime fields.
    pub(super) arithmetic: [Arithmetic; PRIME_FIELDS.len()],
    /// What decided that, and how memory is read and written, as far as no setting did.
    pub chosen_by: ChosenBy,
    /// What was chosen first and multiplies wrongly on this device, in which field;
    /// empty on a device that works.
    pub passed_over: Vec<(ElementId, Arithmetic)>,
}

impl KernelChoice {
    /// How products are computed in a field: in an extension, those of its coordinates.
    #[must_use]
    pub fn arithmetic(&self, field: ElementId) -> Arithmetic {
        self.arithmetic[field.prime()]
    }
}

impl fmt::Display for KernelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, field) in PRIME_FIELDS.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", field.title(), self.arithmetic(*field))?;
        }
        write!(f, " {}", self.chosen_by)?;
        for (field, wrong) in &self.passed_over {
            write!(f, ", not {wrong}: wrong products in {}", field.name())?;
        }
        Ok(())
    }
}

impl fmt::Display for VectorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} by {} in {:.3?} on {}",
            counted(self.operations, "operation"),
            counted(self.kernels, "kernel"),
            self.total,
            self.engine
        )?;
        if let Some(time) = self.device_time {
            write!(f, ", {time:.3?} on the device")?;
        }
        if self.compile > Duration::ZERO {
            write!(f, ", {:.3?} of it compiling", self.compile)?;
        }
        if let Some(choice) = &self.choice {
            write!(f, "; {choice}")?;
        }
        if self.zeros > 0 {
            let zeros = if self.zeros == 1 { "zero" } else { "zeros" };
            write!(f, ", {} {zeros} inverted to zero", self.zeros)?;
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
