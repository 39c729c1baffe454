mod limits;

use std::sync::Weak;

use field_kernels::{ElementOperation, ElementType as _, Fp, Fp2, Fr, operations::*};

use super::*;
use crate::vectors::families::{Number, WholeOperation};
use crate::vectors::program::NodeResult;
use crate::vectors::value::Stored;

/// An operation over whole vectors, which nobody runs here.
const WHOLE: WholeOperation = WholeOperation {
    name: "whole",
    multiplies: false,
    leaves: None,
    on_device: |_, _| unreachable!("nothing is run"),
    on_cpu: |_, _| unreachable!("nothing is run"),
};

/// One that answers its caller.
static ANSWER: WholeOperation = WholeOperation {
    leaves: Some(Number::Answer),
    ..WHOLE
};

/// As a device has it that binds few buffers.
const FUSION: Fusion = Fusion {
    buffers: 8,
    operations: 6,
    products: 3,
};

/// A program in the making: nodes over 100 elements of Fr unless said otherwise.
struct Recording {
    program: Program,
}

impl Default for Recording {
    fn default() -> Self {
        let inputs = vec![Stored::Nowhere; 12];
        let program = Program {
            inputs,
            ..Program::default()
        };
        Self { program }
    }
}

fn input(number: usize) -> Argument {
    Argument {
        source: Source::Input(number),
        of: Fr::ID,
        start: 0,
        elements: 100,
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
    /// A node, with results of these fields and lengths.
    fn push(
        &mut self,
        task: Task,
        arguments: &[Argument],
        results: &[(ElementId, usize)],
    ) -> Vec<Argument> {
        let first = self.program.results.len();
        let new = results.iter().map(|(field, elements)| NodeResult {
            of: *field,
            elements: *elements,
            value: Weak::new(),
            is_live: false,
        });
        self.program.results.extend(new);
        self.program.nodes.push(Node {
            task,
            field: Fr::ID,
            arguments: arguments.to_vec(),
            parameters: Vec::new(),
            results: first..self.program.results.len(),
        });
        let results = (first..).zip(results);
        let argument = |(number, (field, elements)): (usize, &(ElementId, usize))| Argument {
            source: Source::Result(number),
            of: *field,
            start: 0,
            elements: *elements,
            scalar: false,
        };
        results.map(argument).collect()
    }

    fn node(&mut self, task: Task, arguments: &[Argument]) -> Argument {
        self.push(task, arguments, &[(Fr::ID, 100)])[0]
    }

    fn op(&mut self, operation: &'static ElementOperation, arguments: &[Argument]) -> Argument {
        self.node(Task::Element(operation), arguments)
    }

    fn whole(&mut self, arguments: &[Argument]) -> Argument {
        self.node(Task::Whole(&WHOLE), arguments)
    }

    fn hold(&mut self, result: Argument) {
        if let Source::Result(number) = result.source {
            self.program.results[number].is_live = true;
        }
    }

    fn read(&mut self, result: Argument) {
        self.program.reads.push(result);
    }

    fn plan(&self) -> Vec<Stage> {
        plan(&self.program, FUSION)
    }

    fn chains(&self) -> Vec<ChainWork> {
        let chains = self
            .plan()
            .into_iter()
            .filter_map(|stage| match stage.work {
                Work::Chain(work) => Some(work),
                Work::Whole(_) => None,
            });
        chains.collect()
    }

    /// The stages in short: links, inputs and outputs of a chain, or a node's number.
    fn shapes(&self) -> Vec<String> {
        let shape = |stage: &Stage| match &stage.work {
            Work::Chain(stage) => {
                stage.chain.check().unwrap();
                assert_eq!(stage.chain.inputs.len(), stage.inputs.len());
                assert_eq!(stage.chain.outputs.len(), stage.outputs.len());
                let outputs = &stage.outputs;
                format!("{:?} {outputs:?}", stage.chain.links)
            }
            Work::Whole(number) => format!("node {number}"),
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
    let whole = it.whole(&[unused]);
    it.push(Task::Whole(&ANSWER), &[used, input(0)], &[]);
    assert_eq!(it.shapes(), ["[double[0]] [0]", "node 3"]);
    assert_eq!(Recording::default().shapes(), [""; 0]);
    it.read(input(0));
    assert_eq!(it.shapes().len(), 2);
    it.read(whole);
    let chain = "[double[0], mul[2, 1]] [0, 1]";
    assert_eq!(it.shapes(), [chain, "node 2", "node 3"]);
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
    assert_eq!(
        it.chains()[0].chain.inputs,
        [Input::Vector, Input::Vector, Input::Scalar]
    );
}

#[test]
fn other_fields_lengths_and_tasks_end_a_chain_and_the_order_stays() {
    let mut it = Recording::default();
    let double = Task::Element(&DOUBLE);
    let first = it.op(&DOUBLE, &[input(0)]);
    let other = it.push(double, &[input(1)], &[(Fp::ID, 100)])[0];
    let short = it.push(double, &[first], &[(Fr::ID, 50)])[0];
    let total = it.push(Task::Whole(&WHOLE), &[first], &[(Fr::ID, 1)])[0];
    let last = it.op(&MUL, &[first, scalar(total)]);
    let reversed = it.whole(&[last]);
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
    // Its output is the input itself.
    let work = &it.chains()[0];
    assert_eq!(
        (&work.chain.outputs, &work.outputs),
        (&vec![0, 2], &vec![0, 1])
    );
}

#[test]
fn each_stage_says_what_it_is_the_last_to_use() {
    let mut it = Recording::default();
    let sum = it.op(&ADD, &[input(0), input(1)]);
    let results = [(Fr::ID, 100), (Fp::ID, 3), (Fr::ID, 1)];
    let [left, unused, held] = it.push(Task::Whole(&WHOLE), &[sum, input(0)], &results)[..] else {
        unreachable!("three results")
    };
    let inside = it.op(&NEG, &[left]);
    let last = it.op(&MUL, &[inside, sum]);
    it.hold(last);
    it.hold(held);
    it.read(input(2));
    let expected = [
        ("[add[0, 1]] [0]", vec![input(1)]),
        // One of its results is for nobody.
        ("node 1", vec![unused, input(0)]),
        ("[neg[0], mul[2, 1]] [5]", vec![sum, left, inside]),
    ];
    assert_eq!(it.shapes(), expected.each_ref().map(|(shape, _)| *shape));
    for (stage, (shape, last_uses)) in it.plan().iter().zip(&expected) {
        let expected: Vec<_> = last_uses.iter().map(|it| it.source).collect();
        assert_eq!(stage.last_uses, expected, "{shape}");
    }
    // What is read at the end is needed until then.
    it.read(sum);
    let uses = it.plan().into_iter().flat_map(|stage| stage.last_uses);
    assert!(!uses.collect::<Vec<_>>().contains(&sum.source));
}
