//! Settings of a backend, and their precedence.

use std::path::PathBuf;
use std::time::Duration;

use vk_core::spirv::SpirvPolicy;
use vk_core::{DevicePolicy, Instance, InstanceOptions, Validation, WaitPolicy};
use vk_mem_paths::{PathChoice, TransferOptions, TransferPath};

use super::PersistentVulkanBackend;
use crate::config::{DEVICE_VARIABLE, Environment};
use crate::vectors::{Arithmetic, Asked, MemoryAccess};
use crate::{Cache, Calibration, Error, Inputs, kernels};

/// Fewer elements in a dispatch would leave reductions with more partial results than
/// one workgroup can join.
const FEWEST_DISPATCHED: usize = 64;

/// Settings of a [`PersistentVulkanBackend`].
///
/// A setting made here beats the environment, which beats the default.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    device: Option<DevicePolicy>,
    chunk: Option<usize>,
    dispatch: Option<usize>,
    asked: Asked,
    depth: Option<usize>,
    threads: Option<usize>,
    path: Option<PathChoice>,
    inputs: Inputs,
    wait: Option<WaitPolicy>,
    timeout: Option<Duration>,
    validation: Validation,
    cache: Cache,
    calibration: Calibration,
    allowed_spirv: Option<Vec<[u8; 32]>>,
    transfer: TransferOptions,
}

/// What a backend works by, settings and environment merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) chunk: Option<usize>,
    /// Elements of one dispatch over vectors that stay on the device.
    pub(super) dispatch: Option<usize>,
    /// Which kernels over vectors.
    pub(super) asked: Asked,
    pub(super) depth: Option<usize>,
    pub(super) path: Option<PathChoice>,
    pub(super) prefer_device_local: bool,
    pub(super) inputs: Inputs,
    /// Where pipelines and calibrations are kept.
    pub(super) cache: Option<PathBuf>,
    pub(super) calibration: Calibration,
    /// Which SPIR-V modules may run.
    pub(super) spirv: SpirvPolicy,
}

impl Builder {
    /// Which device. Default: `GPU_DEVICE`, else the best one.
    pub fn device(mut self, policy: DevicePolicy) -> Self {
        self.device = Some(policy);
        self
    }

    /// The most elements of one chunk. Default: `GPU_STREAM_CHUNK_ELEMS`, else
    /// for pipelined runs what was measured to be fastest at about their size
    /// ([`Calibration`]), else 524,288 at most; a pipelined run takes less
    /// where that keeps every slot busy (docs/configuration.md). What the
    /// device's limits and staging memory allow caps it further.
    pub fn chunk_elements(mut self, elements: usize) -> Self {
        self.chunk = Some(elements);
        self
    }

    /// The most elements of one dispatch over vectors that stay on the device
    /// ([`vectors`](crate::vectors)): for devices that also draw a screen, whose drivers
    /// end a dispatch that takes too long. 64 or more. Default: what the device's limits
    /// allow.
    pub fn dispatch_elements(mut self, elements: usize) -> Self {
        self.dispatch = Some(elements);
        self
    }

    /// How kernels over vectors that stay on the device multiply
    /// ([`vectors`](crate::vectors)). Default: what a calibration found, else by rule.
    pub fn arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        self.asked.arithmetic = Some(arithmetic);
        self
    }

    /// How element-wise kernels over vectors that stay on the device read and write
    /// memory ([`vectors`](crate::vectors)). Default: likewise.
    pub fn memory_access(mut self, access: MemoryAccess) -> Self {
        self.asked.access = Some(access);
        self
    }

    /// Invocations of a workgroup of element-wise kernels over vectors that stay on the
    /// device ([`vectors`](crate::vectors)): 32, 64 or 128. Default: likewise.
    pub fn workgroup_size(mut self, invocations: u32) -> Self {
        self.asked.workgroup = Some(invocations);
        self
    }

    /// The most chunks in flight of a pipelined run, 256 at most. Default:
    /// what was measured to be fastest at about the size of the run
    /// ([`Calibration`]), else 2, and 1 on a software device, whose kernels
    /// would compete with the copies for the same cores. Over host buffers 4.
    pub fn depth(mut self, chunks: usize) -> Self {
        self.depth = Some(chunks);
        self
    }

    /// The data path of every run whose call does not ask for another.
    /// Default: `GPU_DEVICE_LOCAL`, else host-visible for sequential runs and
    /// [`PathChoice::Auto`] for pipelined ones.
    pub fn path(mut self, path: PathChoice) -> Self {
        self.path = Some(path);
        self
    }

    /// What the elements of the inputs are held to. Default:
    /// [`Inputs::Canonical`].
    pub fn inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// Whether to run under the Khronos validation layer. Default: off.
    pub fn validation(mut self, validation: Validation) -> Self {
        self.validation = validation;
        self
    }

    /// How to wait for the device. Default: 200 us of polling without a pause,
    /// then with naps, then blocking, for as long as [`Self::timeout`] says.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.wait = Some(policy);
        self
    }

    /// How long one wait for the device may take; it beats that of
    /// [`Self::wait`]. Default: `GPU_TIMEOUT_MS`, else 60 s. When it has passed,
    /// the run ends with [`Timeout`](crate::VulkanError::Timeout), and calls
    /// after it with [`Busy`](crate::VulkanError::Busy) until the device has
    /// ended the work.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Threads that copy on the host, the caller's included. Default: one per
    /// core.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Whether the device times its stages for the report. Default: off.
    pub fn timestamps(mut self, on: bool) -> Self {
        self.transfer.timestamps = on;
        self
    }

    /// Where compiled pipelines and calibrations are kept. Default: the user's
    /// cache folder.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// Whether to go by what was measured on the device, where something was.
    /// Default: [`Calibration::Stored`].
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = calibration;
        self
    }

    /// Runs no SPIR-V but the library's own kernels and the modules whose
    /// SHA-256 ([`kernels::spirv_hash`]) is listed here. Default: every module
    /// that passes the check.
    ///
    /// A module is code: the check keeps a driver from what is not valid, and
    /// a list keeps a program from what nobody looked at.
    pub fn allow_only_spirv(mut self, hashes: impl IntoIterator<Item = [u8; 32]>) -> Self {
        self.allowed_spirv = Some(hashes.into_iter().collect());
        self
    }

    /// Opens the loader, picks the device and creates the backend.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting or an environment variable that is not
    /// accepted, [`Error::Vulkan`] without loader, device or validation layer
    /// and for whatever the driver returned.
    pub fn build(self) -> anyhow::Result<PersistentVulkanBackend> {
        Ok(self.build_typed()?)
    }

    pub(crate) fn build_typed(self) -> Result<PersistentVulkanBackend, Error> {
        let environment = Environment::read()?;
        let settings = self.settings(&environment)?;
        let wait = self.wait_policy(&environment);
        let (asked, policy) = match (self.device, environment.device) {
            (Some(policy), _) => (None, policy),
            (None, Some((text, policy))) => (Some(text), policy),
            (None, None) => (None, DevicePolicy::Auto),
        };
        let instance = Instance::new(&InstanceOptions {
            validation: self.validation,
        })?;
        let devices = instance.devices()?;
        let caps: Vec<_> = devices.iter().map(|device| device.caps().clone()).collect();
        let choice = match (vk_core::choose_device(&caps, &policy), asked) {
            (Err(vk_core::Error::NoMatchingDevice { found, .. }), Some(value)) => {
                return Err(Error::Config {
                    variable: DEVICE_VARIABLE,
                    value,
                    accepted: format!("one of the devices {found}"),
                });
            }
            (choice, _) => choice?,
        };
        tracing::info!(
            device = caps[choice.index].name,
            driver = caps[choice.index].driver,
            reason = choice.reason,
            "chose a Vulkan device"
        );
        let transfer = TransferOptions {
            threads: self.threads.unwrap_or(0),
            wait,
            ..self.transfer
        };
        PersistentVulkanBackend::open(&devices[choice.index], settings, transfer)
    }

    fn wait_policy(&self, environment: &Environment) -> WaitPolicy {
        let mut wait = self.wait.unwrap_or_default();
        let from_environment = environment.timeout.filter(|_| self.wait.is_none());
        if let Some(timeout) = self.timeout.or(from_environment) {
            wait.timeout = timeout;
        }
        wait
    }

    pub(super) fn settings(&self, environment: &Environment) -> Result<Settings, Error> {
        for (variable, value) in [
            ("chunk_elements", self.chunk),
            ("depth", self.depth),
            ("threads", self.threads),
        ] {
            if value == Some(0) {
                return Err(Error::Config {
                    variable,
                    value: "0".to_owned(),
                    accepted: "1 or more".to_owned(),
                });
            }
        }
        if let Some(elements) = self
            .dispatch
            .filter(|elements| *elements < FEWEST_DISPATCHED)
        {
            return Err(Error::Config {
                variable: "dispatch_elements",
                value: elements.to_string(),
                accepted: format!("{FEWEST_DISPATCHED} or more"),
            });
        }
        let workgroup = self.asked.workgroup;
        if let Some(size) = workgroup.filter(|size| ![32, 64, 128].contains(size)) {
            return Err(Error::Config {
                variable: "workgroup_size",
                value: size.to_string(),
                accepted: "32, 64 or 128".to_owned(),
            });
        }
        if self.timeout == Some(Duration::ZERO) {
            return Err(Error::Config {
                variable: "timeout",
                value: "0".to_owned(),
                accepted: "more than no time".to_owned(),
            });
        }
        Ok(Settings {
            chunk: self.chunk.or(environment.chunk),
            dispatch: self.dispatch,
            asked: self.asked,
            depth: self.depth,
            path: self.path,
            prefer_device_local: environment.device_local == Some(true),
            inputs: self.inputs,
            cache: self.cache.folder(),
            calibration: self.calibration,
            spirv: match &self.allowed_spirv {
                Some(hashes) => kernels::allow_only(hashes),
                None => SpirvPolicy::AnyChecked,
            },
        })
    }
}

impl Settings {
    /// The path of a run: what the call asks for, else the builder's, else
    /// the environment's, else `default`.
    pub(super) fn path(&self, device_local: bool, default: PathChoice) -> PathChoice {
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
        let default = Builder::default().settings(&silent).unwrap();
        assert_eq!((default.chunk, default.depth), (None, None));
        let from_environment = Builder::default().settings(&environment()).unwrap();
        assert_eq!(from_environment.chunk, Some(1000));
        let set = Builder::default().chunk_elements(7).depth(5);
        let set = set.settings(&environment()).unwrap();
        assert_eq!((set.chunk, set.depth), (Some(7), Some(5)));
    }

    #[test]
    fn the_timeout_is_the_builders_then_that_of_its_policy_then_the_environments() {
        let milliseconds = Duration::from_millis;
        let timeout = |builder: Builder| builder.wait_policy(&environment()).timeout;
        let policy = WaitPolicy {
            timeout: milliseconds(5),
            ..WaitPolicy::default()
        };
        let builder = Builder::default;
        assert_eq!(timeout(builder()), milliseconds(7));
        assert_eq!(timeout(builder().wait(policy)), milliseconds(5));
        let both = builder().timeout(milliseconds(3)).wait(policy);
        assert_eq!(timeout(both), milliseconds(3));
        let silent = builder().wait_policy(&Environment::default());
        assert_eq!(silent, WaitPolicy::default());
    }

    #[test]
    fn the_call_beats_the_builder_which_beats_the_environment() {
        let path = |builder: Builder, environment: &Environment, device_local| {
            let settings = builder.settings(environment).unwrap();
            settings.path(device_local, PathChoice::Auto)
        };
        let silent = Environment::default();
        assert_eq!(path(Builder::default(), &silent, false), PathChoice::Auto);
        assert_eq!(path(Builder::default(), &silent, true), DEVICE);
        assert_eq!(path(Builder::default(), &environment(), false), DEVICE);
        assert_eq!(
            path(Builder::default().path(HOST), &environment(), false),
            HOST
        );
        assert_eq!(
            path(Builder::default().path(HOST), &environment(), true),
            DEVICE
        );
    }

    #[test]
    fn zero_is_refused_by_name() {
        let timeless = Builder::default().timeout(Duration::ZERO);
        let error = timeless.settings(&Environment::default()).unwrap_err();
        assert!(error.to_string().contains("timeout: "), "{error}");
        for builder in [
            Builder::default().depth(0),
            Builder::default().threads(0),
            Builder::default().chunk_elements(0),
        ] {
            let error = builder.settings(&Environment::default()).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("expected 1 or more, found \"0\""),
                "{error}"
            );
        }
    }
}
