//! Vectors of points on both engines: up and down, moved, held to the curve and to the
//! subgroup, and their encodings against arkworks'.

use ark_serialize::CanonicalSerialize as _;
use field_kernels::{Curve, Fp, PrimeField as _};
use gpu_executor::vectors::{
    Form, G1, G2, PointCheck, PointEncoding, PointFault, PointVec, VectorEngine,
};
use gpu_executor::{Error, Refused};

use crate::curves::{CurveOracle, outside, points, to_ark};
use crate::engines::{self, on_both_engines, refused, run, upload_points as upload};

on_both_engines! {
    points_go_up_and_come_down<G1, G2>
    points_are_moved_and_compared<G1, G2>
    points_are_held_to_what_is_asked_for<G1, G2>
    encodings_are_those_of_arkworks<G1, G2>
    wrong_encodings_are_refused<G1, G2>
}

const CHECKS: [PointCheck; 3] = [
    PointCheck::Subgroup,
    PointCheck::OnCurve,
    PointCheck::Trusted,
];

#[track_caller]
fn expect<C: Curve>(vector: &PointVec<C>, expected: &[C::Limbs]) {
    assert_eq!(vector.form(), Form::Montgomery);
    engines::expect(vector, expected, C::NAME);
}

fn points_go_up_and_come_down<C: CurveOracle>(engine: &VectorEngine) {
    for count in [0, 1, 2, 63, 64, 65, 700] {
        let points = points::<C>(count, 3);
        let vector = upload::<C>(engine, &points);
        expect(&vector, &points);
        if count > 3 {
            expect(&vector.slice(1..count - 1).unwrap(), &points[1..count - 1]);
        }
    }
    refused!(engine.upload_points::<C>(&vec![0; C::LIMBS + 1], PointCheck::Trusted)
        => Error::InvalidLength { .. });
}

fn points_are_moved_and_compared<C: CurveOracle>(engine: &VectorEngine) {
    let (a, b) = (points::<C>(600, 3), points::<C>(131, 8));
    let (x, y) = (upload::<C>(engine, &a), upload::<C>(engine, &b));
    let x_slice = x.slice(3..134).unwrap();
    let queue = engine.queue();
    let joined = queue.concat(&[&x_slice, &y]).unwrap();
    let by_turns = queue.interleave(&[&y, &x_slice]).unwrap();
    let rotated = queue.rotate(&x, -5).unwrap();
    let strided = queue.strided(&x, 2, 7).unwrap();
    let indices = engine.upload_indices(&[599, 0, 0, 17]).unwrap();
    let gathered = queue.gather(&x, &indices).unwrap();
    let again = queue.rotate(&rotated, 5).unwrap();
    let equal = queue.equal(&again, &x).unwrap();
    let differ = queue.equal(&x_slice, &y).unwrap();
    let read = queue.read(&x.slice(1..3).unwrap()).unwrap();
    let done = run(queue);
    expect(&joined, &[&a[3..134], &b].concat());
    let pairs: Vec<_> = b
        .iter()
        .zip(&a[3..134])
        .flat_map(|(b, a)| [*b, *a])
        .collect();
    expect(&by_turns, &pairs);
    expect(&rotated, &[&a[595..], &a[..595]].concat());
    let every_seventh: Vec<_> = a[2..].iter().step_by(7).copied().collect();
    expect(&strided, &every_seventh);
    expect(&gathered, &[a[599], a[0], a[0], a[17]]);
    assert!(done.equal(&equal).unwrap());
    assert!(!done.equal(&differ).unwrap());
    assert_eq!(done.elements(&read).unwrap(), a[1..3]);
}

fn points_are_held_to_what_is_asked_for<C: CurveOracle>(engine: &VectorEngine) {
    let good = points::<C>(300, 5);
    let outside: C::Limbs = outside::<C>().next().unwrap();
    // Another y is on no curve; that y is 0 neither.
    let mut off = good[1];
    off.as_mut()[C::LIMBS - 1] ^= 1;
    let mut no_y = good[1];
    no_y.as_mut()[C::LIMBS / 2..].fill(0);
    let upload = |points: &[C::Limbs], check| engine.upload_points::<C>(C::words(points), check);
    let (subgroup, curve) = (PointFault::NotInSubgroup, PointFault::NotOnCurve);
    for (bad, faults) in [
        (good[1], [None, None, None]),
        (outside, [Some(subgroup), None, None]),
        (off, [Some(curve), Some(curve), None]),
        (no_y, [Some(curve), Some(curve), None]),
    ] {
        for (check, fault) in CHECKS.into_iter().zip(faults) {
            for at in [0, 1, 63, 64, 130, 299] {
                let mut points = good.clone();
                points[at] = bad;
                let found = upload(&points, check);
                match fault {
                    Some(fault) => assert_eq!(found.unwrap_err(), invalid::<C>(at, fault)),
                    None => expect(&found.unwrap(), &points),
                }
            }
        }
    }
    // The first of several is named.
    let mut points = good.clone();
    (points[70], points[200], points[299]) = (off, outside, off);
    let error = upload(&points, PointCheck::Subgroup).unwrap_err();
    assert_eq!(error, invalid::<C>(70, curve));
    // Coordinates at or above the modulus are refused in any case.
    for check in CHECKS {
        for coordinate in 0..C::ID.coordinates() {
            let mut points = good.clone();
            points[7].as_mut()[coordinate * 6..][..6].copy_from_slice(&Fp::MODULUS);
            refused!(upload(&points, check)
                => Error::NotCanonical(Refused { element: 7, limb, .. }) if limb == 6 * coordinate);
        }
    }
    let error = upload(&[good[1], off], PointCheck::Subgroup).unwrap_err();
    let name = C::NAME;
    let text = format!("point 1: expected one of {name}, found one that is not on the curve");
    assert_eq!(error.to_string(), text);
}

fn invalid<C: Curve>(element: usize, fault: PointFault) -> Error {
    Error::InvalidPoint {
        element,
        curve: C::NAME,
        fault,
    }
}

fn encodings_are_those_of_arkworks<C: CurveOracle>(engine: &VectorEngine) {
    for count in [0, 1, 64, 150] {
        let points = points::<C>(count, 11);
        let vector = upload::<C>(engine, &points);
        for encoding in [PointEncoding::Compressed, PointEncoding::Uncompressed] {
            let mut expected = Vec::new();
            for point in points.iter().map(to_ark::<C>) {
                match encoding {
                    PointEncoding::Compressed => point.serialize_compressed(&mut expected),
                    PointEncoding::Uncompressed => point.serialize_uncompressed(&mut expected),
                }
                .unwrap();
            }
            assert_eq!(expected.len(), count * encoding.bytes::<C>());
            assert_eq!(vector.download_encoded(encoding).unwrap(), expected);
            let check = PointCheck::Subgroup;
            let again = engine.upload_encoded_points::<C>(&expected, encoding, check);
            expect(&again.unwrap(), &points);
            if count > 3 {
                let slice = vector.slice(1..3).unwrap();
                let each = encoding.bytes::<C>();
                let found = slice.download_encoded(encoding).unwrap();
                assert_eq!(found, expected[each..3 * each]);
            }
        }
    }
}

fn wrong_encodings_are_refused<C: CurveOracle>(engine: &VectorEngine) {
    let (compressed, uncompressed) = (PointEncoding::Compressed, PointEncoding::Uncompressed);
    let some = upload::<C>(engine, &points::<C>(150, 11));
    let check = |encoding: PointEncoding, change: &dyn Fn(&mut [u8]), fault: PointFault| {
        for at in [0, 1, 149] {
            let mut bytes = some.download_encoded(encoding).unwrap();
            let each = encoding.bytes::<C>();
            change(&mut bytes[at * each..][..each]);
            for check in CHECKS {
                let found = engine.upload_encoded_points::<C>(&bytes, encoding, check);
                let expected = invalid::<C>(at, fault);
                assert_eq!(found.unwrap_err(), expected, "{encoding:?}");
            }
        }
    };
    // Flags.
    for flags in 0..8_u8 {
        let set = |bytes: &mut [u8]| bytes[0] = bytes[0] & 0x1f | flags << 5;
        if flags & 0b100 == 0 {
            check(compressed, &set, PointFault::Flags(flags));
        }
        if flags & 0b101 != 0 {
            check(uncompressed, &set, PointFault::Flags(flags));
        }
    }
    // Infinity with something beside it: in the first byte, in the last, in the third flag.
    for (encoding, first) in [(compressed, 0xc0), (uncompressed, 0x40)] {
        for (place, bits) in [
            (0, 1),
            (0, 0x10),
            (1, 1),
            (47, 0x80),
            (encoding.bytes::<C>() - 1, 1),
        ] {
            let infinity = |bytes: &mut [u8]| {
                bytes.fill(0);
                bytes[0] = first;
                bytes[place] |= bits;
            };
            check(encoding, &infinity, PointFault::Infinity);
        }
    }
    let larger_y = |bytes: &mut [u8]| {
        bytes.fill(0);
        bytes[0] = 0xe0;
    };
    check(compressed, &larger_y, PointFault::Infinity);
    // The modulus and more as a coordinate.
    for raised in [0, 1] {
        let mut modulus = Fp::MODULUS;
        modulus[0] += raised;
        let bytes: Vec<u8> = modulus
            .iter()
            .rev()
            .flat_map(|it| it.to_be_bytes())
            .collect();
        let all = C::ID.coordinates();
        for (encoding, flags, coordinates) in [(uncompressed, 0, all), (compressed, 0x80, all / 2)]
        {
            for coordinate in 0..coordinates {
                let change = |encoded: &mut [u8]| {
                    encoded.fill(0);
                    encoded[coordinate * 48..][..48].copy_from_slice(&bytes);
                    encoded[0] |= flags;
                };
                check(encoding, &change, PointFault::NotCanonical);
            }
        }
    }
    // Not on the curve: another y; an x that has none.
    let other_y = |bytes: &mut [u8]| {
        bytes.fill(0);
        let last = bytes.len() - 1;
        bytes[last] = 7;
    };
    check(uncompressed, &other_y, PointFault::NotOnCurve);
    let without = (1..).find(|x| !has_y::<C>(*x)).unwrap();
    let no_y = |bytes: &mut [u8]| {
        bytes.fill(0);
        let last = bytes.len() - 1;
        (bytes[0], bytes[last]) = (0x80, without);
    };
    check(compressed, &no_y, PointFault::NotOnCurve);
    outside_of_the_subgroup::<C>(engine);
    refused!(engine.upload_encoded_points::<C>(&[0; 40], compressed, PointCheck::Trusted)
        => Error::InvalidLength { .. });
}

fn has_y<C: CurveOracle>(x: u8) -> bool {
    use ark_ec::short_weierstrass::Affine;
    Affine::<C::Config>::get_ys_from_x_unchecked(x.into()).is_some()
}

/// Taken, unless the subgroup is asked for: x = 0 among them.
fn outside_of_the_subgroup<C: CurveOracle>(engine: &VectorEngine) {
    let points: Vec<C::Limbs> = outside::<C>().take(3).collect();
    for encoding in [PointEncoding::Compressed, PointEncoding::Uncompressed] {
        let vector = engine
            .upload_points::<C>(C::words(&points), PointCheck::OnCurve)
            .unwrap();
        let bytes = vector.download_encoded(encoding).unwrap();
        for check in [PointCheck::OnCurve, PointCheck::Trusted] {
            let again = engine.upload_encoded_points::<C>(&bytes, encoding, check);
            expect(&again.unwrap(), &points);
        }
        let check = PointCheck::Subgroup;
        let found = engine.upload_encoded_points::<C>(&bytes, encoding, check);
        let expected = invalid::<C>(0, PointFault::NotInSubgroup);
        assert_eq!(found.unwrap_err(), expected);
    }
}
