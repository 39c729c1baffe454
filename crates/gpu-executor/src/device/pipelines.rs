//! The pipelines of a device, kept for all of the process who share it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use field_kernels::chain::{Chain, Layout};
use field_kernels::{Arithmetic, ElementId};
use vk_core::{ComputePipeline, Device, PipelineCache, lock};

/// How many kernels of vectors are kept; the least recently used goes first.
const MOST_KERNELS: usize = 256;

/// What is kept of a device's pipelines.
#[derive(Clone)]
pub(crate) struct Pipelines {
    pub(crate) cache: Arc<PipelineCache>,
    pub(crate) kernels: Arc<VectorKernels>,
}

impl Pipelines {
    /// Those of `device`, with the driver's cache in `folder`, if any: for a device that the
    /// process shares the same for all who name this folder, until the device is lost.
    pub(super) fn of(device: &Arc<Device>, folder: Option<&Path>) -> Self {
        static KEPT: Mutex<Vec<(Option<PathBuf>, Pipelines)>> = Mutex::new(Vec::new());
        let Some(lasting) = device.lasting() else {
            return Self::new(device, folder);
        };
        // Dropped after the lock is given back: a driver destroys them.
        let _lost: Vec<_>;
        let mut kept = lock(&KEPT);
        _lost = kept
            .extract_if(.., |(_, pipelines)| pipelines.cache.device().is_lost())
            .collect();
        let found = kept.iter().find(|(known, pipelines)| {
            known.as_deref() == folder && pipelines.cache.device().is_same_as(device)
        });
        if let Some((_, found)) = found {
            return found.clone();
        }
        let made = Self::new(&lasting, folder);
        kept.push((folder.map(Path::to_path_buf), made.clone()));
        made
    }

    fn new(device: &Arc<Device>, folder: Option<&Path>) -> Self {
        Self {
            cache: PipelineCache::new(device, folder),
            kernels: Arc::default(),
        }
    }
}

/// What a kernel of vectors is made from.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum KernelSource {
    /// Linked from the functions of a field in an arithmetic.
    Chain(ElementId, Arithmetic, Layout, Chain),
    /// A module, by its name, with so many invocations of a workgroup.
    Module(&'static str, u32),
}

/// The kernels of vectors that were made, so that each is linked and compiled once.
#[derive(Default)]
pub(crate) struct VectorKernels(Mutex<Known>);

#[derive(Default)]
struct Known {
    // With the count of uses at its last one.
    kernels: HashMap<KernelSource, (Arc<ComputePipeline>, u64)>,
    uses: u64,
}

impl VectorKernels {
    /// The one of `source`, if there is one.
    pub(crate) fn get(&self, source: &KernelSource) -> Option<Arc<ComputePipeline>> {
        lock(&self.0).get(source)
    }

    /// Keeps `kernel`, which was made of `source`, and returns it; or the one that another
    /// thread made of it meanwhile.
    pub(crate) fn keep(
        &self,
        source: KernelSource,
        kernel: ComputePipeline,
    ) -> Arc<ComputePipeline> {
        let mut made = lock(&self.0);
        if let Some(known) = made.get(&source) {
            return known;
        }
        if made.kernels.len() >= MOST_KERNELS {
            let oldest = made.kernels.iter().min_by_key(|(_, (_, used))| *used);
            let oldest = oldest.map(|(source, _)| source.clone());
            oldest.and_then(|source| made.kernels.remove(&source));
        }
        let kernel = Arc::new(kernel);
        let entry = (Arc::clone(&kernel), made.uses);
        made.kernels.insert(source, entry);
        kernel
    }
}

impl Known {
    fn get(&mut self, source: &KernelSource) -> Option<Arc<ComputePipeline>> {
        self.uses += 1;
        let (kernel, used) = self.kernels.get_mut(source)?;
        *used = self.uses;
        Some(Arc::clone(kernel))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use field_kernels::vector_kernels::EQUAL;
    use field_kernels::{ElementType as _, Fp};
    use vk_core::testing::{DeviceTest, lose};
    use vk_core::{Compiler, Instance, PipelineShape, Validation};

    use super::*;

    fn device() -> Arc<Device> {
        let instance = Instance::new(Validation::Off).unwrap();
        Device::shared(&instance.devices().unwrap()[0]).unwrap()
    }

    #[test]
    fn those_of_a_shared_device_are_kept_by_folder_until_its_loss() {
        let mut guard = DeviceTest::begin();
        let (device, folder) = (device(), tempfile::tempdir().unwrap());
        guard.watch(
            &device.caps().name,
            device.instance().validation_log().clone(),
        );
        let kept = |device, folder| {
            let Pipelines { cache, kernels } = Pipelines::of(device, folder);
            (Arc::as_ptr(&cache), Arc::as_ptr(&kernels))
        };
        let first = kept(&device, None);
        let second = super::tests::device();
        assert_eq!(kept(&second, None), first);
        assert_ne!(kept(&second, Some(folder.path())), first);
        let outlived = Pipelines::of(&device, None);
        lose(&device);
        let anew = super::tests::device();
        assert_ne!(kept(&anew, None), first);
        assert!(outlived.cache.device().is_lost());
    }

    #[test]
    fn the_least_recently_used_kernel_goes_first() {
        let mut guard = DeviceTest::begin();
        let device = device();
        guard.watch(
            &device.caps().name,
            device.instance().validation_log().clone(),
        );
        let Pipelines { cache, kernels } = Pipelines::new(&device, None);
        let compiler = Compiler::new(cache, Duration::from_secs(60));
        let words = EQUAL.module(Fp::ID, Arithmetic::U32).unwrap().words();
        let shape = PipelineShape {
            bindings: EQUAL.bindings,
            push_constant_bytes: 4 * 5,
            workgroup_size: EQUAL.group_size,
        };
        let source = |number: usize| KernelSource::Module(&*number.to_string().leak(), 128);
        let keep = |number| {
            // SAFETY: a module of the library with its shape.
            let made = unsafe { compiler.make(&words, shape) }.unwrap();
            kernels.keep(source(number), made)
        };
        let first = keep(0);
        for number in 1..=MOST_KERNELS {
            keep(number);
            assert!(Arc::ptr_eq(&kernels.get(&source(0)).unwrap(), &first));
        }
        assert!(kernels.get(&source(1)).is_none());
        assert!(kernels.get(&source(2)).is_some());
        assert!(Arc::ptr_eq(&keep(0), &first), "made twice, kept once");
    }
}
