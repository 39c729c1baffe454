//! The driver's pipeline cache, in memory or also in a file.
//!
//! The file makes the first use of a kernel fast in the next process too. It
//! holds only what a driver can make again, so nothing that goes wrong with
//! it is an error: it is logged, and the cache goes on without.

mod format;

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ash::vk;

use crate::error::VkContext;
use crate::{CacheFile, Device, Error, SetLayout, lock};

use format::Refusal;

/// The driver's pipeline cache of one device, and the set layouts of the pipelines that are
/// made with it; all who make pipelines on the device can share it.
///
/// With a folder, what the driver compiled is also kept there, in one file for each device
/// and driver, so that the next process need not compile it again. The file is read now,
/// and written anew whenever the driver had to compile a pipeline. Several processes may
/// share a folder: a reader finds what one of them wrote last, whole. Only what is
/// undamaged and of this device and driver reaches the driver. The folder is made when it
/// is first written to. On Unix it and the file must belong to the user of this process,
/// who alone may write to them, and must not be symbolic links: a driver trusts its data.
///
/// A folder or file that cannot be used is no error: it is logged.
pub struct PipelineCache {
    device: Arc<Device>,
    // Threads that compile use it beside each other: Vulkan synchronizes it.
    raw: vk::PipelineCache,
    was_loaded: bool,
    stored: Mutex<Option<Stored>>,
    // By the number of bindings.
    set_layouts: Mutex<HashMap<usize, Arc<SetLayout>>>,
}

/// The file of a cache, and the hash of the data that was last read from it
/// or written to it here.
struct Stored {
    file: CacheFile,
    hash: Option<[u8; 32]>,
    /// Whether the file was logged: one warning is enough.
    warned: bool,
}

impl Stored {
    /// Makes `data` the file's content, unless it is that already.
    fn keep(&mut self, data: &[u8]) -> Result<(), String> {
        if data.len() > format::MAX_DATA_BYTES {
            let (most, found) = (format::MAX_DATA_BYTES, data.len());
            return Err(format!("expected {most} bytes at most, found {found}"));
        }
        let hash = format::hash(data);
        if self.hash != Some(hash) {
            let bytes = format::encode(data);
            self.file.replace(&bytes).map_err(|e| e.to_string())?;
            self.hash = Some(hash);
        }
        Ok(())
    }
}

impl PipelineCache {
    /// In memory only, or kept in `folder` too.
    #[must_use]
    pub fn new(device: &Arc<Device>, folder: Option<&Path>) -> Arc<Self> {
        let file = folder.and_then(|folder| {
            let file = CacheFile::new(folder, &format::file_name(device.caps()));
            let folder = folder.display();
            file.inspect_err(|why| tracing::warn!("no pipelines are kept in {folder}: {why}"))
                .ok()
        });
        let (mut loaded, mut warned) = (None, false);
        if let Some(file) = &file {
            let path = file.path().display();
            match load(device, file) {
                Ok(found) => loaded = found,
                Err(Refusal::Unusable(reason)) => {
                    tracing::warn!("the pipelines in {path} are not used: {reason}");
                    warned = true;
                }
                Err(Refusal::Foreign(reason)) => {
                    tracing::warn!("the pipelines in {path} are of another driver: {reason}");
                    warned = true;
                }
                // Normal, in time.
                Err(refusal @ Refusal::Outgrown(_)) => {
                    tracing::debug!("the pipelines in {path} are begun afresh: {refusal}");
                }
            }
        }
        let (raw, hash) = loaded.unzip();
        let raw = raw.unwrap_or_else(|| create_empty(device));
        // Without a cache there is nothing to keep.
        let file = file.filter(|_| raw != vk::PipelineCache::null());
        Arc::new(Self {
            device: Arc::clone(device),
            raw,
            was_loaded: hash.is_some(),
            stored: Mutex::new(file.map(|file| Stored { file, hash, warned })),
            set_layouts: Mutex::default(),
        })
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Arc<Device> {
        &self.device
    }

    /// Whether it began with what a file of this device and driver held.
    #[must_use]
    pub fn was_loaded(&self) -> bool {
        self.was_loaded
    }

    /// The file that compiled pipelines are kept in, whether or not it is there yet; `None`
    /// where they are kept in memory only, by choice or because the folder could not be
    /// used.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        let stored = lock(&self.stored);
        stored.as_ref().map(|kept| kept.file.path().to_path_buf())
    }

    /// The handle, for making pipelines; null where the driver made no cache.
    pub(crate) fn raw(&self) -> vk::PipelineCache {
        self.raw
    }

    pub(crate) fn set_layout(&self, bindings: usize) -> Result<Arc<SetLayout>, Error> {
        let mut known = lock(&self.set_layouts);
        if let Some(layout) = known.get(&bindings) {
            return Ok(Arc::clone(layout));
        }
        let made = Arc::new(SetLayout::new(&self.device, bindings)?);
        known.insert(bindings, Arc::clone(&made));
        Ok(made)
    }

    /// Writes the file anew if the driver's data is not what it holds. After
    /// a failure, which is logged, the cache is no longer kept.
    pub(crate) fn save(&self) {
        let mut place = lock(&self.stored);
        let Some(stored) = &mut *place else {
            return;
        };
        let data = driver_data(&self.device, self.raw).map_err(|e| e.to_string());
        if let Err(reason) = data.and_then(|data| stored.keep(&data)) {
            let path = stored.file.path().display();
            let what = format!("the pipelines are not kept in {path}: {reason}");
            match stored.warned {
                true => tracing::debug!("{what}"),
                false => tracing::warn!("{what}"),
            }
            *place = None;
        }
    }
}

impl Drop for PipelineCache {
    fn drop(&mut self) {
        if self.device.is_inherited() {
            return;
        }
        // SAFETY: null, or what the owner uses for calls that have returned.
        unsafe { self.device.raw().destroy_pipeline_cache(self.raw, None) };
    }
}

/// A cache that begins with the data in `file`, and the hash of that data;
/// `None` without a file.
fn load(
    device: &Device,
    file: &CacheFile,
) -> Result<Option<(vk::PipelineCache, [u8; 32])>, Refusal> {
    let unusable = |reason: &dyn Display| Refusal::Unusable(reason.to_string());
    let Some(bytes) = file
        .read(format::MAX_FILE_BYTES)
        .map_err(|e| unusable(&e))?
    else {
        return Ok(None);
    };
    let (data, hash) = format::decode(&bytes, device.caps())?;
    let raw = create(device, data).map_err(|e| unusable(&e))?;
    Ok(Some((raw, hash)))
}

/// An empty cache; null where the driver makes none. Pipelines are then made
/// without, and each time anew.
fn create_empty(device: &Device) -> vk::PipelineCache {
    create(device, &[]).unwrap_or_else(|error| {
        tracing::warn!("pipelines are made without a cache: {error}");
        vk::PipelineCache::null()
    })
}

/// A cache that begins with `data`: nothing, or what [`format::decode`] found
/// to be this driver's.
fn create(device: &Device, data: &[u8]) -> Result<vk::PipelineCache, Error> {
    let info = vk::PipelineCacheCreateInfo::default().initial_data(data);
    // SAFETY: the device is alive; the data is what this driver returned for
    // this device, by its header and its hash, or none.
    unsafe { device.raw().create_pipeline_cache(&info, None) }.during("vkCreatePipelineCache")
}

fn driver_data(device: &Device, raw: vk::PipelineCache) -> Result<Vec<u8>, Error> {
    // SAFETY: the cache is alive, and made for this device.
    unsafe { device.raw().get_pipeline_cache_data(raw) }.during("vkGetPipelineCacheData")
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::sync::OnceLock;

    use super::*;
    use crate::device::tests::{device_with, without_memory};
    use crate::spirv::SpirvPolicy;
    use crate::testing::device_under_test;
    use crate::{Compiler, KernelCache, WaitPolicy};

    static CREATE: OnceLock<vk::PFN_vkCreatePipelineCache> = OnceLock::new();

    unsafe extern "system" fn refuse_data(
        device: vk::Device,
        info: *const vk::PipelineCacheCreateInfo<'_>,
        allocator: *const vk::AllocationCallbacks<'_>,
        cache: *mut vk::PipelineCache,
    ) -> vk::Result {
        // SAFETY: the caller passes a valid struct.
        if unsafe { (*info).initial_data_size } > 0 {
            return vk::Result::ERROR_INITIALIZATION_FAILED;
        }
        // SAFETY: the arguments are the caller's; set before the first call.
        unsafe { CREATE.get().unwrap()(device, info, allocator, cache) }
    }

    without_memory! {
        return_no_data(vk::Device, vk::PipelineCache, *mut usize, *mut c_void);
        make_none(vk::Device, *const vk::PipelineCacheCreateInfo<'_>,
            *const vk::AllocationCallbacks<'_>, *mut vk::PipelineCache);
    }

    #[test]
    fn data_that_the_driver_refuses_is_done_without() {
        let (_guard, physical) = device_under_test().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let device = Device::new(&physical).unwrap();
        let cache = PipelineCache::new(&device, Some(folder.path()));
        assert!(!cache.was_loaded());
        cache.save();
        assert!(cache.file().unwrap().is_file());
        let create = device.raw().fp_v1_0().create_pipeline_cache;
        CREATE.get_or_init(|| create);

        let replaced = (c"vkCreatePipelineCache", refuse_data as *const c_void);
        let refusing = device_with(&physical, &[replaced]);
        let cache = PipelineCache::new(&refusing, Some(folder.path()));
        assert!(!cache.was_loaded());
        assert_ne!(cache.raw, vk::PipelineCache::null());
        let cache = PipelineCache::new(&device, Some(folder.path()));
        assert!(cache.was_loaded());
    }

    #[test]
    fn kernels_are_made_where_the_driver_makes_no_cache() {
        let (_guard, physical) = device_under_test().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let replaced = (c"vkCreatePipelineCache", make_none as *const c_void);
        let device = device_with(&physical, &[replaced]);
        let cache = PipelineCache::new(&device, Some(folder.path()));
        let compiler = Compiler::new(Arc::clone(&cache), WaitPolicy::default().timeout);
        let mut kernels = KernelCache::with_compiler(&compiler, SpirvPolicy::default());
        assert!(kernels.get(field_kernels::FIELD_ADD.spirv).is_ok());
        assert_eq!(cache.file(), None);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_was_outgrown_or_is_of_another_driver_is_begun_afresh() {
        let (_guard, physical) = device_under_test().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let device = Device::new(&physical).unwrap();
        let open = || PipelineCache::new(&device, Some(folder.path()));
        let cache = open();
        cache.save();
        let path = cache.file().unwrap();
        let fresh = std::fs::read(&path).unwrap();
        let data = driver_data(&device, cache.raw).unwrap();
        let (mut outgrown, mut foreign) = (data.clone(), data);
        outgrown.resize(format::OUTGROWN_BYTES, 0);
        // The last byte of the UUID in the driver's header.
        foreign[31] ^= 1;
        for data in [outgrown, foreign] {
            std::fs::write(&path, format::encode(&data)).unwrap();
            let cache = open();
            assert!(!cache.was_loaded());
            cache.save();
            assert_eq!(std::fs::read(&path).unwrap(), fresh);
            assert!(open().was_loaded());
        }
    }

    #[test]
    fn data_that_the_driver_does_not_return_is_not_kept() {
        let (_guard, physical) = device_under_test().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let replaced = (c"vkGetPipelineCacheData", return_no_data as *const c_void);
        let device = device_with(&physical, &[replaced]);
        let cache = PipelineCache::new(&device, Some(folder.path()));
        cache.save();
        assert_eq!(cache.file(), None);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    /// Data for a file of `folder` that is thought to have this hash.
    fn stored(folder: &Path, hash: Option<[u8; 32]>) -> Stored {
        Stored {
            file: CacheFile::new(folder, "name").unwrap(),
            hash,
            warned: false,
        }
    }

    #[test]
    fn a_file_is_written_only_when_the_data_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = stored(folder.path(), None);
        let file = stored(folder.path(), None).file;
        let read = || file.read(format::MAX_FILE_BYTES).unwrap();
        first.keep(b"one").unwrap();
        assert_eq!(read(), Some(format::encode(b"one")));
        let mut second = stored(folder.path(), Some(format::hash(b"one")));
        std::fs::remove_file(file.path()).unwrap();
        first.keep(b"one").unwrap();
        second.keep(b"one").unwrap();
        assert_eq!(read(), None);
        second.keep(b"two").unwrap();
        assert_eq!(read(), Some(format::encode(b"two")));
        // More than would be read is not written.
        let mut other = stored(&folder.path().join("other"), None);
        let refused = other.keep(&vec![0; format::MAX_DATA_BYTES + 1]);
        let expected = "expected 67108832 bytes at most, found 67108833";
        assert_eq!(refused.unwrap_err(), expected);
        assert!(!other.file.path().exists());
    }
}
