//! The Khronos validator, in a process of its own.
//!
//! A validator is C++ that reads untrusted bytes; what it does to its process
//! must not be done to this one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::validator_environment;
use crate::{ApiVersion, Error};

/// The program, looked up in `PATH`.
const PROGRAM: &str = "spirv-val";
/// How long it may take; usual are milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of what it says goes into an error.
const MAX_MESSAGE: u64 = 4096;

/// Checks `spirv` by the rules of the Vulkan version `api`.
///
/// # Errors
/// [`Error::InvalidSpirv`] with what the validator said,
/// [`Error::SpirvValidator`] where it could not be asked.
pub(crate) fn validate(spirv: &[u8], api: ApiVersion) -> Result<(), Error> {
    validate_with(PROGRAM, PATIENCE, spirv, api)
}

fn validate_with(
    program: &str,
    patience: Duration,
    spirv: &[u8],
    api: ApiVersion,
) -> Result<(), Error> {
    let failed = |detail: String| Error::SpirvValidator { detail };
    let io = |error: std::io::Error| failed(error.to_string());
    // Files without a name instead of pipes: nobody waits for the other.
    let mut input = tempfile::tempfile().map_err(io)?;
    input.write_all(spirv).map_err(io)?;
    input.seek(SeekFrom::Start(0)).map_err(io)?;
    let mut output = tempfile::tempfile().map_err(io)?;
    let mut child = Command::new(program)
        .args(["--target-env", validator_environment(api)])
        .stdin(Stdio::from(input))
        .stdout(Stdio::null())
        .stderr(Stdio::from(output.try_clone().map_err(io)?))
        .spawn()
        .map_err(|error| failed(format!("{program}: {error}")))?;
    let status = wait(&mut child, patience).map_err(io)?;
    let said = message(&mut output).map_err(io)?;
    match status.map(|status| (status.success(), status.code())) {
        Some((true, _)) => Ok(()),
        Some((false, Some(1))) => Err(Error::spirv(format!("{PROGRAM}: {said}"))),
        Some(_) => Err(failed(format!("{program} ended with {status:?}: {said}"))),
        None => Err(failed(format!(
            "{program} did not end within {} s",
            patience.as_secs()
        ))),
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

    #[test]
    fn the_library_kernels_are_valid_and_a_damaged_one_is_not() {
        let spirv = field_kernels::FIELD_ADD.spirv;
        assert_eq!(validate(spirv, ApiVersion::V1_1), Ok(()));
        let cut = &spirv[..spirv.len() - 4];
        let text = validate(cut, ApiVersion::V1_1).unwrap_err().to_string();
        assert!(text.starts_with("invalid SPIR-V: spirv-val: "), "{text}");
    }

    #[test]
    fn a_missing_or_endless_validator_is_an_error_that_says_so() {
        let ask = |program, patience| validate_with(program, patience, &[], ApiVersion::V1_1);
        let error = ask("no-such-validator", PATIENCE).unwrap_err();
        assert!(error.to_string().contains("spirv-tools"), "{error}");
        // Waits for ever on a module that never comes to its end.
        let file = tempfile::Builder::new().suffix(".sh").tempfile().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\nexec sleep 1000\n").unwrap();
        let path = file.into_temp_path();
        make_executable(&path);
        let error = ask(&path.to_string_lossy(), Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }

    fn make_executable(path: &std::path::Path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
    }
}
