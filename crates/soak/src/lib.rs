//! What the programs that `cargo xtask soak` starts have in common: operands
//! whose sums are known, what the process takes of the machine, and findings.
#![allow(
    clippy::print_stdout,
    reason = "for command-line programs; the lint is for libraries"
)]

pub mod operands;
pub mod process;

/// Prints what was found about one promise, in the form that `cargo xtask
/// soak` reads: kept or not, the promise, what was found.
///
/// Returns whether it was kept.
pub fn finding(kept: bool, promise: &str, found: &str) -> bool {
    let verdict = if kept { "kept" } else { "BROKEN" };
    println!("finding\t{verdict}\t{promise}\t{found}");
    kept
}

/// The end of a program whose findings were all kept, or not.
///
/// # Errors
/// When one was not.
pub fn verdict(kept: &[bool]) -> anyhow::Result<()> {
    match kept.iter().filter(|kept| !**kept).count() {
        0 => Ok(()),
        broken => anyhow::bail!("{broken} of {} promises were not kept", kept.len()),
    }
}
