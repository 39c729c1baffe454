//! The files of a made-up environment, and a loader that meets broken ones.

use std::collections::HashMap;
use std::process::Command;

use super::*;
use crate::{Instance, Validation};

/// What a child of [`ask`] is told to do, and the mark before its answer.
const CHILD: &str = "VK_CORE_TEST_LOADER";
const ANSWER: &str = "answer: ";

/// A driver's file that names a library, which need not be there.
fn manifest(library: &str) -> String {
    format!(r#"{{"file_format_version": "1.0.0", "ICD": {{"library_path": "{library}"}}}}"#)
}

fn files(variables: &[(&str, &Path)]) -> Files {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Files::of(|name| Some(variables.get(name)?.as_os_str().to_owned()))
}

/// The files of this machine's drivers in which nothing is wrong.
fn sound_drivers() -> Vec<PathBuf> {
    let mut drivers = Files::of(|name| std::env::var_os(name)).drivers;
    drivers.retain(|path| fault(path).is_none());
    assert!(!drivers.is_empty(), "these tests need a driver");
    drivers
}

#[test]
fn variables_name_files_and_folders_and_replace_the_default_ones() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("vulkan/icd.d");
    std::fs::create_dir_all(&folder).unwrap();
    let (one, two) = (folder.join("a.json"), folder.join("b.json"));
    for path in [&two, &one, &folder.join("README")] {
        std::fs::write(path, "").unwrap();
    }
    let both = [one.clone(), two];
    let found = files(&[("XDG_DATA_HOME", root.path())]).drivers;
    assert!(both.iter().all(|path| found.contains(path)), "{found:?}");
    let found = files(&[("XDG_CONFIG_DIRS", root.path())]).drivers;
    assert!(both.iter().all(|path| found.contains(path)), "{found:?}");
    assert_eq!(files(&[("VK_ICD_FILENAMES", &folder)]).drivers, both);
    let newer = [("VK_ICD_FILENAMES", &*folder), ("VK_DRIVER_FILES", &*one)];
    assert_eq!(files(&newer).drivers, both[..1]);
    let added = files(&[("VK_ADD_DRIVER_FILES", &one)]).drivers;
    assert_eq!(added[0], one);
    assert_eq!(added[1..], files(&[]).drivers);
    let layers = files(&[("VK_LAYER_PATH", &folder)]).layers;
    assert_eq!(layers[..2], both);
}

#[test]
fn faults_of_a_drivers_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("driver.json");
    assert!(fault(&path).is_some());
    std::fs::write(folder.path().join("lib.so"), "").unwrap();
    let cases = [
        ("", Some("expected JSON, found: EOF")),
        (
            "not JSON",
            Some("expected JSON, found: expected ident at line 1"),
        ),
        (
            "[1]",
            Some("expected a text `library_path` in an object `ICD`"),
        ),
        (
            r#"{"ICD": {"library_path": 7}}"#,
            Some("expected a text `library_path`"),
        ),
        (&manifest("./none.so"), Some("none.so does not exist")),
        (
            &manifest("/nowhere/none.so"),
            Some("its library /nowhere/none.so does not exist"),
        ),
        (&manifest("./lib.so"), None),
        (&manifest("libvulkan_of_the_system.so"), None),
    ];
    for (text, expected) in cases {
        std::fs::write(&path, text).unwrap();
        let found = fault(&path);
        match expected {
            Some(expected) => assert!(found.unwrap().contains(expected), "{text}"),
            None => assert_eq!(found, None, "{text}"),
        }
    }
}

#[test]
fn without_a_broken_file_the_loader_is_taken_at_its_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.json");
    std::fs::write(&path, "").unwrap();
    let files = Files {
        drivers: vec![path, folder.path().join("missing.json")],
        layers: Vec::new(),
    };
    assert_eq!(files.broken("vkCreateInstance"), None);
}

/// What an instance in a child process comes to where `VARIABLE=VALUE`.
fn ask(variable: &str, value: &std::ffi::OsStr) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["loader::tests::child", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env_remove("VK_DRIVER_FILES")
        .env_remove("VK_ICD_FILENAMES")
        .env(variable, value)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text.lines().find_map(|line| line.split_once(ANSWER));
    answer.expect("an answer").1.to_owned()
}

/// The child of [`ask`]; by itself it holds this machine to having a device.
#[test]
fn child() {
    let devices = Instance::new(Validation::Off).and_then(|it| it.devices());
    match devices {
        Ok(devices) => println!("{ANSWER}{} devices", devices.len()),
        Err(error) => {
            println!("{ANSWER}{error}");
            assert!(std::env::var_os(CHILD).is_some(), "{error}");
        }
    }
}

/// The loader 1.3.239 gives up; another may pass over such a file.
fn expect_named_or_passed_over(answer: &str, broken: &Path, advice: &str) {
    if answer.ends_with(" devices") {
        assert_ne!(answer, "0 devices");
        return;
    }
    let named = format!("{}: expected JSON, found: ", broken.display());
    assert!(answer.contains("VK_ERROR_OUT_OF_HOST_MEMORY"), "{answer}");
    assert!(
        answer.contains(&named) && answer.contains(advice),
        "{answer}"
    );
}

#[test]
fn a_driver_file_that_is_no_json_is_named_with_the_way_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    let sound = sound_drivers();
    let advice = std::env::join_paths(&sound).unwrap();
    for text in ["not JSON", r#"{"ICD": {"library_path": "lib"#] {
        std::fs::write(&broken, text).unwrap();
        let both = std::env::join_paths(sound.iter().chain([&broken])).unwrap();
        let advice = format!("VK_DRIVER_FILES={}", advice.display());
        expect_named_or_passed_over(&ask("VK_DRIVER_FILES", &both), &broken, &advice);
    }
    // And the way around it is one.
    let answer = ask("VK_DRIVER_FILES", &advice);
    assert!(
        answer.ends_with(" devices") && answer != "0 devices",
        "{answer}"
    );
}

#[test]
fn a_layer_file_that_is_no_json_is_named_too() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("vulkan/implicit_layer.d");
    std::fs::create_dir_all(&folder).unwrap();
    let broken = folder.join("broken.json");
    std::fs::write(&broken, "not JSON").unwrap();
    let answer = ask("XDG_DATA_HOME", root.path().as_os_str());
    expect_named_or_passed_over(&answer, &broken, "repair it or remove it");
}

#[test]
fn where_no_driver_is_left_the_faults_of_their_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("driver.json");
    for (text, expected) in [
        ("", "expected JSON"),
        (
            &*manifest("/nowhere/none.so"),
            "/nowhere/none.so does not exist",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let answer = ask("VK_DRIVER_FILES", path.as_os_str());
        let named = format!("{}: ", path.display());
        assert!(answer.starts_with("no Vulkan device found"), "{answer}");
        assert!(
            answer.contains(&named) && answer.contains(expected),
            "{answer}"
        );
    }
}
