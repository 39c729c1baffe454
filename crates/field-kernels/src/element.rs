//! Types of elements: what they are in memory, and what they are known by.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::{Fp, Fr, PrimeField};

/// A type of elements: so many limbs, which are one or several coordinates in a prime
/// field.
pub trait ElementType: sealed::Sealed + Copy + Send + Sync + fmt::Debug + 'static {
    /// The same as a value.
    const ID: ElementId;
    /// 64-bit limbs in an element.
    const LIMBS: usize = Self::ID.limbs();
    /// Bytes in an element.
    const BYTES: usize = Self::ID.bytes();
    /// Its short name, in lower case: `fp`, `fr`. Names of files and modules are made
    /// from it.
    const NAME: &'static str = Self::ID.name();

    /// The field of its coordinates; of a prime field itself.
    type Base: PrimeField;

    /// An element's limbs, coordinate after coordinate, of each the least significant
    /// first: `[u64; 6]`, `[u64; 4]`. The default is zero.
    type Limbs: Copy
        + Default
        + Eq
        + fmt::Debug
        + Send
        + Sync
        + AsRef<[u64]>
        + AsMut<[u64]>
        + 'static;

    /// Flat limbs as elements.
    ///
    /// # Errors
    /// For limbs that are no whole number of elements.
    fn elements(words: &[u64]) -> Result<&[Self::Limbs], PartialElement>;

    /// As [`Self::elements`], to be written.
    ///
    /// # Errors
    /// As [`Self::elements`].
    fn elements_mut(words: &mut [u64]) -> Result<&mut [Self::Limbs], PartialElement>;

    /// Elements as flat limbs.
    fn words(elements: &[Self::Limbs]) -> &[u64];
}

/// Which type of elements, as a value. New ones may come at any time: what differs from
/// one to the other is asked of it.
#[derive(Clone, Copy)]
pub struct ElementId(&'static Info);

/// What is known of a type of elements.
pub(crate) struct Info {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Of the field of its coordinates.
    pub(crate) modulus: &'static [u64],
    pub(crate) coordinates: usize,
    /// The field of its coordinates, where that is another type.
    pub(crate) base: Option<&'static Info>,
    /// Its place in [`PRIME_FIELDS`], or that of its base.
    pub(crate) prime: usize,
}

/// The prime fields, in the order of [`ElementId::prime`].
pub const PRIME_FIELDS: [ElementId; 2] = [Fp::ID, Fr::ID];

impl ElementId {
    pub(crate) const fn new(info: &'static Info) -> Self {
        Self(info)
    }

    pub(crate) const fn info(self) -> &'static Info {
        self.0
    }

    /// [`ElementType::NAME`]: `fp`, `fr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Its name as the type has it: `Fp`, `Fr`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.0.title
    }

    /// [`ElementType::LIMBS`]: 64-bit limbs in an element.
    #[must_use]
    pub const fn limbs(self) -> usize {
        self.0.coordinates * self.0.modulus.len()
    }

    /// [`ElementType::BYTES`]: bytes in an element.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.limbs() * size_of::<u64>()
    }

    /// Coordinates of an element; 1 of a prime field.
    #[must_use]
    pub const fn coordinates(self) -> usize {
        self.0.coordinates
    }

    /// The modulus p that each coordinate is below.
    #[must_use]
    pub const fn modulus(self) -> &'static [u64] {
        self.0.modulus
    }

    /// The prime field of the coordinates.
    #[must_use]
    pub const fn base(self) -> Self {
        match self.0.base {
            Some(base) => Self(base),
            None => self,
        }
    }

    /// The place of [`Self::base`] in [`PRIME_FIELDS`].
    #[must_use]
    pub const fn prime(self) -> usize {
        self.0.prime
    }
}

// A name stands for one type.
impl PartialEq for ElementId {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for ElementId {}

impl PartialOrd for ElementId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ElementId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name().cmp(other.name())
    }
}

impl Hash for ElementId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for ElementId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}

impl fmt::Display for ElementId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Limbs that are no whole number of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialElement {
    /// Limbs of one element.
    pub each: usize,
    /// Limbs found.
    pub found: usize,
}

impl fmt::Display for PartialElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { each, found } = self;
        write!(f, "expected a multiple of {each} limbs, found {found}")
    }
}

impl std::error::Error for PartialElement {}

pub(crate) mod sealed {
    /// What nobody outside this crate can implement.
    pub trait Sealed {}
}

/// Implements [`ElementType`] for `$type`: its short name, coordinates in `$base`, limbs,
/// and `None` where it is its own base.
macro_rules! element_type {
    ($type:ident, $name:literal, $coordinates:literal of $base:ident, $limbs:expr, $other:expr) => {
        impl $crate::element::sealed::Sealed for $type {}

        impl $crate::ElementType for $type {
            const ID: $crate::ElementId = {
                static INFO: $crate::element::Info = $crate::element::Info {
                    name: $name,
                    title: stringify!($type),
                    modulus: &<$base as $crate::PrimeField>::MODULUS,
                    coordinates: $coordinates,
                    base: $other,
                    prime: <$base as $crate::PrimeField>::NUMBER,
                };
                $crate::ElementId::new(&INFO)
            };

            type Base = $base;
            type Limbs = [u64; $limbs];

            fn elements(words: &[u64]) -> Result<&[Self::Limbs], $crate::PartialElement> {
                match words.as_chunks() {
                    (elements, []) => Ok(elements),
                    _ => Err($crate::PartialElement {
                        each: Self::LIMBS,
                        found: words.len(),
                    }),
                }
            }

            fn elements_mut(
                words: &mut [u64],
            ) -> Result<&mut [Self::Limbs], $crate::PartialElement> {
                let found = words.len();
                match words.as_chunks_mut() {
                    (elements, []) => Ok(elements),
                    _ => Err($crate::PartialElement {
                        each: Self::LIMBS,
                        found,
                    }),
                }
            }

            fn words(elements: &[Self::Limbs]) -> &[u64] {
                elements.as_flattened()
            }
        }
    };
}

pub(crate) use element_type;
