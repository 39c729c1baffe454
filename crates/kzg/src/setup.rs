//! Trusted setups: the powers of a secret that nobody knows, as points.

use std::path::Path;
use std::sync::Arc;

use blst::blst_p2_affine;
use field_kernels::Field as _;
use field_kernels::arithmetic::powers;
use gpu_executor::vectors::{
    Curve, Domain, Element, Fr, G1, G2, Order, PointCheck, PointEncoding, PointVec, Transform,
    VectorEngine, Xyzz,
};
use sha2::{Digest as _, Sha256};

use crate::points::pairings_are_equal;
use crate::{
    BYTES_PER_COMMITMENT, Bytes32, Error, FIELD_ELEMENTS_PER_BLOB, FIELD_ELEMENTS_PER_CELL, Point,
    Result, Scalar, bytes, evaluation,
};

/// A trusted setup for blobs. Clones share it.
#[derive(Clone)]
pub struct TrustedSetup(Arc<Points>);

struct Points {
    /// Commitments to the Lagrange polynomials of a blob's points, in the order of a blob.
    lagrange: Vec<Point>,
    /// Powers of the secret, from the 0th on, in G1 and G2.
    g1: Vec<Point>,
    g2: Vec<blst_p2_affine>,
    /// Of the compressed points.
    hash: Bytes32,
}

const BYTES_PER_G2: usize = 96;
/// Powers in G2.
const G2_POINTS: usize = FIELD_ELEMENTS_PER_CELL + 1;

/// The mainnet's: in compressed form the points of G1 in Lagrange form, those of G2, and those
/// of G1 in monomial form, in the order of the text that the consensus specifications publish.
/// Made by Ethereum's KZG ceremony of 2023, whose output is in the public domain.
const MAINNET: &[u8] = include_bytes!("mainnet.bin");

impl TrustedSetup {
    /// That of Ethereum's mainnet, which this library has in it. That it is sound is part of
    /// this crate's tests, and taken on trust here.
    ///
    /// # Errors
    /// [`Error::Engine`] where threads cannot be started.
    pub fn mainnet() -> Result<Self> {
        let (lagrange, rest) = MAINNET.split_at(FIELD_ELEMENTS_PER_BLOB * BYTES_PER_COMMITMENT);
        let (g2, monomial) = rest.split_at(G2_POINTS * BYTES_PER_G2);
        let host = VectorEngine::cpu()?;
        Self::decoded(&host, monomial, lagrange, g2, PointCheck::Trusted)
    }

    /// From a file, as [`Self::parse`] reads it.
    ///
    /// # Errors
    /// [`Error::TrustedSetup`] for a file that cannot be read, else as [`Self::parse`].
    pub fn load_trusted_setup_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::TrustedSetup {
            expected: format!("a text file at {}", path.display()),
            found: error.to_string(),
        })?;
        Self::parse(&text)
    }

    /// From the text that c-kzg reads (the numbers of points in G1 and in G2, then all of them
    /// in hexadecimal: G1 in Lagrange form, G2, G1 in monomial form), or from the JSON of the
    /// consensus specifications (lists of the names `g1_lagrange`, `g2_monomial` and
    /// `g1_monomial`).
    ///
    /// # Errors
    /// [`Error::TrustedSetup`] for any other text, else as [`Self::load_trusted_setup`].
    pub fn parse(text: &str) -> Result<Self> {
        let [lagrange, g2, monomial] = match text.trim_start().starts_with('{') {
            true => of_json(text)?,
            false => of_text(text)?,
        };
        Self::load_trusted_setup(&monomial, &lagrange, &g2)
    }

    /// From compressed points, one after the other: 4,096 of G1 in monomial form, as many in
    /// Lagrange form, 65 of G2. Checked: all are in the subgroup, all are powers of one secret,
    /// and both forms are of the same.
    ///
    /// # Errors
    /// [`Error::WrongLength`], [`Error::InvalidPoint`], and [`Error::TrustedSetup`] for points
    /// that do not belong together.
    pub fn load_trusted_setup(
        g1_monomial_bytes: &[u8],
        g1_lagrange_bytes: &[u8],
        g2_monomial_bytes: &[u8],
    ) -> Result<Self> {
        let host = VectorEngine::cpu()?;
        let (g1, lagrange, g2) = (g1_monomial_bytes, g1_lagrange_bytes, g2_monomial_bytes);
        let setup = Self::decoded(&host, g1, lagrange, g2, PointCheck::Subgroup)?;
        setup.expect_sound(&host, &bytes::reduced(&setup.0.hash))?;
        Ok(setup)
    }

    fn decoded(
        host: &VectorEngine,
        g1: &[u8],
        lagrange: &[u8],
        g2: &[u8],
        check: PointCheck,
    ) -> Result<Self> {
        let count = FIELD_ELEMENTS_PER_BLOB;
        let mut hash = Sha256::new();
        [g1, lagrange, g2].iter().for_each(|it| hash.update(it));
        let hash = hash.finalize().into();
        let g1 = points::<G1>(host, ("G1 in monomial form", count), g1, check)?;
        let lagrange = points::<G1>(host, ("G1 in Lagrange form", count), lagrange, check)?;
        let mut lagrange = lagrange.download::<Point>()?;
        evaluation::to_order_of_blobs(&mut lagrange);
        Ok(Self(Arc::new(Points {
            lagrange,
            g1: g1.download()?,
            g2: points::<G2>(host, ("G2", G2_POINTS), g2, check)?.download()?,
            hash,
        })))
    }

    /// Holds all pairs of neighbours to one ratio, and both forms to one another, each by a sum
    /// with the powers of a number that depends on all points.
    fn expect_sound(&self, host: &VectorEngine, number: &Scalar) -> Result<()> {
        let Points {
            lagrange, g1, g2, ..
        } = &*self.0;
        let generators = (Xyzz::<G1>::from_affine(&g1[0].to_limbs()), g2[0].to_limbs());
        expect(
            "the generators as the 0th powers",
            generators == (Xyzz::from_affine(&G1::GENERATOR), G2::GENERATOR),
        )?;
        let weights: Vec<_> = powers::<Fr>(Fr::ONE, *number).take(g1.len()).collect();
        let sum_g1 = |points: &[Point]| crate::points::sum(host, points, &weights[..points.len()]);
        let last = g1.len() - 1;
        let (low, high) = (sum_g1(&g1[..last])?, sum_g1(&g1[1..])?);
        expect(
            "points of G1 in monomial form that are powers of the secret in G2",
            pairings_are_equal((&high, &g2[0]), (&low, &g2[1])),
        )?;
        let sum_g2 = |points: &[blst_p2_affine]| {
            let points = host.upload_points::<G2>(points, PointCheck::Trusted)?;
            let weights = host.upload::<Fr>(&weights[..points.len()])?;
            let queue = host.queue();
            let sum = queue.msm(&points, &weights)?;
            let sum = queue.submit()?.wait()?.msm(&sum)?;
            Ok::<_, Error>(blst_p2_affine::from_limbs(sum.to_affine()))
        };
        let (low, high) = (sum_g2(&g2[..g2.len() - 1])?, sum_g2(&g2[1..])?);
        let [one, secret] = [0, 1].map(|power| Xyzz::from_affine(&g1[power].to_limbs()));
        expect(
            "points of G2 that are powers of the secret in G1",
            pairings_are_equal((&one, &high), (&secret, &low)),
        )?;
        let mut values = weights.clone();
        let domain = Domain::new(values.len())?;
        let to_values = Transform::forward(&domain).to(Order::BitReversed);
        host.transform(&mut values, &to_values)?;
        expect(
            "points of G1 in Lagrange form that are those in monomial form",
            sum_g1(g1)? == crate::points::sum(host, lagrange, &values)?,
        )
    }

    pub(crate) fn lagrange(&self) -> &[Point] {
        &self.0.lagrange
    }

    pub(crate) fn g1(&self) -> &[Point] {
        &self.0.g1
    }

    /// A power of the secret in G2.
    pub(crate) fn g2(&self, power: usize) -> &blst_p2_affine {
        &self.0.g2[power]
    }

    /// What tells it from others.
    pub(crate) fn hash(&self) -> &Bytes32 {
        &self.0.hash
    }
}

impl std::fmt::Debug for TrustedSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedSetup").finish_non_exhaustive()
    }
}

fn points<C: Curve>(
    host: &VectorEngine,
    (what, count): (&'static str, usize),
    bytes: &[u8],
    check: PointCheck,
) -> Result<PointVec<C>> {
    let encoding = PointEncoding::Compressed;
    let expected = count * encoding.bytes::<C>();
    if bytes.len() != expected {
        return Err(Error::WrongLength {
            what: format!("the trusted setup's points of {what}"),
            expected,
            found: bytes.len(),
        });
    }
    let points = host.upload_encoded_points::<C>(bytes, encoding, check);
    points.map_err(|error| match error {
        gpu_executor::Error::InvalidPoint { element, fault, .. } => Error::InvalidPoint {
            what: format!("the trusted setup's point {element} of {what}"),
            fault,
        },
        error => error.into(),
    })
}

fn expect(expected: &str, holds: bool) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::TrustedSetup {
            expected: expected.to_owned(),
            found: "others".to_owned(),
        }),
    }
}

#[derive(serde::Deserialize)]
struct Json {
    g1_lagrange: Vec<String>,
    g2_monomial: Vec<String>,
    g1_monomial: Vec<String>,
}

fn of_json(text: &str) -> Result<[Vec<u8>; 3]> {
    let json: Json = serde_json::from_str(text).map_err(|error| Error::TrustedSetup {
        expected: "JSON with g1_lagrange, g2_monomial and g1_monomial".to_owned(),
        found: error.to_string(),
    })?;
    let lists = [json.g1_lagrange, json.g2_monomial, json.g1_monomial];
    let [lagrange, g2, monomial] = lists.map(|it| of_hex(it.iter().map(String::as_str)));
    Ok([lagrange?, g2?, monomial?])
}

fn of_text(text: &str) -> Result<[Vec<u8>; 3]> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let numbers = [FIELD_ELEMENTS_PER_BLOB, G2_POINTS];
    let [g1_points, g2_points] = numbers;
    let expected = numbers.map(|it| it.to_string());
    if words.get(..2) != Some(&expected.each_ref().map(String::as_str)) {
        return Err(Error::TrustedSetup {
            expected: format!("the numbers {g1_points} and {g2_points} first"),
            found: format!("{:.40?}", words.get(..2.min(words.len()))),
        });
    }
    let points = &words[2..];
    if points.len() != 2 * g1_points + g2_points {
        return Err(Error::TrustedSetup {
            expected: format!("{} points", 2 * g1_points + g2_points),
            found: points.len().to_string(),
        });
    }
    let (lagrange, rest) = points.split_at(g1_points);
    let (g2, monomial) = rest.split_at(g2_points);
    let [lagrange, g2, monomial] = [lagrange, g2, monomial].map(|it| of_hex(it.iter().copied()));
    Ok([lagrange?, g2?, monomial?])
}

fn of_hex<'a>(points: impl Iterator<Item = &'a str>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for point in points {
        let digits = point.strip_prefix("0x").unwrap_or(point).as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        let decoded: Option<Vec<u8>> = pairs.collect();
        bytes.extend(decoded.ok_or_else(|| Error::TrustedSetup {
            expected: "points in hexadecimal".to_owned(),
            found: format!("{point:.100}"),
        })?);
    }
    Ok(bytes)
}
