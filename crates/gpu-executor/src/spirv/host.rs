//! Runs over host buffers: the same backend, without copies by the host.

use std::time::Instant;

use vk_mem_paths::PathChoice;

use super::backend::{PersistentVulkanBackend, report};
use crate::kernels::ELEMENT_BYTES;
use crate::{Error, HostBuffer, Mode, Result, RunReport};

impl PersistentVulkanBackend {
    /// A buffer of `elements` elements, all zero, that runs of this backend
    /// read and write in place.
    ///
    /// # Errors
    /// [`Error::TooManyElements`]; [`Error::DataPath`] and [`Error::Vulkan`]
    /// where there is no memory for it.
    pub fn host_buffer(&mut self, elements: usize) -> Result<HostBuffer> {
        self.revive()?;
        let made = HostBuffer::new(&self.opened.host_runs, elements);
        self.opened.open.noting_loss(made)
    }

    /// Runs the kernel over the elements of `a` and `b`, which may be the
    /// same buffer, into `out`.
    ///
    /// The kernel reads and writes the buffers themselves, unless the builder
    /// or `GPU_DEVICE_LOCAL` names a path. Any length runs; it is cut into
    /// chunks, several of which are in flight. What was recorded for a kernel
    /// and three buffers is used again by the next run over them.
    ///
    /// Of a kernel of your own this asks the promise that it writes its output
    /// only, since the inputs are your memory and not a copy of it: the
    /// buffers at bindings 0 and 1 must be `NonWritable` (`readonly` in GLSL).
    /// Whether it keeps the promise is not checked, as little as whether it
    /// stays inside its buffers.
    ///
    /// # Errors
    /// [`Error::UnequalHostBuffers`]; [`Error::DataPath`] with
    /// [`ForeignBuffer`](crate::DataPathError::ForeignBuffer) for a buffer of
    /// another backend, and for memory; [`Error::Vulkan`] for SPIR-V that
    /// breaks the kernel interface, does not promise to leave its inputs alone
    /// or needs what the device lacks, and for what the driver returned. What `out` holds after an error is not
    /// specified; after a timeout or the loss of the device it may be empty
    /// ([`HostBuffer`] says why).
    pub fn run_field_add_host(
        &mut self,
        spirv_bytes: &[u8],
        a: &HostBuffer,
        b: &HostBuffer,
        out: &mut HostBuffer,
    ) -> Result<()> {
        self.run_field_add_host_on(spirv_bytes, a, b, out, PathChoice::Auto)
    }

    /// As [`Self::run_field_add_host`], on a path of your choice.
    ///
    /// [`TransferPath::HostVisible`](crate::TransferPath::HostVisible): the kernel works on
    /// the buffers. [`TransferPath::DeviceLocal`](crate::TransferPath::DeviceLocal): the
    /// device copies each chunk to its own memory and the result back, upload,
    /// kernel and download of different chunks overlapping.
    /// [`PathChoice::Auto`] leaves it to builder and environment, then to the
    /// library.
    ///
    /// # Errors
    /// As [`Self::run_field_add_host`].
    pub fn run_field_add_host_on(
        &mut self,
        spirv_bytes: &[u8],
        a: &HostBuffer,
        b: &HostBuffer,
        out: &mut HostBuffer,
        path: PathChoice,
    ) -> Result<()> {
        let ran = self.run_host(spirv_bytes, a, b, out, path);
        self.opened.open.noting_loss(ran)
    }

    /// Adds A and B into `out`, with the library's kernel for this device.
    ///
    /// # Errors
    /// As [`Self::run_field_add_host`].
    pub fn field_add_host(
        &mut self,
        a: &HostBuffer,
        b: &HostBuffer,
        out: &mut HostBuffer,
    ) -> Result<()> {
        self.run_field_add_host(self.field_add_spirv(), a, b, out)
    }

    fn run_host(
        &mut self,
        spirv: &[u8],
        a: &HostBuffer,
        b: &HostBuffer,
        out: &mut HostBuffer,
        path: PathChoice,
    ) -> Result<()> {
        let start = Instant::now();
        self.report = None;
        check(a, b, out)?;
        self.revive()?;
        let (kernel, compile) = self.kernel(spirv)?;
        let mut request = self.request(Mode::Pipelined, false);
        if path != PathChoice::Auto {
            request.path = path;
        }
        let (a, b, out) = (&a.0, &b.0, &mut out.0);
        let ran = self
            .opened
            .host_runs
            .run(&kernel, &request, ELEMENT_BYTES, a, b, out)?;
        self.report = Some(RunReport {
            compile,
            ..report(ran, Mode::Pipelined, spirv, &kernel, 1, start)
        });
        Ok(())
    }
}

fn check(a: &HostBuffer, b: &HostBuffer, out: &HostBuffer) -> Result<()> {
    let [a, b, out] = [a, b, out].map(HostBuffer::elements);
    match a == b && b == out {
        true => Ok(()),
        false => Err(Error::UnequalHostBuffers { a, b, out }),
    }
}
