//! The Khronos validator: the installed program `spirv-val`, in a process of its own.
//!
//! A validator is C++ that reads untrusted bytes; what it does to its process
//! must not be done to this one.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use super::{SpirvPolicy, spirv_hash};
use crate::{ApiVersion, DeviceCaps, Error, lock};

/// Whether modules must pass the Khronos validator, the program `spirv-val`, before a
/// driver sees them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpirvValidation {
    /// They must; without the program no module runs but the library's own.
    Required,
    /// They must where the program is installed. Which it was is logged once, and stands
    /// in the report of each run.
    #[default]
    IfPresent,
    /// The program is not asked.
    Off,
}

/// Who has looked at a module before a driver saw it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpirvCheck {
    /// The module is the library's own, which its tests hold to the validator.
    Own,
    /// It keeps the interface and passed `spirv-val`.
    Validated,
    /// It keeps the interface; `spirv-val` is not installed.
    NotInstalled,
    /// It keeps the interface; validation is off.
    Off,
}

impl fmt::Display for SpirvCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "library module",
            Self::Validated => "passed spirv-val",
            Self::NotInstalled => "checked for its interface only: spirv-val is not installed",
            Self::Off => "checked for its interface only: validation is off",
        })
    }
}

/// Has the validator look at the module with this `hash`, as `policy` says.
pub(crate) fn check(
    spirv: &[u8],
    hash: &[u8; 32],
    policy: &SpirvPolicy,
    caps: &DeviceCaps,
) -> Result<SpirvCheck, Error> {
    if policy.is_own(hash) {
        return Ok(SpirvCheck::Own);
    }
    INSTALLED.check(spirv, hash, policy.validation, Rules::of(caps))
}

/// Checks that the module in `spirv` is a valid one for a device with `caps`, by the
/// installed validator.
///
/// # Errors
/// [`Error::InvalidSpirv`] with what the validator said, [`Error::SpirvValidator`] where
/// it is not installed or could not be asked.
pub fn validate(spirv: &[u8], caps: &DeviceCaps) -> Result<(), Error> {
    let required = SpirvValidation::Required;
    let found = INSTALLED.check(spirv, &spirv_hash(spirv), required, Rules::of(caps));
    found.map(drop)
}

/// How long the program may take; usual are milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of what it says goes into an error.
const MAX_MESSAGE: u64 = 4096;
/// How many modules are remembered to have passed.
const MAX_PASSED: usize = 1 << 16;

/// An entry point that does nothing. A program that does not pass it is no validator, or
/// one that does not know the rules that it was given.
const EMPTY_KERNEL: &[u8] = include_bytes!("empty_kernel.spv");

static INSTALLED: LazyLock<Validator> = LazyLock::new(|| Validator::new("spirv-val", PATIENCE));

/// What the program is to go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Rules {
    environment: &'static str,
    scalar_block_layout: bool,
}

impl Rules {
    fn of(caps: &DeviceCaps) -> Self {
        let environment = if caps.api >= ApiVersion::V1_3 {
            "vulkan1.3"
        } else if caps.api >= ApiVersion::V1_2 {
            "vulkan1.2"
        } else {
            "vulkan1.1"
        };
        Self {
            environment,
            scalar_block_layout: caps.features.scalar_block_layout,
        }
    }
}

/// A program, and what it has said so far.
struct Validator {
    /// Looked up in `PATH`.
    program: String,
    patience: Duration,
    /// Whether it can be asked about these rules, and why not.
    usable: Mutex<HashMap<Rules, Result<(), String>>>,
    passed: Mutex<HashSet<([u8; 32], Rules)>>,
}

impl Validator {
    fn new(program: impl Into<String>, patience: Duration) -> Self {
        Self {
            program: program.into(),
            patience,
            usable: Mutex::default(),
            passed: Mutex::default(),
        }
    }

    fn check(
        &self,
        spirv: &[u8],
        hash: &[u8; 32],
        validation: SpirvValidation,
        rules: Rules,
    ) -> Result<SpirvCheck, Error> {
        if validation == SpirvValidation::Off {
            return Ok(SpirvCheck::Off);
        }
        match (self.usable(rules), validation) {
            (Ok(()), _) => {}
            (Err(_), SpirvValidation::IfPresent) => return Ok(SpirvCheck::NotInstalled),
            (Err(detail), _) => return Err(Error::SpirvValidator { detail }),
        }
        if lock(&self.passed).contains(&(*hash, rules)) {
            return Ok(SpirvCheck::Validated);
        }
        self.ask(spirv, rules)?;
        let mut passed = lock(&self.passed);
        if passed.len() >= MAX_PASSED {
            passed.clear();
        }
        passed.insert((*hash, rules));
        Ok(SpirvCheck::Validated)
    }

    /// Whether the program is there and knows `rules`; found out, and logged,
    /// once.
    fn usable(&self, rules: Rules) -> Result<(), String> {
        let mut usable = lock(&self.usable);
        let found = usable.entry(rules).or_insert_with(|| {
            let found = self.ask(EMPTY_KERNEL, rules).map_err(|error| match error {
                Error::SpirvValidator { detail } => detail,
                other => format!("{} refuses a valid module: {other}", self.program),
            });
            let program = &self.program;
            match &found {
                Ok(()) => tracing::info!("SPIR-V modules of callers must pass {program}"),
                Err(reason) => tracing::warn!(
                    "no validator of SPIR-V: modules of callers are checked for their interface only ({reason}; \
                     the package spirv-tools or the Vulkan SDK has {program})"
                ),
            }
            found
        });
        found.clone()
    }

    fn ask(&self, spirv: &[u8], rules: Rules) -> Result<(), Error> {
        let program = &self.program;
        let failed = |detail: String| Error::SpirvValidator { detail };
        let io = |error: std::io::Error| failed(format!("{program}: {error}"));
        // Files without a name instead of pipes: nobody waits for the other.
        let mut input = tempfile::tempfile().map_err(io)?;
        input.write_all(spirv).map_err(io)?;
        input.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut output = tempfile::tempfile().map_err(io)?;
        let mut command = Command::new(program);
        command.args(["--target-env", rules.environment]);
        if rules.scalar_block_layout {
            command.arg("--scalar-block-layout");
        }
        let mut child = command
            .stdin(Stdio::from(input))
            .stdout(Stdio::null())
            .stderr(Stdio::from(output.try_clone().map_err(io)?))
            .spawn()
            .map_err(io)?;
        let status = wait(&mut child, self.patience).map_err(io)?;
        let said = message(&mut output).map_err(io)?;
        match status.map(|status| (status.success(), status.code())) {
            Some((true, _)) => Ok(()),
            Some((false, Some(1))) => Err(Error::spirv(format!("spirv-val: {said}"))),
            Some(_) => Err(failed(format!("{program} ended with {status:?}: {said}"))),
            None => Err(failed(format!(
                "{program} did not end within {:?}",
                self.patience
            ))),
        }
    }
}

/// The status, or `None` where the process had to be ended.
fn wait(child: &mut Child, patience: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn message(output: &mut File) -> std::io::Result<String> {
    output.seek(SeekFrom::Start(0))?;
    let mut said = Vec::new();
    output.take(MAX_MESSAGE).read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    const REQUIRED: SpirvValidation = SpirvValidation::Required;

    fn rules() -> Rules {
        Rules::of(&recorded::h200())
    }

    #[test]
    fn a_damaged_module_is_refused_with_what_the_validator_says() {
        let spirv = field_kernels::FIELD_ADD.spirv;
        let caps = recorded::h200();
        assert_eq!(validate(spirv, &caps), Ok(()));
        let cut = &spirv[..spirv.len() - 4];
        let text = validate(cut, &caps).unwrap_err().to_string();
        assert!(text.starts_with("invalid SPIR-V: spirv-val: "), "{text}");
    }

    #[test]
    fn a_missing_validator_is_an_error_only_where_it_is_required() {
        let missing = Validator::new("no-such-validator", PATIENCE);
        let check = |validation| missing.check(&[], &[0; 32], validation, rules());
        let text = check(REQUIRED).unwrap_err().to_string();
        assert!(
            text.contains("no-such-validator") && text.contains("spirv-tools"),
            "{text}"
        );
        let found = check(SpirvValidation::IfPresent);
        assert_eq!(found, Ok(SpirvCheck::NotInstalled));
        assert_eq!(check(SpirvValidation::Off), Ok(SpirvCheck::Off));
        let own = SpirvPolicy {
            own: vec![[7; 32]],
            validation: REQUIRED,
            ..SpirvPolicy::default()
        };
        let found = super::check(&[], &[7; 32], &own, &recorded::h200());
        assert_eq!(found, Ok(SpirvCheck::Own));
    }

    #[cfg(unix)]
    #[test]
    fn each_module_is_asked_about_once_and_no_longer_than_patience_lasts() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let asked = folder.path().join("asked");
        let script = folder.path().join("validator");
        // It remembers each call, and never ends on a module of the one word "wait".
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\ncase $(head -c 4) in wait) exec sleep 1000;; esac\n",
            asked.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let patience = Duration::from_secs(2);
        let validator = Validator::new(script.to_string_lossy(), patience);
        let check = |spirv: &[u8], hash| validator.check(spirv, &[hash; 32], REQUIRED, rules());
        for hash in [1, 1, 2, 1, 2] {
            assert_eq!(check(&[0; 4], hash), Ok(SpirvCheck::Validated));
        }
        let calls = std::fs::read_to_string(asked).unwrap();
        let expected = "--target-env vulkan1.3 --scalar-block-layout\n";
        // Once whether it can be asked, and for each of two modules.
        assert_eq!(calls, expected.repeat(3));
        let error = check(b"wait", 3).unwrap_err().to_string();
        assert!(error.contains("did not end within 2s"), "{error}");
    }

    #[test]
    fn a_program_that_refuses_everything_is_no_validator() {
        let no = Validator::new("false", PATIENCE);
        let found = no.check(&[], &[0; 32], SpirvValidation::IfPresent, rules());
        assert_eq!(found, Ok(SpirvCheck::NotInstalled));
        let found = no.check(&[], &[0; 32], REQUIRED, rules());
        assert!(
            matches!(found, Err(Error::SpirvValidator { .. })),
            "{found:?}"
        );
    }
}
