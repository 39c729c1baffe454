//! Operations on vectors that stay on the device, over their length: each a
//! submission that is recorded, made and waited for, by the host's clock.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context;
use field_kernels::{Fp, Fr, PrimeField};
use gpu_executor::Error;
use gpu_executor::kernels::field_add_for;
use gpu_executor::vectors::{FieldVec, VectorEngine};
use gpu_executor_benches::{Jobs, Operands};

use crate::clocks::Clocks;
use crate::device;
use crate::measure::{Group, Suite};
use crate::operations::{Operation, operations};
use crate::resident::Resident;

/// Elements of each operand of the additions that keep the device at work.
const PACE: usize = 1 << 18;

pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let engine = VectorEngine::new()?;
    let mut pace = Pace::new()?;
    let (mut group, plan) = suite.group("vectors");
    for &elements in &plan.vector_sizes {
        field::<Fp>(&mut group, &engine, &mut pace, elements)?;
        field::<Fr>(&mut group, &engine, &mut pace, elements)?;
    }
    Ok(())
}

fn field<F: PrimeField>(
    group: &mut Group<'_>,
    engine: &VectorEngine,
    pace: &mut Pace,
    elements: usize,
) -> anyhow::Result<()> {
    let mut vectors = match Vectors::<F>::new(engine, elements) {
        Ok(vectors) => vectors,
        Err(why) if is_too_large(&why) => {
            for operation in operations::<F>() {
                group.pass_over(&operation.title(), elements, &why);
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for operation in operations::<F>() {
        vectors.measure(group, pace, &operation)?;
    }
    Ok(())
}

/// What keeps the device at work until its clocks are up: a kernel whose time
/// is the device's own, and so shows its clocks. Of calls on short vectors
/// most is the host's.
struct Pace {
    resident: Resident,
    clocks: Clocks,
}

impl Pace {
    fn new() -> anyhow::Result<Self> {
        let device = device::open()?;
        let add = field_add_for(device.caps());
        let mut resident = Resident::new(&device, add.spirv, PACE)?;
        let jobs = Jobs::random(1, PACE);
        for (a, b) in jobs.as_slices() {
            resident.upload(a, b, b)?;
        }
        let clocks = Clocks::raise(device.caps(), &mut resident)?;
        Ok(Self { resident, clocks })
    }

    fn catch_up(&mut self) -> anyhow::Result<()> {
        self.clocks.catch_up(&mut self.resident)
    }
}

/// Two vectors, here and on the device, and where results come down to.
struct Vectors<'e, F: PrimeField> {
    engine: &'e VectorEngine,
    operands: Operands<F>,
    a: FieldVec<F>,
    b: FieldVec<F>,
    found: Vec<u64>,
}

impl<'e, F: PrimeField> Vectors<'e, F> {
    fn new(engine: &'e VectorEngine, elements: usize) -> anyhow::Result<Self> {
        let operands = Operands::<F>::random(elements);
        let [a, b] = [&operands.x, &operands.y].map(|it| engine.upload::<F>(F::words(it)));
        Ok(Self {
            engine,
            a: a?,
            b: b?,
            operands,
            found: vec![0; elements * F::LIMBS],
        })
    }

    /// The first call compiles and takes memory, and is in no sample. Its
    /// result is checked, and that of the last one: a device that waits for
    /// the host to check each sample lowers its clocks.
    fn measure(
        &mut self,
        group: &mut Group<'_>,
        pace: &mut Pace,
        operation: &Operation<F>,
    ) -> anyhow::Result<()> {
        let (title, elements) = (operation.title(), self.a.len());
        let first = match self.call(operation) {
            Ok(first) => first,
            Err(why) if is_too_large(&why) => {
                group.pass_over(&title, elements, &why);
                return Ok(());
            }
            Err(error) => return Err(error.context(title)),
        };
        self.check(operation, &first).context(title.clone())?;
        // Held one at a time: where memory is short there is room for no second one.
        let mut last = Some(first);
        group.timed(&title, elements, elements as u64, |iterations| {
            pace.catch_up()?;
            // The device comes back to this one from the kernels that kept pace.
            last = None;
            last = Some(self.call(operation)?);
            let start = Instant::now();
            for _ in 0..iterations {
                last = None;
                last = Some(black_box(self.call(operation)?));
            }
            Ok(start.elapsed())
        })?;
        last.map_or(Ok(()), |last| self.check(operation, &last))
            .context(title)
    }

    fn call(&self, operation: &Operation<F>) -> anyhow::Result<FieldVec<F>> {
        let queue = self.engine.queue();
        let result = (operation.record)(&queue, &self.a, &self.b)?;
        queue.submit()?.wait()?;
        Ok(result)
    }

    fn check(&mut self, operation: &Operation<F>, result: &FieldVec<F>) -> anyhow::Result<()> {
        let found = &mut self.found[..result.len() * F::LIMBS];
        result.download_into(found)?;
        self.operands
            .check(&operation.expected, F::elements(found)?)
    }
}

/// Whether the device's memory is too small, which is no failure of the suite.
pub(crate) fn is_too_large(error: &anyhow::Error) -> bool {
    use gpu_executor::{DataPathError as Path, VulkanError as Vulkan};
    let path = match error.downcast_ref() {
        Some(Error::Vulkan(Vulkan::OutOfDeviceMemory { .. })) => return true,
        Some(Error::DataPath(path)) => Some(path),
        _ => error.downcast_ref(),
    };
    matches!(
        path,
        Some(Path::OutOfDeviceMemory { .. } | Path::Vulkan(Vulkan::OutOfDeviceMemory { .. }))
    )
}
