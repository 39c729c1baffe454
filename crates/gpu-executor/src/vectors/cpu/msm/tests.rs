//! Against sums and products of `field_kernels::curve`, which adds point by point.

use field_kernels::{Curve, FR_MODULUS, G1, G2, curve, edge};

use super::*;
use crate::vectors::families::{Call, WholeOperation};
use crate::vectors::fields::with_curve;
use crate::vectors::{FieldVec, PointCheck, PointVec, VectorEngine};

static MSM: WholeOperation = WholeOperation {
    name: "msm on the CPU",
    multiplies: false,
    leaves: None,
    on_device: |_, _| unreachable!("an engine on the CPU"),
    on_cpu: |run, call| with_curve!(call.arguments[0].of, C => msm_on_cpu::<C>(run, call)),
};

fn form(call: &Call<'_>) -> Form {
    match call.parameters {
        [0] => Form::Plain,
        _ => Form::Montgomery,
    }
}

fn msm_on_cpu<C: BlstCurve>(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let points = C::elements(run.limbs(&call.arguments[0])?)?;
    let scalars = run.elements::<Fr>(&call.arguments[1])?;
    let scalars = HostScalars::Elements(scalars, form(call));
    let sums = msm::<C>(run, points, scalars, call.results[0].elements)?;
    let mut out = run.take(sums.len() * C::LIMBS)?;
    let places = C::elements_mut(out.as_mut_slice())?;
    places.copy_from_slice(&Xyzz::to_affine_all(&sums));
    run.set_result(call, 0, out);
    Ok(())
}

fn run<C: Curve>(
    operation: &'static WholeOperation,
    points: &PointVec<C>,
    scalars: &FieldVec<Fr>,
    results: usize,
) -> Vec<C::Limbs> {
    let queue = points.engine().queue();
    let arguments = vec![
        queue.argument("test", points).unwrap(),
        queue.argument("test", scalars).unwrap(),
    ];
    let is_montgomery = u64::from(scalars.form() == Form::Montgomery);
    let node = queue
        .whole(operation, C::ID, arguments)
        .with(&[is_montgomery]);
    let vector = node.result::<C>(results, Form::Montgomery);
    queue.submit().unwrap().wait().unwrap();
    C::elements(&vector.download::<u64>().unwrap())
        .unwrap()
        .to_vec()
}

/// Multiples of the generator; infinity, equal and opposite points among them.
fn points<C: Curve>(count: usize) -> Vec<C::Limbs> {
    let mut next = Xyzz::<C>::from_affine(&C::GENERATOR);
    let points = (0..count).map(|number| {
        next = next.double().add_affine(&C::GENERATOR);
        match number % 11 {
            3 => Xyzz::default(),
            5 => Xyzz::from_affine(&C::GENERATOR),
            8 => Xyzz::from_affine(&curve::opposite::<C>(&C::GENERATOR)),
            _ => next,
        }
    });
    Xyzz::to_affine_all(&points.collect::<Vec<_>>())
}

/// 0, 1, r - 1 and powers of two among edge elements and others.
fn scalars(count: usize) -> Vec<[u64; 4]> {
    let mut last = FR_MODULUS;
    last[0] -= 1;
    let mut some = vec![
        [0; 4],
        [1, 0, 0, 0],
        last,
        [0, 0, 0, 1 << 62],
        [0, 1 << 63, 0, 0],
    ];
    some.extend(edge::edge_elements::<Fr>());
    let mut state = 7_u64;
    some.extend((0..60).map(|_| {
        edge::random::<Fr>(|| {
            state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(3);
            state ^ state >> 29
        })
    }));
    some.into_iter().cycle().take(count).collect()
}

fn expected<C: Curve>(points: &[C::Limbs], scalars: &[[u64; 4]]) -> Xyzz<C> {
    let pairs = points.iter().zip(scalars);
    let products = pairs.map(|(point, scalar)| Xyzz::<C>::from_affine(point).mul(scalar));
    products.fold(Xyzz::default(), |sum, product| sum.add(&product))
}

fn check<C: Curve>(engine: &VectorEngine, points: &[C::Limbs], scalars: &[[u64; 4]], what: &str) {
    let p = engine.upload_points::<C>(C::words(points), PointCheck::Subgroup);
    let p = p.unwrap();
    let rows: Vec<_> = match points.len() {
        0 => vec![&[][..]; 2],
        row => scalars.chunks(row).collect(),
    };
    let sums: Vec<_> = rows.iter().map(|row| expected::<C>(points, row)).collect();
    let sums = Xyzz::to_affine_all(&sums);
    let plain = engine.upload_plain::<Fr>(scalars).unwrap();
    let in_form: Vec<_> = scalars
        .iter()
        .map(arithmetic::to_montgomery::<Fr>)
        .collect();
    for vector in [plain, engine.upload::<Fr>(&in_form).unwrap()] {
        let found = run(&MSM, &p, &vector, sums.len());
        assert!(
            found == sums,
            "{what}, {} points, {}",
            points.len(),
            vector.form()
        );
    }
}

fn sums<C: Curve>() {
    for threads in [1, 2, 5] {
        let engine = VectorEngine::cpu_with_threads(threads).unwrap();
        for count in [0, 1, 2, 3, 4, 31, 32, 33, 130] {
            let rows = if count < 5 { 7 } else { 2 };
            let (points, scalars) = (points::<C>(count), scalars(rows * count));
            check::<C>(&engine, &points, &scalars, "of all kinds");
        }
        for scalar in scalars(6) {
            let (points, scalars) = (vec![C::GENERATOR; 40], vec![scalar; 80]);
            check::<C>(&engine, &points, &scalars, "equal points and scalars");
            check::<C>(&engine, &points[..3], &scalars[..3], "three of them");
            let points = vec![C::Limbs::default(); 3];
            check::<C>(&engine, &points, &scalars[..6], "infinity alone");
        }
    }
    // Cut into stretches, with digits of many bits.
    let engine = VectorEngine::cpu_with_threads(5).unwrap();
    check::<C>(&engine, &points::<C>(1500), &scalars(1500), "many");
}

#[test]
fn sums_of_products_are_those_added_point_by_point() {
    sums::<G1>();
    sums::<G2>();
}

fn rows_of_their_own<C: Curve>() {
    let engine = VectorEngine::cpu_with_threads(3).unwrap();
    for (sums, terms) in [(2, 1), (40, 1), (7, 2), (5, 33)] {
        let (points, scalars) = (points::<C>(sums * terms), scalars(sums * terms));
        let rows = points.chunks(terms).zip(scalars.chunks(terms));
        let expected: Vec<_> = rows
            .map(|(points, scalars)| expected::<C>(points, scalars))
            .collect();
        let p = engine.upload_points::<C>(C::words(&points), PointCheck::Subgroup);
        let s = engine.upload_plain::<Fr>(&scalars).unwrap();
        let found = run(&MSM, &p.unwrap(), &s, sums);
        assert!(found == Xyzz::to_affine_all(&expected), "{sums} of {terms}");
    }
}

#[test]
fn each_row_may_have_points_of_its_own() {
    rows_of_their_own::<G1>();
    rows_of_their_own::<G2>();
}

#[test]
fn a_grid_covers_all_points_and_bits() {
    for points in [2, 3, 31, 1000, 1 << 20] {
        for (sums, threads) in [(1, 1), (1, 16), (1, 192), (1000, 16)] {
            let of = |bits| Grid::new((points, bits), sums, threads);
            for bits in [1, 8, 64, SCALAR_BITS] {
                let grid = of(bits);
                assert!(grid.digits() * grid.window > bits, "{grid:?}");
            }
            let grid = of(SCALAR_BITS);
            let stretches = (0..grid.stretches).map(|number| grid.stretch(number));
            let mut end = 0;
            for stretch in stretches {
                assert_eq!(stretch.start, end);
                assert!(stretch.len() >= 2, "{grid:?}");
                end = stretch.end;
            }
            assert_eq!(end, points);
        }
    }
    let window = |points, threads| Grid::new((points, SCALAR_BITS), 1, threads).window;
    assert!(window(1 << 20, 1) > window(1 << 10, 1));
    // Hardly any of many threads has nothing to do.
    assert!(Grid::new((1 << 16, SCALAR_BITS), 1, 192).tiles() > 160);
}
