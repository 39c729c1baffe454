//! Environment variables and missing drivers, each in a child process: this
//! process's own environment stays as it is.

use std::process::Output;

use gpu_executor::FieldAdd;
use gpu_executor::vectors::{Fr, VectorEngine};

use crate::support;

/// The loader looks for drivers where these variables say, and finds none.
const NOWHERE: [(&str, &str); 2] = [
    ("VK_ICD_FILENAMES", "/nonexistent"),
    ("VK_DRIVER_FILES", "/nonexistent"),
];
/// Set in a child to the name of the question that it answers.
const QUESTION: &str = "GPU_EXECUTOR_TEST_QUESTION";

/// Runs the hidden test below in a child process with `variables`.
fn ask(question: &str, variables: &[(&str, &str)]) -> String {
    let cache = tempfile::tempdir().unwrap();
    let Output { stdout, .. } = support::child::command("environment::child", cache.path())
        .env_remove(vk_core::testing::LOG_VARIABLE)
        .env(QUESTION, question)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(stdout).unwrap()
}

/// Answers the question in the environment; nothing where none is asked.
#[test]
fn child() {
    let Ok(question) = std::env::var(QUESTION) else {
        return;
    };
    let answer = match question.as_str() {
        "executor" => sum_by_executor(),
        "vectors" => sum_of_vectors(),
        _ => sums_by_backend(),
    };
    println!("{}", answer.unwrap_or_else(|error| error.to_string()));
}

fn sum_by_executor() -> anyhow::Result<String> {
    let mut executor = gpu_executor::Executor::auto()?;
    let sum = executor.field_add(&[1; 6], &[2; 6])?;
    let engine = &executor.last_report().unwrap().engine;
    Ok(format!("sum {sum:?} on {engine}"))
}

fn sums_by_backend() -> anyhow::Result<String> {
    let mut backend = gpu_executor::spirv::PersistentVulkanBackend::new()?;
    let [a, b] = [1, 2].map(|seed| support::random_elements(100, seed));
    let spirv = backend.field_add_spirv();
    let sum = backend.run_field_add(spirv, &a, &b, 100, false)?;
    assert_eq!(sum, support::sums(&a, &b));
    Ok(backend.last_report().unwrap().to_string())
}

/// A sum by the engine that `auto` takes, measured where that has a device.
fn sum_of_vectors() -> anyhow::Result<String> {
    let engine = VectorEngine::auto()?;
    let x = engine.upload::<Fr>(&[[1, 0, 0, 0], [2, 0, 0, 0]][..])?;
    let queue = engine.queue();
    let sum = queue.sum(&x)?;
    queue.submit()?.wait()?;
    Ok(format!(
        "sum {:?} on {}",
        sum.download::<u64>()?,
        engine.engine()
    ))
}

/// The first use of vectors measures, and keeps the result in a child's own cache.
#[test]
fn vectors_run_on_the_device_or_where_there_is_none_on_the_cpu() {
    let (_guard, backend) = support::backend();
    let on_device = ask("vectors", &[]);
    let expected = format!("sum [3, 0, 0, 0] on Vulkan: {}", backend.device().name);
    assert!(on_device.contains(&expected), "{on_device}");
    let nowhere = ask("vectors", &NOWHERE);
    assert!(nowhere.contains("sum [3, 0, 0, 0] on CPU"), "{nowhere}");
}

#[test]
fn the_environment_is_honoured() {
    let (_guard, backend) = support::backend();
    let plain = ask("backend", &[]);
    assert!(plain.contains("host-visible"), "{plain}");
    let device_local = ask("backend", &[("GPU_DEVICE_LOCAL", "1")]);
    assert!(device_local.contains("device-local"), "{device_local}");
    let chunked = ask("backend", &[("GPU_STREAM_CHUNK_ELEMS", "33")]);
    assert!(chunked.contains("chunks: 4 of 33 elements"), "{chunked}");
    let uuid = backend.device().uuid.to_string();
    let by_uuid = ask("backend", &[("GPU_DEVICE", &uuid)]);
    assert!(by_uuid.contains(&backend.device().name), "{by_uuid}");
}

#[test]
fn a_malformed_variable_is_an_error_with_name_value_and_what_is_accepted() {
    let cases = [
        ("GPU_DEVICE_LOCAL", "maybe", "0 or 1"),
        ("GPU_STREAM_CHUNK_ELEMS", "12k", "1 or more"),
        ("GPU_TIMEOUT_MS", "soon", "milliseconds"),
        (
            "GPU_DEVICE",
            "no such device",
            "GPU_DEVICE: expected one of the devices 0: ",
        ),
    ];
    for (variable, value, accepted) in cases {
        // Neither engine starts: a mistake is shown, not worked around.
        for question in ["backend", "executor"] {
            let text = ask(question, &[(variable, value)]);
            assert!(text.contains(value) && text.contains(accepted), "{text}");
        }
    }
}

#[test]
fn without_a_driver_the_error_says_what_to_install_and_auto_says_that_it_runs_on_the_cpu() {
    let text = ask("backend", &NOWHERE);
    assert!(text.contains("no Vulkan device found"), "{text}");
    assert!(text.contains("mesa-vulkan-drivers"), "{text}");
    let text = ask("executor", &NOWHERE);
    assert!(text.contains("sum [3, 3, 3, 3, 3, 3] on CPU"), "{text}");
    // Who asks for a device by name is not served by the CPU.
    let text = ask("executor", &[NOWHERE[0], NOWHERE[1], ("GPU_DEVICE", "0")]);
    assert!(text.contains("no Vulkan device found"), "{text}");
}
