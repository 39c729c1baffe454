//! From recorded nodes to stages: which neighbours become one kernel, and which
//! results must be kept. Pure.

use std::collections::HashMap;

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
    /// Operations of one kernel.
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

/// What is run at a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Element-wise operations in one kernel.
    Chain(ChainStage),
    /// A node that is not element-wise, by number.
    Node(usize),
}

/// A chain with the places that it reads and writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChainStage {
    pub(crate) field: ElementId,
    pub(crate) elements: usize,
    pub(crate) chain: Chain,
    /// For each input of the chain.
    pub(crate) inputs: Vec<Argument>,
    /// For each output of the chain the node whose result it is.
    pub(crate) outputs: Vec<usize>,
}

/// The stages of `program`, in an order that keeps what depends on what. `is_live`
/// says of each node whether a caller still holds its result.
pub(crate) fn plan(program: &Program, is_live: &[bool], fusion: Fusion) -> Vec<Stage> {
    let wanted = wanted(program, is_live);
    let users = users(program, &wanted);
    let mut planner = Planner {
        program,
        is_live,
        users,
        fusion,
        stages: Vec::new(),
        open: None,
    };
    for (number, node) in program.nodes.iter().enumerate() {
        if wanted[number] {
            planner.add(number, node);
        }
    }
    planner.close();
    planner.stages
}

/// The stage that uses each node's result, and each input, last: what it needs can go
/// then. `usize::MAX` for what is read at the end.
pub(crate) struct LastUses {
    pub(crate) nodes: Vec<Option<usize>>,
    pub(crate) inputs: Vec<Option<usize>>,
}

impl LastUses {
    pub(crate) fn of(program: &Program, stages: &[Stage]) -> Self {
        let mut last = Self {
            nodes: vec![None; program.nodes.len()],
            inputs: vec![None; program.inputs.len()],
        };
        for (number, stage) in stages.iter().enumerate() {
            let arguments = match stage {
                Stage::Chain(stage) => &stage.inputs,
                Stage::Node(node) => &program.nodes[*node].arguments,
            };
            for argument in arguments {
                last.note(argument.source, number);
            }
        }
        for read in &program.reads {
            last.note(read.source, usize::MAX);
        }
        last
    }

    fn note(&mut self, source: Source, stage: usize) {
        match source {
            Source::Node(node) => self.nodes[node] = Some(stage),
            Source::Input(input) => self.inputs[input] = Some(stage),
            Source::Constant(_) => {}
        }
    }
}

/// Which nodes are needed for what a caller holds or reads.
fn wanted(program: &Program, is_live: &[bool]) -> Vec<bool> {
    let mut wanted = is_live.to_vec();
    for read in &program.reads {
        if let Source::Node(number) = read.source {
            wanted[number] = true;
        }
    }
    for (number, node) in program.nodes.iter().enumerate().rev() {
        wanted[number] |= node.task == Task::Equal;
        if !wanted[number] {
            continue;
        }
        for argument in &node.arguments {
            if let Source::Node(before) = argument.source {
                wanted[before] = true;
            }
        }
    }
    wanted
}

/// For each node the last that uses it; `usize::MAX` for what is read at the end.
fn users(program: &Program, wanted: &[bool]) -> Vec<Option<usize>> {
    let mut users = vec![None; program.nodes.len()];
    for (number, node) in program.nodes.iter().enumerate() {
        for argument in node.arguments.iter().filter(|_| wanted[number]) {
            if let Source::Node(before) = argument.source {
                users[before] = Some(number);
            }
        }
    }
    for read in &program.reads {
        if let Source::Node(number) = read.source {
            users[number] = Some(usize::MAX);
        }
    }
    users
}

struct Planner<'p> {
    program: &'p Program,
    is_live: &'p [bool],
    users: Vec<Option<usize>>,
    fusion: Fusion,
    stages: Vec<Stage>,
    open: Option<Open>,
}

/// A chain that may grow.
#[derive(Clone)]
struct Open {
    field: ElementId,
    elements: usize,
    inputs: Vec<Argument>,
    // Nodes of the chain, with their arguments.
    nodes: Vec<(usize, Vec<Place>)>,
}

/// A value of a chain in the making.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Input(usize),
    // A place in `Open::nodes`.
    Result(usize),
}

impl Planner<'_> {
    fn add(&mut self, number: usize, node: &Node) {
        if !matches!(node.task, Task::Element(_) | Task::Copy) {
            self.close();
            self.stages.push(Stage::Node(number));
            return;
        }
        let grown = self.open.as_ref().and_then(|open| open.with(number, node));
        if let Some(grown) = grown.filter(|grown| self.fits(grown)) {
            self.open = Some(grown);
            return;
        }
        self.close();
        let empty = Open {
            field: node.field,
            elements: node.elements,
            inputs: Vec::new(),
            nodes: Vec::new(),
        };
        self.open = empty.with(number, node);
    }

    /// Whether a chain stays within the limits.
    fn fits(&self, open: &Open) -> bool {
        let products = open.nodes.iter().map(|(number, _)| self.products(*number));
        let outputs = self.outputs(open).len();
        open.nodes.len() <= self.fusion.operations
            && products.sum::<u32>() <= self.fusion.products
            && open.inputs.len() <= MAX_INPUTS
            && outputs <= MAX_OUTPUTS
            && open.inputs.len() + outputs <= self.fusion.buffers
    }

    fn products(&self, number: usize) -> u32 {
        match self.program.nodes[number].task {
            Task::Element(operation) => operation.products,
            _ => 0,
        }
    }

    /// The nodes of `open` whose results are used outside of it: what a caller holds,
    /// and what a node after the chain's last uses.
    fn outputs(&self, open: &Open) -> Vec<usize> {
        let last = open.nodes.last().map_or(0, |(number, _)| *number);
        let outside = |number: usize| {
            self.is_live[number] || self.users[number].is_some_and(|user| user > last)
        };
        let numbers = open.nodes.iter().map(|(number, _)| *number);
        numbers.filter(|number| outside(*number)).collect()
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let outputs = self.outputs(&open);
        let places: HashMap<usize, usize> = open
            .nodes
            .iter()
            .enumerate()
            .map(|(place, (number, _))| (*number, place))
            .collect();
        // A node that repeats a value has no operation: it is that value.
        let mut links = Vec::new();
        let mut values: Vec<usize> = Vec::new();
        let value = |place: &Place, values: &[usize]| match place {
            Place::Input(input) => *input,
            Place::Result(node) => values[*node],
        };
        for (number, arguments) in &open.nodes {
            let of = |index: usize| {
                arguments
                    .get(index)
                    .map_or(0, |place| value(place, &values))
            };
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
            outputs: outputs
                .iter()
                .map(|number| values[places[number]])
                .collect(),
        };
        self.stages.push(Stage::Chain(ChainStage {
            field: open.field,
            elements: open.elements,
            chain,
            inputs: open.inputs,
            outputs,
        }));
    }
}

impl Open {
    /// The chain with one node more, or nothing where that is of another field or
    /// length, or needs of the chain's own results what is not at the same place.
    fn with(&self, number: usize, node: &Node) -> Option<Self> {
        if node.field != self.field || node.elements != self.elements {
            return None;
        }
        let mut grown = self.clone();
        let mut places = Vec::with_capacity(node.arguments.len());
        for argument in &node.arguments {
            places.push(grown.place(argument)?);
        }
        grown.nodes.push((number, places));
        Some(grown)
    }

    fn place(&mut self, argument: &Argument) -> Option<Place> {
        if let Source::Node(before) = argument.source {
            let own = self.nodes.iter().position(|(number, _)| *number == before);
            if let Some(own) = own {
                let same_place = argument.start == 0 && !argument.scalar;
                return same_place.then_some(Place::Result(own));
            }
        }
        let known = self.inputs.iter().position(|input| input == argument);
        Some(Place::Input(known.unwrap_or_else(|| {
            self.inputs.push(*argument);
            self.inputs.len() - 1
        })))
    }
}
