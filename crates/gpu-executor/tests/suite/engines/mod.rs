//! Tests of vectors that run on both engines, from one list of functions.

use std::time::Duration;

use field_kernels::{Curve, ElementType, Field, arithmetic};
use gpu_executor::Error;
use gpu_executor::device::Builder;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, Completed, FieldVec, Form, MemoryAccess, PointCheck, PointVec, Queue, VectorEngine,
};

use crate::oracle;
use crate::support::built;

/// Each function as a test on the CPU and as one on the device, there with the settings
/// in brackets; one that is generic for each of the types that stand behind it.
macro_rules! on_both_engines {
    (@run $engine:expr, $name:ident) => { super::$name($engine) };
    (@run $engine:expr, $name:ident $($of:ident)+) => { $(super::$name::<super::$of>($engine);)+ };
    ([$builder:expr] $($name:ident $(<$($of:ident),+>)?)*) => {
        mod on_the_cpu {
            $(#[test] fn $name() {
                let engine = crate::engines::cpu();
                $crate::engines::on_both_engines!(@run &engine, $name $($($of)+)?);
            })*
        }
        mod on_the_device {
            #[allow(unused_imports, reason = "for the settings in brackets")]
            use super::*;
            $(#[test] fn $name() {
                $crate::engines::on_device($builder, |engine| {
                    $crate::engines::on_both_engines!(@run engine, $name $($($of)+)?);
                });
            })*
        }
    };
    ($($name:ident $(<$($of:ident),+>)?)*) => {
        $crate::engines::on_both_engines! { [crate::engines::settled()] $($name $(<$($of),+>)?)* }
    };
}

pub(crate) use on_both_engines;

/// An engine on three threads.
pub(crate) fn cpu() -> VectorEngine {
    VectorEngine::cpu_with_threads(3).unwrap()
}

/// Settings that leave the engine nothing to measure, and a software driver the time that it
/// takes to compile kernels of points, as it runs them.
pub(crate) fn settled() -> Builder<PersistentVulkanBackend> {
    PersistentVulkanBackend::builder()
        .timeout(Duration::from_secs(600))
        .arithmetic(Arithmetic::U32)
        .memory_access(MemoryAccess::Direct)
        .workgroup_size(128)
}

/// Runs `check` on the device, validated.
pub(crate) fn on_device(
    builder: Builder<PersistentVulkanBackend>,
    check: impl FnOnce(&VectorEngine),
) {
    let (_guard, mut backend) = built(builder);
    check(&backend.vectors().unwrap());
}

/// As [`on_device`], unless the device cannot compute by its double units: one whose `fma`
/// rounds twice, such as the software one, is told from the others by its products.
pub(crate) fn on_device_unless_by_doubles(
    builder: Builder<PersistentVulkanBackend>,
    check: impl FnOnce(&VectorEngine),
) {
    let (_guard, mut backend) = built(builder);
    match backend.vectors() {
        Ok(engine) => check(&engine),
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("arithmetic f64"), "{text}");
        }
    }
}

pub(crate) fn upload_points<C: Curve>(engine: &VectorEngine, points: &[C::Limbs]) -> PointVec<C> {
    let check = PointCheck::Subgroup;
    engine.upload_points(C::words(points), check).unwrap()
}

pub(crate) fn upload<F: Field>(engine: &VectorEngine, elements: &[F::Limbs]) -> FieldVec<F> {
    engine.upload::<F>(F::words(elements)).unwrap()
}

/// `count` elements, and the vector of them.
pub(crate) fn random<F: Field>(
    engine: &VectorEngine,
    count: usize,
    seed: u64,
) -> (Vec<F::Limbs>, FieldVec<F>) {
    let elements = oracle::random::<F>(count, seed);
    let vector = upload::<F>(engine, &elements);
    (elements, vector)
}

/// Submits `queue` and waits for it.
pub(crate) fn run(queue: Queue) -> Completed {
    queue.submit().unwrap().wait().unwrap()
}

/// The elements of a vector of fields or of points.
pub(crate) fn elements<F: ElementType>(
    vector: &FieldVec<F>,
) -> gpu_executor::Result<Vec<F::Limbs>> {
    Ok(F::elements(&vector.download::<u64>()?)?.to_vec())
}

/// Holds a vector to its elements.
#[track_caller]
pub(crate) fn expect<F: ElementType>(vector: &FieldVec<F>, expected: &[F::Limbs], what: &str) {
    let found = elements(vector).unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    let mut pairs = found.iter().zip(expected).enumerate();
    let wrong = pairs.find(|(_, (found, expected))| found != expected);
    assert!(
        wrong.is_none(),
        "{what}: element of {}, (found, expected): {wrong:x?}",
        F::NAME
    );
}

/// The error inside.
#[track_caller]
pub(crate) fn error<T, E: Into<anyhow::Error>>(result: Result<T, E>) -> Error {
    result
        .map_err(Into::into)
        .err()
        .unwrap()
        .downcast()
        .unwrap()
}

pub(crate) fn wrong_form(operation: &'static str, expected: Form, found: Form) -> Error {
    Error::WrongForm {
        operation,
        expected,
        found,
    }
}

/// Holds the error inside to its text, or to a pattern.
macro_rules! refused {
    ($result:expr => $text:literal) => {
        assert_eq!($crate::engines::error($result).to_string(), $text)
    };
    ($result:expr => $pattern:pat $(if $is_it:expr)?) => {{
        let error = $crate::engines::error($result);
        assert!(matches!(error, $pattern $(if $is_it)?), "{error}");
    }};
}

pub(crate) use refused;

/// `one` of each element.
pub(crate) fn each<T, U>(x: &[T], one: impl Fn(&T) -> U) -> Vec<U> {
    x.iter().map(one).collect()
}

pub(crate) fn inverses<F: Field>(x: &[F::Limbs]) -> Vec<F::Limbs> {
    each(x, |x| arithmetic::inverse::<F>(x).unwrap_or_default())
}

/// `one` of the elements at equal places.
pub(crate) fn zip<T: Copy>(x: &[T], y: &[T], one: impl Fn(&T, &T) -> T) -> Vec<T> {
    x.iter().zip(y).map(|(x, y)| one(x, y)).collect()
}

pub(crate) fn sums<F: Field>(x: &[F::Limbs], y: &[F::Limbs]) -> Vec<F::Limbs> {
    zip(x, y, arithmetic::add::<F>)
}

pub(crate) fn products<F: Field>(x: &[F::Limbs], y: &[F::Limbs]) -> Vec<F::Limbs> {
    zip(x, y, arithmetic::mul::<F>)
}

/// The sum of all.
pub(crate) fn sum<F: Field>(x: &[F::Limbs]) -> F::Limbs {
    let zero = F::Limbs::default();
    x.iter().fold(zero, |sum, x| arithmetic::add::<F>(&sum, x))
}
