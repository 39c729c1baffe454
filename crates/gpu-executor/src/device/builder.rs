//! Settings of an engine, and their precedence.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use field_kernels::Arithmetic;
use field_kernels::chain::MemoryAccess;
use vk_core::spirv::{SpirvPolicy, SpirvValidation};
use vk_core::{DevicePolicy, Validation, WaitPolicy};
use vk_mem_paths::{PathChoice, TransferOptions, TransferPath};

use super::environment::Environment;
use crate::{Cache, Calibration, Error, Inputs, kernels};

/// Fewer elements in a dispatch would leave reductions with more partial results than
/// one workgroup can join.
const FEWEST_DISPATCHED: usize = 64;

/// Settings of an engine of type `T`: a [`VectorEngine`](crate::vectors::VectorEngine), a
/// [`PersistentVulkanBackend`](crate::spirv::PersistentVulkanBackend) or an
/// [`Executor`](crate::Executor). All of them take the same.
///
/// A setting made here beats the environment, which beats the default. The environment is
/// read by [`Self::build`] and not again.
#[must_use]
pub struct Builder<T> {
    wanted: Wanted,
    engine: PhantomData<fn() -> T>,
}

/// What was set; `None` for what was not.
#[derive(Clone, Debug, Default)]
struct Wanted {
    device: Option<DevicePolicy>,
    chunk: Option<usize>,
    dispatch: Option<usize>,
    kernels: Asked,
    depth: Option<usize>,
    path: Option<PathChoice>,
    inputs: Inputs,
    wait: Option<WaitPolicy>,
    timeout: Option<Duration>,
    validation: Validation,
    cache: Cache,
    calibration: Calibration,
    allowed_spirv: Option<Vec<[u8; 32]>>,
    spirv_validation: SpirvValidation,
    threads: Option<usize>,
    timestamps: bool,
}

/// Which kernels over vectors a caller asks for, in both fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) arithmetic: Option<Arithmetic>,
    pub(crate) access: Option<MemoryAccess>,
    pub(crate) workgroup: Option<u32>,
}

/// What an engine works by: settings and environment merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(crate) device: DevicePolicy,
    /// What `GPU_DEVICE` says, where that decides.
    pub(crate) device_variable: Option<String>,
    pub(crate) validation: Validation,
    pub(crate) chunk: Option<usize>,
    /// Elements of one dispatch over vectors that stay on the device.
    pub(crate) dispatch: Option<usize>,
    pub(crate) kernels: Asked,
    pub(crate) depth: Option<usize>,
    pub(crate) path: Option<PathChoice>,
    pub(crate) prefer_device_local: bool,
    pub(crate) inputs: Inputs,
    /// Where pipelines and calibrations are kept.
    pub(crate) cache: Option<PathBuf>,
    pub(crate) calibration: Calibration,
    pub(crate) spirv: SpirvPolicy,
    /// How to wait, and what copies on the host.
    pub(crate) transfer: TransferOptions,
}

/// An engine that a [`Builder`] builds.
pub trait Build: Sized {
    /// The engine that works by `settings`.
    ///
    /// # Errors
    /// As [`Builder::build`].
    fn by(settings: Settings) -> Result<Self, Error>;
}

/// A method for each setting: its documentation, its name and what it takes, and what of
/// [`Wanted`] becomes what.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) $($field:ident).+ = $new:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(mut self, $value: $type) -> Self {
            self.wanted.$($field).+ = $new;
            self
        })*
    };
}

impl<T> Builder<T> {
    settings! {
        /// Which device. Default: `GPU_DEVICE`, else the best one.
        device(policy: DevicePolicy) device = Some(policy);

        /// The most elements of one chunk. Default: `GPU_STREAM_CHUNK_ELEMS`, else
        /// for pipelined runs what was measured to be fastest at about their size
        /// ([`Calibration`]), else 524,288 at most; a pipelined run takes less
        /// where that keeps every slot busy (docs/configuration.md). What the
        /// device's limits and staging memory allow caps it further.
        chunk_elements(elements: usize) chunk = Some(elements);

        /// The most elements of one dispatch over vectors that stay on the device
        /// ([`vectors`](crate::vectors)): for devices that also draw a screen, whose drivers
        /// end a dispatch that takes too long. 64 or more. Default: what the device's limits
        /// allow.
        dispatch_elements(elements: usize) dispatch = Some(elements);

        /// How kernels over vectors that stay on the device multiply
        /// ([`vectors`](crate::vectors)). Default: what a calibration found, else by rule.
        arithmetic(arithmetic: Arithmetic) kernels.arithmetic = Some(arithmetic);

        /// How element-wise kernels over vectors that stay on the device read and write
        /// memory. No part of the interface: the rule is as good everywhere that it was
        /// measured, and this is how it is measured.
        #[doc(hidden)]
        memory_access(access: MemoryAccess) kernels.access = Some(access);

        /// Invocations of a workgroup of element-wise kernels over vectors that stay on the
        /// device: 32, 64 or 128. No part of the interface, as [`Self::memory_access`].
        #[doc(hidden)]
        workgroup_size(invocations: u32) kernels.workgroup = Some(invocations);

        /// The most chunks in flight of a pipelined run, 256 at most. Default:
        /// what was measured to be fastest at about the size of the run
        /// ([`Calibration`]), else 2, and 1 on a software device, whose kernels
        /// would compete with the copies for the same cores. Over host buffers 4.
        depth(chunks: usize) depth = Some(chunks);

        /// The data path of every run whose call does not ask for another.
        /// Default: `GPU_DEVICE_LOCAL`, else host-visible for sequential runs and
        /// [`PathChoice::Auto`] for pipelined ones.
        path(path: PathChoice) path = Some(path);

        /// What the elements of the inputs are held to. Default:
        /// [`Inputs::Canonical`].
        inputs(inputs: Inputs) inputs = inputs;

        /// Whether to run under the Khronos validation layer. Default: off.
        validation(validation: Validation) validation = validation;

        /// How to wait for the device. Default: 200 us of polling without a pause,
        /// then with naps, then blocking, for as long as [`Self::timeout`] says. No part of
        /// the interface: for tests.
        #[doc(hidden)]
        wait(policy: WaitPolicy) wait = Some(policy);

        /// How long one wait for the device may take, and the driver's compiler over one
        /// kernel. Default: `GPU_TIMEOUT_MS`, else 60 s. When it has passed,
        /// the run ends with [`Timeout`](crate::VulkanError::Timeout), and calls
        /// after it with [`Busy`](crate::VulkanError::Busy) until the work has ended. One
        /// that gives up on the compiler finds the kernel there once it has been made.
        timeout(timeout: Duration) timeout = Some(timeout);

        /// Threads that copy on the host, or compute where the CPU is the engine, the caller's
        /// included. Default: one per core.
        threads(threads: usize) threads = Some(threads);

        /// Whether the device times its stages for the report. Default: off.
        timestamps(on: bool) timestamps = on;

        /// Where compiled pipelines and calibrations are kept. Default: the user's
        /// cache folder.
        cache(cache: Cache) cache = cache;

        /// Whether to go by what was measured on the device, where something was.
        /// Default: [`Calibration::Stored`].
        calibration(calibration: Calibration) calibration = calibration;

        /// Runs no SPIR-V but the library's own kernels and the modules whose
        /// SHA-256 ([`kernels::spirv_hash`]) is listed here. Default: every module
        /// that keeps the kernel interface and passes [`Self::spirv_validation`].
        ///
        /// A module is code: validation keeps a driver from what is not valid, and
        /// a list keeps a program from what nobody looked at.
        allow_only_spirv(hashes: impl IntoIterator<Item = [u8; 32]>) allowed_spirv = Some(hashes.into_iter().collect());

        /// Whether a SPIR-V module that is not the library's own must pass the Khronos
        /// validator, the program `spirv-val`, before the driver sees it. Each is asked
        /// about once in a process, which takes some milliseconds. Default:
        /// [`SpirvValidation::IfPresent`].
        spirv_validation(validation: SpirvValidation) spirv_validation = validation;
    }

    /// The engine. The first one of a process on a device opens it, which can take a tenth
    /// of a second; those after share it.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting or an environment variable that is not
    /// accepted, [`Error::Vulkan`] without loader, device or validation layer
    /// and for whatever the driver returned.
    pub fn build(self) -> Result<T, Error>
    where
        T: Build,
    {
        T::by(self.settings()?)
    }

    /// What was set, with the environment and the defaults where nothing was.
    ///
    /// # Errors
    /// [`Error::Config`] for a value that is not accepted.
    pub(crate) fn settings(self) -> Result<Settings, Error> {
        self.wanted.settings(Environment::read()?)
    }
}

impl<T> Clone for Builder<T> {
    fn clone(&self) -> Self {
        Self {
            wanted: self.wanted.clone(),
            engine: PhantomData,
        }
    }
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self {
            wanted: Wanted::default(),
            engine: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Builder").field(&self.wanted).finish()
    }
}

impl Wanted {
    fn wait_policy(&self, environment: &Environment) -> WaitPolicy {
        let mut wait = self.wait.unwrap_or_default();
        let from_environment = environment.timeout.filter(|_| self.wait.is_none());
        if let Some(timeout) = self.timeout.or(from_environment) {
            wait.timeout = timeout;
        }
        wait
    }

    fn settings(self, environment: Environment) -> Result<Settings, Error> {
        let refused = |variable, value: String, accepted: String| Error::Config {
            variable,
            value,
            accepted,
        };
        for (variable, value, least) in [
            ("chunk_elements", self.chunk, 1),
            ("depth", self.depth, 1),
            ("threads", self.threads, 1),
            ("dispatch_elements", self.dispatch, FEWEST_DISPATCHED),
        ] {
            if let Some(value) = value.filter(|value| *value < least) {
                let accepted = format!("{least} or more");
                return Err(refused(variable, value.to_string(), accepted));
            }
        }
        let workgroup = self.kernels.workgroup;
        if let Some(size) = workgroup.filter(|size| ![32, 64, 128].contains(size)) {
            let accepted = "32, 64 or 128".to_owned();
            return Err(refused("workgroup_size", size.to_string(), accepted));
        }
        if self.timeout == Some(Duration::ZERO) {
            let accepted = "more than no time".to_owned();
            return Err(refused("timeout", "0".to_owned(), accepted));
        }
        let wait = self.wait_policy(&environment);
        let (device, device_variable) = match (self.device, environment.device) {
            (Some(policy), _) => (policy, None),
            (None, Some((text, policy))) => (policy, Some(text)),
            (None, None) => (DevicePolicy::Auto, None),
        };
        Ok(Settings {
            device,
            device_variable,
            validation: self.validation,
            chunk: self.chunk.or(environment.chunk),
            dispatch: self.dispatch,
            kernels: self.kernels,
            depth: self.depth,
            path: self.path,
            prefer_device_local: environment.device_local == Some(true),
            inputs: self.inputs,
            cache: self.cache.folder(),
            calibration: self.calibration,
            spirv: kernels::policy(self.allowed_spirv.clone(), self.spirv_validation),
            transfer: TransferOptions {
                wait,
                timestamps: self.timestamps,
                threads: self.threads.unwrap_or(0),
            },
        })
    }
}

impl Settings {
    /// The path of a run: what the call asks for, else the builder's, else
    /// the environment's, else `default`.
    pub(crate) fn path(&self, device_local: bool, default: PathChoice) -> PathChoice {
        let device = PathChoice::Fixed(TransferPath::DeviceLocal);
        if device_local {
            return device;
        }
        match self.path {
            Some(path) => path,
            None if self.prefer_device_local => device,
            None => default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> Builder<()> {
        Builder::default()
    }

    fn wanted() -> Wanted {
        Wanted::default()
    }

    const HOST: PathChoice = PathChoice::Fixed(TransferPath::HostVisible);
    const DEVICE: PathChoice = PathChoice::Fixed(TransferPath::DeviceLocal);

    fn environment() -> Environment {
        Environment {
            chunk: Some(1000),
            device_local: Some(true),
            device: None,
            timeout: Some(Duration::from_millis(7)),
        }
    }

    #[test]
    fn a_setting_beats_the_environment_which_beats_the_default() {
        let silent = Environment::default();
        let default = wanted().settings(silent.clone()).unwrap();
        assert_eq!((default.chunk, default.depth), (None, None));
        let from_environment = wanted().settings(environment()).unwrap();
        assert_eq!(from_environment.chunk, Some(1000));
        let set = builder().chunk_elements(7).depth(5);
        let set = set.wanted.settings(environment()).unwrap();
        assert_eq!((set.chunk, set.depth), (Some(7), Some(5)));
    }

    #[test]
    fn the_timeout_is_the_builders_then_that_of_its_policy_then_the_environments() {
        let milliseconds = Duration::from_millis;
        let timeout = |builder: Builder<()>| builder.wanted.wait_policy(&environment()).timeout;
        let policy = WaitPolicy {
            timeout: milliseconds(5),
            ..WaitPolicy::default()
        };
        assert_eq!(timeout(builder()), milliseconds(7));
        assert_eq!(timeout(builder().wait(policy)), milliseconds(5));
        let both = builder().timeout(milliseconds(3)).wait(policy);
        assert_eq!(timeout(both), milliseconds(3));
        let silent = builder().wanted.wait_policy(&Environment::default());
        assert_eq!(silent, WaitPolicy::default());
    }

    #[test]
    fn the_call_beats_the_builder_which_beats_the_environment() {
        let path = |builder: Builder<()>, environment: &Environment, device_local| {
            let settings = builder.wanted.settings(environment.clone()).unwrap();
            settings.path(device_local, PathChoice::Auto)
        };
        let silent = Environment::default();
        assert_eq!(path(builder(), &silent, false), PathChoice::Auto);
        assert_eq!(path(builder(), &silent, true), DEVICE);
        assert_eq!(path(builder(), &environment(), false), DEVICE);
        assert_eq!(path(builder().path(HOST), &environment(), false), HOST);
        assert_eq!(path(builder().path(HOST), &environment(), true), DEVICE);
    }

    #[test]
    fn zero_is_refused_by_name() {
        let timeless = builder().timeout(Duration::ZERO);
        let error = timeless
            .wanted
            .settings(Environment::default())
            .unwrap_err();
        assert!(error.to_string().contains("timeout: "), "{error}");
        for builder in [
            builder().depth(0),
            builder().threads(0),
            builder().chunk_elements(0),
        ] {
            let error = builder.wanted.settings(Environment::default()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("expected 1 or more, found \"0\""),
                "{error}"
            );
        }
    }
}
