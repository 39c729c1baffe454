//! Permutations of a vector's elements.

use field_kernels::{Field, Fp, Fr};
use gpu_executor::vectors::{Order, VectorEngine};

use crate::engines::{self, error, expect, on_both_engines, random, run};
use crate::oracle::in_order;

on_both_engines! {
    [engines::settled().dispatch_elements(384)]
    bit_reversed_order_of_every_length
    bit_reversed_order_of_slices<Fp, Fr>
    bit_reversal_wants_a_power_of_two
}

fn bit_reversed<T: Copy>(x: &[T]) -> Vec<T> {
    in_order(x, x.len(), Order::BitReversed)
}

fn bit_reversed_order_of_every_length(engine: &VectorEngine) {
    for bits in 0..=12 {
        let len = 1 << bits;
        let (x, vector) = random::<Fp>(engine, len, 4);
        let (y, mut own) = random::<Fr>(engine, len, 5);
        let queue = engine.queue();
        let reversed = queue.bit_reverse(&vector).unwrap();
        queue.bit_reverse_assign(&mut own).unwrap();
        let back = queue.bit_reverse(&reversed).unwrap();
        run(queue);
        expect(&reversed, &bit_reversed(&x), &format!("2^{bits}"));
        expect(&own, &bit_reversed(&y), &format!("2^{bits}, in place"));
        expect(&back, &x, "twice is as before");
    }
}

/// Beginnings that are multiples of no alignment.
fn bit_reversed_order_of_slices<F: Field>(engine: &VectorEngine) {
    let (x, vector) = random::<F>(engine, 700, 5);
    for (start, len) in [(0, 1), (1, 128), (5, 64), (7, 256), (13, 512), (699, 1)] {
        let part = vector.slice(start..start + len).unwrap();
        let queue = engine.queue();
        let reversed = queue.bit_reverse(&part).unwrap();
        run(queue);
        let (x, what) = (&x[start..start + len], format!("{} at {start}", F::NAME));
        expect(&reversed, &bit_reversed(x), &what);
        expect(&part, x, &what);
    }
}

fn bit_reversal_wants_a_power_of_two(engine: &VectorEngine) {
    for found in [0, 3, 127, 4095] {
        let (_, x) = random::<Fr>(engine, found, 5);
        let text = format!("bit_reverse: expected a power of two, found {found} elements");
        assert_eq!(error(engine.queue().bit_reverse(&x)).to_string(), text);
    }
}
