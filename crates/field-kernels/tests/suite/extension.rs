//! Fp2 against arkworks and blst, on edge elements and random ones.

use ark_bls12_381::{Fq, Fq2};
use ark_ff::Field as _;
use field_kernels::edge::edge_elements;
use field_kernels::{ElementType as _, Field as _, Fp2, arithmetic};
use proptest::prelude::*;

use crate::ark::Oracle as _;

type Limbs = [u64; 12];

/// Miri takes a thousand times as long, and runs no C: few elements, without blst.
const STEP: usize = if cfg!(miri) { 31 } else { 1 };

fn from_ark(element: Fq2) -> Limbs {
    Fp2::limbs_of(&element)
}

#[cfg(not(miri))]
fn with_blst(
    a: &Limbs,
    b: &Limbs,
    function: unsafe extern "C" fn(
        *mut blst::blst_fp2,
        *const blst::blst_fp2,
        *const blst::blst_fp2,
    ),
) -> Limbs {
    let [a, b] = [a, b].map(crate::oracles::blst_fp2);
    let mut result = blst::blst_fp2::default();
    // SAFETY: the three pointers come from live values of the type that the function
    // takes, and the one it writes through from an exclusive borrow.
    unsafe { function(&raw mut result, &raw const a, &raw const b) };
    let coordinates = result.fp.map(|it| it.l);
    coordinates.as_flattened().try_into().unwrap()
}

fn check_pair(a: &Limbs, b: &Limbs) {
    let found = [
        arithmetic::add::<Fp2>(a, b),
        arithmetic::sub::<Fp2>(a, b),
        arithmetic::mul::<Fp2>(a, b),
    ];
    let (x, y) = (Fp2::ark_of(a), Fp2::ark_of(b));
    assert_eq!(found, [x + y, x - y, x * y].map(from_ark), "{a:x?}, {b:x?}");
    #[cfg(not(miri))]
    {
        let functions = [blst::blst_fp2_add, blst::blst_fp2_sub, blst::blst_fp2_mul];
        let expected = functions.map(|function| with_blst(a, b, function));
        assert_eq!(found, expected, "{a:x?}, {b:x?}");
    }
}

fn check_single(x: &Limbs) {
    let ark = Fp2::ark_of(x);
    let found = [
        arithmetic::neg::<Fp2>(x),
        arithmetic::double::<Fp2>(x),
        arithmetic::square::<Fp2>(x),
        arithmetic::conjugate::<Fp2>(x),
        arithmetic::inverse::<Fp2>(x).unwrap_or_default(),
        arithmetic::pow::<Fp2>(x, 1_000_003),
    ];
    let expected = [
        -ark,
        ark + ark,
        ark * ark,
        Fq2::new(ark.c0, -ark.c1),
        ark.inverse().unwrap_or_default(),
        ark.pow([1_000_003_u64]),
    ];
    assert_eq!(found, expected.map(from_ark), "{x:x?}");
    assert_eq!(arithmetic::inverse::<Fp2>(x).is_none(), *x == [0; 12]);
}

#[test]
fn all_pairs_of_edge_elements() {
    let elements = edge_elements::<Fp2>();
    // Zero and one, real and imaginary alone, and both.
    assert!(elements.contains(&[0; 12]) && elements.len() > 100);
    for place in [0, 6] {
        let alone = |x: &&Limbs| x[6 - place..][..6] == [0; 6] && x[place..][..6] != [0; 6];
        assert!(elements.iter().filter(alone).count() > 5);
    }
    for a in elements.iter().step_by(STEP) {
        check_single(a);
        for b in elements.iter().step_by(STEP) {
            check_pair(a, b);
        }
    }
}

#[test]
fn one_and_forms_are_those_of_each_coordinate() {
    assert_eq!(Fp2::ark_of(&Fp2::ONE), Fq2::ONE);
    assert_eq!((Fp2::LIMBS, Fp2::BYTES, Fp2::NAME), (12, 96, "fp2"));
    let plain = [1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
    let element = arithmetic::to_montgomery::<Fp2>(&plain);
    assert_eq!(Fp2::ark_of(&element), Fq2::new(Fq::from(1), Fq::from(2)));
    assert_eq!(arithmetic::from_montgomery::<Fp2>(&element), plain);
    let modulus = Fp2::ID.modulus();
    for place in [0, 6] {
        let mut refused = plain;
        refused[place..][..6].copy_from_slice(modulus);
        assert!(!arithmetic::is_canonical::<Fp2>(&refused));
    }
}

proptest! {
    #![proptest_config(crate::arithmetic::config())]

    #[test]
    fn random_pairs(a in any::<[u64; 12]>(), b in any::<[u64; 12]>()) {
        let canonical = |limbs: Limbs| {
            let [c0, c1] = [0, 6].map(|at| {
                let bytes: Vec<u8> = limbs[at..][..6].iter().flat_map(|it| it.to_le_bytes()).collect();
                <Fq as ark_ff::PrimeField>::from_le_bytes_mod_order(&bytes)
            });
            from_ark(Fq2::new(c0, c1))
        };
        let (a, b) = (canonical(a), canonical(b));
        check_pair(&a, &b);
        check_single(&a);
    }
}
