//! The loader and the instance.
//!
//! The loader is opened once per process, and one plain instance is made once
//! and never destroyed. Destroying a process's last instance makes the loader
//! unload the drivers; some drivers leak a slot of static thread-local
//! storage each time they are loaded again, until, after a few dozen rounds,
//! they cannot be loaded any more and the loader knows no compatible driver.
//! Threads that create and destroy instances at the same time have also been
//! seen to hang in there. An instance that stays keeps the drivers loaded.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use ash::{ext, khr, vk};

use crate::caps::query;
use crate::error::VkContext;
use crate::loader::explain;
use crate::select::choose_device;
use crate::validation::{LAYER, messenger_info};
use crate::{
    ApiVersion, DeviceCaps, DevicePolicy, Error, Process, Validation, ValidationLog, lock,
};

/// A Vulkan instance: the one that the whole process shares, or one of its
/// own under the validation layer.
pub struct Instance {
    raw: ash::Instance,
    messenger: Option<(ext::debug_utils::Instance, vk::DebugUtilsMessengerEXT)>,
    log: ValidationLog,
    api: ApiVersion,
    process: Process,
}

/// The process that makes, or has made, the shared instance; 0 before. Set under the lock
/// of that instance.
static MAKER: AtomicU32 = AtomicU32::new(0);

/// A device that an [`Instance`] found, with its caps.
#[derive(Clone)]
pub struct PhysicalDevice {
    pub(crate) instance: Arc<Instance>,
    pub(crate) raw: vk::PhysicalDevice,
    pub(crate) caps: DeviceCaps,
}

impl Instance {
    /// An instance for the highest Vulkan version that the loader offers, 1.3
    /// at most.
    ///
    /// Without validation this is one instance per process, made by the first
    /// call and kept until the process ends (a driver installed later is not
    /// seen); a call that fails is not remembered. With validation each call
    /// makes an instance with a log of its own, beside the shared one, and it
    /// is destroyed with the last object that uses it.
    ///
    /// # Errors
    /// [`Error::NoLoader`] without a Vulkan loader, [`Error::BrokenLoaderFile`]
    /// where it cannot read what names a driver, [`Error::NoValidationLayer`]
    /// where validation is asked for and not installed, [`Error::Unsupported`]
    /// for a loader older than Vulkan 1.1, [`Error::NoDevice`] where the
    /// loader knows no compatible driver, [`Error::Forked`] in a process that was
    /// forked after the shared instance was begun, else what the driver returned.
    pub fn new(validation: Validation) -> Result<Arc<Self>, Error> {
        // Before any lock, the loader's included: whoever held it when this process was
        // forked never gives it back.
        let maker = MAKER.load(Ordering::Acquire);
        if maker != 0 && maker != std::process::id() {
            return Err(forked());
        }
        let entry = load_entry()?;
        match validation {
            Validation::Off => Self::shared(entry),
            Validation::On => {
                if layer_version(entry)?.is_none() {
                    return Err(Error::NoValidationLayer);
                }
                // Keeps the drivers loaded when this instance goes.
                Self::shared(entry)?;
                Self::create(entry, Validation::On).map(Arc::new)
            }
        }
    }

    fn shared(entry: &ash::Entry) -> Result<Arc<Self>, Error> {
        // A static is never dropped, so this instance is never destroyed.
        static SHARED: Mutex<Option<Arc<Instance>>> = Mutex::new(None);
        let mut shared = lock(&SHARED);
        if let Some(instance) = &*shared {
            return Ok(Arc::clone(instance));
        }
        MAKER.store(std::process::id(), Ordering::Release);
        let made = Self::create(entry, Validation::Off);
        let instance = Arc::new(made.inspect_err(|_| MAKER.store(0, Ordering::Release))?);
        *shared = Some(Arc::clone(&instance));
        Ok(instance)
    }

    fn create(entry: &ash::Entry, validation: Validation) -> Result<Self, Error> {
        let api = loader_version(entry)?;
        let validate = validation == Validation::On;
        let log = ValidationLog::default();
        let mut instance = Self {
            raw: create(entry, api, validate.then_some(&log))?,
            messenger: None,
            log,
            api,
            process: Process::current(),
        };
        if validate {
            let functions = ext::debug_utils::Instance::new(entry, &instance.raw);
            let info = messenger_info(&instance.log);
            // SAFETY: VK_EXT_debug_utils was enabled by `create`, and the log
            // outlives the messenger (see `Drop`).
            let messenger = unsafe { functions.create_debug_utils_messenger(&info, None) };
            let messenger = messenger.during("vkCreateDebugUtilsMessengerEXT")?;
            instance.messenger = Some((functions, messenger));
        }
        Ok(instance)
    }

    /// Every device that offers Vulkan 1.1 or more, in the loader's order.
    ///
    /// `VK_ERROR_INITIALIZATION_FAILED` is an empty list: loaders report so
    /// that no driver gave a device.
    ///
    /// # Errors
    /// [`Error::Forked`] in a process that inherited the instance; what else
    /// `vkEnumeratePhysicalDevices` returned.
    pub fn devices(self: &Arc<Self>) -> Result<Vec<PhysicalDevice>, Error> {
        self.expect_here()?;
        // SAFETY: the instance is alive for the duration of the call.
        let raw = unsafe { self.raw.enumerate_physical_devices() };
        let raw = match raw {
            // No driver gave a device.
            Err(vk::Result::ERROR_INITIALIZATION_FAILED) => Vec::new(),
            raw => raw.during("vkEnumeratePhysicalDevices")?,
        };
        let found = raw.into_iter().filter_map(|raw| {
            let caps = query(&self.raw, raw, self.api);
            if caps.is_none() {
                tracing::info!("passed over a device that offers less than Vulkan 1.1");
            }
            caps.map(|caps| PhysicalDevice {
                instance: Arc::clone(self),
                raw,
                caps,
            })
        });
        Ok(found.collect())
    }

    /// The device that `policy` asks for.
    ///
    /// # Errors
    /// As [`Self::devices`]; [`Error::NoDevice`] where there is none and
    /// [`Error::NoMatchingDevice`] where none fits the policy.
    pub fn device(self: &Arc<Self>, policy: &DevicePolicy) -> Result<PhysicalDevice, Error> {
        let mut devices = self.devices()?;
        let caps: Vec<_> = devices.iter().map(PhysicalDevice::caps).collect();
        let (index, reason) = choose_device(&caps, policy)?;
        let chosen = devices.swap_remove(index);
        tracing::info!(
            device = chosen.caps.name,
            driver = chosen.caps.driver,
            reason,
            "chose a Vulkan device"
        );
        Ok(chosen)
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.messenger.is_none()
    }

    /// # Errors
    /// [`Error::Forked`] in a process that inherited the instance.
    pub(crate) fn expect_here(&self) -> Result<(), Error> {
        match self.process.is_current() {
            true => Ok(()),
            false => Err(forked()),
        }
    }

    /// What the validation layer reported so far; nothing without validation.
    #[must_use]
    pub fn validation_log(&self) -> &ValidationLog {
        &self.log
    }

    /// The instance's function table, for crates that build on this one.
    #[must_use]
    pub fn raw(&self) -> &ash::Instance {
        &self.raw
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        // Order: messenger before its instance, instance before the log that
        // receives its last messages. The loader stays.
        if let Some((functions, messenger)) = self.messenger.take() {
            // SAFETY: created from this instance, destroyed once.
            unsafe { functions.destroy_debug_utils_messenger(messenger, None) };
        }
        let _alone = lifecycle();
        // SAFETY: every child holds an `Arc` of this value, so none is left.
        unsafe { self.raw.destroy_instance(None) };
    }
}

impl PhysicalDevice {
    /// The instance that found the device.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// What the device can do.
    #[must_use]
    pub fn caps(&self) -> &DeviceCaps {
        &self.caps
    }
}

/// The version of Vulkan's headers that the Khronos validation layer was made for; `None`
/// where it is not installed.
///
/// # Errors
/// [`Error::NoLoader`] without a Vulkan loader, else what the loader returned.
pub fn validation_layer_version() -> Result<Option<ApiVersion>, Error> {
    layer_version(load_entry()?)
}

fn forked() -> Error {
    Error::Forked {
        device: "the Vulkan instance".to_owned(),
    }
}

/// Held while an instance or a device is made or destroyed. Vulkan allows
/// threads to do so at once, but loaders and layers build and tear down tables
/// of functions then. These calls are rare and slow, so nothing is lost by one
/// at a time.
pub(crate) fn lifecycle() -> MutexGuard<'static, ()> {
    static LIFECYCLE: Mutex<()> = Mutex::new(());
    lock(&LIFECYCLE)
}

/// The process's loader. A failure is not remembered, so that a loader
/// installed later is found.
fn load_entry() -> Result<&'static ash::Entry, Error> {
    static ENTRY: OnceLock<ash::Entry> = OnceLock::new();
    if let Some(entry) = ENTRY.get() {
        return Ok(entry);
    }
    // SAFETY: loading the system's Vulkan loader runs its initialisers, which
    // is what every Vulkan program on the system trusts it with.
    let loaded = unsafe { ash::Entry::load() }.map_err(|error| Error::NoLoader {
        detail: error.to_string(),
    })?;
    // Where another thread was faster, its handle stays and this one goes.
    Ok(ENTRY.get_or_init(|| loaded))
}

fn loader_version(entry: &ash::Entry) -> Result<ApiVersion, Error> {
    // SAFETY: no precondition beyond a loaded entry.
    let offered = unsafe { entry.try_enumerate_instance_version() }
        .map_err(|result| explain("vkEnumerateInstanceVersion", result))?
        .map_or(ApiVersion(vk::API_VERSION_1_0), ApiVersion);
    if offered < ApiVersion::V1_1 {
        let needed = "a Vulkan loader for 1.1 or later";
        return Err(Error::unsupported(needed, offered.to_string()));
    }
    Ok(offered.min(ApiVersion::V1_3))
}

fn layer_version(entry: &ash::Entry) -> Result<Option<ApiVersion>, Error> {
    // SAFETY: no precondition beyond a loaded entry.
    let layers = unsafe { entry.enumerate_instance_layer_properties() }
        .map_err(|result| explain("vkEnumerateInstanceLayerProperties", result))?;
    let mut layers = layers.iter();
    let layer = layers.find(|layer| layer.layer_name_as_c_str() == Ok(LAYER));
    Ok(layer.map(|layer| ApiVersion(layer.spec_version)))
}

fn has_extension(entry: &ash::Entry, name: &CStr) -> Result<bool, Error> {
    // SAFETY: no precondition beyond a loaded entry.
    let extensions = unsafe { entry.enumerate_instance_extension_properties(None) }
        .map_err(|result| explain("vkEnumerateInstanceExtensionProperties", result))?;
    Ok(extensions
        .iter()
        .any(|extension| extension.extension_name_as_c_str() == Ok(name)))
}

fn create(
    entry: &ash::Entry,
    api: ApiVersion,
    log: Option<&ValidationLog>,
) -> Result<ash::Instance, Error> {
    let app = vk::ApplicationInfo::default()
        .application_name(c"gpu-executor")
        .api_version(api.0);
    let (mut layers, mut extensions) = (Vec::new(), Vec::new());
    let mut flags = vk::InstanceCreateFlags::empty();
    // Without this, devices that only approximate Vulkan (MoltenVK) stay hidden.
    if has_extension(entry, khr::portability_enumeration::NAME)? {
        extensions.push(khr::portability_enumeration::NAME.as_ptr());
        flags |= vk::InstanceCreateFlags::ENUMERATE_PORTABILITY_KHR;
    }
    if log.is_some() {
        layers.push(LAYER.as_ptr());
        extensions.push(ext::debug_utils::NAME.as_ptr());
    }
    let mut info = vk::InstanceCreateInfo::default()
        .application_info(&app)
        .enabled_layer_names(&layers)
        .enabled_extension_names(&extensions)
        .flags(flags);
    // Chained to the instance as well, to hear of its creation and destruction.
    let mut messenger = log.map(messenger_info);
    let checks = [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];
    let mut features = vk::ValidationFeaturesEXT::default().enabled_validation_features(&checks);
    if let Some(messenger) = &mut messenger {
        info = info.push_next(messenger).push_next(&mut features);
    }
    let _alone = lifecycle();
    // SAFETY: every pointer in `info` is to a local that outlives the call;
    // the messenger's sink is the log that the caller stores beside the
    // instance.
    unsafe { entry.create_instance(&info, None) }
        .map_err(|result| explain("vkCreateInstance", result))
}
