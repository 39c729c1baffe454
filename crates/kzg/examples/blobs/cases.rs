//! Official cases, each of a function, with its input, and its output or null where it must
//! fail; and the ways to them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use gpu_executor_kzg::{
    Error, Kzg, compute_challenge, compute_verify_cell_kzg_proof_batch_challenge,
};
use serde_yaml_ng::Value;

/// A case, as `data.yaml` holds it.
#[derive(serde::Deserialize)]
pub(crate) struct Case {
    pub(crate) input: Input,
    pub(crate) output: Value,
}

/// The arguments of a function by their names.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Input(Value);

/// By function the cases by their names.
pub(crate) type Cases = BTreeMap<String, BTreeMap<String, Case>>;

/// The cases that the consensus specifications generate, as far as the tests have them, from
/// c-kzg's repository (CC0 and Apache-2.0).
pub(crate) fn built_in() -> Result<Cases> {
    let (mut tar, mut packed) = (
        Vec::new(),
        &include_bytes!("../../tests/vectors/kzg.tar.xz")[..],
    );
    lzma_rs::xz_decompress(&mut packed, &mut tar)?;
    let mut cases = Cases::new();
    // Headers and contents, both in blocks of 512 bytes.
    let mut rest = tar.as_slice();
    while let Some((header, after)) = rest.split_at_checked(512) {
        let text =
            |bytes| Ok::<_, anyhow::Error>(std::str::from_utf8(bytes)?.trim_end_matches('\0'));
        // A long path is cut in two.
        let path = format!("{}/{}", text(&header[345..500])?, text(&header[..100])?);
        let size = usize::from_str_radix(text(&header[124..136])?, 8).unwrap_or_default();
        let content = after.get(..size).context("a whole file in the archive")?;
        if let [.., function, _, case, "data.yaml"] = path.split('/').collect::<Vec<_>>()[..] {
            let case = (case.to_owned(), Case::read(std::str::from_utf8(content)?)?);
            cases.entry(function.to_owned()).or_default().extend([case]);
        }
        rest = after.get(size.next_multiple_of(512)..).unwrap_or_default();
    }
    Ok(cases)
}

/// The cases in a folder: `FUNCTION/SUITE/CASE/data.yaml`.
pub(crate) fn in_folder(folder: &Path) -> Result<Cases> {
    let folders = |folder: &Path| {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let paths = entries
            .map(|it| Ok(it?.path()))
            .collect::<Result<Vec<_>>>()?;
        Ok::<_, anyhow::Error>(paths.into_iter().filter(|it| it.is_dir()))
    };
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let mut cases = Cases::new();
    for function in folders(folder)? {
        for suite in folders(&function)? {
            for case in folders(&suite)? {
                let file = case.join("data.yaml");
                let yaml = std::fs::read_to_string(&file);
                let yaml = yaml.with_context(|| file.display().to_string())?;
                let read = Case::read(&yaml).with_context(|| file.display().to_string())?;
                let of_function = cases.entry(name(&function)).or_default();
                of_function.insert(format!("{}/{}", name(&suite), name(&case)), read);
            }
        }
    }
    ensure!(
        !cases.is_empty(),
        "{}: expected FUNCTION/SUITE/CASE/data.yaml, found none",
        folder.display()
    );
    Ok(cases)
}

impl Case {
    pub(crate) fn read(yaml: &str) -> Result<Self> {
        serde_yaml_ng::from_str(yaml).context("a case with input and output")
    }

    /// Computes it, and compares.
    pub(crate) fn check(&self, kzg: &Kzg, function: &str) -> Result<()> {
        self.expect(self.input.compute(kzg, function)?)
    }

    /// Compares what was computed.
    pub(crate) fn expect(&self, computed: Result<Value, Error>) -> Result<()> {
        let found = match computed {
            Ok(found) => found,
            // The device's failure is no verdict on the input.
            Err(error @ (Error::Engine(_) | Error::Cancelled { .. })) => return Err(error.into()),
            Err(error) if !self.output.is_null() => return Err(error.into()),
            Err(_) => Value::Null,
        };
        ensure!(
            found == self.output,
            "expected {}, found {}",
            short(&self.output),
            short(&found)
        );
        Ok(())
    }
}

impl Input {
    fn compute(&self, kzg: &Kzg, function: &str) -> Result<Result<Value, Error>> {
        let one = |name| self.bytes(name);
        let many = |name| self.list(name);
        let indices = |name| self.numbers(name);
        Ok(match function {
            "blob_to_kzg_commitment" => kzg.blob_to_kzg_commitment(&one("blob")?).map(hex),
            "compute_kzg_proof" => {
                let opened = kzg.compute_kzg_proof(&one("blob")?, &one("z")?);
                opened.map(|(proof, y)| Value::Sequence(vec![hex(proof), hex(y)]))
            }
            "compute_blob_kzg_proof" => {
                let proof = kzg.compute_blob_kzg_proof(&one("blob")?, &one("commitment")?);
                proof.map(hex)
            }
            "verify_kzg_proof" => {
                let (z, y) = (one("z")?, one("y")?);
                let holds = kzg.verify_kzg_proof(&one("commitment")?, &z, &y, &one("proof")?);
                holds.map(Value::Bool)
            }
            "verify_blob_kzg_proof" => {
                let (blob, commitment) = (one("blob")?, one("commitment")?);
                let holds = kzg.verify_blob_kzg_proof(&blob, &commitment, &one("proof")?);
                holds.map(Value::Bool)
            }
            "verify_blob_kzg_proof_batch" => {
                let (blobs, commitments) = (many("blobs")?, many("commitments")?);
                let holds = kzg.verify_blob_kzg_proof_batch(&blobs, &commitments, &many("proofs")?);
                holds.map(Value::Bool)
            }
            "compute_cells" => kzg.compute_cells(&one("blob")?).map(|it| hex_list(&*it)),
            "compute_cells_and_kzg_proofs" => {
                let both = kzg.compute_cells_and_kzg_proofs(&one("blob")?);
                both.map(|it| cells_and_proofs(&it))
            }
            "recover_cells_and_kzg_proofs" => {
                let (indices, cells) = (indices("cell_indices")?, many("cells")?);
                let both = kzg.recover_cells_and_kzg_proofs(&indices, &cells);
                both.map(|it| cells_and_proofs(&it))
            }
            "verify_cell_kzg_proof_batch" => {
                let (commitments, indices) = (many("commitments")?, indices("cell_indices")?);
                let (cells, proofs) = (many("cells")?, many("proofs")?);
                let holds =
                    kzg.verify_cell_kzg_proof_batch(&commitments, &indices, &cells, &proofs);
                holds.map(Value::Bool)
            }
            "compute_challenge" => compute_challenge(&one("blob")?, &one("commitment")?).map(hex),
            "compute_verify_cell_kzg_proof_batch_challenge" => {
                compute_verify_cell_kzg_proof_batch_challenge(
                    &many("commitments")?,
                    &indices("commitment_indices")?,
                    &indices("cell_indices")?,
                    &many("cosets_evals")?,
                    &many("proofs")?,
                )
                .map(hex)
            }
            other => bail!("expected a function of EIP-4844 or EIP-7594, found {other}"),
        })
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        of_hex(self.argument(name)?)
    }

    pub(crate) fn list(&self, name: &str) -> Result<Vec<Vec<u8>>> {
        self.sequence(name)?.iter().map(of_hex).collect()
    }

    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<u64>> {
        let number = |it: &Value| it.as_u64().with_context(|| format!("a number in {name}"));
        self.sequence(name)?.iter().map(number).collect()
    }

    fn sequence(&self, name: &str) -> Result<&Vec<Value>> {
        let argument = self.argument(name)?;
        argument
            .as_sequence()
            .with_context(|| format!("a list as {name}"))
    }

    fn argument(&self, name: &str) -> Result<&Value> {
        self.0
            .get(name)
            .with_context(|| format!("an argument {name}"))
    }
}

pub(crate) fn cells_and_proofs((cells, proofs): &gpu_executor_kzg::CellsAndProofs) -> Value {
    Value::Sequence(vec![hex_list(&**cells), hex_list(&**proofs)])
}

pub(crate) fn hex_list<const N: usize>(items: &[[u8; N]]) -> Value {
    items.iter().map(hex).collect()
}

pub(crate) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(format!("0x{}", hex::encode(bytes)))
}

/// Bytes, or a cell as a list of its elements.
fn of_hex(value: &Value) -> Result<Vec<u8>> {
    if let Some(elements) = value.as_sequence() {
        let elements = elements.iter().map(of_hex).collect::<Result<Vec<_>>>()?;
        return Ok(elements.concat());
    }
    let digits = value.as_str().and_then(|it| it.strip_prefix("0x"));
    Ok(hex::decode(digits.context("hexadecimal digits after 0x")?)?)
}

/// The first of it, for a message.
fn short(value: &Value) -> String {
    let text = format!("{value:?}");
    text.chars().take(200).collect()
}
