//! What the two environment variables ask for.

use std::ffi::OsString;

use anyhow::Context as _;

/// The Vulkan version that modules are compiled for.
pub const TARGET_ENV: &str = "vulkan1.1";

/// The SPIR-V version that modules are compiled to: what [`TARGET_ENV`] accepts.
pub const SPIRV_VERSION: &str = "1.3";

const OPT_VARIABLE: &str = "SHADER_OPT";
const STRICT_VARIABLE: &str = "SHADER_STRICT";

/// How to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Options {
    /// `SHADER_OPT`. Default: [`OptLevel::Performance`].
    pub opt_level: OptLevel,
    /// `SHADER_STRICT`: a warning is an error. Default: `false`.
    pub strict: bool,
}

/// What the optimiser works towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptLevel {
    /// No optimisation.
    Zero,
    /// Small modules.
    Size,
    /// Fast kernels.
    #[default]
    Performance,
}

impl OptLevel {
    /// The name that `SHADER_OPT` and the manifest use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Size => "size",
            Self::Performance => "performance",
        }
    }
}

impl Options {
    /// The variables that [`from_env`](Self::from_env) reads, for a build script's
    /// `rerun-if-env-changed`.
    pub const VARIABLES: [&'static str; 2] = [OPT_VARIABLE, STRICT_VARIABLE];

    /// Reads `SHADER_OPT` and `SHADER_STRICT` from the process environment.
    ///
    /// # Errors
    ///
    /// For any value that is not accepted, the empty one included. An unset variable has its default.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// As [`from_env`](Self::from_env), with `lookup` in place of the environment.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> anyhow::Result<Self> {
        let levels = [OptLevel::Zero, OptLevel::Size, OptLevel::Performance];
        let levels = levels.map(|level| (level.name(), level));
        Ok(Self {
            opt_level: one_of(&lookup, OPT_VARIABLE, levels)?,
            strict: one_of(&lookup, STRICT_VARIABLE, [("0", false), ("1", true)])?,
        })
    }
}

/// What `accepted` has for the value of a variable; its default where it is not set.
fn one_of<T: Copy + Default, const N: usize>(
    lookup: &impl Fn(&str) -> Option<OsString>,
    name: &str,
    accepted: [(&str, T); N],
) -> anyhow::Result<T> {
    let Some(value) = lookup(name) else {
        return Ok(T::default());
    };
    let found = accepted.iter().find(|(text, _)| value == *text);
    found.map(|(_, meant)| *meant).with_context(|| {
        let (value, accepted) = (value.to_string_lossy(), accepted.map(|(text, _)| text));
        let accepted = accepted.join(", ");
        format!("{name}={value:?} is not accepted; expected one of: {accepted}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(opt: Option<&str>, strict: Option<&str>) -> anyhow::Result<Options> {
        Options::from_lookup(|name| match name {
            OPT_VARIABLE => opt.map(OsString::from),
            STRICT_VARIABLE => strict.map(OsString::from),
            _ => None,
        })
    }

    #[test]
    fn unset_variables_have_their_defaults() {
        assert_eq!(parse(None, None).unwrap(), Options::default());
        assert_eq!(Options::default().opt_level, OptLevel::Performance);
    }

    #[test]
    fn every_accepted_value_round_trips() {
        for level in [OptLevel::Zero, OptLevel::Size, OptLevel::Performance] {
            let options = parse(Some(level.name()), Some("1")).unwrap();
            assert_eq!((options.opt_level, options.strict), (level, true));
        }
        assert!(!parse(None, Some("0")).unwrap().strict);
    }

    #[test]
    fn a_bad_value_is_named_with_the_good_ones() {
        let message = parse(Some("fast"), None).unwrap_err().to_string();
        assert_eq!(
            message,
            "SHADER_OPT=\"fast\" is not accepted; expected one of: zero, size, performance"
        );
        let message = parse(None, Some("true")).unwrap_err().to_string();
        assert_eq!(
            message,
            "SHADER_STRICT=\"true\" is not accepted; expected one of: 0, 1"
        );
    }

    #[test]
    fn the_empty_value_and_other_case_are_bad() {
        for value in ["", "ZERO", " zero"] {
            assert!(parse(Some(value), None).is_err(), "{value:?}");
        }
    }
}
