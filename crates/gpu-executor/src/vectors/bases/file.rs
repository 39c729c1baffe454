//! Prepared bases in a file: a header, the points, the x of their images, and the SHA-256 of
//! all that. Words are little-endian, limbs too.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use bytemuck::{cast_slice, cast_slice_mut};
use field_kernels::{Curve, ElementType};
use sha2::{Digest as _, Sha256};
use vk_core::CacheFile;

use super::{Bases, is_cpu};
use crate::canonical::Order;
use crate::kernels::hex;
use crate::vectors::engine::VectorEngine;
use crate::vectors::families::{Multiples, Shape};
use crate::vectors::field_vec::{FieldVec, Form};
use crate::{Error, Inputs, Result};

/// What a file begins with.
const MAGIC: [u8; 16] = *b"gpu-executor MSM";
/// The version of the layout, and of what its numbers mean.
const VERSION: u64 = 1;
/// Bytes of the header: what a file begins with, the version, the curve's name and zeros, the
/// number of bases, of multiples of each, and their spacing.
const HEADER: usize = 56;
/// Bytes of the hash at the end.
const HASH: usize = 32;
/// Elements that are written at a time.
const PIECE: usize = 1 << 18;

impl<C: Curve> Bases<C> {
    /// Writes them to a file, which is replaced as a whole, with all of their multiples:
    /// [`Self::load`] computes nothing again. On Unix the file is readable by this user alone,
    /// and its folder must be one that nobody else may write to; it is made where there is
    /// none.
    ///
    /// ```
    /// # use gpu_executor::vectors::{Bases, Curve, G1, PointCheck, TableMemory, VectorEngine};
    /// # fn main() -> anyhow::Result<()> {
    /// # let engine = VectorEngine::cpu_with_threads(2)?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("setup.bases");
    /// let points = engine.upload_points::<G1>(&G1::GENERATOR, PointCheck::Subgroup)?;
    /// Bases::prepare(&points, 1, TableMemory::AsPays)?.save(&path)?;
    /// assert_eq!(Bases::<G1>::load(&engine, &path)?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::BasesFile`] for a file or folder that cannot be written or may not be used,
    /// else as [`FieldVec::download`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let written = place(path)?.replace_by(|file| {
            let mut hash = Sha256::new();
            let mut write = |bytes: &[u8]| {
                hash.update(bytes);
                file.write_all(bytes).map_err(|error| refused(path, error))
            };
            write(&self.header())?;
            each_piece(&self.points, &mut write)?;
            if let Some(images) = &self.images {
                each_piece(images, &mut write)?;
            }
            let hash = hash.finalize();
            file.write_all(&hash).map_err(|error| refused(path, error))
        });
        written.map_err(|error| refused(path, error))?
    }

    /// Reads what [`Self::save`] wrote, on any engine. On Unix the file and its folder must be
    /// this user's, and nobody else may write to them: that its points are of the subgroup, and
    /// its multiples those of its points, is taken on trust, as with
    /// [`PointCheck::Trusted`](crate::vectors::PointCheck::Trusted). On the CPU engine only the
    /// points are kept. Takes host memory for all of the file meanwhile.
    ///
    /// # Errors
    /// [`Error::BasesFile`] for a file that is not there, may not be used, is damaged, or holds
    /// something else than bases of this curve in this version of the layout; it says what was
    /// expected and what was found. Else as [`VectorEngine::upload`].
    pub fn load(engine: &VectorEngine, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let opened = place(path)?.open().map_err(|error| refused(path, error))?;
        let file = opened.ok_or_else(|| refused(path, "expected a file, found none"))?;
        let (multiples, limbs) = contents::<C>(&file).map_err(|reason| refused(path, reason))?;
        let each = bytes_of::<C>(multiples) / size_of::<u64>();
        let (points, images) = limbs.split_at(limbs.len() / each * C::LIMBS);
        let points: FieldVec<C> = upload(engine, points)?;
        let images = match images {
            [] => None,
            _ if is_cpu(engine) => None,
            images => Some(upload::<C::Field>(engine, images)?),
        };
        let bases = Self {
            points,
            images,
            multiples,
        };
        match is_cpu(engine) {
            true => Self::of(bases.points()?, Multiples::NONE),
            false => Ok(bases),
        }
    }

    fn header(&self) -> Vec<u8> {
        let Multiples { count, spacing } = self.multiples;
        let numbers = [self.len() as u64, count as u64, spacing.into()];
        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend(name::<C>());
        header.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        header
    }
}

fn refused(path: &Path, reason: impl ToString) -> Error {
    Error::BasesFile {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn place(path: &Path) -> Result<CacheFile> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| refused(path, "expected the name of a file"))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    CacheFile::new(folder, name).map_err(|error| refused(path, error))
}

/// A curve's name in the header.
fn name<C: Curve>() -> [u8; 8] {
    let mut name = [0; 8];
    for (place, byte) in name.iter_mut().zip(C::NAME.bytes()) {
        *place = byte;
    }
    name
}

/// Bytes of a multiple of a base.
fn bytes_of<C: Curve>(multiples: Multiples) -> usize {
    match multiples {
        Multiples::NONE => C::BYTES,
        _ => Bases::<C>::BYTES_OF_MULTIPLE,
    }
}

fn each_piece<E: ElementType>(
    vector: &FieldVec<E>,
    write: &mut impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    for first in (0..vector.len()).step_by(PIECE) {
        let piece = vector.slice(first..vector.len().min(first + PIECE))?;
        let mut limbs: Vec<u64> = piece.download()?;
        limbs.iter_mut().for_each(|limb| *limb = limb.to_le());
        write(cast_slice(&limbs))?;
    }
    Ok(())
}

fn upload<E: ElementType>(engine: &VectorEngine, limbs: &[u64]) -> Result<FieldVec<E>> {
    let parts = [cast_slice(limbs)];
    engine.upload_parts(&parts, Inputs::Canonical, Order::Limbs, Form::Montgomery)
}

/// What the file of bases of `C` has: which multiples, and the limbs of points and images.
///
/// # Errors
/// In words, what was expected and what was found.
fn contents<C: Curve>(mut file: &File) -> Result<(Multiples, Vec<u64>), String> {
    let found = file.metadata().map_err(|it| it.to_string())?.len();
    if found < (HEADER + HASH) as u64 {
        let least = HEADER + HASH;
        return Err(format!("expected {least} bytes at least, found {found}"));
    }
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(|it| it.to_string())?;
    let (magic, rest) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err("expected prepared bases, found a file of another kind".to_owned());
    }
    let (words, _) = rest.as_chunks();
    let &[version, of_curve, bases, count, spacing] = words else {
        return Err("expected a header of five words".to_owned());
    };
    let [version, bases, count, spacing] = [version, bases, count, spacing].map(u64::from_le_bytes);
    if version != VERSION {
        return Err(format!(
            "expected version {VERSION} of the layout, found {version}"
        ));
    }
    if of_curve != name::<C>() {
        let found = String::from_utf8_lossy(&of_curve);
        let found = found.trim_end_matches('\0');
        return Err(format!(
            "expected bases of {}, found ones of {found}",
            C::NAME
        ));
    }
    let shape = Shape::of(C::ID, 1, 1);
    let multiples = u32::try_from(spacing).map(|spacing| Multiples::at(shape, spacing));
    let multiples = multiples
        .ok()
        .filter(|it| (it.count as u64, u64::from(it.spacing)) == (count, spacing));
    let multiples = multiples.ok_or_else(|| {
        format!("expected multiples for all bits of a scalar, found {count}, {spacing} bits apart")
    })?;
    let bytes = bases.checked_mul(count);
    let bytes = bytes.and_then(|it| it.checked_mul(bytes_of::<C>(multiples) as u64));
    let expected = bytes.and_then(|it| it.checked_add((HEADER + HASH) as u64));
    if expected != Some(found) {
        let expected = expected.map_or("more than 2^64".to_owned(), |it| it.to_string());
        return Err(format!(
            "expected {expected} bytes for {bases} bases and {count} multiples of each, found {found}"
        ));
    }
    let words = usize::try_from(found).unwrap_or(usize::MAX) / size_of::<u64>();
    let words = words - (HEADER + HASH) / size_of::<u64>();
    let mut limbs = Vec::new();
    let room = limbs.try_reserve_exact(words);
    room.map_err(|_| format!("expected host memory for {found} bytes, found none"))?;
    limbs.resize(words, 0_u64);
    let mut hash = [0; HASH];
    let read = file.read_exact(cast_slice_mut(&mut limbs));
    let read = read.and_then(|()| file.read_exact(&mut hash));
    read.map_err(|it| it.to_string())?;
    let expected = Sha256::new()
        .chain_update(header)
        .chain_update(cast_slice::<_, u8>(&limbs));
    let expected: [u8; HASH] = expected.finalize().into();
    if hash != expected {
        let [expected, found] = [expected, hash].map(|it| hex(&it));
        return Err(format!("expected the SHA-256 {expected}, found {found}"));
    }
    limbs
        .iter_mut()
        .for_each(|limb| *limb = u64::from_le(*limb));
    Ok((multiples, limbs))
}
