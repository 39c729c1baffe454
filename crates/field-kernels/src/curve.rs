//! Points of the curve y<sup>2</sup> = x<sup>3</sup> + b, and their arithmetic on the CPU.
//!
//! A point is *affine*, x and then y, or infinity, whose limbs are all zero: (0, 0) is on
//! neither curve. Coordinates are in Montgomery form. So points lie in memory as
//! `blst_p1_affine` and `blst_p2_affine` do. Sums of many are taken in [`Xyzz`], which needs
//! no inversion.
//!
//! ```
//! use field_kernels::curve::{self, Xyzz};
//! use field_kernels::{Curve, G1};
//!
//! let generator = Xyzz::<G1>::from_affine(&G1::GENERATOR);
//! let three = generator.double().add_affine(&G1::GENERATOR);
//! assert_eq!(three, generator.mul(&[3]));
//! assert!(curve::is_in_subgroup::<G1>(&three.to_affine()));
//! ```
//!
//! Not constant-time.

mod xyzz;

use crate::arithmetic::{add, conjugate, mul, neg, square};
use crate::element::element_type;
use crate::{ElementType, Field, Fp, Fp2, LIMBS, PrimeField as _, params};

pub use xyzz::Xyzz;

/// A curve, as the type of its affine points: [`G1`] or [`G2`].
///
/// Its points of order r, the modulus of [`Fr`](crate::Fr), and infinity are the *subgroup*
/// that is computed in. Those of other orders are points of the curve as well.
pub trait Curve: ElementType<Base = Fp> + Default {
    /// The field of x and y.
    type Field: Field<Base = Fp>;

    /// b of the curve's equation.
    const B: Coordinate<Self>;

    /// The generator of the subgroup that the standards name.
    const GENERATOR: Self::Limbs;

    /// m such that the [`endomorphism`] is the product by -m for the points of the subgroup,
    /// and for no others; little-endian limbs. m is
    /// |z|<sup>2</sup> of G1 and |z| of G2, with z = -0xd201000000010000, from which all
    /// else of BLS12-381 follows.
    const MINUS_EIGENVALUE: &[u64];

    /// What the conjugates of x and of y are multiplied by in the endomorphism: of G1 a cube
    /// root of unity and 1; of G2 what makes it the Frobenius map of the curve that G2 is the
    /// twist of.
    const ENDOMORPHISM: [Coordinate<Self>; 2];

    /// The cube root of unity by which x is multiplied for the product of a point of the
    /// subgroup by -z<sup>2</sup>; y stays. Of G1 that is the endomorphism above.
    const CUBE_ROOT: [u64; LIMBS];
}

/// z<sup>2</sup>: a scalar is k0 + k1 z<sup>2</sup> of two integers of 128 bits at most.
pub const Z_SQUARED: u128 = 0xac45_a401_0001_a402_0000_0001_0000_0000;

/// A coordinate of a point.
pub type Coordinate<C> = <<C as Curve>::Field as ElementType>::Limbs;

/// Points over [`Fp`] with b = 4: 12 limbs, 96 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct G1;

/// Points over [`Fp2`] with b = 4 (1 + u): 24 limbs, 192 bytes; x.c0, x.c1, y.c0, y.c1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct G2;

element_type!(G1, "g1", 2 of Fp, 2 * LIMBS, Some(Fp::ID.info()));
element_type!(G2, "g2", 4 of Fp, 4 * LIMBS, Some(Fp::ID.info()));

/// Whether it is the point at infinity.
#[inline]
#[must_use]
pub fn is_infinity<C: Curve>(point: &C::Limbs) -> bool {
    *point == C::Limbs::default()
}

/// x and y.
#[inline]
#[must_use]
pub fn coordinates<C: Curve>(point: &C::Limbs) -> [Coordinate<C>; 2] {
    let mut coordinates = [Coordinate::<C>::default(); 2];
    let halves = point.as_ref().chunks_exact(C::Field::LIMBS);
    for (coordinate, half) in coordinates.iter_mut().zip(halves) {
        coordinate.as_mut().copy_from_slice(half);
    }
    coordinates
}

/// The point with these x and y.
#[inline]
#[must_use]
pub fn from_coordinates<C: Curve>(coordinates: &[Coordinate<C>; 2]) -> C::Limbs {
    let mut point = C::Limbs::default();
    let halves = point.as_mut().chunks_exact_mut(C::Field::LIMBS);
    for (coordinate, half) in coordinates.iter().zip(halves) {
        half.copy_from_slice(coordinate.as_ref());
    }
    point
}

/// The opposite point.
#[inline]
#[must_use]
pub fn opposite<C: Curve>(point: &C::Limbs) -> C::Limbs {
    let [x, y] = coordinates::<C>(point);
    from_coordinates::<C>(&[x, neg::<C::Field>(&y)])
}

/// The image of a point under an endomorphism of the curve: both coordinates' conjugates,
/// times the factors of [`Curve::ENDOMORPHISM`].
#[inline]
#[must_use]
pub fn endomorphism<C: Curve>(point: &C::Limbs) -> C::Limbs {
    let [x, y] = coordinates::<C>(point).map(|it| conjugate::<C::Field>(&it));
    let [of_x, of_y] = &C::ENDOMORPHISM;
    from_coordinates::<C>(&[mul::<C::Field>(&x, of_x), mul::<C::Field>(&y, of_y)])
}

/// Whether it is a point of the curve, infinity included.
#[must_use]
pub fn is_on_curve<C: Curve>(point: &C::Limbs) -> bool {
    let [x, y] = coordinates::<C>(point);
    let cube = mul::<C::Field>(&square::<C::Field>(&x), &x);
    let right = add::<C::Field>(&cube, &C::B);
    is_infinity::<C>(point) || square::<C::Field>(&y) == right
}

/// Whether a point of the curve is in the subgroup, infinity included: by the
/// endomorphism, in half or a quarter of the doublings that the order would take
/// ([Scott 2021](https://eprint.iacr.org/2021/1130)). Of what is not on the curve the
/// answer means nothing.
#[must_use]
pub fn is_in_subgroup<C: Curve>(point: &C::Limbs) -> bool {
    let product = Xyzz::<C>::from_affine(point).mul(C::MINUS_EIGENVALUE);
    let image = endomorphism::<C>(point);
    product.add_affine(&image).is_infinity()
}

impl Curve for G1 {
    type Field = Fp;

    const B: [u64; LIMBS] = fp("4");

    const GENERATOR: Self::Limbs = joined([
        fp(
            "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
        ),
        fp(
            "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
        ),
    ]);

    const MINUS_EIGENVALUE: &[u64] = &[0x0000_0001_0000_0000, 0xac45_a401_0001_a402];

    const ENDOMORPHISM: [[u64; LIMBS]; 2] = [BETA, Fp::ONE];

    const CUBE_ROOT: [u64; LIMBS] = BETA;
}

impl Curve for G2 {
    type Field = Fp2;

    const B: [u64; 2 * LIMBS] = joined([fp("4"), fp("4")]);

    const GENERATOR: Self::Limbs = joined([
        fp(
            "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
        ),
        fp(
            "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
        ),
        fp(
            "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
        ),
        fp(
            "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
        ),
    ]);

    const MINUS_EIGENVALUE: &[u64] = &[0xd201_0000_0001_0000];

    const ENDOMORPHISM: [[u64; 2 * LIMBS]; 2] = [PSI_X, PSI_Y];

    const CUBE_ROOT: [u64; LIMBS] = fp(
        "1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaac",
    );
}

/// The cube root of unity by which the endomorphism of G1 has the eigenvalue
/// -z<sup>2</sup>.
const BETA: [u64; LIMBS] =
    fp("5f19672fdf76ce51ba69c6076a0f77eaddb3a93be6f89688de17d813620a00022e01fffffffefffe");

/// (1 + u)<sup>-(p-1)/3</sup>.
const PSI_X: [u64; 2 * LIMBS] = joined([
    fp("0"),
    fp(
        "1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaad",
    ),
]);

/// (1 + u)<sup>-(p-1)/2</sup>.
const PSI_Y: [u64; 2 * LIMBS] = joined([
    fp(
        "135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b04121bdea2",
    ),
    fp(
        "06af0e0437ff400b6831e36d6bd17ffe48395dabc2d3435e77f76e17009241c5ee67992f72ec05f4c81084fbede3cc09",
    ),
]);

/// The element of this value, in hexadecimal digits, in Montgomery form.
const fn fp(digits: &str) -> [u64; LIMBS] {
    let digits = digits.as_bytes();
    let mut value = [0; LIMBS];
    let mut place = 0;
    while place < digits.len() {
        let digit = digits[digits.len() - 1 - place];
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            _ => digit - b'a' + 10,
        };
        value[place / 16] |= (digit as u64) << (4 * (place % 16));
        place += 1;
    }
    params::montgomery(&value, &Fp::MODULUS)
}

/// Coordinates one after the other.
const fn joined<const COUNT: usize, const LENGTH: usize>(
    coordinates: [[u64; LIMBS]; COUNT],
) -> [u64; LENGTH] {
    let mut limbs = [0; LENGTH];
    let mut limb = 0;
    while limb < LENGTH {
        limbs[limb] = coordinates[limb / LIMBS][limb % LIMBS];
        limb += 1;
    }
    limbs
}
