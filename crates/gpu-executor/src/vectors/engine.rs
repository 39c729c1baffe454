//! Where vectors live and are computed.

use std::fmt;
use std::sync::Arc;

use field_kernels::{ElementType, Field};
use vk_mem_paths::{ElementFormat, Lane};

use super::cpu::CpuRunner;
use super::elements::{AsElements, form_of};
use super::field_vec::{FieldVec, Form};
use super::queue::Queue;
use super::runner::Runner;
use super::value::State;
use super::vulkan::VulkanRunner;
use crate::canonical::Order;
use crate::device::{Build, Builder, OpenDevice, Settings};
use crate::{Engine, Error, Inputs, Result};

/// Computes on vectors, on a Vulkan device or on the CPU. Clones are the same engine.
///
/// Vectors belong to the engine that made them. It may be used from several threads;
/// what they submit runs in the order of the submissions.
#[derive(Clone)]
pub struct VectorEngine {
    runner: Arc<dyn Runner>,
    inputs: Inputs,
}

impl VectorEngine {
    /// On the best Vulkan device, or the one that `GPU_DEVICE` names; `GPU_TIMEOUT_MS` is
    /// read too. Never falls back to the CPU.
    ///
    /// Which kernels it uses is what a calibration of this device found
    /// ([`Self::calibrate`]), else chosen by fixed rules. Before its first product
    /// in a field, some products are held to the CPU's: an arithmetic that is wrong on the
    /// device is passed over, with a warning, and the reports say so.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// A builder, for settings other than those of [`Self::new`].
    pub fn builder() -> Builder<Self> {
        Builder::default()
    }

    /// On the best Vulkan device, or on the CPU where the system has no Vulkan loader or no
    /// device and `GPU_DEVICE` names none; the log warns then, and [`Self::engine`] says
    /// which.
    ///
    /// # Errors
    /// Whatever else keeps a device from being opened, as [`Builder::build`] says.
    pub fn auto() -> Result<Self> {
        let settings = Self::builder().settings()?;
        match OpenDevice::if_any(settings.clone())? {
            Some(open) => Self::on_device(&open),
            None => Self::on_cpu(settings.transfer.threads, settings.inputs),
        }
    }

    /// On all cores of the host's processor.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn cpu() -> Result<Self> {
        Self::cpu_with_threads(0)
    }

    /// On `threads` threads of the host's processor; 0 means one per core.
    ///
    /// # Errors
    /// [`Error::DataPath`] where the threads cannot be started.
    pub fn cpu_with_threads(threads: usize) -> Result<Self> {
        Self::on_cpu(threads, Inputs::default())
    }

    pub(crate) fn on_cpu(threads: usize, inputs: Inputs) -> Result<Self> {
        Ok(Self::on(Arc::new(CpuRunner::new(threads)?), inputs))
    }

    fn on_device(open: &OpenDevice) -> Result<Self> {
        let lane = Lane::on(&open.device, open.settings.transfer);
        let lane = open.noting_loss(lane.map_err(Error::from))?;
        Self::with_lane(open, lane)
    }

    /// On the device of `open`, with the memory of `lane`.
    pub(crate) fn with_lane(open: &OpenDevice, lane: Lane) -> Result<Self> {
        let runner = open.noting_loss(VulkanRunner::open(open, lane))?;
        Ok(Self::on(Arc::new(runner), open.settings.inputs))
    }

    pub(crate) fn on(runner: Arc<dyn Runner>, inputs: Inputs) -> Self {
        Self { runner, inputs }
    }

    /// Where it computes.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.runner.engine()
    }

    /// A vector of `elements`, in Montgomery form or that of their type: slices of limbs, of
    /// arrays of limbs, or of the types of arkworks and blst with the features of these names,
    /// which are copied as they are. Returns when the last of them is on its way; `elements` may
    /// be changed then.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] for limbs that are no whole number of elements,
    /// [`Error::NotCanonical`] for an element that is not below the modulus;
    /// [`Error::DataPath`] and [`Error::Vulkan`] for memory and for what the driver
    /// returned.
    pub fn upload<F: Field>(
        &self,
        elements: &(impl AsElements<F> + ?Sized),
    ) -> Result<FieldVec<F>> {
        let form = form_of::<F, _>(elements).unwrap_or_default();
        self.upload_limbs(elements.as_limbs(), form)
    }

    /// As [`Self::upload`], of elements in plain form.
    ///
    /// # Errors
    /// [`Error::WrongForm`] for a type that is always in Montgomery form, as those of
    /// arkworks and blst are, else as [`Self::upload`].
    pub fn upload_plain<F: Field>(
        &self,
        elements: &(impl AsElements<F> + ?Sized),
    ) -> Result<FieldVec<F>> {
        if let Some(found @ Form::Montgomery) = form_of::<F, _>(elements) {
            return Err(Error::WrongForm {
                operation: "upload_plain",
                expected: Form::Plain,
                found,
            });
        }
        self.upload_limbs(elements.as_limbs(), Form::Plain)
    }

    /// A vector, in Montgomery form, of integers below the modulus that are given as
    /// big-endian bytes, 48 for each of Fp and 32 of Fr: as the Ethereum specifications
    /// hold blobs. Of Fp2 those of c0 and then of c1. The engine converts them; it is not waited for.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] for bytes that are no whole number of elements, else as
    /// [`Self::upload`] and [`Queue::submit`].
    pub fn upload_be_bytes<F: Field>(
        &self,
        bytes: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<FieldVec<F>> {
        let queue = self.queue();
        let vector = queue.upload_be_bytes(&[bytes])?;
        // Nobody waits: what uses the result does, and reports what became of it.
        let _pending = queue.submit()?;
        Ok(vector)
    }

    /// A queue for operations on vectors of this engine.
    pub fn queue(&self) -> Queue {
        Queue::new(self)
    }

    /// Whether it is sooner done with so many points than the host's threads would be: a device
    /// is that from some thousand on, one that is made of the host's own cores never. By this
    /// checks and decoding of points are the device's or the host's.
    #[must_use]
    pub fn is_for_points(&self, points: usize) -> bool {
        self.runner.is_for_points(points)
    }

    /// Frees the memory that vectors which are gone have left, and tables that operations
    /// keep for the next of their kind, and returns how many bytes that was. Where the device's memory runs out, that happens by itself.
    pub fn trim(&self) -> usize {
        self.runner.trim()
    }

    /// Measures which kernels are fastest on this engine's device, uses them from now on,
    /// and keeps that where the builder's [`Cache`](crate::Cache) says, for later
    /// processes: for each field which [`Arithmetic`](super::Arithmetic), way to memory
    /// and workgroup. Nothing else does; without it fixed rules decide. It takes some
    /// seconds, most of them in the driver's compiler, and three vectors of 2^22 elements.
    /// One process of a user measures at a time, as with
    /// [that of transfers](crate::spirv::PersistentVulkanBackend::calibrate). What other
    /// threads submit meanwhile is computed rightly, and disturbs the measurement. On the
    /// CPU there is nothing to measure.
    ///
    /// # Errors
    /// [`Error::WrongResults`] where no arithmetic is right on the device;
    /// [`Error::DataPath`] and [`Error::Vulkan`] for memory and for what the driver
    /// returned. The engine goes on as before then.
    pub fn calibrate(&self) -> crate::Result<()> {
        self.runner.calibrate()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.runner, &other.runner)
    }

    pub(super) fn runner(&self) -> &dyn Runner {
        &*self.runner
    }

    /// What the way up has to know of elements that are given as limbs.
    pub(super) fn format_of<E: ElementType>(&self) -> ElementFormat {
        self.inputs.element::<E>(Order::Limbs)
    }

    fn upload_limbs<F: Field>(&self, limbs: &[u64], form: Form) -> Result<FieldVec<F>> {
        expect_whole(limbs.len(), F::LIMBS, "limbs")?;
        let bytes = bytemuck::must_cast_slice(limbs);
        self.upload_parts(&[bytes], self.inputs, Order::Limbs, form)
    }

    /// Parts of whole elements, one after the other.
    pub(super) fn upload_parts<F: ElementType>(
        &self,
        parts: &[&[u8]],
        inputs: Inputs,
        order: Order,
        form: Form,
    ) -> Result<FieldVec<F>> {
        let element = inputs.element::<F>(order);
        let stored = self.runner.upload(parts, element)?;
        let len = parts.iter().map(|part| part.len() / F::BYTES).sum();
        Ok(FieldVec::new(self, State::Stored(stored), len, form))
    }

    /// Parts of big-endian bytes, one after the other, as they are.
    pub(super) fn upload_unconverted<F: Field>(
        &self,
        parts: &[impl AsRef<[u8]>],
    ) -> Result<FieldVec<F>> {
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        let mut lengths = parts.iter().map(|part| part.len());
        lengths.try_for_each(|found| expect_whole(found, F::BYTES, "bytes"))?;
        self.upload_parts(&parts, self.inputs, Order::BigEndian, Form::Plain)
    }
}

impl Build for VectorEngine {
    fn by(settings: Settings) -> Result<Self> {
        Self::on_device(&OpenDevice::new(settings)?)
    }
}

/// Holds a slice that is to be uploaded to whole elements, of so many units each.
pub(super) fn expect_whole(found: usize, each: usize, unit: &'static str) -> Result<()> {
    match found.is_multiple_of(each) {
        true => Ok(()),
        false => Err(Error::InvalidLength {
            what: "the vector",
            expected: format!("a multiple of {each} {unit}"),
            found,
            unit,
        }),
    }
}

impl fmt::Debug for VectorEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VectorEngine").field(&self.engine()).finish()
    }
}
