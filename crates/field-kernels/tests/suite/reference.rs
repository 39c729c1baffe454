//! The CPU reference against three independent implementations: num-bigint, arkworks
//! and blst. Under Miri, which runs no C, without blst, and on fewer elements.

use ark_bls12_381::{Fq, FqConfig};
use ark_ff::{BigInt, MontConfig as _};
use field_kernels::{LIMBS, MODULUS, edge, reference};
use num_bigint::BigUint;
use proptest::prelude::*;

type Element = [u64; LIMBS];

/// Miri takes a thousand times as long: every seventh edge element, few cases.
const STEP: usize = if cfg!(miri) { 7 } else { 1 };

fn config() -> ProptestConfig {
    match cfg!(miri) {
        // It keeps the file system away too.
        true => ProptestConfig {
            cases: 8,
            failure_persistence: None,
            ..ProptestConfig::default()
        },
        false => ProptestConfig::default(),
    }
}

fn to_big(limbs: &Element) -> BigUint {
    let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

fn from_big(value: &BigUint) -> Element {
    let mut limbs = [0; LIMBS];
    for (limb, digit) in limbs.iter_mut().zip(value.iter_u64_digits()) {
        *limb = digit;
    }
    assert_eq!(to_big(&limbs), *value, "does not fit 384 bits");
    limbs
}

fn modulus() -> BigUint {
    to_big(&MODULUS)
}

/// Any 384-bit value, with limbs at the edges of words as often as others.
fn any_limbs() -> impl Strategy<Value = Element> {
    let limb = prop_oneof![
        any::<u64>(),
        prop::sample::select(vec![
            0,
            1,
            0xffff_ffff,
            0x1_0000_0000,
            u64::MAX - 1,
            u64::MAX
        ]),
    ];
    prop::array::uniform6(limb)
}

fn canonical() -> impl Strategy<Value = Element> {
    any_limbs().prop_map(|limbs| from_big(&(to_big(&limbs) % modulus())))
}

/// arkworks on the raw limbs, taken as Montgomery form: on addition and subtraction
/// both forms are the same function.
fn with_arkworks(a: &Element, b: &Element, operation: impl FnOnce(Fq, Fq) -> Fq) -> Element {
    let raw = |limbs: &Element| Fq::new_unchecked(BigInt::new(*limbs));
    operation(raw(a), raw(b)).0.0
}

#[cfg(not(miri))]
fn with_blst(
    a: &Element,
    b: &Element,
    operation: unsafe extern "C" fn(*mut blst::blst_fp, *const blst::blst_fp, *const blst::blst_fp),
) -> Element {
    let (a, b) = (blst::blst_fp { l: *a }, blst::blst_fp { l: *b });
    let mut result = blst::blst_fp::default();
    // SAFETY: the three pointers come from live values of the type that the operation
    // takes, and the one it writes through from an exclusive borrow.
    unsafe { operation(&raw mut result, &raw const a, &raw const b) };
    result.l
}

/// Canonical operands, against all three.
fn check_canonical(a: &Element, b: &Element) {
    let p = modulus();
    let sum = reference::add(a, b);
    assert_eq!(
        to_big(&sum),
        (to_big(a) + to_big(b)) % &p,
        "{a:x?} + {b:x?}"
    );
    assert_eq!(sum, with_arkworks(a, b, |a, b| a + b), "{a:x?} + {b:x?}");
    #[cfg(not(miri))]
    assert_eq!(sum, with_blst(a, b, blst::blst_fp_add), "{a:x?} + {b:x?}");

    let difference = reference::sub(a, b);
    let expected = (to_big(a) + &p - to_big(b)) % &p;
    assert_eq!(to_big(&difference), expected, "{a:x?} - {b:x?}");
    assert_eq!(
        difference,
        with_arkworks(a, b, |a, b| a - b),
        "{a:x?} - {b:x?}"
    );
    #[cfg(not(miri))]
    assert_eq!(
        difference,
        with_blst(a, b, blst::blst_fp_sub),
        "{a:x?} - {b:x?}"
    );
}

#[test]
fn the_modulus_is_that_of_arkworks() {
    assert_eq!(FqConfig::MODULUS.0, MODULUS);
}

#[cfg(not(miri))]
#[test]
fn the_modulus_is_that_of_blst() {
    // p itself is no element, but 0 - 1 is p - 1.
    let minus_one = with_blst(&[0; LIMBS], &[1, 0, 0, 0, 0, 0], blst::blst_fp_sub);
    assert_eq!(to_big(&minus_one) + 1u32, modulus());
}

#[test]
fn the_modulus_is_the_published_one() {
    let published = b"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf\
                      6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    assert_eq!(BigUint::parse_bytes(published, 16), Some(modulus()));
}

#[test]
fn all_pairs_of_edge_elements() {
    let elements = edge::edge_elements();
    for a in elements.iter().step_by(STEP) {
        for b in elements.iter().step_by(STEP) {
            check_canonical(a, b);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_canonical_pairs(a in canonical(), b in canonical()) {
        check_canonical(&a, &b);
    }

    #[test]
    fn canonical_means_below_the_modulus(x in any_limbs()) {
        prop_assert_eq!(reference::is_canonical(&x), to_big(&x) < modulus());
    }

    /// What the documentation says of operands that are not canonical.
    #[test]
    fn any_limbs_do_what_is_documented(a in any_limbs(), b in any_limbs()) {
        let p = modulus();
        let two_384 = BigUint::from(1u32) << 384;
        let (big_a, big_b) = (to_big(&a), to_big(&b));

        let sum = (&big_a + &big_b) % &two_384;
        let expected = if sum >= p { sum - &p } else { sum };
        prop_assert_eq!(to_big(&reference::add(&a, &b)), expected);

        let expected = if big_a < big_b {
            (&big_a + &two_384 - &big_b + &p) % &two_384
        } else {
            &big_a - &big_b
        };
        prop_assert_eq!(to_big(&reference::sub(&a, &b)), expected);
    }
}
