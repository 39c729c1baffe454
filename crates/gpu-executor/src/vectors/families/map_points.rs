//! Maps of points: rows of sums of the points of a row, each times an integer that is known
//! beforehand.

mod device;
mod stage;

pub(super) use device::{run, take_in};
pub(super) use stage::{Integer, Stage};
