//! The official cases through the public interface, alone and together.

use std::sync::LazyLock;

use gpu_executor_kzg::Kzg;

use crate::cases::{self, Case, Cases};
use crate::{on_cpu, on_device};

static CASES: LazyLock<Cases> = LazyLock::new(|| cases::built_in().unwrap());

fn check(kzg: &Kzg, function: &str, is_chosen: impl Fn(&str) -> bool) {
    let cases = CASES[function].iter().filter(|(name, _)| is_chosen(name));
    let mut checked = 0;
    for (name, case) in cases {
        let failed = case.check(kzg, function).err();
        assert!(failed.is_none(), "{name}: {failed:?}");
        checked += 1;
    }
    assert!(checked > 0, "{function}");
}

#[test]
fn every_case_on_the_cpu() {
    assert_eq!(CASES.len(), 12);
    on_cpu(|kzg| {
        CASES
            .keys()
            .for_each(|function| check(kzg, function, |_| true))
    });
}

/// What the device computes: all that is refused, and of the others a few.
#[test]
fn some_cases_on_the_device() {
    on_device(|kzg| {
        let some = |name: &str| name.contains("invalid") || name.ends_with(['4', 'f']);
        for function in [
            "blob_to_kzg_commitment",
            "compute_blob_kzg_proof",
            "compute_cells",
        ] {
            check(kzg, function, some);
        }
        check(kzg, "compute_kzg_proof", |name| {
            some(name) && !name.contains("_0_")
        });
        check(kzg, "compute_cells_and_kzg_proofs", some);
        check(kzg, "recover_cells_and_kzg_proofs", some);
    });
}

/// Valid and invalid blobs in one call: each as if it were alone.
fn together(kzg: &Kzg) {
    let function = |name: &str| CASES[name].values().collect::<Vec<_>>();
    let bytes = |cases: &[&Case], name| -> Vec<_> {
        cases
            .iter()
            .map(|it| it.input.bytes(name).unwrap())
            .collect()
    };
    let commitments = function("blob_to_kzg_commitment");
    let found = kzg
        .blob_to_kzg_commitment_many(&bytes(&commitments, "blob"))
        .unwrap();
    assert_eq!(found.len(), commitments.len());
    for (case, found) in commitments.iter().zip(found) {
        case.expect(found.map(cases::hex)).unwrap();
    }
    let proofs = function("compute_blob_kzg_proof");
    let (blobs, commitments) = (bytes(&proofs, "blob"), bytes(&proofs, "commitment"));
    let found = kzg
        .compute_blob_kzg_proof_many(&blobs, &commitments)
        .unwrap();
    for (case, found) in proofs.iter().zip(found) {
        case.expect(found.map(cases::hex)).unwrap();
    }
    let cells = function("compute_cells");
    let found = kzg.compute_cells_many(&bytes(&cells, "blob")).unwrap();
    for (case, found) in cells.iter().zip(found) {
        case.expect(found.map(|it| cases::hex_list(&*it))).unwrap();
    }
}

#[test]
fn valid_and_invalid_blobs_together_on_the_cpu() {
    on_cpu(|kzg| {
        together(kzg);
        let recoveries: Vec<_> = CASES["recover_cells_and_kzg_proofs"].values().collect();
        let inputs = recoveries.iter().map(|it| {
            let cells = it.input.list("cells").unwrap();
            (it.input.numbers("cell_indices").unwrap(), cells)
        });
        let inputs: Vec<_> = inputs.collect();
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(a, b)| (a.as_slice(), b.as_slice()))
            .collect();
        let found = kzg.recover_cells_and_kzg_proofs_many(&inputs).unwrap();
        for (case, found) in recoveries.iter().zip(found) {
            case.expect(found.map(|it| cases::cells_and_proofs(&it)))
                .unwrap();
        }
    });
}

#[test]
fn valid_and_invalid_blobs_together_on_the_device() {
    on_device(together);
}
