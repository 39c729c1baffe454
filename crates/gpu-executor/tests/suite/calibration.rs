//! What is measured, when, and what is kept of it. Without the validation
//! layer: under it nothing is measured.

use std::time::Duration;

use gpu_executor::{Cache, Calibration, Effort, Path, PathChoice, Validation, WaitPolicy};
use vk_core::DeviceKind;
use vk_core::testing::DeviceTest;

use crate::support::kept::{add, build, keeping, measured, stored};

#[test]
fn the_first_open_run_measures_and_the_next_process_reads() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let mut first = build(&mut guard, keeping(folder.path()));
    let spirv = first.field_add_spirv();
    // A path that is named needs no measurement.
    first
        .run_field_add(spirv, &[1; 6], &[2; 6], 1, true)
        .unwrap();
    assert!(first.tuning().measured.is_empty());
    drop(first);
    let first = measured(&mut guard, folder.path());
    let report = first.last_report().unwrap();
    let reason = match first.device().kind {
        // All ways to run are alike there.
        DeviceKind::Software => "device and host share their memory",
        _ => "measured to be the fastest",
    };
    assert_eq!(report.path_reason, reason);
    let file = stored(folder.path()).unwrap();
    assert_eq!(file["subject"]["device"], first.device().name.as_str());

    let mut next = build(&mut guard, keeping(folder.path()));
    assert!(!next.tuning().measured.is_empty());
    assert_eq!(next.tuning(), first.tuning());
    add(&mut next, 70_000);
}

#[test]
fn explicit_settings_beat_what_was_measured() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let tuning = measured(&mut guard, folder.path()).tuning().clone();
    let asked = keeping(folder.path())
        .path(PathChoice::Fixed(Path::DeviceLocal))
        .chunk_elements(64)
        .depth(2);
    let mut asked = build(&mut guard, asked);
    assert_eq!(asked.tuning(), &tuning);
    add(&mut asked, 100);
    let report = asked.last_report().unwrap();
    assert_eq!(report.path, Some(Path::DeviceLocal));
    assert_eq!(report.path_reason, "asked for");
    assert_eq!((report.chunk, report.depth), (64, 2));
}

#[test]
fn nothing_is_measured_unasked() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let validated = keeping(folder.path()).validation(Validation::On);
    for builder in [
        keeping(folder.path()).calibration(Calibration::Stored),
        keeping(folder.path()).calibration(Calibration::Off),
        keeping(folder.path()).cache(Cache::Off),
        validated,
    ] {
        let mut backend = build(&mut guard, builder);
        add(&mut backend, 100);
        assert!(backend.tuning().measured.is_empty());
        assert_eq!(stored(folder.path()), None);
    }
}

#[test]
fn a_run_that_would_not_go_by_it_measures_nothing() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let mut backend = build(&mut guard, keeping(folder.path()));
    let spirv = backend.field_add_spirv();
    assert!(backend.field_add_batch(&[], 7).unwrap().is_empty());
    backend.field_add(&[], &[]).unwrap();
    backend
        .run_field_add(spirv, &[1; 6], &[2; 6], 1, false)
        .unwrap();
    let none = backend.host_buffer(0).unwrap();
    let mut out = backend.host_buffer(0).unwrap();
    backend.field_add_host(&none, &none, &mut out).unwrap();
    let refused = backend.field_add_batch_into(&[(&[1; 6], &[2; 6])], 1, &mut []);
    assert!(refused.is_err());
    assert!(backend.tuning().measured.is_empty());

    let mut backend = build(&mut guard, keeping(folder.path()).depth(1));
    add(&mut backend, 100);
    assert!(backend.tuning().measured.is_empty());
    let (a, b) = (
        backend.host_buffer(9).unwrap(),
        backend.host_buffer(9).unwrap(),
    );
    let mut out = backend.host_buffer(9).unwrap();
    backend.field_add_host(&a, &b, &mut out).unwrap();
    assert!(!backend.tuning().measured.is_empty());
}

#[test]
fn what_could_not_be_kept_is_not_measured() {
    let (mut guard, root) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let taken = root.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    for folder in [taken.clone(), taken.join("below")] {
        let mut backend = build(&mut guard, keeping(&folder));
        add(&mut backend, 100);
        assert!(backend.tuning().measured.is_empty());
        // Who asks for it gets it, for this process.
        assert!(
            !backend
                .calibrate(Effort::BRIEF)
                .unwrap()
                .measured
                .is_empty()
        );
    }
}

#[test]
fn a_calibration_waits_longer_than_runs_may_take() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let in_no_time = WaitPolicy {
        spin: Duration::ZERO,
        timeout: Duration::ZERO,
    };
    let mut backend = build(&mut guard, keeping(folder.path()).wait(in_no_time));
    // The run itself may be in time or not.
    let _ = backend.field_add(&[1; 6], &[2; 6]);
    let file = stored(folder.path()).unwrap();
    assert!(!backend.tuning().measured.is_empty());
    assert!(file["host_buffers"].is_string(), "{file}");
}

#[test]
fn a_calibration_that_is_asked_for_replaces_what_was_stored() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let builder = keeping(folder.path()).calibration(Calibration::Stored);
    let mut backend = build(&mut guard, builder);
    let mut measure = |effort| {
        let tuning = backend.calibrate(effort).unwrap().clone();
        let file = stored(folder.path()).unwrap();
        assert_eq!(file["tuning"], serde_json::to_value(&tuning).unwrap());
        tuning.measured.last().unwrap().elements
    };
    let patient = Effort {
        budget: Duration::from_secs(60),
        largest: 1 << 12,
        ..Effort::BRIEF
    };
    assert_eq!(measure(patient), 1 << 12);
    // However far it comes.
    let hasty = Effort {
        budget: Duration::ZERO,
        ..Effort::BRIEF
    };
    assert_eq!(measure(hasty), 1 << 6);
    add(&mut backend, 1000);
}

#[test]
fn a_calibration_without_a_size_is_an_error_and_changes_nothing() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let builder = keeping(folder.path()).calibration(Calibration::Stored);
    let mut backend = build(&mut guard, builder);
    let effort = |largest| Effort {
        largest,
        ..Effort::BRIEF
    };
    let tuning = backend.calibrate(effort(64)).unwrap().clone();
    let file = stored(folder.path());
    let error = backend.calibrate(effort(32)).unwrap_err().to_string();
    assert!(error.ends_with("found \"32\""), "{error}");
    assert_eq!(backend.tuning(), &tuning);
    assert_eq!(stored(folder.path()), file);
}
