//! What a program does with blobs while a fault is injected.

use std::sync::OnceLock;

use anyhow::Context as _;
use field_kernels::Fr;
use field_kernels::edge::random_elements;
use gpu_executor::Cache;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor_kzg::{Error, FIELD_ELEMENTS_PER_BLOB, Kzg, TrustedSetup};

/// Cells of two blobs beside one that is none, and of both all cells again from half of them.
/// Whether all of it is what the CPU computes.
pub(super) fn cells(backend: &mut PersistentVulkanBackend, seed: u64) -> anyhow::Result<bool> {
    let (kzg, host, blobs) = (on(backend)?, host()?, blobs(seed));
    let found = kzg.compute_cells_many(&blobs).map_err(of_engine)?;
    let expected = host.compute_cells_many(&blobs)?;
    let indices: Vec<u64> = (0..128).step_by(2).collect();
    let halves: Vec<Vec<_>> = found
        .iter()
        .flatten()
        .map(|cells| cells.iter().step_by(2).copied().collect())
        .collect();
    let given: Vec<_> = halves.iter().map(|it| (&*indices, &**it)).collect();
    let recovered = kzg.recover_cells_many(&given).map_err(of_engine)?;
    Ok(found == expected
        && expected.iter().filter(|it| it.is_err()).count() == 1
        && recovered.iter().flatten().eq(expected.iter().flatten()))
}

/// Commitments to two blobs beside one that is none, and to one alone.
pub(super) fn commitments(
    backend: &mut PersistentVulkanBackend,
    seed: u64,
) -> anyhow::Result<bool> {
    let (kzg, host, blobs) = (on(backend)?, host()?, blobs(seed));
    let found = kzg.blob_to_kzg_commitment_many(&blobs).map_err(of_engine)?;
    let alone = kzg.blob_to_kzg_commitment(&blobs[0]).map_err(of_engine)?;
    let expected = host.blob_to_kzg_commitment_many(&blobs)?;
    Ok(found == expected && found[0].as_ref() == Ok(&alone))
}

fn on(backend: &mut PersistentVulkanBackend) -> anyhow::Result<Kzg> {
    let (engine, setup) = (backend.vectors()?, setup()?);
    let kzg = Kzg::with_tables(&engine, setup, TableMemory::None, &Cache::Off);
    kzg.map_err(of_engine)
}

/// The engine's own error, which names the fault.
fn of_engine(error: Error) -> anyhow::Error {
    match error {
        Error::Engine(error) => error.into(),
        error => error.into(),
    }
}

/// The oracle, which the driver has no part in.
fn host() -> anyhow::Result<&'static Kzg> {
    static HOST: OnceLock<Option<Kzg>> = OnceLock::new();
    let made = HOST.get_or_init(|| Kzg::new(&VectorEngine::cpu().ok()?, setup().ok()?).ok());
    made.as_ref().context("the CPU engine")
}

fn setup() -> anyhow::Result<&'static TrustedSetup> {
    static SETUP: OnceLock<Option<TrustedSetup>> = OnceLock::new();
    let setup = SETUP.get_or_init(|| TrustedSetup::mainnet().ok());
    setup.as_ref().context("the trusted setup")
}

/// Two blobs, and between them one that is too short.
fn blobs(seed: u64) -> [Vec<u8>; 3] {
    let blob = |seed| {
        let elements = random_elements::<Fr>(FIELD_ELEMENTS_PER_BLOB, seed);
        let limbs = elements.iter().flat_map(|it| it.iter().rev());
        limbs.flat_map(|limb| limb.to_be_bytes()).collect()
    };
    [blob(2 * seed), vec![0; 32], blob(2 * seed + 1)]
}
