//! Tables in files: made once, private, and made anew where they are damaged.

use std::fs;
use std::path::{Path, PathBuf};

use gpu_executor::Cache;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor_kzg::Kzg;

use crate::{SETUP, TABLES, on_cpu, on_device_with, random_blob};

/// The only file of a kind.
fn file(folder: &Path, kind: &str) -> PathBuf {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|it| it.file_name().unwrap().to_str().unwrap().contains(kind))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn tables_for_commitments_are_kept_and_made_anew_on_the_device() {
    on_device_with(|engine| {
        let blob = random_blob(3);
        let commitment = |cache: &Cache| {
            let memory = TableMemory::Multiples(2);
            let kzg = Kzg::with_tables(engine, &SETUP, memory, cache).unwrap();
            kzg.blob_to_kzg_commitment(&blob).unwrap()
        };
        let expected = commitment(&Cache::Off);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("kept");
        let cache = Cache::Folder(folder.clone());
        let check = |what: &str| assert_eq!(commitment(&cache), expected, "{what}");
        check("made");
        let path = file(&folder, "commitments");
        let whole = fs::read(&path).unwrap();
        let written = || fs::metadata(&path).unwrap().modified().unwrap();
        let before = written();
        check("read");
        assert_eq!(written(), before);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for damaged in [&changed[..], &whole[..whole.len() - 8]] {
            fs::write(&path, damaged).unwrap();
            check("damaged");
            assert!(fs::read(&path).unwrap() == whole);
        }
        // A folder that nothing can be kept in.
        fs::remove_dir_all(&folder).unwrap();
        fs::write(&folder, []).unwrap();
        check("without a folder");
    });
}

#[test]
fn columns_are_kept_and_made_anew_on_the_cpu() {
    let blob = random_blob(2);
    let proofs = |kzg: &Kzg| kzg.compute_cell_kzg_proofs(&blob).unwrap();
    on_cpu(|kzg| {
        let expected = proofs(kzg);
        let kept = file(&TABLES.folder().unwrap(), "columns");
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(kept.file_name().unwrap());
        let mut bytes = fs::read(&kept).unwrap();
        bytes[1000] ^= 1;
        fs::write(&copy, &bytes).unwrap();
        let cache = Cache::Folder(folder.path().to_owned());
        let engine = VectorEngine::cpu().unwrap();
        let kzg = Kzg::with_tables(&engine, &SETUP, TableMemory::AsPays, &cache).unwrap();
        // The CPU has no other table.
        assert!(proofs(&kzg) == expected);
        assert_eq!(file(folder.path(), ""), copy);
        assert!(fs::read(&copy).unwrap() == fs::read(&kept).unwrap());
    });
}
