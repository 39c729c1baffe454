//! The CPU reference against two independent implementations.

use std::thread;

use anyhow::{Context, anyhow, ensure};
use field_kernels::{Fp, arithmetic, edge};
use gpu_executor_soak::finding;
use gpu_executor_soak::operands::Element;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::oracle::{self, Oracle as _};

/// All pairs of edge elements.
pub(crate) fn edges() -> anyhow::Result<bool> {
    let (a, b) = oracle::edge_pairs::<Fp>();
    a.iter().zip(&b).try_for_each(|(a, b)| agree(a, b))?;
    let pairs = a.len();
    let promise = "reference, ark-ff and blst agree on all pairs of edge elements";
    Ok(finding(
        true,
        promise,
        &format!("{pairs} sums and differences"),
    ))
}

/// `pairs` random pairs, shared among the cores.
pub(crate) fn random(pairs: usize, seed: u64) -> anyhow::Result<bool> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = |thread: usize| pairs * (thread + 1) / threads - pairs * thread / threads;
    thread::scope(|scope| -> anyhow::Result<()> {
        let running: Vec<_> = (seed..)
            .zip(0..threads)
            .map(|(seed, thread)| scope.spawn(move || random_share(share(thread), seed)))
            .collect();
        for thread in running {
            let done = thread.join().map_err(|_| anyhow!("a thread panicked"))?;
            done?;
        }
        Ok(())
    })?;
    let promise = format!("reference, ark-ff and blst agree on {pairs} random pairs");
    let found = format!("{pairs} sums and differences, seed {seed}, {threads} threads");
    Ok(finding(true, &promise, &found))
}

fn random_share(pairs: usize, seed: u64) -> anyhow::Result<()> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut element = || edge::random::<Fp>(|| random.next_u64());
    for _ in 0..pairs {
        let (a, b) = (element(), element());
        agree(&a, &b).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

/// Sum and difference by all three.
fn agree(a: &Element, b: &Element) -> anyhow::Result<()> {
    // Taken as Montgomery form: on both operations it is the same function.
    let (ark_a, ark_b) = (Fp::ark_of(a), Fp::ark_of(b));
    let (sum, difference) = (arithmetic::add::<Fp>(a, b), arithmetic::sub::<Fp>(a, b));
    let by_ark = ((ark_a + ark_b).0.0, (ark_a - ark_b).0.0);
    let by_blst = (
        with_blst(a, b, blst::blst_fp_add),
        with_blst(a, b, blst::blst_fp_sub),
    );
    let found = (sum, difference);
    ensure!(
        found == by_ark,
        "{a:x?}, {b:x?}: {found:x?}, ark-ff {by_ark:x?}"
    );
    ensure!(
        found == by_blst,
        "{a:x?}, {b:x?}: {found:x?}, blst {by_blst:x?}"
    );
    Ok(())
}

type BlstOp = unsafe extern "C" fn(*mut blst::blst_fp, *const blst::blst_fp, *const blst::blst_fp);

fn with_blst(a: &Element, b: &Element, operation: BlstOp) -> Element {
    let (a, b) = (blst::blst_fp { l: *a }, blst::blst_fp { l: *b });
    let mut result = blst::blst_fp::default();
    // SAFETY: the three pointers come from live values of the type that the
    // operation takes, and the one it writes through from an exclusive borrow.
    unsafe { operation(&raw mut result, &raw const a, &raw const b) };
    result.l
}
