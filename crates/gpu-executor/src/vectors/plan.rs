//! From recorded nodes to stages: which neighbours become one kernel, and which
//! results must be kept. Pure.

use field_kernels::ElementId;
use field_kernels::chain::{Chain, Input, Link, MAX_INPUTS, MAX_OUTPUTS};

use super::program::{Argument, Node, Program, Source, Task};

#[cfg(test)]
mod tests;

/// How far neighbours are fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fusion {
    /// Storage buffers that one kernel can bind.
    pub(crate) buffers: usize,
    pub(crate) operations: usize,
    /// Field products of one kernel: what is longer is compiled slowly, and no longer
    /// limited by memory.
    pub(crate) products: u32,
}

impl Fusion {
    /// Every operation a kernel of its own.
    pub(crate) const NONE: Self = Self {
        buffers: 3,
        operations: 1,
        products: u32::MAX,
    };
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) work: Work,
    /// Results and inputs that nobody needs after it: nothing later uses them, nothing is
    /// read of them, and no caller holds them.
    pub(crate) last_uses: Vec<Source>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Element-wise operations in one kernel.
    Chain(ChainWork),
    /// An operation over whole vectors: the node with this number.
    Whole(usize),
}

/// A chain with the places that it reads and writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChainWork {
    pub(crate) field: ElementId,
    pub(crate) elements: usize,
    pub(crate) chain: Chain,
    /// For each input of the chain.
    pub(crate) inputs: Vec<Argument>,
    /// For each output of the chain which result it is.
    pub(crate) outputs: Vec<usize>,
}

/// The stages of `program`, in an order that keeps what depends on what.
pub(crate) fn plan(program: &Program, fusion: Fusion) -> Vec<Stage> {
    let wanted = wanted(program);
    let users = LastUsers::of(program, &wanted);
    let mut planner = Planner {
        program,
        users,
        fusion,
        stages: Vec::new(),
        stage_of: vec![0; program.nodes.len()],
        open: None,
    };
    for (number, node) in program.nodes.iter().enumerate() {
        if wanted[number] {
            planner.add(number, node);
        }
    }
    planner.close();
    planner.note_last_uses(&wanted);
    planner.stages
}

/// Which nodes are needed for what a caller holds or reads, or for what they answer.
fn wanted(program: &Program) -> Vec<bool> {
    let mut needed: Vec<bool> = program.results.iter().map(|it| it.is_live).collect();
    for read in &program.reads {
        if let Source::Result(number) = read.source {
            needed[number] = true;
        }
    }
    let mut wanted = vec![false; program.nodes.len()];
    for (number, node) in program.nodes.iter().enumerate().rev() {
        let is_wanted = node.task.answers() || needed[node.results.clone()].contains(&true);
        wanted[number] = is_wanted;
        for argument in node.arguments.iter().filter(|_| is_wanted) {
            if let Source::Result(before) = argument.source {
                needed[before] = true;
            }
        }
    }
    wanted
}

/// The node that uses each result, and each input, last; [`AT_THE_END`] for what is read.
struct LastUsers {
    results: Vec<Option<usize>>,
    inputs: Vec<Option<usize>>,
}

/// After every node.
const AT_THE_END: usize = usize::MAX;

impl LastUsers {
    fn of(program: &Program, wanted: &[bool]) -> Self {
        let mut last = Self {
            results: vec![None; program.results.len()],
            inputs: vec![None; program.inputs.len()],
        };
        for (number, node) in program.nodes.iter().enumerate() {
            for argument in node.arguments.iter().filter(|_| wanted[number]) {
                last.note(argument.source, number);
            }
        }
        for read in &program.reads {
            last.note(read.source, AT_THE_END);
        }
        last
    }

    fn note(&mut self, source: Source, user: usize) {
        match source {
            Source::Result(result) => self.results[result] = Some(user),
            Source::Input(input) => self.inputs[input] = Some(user),
            Source::Constant(_) => {}
        }
    }
}

struct Planner<'p> {
    program: &'p Program,
    users: LastUsers,
    fusion: Fusion,
    stages: Vec<Stage>,
    // Of each node that is wanted.
    stage_of: Vec<usize>,
    open: Option<Open>,
}

/// A chain that may grow.
#[derive(Clone)]
struct Open {
    field: ElementId,
    elements: usize,
    inputs: Vec<Argument>,
    // Nodes of the chain, with their arguments.
    nodes: Vec<(usize, Vec<ChainValue>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChainValue {
    Input(usize),
    // What a node of `Open::nodes` computes.
    Own(usize),
}

impl Planner<'_> {
    fn add(&mut self, number: usize, node: &Node) {
        if let Task::Whole(_) = node.task {
            self.close();
            self.push(Work::Whole(number), &[number]);
            return;
        }
        let with = |open: &Open| open.with(self.program, number);
        let grown = self.open.as_ref().and_then(with);
        if let Some(grown) = grown.filter(|grown| self.fits(grown)) {
            self.open = Some(grown);
            return;
        }
        self.close();
        let (field, elements) = self.program.shape(node);
        let empty = Open {
            field,
            elements,
            inputs: Vec::new(),
            nodes: Vec::new(),
        };
        self.open = with(&empty);
    }

    fn push(&mut self, work: Work, nodes: &[usize]) {
        let last_uses = Vec::new();
        for node in nodes {
            self.stage_of[*node] = self.stages.len();
        }
        self.stages.push(Stage { work, last_uses });
    }

    /// Says of each stage what it is the last to use, or the only one to compute.
    fn note_last_uses(&mut self, wanted: &[bool]) {
        let nodes = self.program.nodes.iter().enumerate();
        for (maker, node) in nodes.filter(|(number, _)| wanted[*number]) {
            for result in node.results.clone() {
                let user = self.users.results[result].unwrap_or(maker);
                if !self.program.results[result].is_live && user != AT_THE_END {
                    let stage = self.stage_of[user];
                    self.stages[stage].last_uses.push(Source::Result(result));
                }
            }
        }
        for (input, user) in self.users.inputs.iter().enumerate() {
            if let Some(user) = user.filter(|user| *user != AT_THE_END) {
                let stage = self.stage_of[user];
                self.stages[stage].last_uses.push(Source::Input(input));
            }
        }
    }

    /// Whether a chain stays within the limits.
    fn fits(&self, open: &Open) -> bool {
        let products = open.nodes.iter().map(|(number, _)| self.products(*number));
        let outputs = self.outputs(open).len();
        // Elements of several coordinates take as many registers as so many of one.
        let each = open.field.coordinates();
        open.nodes.len() <= self.fusion.operations
            && products.sum::<u32>() <= self.fusion.products
            && each * open.inputs.len() <= MAX_INPUTS
            && each * outputs <= MAX_OUTPUTS
            && open.inputs.len() + outputs <= self.fusion.buffers
    }

    fn products(&self, number: usize) -> u32 {
        let node = &self.program.nodes[number];
        match node.task {
            // One of an extension is several of its coordinates'.
            Task::Element(operation) => {
                let each = u32::try_from(node.field.coordinates()).unwrap_or(u32::MAX);
                operation.products.saturating_mul(each)
            }
            _ => 0,
        }
    }

    /// The places in `open` of the nodes whose results are used outside of it: what a
    /// caller holds, and what a node after the chain's last uses.
    fn outputs(&self, open: &Open) -> Vec<usize> {
        let last = open.nodes.last().map_or(0, |(number, _)| *number);
        let outside = |place: &usize| {
            let result = self.program.nodes[open.nodes[*place].0].results.start;
            let user = self.users.results[result];
            self.program.results[result].is_live || user.is_some_and(|user| user > last)
        };
        (0..open.nodes.len()).filter(outside).collect()
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let outputs = self.outputs(&open);
        // A node that repeats a value has no operation: it is that value.
        let mut links = Vec::new();
        let mut values: Vec<usize> = Vec::new();
        let value = |value: &ChainValue, values: &[usize]| match value {
            ChainValue::Input(input) => *input,
            ChainValue::Own(node) => values[*node],
        };
        for (number, arguments) in &open.nodes {
            let of = |index: usize| arguments.get(index).map_or(0, |it| value(it, &values));
            let result = match self.program.nodes[*number].task {
                Task::Element(operation) => {
                    links.push(Link {
                        operation,
                        arguments: [of(0), of(1), of(2)],
                    });
                    open.inputs.len() + links.len() - 1
                }
                _ => of(0),
            };
            values.push(result);
        }
        let kind = |input: &Argument| match input.scalar {
            true => Input::Scalar,
            false => Input::Vector,
        };
        let chain = Chain {
            inputs: open.inputs.iter().map(kind).collect(),
            links,
            outputs: outputs.iter().map(|place| values[*place]).collect(),
        };
        let nodes: Vec<usize> = open.nodes.iter().map(|(number, _)| *number).collect();
        let result = |place: &usize| self.program.nodes[nodes[*place]].results.start;
        let work = ChainWork {
            field: open.field,
            elements: open.elements,
            chain,
            inputs: open.inputs,
            outputs: outputs.iter().map(result).collect(),
        };
        self.push(Work::Chain(work), &nodes);
    }
}

impl Open {
    /// The chain with one node more, or nothing where that is of another field or
    /// length, or needs of the chain's own results what is not at the same place.
    fn with(&self, program: &Program, number: usize) -> Option<Self> {
        let node = &program.nodes[number];
        if program.shape(node) != (self.field, self.elements) {
            return None;
        }
        let mut grown = self.clone();
        let mut values = Vec::with_capacity(node.arguments.len());
        for argument in &node.arguments {
            values.push(grown.value(program, argument)?);
        }
        grown.nodes.push((number, values));
        Some(grown)
    }

    fn value(&mut self, program: &Program, argument: &Argument) -> Option<ChainValue> {
        if let Source::Result(before) = argument.source {
            let mut own = self.nodes.iter();
            let own = own.position(|(number, _)| program.nodes[*number].results.start == before);
            if let Some(own) = own {
                let same_place = argument.start == 0 && !argument.scalar;
                return same_place.then_some(ChainValue::Own(own));
            }
        }
        let known = self.inputs.iter().position(|input| input == argument);
        Some(ChainValue::Input(known.unwrap_or_else(|| {
            self.inputs.push(*argument);
            self.inputs.len() - 1
        })))
    }
}
