//! A kernel that never ends: whoever waits for it gets an error, and no more.
#![allow(clippy::print_stdout, reason = "a child reports to its parent")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use gpu_executor::FieldAdd;
use gpu_executor::kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{Cache, DeviceKind, Error, VulkanError};

use crate::support::{child, test_kernel, unvalidated};

const CHILD: &str = "GPU_EXECUTOR_ENDLESS_CHILD";
const TIMEOUT: Duration = Duration::from_millis(300);
/// Far longer than anything here takes unless it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Where it hangs the device, only the end of the process frees it: so this
/// is one of its own.
#[test]
fn a_kernel_that_never_ends_times_out_and_everything_can_be_dropped() {
    if std::env::var_os(CHILD).is_some() {
        wait_for_the_end();
        // Exit handlers of a driver may wait for the kernel too.
        std::process::abort();
    }
    let (_guard, _) = unvalidated(PersistentVulkanBackend::builder());
    let folder = tempfile::tempdir().unwrap();
    let test = "endless::a_kernel_that_never_ends_times_out_and_everything_can_be_dropped";
    let mut child = child::command(test, folder.path());
    let child = child.env(CHILD, "1").stdout(Stdio::piped());
    let mut child = child.stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > LIMIT {
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("dropped") && begin.elapsed() < LIMIT,
        "{:?}: {text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

fn wait_for_the_end() {
    let builder = PersistentVulkanBackend::builder().cache(Cache::Off);
    let mut backend = builder.timeout(TIMEOUT).build().unwrap();
    let (a, b) = ([0; 64 * LIMBS], [0; 64 * LIMBS]);
    let endless = test_kernel("endless");
    let mut outcome = |endless: &[u8]| {
        let begin = Instant::now();
        let ran = backend.run_field_add(endless, &a, &b, 64, false);
        (ran.err(), begin.elapsed())
    };
    let (first, waited) = outcome(&endless);
    println!("after {waited:?}: {first:?}");
    match first {
        Some(Error::Vulkan(VulkanError::Timeout { what, after })) => {
            assert_eq!(after, TIMEOUT);
            let (next, waited) = outcome(gpu_executor::kernels::BLS12_381_FIELD_ADD_SPV);
            println!("the next after {waited:?}: {next:?}");
            let busy = Error::Vulkan(VulkanError::Busy { what, after });
            assert_eq!(next, Some(busy));
        }
        // Some software devices leave a loop after so many rounds.
        first => {
            assert_eq!(first, None);
            assert_eq!(backend.device().kind, DeviceKind::Software);
        }
    }
    let begin = Instant::now();
    drop(backend);
    println!("dropped after {:?}", begin.elapsed());
}
