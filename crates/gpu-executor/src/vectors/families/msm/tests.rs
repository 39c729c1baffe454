//! Windows of more bits than few terms would have, against the CPU engine.

use field_kernels::{Curve as _, ElementType as _, FR_MODULUS, G1, edge};
use vk_core::testing::device_under_test;

use super::*;
use crate::Inputs;
use crate::device::Asked;
use crate::vectors::bases::sealed::Sealed as _;
use crate::vectors::vulkan::runner_on;
use crate::vectors::{Bases, PointCheck};

const TERMS: usize = 300;

/// Equal and opposite ones and infinity among them.
fn points() -> Vec<[u64; 12]> {
    let mut next = Xyzz::<G1>::from_affine(&G1::GENERATOR);
    let points = (0..TERMS).map(|number| {
        next = next.double().add_affine(&G1::GENERATOR);
        match number % 7 {
            3 => Xyzz::default(),
            5 => Xyzz::from_affine(&G1::GENERATOR),
            6 => Xyzz::from_affine(&field_kernels::curve::opposite::<G1>(&G1::GENERATOR)),
            _ => next,
        }
    });
    Xyzz::to_affine_all(&points.collect::<Vec<_>>())
}

/// Two rows: edge elements and powers of two by turns; then r - 1 alone.
fn scalars() -> Vec<[u64; 4]> {
    let edges = edge::edge_elements::<Fr>().into_iter().cycle();
    let mixed = edges.take(TERMS).enumerate().map(|(number, edge)| {
        let mut power = [0; 4];
        power[number % 4] = 1 << (number % 62);
        if number % 3 == 0 { power } else { edge }
    });
    let mut last = FR_MODULUS;
    last[0] -= 1;
    mixed.chain([last; TERMS]).collect()
}

/// Columns of one block of buckets and of many; of one sum for the host, and of two that the
/// device joins; in one dispatch, and in several with terms in parts.
#[test]
fn windows_of_many_bits() {
    let (_guard, physical) = device_under_test().unwrap();
    let cpu = VectorEngine::cpu_with_threads(2).unwrap();
    let of_row = 0..TERMS;
    let [expected, of_rows] = {
        let points = cpu.upload_points::<G1>(points().as_flattened(), PointCheck::Trusted);
        let (points, scalars) = (points.unwrap(), cpu.upload_plain::<Fr>(&scalars()).unwrap());
        let queue = cpu.queue();
        let one = queue.msm(&points, &scalars.slice(of_row.clone()).unwrap());
        let two = queue.msm_rows(&points, &scalars);
        let done = queue.submit().unwrap().wait().unwrap();
        [one, two].map(|it| Xyzz::to_affine_all(&done.msm_rows(&it.unwrap()).unwrap()))
    };
    for (dispatch, spacing, bits, stretch) in [
        (None, 0, 11, 2),
        (None, 0, 12, 4),
        (None, 0, 13, 4),
        (None, 0, 16, 8),
        (None, 20, 20, 2),
        (None, 21, 11, 2),
        (Some(256), 14, 14, 4),
    ] {
        let runner = runner_on(&physical, |_| {}, Asked::default(), dispatch);
        let device = VectorEngine::on(runner, Inputs::default());
        let points = device.upload_points::<G1>(points().as_flattened(), PointCheck::Trusted);
        let scalars = device.upload_plain::<Fr>(&scalars()).unwrap();
        let multiples = Multiples::at(Shape::of(G1::ID, 1, TERMS), spacing);
        let bases = Bases::with(&points.unwrap(), multiples).unwrap();
        let points = bases.prepared();
        for (sums, expected) in [(1, &expected), (2, &of_rows)] {
            let scalars = scalars.slice(..sums * TERMS).unwrap();
            let (elements, layout) = Scalars::from(&scalars).layout();
            let shape = points.shape(sums, TERMS, layout);
            let plan = Plan::with(shape, bits, stretch);
            let queue = device.queue();
            let is_joined = sums > 1;
            let parts = queue.sums_of(&points, (elements, layout), (shape, plan), is_joined);
            let msm = Msm::<G1> {
                parts: queue.read(&parts.unwrap()).unwrap(),
                join: (!is_joined).then_some(plan),
            };
            let found = queue.submit().unwrap().wait().unwrap();
            let found = Xyzz::to_affine_all(&found.msm_rows(&msm).unwrap());
            assert!(found == *expected, "{sums} sums, {plan:?}");
        }
    }
}
