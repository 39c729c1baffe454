//! From bytes to words, and the instructions among them.

use rspirv::spirv::{MAGIC_NUMBER, Op};

use crate::Error;

const HEADER_WORDS: usize = 5;
/// The largest id bound that every consumer must take (SPIR-V specification,
/// "Universal Limits").
const MAX_ID_BOUND: u32 = 0x3F_FFFF;
/// The most words of a module, 16 MiB.
const MAX_WORDS: usize = 1 << 22;

/// `bytes` as words, with length, header and the length of each instruction checked.
pub(super) fn words(bytes: &[u8]) -> Result<Vec<u32>, Error> {
    if bytes.is_empty() {
        return Err(Error::spirv("the module is empty (0 bytes)"));
    }
    let whole = bytes.len().is_multiple_of(4) && bytes.len() >= 4 * HEADER_WORDS;
    if !whole {
        return Err(Error::spirv(format!(
            "expected a multiple of 4 bytes, {} at least; found {} bytes (truncated file?)",
            4 * HEADER_WORDS,
            bytes.len()
        )));
    }
    let words = bytes.as_chunks().0.iter();
    let words: Vec<u32> = words.map(|word| u32::from_le_bytes(*word)).collect();
    let [magic, version, _, bound, schema, ..] = words[..] else {
        return Err(Error::spirv("expected a header of 5 words"));
    };
    if words.len() > MAX_WORDS {
        let needed = format!("a SPIR-V module of {} words", words.len());
        let found = format!("{MAX_WORDS} at most in this library");
        return Err(Error::unsupported(needed, found));
    }
    let bounds = format!("an id bound of 1 to {MAX_ID_BOUND:#x}");
    let expected = [
        (magic == MAGIC_NUMBER, magic, "the magic number 0x07230203"),
        (
            version & 0xFF00_00FF == 0,
            version,
            "a version word of the form 0x00MMmm00",
        ),
        // A driver sizes tables by the bound.
        ((1..=MAX_ID_BOUND).contains(&bound), bound, &bounds),
        (schema == 0, schema, "0 as the header's fifth word"),
    ];
    if let Some((_, found, expected)) = expected.iter().find(|(holds, ..)| !holds) {
        return Err(Error::spirv(format!(
            "expected {expected}, found {found:#x}"
        )));
    }
    check_lengths(&words)?;
    Ok(words)
}

/// Checks that instructions end where the next one begins, the last one where the
/// module does, and each function before that.
fn check_lengths(words: &[u32]) -> Result<(), Error> {
    let mut at = HEADER_WORDS;
    let mut inside = false;
    while let Some(first) = words.get(at) {
        let length = (first >> 16) as usize;
        let left = words.len() - at;
        if length == 0 || length > left {
            return Err(Error::spirv(format!(
                "not a well-formed module: expected an instruction of 1 to {left} words at word {at}, found {length}"
            )));
        }
        match Op::from_u32(first & 0xFFFF) {
            Some(Op::Function) => inside = true,
            Some(Op::FunctionEnd) => inside = false,
            _ => {}
        }
        at += length;
    }
    match inside {
        true => Err(Error::spirv(
            "not a well-formed module: its last function does not end (truncated file?)",
        )),
        false => Ok(()),
    }
}

/// The version that the header gives, major and minor.
pub(super) fn version(words: &[u32]) -> (u8, u8) {
    let [_, minor, major, _] = words.get(1).copied().unwrap_or_default().to_le_bytes();
    (major, minor)
}

#[derive(Clone, Copy)]
pub(super) struct Instruction<'w> {
    /// `None` for an opcode that is newer than this library.
    pub(super) op: Option<Op>,
    /// The words behind the first one.
    pub(super) operands: &'w [u32],
}

impl Instruction<'_> {
    /// An operand; 0, which is no id, where there are fewer.
    pub(super) fn word(&self, number: usize) -> u32 {
        self.operands.get(number).copied().unwrap_or_default()
    }
}

/// The instructions of a module that [`words`] returned.
pub(super) fn instructions(words: &[u32]) -> impl Iterator<Item = Instruction<'_>> {
    let mut rest = words.get(HEADER_WORDS..).unwrap_or_default();
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let length = ((first >> 16) as usize).clamp(1, rest.len());
        let (this, behind) = rest.split_at(length);
        rest = behind;
        Some(Instruction {
            op: Op::from_u32(first & 0xFFFF),
            operands: &this[1..],
        })
    })
}

/// The string at the start of `words`, without its end, and how many words it takes.
/// Any bytes but 0 may be in it.
pub(super) fn string(words: &[u32]) -> (Vec<u8>, usize) {
    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
    let text: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    let taken = text.len() / 4 + 1;
    (text, taken.min(words.len()))
}
