//! `cargo xtask compilers`: what AMD's compiler makes of the library's kernels.
//!
//! Mesa's driver RADV compiles for any AMD chip on a machine without one, and says how
//! many registers a kernel takes and how long it estimates that to run. A kernel that
//! takes more vector registers than there are spills them to memory: it runs, and slowly,
//! and no other test would see that. Spilled scalar registers stay in vector registers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail, ensure};
use xshell::{Shell, cmd};

use crate::install;
use crate::packages::Need;
use crate::workspace;

/// Options of `compilers`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Never install packages; a missing RADV fails the run.
    #[arg(long)]
    no_install: bool,
}

/// A chip, and the names that versions of Mesa have for it.
type Chip = (&'static str, &'static [&'static str]);

const CHIPS: [Chip; 4] = [
    ("RDNA 2", &["navi21"]),
    // Mesa 22 knew the chip by its number only.
    ("RDNA 3", &["navi31", "gfx1100"]),
    ("GCN 5", &["vega10"]),
    ("GCN 4", &["polaris10"]),
];

const SPILLED: &str = "Spilled VGPRs";

/// Kernels that spill, and how many vector registers at most: family, kernel, registers.
/// Mesa 22 has no more than 128 of the 256 registers of RDNA 3; with Mesa 25, which
/// has them all and knows the chip as navi31, none of Fp and Fr spills.
const KNOWN_SPILLS: [(&str, &str, u32); 38] = [
    ("gfx1100", "fp u32 chain of 8, 4 products, 3 in, 1 out", 5),
    ("gfx1100", "fp u32 chain of 8, 4 products, 8 in, 4 out", 5),
    ("gfx1100", "fp u64 chain of 8, 4 products, 8 in, 4 out", 2),
    ("gfx1100", "fp u64 chain of 32, 4 products, 8 in, 4 out", 26),
    ("gfx1100", "fp_inner_product_u64", 13),
    (
        "gfx1100",
        "fp2 u32 chain of 32, 2 products, 4 in, 2 out",
        76,
    ),
    ("gfx1100", "fp2 u64 chain of 3, 2 products, 3 in, 1 out", 14),
    (
        "gfx1100",
        "fp2 u64 chain of 32, 2 products, 4 in, 2 out",
        111,
    ),
    ("gfx1100", "fp2_inner_product_u32", 57),
    ("gfx1100", "fp2_inner_product_u64", 87),
    ("gfx1100", "fp2_inverse_down_u64", 30),
    ("gfx1100", "fp_evaluate_u64", 2),
    ("gfx1100", "fp2_evaluate_u32", 10),
    ("gfx1100", "fp2_evaluate_u64", 27),
    ("gfx1100", "fp_linear_combination_u64", 25),
    ("gfx1100", "fp2_linear_combination_u64", 1),
    ("gfx1100", "fp2_msm_accumulate_u64", 1),
    ("gfx1100", "fp2_msm_few_buckets_u32", 181),
    ("gfx1100", "fp2_msm_few_buckets_u64", 207),
    ("gfx1100", "fp2_msm_fold_few_u32", 157),
    ("gfx1100", "fp2_msm_fold_few_u64", 184),
    ("gfx1100", "fp2_msm_join_u32", 164),
    ("gfx1100", "fp2_msm_join_u64", 190),
    ("gfx1100", "fp2_roots_u32", 21),
    ("gfx1100", "fp2_roots_u64", 39),
    ("gfx1100", "fp_multiply_points_u32", 25),
    ("gfx1100", "fp_multiply_points_u64", 24),
    ("navi21", "fp2_multiply_points_u32", 32),
    ("gfx1100", "fp2_multiply_points_u32", 447),
    ("vega10", "fp2_multiply_points_u32", 32),
    ("polaris10", "fp2_multiply_points_u32", 6),
    ("navi21", "fp2_multiply_points_u64", 36),
    ("gfx1100", "fp2_multiply_points_u64", 452),
    ("vega10", "fp2_multiply_points_u64", 36),
    ("polaris10", "fp2_multiply_points_u64", 11),
    ("gfx1100", "fp_normalise_u32", 5),
    ("gfx1100", "fp2_normalise_u32", 22),
    ("gfx1100", "fp2_normalise_u64", 66),
];

/// Makes every kernel for each chip, prints what the compiler says, and holds the
/// kernels that the library may choose there to spilling nothing.
///
/// # Errors
/// When there is no RADV, when a kernel cannot be made or is not reported, and when one
/// that may be chosen spills.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let shell = workspace::shell()?;
    let driver = radv(&shell, !args.no_install)?;
    cmd!(
        shell,
        "cargo build --package vk-core --example make_kernels"
    )
    .run()?;
    let program = workspace::target_dir(&shell)?.join("debug/examples/make_kernels");
    println!("making the kernels takes some minutes of CPU");
    // One process for each, with a thread that reads what it writes.
    let compiled = std::thread::scope(|scope| {
        let all = CHIPS.each_ref();
        let all = all.map(|chip| scope.spawn(|| compile(&program, &driver, chip.1)));
        all.map(|thread| match thread.join() {
            Ok(compiled) => compiled,
            Err(_) => bail!("a thread panicked"),
        })
    });
    let mut spilling = Vec::new();
    for ((what, families), compiled) in CHIPS.iter().zip(compiled) {
        let compiled = compiled.with_context(|| format!("{} ({what})", families[0]))?;
        println!("\n== {} ({what}), {}", compiled.family, compiled.driver);
        println!(
            "{:<52} VGPRs spilled SGPRs spilled instructions   cycles",
            "kernel"
        );
        for line in compiled.lines()? {
            println!("{line}");
        }
        spilling.extend(compiled.spilling()?);
    }
    println!(
        "\ncycles: RADV's estimate of how long one wave of 64 invocations keeps a SIMD busy, \
         loops by a guess"
    );
    match spilling.len() {
        0 => Ok(()),
        _ => bail!("spilled registers: {}", spilling.join("; ")),
    }
}

/// The file by which the loader finds RADV.
fn radv(shell: &Shell, install: bool) -> anyhow::Result<PathBuf> {
    if installed_radv().is_none() {
        let reason = "Mesa's driver RADV is missing, and is not installed, as --no-install asks";
        ensure!(install, reason);
        install::install(shell, &[Need::Radv])?;
    }
    installed_radv().context("Mesa's driver RADV is missing: no radeon_icd*.json was found")
}

fn installed_radv() -> Option<PathBuf> {
    let folders = ["/usr/share", "/usr/local/share", "/etc"];
    folders.iter().find_map(|folder| {
        let entries = std::fs::read_dir(Path::new(folder).join("vulkan/icd.d")).ok()?;
        let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths.find(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            // Not the one for 32-bit programs.
            name.is_some_and(|it| it.starts_with("radeon_icd") && !it.contains(".i686"))
        })
    })
}

fn compile(program: &Path, driver: &Path, families: &[&str]) -> anyhow::Result<Compiled> {
    for family in families {
        let output = start(program, driver, family)?;
        let text = String::from_utf8_lossy(&output.stderr);
        if text.contains("Unknown family") {
            continue;
        }
        if !output.status.success() {
            let mut lines = text.lines().rev();
            let said = lines.clone().next().unwrap_or_default();
            let at = lines.find_map(|line| line.strip_prefix("kernel\t"));
            let at = at.unwrap_or("the beginning");
            bail!("{}, at {at}: {said}", output.status);
        }
        return Compiled::parse(family, &text);
    }
    bail!("RADV does not know the chip")
}

fn start(program: &Path, driver: &Path, family: &str) -> anyhow::Result<Output> {
    Command::new(program)
        // The second for loaders before 1.3.207.
        .env("VK_DRIVER_FILES", driver)
        .env("VK_ICD_FILENAMES", driver)
        .env_remove("VK_ADD_DRIVER_FILES")
        .env_remove("VK_INSTANCE_LAYERS")
        .env("RADV_FORCE_FAMILY", family)
        .env("RADV_DEBUG", "shaderstats")
        // Whatever is in the cache would not be compiled.
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))
}

/// What the compiler said of all kernels.
#[derive(Debug)]
struct Compiled {
    family: String,
    driver: String,
    kernels: Vec<CompiledKernel>,
}

/// What the compiler said of one.
#[derive(Debug)]
struct CompiledKernel {
    name: String,
    arithmetic: String,
    /// Why the chip cannot run it.
    cannot: Option<String>,
    /// By RADV's own names.
    statistics: BTreeMap<String, u32>,
}

impl Compiled {
    fn parse(family: &str, text: &str) -> anyhow::Result<Self> {
        let mut driver = None;
        let mut kernels: Vec<CompiledKernel> = Vec::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match (fields.as_slice(), kernels.last_mut()) {
                (["device", _, of], _) => driver = Some((*of).to_owned()),
                (["kernel", name, arithmetic], _) => kernels.push(CompiledKernel {
                    name: (*name).to_owned(),
                    arithmetic: (*arithmetic).to_owned(),
                    cannot: None,
                    statistics: BTreeMap::new(),
                }),
                (["cannot", reason], Some(kernel)) => kernel.cannot = Some((*reason).to_owned()),
                ([line], Some(kernel)) => kernel.statistics.extend(statistic(line)),
                _ => {}
            }
        }
        Ok(Self {
            family: family.to_owned(),
            driver: driver.context("no line that names the driver")?,
            kernels,
        })
    }

    /// A line for each kernel.
    fn lines(&self) -> anyhow::Result<Vec<String>> {
        let lines = self.kernels.iter().map(|kernel| {
            let name = &kernel.name;
            if let Some(reason) = &kernel.cannot {
                return Ok(format!("{name:<52}  not made: {reason}"));
            }
            let statistic = |name| kernel.statistic(name);
            let note = match kernel.may_be_chosen() {
                true => "",
                false => "  never chosen",
            };
            Ok(format!(
                "{name:<52} {:>5} {:>7} {:>5} {:>7} {:>12} {:>8}{note}",
                statistic("VGPRs")?,
                statistic(SPILLED)?,
                statistic("SGPRs")?,
                statistic("Spilled SGPRs")?,
                statistic("Instructions")?,
                statistic("Inverse Throughput")?
            ))
        });
        lines.collect()
    }

    /// The kernels that the library may choose and that spill more than is known.
    fn spilling(&self) -> anyhow::Result<Vec<String>> {
        let mut spilling = Vec::new();
        for kernel in self.kernels.iter().filter(|it| it.may_be_chosen()) {
            let key = (&*self.family, &*kernel.name);
            let known = KNOWN_SPILLS
                .iter()
                .find(|(of, name, _)| (*of, *name) == (key.0, key.1));
            let allowed = known.map_or(0, |(_, _, most)| *most);
            let spilled = kernel.statistic(SPILLED)?;
            if spilled > allowed {
                let name = &kernel.name;
                spilling.push(format!("{spilled} of {name} on {}", self.family));
            }
        }
        Ok(spilling)
    }
}

impl CompiledKernel {
    /// Doubles are not: the library's rule takes them on some chips of NVIDIA alone.
    fn may_be_chosen(&self) -> bool {
        self.cannot.is_none() && self.arithmetic != "f64"
    }

    fn statistic(&self, name: &str) -> anyhow::Result<u32> {
        let found = self.statistics.get(name).copied();
        found.with_context(|| format!("RADV said nothing of {name} of {}", self.name))
    }
}

/// A line such as `Spilled VGPRs: 0`.
fn statistic(line: &str) -> Option<(String, u32)> {
    let (name, value) = line.split_once(": ")?;
    Some((name.to_owned(), value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kernel: &str, vgprs: u32, spilled: u32) -> String {
        format!(
            "kernel\t{kernel}\n\nCompute Shader:\n*** SHADER STATS ***\nDriver pipeline hash: \
             14149745083358011550\nSGPRs: 128\nVGPRs: {vgprs}\nSpilled SGPRs: 0\n\
             Spilled VGPRs: {spilled}\nInstructions: 285\nInverse Throughput: 364\n\
             ********************\n\n\n"
        )
    }

    fn compiled(family: &str, kernels: &[String]) -> Compiled {
        let text = format!(
            "a warning\ndevice\tNull\tradv Mesa 22\n{}",
            kernels.concat()
        );
        Compiled::parse(family, &text).unwrap()
    }

    #[test]
    fn each_kernel_has_what_was_said_after_its_line() {
        let both = [
            said("fp u32 add\tu32", 32, 0),
            said("fr u64 mul\tu64", 48, 0),
        ];
        let compiled = compiled("navi21", &both);
        assert_eq!(compiled.driver, "radv Mesa 22");
        let vgprs = compiled
            .kernels
            .iter()
            .map(|it| it.statistic("VGPRs").unwrap());
        assert_eq!(vgprs.collect::<Vec<_>>(), [32, 48]);
        assert_eq!(compiled.spilling().unwrap(), [""; 0]);
        let lines = compiled.lines().unwrap();
        assert!(lines[1].starts_with("fr u64 mul") && lines[1].contains(" 48 "));
    }

    #[test]
    fn a_spill_is_reported_unless_the_kernel_is_never_chosen_or_known_for_it() {
        let known = KNOWN_SPILLS[0];
        let kernels = [
            said("mul\tu64", 132, 2),
            said("by doubles\tf64", 132, 2),
            said(&format!("{}\tu64", known.1), 132, known.2),
        ];
        let found = compiled(known.0, &kernels).spilling().unwrap();
        assert_eq!(found, ["2 of mul on gfx1100"]);
        let more = [said(&format!("{}\tu64", known.1), 132, known.2 + 1)];
        assert_eq!(compiled(known.0, &more).spilling().unwrap().len(), 1);
        // Another chip, or a Mesa that has all registers.
        assert_eq!(compiled("navi31", &kernels).spilling().unwrap().len(), 2);
    }

    #[test]
    fn a_kernel_of_which_nothing_is_said_is_an_error_unless_the_chip_cannot_run_it() {
        let silent = ["kernel\tmul\tu64\n".to_owned()];
        assert!(compiled("navi21", &silent).spilling().is_err());
        assert!(compiled("navi21", &silent).lines().is_err());
        let cannot = ["kernel\tmul\tu64\ncannot\tthe device lacks shaderInt64\n".to_owned()];
        let compiled = compiled("navi21", &cannot);
        assert_eq!(compiled.spilling().unwrap(), [""; 0]);
        assert!(compiled.lines().unwrap()[0].contains("lacks shaderInt64"));
    }
}
