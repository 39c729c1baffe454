//! Runs the cases of EIP-2537 (additions, products and multi-scalar multiplications of G1 and
//! G2, and what must be refused) on the device and on the CPU, and says how many passed.
//!
//! `cargo run --release -p gpu-executor --example eip2537 -- FILE.json`, with a file laid out
//! like `tests/vectors/eip2537.json`: by operation a list of cases with `Name`, `Input`, and
//! `Expected` or `ExpectedError`.
#![allow(clippy::print_stdout, reason = "a command-line program")]

mod cases;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use gpu_executor::vectors::VectorEngine;

#[derive(Parser)]
struct Options {
    /// The file of cases.
    file: PathBuf,
    /// Only on the CPU.
    #[arg(long)]
    cpu: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let text = std::fs::read_to_string(&options.file);
    let text = text.with_context(|| options.file.display().to_string())?;
    let operations = cases::read(&text)?;
    let mut engines = vec![VectorEngine::cpu()?];
    if !options.cpu {
        engines.insert(0, VectorEngine::new()?);
    }
    let mut all_passed = true;
    for engine in engines {
        println!("{}", engine.engine());
        for (operation, cases) in &operations {
            let mut passed = 0;
            for case in cases {
                match case.check(&engine, operation) {
                    Ok(()) => passed += 1,
                    Err(error) => println!("  {operation}, {}: {error:#}", case.name),
                }
            }
            println!("  {operation}: {passed} of {} passed", cases.len());
            all_passed &= passed == cases.len();
        }
    }
    Ok(match all_passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
