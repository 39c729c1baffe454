//! Host memory that a device works on in place.

use std::fmt;
use std::ops::{Deref, DerefMut};

use field_kernels::Fp;
use vk_mem_paths::HostBufferRuns;

use crate::Error;
use crate::canonical;
use crate::field_add;
use crate::kernels::LIMBS;

/// A vector of elements in pinned host memory, on which a device works in
/// place: fill it, run kernels over it, read it, and nothing is copied by the
/// host.
///
/// Made by
/// [`PersistentVulkanBackend::host_buffer`](crate::spirv::PersistentVulkanBackend::host_buffer),
/// run by
/// [`run_field_add_host`](crate::spirv::PersistentVulkanBackend::run_field_add_host).
/// Like a slice of `u64` it holds 6 limbs per element, all zero at first. The
/// memory is of a kind that the host reads and writes through its caches where
/// the device offers one. Pinned memory is taken from the system for as long
/// as the buffer lives: make the buffers once and use them again.
///
/// A buffer belongs to the backend that made it, but may outlive it. After a
/// run that ended with [`Timeout`](crate::VulkanError::Timeout) or
/// [`DeviceLost`](crate::VulkanError::DeviceLost) its output may be **empty**,
/// of length 0: the device may still write that memory, so it is no longer
/// handed out. Make a new buffer then. In a forked child the memory of an inherited buffer
/// may not be there: drop the buffer, and touch nothing of it.
///
/// ```
/// use gpu_executor::spirv::PersistentVulkanBackend;
///
/// # fn main() -> anyhow::Result<()> {
/// let mut backend = PersistentVulkanBackend::new()?;
/// # // A test leaves the user's cache alone.
/// # let builder = PersistentVulkanBackend::builder();
/// # backend = builder.cache(gpu_executor::Cache::Off).build()?;
/// let n = 1024;
/// let (mut a, mut b) = (backend.host_buffer(n)?, backend.host_buffer(n)?);
/// let mut sums = backend.host_buffer(n)?;
/// a.fill(1); // a slice of 6 * n limbs
/// b.as_mut_slice().copy_from_slice(&vec![2; 6 * n]);
/// let spirv = backend.field_add_spirv();
/// backend.run_field_add_host(spirv, &a, &b, &mut sums)?;
/// assert_eq!(sums.as_slice(), vec![3; 6 * n]);
/// # Ok(())
/// # }
/// ```
pub struct HostBuffer(pub(crate) vk_mem_paths::HostBuffer);

impl HostBuffer {
    pub(crate) fn new(runs: &HostBufferRuns, elements: usize) -> Result<Self, Error> {
        Ok(Self(runs.buffer(field_add::limbs(elements)?)?))
    }

    /// How many elements it holds.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.len() / LIMBS
    }

    /// Its limbs, 6 per element.
    #[must_use]
    pub fn as_slice(&self) -> &[u64] {
        self.0.words()
    }

    /// Its limbs, to be written.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u64] {
        self.0.words_mut()
    }

    /// Checks that every element is below the modulus. Runs over host buffers
    /// do not: nobody copies the elements, so looking at them is a pass of its
    /// own over the memory.
    ///
    /// # Errors
    /// [`Error::NotCanonical`] for the first one that is not.
    pub fn expect_canonical(&self) -> anyhow::Result<()> {
        match canonical::first_refused::<Fp>(self.as_slice().as_chunks().0) {
            None => Ok(()),
            Some(refused) => Err(Error::from(refused.of(None, "the buffer")).into()),
        }
    }
}

impl Deref for HostBuffer {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        self.as_slice()
    }
}

impl DerefMut for HostBuffer {
    fn deref_mut(&mut self) -> &mut [u64] {
        self.as_mut_slice()
    }
}

impl fmt::Debug for HostBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuffer")
            .field("elements", &self.elements())
            .finish_non_exhaustive()
    }
}
