//! One job whose operands and result lie in memory that the device works on
//! in place.

use std::time::Instant;

use field_kernels::LIMBS;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::{HostBuffer, PathChoice, TransferPath};
use gpu_executor_benches::Jobs;
use rayon::prelude::*;

use crate::measure::Group;

/// The benchmarks by name, which the report finds them by, and their paths.
pub(crate) const PATHS: [(&str, TransferPath); 2] = [
    ("host buffers, direct", TransferPath::HostVisible),
    ("host buffers, staged", TransferPath::DeviceLocal),
];

/// Measures a job over host buffers of `backend`, path by path.
///
/// # Errors
/// As [`Group::timed`]; memory that cannot be had is none.
pub(crate) fn measure(
    group: &mut Group<'_>,
    jobs: &Jobs,
    backend: &mut PersistentVulkanBackend,
) -> anyhow::Result<()> {
    let mut buffers = match Buffers::new(backend, jobs) {
        Ok(buffers) => buffers,
        Err(why) => {
            for (name, _) in PATHS {
                group.pass_over(name, jobs.elements(), &why);
            }
            return Ok(());
        }
    };
    for (name, path) in PATHS {
        group.timed(name, jobs.elements(), jobs.total(), |iterations| {
            buffers.sums.par_iter_mut().for_each(|limb| *limb = 0);
            let start = Instant::now();
            for _ in 0..iterations {
                buffers.run(backend, path)?;
            }
            let elapsed = start.elapsed();
            let sums = buffers.sums.as_chunks::<LIMBS>().0;
            jobs.check_elements(&[sums], |element| element)?;
            Ok(elapsed)
        })?;
    }
    Ok(())
}

struct Buffers {
    a: HostBuffer,
    b: HostBuffer,
    sums: HostBuffer,
}

impl Buffers {
    fn new(backend: &mut PersistentVulkanBackend, jobs: &Jobs) -> anyhow::Result<Self> {
        let [(a, b)] = jobs.as_slices()[..] else {
            anyhow::bail!("one job was asked for");
        };
        let mut filled = |limbs: &[u64]| {
            let mut buffer = backend.host_buffer(jobs.elements())?;
            buffer.copy_from_slice(limbs);
            anyhow::Ok(buffer)
        };
        Ok(Self {
            a: filled(a)?,
            b: filled(b)?,
            sums: backend.host_buffer(jobs.elements())?,
        })
    }

    fn run(
        &mut self,
        backend: &mut PersistentVulkanBackend,
        path: TransferPath,
    ) -> anyhow::Result<()> {
        let spirv = backend.field_add_spirv();
        let path = PathChoice::Fixed(path);
        Ok(backend.run_field_add_host_on(spirv, &self.a, &self.b, &mut self.sums, path)?)
    }
}
