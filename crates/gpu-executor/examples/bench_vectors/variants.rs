//! The kernels among which a calibration chooses.

use anyhow::Result;
use field_kernels::{Fp, Fr, PrimeField};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{Arithmetic, MemoryAccess, Queue, VectorEngine};

use crate::measure::{Row, device_time, random};
use crate::operations::element_wise;

/// Each arithmetic, each way to memory and each size of a workgroup by itself.
pub(crate) fn variants(n: usize, rounds: usize, rows: &mut Vec<Row>) -> Result<()> {
    let accesses = [
        MemoryAccess::Direct,
        MemoryAccess::Staged,
        MemoryAccess::StagedStores,
    ];
    for arithmetic in Arithmetic::ALL {
        for access in accesses {
            for group in [32, 64, 128] {
                // Far slower than the others where they run at all.
                let slow = arithmetic == Arithmetic::U32;
                if slow && (access, group) != (MemoryAccess::Direct, 128) {
                    continue;
                }
                let builder = PersistentVulkanBackend::builder().timestamps(true);
                let builder = builder.arithmetic(arithmetic).memory_access(access);
                let mut backend = builder.workgroup_size(group).build()?;
                let engine = match backend.vectors() {
                    Ok(engine) => engine,
                    Err(error) => {
                        println!("{arithmetic}: {error}");
                        continue;
                    }
                };
                let note = format!(" ({arithmetic} {access:?} {group})").to_lowercase();
                variant::<Fp>(&engine, n, rounds, &note, rows)?;
                variant::<Fr>(&engine, n, rounds, &note, rows)?;
            }
        }
    }
    Ok(())
}

fn variant<F: PrimeField>(
    engine: &VectorEngine,
    n: usize,
    rounds: usize,
    note: &str,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let x = random::<F>(n.min(1 << 12), 1);
    let x: Vec<F::Limbs> = x.iter().copied().cycle().take(n).collect();
    let (a, b) = (
        engine.upload::<F>(F::words(&x))?,
        engine.upload::<F>(F::words(&x))?,
    );
    for operation in element_wise::<F>() {
        if !["add", "neg", "mul"].contains(&operation.name) {
            continue;
        }
        let record = |queue: &Queue| (operation.record)(queue, &a, &b);
        let (time, _) = device_time(engine, rounds, record)?;
        let name = format!("{} {}{note}", F::NAME, operation.name);
        rows.push(Row::new(name, n, time).moving::<F>(operation.moved));
    }
    Ok(())
}
