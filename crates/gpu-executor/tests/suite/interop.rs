//! Vectors of the types of arkworks and blst: what they are in memory, and there and
//! back again on the CPU and on the device.
#![cfg(any(feature = "arkworks", feature = "blst"))]

use std::fmt::Debug;

use field_kernels::edge::edge_elements;
use field_kernels::{Curve, ElementType, Field, G1, G2, arithmetic};
use gpu_executor::spirv::PersistentVulkanBackend;
use gpu_executor::vectors::{AsElements, Element, Form, Operand, PointCheck, Scalar, VectorEngine};
use gpu_executor::{Engine, Error};

use crate::engines::{on_both_engines, refused};
use crate::oracle::random;

/// Elements: more than one workgroup, and no multiple of it.
const ELEMENTS: usize = 1000;

/// A type of another library, which computes by itself.
trait Foreign:
    Element<Type: Field> + PartialEq + Into<Scalar<Self::Type>> + Into<Operand<Self::Type>>
{
    /// From plain limbs, by the library's own conversion.
    fn of_plain(limbs: &<Self::Type as ElementType>::Limbs) -> Self;
    /// The library's own product.
    fn product(self, other: Self) -> Self;
    /// The library's own sum.
    fn sum(self, other: Self) -> Self;
}

/// A value is its limbs: the same size and alignment, the same bytes, in slices too,
/// with the numbers that the library says they are.
fn check_layout<T: Foreign>() {
    type Limbs<T> = <<T as Element>::Type as ElementType>::Limbs;
    assert_eq!(size_of::<T>(), size_of::<Limbs<T>>());
    assert_eq!(size_of::<T>(), T::Type::BYTES);
    assert_eq!(align_of::<T>(), align_of::<u64>());
    assert_eq!(T::FORM, Some(Form::Montgomery));
    let mut values = Vec::new();
    let mut expected = Vec::new();
    for plain in edge_elements::<T::Type>() {
        let in_form = arithmetic::to_montgomery::<T::Type>(&plain);
        let value = T::of_plain(&plain);
        assert_eq!(value.to_limbs(), in_form, "{plain:x?}");
        assert_eq!(T::from_limbs(in_form), value, "{plain:x?}");
        // What lies in memory, read through the slice of limbs.
        let single = [value];
        assert_eq!(single.as_limbs(), in_form.as_ref(), "{plain:x?}");
        values.push(value);
        expected.extend_from_slice(in_form.as_ref());
    }
    assert_eq!(values.as_limbs(), expected);
    assert_eq!(values.as_limbs().as_ptr().addr(), values.as_ptr().addr());
    assert_eq!(values[1..].as_limbs(), &expected[T::Type::LIMBS..]);
}

fn values<T: Foreign>(seed: u64) -> Vec<T> {
    let limbs = random::<T::Type>(ELEMENTS, seed);
    limbs.into_iter().map(T::from_limbs).collect()
}

/// Up, computed upon, and down in each of the ways.
fn vectors_of_another_library<T: Foreign + Debug>(engine: &VectorEngine) {
    let (a, b) = (values::<T>(1), values::<T>(2));
    let scalar = b[7];
    let (x, y) = (
        engine.upload(&a).unwrap(),
        engine.upload(b.as_slice()).unwrap(),
    );
    assert_eq!(x.download::<T>().unwrap(), a);

    let queue = engine.queue();
    let z = queue.add(queue.mul(&x, &y).unwrap(), scalar).unwrap();
    let filled = queue.fill(scalar, 3).unwrap();
    let read = queue.read(&filled).unwrap();
    let done = queue.submit().unwrap().wait().unwrap();
    let pairs = a.iter().zip(&b);
    let expected: Vec<T> = pairs.map(|(a, b)| a.product(*b).sum(scalar)).collect();
    assert_eq!(z.download::<T>().unwrap(), expected);
    let read = done.elements(&read).unwrap();
    assert_eq!(
        read.into_iter().map(T::from_limbs).collect::<Vec<_>>(),
        [scalar; 3]
    );

    let mut out = b.clone();
    z.download_into(&mut out).unwrap();
    assert_eq!(out, expected);
    let (left, right) = z.split_at(300).unwrap();
    let (first, second) = out.split_at_mut(300);
    left.download_into(first).unwrap();
    right.download_into(second).unwrap();
    assert_eq!(out, expected);
    let mut one = [scalar];
    z.slice(5..6).unwrap().download_into(&mut one).unwrap();
    assert_eq!(one, [expected[5]]);
    assert_eq!(
        engine
            .upload::<T::Type>(&Vec::<T>::new())
            .unwrap()
            .download::<T>()
            .unwrap(),
        []
    );

    check_refused::<T>(engine, &a);
}

/// What these types cannot hold is refused.
fn check_refused<T: Foreign>(engine: &VectorEngine, a: &[T]) {
    refused!(engine.upload_plain(a)
        => Error::WrongForm { expected: Form::Plain, found: Form::Montgomery, .. });
    let limbs: &[u64] = a.as_limbs();
    let plain = engine.upload_plain::<T::Type>(limbs).unwrap();
    refused!(plain.download::<T>()
        => Error::WrongForm { expected: Form::Montgomery, found: Form::Plain, .. });
    let mut out = a.to_vec();
    refused!(plain.download_into(&mut out)
        => Error::WrongForm { expected: Form::Montgomery, found: Form::Plain, .. });
    assert_eq!(out, a);
    assert_eq!(plain.download::<u64>().unwrap(), limbs);

    let x = engine.upload(a).unwrap();
    refused!(x.download_into(&mut out[1..]) => Error::InvalidLength { .. });
    refused!(engine.upload(&[T::from_limbs(modulus::<T::Type>())]) => Error::NotCanonical(_));
}

/// Not canonical in its last coordinate alone.
fn modulus<E: ElementType>() -> E::Limbs {
    let mut limbs = E::Limbs::default();
    let modulus = E::ID.modulus();
    limbs.as_mut()[E::LIMBS - modulus.len()..].copy_from_slice(modulus);
    limbs
}

/// Points lie in memory as their limbs, infinity as zeros, and go up and down as they are.
fn check_points<T: Element<Type = C> + PartialEq, C: Curve>(generator: T, infinity: T) {
    assert_eq!(size_of::<T>(), C::BYTES);
    assert_eq!(align_of::<T>(), align_of::<u64>());
    assert_eq!(T::FORM, Some(Form::Montgomery));
    let points = [generator, infinity, generator];
    let limbs = [C::GENERATOR, C::Limbs::default(), C::GENERATOR];
    assert_eq!(points.as_limbs(), C::words(&limbs));
    assert_eq!(points.as_limbs().as_ptr().addr(), points.as_ptr().addr());
    for (point, limbs) in points.into_iter().zip(limbs) {
        assert_eq!(point.to_limbs(), limbs);
        assert_eq!(T::from_limbs(limbs), point);
    }
    let engine = VectorEngine::cpu_with_threads(2).unwrap();
    assert_eq!(engine.engine(), Engine::Cpu { threads: 2 });
    let vector = engine.upload_points(&points, PointCheck::Subgroup).unwrap();
    assert_eq!(vector.download::<T>().unwrap(), points);
    let mut two = [infinity; 2];
    vector.slice(..2).unwrap().download_into(&mut two).unwrap();
    assert_eq!(two, points[..2]);
}

#[cfg(feature = "arkworks")]
mod arkworks {
    use super::*;
    use ark_bls12_381::{Fq, Fq2, Fr, G1Affine, G2Affine};
    use ark_ec::AffineRepr as _;
    use ark_ff::{BigInt, PrimeField};

    on_both_engines! {
        [PersistentVulkanBackend::builder()]
        vectors_of_another_library<Fq, Fr, Fq2>
    }

    macro_rules! foreign {
        ($($type:ty: $of_plain:expr),+) => {$(
            impl Foreign for $type {
                fn of_plain(limbs: &<Self::Type as ElementType>::Limbs) -> Self {
                    $of_plain(limbs)
                }

                fn product(self, other: Self) -> Self {
                    self * other
                }

                fn sum(self, other: Self) -> Self {
                    self + other
                }
            }
        )+};
    }

    fn prime<F: PrimeField<BigInt = BigInt<N>>, const N: usize>(limbs: &[u64; N]) -> F {
        F::from_bigint(BigInt(*limbs)).unwrap()
    }

    foreign!(Fq: prime, Fr: prime, Fq2: |limbs: &[u64; 12]| {
        let [c0, c1] = [&limbs[..6], &limbs[6..]].map(|it| prime(it.try_into().unwrap()));
        Fq2::new(c0, c1)
    });

    #[test]
    fn arkworks_elements_are_their_limbs() {
        assert_eq!(std::mem::offset_of!(Fq, 0.0), 0);
        assert_eq!(std::mem::offset_of!(Fr, 0.0), 0);
        check_layout::<Fq>();
        check_layout::<Fr>();
        check_layout::<Fq2>();
    }

    #[test]
    fn arkworks_points_are_their_limbs() {
        check_points::<G1Affine, G1>(G1Affine::generator(), G1Affine::identity());
        check_points::<G2Affine, G2>(G2Affine::generator(), G2Affine::identity());
    }
}

#[cfg(feature = "blst")]
mod blst {
    use super::*;
    use ::blst::{blst_fp, blst_fp2, blst_fr, blst_p1_affine, blst_p2_affine};

    on_both_engines! {
        [PersistentVulkanBackend::builder()]
        vectors_of_another_library<blst_fp, blst_fr, blst_fp2>
    }

    macro_rules! foreign {
        ($type:ident, $product:ident, $sum:ident, $of_plain:expr) => {
            impl Foreign for $type {
                fn of_plain(limbs: &<Self::Type as ElementType>::Limbs) -> Self {
                    $of_plain(limbs)
                }

                fn product(self, other: Self) -> Self {
                    let mut value = Self::default();
                    // SAFETY: reads two values, and writes to one that is exclusively
                    // borrowed.
                    unsafe { ::blst::$product(&raw mut value, &raw const self, &raw const other) };
                    value
                }

                fn sum(self, other: Self) -> Self {
                    let mut value = Self::default();
                    // SAFETY: as above.
                    unsafe { ::blst::$sum(&raw mut value, &raw const self, &raw const other) };
                    value
                }
            }
        };
    }

    macro_rules! from_uint64 {
        ($type:ident, $from:ident) => {
            |limbs: &<<$type as Element>::Type as ElementType>::Limbs| {
                let mut value = $type::default();
                // SAFETY: reads the limbs of an element, and writes to a value that is
                // exclusively borrowed.
                unsafe { ::blst::$from(&raw mut value, limbs.as_ptr()) };
                value
            }
        };
    }

    foreign!(
        blst_fp,
        blst_fp_mul,
        blst_fp_add,
        from_uint64!(blst_fp, blst_fp_from_uint64)
    );
    foreign!(
        blst_fr,
        blst_fr_mul,
        blst_fr_add,
        from_uint64!(blst_fr, blst_fr_from_uint64)
    );
    foreign!(blst_fp2, blst_fp2_mul, blst_fp2_add, |limbs: &[u64; 12]| {
        let coordinates = limbs.as_chunks().0.iter().map(blst_fp::of_plain);
        blst_fp2 {
            fp: coordinates.collect::<Vec<_>>().try_into().unwrap(),
        }
    });

    #[test]
    fn blst_elements_are_their_limbs() {
        assert_eq!(std::mem::offset_of!(blst_fp, l), 0);
        assert_eq!(std::mem::offset_of!(blst_fr, l), 0);
        check_layout::<blst_fp>();
        check_layout::<blst_fr>();
        check_layout::<blst_fp2>();
    }

    #[test]
    fn blst_points_are_their_limbs() {
        // SAFETY: a constant of the library.
        let g1 = unsafe { ::blst::BLS12_381_G1 };
        // SAFETY: as above.
        let g2 = unsafe { ::blst::BLS12_381_G2 };
        check_points::<blst_p1_affine, G1>(g1, blst_p1_affine::default());
        check_points::<blst_p2_affine, G2>(g2, blst_p2_affine::default());
    }
}
