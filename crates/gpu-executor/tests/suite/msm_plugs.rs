//! Multi-scalar multiplications of slices of arkworks' and blst's types, in the place of
//! theirs, on both engines.
#![cfg(all(feature = "arkworks", feature = "blst"))]

use ark_bls12_381::{Fr as ArkFr, g1, g2};
use ark_ec::VariableBaseMSM as _;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{BigInt, PrimeField as _};
use blst::{MultiPoint, blst_p1_affine, blst_p2_affine};
use gpu_executor::vectors::{BlstPoint, Element, G1, G2, VectorEngine};
use gpu_executor::{Error, Refused};

use crate::curves::{CurveOracle, points, to_ark};
use crate::engines::{on_both_engines, refused};
use crate::msm::random_scalars;

on_both_engines! {
    in_the_place_of_arkworks<G1, G2>
    in_the_place_of_blst
    what_they_cannot_take_is_refused
}

const LENGTHS: [usize; 6] = [0, 1, 2, 3, 33, 200];

fn in_the_place_of_arkworks<C: CurveOracle>(engine: &VectorEngine)
where
    Affine<C::Config>: Element<Type = C>,
{
    for count in LENGTHS {
        let bases: Vec<_> = points::<C>(count, 4).iter().map(to_ark::<C>).collect();
        let scalars = random_scalars(count, 5);
        let expected = Projective::<C::Config>::msm(&bases, &scalars).unwrap();
        assert_eq!(engine.ark_msm(&bases, &scalars).unwrap(), expected);
        let integers: Vec<_> = scalars.iter().map(|it| it.into_bigint()).collect();
        let found = engine.ark_msm_bigint(&bases, &integers).unwrap();
        assert_eq!(found, expected);
        // The longer one is cut.
        for (bases, integers) in [
            (&bases[..count / 2], &integers[..]),
            (&bases, &integers[..count / 2]),
        ] {
            let expected = Projective::<C::Config>::msm_bigint(bases, integers);
            assert_eq!(engine.ark_msm_bigint(bases, integers).unwrap(), expected);
        }
    }
}

fn in_the_place_of_blst(engine: &VectorEngine) {
    by_blst::<G1, blst_p1_affine>(engine);
    by_blst::<G2, blst_p2_affine>(engine);
}

fn by_blst<C: CurveOracle, P: BlstPoint<Type = C, Sum: PartialEq + std::fmt::Debug>>(
    engine: &VectorEngine,
) where
    [P]: MultiPoint<Output = P::Sum>,
{
    for count in LENGTHS {
        let points: Vec<P> = points::<C>(count, 4)
            .into_iter()
            .map(P::from_limbs)
            .collect();
        // Any bits; what is above those that count is not looked at.
        let bytes: Vec<u8> = (7..=254_u8).cycle().step_by(31).take(count * 32).collect();
        for bits in [0, 1, 7, 8, 31, 64, 128, 255] {
            // blst's own wants a point, and a bit.
            if count == 0 || bits == 0 {
                let found = engine.blst_msm(&points, &bytes, bits).unwrap();
                let infinity = P::from_limbs(Default::default()).to_sum();
                assert_eq!(found, infinity);
                continue;
            }
            let found = engine.blst_msm(&points, &bytes, bits).unwrap();
            let expected = masked(&bytes, bits, count);
            let expected = points.as_slice().mult(&expected, bits);
            assert_eq!(found, expected, "{count} points, {bits} bits");
        }
        // Above the order of the subgroup.
        let ones = vec![0xff; 32 * count];
        let found = engine.blst_msm(&points, &ones, 256).unwrap();
        let all_ones = ArkFr::from_le_bytes_mod_order(&[0xff; 32]);
        let bases: Vec<_> = points
            .iter()
            .map(|it| to_ark::<C>(&it.to_limbs()))
            .collect();
        let expected = Projective::<C::Config>::msm(&bases, &vec![all_ones; count]).unwrap();
        let expected = crate::curves::from_ark::<C>(expected);
        assert_eq!(found, P::from_limbs(expected).to_sum());
    }
}

/// Scalars without what is above their bits.
fn masked(bytes: &[u8], bits: usize, count: usize) -> Vec<u8> {
    let each = bits.div_ceil(8);
    let mut bytes = bytes[..each * count].to_vec();
    if !bits.is_multiple_of(8) {
        for last in bytes.iter_mut().skip(each - 1).step_by(each) {
            *last &= (1 << (bits % 8)) - 1;
        }
    }
    bytes
}

fn what_they_cannot_take_is_refused(engine: &VectorEngine) {
    let bases: Vec<_> = points::<G1>(3, 4).iter().map(to_ark::<G1>).collect();
    refused!(engine.ark_msm::<g1::Config>(&bases, &random_scalars(2, 5))
        => Error::UnequalVectors { left: 3, right: 2, .. });
    let modulus = BigInt(field_kernels::FR_MODULUS);
    let one = BigInt([1, 0, 0, 0]);
    refused!(engine.ark_msm_bigint(&bases, &[one, modulus, one])
        => Error::NotCanonical(Refused { element: 1, .. }));
    let none: [Affine<g2::Config>; 0] = [];
    assert_eq!(engine.ark_msm(&none, &[]).unwrap(), Projective::default());
    let points = [blst_p1_affine::default(); 3];
    refused!(engine.blst_msm(&points, &[0; 23], 64) => Error::InvalidLength { found: 23, .. });
    refused!(engine.blst_msm(&points, &[0; 99], 257) => Error::WrongNumber { found: 257, .. });
}
