//! `faults sweep`: the library under every fault of the driver.
//!
//! `count` and `judge` are what its child processes do; the layer must be
//! loaded in them (see `vk_faults::manifest`).

#![expect(clippy::print_stdout, reason = "a program that reports")]

use anyhow::Context;
use clap::{Parser, Subcommand};
use vk_faults::sweep::{self, Children, Scenario, Summary};

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Tries every fault, and fails when a promise was broken.
    Sweep {
        /// Only the first, the middle and the last call of each entry point.
        #[arg(long)]
        quick: bool,
        /// Only these scenarios; all without one.
        scenarios: Vec<String>,
    },
    /// Tries single faults (`call:index:result:mode`) in a scenario.
    Try {
        /// The scenario's name.
        scenario: String,
        /// The faults.
        faults: Vec<String>,
    },
    /// In a child: counts the calls of a scenario.
    #[command(hide = true)]
    Count { scenario: String },
    /// In a child: judges the faults of the standard input.
    #[command(hide = true)]
    Judge {
        scenario: String,
        /// What a run without a fault keeps on a shared device, in JSON.
        kept: String,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().action {
        Action::Sweep { quick, scenarios } => {
            let named = scenarios.iter().map(|name| find(name));
            let named: Vec<_> = named.collect::<Result<_, _>>()?;
            report(&match named.is_empty() {
                true => sweep::run(&children()?, quick)?,
                false => sweep::run_some(&children()?, &named, quick)?,
            })
        }
        Action::Try { scenario, faults } => {
            let faults = faults.iter().map(|fault| fault.parse());
            let faults = faults
                .collect::<Result<_, _>>()
                .map_err(anyhow::Error::msg)?;
            report(&children()?.trials(find(&scenario)?, faults)?)
        }
        Action::Count { scenario } => sweep::count(find(&scenario)?, std::io::stdout()),
        Action::Judge { scenario, kept } => {
            // Read as a whole: the runs take long, and the parent need not wait.
            let faults = std::io::read_to_string(std::io::stdin())?;
            let kept = serde_json::from_str(&kept)?;
            sweep::judge_all(find(&scenario)?, &kept, &faults, std::io::stdout())
        }
    }
}

fn children() -> anyhow::Result<Children> {
    Children::new(&std::env::current_exe()?)
}

fn find(name: &str) -> anyhow::Result<&'static Scenario> {
    Scenario::find(name).with_context(|| {
        let known: Vec<_> = sweep::SCENARIOS.iter().map(|known| known.name).collect();
        format!("expected a scenario of {known:?}, found {name:?}")
    })
}

fn report(trials: &[sweep::Trial]) -> anyhow::Result<()> {
    println!("{}", sweep::print(trials));
    let broken = Summary::of(trials).broken;
    anyhow::ensure!(broken == 0, "{broken} promises were broken");
    Ok(())
}
