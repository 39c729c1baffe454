//! Operations on vectors that stay, over their length: each a submission that is
//! recorded, made and waited for.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use field_kernels::{ElementType as _, Fp, Fr, PrimeField};
use gpu_executor::Error;
use gpu_executor::kernels::field_add_for;
use gpu_executor::vectors::{FieldVec, VectorEngine};
use gpu_executor_benches::{Jobs, random};

use crate::clocks::Clocks;
use crate::device;
use crate::measure::{Group, Suite};
use crate::operations::{Operation, more_operations, operations};
use crate::resident::Resident;

/// Elements of each operand of the additions that keep the device at work.
const PACE: usize = 1 << 18;

/// By the host's clock.
pub(crate) fn bench(suite: &mut Suite) -> anyhow::Result<()> {
    let mut on = On {
        engine: VectorEngine::new()?,
        reference: VectorEngine::cpu()?,
        pace: Some(Pace::new()?),
        clock: Clock::Host,
    };
    let (mut group, plan) = suite.group("vectors");
    for &elements in &plan.vector_sizes {
        on.field::<Fp>(&mut group, elements, operations())?;
        on.field::<Fr>(&mut group, elements, operations())?;
        on.transfers(&mut group, elements)?;
    }
    Ok(())
}

/// By the device's own clock, and more of them.
pub(crate) fn bench_by_device(suite: &mut Suite) -> anyhow::Result<()> {
    let mut on = On {
        engine: VectorEngine::builder().timestamps(true).build()?,
        reference: VectorEngine::cpu()?,
        pace: Some(Pace::new()?),
        clock: Clock::Device,
    };
    let (mut group, plan) = suite.group("device");
    for elements in plan.longest_vectors() {
        on.field::<Fp>(&mut group, elements, all_operations())?;
        on.field::<Fr>(&mut group, elements, all_operations())?;
    }
    Ok(())
}

/// The light ones of both lists first.
fn all_operations<F: PrimeField>() -> Vec<Operation<F>> {
    let (mut all, more) = (operations(), more_operations());
    all.splice(1..1, more);
    all
}

/// Whose time counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// From the recording of an operation to the end of the wait for it.
    Host,
    /// The device's, from the first command to the end of the last.
    Device,
}

/// An engine, and how it is timed.
pub(crate) struct On {
    pub(crate) engine: VectorEngine,
    /// What its results are held to: the engine on the CPU.
    pub(crate) reference: VectorEngine,
    /// Of a device.
    pub(crate) pace: Option<Pace>,
    pub(crate) clock: Clock,
}

impl On {
    /// Measures `operations` on vectors of `elements` elements.
    ///
    /// # Errors
    /// As [`Group::timed`]; vectors that are too long for the device are none.
    pub(crate) fn field<F: PrimeField>(
        &mut self,
        group: &mut Group<'_>,
        elements: usize,
        operations: Vec<Operation<F>>,
    ) -> anyhow::Result<()> {
        let vectors = match Vectors::<F>::new(&self.engine, &self.reference, elements) {
            Ok(vectors) => vectors,
            Err(why) if is_too_large(&why) => {
                for operation in operations {
                    group.pass_over(&operation.title(), elements, &why);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for operation in operations {
            vectors.measure(group, self.pace.as_mut(), self.clock, &operation)?;
        }
        Ok(())
    }

    /// Measures an upload until it is complete, and a download.
    fn transfers(&mut self, group: &mut Group<'_>, elements: usize) -> anyhow::Result<()> {
        let (engine, count) = (&self.engine, elements as u64);
        let elements_up = random::<Fp>(0, elements);
        let words = Fp::words(&elements_up);
        let vector = match engine.upload::<Fp>(words).map_err(anyhow::Error::from) {
            Err(why) if is_too_large(&why) => {
                group.pass_over("fp upload", elements, &why);
                return Ok(());
            }
            uploaded => uploaded?,
        };
        group.timed("fp upload", elements, count, |iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                let vector = engine.upload::<Fp>(words)?;
                // The last piece is on its way; a read of one element comes after it.
                let queue = engine.queue();
                let _first = queue.read(&vector.slice(0..1)?)?;
                queue.submit()?.wait()?;
            }
            Ok(start.elapsed())
        })?;
        let mut found = vec![0; words.len()];
        group.timed("fp download", elements, count, |iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                vector.download_into(&mut found)?;
            }
            let elapsed = start.elapsed();
            ensure!(found == words, "expected the elements that went up");
            Ok(elapsed)
        })
    }
}

/// What keeps the device at work until its clocks are up: a kernel whose time
/// is the device's own, and so shows its clocks. Of calls on short vectors
/// most is the host's.
pub(crate) struct Pace {
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

/// Two vectors on an engine, and the same on the one that it is held to.
struct Vectors<'e, F: PrimeField> {
    engine: &'e VectorEngine,
    reference: &'e VectorEngine,
    operands: [FieldVec<F>; 2],
    reference_operands: [FieldVec<F>; 2],
}

impl<'e, F: PrimeField> Vectors<'e, F> {
    fn new(
        engine: &'e VectorEngine,
        reference: &'e VectorEngine,
        elements: usize,
    ) -> anyhow::Result<Self> {
        let [x, y] = [0, 1].map(|seed| random::<F>(seed, elements));
        let on = |engine: &VectorEngine| {
            let [x, y] = [&x, &y].map(|it| engine.upload::<F>(F::words(it)));
            anyhow::Ok([x?, y?])
        };
        Ok(Self {
            operands: on(engine)?,
            reference_operands: on(reference)?,
            engine,
            reference,
        })
    }

    /// The first call compiles and takes memory, and is in no sample. Its
    /// result is checked, and that of the last one: a device that waits for
    /// the host to check each sample lowers its clocks.
    fn measure(
        &self,
        group: &mut Group<'_>,
        mut pace: Option<&mut Pace>,
        clock: Clock,
        operation: &Operation<F>,
    ) -> anyhow::Result<()> {
        let (title, elements) = (operation.title(), self.operands[0].len());
        let first = match self.call(operation) {
            Ok((first, _)) => first,
            Err(why) if is_too_large(&why) => {
                group.pass_over(&title, elements, &why);
                return Ok(());
            }
            Err(error) => return Err(error.context(title)),
        };
        let expected = self.expected(operation)?;
        check(&first, &expected).context(title.clone())?;
        // Held one at a time: where memory is short there is room for no second one.
        let mut last = Some(first);
        group.timed(&title, elements, elements as u64, |iterations| {
            if let Some(pace) = &mut pace {
                pace.catch_up()?;
                // The device comes back to this one from the kernels that kept pace.
                last = None;
                last = Some(self.call(operation)?.0);
            }
            let (start, mut by_device) = (Instant::now(), Duration::ZERO);
            for _ in 0..iterations {
                last = None;
                let (result, time) = self.call(operation)?;
                last = Some(black_box(result));
                by_device += time;
            }
            Ok(match clock {
                Clock::Host => start.elapsed(),
                Clock::Device => by_device,
            })
        })?;
        last.map_or(Ok(()), |last| check(&last, &expected))
            .context(title)
    }

    fn call(&self, operation: &Operation<F>) -> anyhow::Result<(FieldVec<F>, Duration)> {
        call(self.engine, operation, &self.operands)
    }

    fn expected(&self, operation: &Operation<F>) -> anyhow::Result<Vec<u64>> {
        let (result, _) = call(self.reference, operation, &self.reference_operands)?;
        Ok(result.download::<u64>()?)
    }
}

/// The result, and how long it took by the device's clock; by the host's without one.
fn call<F: PrimeField>(
    engine: &VectorEngine,
    operation: &Operation<F>,
    [x, y]: &[FieldVec<F>; 2],
) -> anyhow::Result<(FieldVec<F>, Duration)> {
    let queue = engine.queue();
    let result = (operation.record)(&queue, x, y)?;
    let done = queue.submit()?.wait()?;
    let report = done.report();
    Ok((result, report.device_time.unwrap_or(report.total)))
}

/// Holds every limb of `result` to what is expected.
fn check<F: PrimeField>(result: &FieldVec<F>, expected: &[u64]) -> anyhow::Result<()> {
    let found = result.download::<u64>()?;
    let (count, wanted) = (found.len(), expected.len());
    ensure!(count == wanted, "{count} limbs instead of {wanted}");
    let mut pairs = found.iter().zip(expected);
    match pairs.position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(limb) => anyhow::bail!("element {} is wrong", limb / F::LIMBS),
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
