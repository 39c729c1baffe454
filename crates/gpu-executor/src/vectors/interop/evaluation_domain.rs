//! `ark_poly::EvaluationDomain` with its transforms on an engine.

use std::any::TypeId;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use ark_bls12_381::Fr as ArkFr;
use ark_poly::domain::DomainCoeff;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_serialize::{
    CanonicalDeserialize, CanonicalSerialize, Compress, Read, SerializationError, Valid, Validate,
    Write,
};

use crate::vectors::elements::{as_bytes, room_for};
use crate::vectors::{Domain, Element as _, Transform, VectorEngine};
use crate::{Error, Result};

type ArkDomain = Radix2EvaluationDomain<ArkFr>;

/// Which engine an [`EngineDomain`] transforms on, and what is done where it cannot: methods of
/// `EvaluationDomain` take no engine, return no error, and a domain is made from a number
/// alone, so that a type says both.
pub trait DomainEngine: Copy + Eq + Hash + fmt::Debug + Send + Sync + 'static {
    /// The engine: mostly a clone of one that a static holds.
    ///
    /// # Errors
    /// Why there is none; [`Self::failed`] gets it.
    fn engine() -> Result<VectorEngine>;

    /// Told of every transform that the engine did not compute, by the thread that asked for
    /// it. It may panic or end the process. Where it returns, ark-poly computes that
    /// transform, on the CPU: the result is right, and later than it should be.
    fn failed(error: Error);
}

/// `ark_poly::Radix2EvaluationDomain<Fr>` with its transforms on an engine, for code that is
/// generic over an `ark_poly::EvaluationDomain<Fr>`.
///
/// Transforms of vectors of `Fr` go up, are computed and come down, whatever their size; small
/// ones are quicker by ark-poly. Everything else is ark-poly's: transforms of other types, such
/// as points of a curve, also.
///
/// ```
/// use std::sync::LazyLock;
///
/// use ark_bls12_381::Fr;
/// use ark_poly::EvaluationDomain;
/// use gpu_executor::vectors::{DomainEngine, EngineDomain, VectorEngine};
/// use gpu_executor::{Error, Result};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
/// struct Prover;
///
/// // Or VectorEngine::new for a Vulkan device.
/// static ENGINE: LazyLock<Result<VectorEngine>> = LazyLock::new(VectorEngine::cpu);
///
/// impl DomainEngine for Prover {
///     fn engine() -> Result<VectorEngine> {
///         ENGINE.clone()
///     }
///
///     fn failed(error: Error) {
///         eprintln!("a transform goes to the CPU: {error}");
///     }
/// }
///
/// /// x^2 of the coefficients' polynomial, by any domain.
/// fn square<D: EvaluationDomain<Fr>>(x: &[Fr]) -> Option<Vec<Fr>> {
///     let domain = D::new(2 * x.len())?;
///     let squares: Vec<Fr> = domain.fft(x).iter().map(|x| x * x).collect();
///     Some(domain.ifft(&squares))
/// }
///
/// let x: Vec<Fr> = (1..=1000_u64).map(Fr::from).collect();
/// let expected = square::<ark_poly::Radix2EvaluationDomain<Fr>>(&x);
/// assert_eq!(square::<EngineDomain<Prover>>(&x), expected);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EngineDomain<E>(ArkDomain, PhantomData<E>);

impl<E: DomainEngine> EngineDomain<E> {
    /// The same domain, as ark-poly's type.
    #[must_use]
    pub fn to_ark(self) -> ArkDomain {
        self.0
    }

    fn of(domain: ArkDomain) -> Self {
        Self(domain, PhantomData)
    }

    /// Transforms on the engine, and says whether it did; if not, `values` is as before.
    fn transformed<T: DomainCoeff<ArkFr>>(&self, values: &mut Vec<T>, inverse: bool) -> bool {
        // The type is that of `Fr` itself, or has nothing to do with it: `Fr` has no lifetimes.
        if typeid::of::<T>() != TypeId::of::<ArkFr>() {
            return false;
        }
        let places = std::ptr::from_mut(values).cast::<Vec<ArkFr>>();
        // SAFETY: `T` is `ArkFr`, as its id says, so this is the same type of vector, under the
        // same exclusive borrow, which is not used while this one is.
        let values = unsafe { &mut *places };
        values.resize(self.size(), ArkFr::default());
        match self.on_engine(values, inverse) {
            Ok(transformed) => *values = transformed,
            Err(error) => {
                E::failed(error);
                return false;
            }
        }
        true
    }

    fn on_engine(&self, values: &[ArkFr], inverse: bool) -> Result<Vec<ArkFr>> {
        let domain = Domain::new(self.size())?.coset(self.0.offset.to_limbs())?;
        let transform = match inverse {
            false => Transform::forward(&domain),
            true => Transform::inverse(&domain),
        };
        let engine = E::engine()?;
        if let Some(come_down) = engine.begin_transform(values, &transform)? {
            let mut out = room_for(values.len(), || "a transform".to_owned())?;
            come_down(as_bytes(&mut out.spare_capacity_mut()[..values.len()]))?;
            // SAFETY: all limbs of these places are written (contract of `ComeDown`), and any
            // limbs are a value (`FlatLimbs`).
            unsafe { out.set_len(values.len()) };
            return Ok(out);
        }
        let mut vector = engine.upload(values)?;
        let queue = engine.queue();
        queue.transform_assign(&mut vector, &transform)?;
        // Nobody waits: the download does, and reports what became of it.
        let _pending = queue.submit()?;
        vector.download()
    }
}

/// Methods without arguments, by those of the same name.
macro_rules! by_ark_poly {
    ($($name:ident: $type:ty),+) => {
        $(fn $name(&self) -> $type {
            self.0.$name()
        })+
    };
}

impl<E: DomainEngine> EvaluationDomain<ArkFr> for EngineDomain<E> {
    type Elements = <ArkDomain as EvaluationDomain<ArkFr>>::Elements;

    fn new(num_coeffs: usize) -> Option<Self> {
        ArkDomain::new(num_coeffs).map(Self::of)
    }

    fn get_coset(&self, offset: ArkFr) -> Option<Self> {
        self.0.get_coset(offset).map(Self::of)
    }

    fn compute_size_of_domain(num_coeffs: usize) -> Option<usize> {
        ArkDomain::compute_size_of_domain(num_coeffs)
    }

    by_ark_poly! {
        size: usize,
        log_size_of_group: u64,
        size_inv: ArkFr,
        group_gen: ArkFr,
        group_gen_inv: ArkFr,
        coset_offset: ArkFr,
        coset_offset_inv: ArkFr,
        coset_offset_pow_size: ArkFr,
        elements: Self::Elements
    }

    fn fft_in_place<T: DomainCoeff<ArkFr>>(&self, coeffs: &mut Vec<T>) {
        if !self.transformed(coeffs, false) {
            self.0.fft_in_place(coeffs);
        }
    }

    fn ifft_in_place<T: DomainCoeff<ArkFr>>(&self, evals: &mut Vec<T>) {
        if !self.transformed(evals, true) {
            self.0.ifft_in_place(evals);
        }
    }
}

impl<E: DomainEngine> CanonicalSerialize for EngineDomain<E> {
    fn serialize_with_mode<W: Write>(
        &self,
        writer: W,
        compress: Compress,
    ) -> Result<(), SerializationError> {
        self.0.serialize_with_mode(writer, compress)
    }

    fn serialized_size(&self, compress: Compress) -> usize {
        self.0.serialized_size(compress)
    }
}

impl<E: DomainEngine> Valid for EngineDomain<E> {
    /// Whether it is what its size and offset make of it.
    fn check(&self) -> Result<(), SerializationError> {
        let size = usize::try_from(self.0.size).ok();
        let made = size.and_then(|size| ArkDomain::new_coset(size, self.0.offset));
        match made == Some(self.0) {
            true => Ok(()),
            false => Err(SerializationError::InvalidData),
        }
    }
}

impl<E: DomainEngine> CanonicalDeserialize for EngineDomain<E> {
    /// Always checked: the engine goes by size and offset alone.
    fn deserialize_with_mode<R: Read>(
        reader: R,
        compress: Compress,
        validate: Validate,
    ) -> Result<Self, SerializationError> {
        let domain = ArkDomain::deserialize_with_mode(reader, compress, validate).map(Self::of)?;
        domain.check()?;
        Ok(domain)
    }
}
