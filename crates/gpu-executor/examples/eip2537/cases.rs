//! The operations of EIP-2537 by vectors of points, and the cases of its files.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use ark_ff::PrimeField as _;
use field_kernels::{Curve, Fr, G1, G2};
use gpu_executor::Error;
use gpu_executor::vectors::{PointCheck, PointEncoding, PointFault, PointVec, VectorEngine};

/// What an operation is given, and what it should say.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Case {
    pub(crate) name: String,
    input: String,
    #[serde(default)]
    expected: Option<String>,
    #[serde(default)]
    expected_error: Option<String>,
}

/// The cases of a file, by operation: `add_G1`, `fail-msm_G2` and so on.
pub(crate) fn read(json: &str) -> Result<BTreeMap<String, Vec<Case>>> {
    serde_json::from_str(json).context("a file laid out like those of EIP-2537")
}

impl Case {
    /// Computes it, and compares.
    pub(crate) fn check(&self, engine: &VectorEngine, operation: &str) -> Result<()> {
        let expected = match (&self.expected, &self.expected_error) {
            (Some(expected), None) => Ok(bytes(expected)?),
            (None, Some(error)) => Err(error.clone()),
            _ => bail!("expected a result or an error, found both or none"),
        };
        let input = bytes(&self.input)?;
        let operation = operation.trim_start_matches("fail-");
        let found = match operation.split_once('_') {
            Some((operation, "G1")) => compute::<G1>(engine, operation, &input),
            Some((operation, "G2")) => compute::<G2>(engine, operation, &input),
            _ => bail!("expected an operation of G1 or G2, found {operation}"),
        };
        let found = found.map_err(reason);
        ensure!(
            found == expected,
            "expected {expected:02x?}, found {found:02x?}"
        );
        Ok(())
    }
}

/// What the EIP's cases call it.
fn reason(error: anyhow::Error) -> String {
    match error.downcast_ref::<Error>() {
        Some(Error::InvalidPoint { curve, fault, .. }) => match fault {
            PointFault::NotCanonical => "invalid fp.Element encoding".to_owned(),
            PointFault::NotOnCurve => "invalid point: not on curve".to_owned(),
            PointFault::NotInSubgroup => format!("{curve} point is not in the correct subgroup"),
            other => other.to_string(),
        },
        _ => error.to_string(),
    }
}

const LENGTH: &str = "invalid input length";

/// Bytes of a coordinate, of them zero, and of a scalar.
const COORDINATE: usize = 64;
const PADDING: usize = 16;
const SCALAR: usize = 32;

fn compute<C: Curve>(engine: &VectorEngine, operation: &str, input: &[u8]) -> Result<Vec<u8>> {
    let point = C::ID.coordinates() * COORDINATE;
    let is_product = |length: usize| length > 0 && length.is_multiple_of(point + SCALAR);
    match operation {
        "add" => {
            ensure!(input.len() == 2 * point, LENGTH);
            let points = input.chunks_exact(point);
            // Points outside of the subgroup are added too.
            let points = upload::<C>(engine, points, PointCheck::OnCurve)?;
            let (p, q) = points.split_at(1)?;
            let queue = engine.queue();
            let sum = queue.add_points(&p, &q)?;
            queue.submit()?.wait()?;
            padded(&sum)
        }
        "mul" | "msm" => {
            let is_one = input.len() == point + SCALAR;
            ensure!(
                is_one || (operation == "msm" && is_product(input.len())),
                LENGTH
            );
            let pairs = input.chunks_exact(point + SCALAR);
            let points = pairs.clone().map(|pair| &pair[..point]);
            let points = upload::<C>(engine, points, PointCheck::Subgroup)?;
            // Of points of the subgroup, integers may be taken modulo its order.
            let scalars =
                pairs.map(|pair| ark_bls12_381::Fr::from_be_bytes_mod_order(&pair[point..]));
            let scalars: Vec<_> = scalars.map(|it| it.0.0).collect();
            let scalars = engine.upload::<Fr>(&scalars)?;
            let queue = engine.queue();
            let sum = queue.msm(&points, &scalars)?;
            let sum = queue.submit()?.wait()?.msm(&sum)?.to_affine();
            padded(&engine.upload_points::<C>(sum.as_ref(), PointCheck::Trusted)?)
        }
        other => bail!("expected add, mul or msm, found {other}"),
    }
}

/// Points with coordinates of 64 bytes, to the Zcash encoding and up: of G2 that has the
/// imaginary part first, and of infinity a flag.
fn upload<'i, C: Curve>(
    engine: &VectorEngine,
    points: impl Iterator<Item = &'i [u8]>,
    check: PointCheck,
) -> Result<PointVec<C>> {
    let mut encoded = Vec::new();
    for point in points {
        let first = encoded.len();
        for coordinate in in_order(point, COORDINATE) {
            let (padding, coordinate) = coordinate.split_at(PADDING);
            ensure!(
                padding.iter().all(|byte| *byte == 0),
                "invalid field element top bytes"
            );
            // What would be flags is a number of more bits than the modulus has.
            ensure!(coordinate[0] >> 5 == 0, "invalid fp.Element encoding");
            encoded.extend_from_slice(coordinate);
        }
        if point.iter().all(|byte| *byte == 0) {
            encoded[first] = 0x40;
        }
    }
    let encoding = PointEncoding::Uncompressed;
    Ok(engine.upload_encoded_points(&encoded, encoding, check)?)
}

/// The only point, with coordinates of 64 bytes.
fn padded<C: Curve>(point: &PointVec<C>) -> Result<Vec<u8>> {
    let mut encoded = point.download_encoded(PointEncoding::Uncompressed)?;
    encoded[0] &= 0x1f;
    let coordinates = in_order(&encoded, COORDINATE - PADDING);
    Ok(coordinates
        .flat_map(|it| [&[0; PADDING], it].concat())
        .collect())
}

/// The coordinates of x and of y, each of so many bytes: the second before the first where
/// there are two.
fn in_order(point: &[u8], each: usize) -> impl Iterator<Item = &[u8]> {
    let halves = point.chunks_exact(point.len() / 2);
    halves.flat_map(move |half| half.chunks_exact(each).rev())
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    Ok(hex::decode(digits.trim_start_matches("0x"))?)
}
