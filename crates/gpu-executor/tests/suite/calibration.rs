//! What is measured, when, and what is kept of it.

use std::time::{Duration, Instant};

use gpu_executor::FieldAdd;
use gpu_executor::vectors::{Fr, VectorEngine};
use gpu_executor::{Cache, Calibration, ChosenBy, Effort, PathChoice, TransferPath, WaitPolicy};
use vk_core::DeviceKind;
use vk_core::testing::DeviceTest;

use crate::support::kept::{BRIEF, add, build, keeping, measured, stored};

#[test]
fn what_one_process_measured_the_next_goes_by_and_the_report_names_it() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let first = measured(&mut guard, folder.path());
    let file = stored(folder.path()).unwrap();
    assert_eq!(file["subject"]["device"], first.device().name.as_str());

    let mut next = build(&mut guard, keeping(folder.path()));
    assert!(!next.tuning().measured.is_empty());
    assert_eq!(next.tuning(), first.tuning());
    add(&mut next, 100);
    let date = file["date"].as_str().unwrap().to_owned();
    for report in [first.last_report().unwrap(), next.last_report().unwrap()] {
        let expected = match next.device().kind {
            // All ways to run are alike there.
            DeviceKind::Software => ("device and host share their memory", ChosenBy::Rule),
            _ => {
                let date = date.clone();
                let calibration = ChosenBy::Calibration { date };
                ("measured to be the fastest", calibration)
            }
        };
        let found = (report.path_reason, report.chosen_by.clone());
        assert_eq!(found, expected);
        let named = report.to_string().contains(&report.chosen_by.to_string());
        assert!(named, "{report}");
    }
}

#[test]
fn explicit_settings_beat_what_was_measured() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let tuning = measured(&mut guard, folder.path()).tuning().clone();
    let asked = keeping(folder.path())
        .path(PathChoice::Fixed(TransferPath::DeviceLocal))
        .chunk_elements(64)
        .depth(2);
    let mut asked = build(&mut guard, asked);
    assert_eq!(asked.tuning(), &tuning);
    add(&mut asked, 100);
    let report = asked.last_report().unwrap();
    assert_eq!(report.path, Some(TransferPath::DeviceLocal));
    assert_eq!(report.path_reason, "asked for");
    assert_eq!((report.chunk, report.depth), (64, 2));
}

#[test]
fn nothing_is_measured_unasked() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let mut backend = build(&mut guard, keeping(folder.path()));
    add(&mut backend, 100);
    let mut host = |limb| {
        let mut buffer = backend.host_buffer(9).unwrap();
        buffer.fill(limb);
        buffer
    };
    let (a, b, mut out) = (host(1), host(2), host(0));
    backend.field_add_host(&a, &b, &mut out).unwrap();
    assert!(out.iter().all(|limb| *limb == 3));
    let engine = backend.vectors().unwrap();
    let x = engine.upload::<Fr>(&[1_u64; 4]).unwrap();
    let queue = engine.queue();
    let _ = queue.read(&queue.square(&x).unwrap()).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    let choice = done.report().choice.clone().unwrap();
    assert_eq!(choice.chosen_by, ChosenBy::Rule);
    assert!(backend.tuning().measured.is_empty());
    assert_eq!(stored(folder.path()), None);
}

#[test]
fn what_is_kept_is_ignored_on_request() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    drop(measured(&mut guard, folder.path()));
    let builder = keeping(folder.path()).calibration(Calibration::Off);
    let mut backend = build(&mut guard, builder);
    add(&mut backend, 100);
    assert!(backend.tuning().measured.is_empty());
    assert_eq!(backend.last_report().unwrap().chosen_by, ChosenBy::Rule);
}

#[test]
fn what_cannot_be_kept_is_measured_for_this_process() {
    let (mut guard, root) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let taken = root.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let nowhere = keeping(&taken).cache(Cache::Off);
    for builder in [keeping(&taken), keeping(&taken.join("below")), nowhere] {
        let mut backend = build(&mut guard, builder);
        assert!(!backend.calibrate(BRIEF).unwrap().measured.is_empty());
        add(&mut backend, 100);
    }
}

/// The square of 2, and what decided by which kernel.
fn square(engine: &VectorEngine) -> (Vec<u64>, ChosenBy) {
    let x = engine.upload::<Fr>(&[2_u64, 0, 0, 0]).unwrap();
    let queue = engine.queue();
    let square = queue.square(&x).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    let choice = done.report().choice.clone().unwrap();
    assert!(choice.passed_over.is_empty(), "{choice}");
    (square.download::<u64>().unwrap(), choice.chosen_by)
}

/// It tries every arithmetic, wrong ones too, and what is submitted meanwhile is right.
#[test]
fn vectors_go_by_a_calibration_which_disturbs_nobody_and_is_kept() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let mut engine = || {
        let mut backend = build(&mut guard, keeping(folder.path()));
        backend.vectors().unwrap()
    };
    let first = engine();
    let (expected, by) = square(&first);
    assert_eq!(by, ChosenBy::Rule);
    std::thread::scope(|scope| {
        let calibration = scope.spawn(|| first.calibrate().unwrap());
        while !calibration.is_finished() {
            assert_eq!(square(&first).0, expected);
        }
    });
    let kept = stored(folder.path()).unwrap();
    assert!(kept["fr"]["arithmetic"].is_string(), "{kept}");
    let date = kept["date"].as_str().unwrap().to_owned();
    let by = ChosenBy::Calibration { date };
    assert_eq!(square(&first), (expected.clone(), by.clone()));
    assert_eq!(square(&engine()), (expected, by));
}

#[test]
fn a_calibration_waits_longer_than_runs_may_take() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let in_no_time = WaitPolicy {
        spin: Duration::ZERO,
        timeout: Duration::ZERO,
    };
    let mut backend = build(&mut guard, keeping(folder.path()).wait(in_no_time));
    // The driver's compiler has the limit of runs; what it makes meanwhile is there later.
    let begin = Instant::now();
    while backend
        .field_add(&[0; 6], &[0; 6])
        .is_err_and(|error| error.to_string().contains("compiler"))
    {
        assert!(begin.elapsed() < Duration::from_secs(60));
    }
    assert!(!backend.calibrate(BRIEF).unwrap().measured.is_empty());
    assert!(stored(folder.path()).is_some());
}

#[test]
fn a_calibration_that_is_asked_for_replaces_what_was_stored() {
    let (mut guard, folder) = (DeviceTest::begin(), tempfile::tempdir().unwrap());
    let mut backend = build(&mut guard, keeping(folder.path()));
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
    let mut backend = build(&mut guard, keeping(folder.path()));
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
