use std::time::Instant;

use field_kernels::chain::Chain;
use field_kernels::{ElementType as _, Field, Fr, arithmetic};

use super::*;
use crate::vectors::plan::{ChainWork, Work};
use crate::vectors::{FieldVec, Pending, Queue, Scalar, VectorEngine};

/// Something that takes a while: one chain of many squares, and the engine at it.
fn busy(engine: &VectorEngine, squares: usize) -> (FieldVec<Fr>, Pending) {
    let x = engine.upload::<Fr>(&vec![[3_u64, 0, 0, 0]; 4096]).unwrap();
    let queue = engine.queue();
    let power = powers(&queue, &x, squares);
    let pending = queue.submit().unwrap();
    (power, pending)
}

fn powers(queue: &Queue, x: &FieldVec<Fr>, squares: usize) -> FieldVec<Fr> {
    let mut power = x.clone();
    for _ in 0..squares {
        queue.square_assign(&mut power).unwrap();
    }
    power
}

fn expected(squares: usize) -> [u64; 4] {
    let square = |x, _| arithmetic::square::<Fr>(&x);
    (0..squares).fold([3, 0, 0, 0], square)
}

#[test]
fn submit_returns_before_the_end_and_what_is_submitted_later_comes_later() {
    const SQUARES: usize = 2_000;
    let engine = VectorEngine::cpu_with_threads(2).unwrap();
    let (mut power, first) = busy(&engine, SQUARES);
    assert!(!first.is_complete().unwrap(), "submit has waited");
    let queue = engine.queue();
    queue.add_assign(&mut power, Scalar::one()).unwrap();
    let read = queue.read(&power.slice(7..8).unwrap()).unwrap();
    let second = queue.submit().unwrap();
    assert!(!first.is_complete().unwrap() && !second.is_complete().unwrap());
    // Uploads do not wait for either.
    let other = engine.upload::<Fr>(&vec![[5_u64, 0, 0, 0]; 4096]).unwrap();
    assert!(!second.is_complete().unwrap(), "the upload has waited");
    let done = second.wait().unwrap();
    assert!(first.is_complete().unwrap());
    let one_more = arithmetic::add::<Fr>(&expected(SQUARES), &Fr::ONE);
    assert_eq!(done.element(&read).unwrap(), one_more);
    assert_eq!(power.download::<[u64; 4]>().unwrap(), [one_more; 4096]);
    assert_eq!(other.download::<[u64; 4]>().unwrap(), [[5, 0, 0, 0]; 4096]);
    first.wait().unwrap();
}

#[test]
fn a_download_waits_for_what_computes_it() {
    const SQUARES: usize = 500;
    let engine = VectorEngine::cpu_with_threads(2).unwrap();
    let (power, pending) = busy(&engine, SQUARES);
    assert_eq!(
        power.download::<[u64; 4]>().unwrap(),
        [expected(SQUARES); 4096]
    );
    pending.wait().unwrap();
}

#[test]
fn an_engine_that_nobody_holds_gives_up_what_it_was_at() {
    const SQUARES: usize = 20_000;
    let begun = Instant::now();
    let engine = VectorEngine::cpu_with_threads(2).unwrap();
    let (_, pending) = busy(&engine, SQUARES / 20);
    pending.wait().unwrap();
    let a_twentieth = begun.elapsed();
    let in_flight = [(), ()].map(|()| busy(&engine, SQUARES));
    let begun = Instant::now();
    drop((in_flight, engine));
    let took = begun.elapsed();
    assert!(took < 5 * a_twentieth, "{took:?} against {a_twentieth:?}");
}

/// A result that is not there: the panic is reported to whoever waits, and the engine goes on.
#[test]
fn a_panic_reaches_whoever_waits() {
    let runner = CpuRunner::new(2).unwrap();
    let nothing = ChainWork {
        field: Fr::ID,
        elements: 0,
        chain: Chain {
            inputs: Vec::new(),
            links: Vec::new(),
            outputs: Vec::new(),
        },
        inputs: Vec::new(),
        outputs: vec![5],
    };
    let stages = vec![Stage {
        work: Work::Chain(nothing),
        last_uses: Vec::new(),
    }];
    let begun = runner.run(Program::default(), stages).unwrap();
    let error = begun.flight.wait().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a panic on the CPU: index out of bounds"),
        "{error}"
    );
    assert!(begun.flight.is_complete().unwrap());
    let begun = runner.run(Program::default(), Vec::new()).unwrap();
    begun.flight.wait().unwrap();
}

/// What fails leaves its results, and those that would be made of them, with the reason.
#[test]
fn results_of_a_failed_program_fail_whoever_uses_them() {
    let engine = VectorEngine::cpu_with_threads(2).unwrap();
    let (power, _pending) = busy(&engine, 500);
    let queue = engine.queue();
    let doubled = queue.double(&power).unwrap();
    let _huge = queue.fill(Scalar::<Fr>::one(), 1 << 50).unwrap();
    let failing = queue.submit().unwrap();
    // Recorded before anybody can know.
    let queue = engine.queue();
    let doubled_again = queue.double(&doubled).unwrap();
    let failing_too = queue.submit().unwrap();
    let failed = failing.wait().unwrap_err();
    assert!(matches!(failed, Error::OutOfHostMemory { .. }), "{failed}");
    let not_computed = |operation, source: &Error| Error::NotComputed {
        operation,
        source: Arc::new(source.clone()),
    };
    let failed_too = failing_too.wait().unwrap_err();
    assert_eq!(failed_too, not_computed("submit", &failed));
    let found = doubled.download::<[u64; 4]>().unwrap_err();
    assert_eq!(found, not_computed("download", &failed));
    let found = engine.queue().neg(&doubled_again).unwrap_err();
    assert_eq!(found, not_computed("neg", &failed_too));
    assert_eq!(power.download::<[u64; 4]>().unwrap(), [expected(500); 4096]);
}
