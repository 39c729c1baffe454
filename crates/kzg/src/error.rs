//! What can go wrong.

use gpu_executor::vectors::PointFault;

/// The result of what can fail so.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. Anything but [`Error::Engine`] and [`Error::Cancelled`] is about what the
/// caller passed, for which the specifications ask for a failure.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument has more or fewer bytes than its kind.
    #[error("{what}: expected {expected} bytes, found {found}")]
    WrongLength {
        /// Which.
        what: String,
        /// Bytes of its kind.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// Lists that belong together have different lengths.
    #[error("expected {expected} {what}, one for each of the {of}, found {found}")]
    MismatchLength {
        /// What there are more or fewer of.
        what: &'static str,
        /// What each belongs to.
        of: &'static str,
        /// How many of these.
        expected: usize,
        /// How many of the first.
        found: usize,
    },
    /// A field element is not below the modulus.
    #[error("{what}: expected field elements below the modulus, element {element} is not")]
    NotCanonical {
        /// In which argument.
        what: String,
        /// The first such element.
        element: usize,
    },
    /// A commitment or a proof is no point of the subgroup.
    #[error("{what}: expected a compressed point of the subgroup, found {fault}")]
    InvalidPoint {
        /// Which.
        what: String,
        /// Why not.
        fault: PointFault,
    },
    /// A cell index is out of range.
    #[error("cell index {place}: expected one below 128, found {found}")]
    CellIndex {
        /// Its place in the list.
        place: usize,
        /// The index.
        found: u64,
    },
    /// Cells to recover from are not in ascending order, or one is there twice.
    #[error("cell index {place}: expected one above {before}, the one before it, found {found}")]
    CellOrder {
        /// Its place in the list.
        place: usize,
        /// The index before it.
        before: u64,
        /// The index.
        found: u64,
    },
    /// Too few cells to recover from, or more than there are.
    #[error("expected 64 to 128 cells to recover from, found {found}")]
    NumberOfCells {
        /// How many.
        found: usize,
    },
    /// A trusted setup is not what it should be.
    #[error("the trusted setup: expected {expected}, found {found}")]
    TrustedSetup {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The function that [`Kzg::watched`](crate::Kzg::watched) or
    /// [`Kzg::with_tables_watched`](crate::Kzg::with_tables_watched) was given stopped it.
    #[error("stopped by the caller after {done} of {of}")]
    Cancelled {
        /// Blobs of the batch, or parts of tables, that were done.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] gpu_executor::Error),
}

/// Holds two lists to one length.
pub(crate) fn expect_as_many(
    (of, expected): (&'static str, usize),
    (what, found): (&'static str, usize),
) -> Result<()> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::MismatchLength {
            what,
            of,
            expected,
            found,
        }),
    }
}
