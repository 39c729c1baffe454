//! Which blocks come before which: reachability and dominators.

use super::dominators;

/// No block.
const NONE: usize = usize::MAX;

/// The control flow graph of a function; blocks by number, the entry is 0.
pub(super) struct Flow {
    pub(super) successors: Vec<Vec<usize>>,
    pub(super) predecessors: Vec<Vec<usize>>,
    /// The reachable blocks, each after one that leads to it.
    pub(super) order: Vec<usize>,
    /// The place of each block in `order`; `NONE` for unreachable ones.
    rank: Vec<usize>,
    /// The dominator next to each reachable block; the entry's is itself.
    dominator: Vec<usize>,
    /// When a walk over the tree of dominators enters and leaves a block.
    span: Vec<(usize, usize)>,
}

impl Flow {
    pub(super) fn new(successors: Vec<Vec<usize>>) -> Self {
        let count = successors.len();
        let mut predecessors = vec![Vec::new(); count];
        for (from, targets) in successors.iter().enumerate() {
            for to in targets {
                if let Some(list) = predecessors.get_mut(*to) {
                    list.push(from);
                }
            }
        }
        let order = reverse_postorder(&successors);
        let mut rank = vec![NONE; count];
        for (place, block) in order.iter().enumerate() {
            rank[*block] = place;
        }
        let dominator = dominators::find(&successors, &predecessors);
        let mut flow = Self {
            successors,
            predecessors,
            order,
            rank,
            dominator,
            span: vec![(0, 0); count],
        };
        flow.number_tree();
        flow
    }

    pub(super) fn is_reachable(&self, block: usize) -> bool {
        self.rank.get(block).is_some_and(|rank| *rank != NONE)
    }

    /// Whether the way from `a` to `b` leads back. Where each such way leads to
    /// a dominator, the blocks form loops with one way in.
    pub(super) fn leads_back(&self, a: usize, b: usize) -> bool {
        match (self.rank.get(a), self.rank.get(b)) {
            (Some(a), Some(b)) => b <= a,
            _ => false,
        }
    }

    /// Whether every way to the reachable block `b` leads through `a`.
    pub(super) fn dominates(&self, a: usize, b: usize) -> bool {
        match (self.span.get(a), self.span.get(b)) {
            (Some(a_span), Some(b_span)) if self.is_reachable(a) && self.is_reachable(b) => {
                a_span.0 <= b_span.0 && b_span.1 <= a_span.1
            }
            _ => false,
        }
    }

    /// The dominator next to a reachable block other than the entry.
    pub(super) fn dominator(&self, block: usize) -> usize {
        self.dominator.get(block).copied().unwrap_or(0)
    }

    fn number_tree(&mut self) {
        let mut children = vec![Vec::new(); self.successors.len()];
        for block in self.order.iter().skip(1) {
            children[self.dominator[*block]].push(*block);
        }
        let mut clock = 0;
        let mut stack = vec![(0, 0)];
        while let Some((block, next)) = stack.pop() {
            clock += 1;
            if next == 0 {
                self.span[block].0 = clock;
            }
            match children[block].get(next) {
                Some(child) => {
                    stack.push((block, next + 1));
                    stack.push((*child, 0));
                }
                None => self.span[block].1 = clock,
            }
        }
    }
}

fn reverse_postorder(successors: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; successors.len()];
    let mut order = Vec::new();
    let mut stack = vec![(0, 0)];
    seen[0] = true;
    while let Some((block, next)) = stack.pop() {
        match successors[block].get(next) {
            Some(target) => {
                stack.push((block, next + 1));
                if !std::mem::replace(&mut seen[*target], true) {
                    stack.push((*target, 0));
                }
            }
            None => order.push(block),
        }
    }
    order.reverse();
    order
}
