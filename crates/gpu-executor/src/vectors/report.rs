//! What a submission did.

use std::fmt;
use std::time::Duration;

use crate::Engine;

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
    /// Zeros that inverses met; each became zero.
    pub zeros: u64,
    /// From the submission until it was found to be complete.
    pub total: Duration,
    /// On the device, by its clock; `None` unless the backend was built with
    /// `timestamps(true)`, and on the CPU.
    pub device_time: Option<Duration>,
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
