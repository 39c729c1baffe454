mod limits;

use std::sync::Weak;

use field_kernels::{ElementOperation, ElementType as _, Fp, Fr, operations::*};

use super::*;
use crate::vectors::program::{Read, Reduction};

/// As a device has it that binds few buffers.
const FUSION: Fusion = Fusion {
    buffers: 8,
    operations: 6,
    products: 3,
};

/// A program in the making: nodes over 100 elements of Fr unless said otherwise.
#[derive(Default)]
struct Recording {
    program: Program,
    live: Vec<bool>,
}

fn input(number: usize) -> Argument {
    Argument {
        source: Source::Input(number),
        start: 0,
        scalar: false,
    }
}

fn at(start: usize, argument: Argument) -> Argument {
    Argument { start, ..argument }
}

fn scalar(argument: Argument) -> Argument {
    Argument {
        scalar: true,
        ..argument
    }
}

impl Recording {
    fn push(
        &mut self,
        task: Task,
        arguments: &[Argument],
        field: ElementId,
        elements: usize,
    ) -> Argument {
        self.program.nodes.push(Node {
            task,
            field,
            arguments: arguments.to_vec(),
            elements,
            result: Weak::new(),
        });
        self.live.push(false);
        Argument {
            source: Source::Node(self.live.len() - 1),
            start: 0,
            scalar: false,
        }
    }

    fn node(&mut self, task: Task, arguments: &[Argument]) -> Argument {
        self.push(task, arguments, Fr::ID, 100)
    }

    fn op(&mut self, operation: &'static ElementOperation, arguments: &[Argument]) -> Argument {
        self.node(Task::Element(operation), arguments)
    }

    /// Somebody holds the result.
    fn hold(&mut self, result: Argument) {
        if let Source::Node(number) = result.source {
            self.live[number] = true;
        }
    }

    fn read(&mut self, result: Argument) {
        self.program.reads.push(Read {
            source: result.source,
            field: Fr::ID,
            start: 0,
            elements: 100,
        });
    }

    fn plan(&self) -> Vec<Stage> {
        plan(&self.program, &self.live, FUSION)
    }

    /// The stages in short: links, inputs and outputs of a chain, or a node's number.
    fn shapes(&self) -> Vec<String> {
        let shape = |stage: &Stage| match stage {
            Stage::Chain(stage) => {
                stage.chain.check().unwrap();
                assert_eq!(stage.chain.inputs.len(), stage.inputs.len());
                assert_eq!(stage.chain.outputs.len(), stage.outputs.len());
                let outputs = &stage.outputs;
                format!("{:?} {outputs:?}", stage.chain.links)
            }
            Stage::Node(number) => format!("node {number}"),
        };
        self.plan().iter().map(shape).collect()
    }
}

#[test]
fn neighbours_become_one_chain_whose_values_stay_inside() {
    let mut it = Recording::default();
    let product = it.op(&MUL, &[input(0), input(1)]);
    let sum = it.op(&ADD, &[product, input(0)]);
    let result = it.op(&SUB, &[sum, product]);
    it.hold(result);
    assert_eq!(it.shapes(), ["[mul[0, 1], add[2, 0], sub[3, 2]] [2]"]);
    // What is held or read inside is stored too.
    it.hold(product);
    it.read(sum);
    assert_eq!(it.shapes(), ["[mul[0, 1], add[2, 0], sub[3, 2]] [0, 1, 2]"]);
}

#[test]
fn what_leads_to_nothing_is_left_out() {
    let mut it = Recording::default();
    let used = it.op(&DOUBLE, &[input(0)]);
    let unused = it.op(&MUL, &[used, input(1)]);
    it.node(Task::Inverse, &[unused]);
    let equal = it.node(Task::Equal, &[used, input(0)]);
    assert_eq!(it.shapes(), ["[double[0]] [0]", "node 3"]);
    assert_eq!(Recording::default().shapes(), [""; 0]);
    it.read(equal);
    it.read(input(0));
    assert_eq!(it.shapes().len(), 2);
}

/// An invocation has its own element of a result, and no other.
#[test]
fn views_of_a_chains_own_results_end_it() {
    for (view, stages) in [
        ((|it| it) as fn(Argument) -> Argument, 1),
        (|it| at(1, it), 2),
        (scalar, 2),
        (|it| scalar(at(7, it)), 2),
    ] {
        let mut it = Recording::default();
        let sum = it.op(&ADD, &[input(0), input(1)]);
        let result = it.op(&MUL, &[sum, view(sum)]);
        it.hold(result);
        assert_eq!(it.plan().len(), stages);
    }
    // Views of what was there before do not, and each is an input of its own.
    let mut it = Recording::default();
    let sum = it.op(&ADD, &[at(3, input(0)), input(0)]);
    let result = it.op(&MUL, &[sum, scalar(at(3, input(0)))]);
    let again = it.op(&SUB, &[result, at(3, input(0))]);
    it.hold(again);
    assert_eq!(it.shapes(), ["[add[0, 1], mul[3, 2], sub[4, 0]] [2]"]);
    let Stage::Chain(stage) = &it.plan()[0] else {
        unreachable!("a chain")
    };
    assert_eq!(
        stage.chain.inputs,
        [Input::Vector, Input::Vector, Input::Scalar]
    );
}

#[test]
fn other_fields_lengths_and_tasks_end_a_chain_and_the_order_stays() {
    let mut it = Recording::default();
    let double = Task::Element(&DOUBLE);
    let first = it.op(&DOUBLE, &[input(0)]);
    let other = it.push(double, &[input(1)], Fp::ID, 100);
    let short = it.push(double, &[first], Fr::ID, 50);
    let total = it.node(Task::Reduce(Reduction::Sum), &[first]);
    let last = it.op(&MUL, &[first, scalar(total)]);
    let reversed = it.node(Task::BitReverse, &[last]);
    for held in [other, short, reversed] {
        it.hold(held);
    }
    let expected = [
        "[double[0]] [0]",
        "[double[0]] [1]",
        "[double[0]] [2]",
        "node 3",
        "[mul[0, 1]] [4]",
        "node 5",
    ];
    assert_eq!(it.shapes(), expected);
}

#[test]
fn a_fill_is_its_scalar_wherever_it_is_used() {
    let mut it = Recording::default();
    let constant = scalar(Argument {
        source: Source::Constant(0),
        ..input(0)
    });
    let filled = it.node(Task::Copy, &[constant]);
    let sum = it.op(&ADD, &[input(0), filled]);
    it.hold(sum);
    assert_eq!(it.shapes(), ["[add[1, 0]] [1]"]);
    it.hold(filled);
    let Stage::Chain(stage) = &it.plan()[0] else {
        unreachable!("a chain")
    };
    // Its output is the input itself.
    assert_eq!(
        (stage.chain.outputs.as_slice(), stage.outputs.as_slice()),
        (&[0, 2][..], &[0, 1][..])
    );
}
