//! What a module's decorations say of its ids, as far as it matters here.

use std::collections::HashMap;

use rspirv::spirv::{Decoration, Op};

use super::words::Instruction;

/// The decorations of one id, or of one member of a struct.
///
/// Of several values for one thing, which is not valid, the largest stays: for sets
/// and bindings that is the one that may be outside of the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) set: Option<u32>,
    pub(super) binding: Option<u32>,
    pub(super) built_in: Option<u32>,
    pub(super) offset: Option<u32>,
    pub(super) array_stride: Option<u32>,
    pub(super) matrix_stride: Option<u32>,
    pub(super) row_major: bool,
    pub(super) non_writable: bool,
    pub(super) block: bool,
    pub(super) buffer_block: bool,
}

impl Facts {
    /// Adds a decoration: its number, then its operands.
    fn add(&mut self, words: &[u32]) {
        let [kind, rest @ ..] = words else { return };
        let value = rest.first().copied();
        match Decoration::from_u32(*kind) {
            Some(Decoration::DescriptorSet) => self.set = self.set.max(value),
            Some(Decoration::Binding) => self.binding = self.binding.max(value),
            Some(Decoration::BuiltIn) => self.built_in = self.built_in.max(value),
            Some(Decoration::Offset) => self.offset = self.offset.max(value),
            Some(Decoration::ArrayStride) => self.array_stride = self.array_stride.max(value),
            Some(Decoration::MatrixStride) => self.matrix_stride = self.matrix_stride.max(value),
            Some(Decoration::RowMajor) => self.row_major = true,
            Some(Decoration::NonWritable) => self.non_writable = true,
            Some(Decoration::Block) => self.block = true,
            Some(Decoration::BufferBlock) => self.buffer_block = true,
            _ => {}
        }
    }

    fn merge(&mut self, other: Self) {
        self.set = self.set.max(other.set);
        self.binding = self.binding.max(other.binding);
        self.built_in = self.built_in.max(other.built_in);
        self.offset = self.offset.max(other.offset);
        self.array_stride = self.array_stride.max(other.array_stride);
        self.matrix_stride = self.matrix_stride.max(other.matrix_stride);
        self.row_major |= other.row_major;
        self.non_writable |= other.non_writable;
        self.block |= other.block;
        self.buffer_block |= other.buffer_block;
    }
}

/// The decorations of a module.
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

    /// Those of an id as a whole.
    pub(super) fn of(&self, id: u32) -> Facts {
        self.whole.get(&id).copied().unwrap_or_default()
    }

    /// Those of a struct's member.
    pub(super) fn of_member(&self, id: u32, member: u32) -> Facts {
        let known = self.members.get(&(id, member));
        known.copied().unwrap_or_default()
    }

    /// The ids that are the built-in `wanted`.
    pub(super) fn built_in(&self, wanted: u32) -> impl Iterator<Item = u32> + '_ {
        let all = self.whole.iter();
        all.filter(move |(_, facts)| facts.built_in == Some(wanted))
            .map(|(id, _)| *id)
    }
}
