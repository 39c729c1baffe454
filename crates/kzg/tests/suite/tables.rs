//! Tables in files: made once, private, and made anew where they are damaged.

use std::cell::RefCell;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gpu_executor::Cache;
use gpu_executor::vectors::{TableMemory, VectorEngine};
use gpu_executor_kzg::{Error, Kzg};

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
        let all: Vec<_> = (0..=9).map(|done| (done, 9)).collect();
        let (kzg, seen) = watched(&engine, &cache, 9);
        // The CPU has no other table.
        assert!(proofs(&kzg.unwrap()) == expected);
        assert_eq!(seen, all);
        assert_eq!(file(folder.path(), ""), copy);
        assert!(fs::read(&copy).unwrap() == fs::read(&kept).unwrap());
        let (kzg, seen) = watched(&engine, &cache, 9);
        assert!(proofs(&kzg.unwrap()) == expected);
        assert_eq!(seen, [(0, 9), (1, 9), (9, 9)], "read from the file");
    });
}

/// With tables that are made until so many parts are done, and what was said of that.
fn watched(
    engine: &VectorEngine,
    cache: &Cache,
    last: usize,
) -> (Result<Kzg, Error>, Vec<(usize, usize)>) {
    let seen = RefCell::new(Vec::new());
    let watch = |done, of| {
        seen.borrow_mut().push((done, of));
        match done < last {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    let memory = TableMemory::Multiples(2);
    let kzg = Kzg::with_tables_watched(engine, &SETUP, memory, cache, watch);
    (kzg, seen.into_inner())
}

#[test]
fn making_tables_stops_on_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::Folder(folder.path().to_owned());
    let engine = VectorEngine::cpu().unwrap();
    for last in [0, 1, 3] {
        let (kzg, seen) = watched(&engine, &cache, last);
        let expected = Error::Cancelled { done: last, of: 9 };
        assert_eq!(kzg.unwrap_err(), expected);
        assert_eq!(seen.len(), last + 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn making_tables_stops_on_the_device() {
    on_device_with(|engine| {
        let (kzg, seen) = watched(engine, &Cache::Off, 2);
        assert_eq!(kzg.unwrap_err(), Error::Cancelled { done: 2, of: 9 });
        assert_eq!(seen, [(0, 9), (1, 9), (2, 9)]);
        let (kzg, seen) = watched(engine, &TABLES, 9);
        assert!(kzg.is_ok());
        assert_eq!(seen.last(), Some(&(9, 9)));
    });
}
