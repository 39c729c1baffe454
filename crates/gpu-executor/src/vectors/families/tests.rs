//! A family from one file, one shader and one row: what this file and
//! `shaders/tests/gather.comp` hold is all that there is of it.

use std::sync::Mutex;

use field_kernels::edge::edge_elements;
use field_kernels::{Arithmetic, Fp, VectorModule};
use vk_core::testing::device_under_test;

use super::prelude::*;
use crate::vectors::VectorEngine;
use crate::vectors::cpu::Words;
use crate::vectors::vulkan::engine_on;

/// The row of the kernel.
static GATHER: VectorKernel = VectorKernel {
    name: "gather",
    bindings: 3,
    constant_words: 4,
    group_size: 128,
    needs_shuffle: false,
    modules: &[&[VectorModule {
        name: "gather",
        field: None,
        arithmetic: Arithmetic::U32,
        spirv: include_bytes!("../../../../../shaders/compiled/tests/gather.spv"),
    }]],
};

/// Takes every so-manieth element of x, around and around, twice; and of y, which is of
/// another type, the last and the first.
static BRAID: WholeOperation = WholeOperation::new("braid", on_device, on_cpu).without_products();

impl Queue {
    /// # Errors
    /// [`Error::WrongLength`] for an x whose length is a multiple of `every`, and for an
    /// empty y.
    fn braid(
        &self,
        every: usize,
        x: &FieldVec<Fp>,
        y: &FieldVec<Fr>,
    ) -> Result<(FieldVec<Fp>, FieldVec<Fr>)> {
        let wrong = |expected, found| Error::WrongLength {
            operation: BRAID.name,
            expected,
            found,
        };
        if x.len().is_multiple_of(every) {
            return Err(wrong("no multiple of the step", x.len()));
        }
        if y.is_empty() {
            return Err(wrong("an element or more", 0));
        }
        let arguments = [self.argument(BRAID.name, x)?, self.argument(BRAID.name, y)?];
        let node = self.whole(&BRAID, Fp::ID, arguments.to_vec());
        let node = node.with(&[every as u64]);
        Ok((node.result(x.len(), x.form()), node.result(2, y.form())))
    }
}

/// Which element goes to each place of the first result.
fn numbers(every: u64, elements: usize) -> impl Iterator<Item = usize> {
    let every = usize::try_from(every).unwrap();
    (0..elements).map(move |place| every * place % elements)
}

/// How often a table for so many elements was made, on either engine.
static MADE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn key(every: u64, elements: usize) -> TableKey {
    TableKey {
        name: BRAID.name,
        element: Fp::ID,
        parameters: vec![every, elements as u64],
    }
}

fn on_device(steps: &mut Steps<'_>, call: &Call<'_>) -> Result<(), Error> {
    let ([x, y], every) = ([&call.arguments[0], &call.arguments[1]], call.parameters[0]);
    let table = steps.table(key(every, x.elements), |steps| {
        MADE.lock().unwrap().push(x.elements);
        written(steps, numbers(every, x.elements))
    })?;
    // Around once, in memory of its own, and twice.
    let once = steps.take(x.of, x.elements)?;
    let from = steps.input(x, &(0..x.elements))?;
    gather(steps, x.of, from, &table, &once)?;
    let mixed = steps.take(x.of, x.elements)?;
    let from = steps.output(x.of, &once).to_read();
    gather(steps, x.of, from, &table, &mixed)?;
    steps.set_result(call, 0, mixed);
    // The ends of the other.
    let ends = written(steps, [y.elements - 1, 0].into_iter())?;
    let picked = steps.take(y.of, 2)?;
    let from = steps.input(y, &(0..y.elements))?;
    gather(steps, y.of, from, &ends, &picked)?;
    steps.set_result(call, 1, picked);
    Ok(())
}

/// Numbers, in device memory.
fn written(steps: &mut Steps<'_>, numbers: impl Iterator<Item = usize>) -> Result<Storage, Error> {
    let words: Vec<u32> = numbers.map(count).collect::<Result<_, _>>()?;
    let storage = steps.take_bytes(size_of_val(words.as_slice()))?;
    steps.write(&storage, bytemuck::must_cast_slice(&words));
    Ok(storage)
}

fn gather(
    steps: &mut Steps<'_>,
    field: ElementId,
    from: Window,
    table: &Storage,
    to: &Storage,
) -> Result<(), Error> {
    let (elements, parts) = (to.bytes() / field.bytes(), field.bytes() / PART);
    let (table, output) = (Window::on(table).to_read(), steps.output(field, to));
    let constants = [count(elements)?, count(parts)?, from.start, output.start];
    let buffers = [&from, &table, &output];
    steps.dispatch(&GATHER, field, &buffers, &constants, elements * parts)
}

fn on_cpu(run: &mut Run<'_>, call: &Call<'_>) -> Result<(), Error> {
    let ([x, y], every) = ([&call.arguments[0], &call.arguments[1]], call.parameters[0]);
    let table = run.table(key(every, x.elements), |run| {
        MADE.lock().unwrap().push(x.elements);
        let mut table = run.take(x.elements)?;
        let places = table.as_mut_slice().iter_mut();
        let numbers = places.zip(numbers(every, x.elements));
        numbers.for_each(|(place, number)| *place = number as u64);
        Ok(table)
    })?;
    let number = |place: usize| usize::try_from(table.as_slice()[place]).unwrap();
    let mixed = chosen(run, x, (0..x.elements).map(|place| number(number(place))))?;
    let picked = chosen(run, y, [y.elements - 1, 0].into_iter())?;
    run.set_result(call, 0, mixed);
    run.set_result(call, 1, picked);
    Ok(())
}

fn chosen(
    run: &Run<'_>,
    from: &Argument,
    numbers: impl ExactSizeIterator<Item = usize>,
) -> Result<Words, Error> {
    let (limbs, elements) = (from.of.limbs(), run.limbs(from)?);
    let mut out = run.take(numbers.len() * limbs)?;
    for (out, number) in out.as_mut_slice().chunks_mut(limbs).zip(numbers) {
        out.copy_from_slice(&elements[number * limbs..][..limbs]);
    }
    Ok(out)
}

/// Edge elements, over and over.
fn edges<F: Field>(count: usize) -> Vec<F::Limbs> {
    let edges = edge_elements::<F>().into_iter();
    edges.cycle().take(count).collect()
}

/// Runs it on slices, of `elements` elements the first, beside element-wise neighbours, and
/// holds it to what it should be.
fn braid(engine: &VectorEngine, every: usize, elements: usize) {
    let (x, y) = (edges::<Fp>(elements + 3), edges::<Fr>(300));
    let x_vector = engine.upload::<Fp>(x.as_flattened()).unwrap();
    let y_vector = engine.upload::<Fr>(y.as_flattened()).unwrap();
    let (x_vector, y_vector) = (
        x_vector.slice(3..).unwrap(),
        y_vector.slice(5..299).unwrap(),
    );
    let queue = engine.queue();
    let minus = queue.neg(&x_vector).unwrap();
    let (mixed, picked) = queue.braid(every, &minus, &y_vector).unwrap();
    let mixed = queue.neg(&mixed).unwrap();
    let read = queue.read(&picked).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    let once = numbers(every as u64, elements);
    let expected: Vec<_> = once.map(|it| x[3 + every * it % elements]).collect();
    assert!(mixed.download::<[u64; 6]>().unwrap() == expected);
    assert_eq!(done.elements(&read).unwrap(), [y[298], y[5]]);
    assert_eq!(picked.download::<[u64; 4]>().unwrap(), [y[298], y[5]]);
}

/// On an engine that nobody else uses.
fn check(engine: &VectorEngine, elements: usize) {
    let made = || {
        let made = MADE.lock().unwrap();
        made.iter().filter(|it| **it == elements).count()
    };
    braid(engine, 7, elements);
    braid(engine, 7, elements);
    assert_eq!(made(), 1, "the table is kept");
    let one_table = engine.trim();
    assert_eq!(engine.trim(), 0);
    braid(engine, 7, elements);
    assert_eq!(made(), 2, "the table was let go");
    braid(engine, 11, elements);
    assert_eq!(made(), 3, "another parameter, another table");
    let another = engine.trim() - one_table;
    assert!(another >= 4 * elements, "counted: {another} bytes");

    let queue = engine.queue();
    let x = engine.upload::<Fp>(&[[0_u64; 6]; 14]).unwrap();
    let y = engine.upload::<Fr>(&[[0_u64; 4]; 1]).unwrap();
    let error = queue.braid(7, &x, &y).unwrap_err().to_string();
    assert_eq!(
        error,
        "braid: expected no multiple of the step, found 14 elements"
    );
    // Whoever wants one of its results has both computed, and one kept.
    let (_, picked) = queue.braid(7, &x.slice(..9).unwrap(), &y).unwrap();
    queue.submit().unwrap().wait().unwrap();
    assert_eq!(picked.download::<[u64; 4]>().unwrap(), [[0; 4]; 2]);
}

#[test]
fn a_family_of_one_file_runs_on_the_cpu() {
    check(&VectorEngine::cpu_with_threads(2).unwrap(), 5_000);
}

#[test]
fn a_family_of_one_file_runs_on_the_device() {
    let (_guard, physical) = device_under_test().unwrap();
    let engine = engine_on(&physical, Default::default(), None);
    // More than one write, and a length that no workgroup divides.
    check(&engine, 20_001);
}
