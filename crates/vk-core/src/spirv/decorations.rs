//! What a module's decorations say of its ids, as far as it matters here.

use std::collections::HashMap;

use rspirv::spirv::{Decoration, Op};

use super::words::Instruction;

/// Those that are looked at.
const KNOWN: [Decoration; 10] = [
    Decoration::DescriptorSet,
    Decoration::Binding,
    Decoration::BuiltIn,
    Decoration::Offset,
    Decoration::ArrayStride,
    Decoration::MatrixStride,
    Decoration::RowMajor,
    Decoration::NonWritable,
    Decoration::Block,
    Decoration::BufferBlock,
];

/// The values of [`KNOWN`] decorations of one id, or of one member of a struct.
///
/// Of several values for one thing, which is not valid, the largest stays: for sets
/// and bindings that is the one that may be outside of the layout.
#[derive(Clone, Copy, Default)]
pub(super) struct Facts([Option<u32>; KNOWN.len()]);

impl Facts {
    pub(super) fn has(&self, kind: Decoration) -> bool {
        self.value(kind).is_some()
    }

    /// Its first operand; 0 where it has none.
    pub(super) fn value(&self, kind: Decoration) -> Option<u32> {
        let mut known = KNOWN.iter().zip(self.0);
        known.find(|(known, _)| **known == kind)?.1
    }

    /// Adds a decoration: its number, then its operands.
    fn add(&mut self, words: &[u32]) {
        let [kind, rest @ ..] = words else { return };
        let kind = Decoration::from_u32(*kind);
        let mut known = KNOWN.iter().zip(&mut self.0);
        if let Some((_, value)) = known.find(|(known, _)| Some(**known) == kind) {
            *value = (*value).max(Some(rest.first().copied().unwrap_or(0)));
        }
    }

    fn merge(&mut self, other: Self) {
        for (value, other) in self.0.iter_mut().zip(other.0) {
            *value = (*value).max(other);
        }
    }
}

#[derive(Default)]
pub(super) struct Decorations {
    whole: HashMap<u32, Facts>,
    members: HashMap<(u32, u32), Facts>,
}

impl Decorations {
    /// Takes note of `i`, where it is a decoration. Those of a group stand before what
    /// the group is applied to.
    pub(super) fn read(&mut self, i: &Instruction<'_>) {
        match (i.op, i.operands) {
            (Some(Op::Decorate), [target, decoration @ ..]) => {
                self.whole.entry(*target).or_default().add(decoration);
            }
            (Some(Op::MemberDecorate), [target, member, decoration @ ..]) => {
                let facts = self.members.entry((*target, *member)).or_default();
                facts.add(decoration);
            }
            (Some(Op::GroupDecorate), [group, targets @ ..]) => {
                let facts = self.of(*group);
                for target in targets {
                    self.whole.entry(*target).or_default().merge(facts);
                }
            }
            (Some(Op::GroupMemberDecorate), [group, targets @ ..]) => {
                let facts = self.of(*group);
                for target in targets.chunks_exact(2) {
                    let known = self.members.entry((target[0], target[1])).or_default();
                    known.merge(facts);
                }
            }
            _ => {}
        }
    }

    pub(super) fn of(&self, id: u32) -> Facts {
        self.whole.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn of_member(&self, id: u32, member: u32) -> Facts {
        let known = self.members.get(&(id, member));
        known.copied().unwrap_or_default()
    }

    pub(super) fn built_in(&self, wanted: u32) -> impl Iterator<Item = u32> + '_ {
        let all = self.whole.iter();
        all.filter(move |(_, facts)| facts.value(Decoration::BuiltIn) == Some(wanted))
            .map(|(id, _)| *id)
    }
}
