//! EIP-7594: the cells of extended blobs, their proofs, and blobs rebuilt from some cells.

use bytemuck::zeroed_box;
use field_kernels::arithmetic::{bit_reversed, inverse_all, mul, pow, powers, sub};
use field_kernels::{Field as _, Fr, G1};
use gpu_executor::vectors::{Completed, Domain, FieldVec, Order, Queue, Readback, Transform};

use crate::blobs::{canonical_blob, joined};
use crate::error::expect_as_many;
use crate::evaluation;
use crate::kzg::{each, only};
use crate::{
    BYTES_PER_BLOB, CELLS_PER_BLOB, CELLS_PER_EXT_BLOB, Cell, CellsAndProofs, CellsPerExtBlob,
    Error, FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL, FIELD_ELEMENTS_PER_EXT_BLOB, Kzg,
    ProofsPerExtBlob, Result, Scalar, bytes, points,
};

const BYTES_PER_EXT_BLOB: usize = 2 * BYTES_PER_BLOB;

/// Indices of cells in ascending order, and as many cells.
type SomeCells<'a, C> = (&'a [u64], &'a [C]);

impl Kzg {
    /// All cells of a blob.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment`].
    pub fn compute_cells(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<Box<CellsPerExtBlob>> {
        only(self.compute_cells_many(&[blob])?)
    }

    /// All cells of each blob.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment_many`].
    pub fn compute_cells_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<Box<CellsPerExtBlob>>>> {
        self.in_windows(
            blobs,
            canonical_blob,
            |queue, blobs| {
                let rest = extension(queue, &coefficients(queue, blobs)?)?;
                Ok(queue.read_be_bytes(&rest)?)
            },
            |left, rest, blobs| Ok(extended(blobs, left.be_bytes(&rest)?)),
        )
    }

    /// The proofs of all cells of a blob, without the cells.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment`].
    pub fn compute_cell_kzg_proofs(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<Box<ProofsPerExtBlob>> {
        only(self.compute_cell_kzg_proofs_many(&[blob])?)
    }

    /// The proofs of all cells of each blob, without the cells.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment_many`].
    pub fn compute_cell_kzg_proofs_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<Box<ProofsPerExtBlob>>>> {
        self.in_windows(
            blobs,
            canonical_blob,
            |queue, blobs| self.proofs(queue, &coefficients(queue, blobs)?),
            |left, proofs, _| encoded(left, &proofs),
        )
    }

    /// All cells of a blob, and their proofs.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment`].
    pub fn compute_cells_and_kzg_proofs(
        &self,
        blob: &(impl AsRef<[u8]> + Sync + ?Sized),
    ) -> Result<CellsAndProofs> {
        only(self.compute_cells_and_kzg_proofs_many(&[blob])?)
    }

    /// All cells of each blob, and their proofs.
    ///
    /// # Errors
    /// As [`Self::blob_to_kzg_commitment_many`].
    pub fn compute_cells_and_kzg_proofs_many(
        &self,
        blobs: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Vec<Result<CellsAndProofs>>> {
        self.in_windows(
            blobs,
            canonical_blob,
            |queue, blobs| {
                let coefficients = coefficients(queue, blobs)?;
                let rest = queue.read_be_bytes(&extension(queue, &coefficients)?)?;
                Ok((rest, self.proofs(queue, &coefficients)?))
            },
            |left, (rest, proofs), blobs| {
                let cells = extended(blobs, left.be_bytes(&rest)?).into_iter();
                Ok(cells.zip(encoded(left, &proofs)?).collect())
            },
        )
    }

    /// All cells of a blob, from at least half of them: those with these indices, in ascending
    /// order. Where there are more, and they are not of one blob, the result is that of no blob
    /// either.
    ///
    /// # Errors
    /// [`Error::MismatchLength`], [`Error::NumberOfCells`], [`Error::CellIndex`] and
    /// [`Error::CellOrder`]; [`Error::WrongLength`] and [`Error::NotCanonical`] for a cell, else
    /// [`Error::Engine`].
    pub fn recover_cells(
        &self,
        cell_indices: &[u64],
        cells: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Box<CellsPerExtBlob>> {
        only(self.recover_cells_many(&[(cell_indices, cells)])?)
    }

    /// All cells of each blob, from at least half of them.
    ///
    /// # Errors
    /// Of each blob as [`Self::recover_cells`]; of all of them [`Error::Engine`] and
    /// [`Error::Cancelled`].
    pub fn recover_cells_many(
        &self,
        blobs: &[SomeCells<'_, impl AsRef<[u8]> + Sync>],
    ) -> Result<Vec<Result<Box<CellsPerExtBlob>>>> {
        self.in_windows(
            blobs,
            |(indices, cells)| Erased::new(indices, cells),
            |queue, blobs| {
                let values = to_values(queue, &self.recovered(queue, blobs)?)?;
                Ok(queue.read_be_bytes(&values)?)
            },
            |left, values, _| Ok(whole(left.be_bytes(&values)?)),
        )
    }

    /// All cells of a blob and their proofs, from at least half of the cells, as
    /// [`Self::recover_cells`].
    ///
    /// # Errors
    /// As [`Self::recover_cells`].
    pub fn recover_cells_and_kzg_proofs(
        &self,
        cell_indices: &[u64],
        cells: &[impl AsRef<[u8]> + Sync],
    ) -> Result<CellsAndProofs> {
        only(self.recover_cells_and_kzg_proofs_many(&[(cell_indices, cells)])?)
    }

    /// All cells of each blob and their proofs, from at least half of the cells.
    ///
    /// # Errors
    /// As [`Self::recover_cells_many`].
    pub fn recover_cells_and_kzg_proofs_many(
        &self,
        blobs: &[SomeCells<'_, impl AsRef<[u8]> + Sync>],
    ) -> Result<Vec<Result<CellsAndProofs>>> {
        self.in_windows(
            blobs,
            |(indices, cells)| Erased::new(indices, cells),
            |queue, blobs| {
                let coefficients = self.recovered(queue, blobs)?;
                let values = queue.read_be_bytes(&to_values(queue, &coefficients)?)?;
                let row = coefficients.len() / blobs.len();
                let half = |blob| coefficients.slice(blob * row..blob * row + row / 2);
                let halves = (0..blobs.len()).map(half).collect::<Result<Vec<_>, _>>()?;
                let coefficients = queue.concat(&halves)?;
                Ok((values, self.proofs(queue, &coefficients)?))
            },
            |left, (values, proofs), _| {
                let cells = whole(left.be_bytes(&values)?).into_iter();
                Ok(cells.zip(encoded(left, &proofs)?).collect())
            },
        )
    }

    /// The coefficients of blobs, a row of 8,192 each, of which the second half is zero.
    ///
    /// Values are known where cells are. Times a polynomial that is zero at the others they are
    /// known everywhere: so is that product, which on a coset is divided by it again.
    fn recovered(&self, queue: &Queue, blobs: &[Erased<'_>]) -> Result<FieldVec<Fr>> {
        let bytes = joined(blobs, |row: &mut [u8; BYTES_PER_EXT_BLOB], blob| {
            for (index, cell) in &blob.cells {
                row.as_chunks_mut().0[*index] = **cell;
            }
        });
        let values = queue.upload_be_bytes::<Fr>(&[bytes])?;
        // Of each cell, for all of its elements.
        let vanishing = blobs.iter().flat_map(|it| it.vanishing);
        let inverses = blobs.iter().flat_map(|it| it.inverses);
        let of_cells: Vec<_> = vanishing.chain(inverses).collect();
        let mut factors = self.shared.engine.upload::<Fr>(&of_cells)?;
        for _ in 0..FIELD_ELEMENTS_PER_CELL.ilog2() {
            factors = queue.interleave(&[&factors, &factors])?;
        }
        let (vanishing, inverses) = factors.split_at(values.len())?;
        let domain = Domain::new(FIELD_ELEMENTS_PER_EXT_BLOB)?;
        let coset = domain.coset_of_generator();
        let product = from_cells(queue, &queue.mul(&values, &vanishing)?, &domain)?;
        let product = to_cells(queue, &product, &coset)?;
        from_cells(queue, &queue.mul(&product, &inverses)?, &coset)
    }

    /// The proofs of cells, 128 of each blob.
    fn proofs(&self, queue: &Queue, coefficients: &FieldVec<Fr>) -> Result<Readback<G1>> {
        let proofs = self.shared.fk20.proofs(&self.shared, queue, coefficients)?;
        Ok(queue.read(&proofs)?)
    }
}

/// The same in bytes.
fn encoded(left: &Completed, proofs: &Readback<G1>) -> Result<Vec<Box<ProofsPerExtBlob>>> {
    let proofs = points::encoded(&left.elements(proofs)?);
    let rows = proofs.as_chunks::<CELLS_PER_EXT_BLOB>().0;
    Ok(rows.iter().map(|it| Box::new(*it)).collect())
}

/// The coefficients of rows of values over `domain`, which stand as cells have them.
fn from_cells(queue: &Queue, values: &FieldVec<Fr>, domain: &Domain) -> Result<FieldVec<Fr>> {
    let to_coefficients = Transform::inverse(domain).from(Order::BitReversed);
    Ok(queue.transform(values, &to_coefficients)?)
}

/// The values over `domain` of rows of coefficients, as cells have them.
fn to_cells(queue: &Queue, coefficients: &FieldVec<Fr>, domain: &Domain) -> Result<FieldVec<Fr>> {
    let to_values = Transform::forward(domain).to(Order::BitReversed);
    Ok(queue.transform(coefficients, &to_values)?)
}

/// The coefficients of blobs, a row of 4,096 each.
fn coefficients(queue: &Queue, blobs: &[&[u8; BYTES_PER_BLOB]]) -> Result<FieldVec<Fr>> {
    let domain = Domain::new(FIELD_ELEMENTS_PER_BLOB)?;
    from_cells(queue, &queue.upload_be_bytes(blobs)?, &domain)
}

/// Values of the second half of cells. The first 64 are the blobs themselves: in bit-reversed
/// order the 4,096th roots of unity come first among the 8,192nd ones, and then a coset.
fn extension(queue: &Queue, coefficients: &FieldVec<Fr>) -> Result<FieldVec<Fr>> {
    let shift = Domain::new(FIELD_ELEMENTS_PER_EXT_BLOB)?.generator();
    let coset = Domain::new(FIELD_ELEMENTS_PER_BLOB)?.coset(shift)?;
    to_cells(queue, coefficients, &coset)
}

/// All values of rows of 8,192 coefficients.
fn to_values(queue: &Queue, coefficients: &FieldVec<Fr>) -> Result<FieldVec<Fr>> {
    let domain = Domain::new(FIELD_ELEMENTS_PER_EXT_BLOB)?;
    to_cells(queue, coefficients, &domain)
}

/// Blobs, each with the rest of its cells.
fn extended(blobs: &[&[u8; BYTES_PER_BLOB]], rest: &[u8]) -> Vec<Box<CellsPerExtBlob>> {
    let halves = blobs.iter().zip(rest.chunks_exact(BYTES_PER_BLOB));
    let halves: Vec<[&[u8]; 2]> = halves.map(|(blob, rest)| [&blob[..], rest]).collect();
    each(&halves, |it| cells(*it))
}

/// Blobs of whose cells these are all.
fn whole(values: &[u8]) -> Vec<Box<CellsPerExtBlob>> {
    let blobs = values.as_chunks::<BYTES_PER_EXT_BLOB>().0;
    each(blobs, |it| cells([it, &[]]))
}

fn cells(halves: [&[u8]; 2]) -> Box<CellsPerExtBlob> {
    let mut cells = zeroed_box::<CellsPerExtBlob>();
    let bytes = cells.as_flattened_mut();
    let (first, second) = bytes.split_at_mut(halves[0].len());
    first.copy_from_slice(halves[0]);
    second.copy_from_slice(halves[1]);
    cells
}

/// A blob of which some cells are missing.
struct Erased<'a> {
    /// The others by their indices.
    cells: Vec<(usize, &'a Cell)>,
    /// The values of a polynomial that is zero at the missing cells: the same at all points of
    /// a cell, since the 64th power of these is.
    vanishing: [Scalar; CELLS_PER_EXT_BLOB],
    /// Its values on the coset, inverted.
    inverses: [Scalar; CELLS_PER_EXT_BLOB],
}

impl<'a> Erased<'a> {
    fn new(indices: &[u64], cells: &'a [impl AsRef<[u8]>]) -> Result<Self> {
        expect_as_many(("cell indices", indices.len()), ("cells", cells.len()))?;
        if !(CELLS_PER_BLOB..=CELLS_PER_EXT_BLOB).contains(&cells.len()) {
            return Err(Error::NumberOfCells { found: cells.len() });
        }
        let mut known = Vec::with_capacity(cells.len());
        let mut is_missing = [true; CELLS_PER_EXT_BLOB];
        for (place, (&found, cell)) in indices.iter().zip(cells).enumerate() {
            let index = expect_index(place, found)?;
            match indices[..place].last() {
                Some(&before) if before >= found => {
                    return Err(Error::CellOrder {
                        place,
                        before,
                        found,
                    });
                }
                _ => is_missing[index] = false,
            }
            known.push((index, canonical_cell(place, cell)?));
        }
        let missing = is_missing.iter().enumerate().filter(|(_, it)| **it);
        let [vanishing, inverses] = vanishing(missing.map(|(index, _)| index))?;
        Ok(Self {
            cells: known,
            vanishing,
            inverses,
        })
    }
}

/// Of [`Erased`], for these missing cells.
fn vanishing(missing: impl Iterator<Item = usize>) -> Result<[[Scalar; CELLS_PER_EXT_BLOB]; 2]> {
    // As a polynomial in x^64, which at the points of each cell is one of these.
    let domain = Domain::new(CELLS_PER_EXT_BLOB)?;
    let roots: Vec<_> = domain.elements().collect();
    let mut coefficients = [Scalar::default(); CELLS_PER_EXT_BLOB];
    coefficients[0] = Fr::ONE;
    for (degree, cell) in missing.enumerate() {
        let root = roots[bit_reversed(cell, CELLS_PER_EXT_BLOB.ilog2())];
        for place in (0..=degree + 1).rev() {
            let product = mul::<Fr>(&root, &coefficients[place]);
            let below = place.checked_sub(1).map(|it| coefficients[it]);
            coefficients[place] = sub::<Fr>(&below.unwrap_or_default(), &product);
        }
    }
    let values = |coefficients| evaluation::values_in_cells(coefficients, &domain.generator());
    let shift = domain.coset_of_generator().shift();
    let shift = pow::<Fr>(&shift, FIELD_ELEMENTS_PER_CELL as u64);
    let scaled = coefficients.iter().zip(powers::<Fr>(Fr::ONE, shift));
    let mut on_coset = coefficients;
    for (place, (coefficient, factor)) in on_coset.iter_mut().zip(scaled) {
        *place = mul::<Fr>(coefficient, &factor);
    }
    let mut inverses = values(on_coset);
    inverse_all::<Fr>(&mut inverses);
    Ok([values(coefficients), inverses])
}

/// An index of a cell.
pub(crate) fn expect_index(place: usize, found: u64) -> Result<usize> {
    let index = usize::try_from(found)
        .ok()
        .filter(|it| *it < CELLS_PER_EXT_BLOB);
    index.ok_or(Error::CellIndex { place, found })
}

/// A whole cell of elements below the modulus.
pub(crate) fn canonical_cell(place: usize, cell: &impl AsRef<[u8]>) -> Result<&Cell> {
    let what = || format!("cell {place}");
    let cell = bytes::fixed(what, cell)?;
    bytes::canonical(what, cell)?;
    Ok(cell)
}
