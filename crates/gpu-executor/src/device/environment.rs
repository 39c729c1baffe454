//! Settings from the environment, read once when a backend is made.

use std::env::VarError;
use std::time::Duration;

use vk_core::DevicePolicy;

use crate::Error;

/// Elements per chunk of the streamed paths, at most.
pub(crate) const CHUNK_VARIABLE: &str = "GPU_STREAM_CHUNK_ELEMS";
/// `1` prefers the device-local path.
pub(crate) const DEVICE_LOCAL_VARIABLE: &str = "GPU_DEVICE_LOCAL";
/// Which device: index, part of a name, or UUID.
pub(crate) const DEVICE_VARIABLE: &str = "GPU_DEVICE";

/// How long to wait for the device, in milliseconds.
pub(crate) const TIMEOUT_VARIABLE: &str = "GPU_TIMEOUT_MS";

/// What the environment asks for; `None` where it is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) chunk: Option<usize>,
    pub(crate) device_local: Option<bool>,
    pub(crate) device: Option<(String, DevicePolicy)>,
    pub(crate) timeout: Option<Duration>,
}

impl Environment {
    pub(crate) fn read() -> Result<Self, Error> {
        Self::from(std::env::var::<&'static str>)
    }

    fn from(get: impl Fn(&'static str) -> Result<String, VarError>) -> Result<Self, Error> {
        Ok(Self {
            chunk: parse(
                &get,
                CHUNK_VARIABLE,
                "a number of elements, 1 or more",
                |text| text.parse().ok().filter(|&elements| elements > 0),
            )?,
            device_local: parse(&get, DEVICE_LOCAL_VARIABLE, "0 or 1", |text| match text {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            })?,
            device: parse(
                &get,
                DEVICE_VARIABLE,
                "a device's index, part of its name, or its UUID",
                |text| DevicePolicy::parse(text).map(|policy| (text.to_owned(), policy)),
            )?,
            timeout: parse(
                &get,
                TIMEOUT_VARIABLE,
                "a number of milliseconds, 1 or more",
                |text| {
                    let milliseconds = text.parse().ok().filter(|&number| number > 0);
                    milliseconds.map(Duration::from_millis)
                },
            )?,
        })
    }
}

/// An unset or blank variable is silent; any other value is taken or refused.
fn parse<T>(
    get: &impl Fn(&'static str) -> Result<String, VarError>,
    variable: &'static str,
    accepted: &'static str,
    value_of: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let refused = |value: String| Error::Config {
        variable,
        value,
        accepted: accepted.to_owned(),
    };
    let text = match get(variable) {
        Ok(text) => text,
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(raw)) => return Err(refused(raw.display().to_string())),
    };
    match text.trim() {
        "" => Ok(None),
        value => value_of(value).map(Some).ok_or_else(|| refused(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variable: &'static str, value: &'static str) -> Result<Environment, Error> {
        Environment::from(|asked| match asked == variable {
            true => Ok(value.to_owned()),
            false => Err(VarError::NotPresent),
        })
    }

    #[test]
    fn a_silent_environment_asks_for_nothing() {
        for value in ["", "  "] {
            for variable in [
                CHUNK_VARIABLE,
                DEVICE_LOCAL_VARIABLE,
                DEVICE_VARIABLE,
                TIMEOUT_VARIABLE,
            ] {
                assert_eq!(with(variable, value).unwrap(), Environment::default());
            }
        }
    }

    #[test]
    fn good_values_are_taken() {
        assert_eq!(with(CHUNK_VARIABLE, "4096").unwrap().chunk, Some(4096));
        assert_eq!(
            with(DEVICE_LOCAL_VARIABLE, " 1 ").unwrap().device_local,
            Some(true)
        );
        assert_eq!(
            with(DEVICE_LOCAL_VARIABLE, "0").unwrap().device_local,
            Some(false)
        );
        let timeout = with(TIMEOUT_VARIABLE, "1500").unwrap().timeout;
        assert_eq!(timeout, Some(Duration::from_millis(1500)));
        let device = with(DEVICE_VARIABLE, "H200").unwrap().device;
        let name = DevicePolicy::Name("H200".to_owned());
        assert_eq!(device, Some(("H200".to_owned(), name)));
        let device = with(DEVICE_VARIABLE, "1").unwrap().device;
        assert_eq!(device, Some(("1".to_owned(), DevicePolicy::Index(1))));
    }

    #[test]
    fn a_bad_value_is_an_error_with_variable_value_and_what_is_accepted() {
        for (variable, value, accepted) in [
            (CHUNK_VARIABLE, "0", "1 or more"),
            (CHUNK_VARIABLE, "-1", "1 or more"),
            (CHUNK_VARIABLE, "many", "1 or more"),
            (CHUNK_VARIABLE, "99999999999999999999999", "1 or more"),
            (DEVICE_LOCAL_VARIABLE, "yes", "0 or 1"),
            (DEVICE_LOCAL_VARIABLE, "2", "0 or 1"),
            (TIMEOUT_VARIABLE, "0", "1 or more"),
            (TIMEOUT_VARIABLE, "2 s", "milliseconds"),
        ] {
            let text = with(variable, value).unwrap_err().to_string();
            for part in [variable, value, accepted] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}
