//! What is wrong with the files that name drivers and layers to the Vulkan loader.
//!
//! A loader (1.3.239, for one) that meets such a file which is no JSON gives up for
//! all drivers, and says that it is out of host memory. And one that finds no driver
//! does not say what was wrong with those that were named. So this looks at the
//! files that the loader reads, after such an error only.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ash::vk;

use crate::Error;

#[cfg(test)]
mod tests;

/// The error for `result` of `call`, one of those that read these files.
pub(crate) fn explain(call: &'static str, result: vk::Result) -> Error {
    let files = Files::of(|name| std::env::var_os(name));
    match result {
        vk::Result::ERROR_OUT_OF_HOST_MEMORY => files
            .broken(call)
            .unwrap_or_else(|| Error::from_vk(call, result)),
        vk::Result::ERROR_INCOMPATIBLE_DRIVER => Error::no_device(format!(
            "every driver known to the Vulkan loader; none is compatible{}",
            files.drivers_with_faults()
        )),
        result => Error::from_vk(call, result),
    }
}

#[derive(Debug, Default)]
struct Files {
    drivers: Vec<PathBuf>,
    layers: Vec<PathBuf>,
}

impl Files {
    /// Those that the variables name, and where they name none those of the folders
    /// in which Linux's loader looks. Of the registry of Windows nothing is known here.
    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let named = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(|value| std::env::split_paths(&value).collect::<Vec<_>>())
        };
        let in_folders = |kind: &str| {
            let home = variable("HOME").map(PathBuf::from);
            let of_home = |below: &str| home.iter().map(|home| home.join(below)).collect();
            let or = |name: &str, default: Vec<PathBuf>| named(name).unwrap_or(default);
            let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
            let roots = [
                or("XDG_CONFIG_HOME", of_home(".config")),
                or("XDG_CONFIG_DIRS", paths(&["/etc/xdg"])),
                paths(&["/usr/local/etc", "/etc"]),
                or("XDG_DATA_HOME", of_home(".local/share")),
                or("XDG_DATA_DIRS", paths(&["/usr/local/share", "/usr/share"])),
            ];
            let roots = roots.into_iter().flatten();
            roots
                .map(|root| root.join("vulkan").join(kind))
                .collect::<Vec<_>>()
        };
        let drivers = named("VK_DRIVER_FILES").or_else(|| named("VK_ICD_FILENAMES"));
        let drivers = drivers.unwrap_or_else(|| {
            let added = named("VK_ADD_DRIVER_FILES").unwrap_or_default();
            [added, in_folders("icd.d")].concat()
        });
        let explicit = named("VK_LAYER_PATH").unwrap_or_else(|| {
            let added = named("VK_ADD_LAYER_PATH").unwrap_or_default();
            [added, in_folders("explicit_layer.d")].concat()
        });
        let layers = [explicit, in_folders("implicit_layer.d")].concat();
        Self {
            drivers: drivers.iter().flat_map(|path| files_at(path)).collect(),
            layers: layers.iter().flat_map(|path| files_at(path)).collect(),
        }
    }

    /// The error for a loader that gave up over a file that is no JSON, where
    /// there is one.
    fn broken(&self, call: &'static str) -> Option<Error> {
        let all = self.drivers.iter().chain(&self.layers);
        let broken = all.filter_map(|path| Some((path, not_json(path)?)));
        let (files, reasons): (Vec<PathBuf>, Vec<String>) = broken
            .map(|(path, reason)| (path.clone(), format!("{}: {reason}", path.display())))
            .unzip();
        let of_drivers = self.drivers.iter().any(|path| files.contains(path));
        let sound = self.drivers.iter().filter(|path| fault(path).is_none());
        let sound = std::env::join_paths(sound).unwrap_or_default();
        let advice = match of_drivers && !sound.is_empty() {
            true => format!(
                "repair it or remove it, or leave it out: VK_DRIVER_FILES={}",
                sound.display()
            ),
            false => "repair it or remove it".to_owned(),
        };
        (!files.is_empty()).then(|| Error::BrokenLoaderFile {
            call,
            files,
            detail: reasons.join("; "),
            advice,
        })
    }

    /// What can be seen to be wrong with drivers, for the end of a sentence.
    fn drivers_with_faults(&self) -> String {
        let faults = self.drivers.iter().filter_map(|path| {
            let fault = fault(path)?;
            Some(format!("; {}: {fault}", path.display()))
        });
        faults.collect()
    }
}

/// The file at `path`, whether or not it is there; of a folder its `.json` files.
fn files_at(path: &Path) -> Vec<PathBuf> {
    let is_json = |path: &Path| path.extension().is_some_and(|it| it == "json");
    if is_json(path) {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let mut files: Vec<_> = files.filter(|file| is_json(file)).collect();
    files.sort();
    files
}

/// Why the text of a file is no JSON. A loader passes over an empty one, and one
/// that it cannot open.
fn not_json(path: &Path) -> Option<String> {
    let text = std::fs::read(path).ok().filter(|text| !text.is_empty())?;
    json(&text).err()
}

fn json(text: &[u8]) -> Result<serde_json::Value, String> {
    serde_json::from_slice(text).map_err(|error| format!("expected JSON, found: {error}"))
}

/// What can be seen to be wrong with a driver's file, without loading the driver.
fn fault(path: &Path) -> Option<String> {
    let text = std::fs::read(path).map_err(|error| error.to_string());
    let json = match text.and_then(|text| json(&text)) {
        Ok(json) => json,
        Err(reason) => return Some(reason),
    };
    let Some(library) = json["ICD"]["library_path"].as_str() else {
        return Some("expected a text `library_path` in an object `ICD`, found none".to_owned());
    };
    // A bare name is looked for where the system has its libraries.
    let path = path.with_file_name(library);
    let missing = library.contains(['/', '\\']) && !path.exists();
    missing.then(|| format!("its library {} does not exist", path.display()))
}
