use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use field_kernels::chain::MemoryAccess;
use field_kernels::edge::edge_elements;
use field_kernels::{ElementType as _, Field, Fp, Fr};
use vk_core::testing::{changed, device_under_test};
use vk_core::{Compiler, Device, DeviceKind, PhysicalDevice, PipelineCache};
use vk_mem_paths::TransferOptions;

use super::*;
use crate::calibration::Subject;
use crate::canonical::Order;
use crate::vectors::families::{Sample, samples};
use crate::vectors::{Arithmetic, VectorEngine};
use crate::{ChosenBy, Inputs};

/// Elements of one dispatch: fewer than a workgroup has, so that pieces begin anywhere.
const PIECE: usize = 67;

/// On `physical`, by the rule as `change` leaves it.
pub(crate) fn runner_on(
    physical: &PhysicalDevice,
    change: impl Fn(&mut Choice),
    asked: Asked,
    dispatch: Option<usize>,
) -> Arc<VulkanRunner> {
    let device = Device::new(physical).unwrap();
    let options = TransferOptions::default();
    let cache = PipelineCache::new(&device, None);
    let compiler = Compiler::new(cache, options.wait.timeout);
    let lane = Lane::on(&device, options).unwrap();
    let mut choice = Choice::of(device.caps());
    change(&mut choice);
    let choice = asked.over(choice, device.caps()).unwrap();
    let settings = VulkanSettings {
        threads: 0,
        dispatch,
        asked,
        keeper: Keeper::new(None, Subject::new(device.caps(), 1)),
    };
    let chosen = Chosen::new(choice, ChosenBy::Rule);
    let kernels = Kernels::new(&compiler, Arc::default(), chosen.choice());
    Arc::new(VulkanRunner::new(lane, kernels, chosen, settings))
}

/// An engine on `physical`, by the rule.
pub(crate) fn engine_on(
    physical: &PhysicalDevice,
    asked: Asked,
    dispatch: Option<usize>,
) -> VectorEngine {
    let runner = runner_on(physical, |_| {}, asked, dispatch);
    VectorEngine::on(runner, Inputs::default())
}

/// What kernels of chains do, which are linked for each layout.
fn chains<F: Field>() -> Vec<(&'static str, Sample<F>)> {
    vec![
        ("axpy", |q, x, y| q.axpy(x, y, x)),
        ("scalar", |q, x, y| q.mul(x, y.slice(3..4)?.as_scalar()?)),
        ("view", |q, x, y| {
            let sum = q.add(x, y)?;
            let (from, to) = (sum.slice(5..500)?, sum.slice(7..502)?);
            q.mul(&from, &to)
        }),
    ]
}

/// The same on both engines, for slices that begin anywhere.
fn check<F: Field>(
    device: &VectorEngine,
    cpu: &VectorEngine,
    operations: Vec<(&'static str, Sample<F>)>,
) {
    let edges = edge_elements::<F>();
    let elements: Vec<F::Limbs> = edges.iter().copied().cycle().take(1200).collect();
    for (name, record) in operations {
        for (first, second) in [(0, 0), (1, 2), (5, 7), (9, 600), (600, 13)] {
            let [found, expected] = [device, cpu].map(|engine| {
                let vector = engine.upload::<F>(F::words(&elements)).unwrap();
                let [x, y] = [first, second].map(|at| vector.slice(at..at + 599).unwrap());
                let queue = engine.queue();
                let result = record(&queue, &x, &y).unwrap();
                let same = queue.equal(&x, &y).unwrap();
                let read = queue.read(&x.slice(3..10).unwrap()).unwrap();
                let done = queue.submit().unwrap().wait().unwrap();
                let read = done.elements(&read).unwrap();
                (
                    result.download::<u64>().unwrap(),
                    done.equal(&same).unwrap(),
                    read,
                )
            });
            assert!(
                found == expected,
                "{name} of {} at {first}, {second}",
                F::NAME
            );
        }
    }
}

/// Each row in a file of a family is among the samples, or looked at beside them.
#[test]
fn every_operation_over_whole_vectors_has_a_sample() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/vectors/families");
    let mut rows = 0;
    let mut paths = vec![PathBuf::from(folder)];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let inside = std::fs::read_dir(path).unwrap();
            paths.extend(inside.map(|it| it.unwrap().path()));
            continue;
        }
        if path.ends_with("tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for row in source.split(": WholeOperation =").skip(1) {
            let name = row.split('"').nth(1).unwrap();
            let mut samples = samples::<Fr>().into_iter();
            assert!(
                name == "equal" || samples.any(|(sample, _)| sample == name),
                "expected a sample of `{name}` of {} in samples.rs there, found none",
                path.display()
            );
            rows += 1;
        }
    }
    assert!(rows >= 24, "found {rows}");
}

/// The largest alignment that a device may ask for, and ones between.
#[test]
fn slices_begin_anywhere_whatever_the_alignment() {
    let (_guard, physical) = device_under_test().unwrap();
    let own = physical.caps().limits.storage_buffer_alignment;
    let mut alignments = vec![64, 256];
    alignments.retain(|bytes| bytes % own == 0);
    let device = physical;
    for bytes in alignments {
        let layouts = [
            (MemoryAccess::Direct, 128),
            (MemoryAccess::Staged, 32),
            (MemoryAccess::StagedStores, 64),
        ];
        for (access, workgroup) in layouts {
            let set = |caps: &mut DeviceCaps| caps.limits.storage_buffer_alignment = bytes;
            let changed = changed(device.clone(), set);
            let asked = Asked {
                arithmetic: None,
                access: Some(access),
                workgroup: Some(workgroup),
            };
            let engine = engine_on(&changed, asked, Some(PIECE));
            let cpu = VectorEngine::cpu_with_threads(2).unwrap();
            check::<Fp>(&engine, &cpu, chains());
            check::<Fr>(&engine, &cpu, chains());
            // No kernel over whole vectors knows of layouts.
            if access == MemoryAccess::Direct {
                check::<Fp>(&engine, &cpu, samples());
                check::<Fr>(&engine, &cpu, samples());
            }
        }
    }
}

#[test]
fn neither_uploads_nor_downloads_wait_for_a_batch_in_the_making() {
    let (_guard, physical) = device_under_test().unwrap();
    let runner = runner_on(&physical, |_| {}, Asked::default(), None);
    let upload = |words: &[u64; 4]| {
        let bytes: &[u8] = bytemuck::must_cast_slice(words);
        let element = Inputs::default().element::<Fr>(Order::Limbs);
        runner.upload(&[bytes], element)
    };
    let stored = upload(&[1, 2, 3, 4]).unwrap();
    let mut out = [MaybeUninit::new(0_u8); Fr::BYTES];
    let making = lock(&runner.on.inner);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| upload(&[5, 6, 7, 0]).map(drop));
        other.join().unwrap().unwrap();
        runner.download(&stored, 0, &mut out).unwrap();
    });
    drop(making);
    // SAFETY: each byte had a value from the start.
    let found = out.map(|byte| unsafe { byte.assume_init() });
    assert_eq!(
        found,
        bytemuck::must_cast::<[u64; 4], [u8; 32]>([1, 2, 3, 4])
    );
}

/// The product of a vector with itself, and the report.
fn square_of(engine: &VectorEngine) -> (Vec<u64>, crate::vectors::VectorReport) {
    let x = engine.upload::<Fr>(&[3_u64, 0, 0, 0]).unwrap();
    let queue = engine.queue();
    let square = queue.square(&x).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    (square.download::<u64>().unwrap(), done.report().clone())
}

/// The software device's `fma` rounds twice; others get doubles right.
#[test]
fn an_arithmetic_that_is_wrong_on_the_device_is_passed_over_and_the_report_says_so() {
    let (_guard, physical) = device_under_test().unwrap();
    let doubles = |choice: &mut Choice| choice.field(Fr::ID).arithmetic = Arithmetic::F64;
    let runner = runner_on(&physical, doubles, Asked::default(), None);
    let engine = VectorEngine::on(runner, Inputs::default());
    let x = engine.upload::<Fr>(&[3_u64, 0, 0, 0]).unwrap();
    let queue = engine.queue();
    let sum = queue.add(&x, &x).unwrap();
    let report = queue.submit().unwrap().wait().unwrap().report().clone();
    assert_eq!(sum.download::<u64>().unwrap(), [6, 0, 0, 0]);
    let unused = report.choice.unwrap();
    assert_eq!(
        unused.arithmetic(Fr::ID),
        Arithmetic::F64,
        "nothing was multiplied"
    );

    let cpu = VectorEngine::cpu_with_threads(1).unwrap();
    let (expected, _) = square_of(&cpu);
    for round in 0..2 {
        let (square, report) = square_of(&engine);
        assert_eq!(square, expected);
        let compiled = report.compile > Duration::ZERO && report.compile < report.total;
        assert_eq!(compiled, round == 0, "{report}");
        let choice = report.choice.clone().unwrap();
        match physical.caps().kind {
            DeviceKind::Software => {
                assert_eq!(choice.arithmetic(Fr::ID), Arithmetic::U64);
                assert_eq!(choice.passed_over, [(Fr::ID, Arithmetic::F64)]);
                assert!(report.to_string().contains("not f64"), "{report}");
            }
            _ => assert_eq!(
                (choice.arithmetic(Fr::ID), choice.passed_over.len()),
                (Arithmetic::F64, 0)
            ),
        }
    }
}

#[test]
fn an_arithmetic_that_was_asked_for_is_never_replaced() {
    let (_guard, physical) = device_under_test().unwrap();
    let asked = Asked {
        arithmetic: Some(Arithmetic::F64),
        ..Asked::default()
    };
    let runner = runner_on(&physical, |_| {}, asked, None);
    let error = runner.settle_now().err();
    assert_eq!(
        error.is_some(),
        physical.caps().kind == DeviceKind::Software
    );
    let text = error.map_or(String::new(), |error| error.to_string());
    assert!(text.is_empty() || text.contains("arithmetic f64"), "{text}");
}
