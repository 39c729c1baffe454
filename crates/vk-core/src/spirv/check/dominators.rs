//! The dominator next to each block of a control flow graph.
//!
//! Lengauer and Tarjan, "A Fast Algorithm for Finding Dominators in a
//! Flowgraph": whatever the graph, the time is about linear in its edges.

/// No block.
const NONE: usize = usize::MAX;

/// The dominator next to each block that block 0 leads to; its own is itself.
pub(super) fn find(successors: &[Vec<usize>], predecessors: &[Vec<usize>]) -> Vec<usize> {
    let tree = Tree::walk(successors);
    let found = tree.dominators(predecessors);
    let mut dominators = vec![0; successors.len()];
    for (number, dominator) in found.iter().enumerate() {
        dominators[tree.blocks[number]] = tree.blocks[*dominator];
    }
    dominators
}

/// A walk in depth over the reachable blocks, which are numbered as it meets
/// them.
struct Tree {
    /// By number.
    blocks: Vec<usize>,
    /// By number, the number of the block that led there.
    parents: Vec<usize>,
    /// By block.
    numbers: Vec<usize>,
}

impl Tree {
    fn walk(successors: &[Vec<usize>]) -> Self {
        let mut tree = Self {
            blocks: Vec::new(),
            parents: Vec::new(),
            numbers: vec![NONE; successors.len()],
        };
        tree.meet(0, 0);
        let mut stack = vec![(0, 0)];
        while let Some((block, next)) = stack.pop() {
            let Some(target) = successors[block].get(next) else {
                continue;
            };
            stack.push((block, next + 1));
            if tree.numbers[*target] == NONE {
                tree.meet(*target, tree.numbers[block]);
                stack.push((*target, 0));
            }
        }
        tree
    }

    fn meet(&mut self, block: usize, parent: usize) {
        self.numbers[block] = self.blocks.len();
        self.blocks.push(block);
        self.parents.push(parent);
    }

    /// By number, the number of the dominator.
    fn dominators(&self, predecessors: &[Vec<usize>]) -> Vec<usize> {
        let count = self.blocks.len();
        let mut forest = Forest::new(count);
        let mut dominator = vec![0; count];
        // By number, those that it is the semidominator of.
        let mut waiting = vec![Vec::new(); count];
        for number in (1..count).rev() {
            for before in &predecessors[self.blocks[number]] {
                let before = self.numbers[*before];
                if before != NONE {
                    let least = forest.least(before);
                    forest.semi[number] = forest.semi[number].min(forest.semi[least]);
                }
            }
            waiting[forest.semi[number]].push(number);
            let parent = self.parents[number];
            forest.ancestor[number] = parent;
            for inner in std::mem::take(&mut waiting[parent]) {
                let least = forest.least(inner);
                let deeper = forest.semi[least] < forest.semi[inner];
                // Its own dominator, or the dominator of `least`, found below.
                dominator[inner] = if deeper { least } else { parent };
            }
        }
        for number in 1..count {
            if dominator[number] != forest.semi[number] {
                dominator[number] = dominator[dominator[number]];
            }
        }
        dominator
    }
}

/// The part of the tree that was looked at, as paths that get shorter with use.
struct Forest {
    /// The least number from which a way over higher numbers leads here.
    semi: Vec<usize>,
    ancestor: Vec<usize>,
    /// Where `semi` is least, of the blocks from here up to below `ancestor`.
    label: Vec<usize>,
}

impl Forest {
    fn new(count: usize) -> Self {
        Self {
            semi: (0..count).collect(),
            ancestor: vec![NONE; count],
            label: (0..count).collect(),
        }
    }

    /// Where `semi` is least, of the blocks from `number` up to below its root.
    fn least(&mut self, number: usize) -> usize {
        let mut path = Vec::new();
        let mut at = number;
        while self.ancestor[at] != NONE && self.ancestor[self.ancestor[at]] != NONE {
            path.push(at);
            at = self.ancestor[at];
        }
        while let Some(at) = path.pop() {
            let above = self.ancestor[at];
            if self.semi[self.label[above]] < self.semi[self.label[at]] {
                self.label[at] = self.label[above];
            }
            self.ancestor[at] = self.ancestor[above];
        }
        self.label[number]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    /// The blocks that block 0 leads to without passing `without`.
    fn reached(successors: &[Vec<usize>], without: usize) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut open = vec![0];
        while let Some(block) = open.pop() {
            if block != without && seen.insert(block) {
                open.extend(&successors[block]);
            }
        }
        seen
    }

    proptest::proptest! {
        #[test]
        fn a_dominator_is_what_every_way_passes(
            successors in proptest::collection::vec(
                proptest::collection::vec(0_usize..12, 0..4), 12)
        ) {
            let mut predecessors = vec![Vec::new(); successors.len()];
            for (from, targets) in successors.iter().enumerate() {
                targets.iter().for_each(|to| predecessors[*to].push(from));
            }
            let found = super::find(&successors, &predecessors);
            let all = reached(&successors, super::NONE);
            for block in all.iter().copied().filter(|block| *block != 0) {
                let strict: HashSet<usize> = all
                    .iter()
                    .copied()
                    .filter(|other| *other != block && !reached(&successors, *other).contains(&block))
                    .collect();
                let mut chain = HashSet::new();
                let mut at = block;
                while at != 0 {
                    at = found[at];
                    chain.insert(at);
                }
                assert_eq!(chain, strict, "block {block} of {successors:?}");
            }
        }
    }
}
