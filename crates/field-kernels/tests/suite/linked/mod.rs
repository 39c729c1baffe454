//! What kernels of vectors are linked from, and each way to link them. The tests of `vk-core`
//! have it from here too.
#![allow(clippy::unwrap_used, reason = "test helpers")]

use field_kernels::chain::{GROUP_SIZE, Layout, MemoryAccess, Template};
use field_kernels::{VectorModule, vector_kernels};

/// Each way to memory, with each size of a workgroup.
pub(crate) const LAYOUTS: [Layout; 3] = [
    Layout {
        access: MemoryAccess::Direct,
        group_size: GROUP_SIZE,
    },
    Layout {
        access: MemoryAccess::Staged,
        group_size: 64,
    },
    Layout {
        access: MemoryAccess::StagedStores,
        group_size: 32,
    },
];

pub(crate) fn templates() -> impl Iterator<Item = (&'static VectorModule, Template)> {
    let templates = vector_kernels::ELEMENTWISE.modules();
    templates.map(|module| (module, Template::parse(module.spirv).unwrap()))
}
