//! Points of the curve against arkworks and blst: infinity, equal and opposite ones, those
//! outside of the subgroup, random ones, all with one another.

use ark_bls12_381::Fr;
use ark_ec::models::short_weierstrass::{Projective, SWCurveConfig};
use ark_ec::{AffineRepr as _, PrimeGroup as _};
use field_kernels::curve::{self, Coordinate, G1, G2, Xyzz};
use field_kernels::{ElementType as _, FR_MODULUS, Fp, arithmetic};
use proptest::prelude::*;

use crate::ark::{CurveOracle, Oracle as _, from_ark, of_the_curve, to_ark};

/// Miri takes a thousand times as long, and runs no C: few points, without blst.
const SOME: usize = if cfg!(miri) { 3 } else { usize::MAX };

/// A curve that blst computes on too.
trait Oracle: CurveOracle {
    /// Whether it is on the curve, and in the subgroup, by blst.
    #[cfg(not(miri))]
    fn by_blst(point: &Self::Limbs) -> [bool; 2];
}

impl Oracle for G1 {
    #[cfg(not(miri))]
    fn by_blst(point: &Self::Limbs) -> [bool; 2] {
        let [x, y] = curve::coordinates::<Self>(point).map(|l| blst::blst_fp { l });
        let point = blst::blst_p1_affine { x, y };
        // SAFETY: both read one point, a live value.
        [blst::blst_p1_affine_on_curve, blst::blst_p1_affine_in_g1]
            .map(|it| unsafe { it(&raw const point) })
    }
}

impl Oracle for G2 {
    #[cfg(not(miri))]
    fn by_blst(point: &Self::Limbs) -> [bool; 2] {
        let coordinates = curve::coordinates::<Self>(point);
        let [x, y] = coordinates.map(|it| crate::oracles::blst_fp2(&it));
        let point = blst::blst_p2_affine { x, y };
        // SAFETY: both read one point, a live value.
        [blst::blst_p2_affine_on_curve, blst::blst_p2_affine_in_g2]
            .map(|it| unsafe { it(&raw const point) })
    }
}

/// Infinity, the generator, small multiples and their opposites, twice z times it, points
/// outside of the subgroup.
fn points<C: Oracle>() -> Vec<C::Limbs> {
    let generator = Projective::<C::Config>::generator();
    let multiples = [0, 1, -1, 2, -2, 3, 0xd201_0000_0001_0000_i128, -5];
    let multiples = multiples.map(|it| from_ark::<C>(generator * Fr::from(it)));
    multiples
        .into_iter()
        .chain(of_the_curve::<C>().take(3))
        .take(SOME)
        .collect()
}

/// The same point over several ZZ and ZZZ.
fn representations<C: Oracle>(point: &C::Limbs) -> [Xyzz<C>; 2] {
    let plain = Xyzz::from_affine(point);
    let detour = from_ark::<C>(Projective::<C::Config>::generator() * Fr::from(77_u64));
    let opposite = curve::opposite::<C>(&detour);
    let scaled = plain.add_affine(&detour).add_affine(&opposite);
    assert!(curve::is_infinity::<C>(point) || scaled.zz != plain.zz);
    [plain, scaled]
}

fn check_pair<C: Oracle>(a: &C::Limbs, b: &C::Limbs) {
    let sum = from_ark::<C>(to_ark::<C>(a) + to_ark::<C>(b));
    for x in representations::<C>(a) {
        assert_eq!(x.add_affine(b).to_affine(), sum, "{a:x?}, {b:x?}");
        for y in representations::<C>(b) {
            assert_eq!(x.add(&y).to_affine(), sum, "{a:x?}, {b:x?}");
            assert_eq!(x == y, a == b, "{a:x?}, {b:x?}");
        }
    }
}

fn check_single<C: Oracle>(point: &C::Limbs) {
    let ark = to_ark::<C>(point);
    for x in representations::<C>(point) {
        assert_eq!(x.to_affine(), *point);
        assert_eq!(x.neg().to_affine(), from_ark::<C>(-ark));
        assert_eq!(x.double().to_affine(), from_ark::<C>(ark + ark));
        assert_eq!(x.is_infinity(), ark.is_zero());
        let words = x.to_words();
        assert_eq!(words.len(), Xyzz::<C>::LIMBS);
        assert_eq!(Xyzz::from_words(&words), Some(x));
        assert_eq!(Xyzz::<C>::from_words(&words[1..]), None);
    }
    assert_eq!(curve::opposite::<C>(point), from_ark::<C>(-ark));
    check_membership::<C>(
        point,
        [
            true,
            C::Config::is_in_correct_subgroup_assuming_on_curve(&ark),
        ],
    );
}

/// x times the cube root is the product by -z^2.
fn check_image<C: Oracle>(point: &C::Limbs) {
    let mut image = *point;
    let (x, _) = image.as_mut().split_at_mut(C::Field::LIMBS);
    for coefficient in x.as_chunks_mut().0 {
        *coefficient = arithmetic::mul::<Fp>(coefficient, &C::CUBE_ROOT);
    }
    let words = curve::Z_SQUARED.to_le_bytes();
    let z_squared: Vec<_> = words
        .as_chunks()
        .0
        .iter()
        .map(|it| u64::from_le_bytes(*it))
        .collect();
    let product = Xyzz::<C>::from_affine(point).mul(&z_squared);
    assert_eq!(product.to_affine(), curve::opposite::<C>(&image));
}

fn check_membership<C: Oracle>(point: &C::Limbs, expected: [bool; 2]) {
    let on_curve = curve::is_on_curve::<C>(point);
    let in_subgroup = on_curve && curve::is_in_subgroup::<C>(point);
    assert_eq!([on_curve, in_subgroup], expected, "{point:x?}");
    if in_subgroup {
        check_image::<C>(point);
    }
    #[cfg(not(miri))]
    {
        let [on_curve, in_subgroup] = C::by_blst(point);
        assert_eq!([on_curve, on_curve && in_subgroup], expected, "{point:x?}");
    }
}

fn check_product<C: Oracle>(point: &C::Limbs, scalar: &[u64]) {
    let expected = to_ark::<C>(point).mul_bigint(scalar);
    for x in representations::<C>(point) {
        assert_eq!(
            x.mul(scalar).to_affine(),
            from_ark::<C>(expected),
            "{scalar:x?}"
        );
    }
}

fn all_pairs<C: Oracle>() {
    let points = points::<C>();
    for a in &points {
        check_single::<C>(a);
        for b in &points {
            check_pair::<C>(a, b);
        }
    }
}

#[test]
fn all_pairs_of_points() {
    all_pairs::<G1>();
    all_pairs::<G2>();
}

fn products<C: Oracle>() {
    let [mut below, order, mut above] = [FR_MODULUS; 3];
    below[0] -= 1;
    above[0] += 1;
    let powers = [0, 1, 63, 64, 127, 254].map(|bit| {
        let mut power = [0; 4];
        power[bit / 64] = 1 << (bit % 64);
        power
    });
    let mut scalars = vec![vec![], vec![0], vec![3], vec![u64::MAX; 7]];
    scalars.extend([below, order, above, [0; 4]].map(Vec::from));
    scalars.extend(powers.map(Vec::from));
    for point in points::<C>() {
        for scalar in scalars.iter().take(SOME) {
            check_product::<C>(&point, scalar);
        }
    }
}

#[test]
fn products_by_integers_of_any_length() {
    products::<G1>();
    products::<G2>();
}

fn constants<C: Oracle>() {
    assert_eq!(C::Field::ark_of(&C::B), C::Config::COEFF_B);
    assert_eq!(to_ark::<C>(&C::GENERATOR), C::Config::GENERATOR);
    // Of a point of the subgroup the image is what the eigenvalue says.
    let point = from_ark::<C>(C::Config::GENERATOR * Fr::from(5_u64));
    let image = Xyzz::<C>::from_affine(&curve::endomorphism::<C>(&point));
    assert_eq!(
        image,
        Xyzz::from_affine(&point).mul(C::MINUS_EIGENVALUE).neg()
    );
    // It is defined on all of the curve, infinity included.
    for point in points::<C>() {
        assert!(curve::is_on_curve::<C>(&curve::endomorphism::<C>(&point)));
    }
    assert_eq!(
        curve::endomorphism::<C>(&C::Limbs::default()),
        C::Limbs::default()
    );
}

#[test]
fn constants_are_those_of_the_standards() {
    constants::<G1>();
    constants::<G2>();
    assert_eq!(
        (G1::NAME, G1::BYTES, G2::NAME, G2::BYTES),
        ("g1", 96, "g2", 192)
    );
    assert_eq!((G1::LIMBS, G2::LIMBS), (12, 24));
}

fn outside<C: Oracle>() {
    let mut found = [0; 2];
    for point in of_the_curve::<C>().take(10) {
        let ark = to_ark::<C>(&point);
        let in_subgroup = C::Config::is_in_correct_subgroup_assuming_on_curve(&ark);
        found[usize::from(in_subgroup)] += 1;
        check_membership::<C>(&point, [true, in_subgroup]);
        // Times the cofactor it is inside.
        let inside = from_ark::<C>(ark.clear_cofactor());
        check_membership::<C>(&inside, [true, true]);
        // With another y, or another x, it is not on the curve.
        let [x, y] = curve::coordinates::<C>(&point);
        check_membership::<C>(&curve::from_coordinates::<C>(&[y, x]), [false, false]);
        let zero = Coordinate::<C>::default();
        if y != zero && x != zero {
            check_membership::<C>(&curve::from_coordinates::<C>(&[x, zero]), [false, false]);
        }
    }
    assert!(found[0] > 5, "{found:?}");
}

#[test]
fn what_is_outside_of_the_subgroup_is_told_from_what_is_inside() {
    outside::<G1>();
    outside::<G2>();
}

fn batches<C: Oracle>() {
    let all: Vec<C::Limbs> = points::<C>();
    let mut scaled: Vec<Xyzz<C>> = all.iter().flat_map(representations::<C>).collect();
    let each: Vec<C::Limbs> = scaled.iter().map(Xyzz::to_affine).collect();
    assert_eq!(Xyzz::to_affine_all(&scaled), each);
    assert_eq!(Xyzz::<C>::to_affine_all(&[]), []);
    // Infinity alone, first, last and in between.
    let infinity = Xyzz::<C>::default();
    assert_eq!(
        Xyzz::to_affine_all(&[infinity; 2]),
        [C::Limbs::default(); 2]
    );
    scaled.push(infinity);
    assert_eq!(Xyzz::to_affine_all(&scaled)[..each.len()], each);
}

#[test]
fn many_are_made_affine_with_one_inversion() {
    batches::<G1>();
    batches::<G2>();
}

fn random<C: Oracle>(scalars: [[u64; 4]; 2], factor: &[u64]) {
    let generator = Projective::<C::Config>::generator();
    let [a, b] = scalars.map(|it| from_ark::<C>(generator.mul_bigint(it)));
    check_pair::<C>(&a, &b);
    check_single::<C>(&a);
    check_product::<C>(&b, factor);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..crate::arithmetic::config() })]

    #[test]
    fn random_points(scalars in any::<[[u64; 4]; 2]>(), factor in any::<[u64; 5]>()) {
        random::<G1>(scalars, &factor);
        random::<G2>(scalars, &factor);
    }
}
