//! Sums over prepared bases against arkworks', whatever multiples there are; and their files.

use std::fs;
use std::path::Path;

use ark_bls12_381::Fr as ArkFr;
use ark_ff::{Field as _, Zero as _};
use gpu_executor::Error;
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{
    Arithmetic, Bases, Curve, G1, G2, PointVec, TableMemory, VectorEngine,
};

use crate::curves::{CurveOracle, points};
use crate::engines::{self, error, on_both_engines, refused};
use crate::msm::{self, by_ark, on_device, random_scalars, upload};

on_both_engines! {
    sums_over_bases_are_those_over_points
    several_sums_over_bases
    slices_of_bases_and_lengths_that_do_not_fit
    bases_come_out_of_their_file_as_they_went_in
    damaged_and_foreign_files_are_refused
}

/// Terms in several parts.
#[test]
fn sums_in_parts_on_the_device() {
    engines::on_device(engines::settled().dispatch_elements(64), |engine| {
        degenerate::<G1>(engine, 150, TableMemory::Multiples(8));
        several::<G1>(engine, 100, 2, TableMemory::Multiples(3));
    });
}

#[test]
fn sums_in_limbs_of_30_bits() {
    on_device(Arithmetic::U64, |engine| {
        degenerate::<G1>(engine, 60, TableMemory::Multiples(8));
        degenerate::<G2>(engine, 20, TableMemory::Multiples(4));
    });
}

#[test]
fn sums_by_the_double_units() {
    let builder = PersistentVulkanBackend::builder().arithmetic(Arithmetic::F64);
    engines::on_device_unless_by_doubles(builder, |engine| {
        degenerate::<G1>(engine, 60, TableMemory::Multiples(8));
    });
}

fn prepare<C: Curve>(points: &PointVec<C>, sums: usize, memory: TableMemory) -> Bases<C> {
    let bases = Bases::prepare(points, sums, memory).unwrap();
    assert_eq!(bases.len(), points.len());
    assert!(bases.bytes() >= points.len() * C::BYTES * bases.multiples());
    bases
}

fn sums_over_bases_are_those_over_points(engine: &VectorEngine) {
    use TableMemory::{AsPays, Bytes, Multiples, None};
    for memory in [
        None,
        Bytes(0),
        Bytes(40_000),
        Multiples(2),
        Multiples(7),
        Multiples(1000),
        AsPays,
    ] {
        degenerate::<G1>(engine, 65, memory);
    }
    degenerate::<G2>(engine, 20, Multiples(3));
    degenerate::<G2>(engine, 3, AsPays);
    for n in [0, 1, 2] {
        let (points, scalars) = (points::<G1>(n, 3), random_scalars(n, 7));
        let (p, s) = upload::<G1>(engine, &points, &scalars);
        let bases = prepare(&p, 1, Multiples(4));
        let queue = engine.queue();
        let msm = queue.msm(&bases, &s).unwrap();
        let done = engines::run(queue);
        let expected = by_ark::<G1>(&points, &scalars);
        assert!(done.msm(&msm).unwrap().to_affine() == expected, "{n}");
    }
}

fn degenerate<C: CurveOracle>(engine: &VectorEngine, n: usize, memory: TableMemory) {
    // Infinity, equal and opposite ones among them.
    let mixed = points::<C>(n, 5);
    let random = random_scalars(n, 4);
    let powers: Vec<_> = (0..n as u64).map(|k| ArkFr::from(2).pow([4 * k])).collect();
    let rows = [
        random.clone(),
        vec![random[n - 1]; n],
        vec![ArkFr::zero(); n],
        vec![-ArkFr::ONE; n],
        powers,
    ];
    for points in [mixed.clone(), vec![mixed[n - 1]; n]] {
        let (p, s) = upload::<C>(engine, &points, &rows.concat());
        let bases = prepare(&p, 1, memory);
        let queue = engine.queue();
        let sums: Vec<_> = (0..rows.len())
            .map(|row| queue.msm(&bases, &s.slice(row * n..(row + 1) * n).unwrap()))
            .collect::<Result<_, _>>()
            .unwrap();
        let done = engines::run(queue);
        for (row, (scalars, sum)) in rows.iter().zip(&sums).enumerate() {
            let found = done.msm(sum).unwrap().to_affine();
            assert!(
                found == by_ark::<C>(&points, scalars),
                "{memory:?}: row {row} of {n}, {}",
                C::NAME
            );
        }
    }
}

fn several_sums_over_bases(engine: &VectorEngine) {
    for memory in [
        TableMemory::None,
        TableMemory::Multiples(5),
        TableMemory::AsPays,
    ] {
        several::<G1>(engine, 64, 3, memory);
    }
    several::<G2>(engine, 10, 2, TableMemory::Multiples(5));
}

fn several<C: CurveOracle>(engine: &VectorEngine, terms: usize, sums: usize, memory: TableMemory) {
    msm::several::<C, _>(engine, terms, sums, |p| {
        let all = prepare(&p, sums, memory);
        (all.slice(..terms).unwrap(), all)
    });
}

fn slices_of_bases_and_lengths_that_do_not_fit(engine: &VectorEngine) {
    let (points, scalars) = (points::<G1>(75, 9), random_scalars(75, 6));
    let (p, s) = upload::<G1>(engine, &points, &scalars);
    let bases = prepare(&p, 1, TableMemory::Multiples(5));
    let queue = engine.queue();
    let msms = [3..74, 0..1, 74..75, 10..11].map(|range| {
        let (bases, scalars) = (bases.slice(range.clone()), s.slice(range.clone()));
        (
            range,
            queue.msm(&bases.unwrap(), &scalars.unwrap()).unwrap(),
        )
    });
    let done = engines::run(queue);
    for (range, msm) in msms {
        let expected = by_ark::<G1>(&points[range.clone()], &scalars[range.clone()]);
        assert!(done.msm(&msm).unwrap().to_affine() == expected, "{range:?}");
    }
    refused!(bases.slice(3..76) => Error::OutOfRange { elements: 75, end: 76, .. });
    let queue = engine.queue();
    refused!(queue.msm(&bases, &s.slice(1..).unwrap())
        => Error::UnequalVectors { left: 75, right: 74, .. });
    let other = engines::cpu();
    let (foreign, _) = upload::<G1>(&other, &points, &[]);
    let foreign = prepare(&foreign, 1, TableMemory::AsPays);
    refused!(queue.msm(&foreign, &s) => Error::ForeignVector { .. });
}

fn bases_come_out_of_their_file_as_they_went_in(engine: &VectorEngine) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a folder").join("bases");
    round_trip::<G1>(engine, &path, 40, TableMemory::Multiples(5));
    // Another file in its place.
    round_trip::<G1>(engine, &path, 0, TableMemory::None);
    round_trip::<G2>(engine, &path, 7, TableMemory::Multiples(4));
}

fn round_trip<C: CurveOracle>(engine: &VectorEngine, path: &Path, n: usize, memory: TableMemory) {
    let (points, scalars) = (points::<C>(n, 9), random_scalars(n, 6));
    let (p, _) = upload::<C>(engine, &points, &[]);
    let bases = prepare(&p, 1, memory);
    bases.save(path).unwrap();
    for other in [engine.clone(), engines::cpu()] {
        let loaded = Bases::<C>::load(&other, path).unwrap();
        assert_eq!(loaded.len(), n);
        if other.engine() == engine.engine() {
            assert_eq!(loaded.multiples(), bases.multiples());
            assert_eq!(loaded.bytes(), bases.bytes());
        }
        assert_eq!(
            loaded.points().unwrap().download::<u64>().unwrap(),
            p.download::<u64>().unwrap()
        );
        let (_, s) = upload::<C>(&other, &[], &scalars);
        let queue = other.queue();
        let msm = queue.msm(&loaded, &s).unwrap();
        let done = engines::run(queue);
        let expected = by_ark::<C>(&points, &scalars);
        assert!(
            done.msm(&msm).unwrap().to_affine() == expected,
            "{loaded:?}"
        );
    }
}

fn damaged_and_foreign_files_are_refused(engine: &VectorEngine) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bases");
    let (p, _) = upload::<G1>(engine, &points::<G1>(6, 9), &[]);
    let bases = prepare(&p, 1, TableMemory::Multiples(3));
    bases.save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], expected: &str| {
        // A file of the same owner and rights.
        fs::write(&path, bytes).unwrap();
        let refused = error(Bases::<G1>::load(engine, &path));
        let text = refused.to_string();
        assert!(matches!(refused, Error::BasesFile { .. }), "{text}");
        assert!(text.starts_with(path.to_str().unwrap()), "{text}");
        assert!(text.contains(expected), "expected {expected}, found {text}");
    };
    refused(b"", "expected 88 bytes at least, found 0");
    refused(&whole[..87], "expected 88 bytes at least, found 87");
    refused(
        &whole[..whole.len() - 1],
        &format!("expected {} bytes", whole.len()),
    );
    refused(
        &[&whole[..], b"1"].concat(),
        &format!("expected {} bytes", whole.len()),
    );
    let changed = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 4;
        bytes
    };
    refused(&changed(3), "found a file of another kind");
    refused(&changed(16), "expected version 1 of the layout, found 5");
    refused(&changed(24), "expected bases of g1, found ones of c1");
    refused(&changed(32), "for 2 bases");
    refused(&changed(39), "expected more than 2^64 bytes");
    refused(&changed(40), "multiples");
    refused(&changed(49), "multiples");
    for place in [56, 100, whole.len() - 33, whole.len() - 1] {
        refused(&changed(place), "expected the SHA-256");
    }
    fs::write(&path, &whole).unwrap();
    let curve = error(Bases::<G2>::load(engine, &path)).to_string();
    assert!(
        curve.contains("expected bases of g2, found ones of g1"),
        "{curve}"
    );
    assert!(Bases::<G1>::load(engine, &path).is_ok());
    for (path, expected) in [
        (folder.path().join("another"), "expected a file, found none"),
        (path.join("below"), "expected a folder"),
        (folder.path().join(".."), "expected the name of a file"),
    ] {
        let refused = error(Bases::<G1>::load(engine, &path)).to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    let refused = error(bases.save(path.join("below"))).to_string();
    assert!(refused.contains("expected a folder"), "{refused}");
    #[cfg(unix)]
    private(engine, &bases, &path);
}

/// Nobody else may write to the file, and nobody else read it.
#[cfg(unix)]
fn private(engine: &VectorEngine, bases: &Bases<G1>, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::remove_file(path).unwrap();
    bases.save(path).unwrap();
    assert_eq!(mode(path), 0o600);
    fs::set_permissions(path, fs::Permissions::from_mode(0o620)).unwrap();
    let refused = error(Bases::<G1>::load(engine, path)).to_string();
    assert!(refused.contains("writable by its owner alone"), "{refused}");
    let link = path.with_extension("link");
    std::os::unix::fs::symlink(path, &link).unwrap();
    assert!(Bases::<G1>::load(engine, &link).is_err());
}
