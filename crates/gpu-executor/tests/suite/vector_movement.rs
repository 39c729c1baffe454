//! Elements in other places: concatenation, rotation, interleaving, strides and gathering.

use field_kernels::{Field, Fp, Fp2, Fr};
use gpu_executor::Error;
use gpu_executor::vectors::{FieldVec, Form, VectorEngine};

use crate::engines::{self, error, expect, on_both_engines, random, refused, run, wrong_form};

on_both_engines! {
    [engines::settled().dispatch_elements(100)]
    rotations_by_any_number
    strides_of_any_length
    as_many_vectors_as_are_given
    slices_that_begin_anywhere<Fp, Fr, Fp2>
    indices_serve_often
    indices_must_be_inside
    steps_and_starts_must_be_inside
    lengths_and_forms_must_fit
    indices_of_another_engine
}

fn rotations_by_any_number(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 300, 1);
    let by = [0, 1, 150, 299, 300, 301, 1000, isize::MAX];
    let back = by.map(|by| -by);
    for by in by.into_iter().chain(back).chain([isize::MIN]) {
        let queue = engine.queue();
        let rotated = queue.rotate(&vector, by).unwrap();
        run(queue);
        let mut expected = x.clone();
        let left = (by as i128).rem_euclid(300);
        expected.rotate_left(usize::try_from(left).unwrap());
        expect(&rotated, &expected, &format!("by {by}"));
    }
    let queue = engine.queue();
    let none = queue.rotate(&vector.slice(..0).unwrap(), -7).unwrap();
    let one = queue.rotate(&vector.slice(7..8).unwrap(), -7).unwrap();
    run(queue);
    expect(&none, &[], "of none");
    expect(&one, &x[7..8], "of one");
}

fn strides_of_any_length(engine: &VectorEngine) {
    let (x, vector) = random::<Fp>(engine, 1000, 2);
    let queue = engine.queue();
    let cases = [
        (0, 1),
        (3, 2),
        (0, 3),
        (1, 99),
        (0, 100),
        (5, 333),
        (0, 999),
        (7, 1000),
        (999, 1),
        (1000, 1),
        (2, usize::MAX),
    ];
    let strided = cases.map(|(start, step)| queue.strided(&vector, start, step).unwrap());
    run(queue);
    for ((start, step), strided) in cases.into_iter().zip(strided) {
        let expected: Vec<_> = x[start..].iter().step_by(step).copied().collect();
        expect(&strided, &expected, &format!("{start}, {step}"));
    }
}

fn as_many_vectors_as_are_given(engine: &VectorEngine) {
    let (x, vector) = random::<Fr>(engine, 40, 3);
    for count in [1, 2, 5, 40] {
        let vectors: Vec<_> = (0..count).map(|at| vector.slice(at..).unwrap()).collect();
        let cut: Vec<_> = vectors.iter().map(|it| it.slice(..1).unwrap()).collect();
        let queue = engine.queue();
        let joined = queue.concat(&vectors).unwrap();
        let by_turns = queue.interleave(&cut).unwrap();
        run(queue);
        let expected: Vec<_> = (0..count).flat_map(|at| x[at..].to_vec()).collect();
        expect(&joined, &expected, &format!("{count} vectors"));
        expect(&by_turns, &x[..count], &format!("{count} vectors"));
    }
    let none: [FieldVec<Fr>; 0] = [];
    let queue = engine.queue();
    let nothing = [
        queue.concat(&none).unwrap(),
        queue.interleave(&none).unwrap(),
        queue.concat(&[vector.slice(..0).unwrap()]).unwrap(),
    ];
    run(queue);
    nothing.iter().for_each(|it| expect(it, &[], "of nothing"));
}

/// Of results that are only recorded, at beginnings that are multiples of no alignment.
fn slices_that_begin_anywhere<F: Field>(engine: &VectorEngine) {
    let (x, vector) = random::<F>(engine, 700, 4);
    let numbers: Vec<u32> = (0..250).rev().chain([17; 30]).collect();
    let indices = engine.upload_indices(&numbers).unwrap();
    assert_eq!((indices.len(), indices.is_empty()), (280, false));
    for (first, second) in [(0, 450), (1, 3), (13, 13), (449, 7)] {
        let queue = engine.queue();
        let twice = queue.neg(&queue.neg(&vector).unwrap()).unwrap();
        let [a, b] = [first, second].map(|at| twice.slice(at..at + 250).unwrap());
        let joined = queue.concat(&[&b, &a]).unwrap();
        let rotated = queue.rotate(&joined.slice(9..).unwrap(), -3).unwrap();
        let by_turns = queue.interleave(&[&a, &b]).unwrap();
        let odd = queue.strided(&by_turns, 1, 2).unwrap();
        let gathered = queue.gather(&b, &indices).unwrap();
        drop((twice, a, b));
        run(queue);
        let (a, b) = (&x[first..first + 250], &x[second..second + 250]);
        let what = format!("{} at {first} and {second}", F::NAME);
        let both = [b, a].concat();
        let mut around = both[9..].to_vec();
        around.rotate_right(3);
        let turns: Vec<_> = a.iter().zip(b).flat_map(|(a, b)| [*a, *b]).collect();
        let picked: Vec<_> = numbers.iter().map(|it| b[*it as usize]).collect();
        expect(&joined, &both, &what);
        expect(&rotated, &around, &what);
        expect(&by_turns, &turns, &what);
        expect(&odd, b, &what);
        expect(&gathered, &picked, &what);
    }
}

fn indices_serve_often(engine: &VectorEngine) {
    let indices = engine.upload_indices(&[2, 0, 2, 1, 3]).unwrap();
    let (mut x, mut vector) = random::<Fr>(engine, 5, 5);
    for round in 0..3 {
        let queue = engine.queue();
        vector = queue.gather(&vector, &indices).unwrap();
        run(queue);
        x = [2, 0, 2, 1, 3].map(|at: usize| x[at]).to_vec();
        expect(&vector, &x, &format!("round {round}"));
    }
    let none = engine.upload_indices(&[]).unwrap();
    let queue = engine.queue();
    let nothing = queue.gather(&vector, &none).unwrap();
    let of_nothing = queue.gather(&vector.slice(..0).unwrap(), &none).unwrap();
    run(queue);
    expect(&nothing, &[], "by no indices");
    expect(&of_nothing, &[], "of nothing");
}

fn indices_must_be_inside(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 10, 6);
    let indices = engine.upload_indices(&[9, 3, u32::MAX, 10]).unwrap();
    refused!(engine.queue().gather(&x, &indices)
        => "gather: expected an index below 10 at place 2, found 4294967295");
    let indices = engine.upload_indices(&[0, 10]).unwrap();
    refused!(engine.queue().gather(&x, &indices)
        => "gather: expected an index below 10 at place 1, found 10");
    let indices = engine.upload_indices(&[0]).unwrap();
    let none = x.slice(..0).unwrap();
    refused!(engine.queue().gather(&none, &indices)
        => "gather: expected an index below 0 at place 0, found 0");
}

fn steps_and_starts_must_be_inside(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 10, 7);
    let queue = engine.queue();
    refused!(queue.strided(&x, 1, 0) => "strided: expected a step of 1 or more, found 0");
    refused!(queue.strided(&x, 11, 1) => Error::OutOfRange { elements: 10, start: 11, end: 10 });
}

fn lengths_and_forms_must_fit(engine: &VectorEngine) {
    let (_, x) = random::<Fr>(engine, 5, 8);
    let plain = engine.upload_plain::<Fr>(&[[1, 2, 3, 4]; 5]).unwrap();
    let queue = engine.queue();
    refused!(queue.interleave(&[&x, &x.slice(1..).unwrap()])
        => Error::UnequalVectors { operation: "interleave", left: 5, right: 4 });
    for (operation, refused) in [
        ("concat", queue.concat(&[&x, &plain])),
        ("interleave", queue.interleave(&[&x, &plain])),
    ] {
        let wrong = wrong_form(operation, Form::Montgomery, Form::Plain);
        assert_eq!(error(refused), wrong);
    }
    refused!(queue.concat(&vec![queue.fill::<Fr>(1, 1 << 57).unwrap(); 4])
        => Error::VectorTooLong { operation: "concat", .. });
    drop(queue);
    let queue = engine.queue();
    let kept = [
        queue.concat(&[&plain]).unwrap(),
        queue.rotate(&plain, 1).unwrap(),
        queue.interleave(&[&plain]).unwrap(),
        queue.strided(&plain, 0, 1).unwrap(),
    ];
    run(queue);
    for it in kept {
        assert_eq!(it.form(), Form::Plain);
        expect(&it, &[[1, 2, 3, 4]; 5], "of plain form");
    }
}

fn indices_of_another_engine(engine: &VectorEngine) {
    let foreign = engines::cpu().upload_indices(&[0]).unwrap();
    let (_, x) = random::<Fr>(engine, 1, 9);
    refused!(engine.queue().gather(&x, &foreign) => Error::ForeignVector { operation: "gather" });
}
