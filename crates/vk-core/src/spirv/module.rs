//! From bytes to a parsed module, and look-ups over it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{Decoration, MAGIC_NUMBER, Op, Word};

use super::check;
use crate::Error;

const HEADER_WORDS: usize = 5;
/// The newest SPIR-V that any Vulkan version takes is 1.6.
const NEWEST_MINOR: u8 = 6;
/// The largest id bound that every consumer must take (SPIR-V specification,
/// "Universal Limits").
const MAX_ID_BOUND: u32 = 0x3F_FFFF;
/// The id bound that any module may have, and for each word that it has: a
/// driver sizes tables by the bound, whatever it is.
const FREE_ID_BOUND: u32 = 0xFFFF;
const IDS_PER_WORD: u32 = 16;
/// The most words of a module, 16 MiB.
const MAX_WORDS: usize = 1 << 22;

/// `bytes` as words, with length, magic number and id bound checked.
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
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    if words[0] != MAGIC_NUMBER {
        return Err(Error::spirv(format!(
            "expected the magic number {MAGIC_NUMBER:#010x}, found {:#010x}",
            words[0]
        )));
    }
    if words.len() > MAX_WORDS {
        return Err(Error::spirv(format!(
            "expected {MAX_WORDS} words at most, found {}",
            words.len()
        )));
    }
    let by_words = u32::try_from(words.len()).unwrap_or(u32::MAX);
    let by_words = by_words.saturating_mul(IDS_PER_WORD);
    let most = by_words.clamp(FREE_ID_BOUND, MAX_ID_BOUND);
    if words[3] == 0 || words[3] > most {
        return Err(Error::spirv(format!(
            "expected an id bound of 1 to {most:#x}, found {:#x}",
            words[3]
        )));
    }
    if words[4] != 0 {
        return Err(Error::spirv(format!(
            "expected 0 as the header's fifth word, found {:#x}",
            words[4]
        )));
    }
    let [_, minor, major, _] = words[1].to_le_bytes();
    if words[1] & 0xFF00_00FF != 0 || major != 1 || minor > NEWEST_MINOR {
        return Err(Error::spirv(format!(
            "expected SPIR-V 1.0 to 1.{NEWEST_MINOR}, found the version word {:#010x}",
            words[1]
        )));
    }
    check_instructions(&words)?;
    Ok(words)
}

/// Checks what the parser takes for granted: that instructions end where the
/// next one begins, and the last one where the module does; and that operations
/// on constants are some that constants may have.
fn check_instructions(words: &[u32]) -> Result<(), Error> {
    let mut at = HEADER_WORDS;
    while let Some(first) = words.get(at) {
        let length = (first >> 16) as usize;
        let left = words.len() - at;
        if length == 0 || length > left {
            return Err(Error::spirv(format!(
                "not a well-formed module: expected an instruction of 1 to {left} words at word {at}, found {length}"
            )));
        }
        let operation = words.get(at + 3).copied().unwrap_or_default();
        let is_operation = first & 0xFFFF == Op::SpecConstantOp as u32;
        if is_operation && !Op::from_u32(operation).is_some_and(check::may_be_constant) {
            return Err(Error::spirv(format!(
                "expected an operation that constants may have at word {at}, found opcode {operation}"
            )));
        }
        at += length;
    }
    Ok(())
}

/// Parses `words`.
pub(super) fn load(words: &[u32]) -> Result<Module, Error> {
    // No module is known to make the parser panic, once `words` has checked it.
    // Should one, it is a finding about the module, not a reason to unwind the
    // caller.
    let parsed = std::panic::catch_unwind(|| check::load(words));
    parsed.unwrap_or_else(|_| Err(Error::spirv("not a well-formed module: the parser gave up")))
}

/// Types, constants, variables and decorations of a module by id.
pub(super) struct Index<'m> {
    definitions: HashMap<Word, &'m Instruction>,
    decorations: HashMap<(Word, Decoration), &'m [Operand]>,
    member_offsets: HashMap<(Word, u32), u32>,
    matrix_strides: HashMap<(Word, u32), u32>,
    /// The bytes of types measured before: without it, structs that name one
    /// type several times, level upon level, take exponential time, and many
    /// variables of one type quadratic time.
    measured: RefCell<HashMap<Word, u32>>,
    /// By struct.
    read_only_members: HashMap<Word, HashSet<u32>>,
}

impl<'m> Index<'m> {
    pub(super) fn new(module: &'m Module) -> Self {
        let definitions = module
            .types_global_values
            .iter()
            .filter_map(|i| i.result_id.map(|id| (id, i)))
            .collect();
        let mut decorations = HashMap::new();
        let mut member_offsets = HashMap::new();
        let mut matrix_strides = HashMap::new();
        let mut read_only_members: HashMap<_, HashSet<u32>> = HashMap::new();
        for annotation in &module.annotations {
            match (annotation.class.opcode, annotation.operands.as_slice()) {
                (Op::Decorate, [Operand::IdRef(id), Operand::Decoration(kind), rest @ ..]) => {
                    decorations.insert((*id, *kind), rest);
                }
                (
                    Op::MemberDecorate,
                    [
                        Operand::IdRef(id),
                        Operand::LiteralBit32(member),
                        Operand::Decoration(Decoration::Offset),
                        Operand::LiteralBit32(offset),
                    ],
                ) => {
                    member_offsets.insert((*id, *member), *offset);
                }
                (
                    Op::MemberDecorate,
                    [
                        Operand::IdRef(id),
                        Operand::LiteralBit32(member),
                        Operand::Decoration(Decoration::MatrixStride),
                        Operand::LiteralBit32(stride),
                    ],
                ) => {
                    matrix_strides.insert((*id, *member), *stride);
                }
                (
                    Op::MemberDecorate,
                    [
                        Operand::IdRef(id),
                        Operand::LiteralBit32(member),
                        Operand::Decoration(Decoration::NonWritable),
                    ],
                ) => {
                    read_only_members.entry(*id).or_default().insert(*member);
                }
                _ => {}
            }
        }
        Self {
            definitions,
            decorations,
            member_offsets,
            matrix_strides,
            measured: RefCell::default(),
            read_only_members,
        }
    }

    /// The type, constant or variable with this id.
    pub(super) fn get(&self, id: Word) -> Result<&'m Instruction, Error> {
        self.definitions
            .get(&id)
            .copied()
            .ok_or_else(|| Error::spirv(format!("id %{id} is used but not defined")))
    }

    pub(super) fn is_decorated(&self, id: Word, kind: Decoration) -> bool {
        self.decorations.contains_key(&(id, kind))
    }

    /// Whether the module promises not to write the buffer `variable`, whose
    /// struct is `block`: by the variable, or by each of the struct's members.
    /// (A member that the struct does not have is refused by the check.)
    pub(super) fn is_read_only(&self, variable: Word, block: &Instruction) -> bool {
        let id = block.result_id.unwrap_or_default();
        let promised = self.read_only_members.get(&id).map_or(0, HashSet::len);
        self.is_decorated(variable, Decoration::NonWritable) || promised >= block.operands.len()
    }

    /// The ids that carry `kind`, with its operands.
    pub(super) fn decorated(
        &self,
        kind: Decoration,
    ) -> impl Iterator<Item = (Word, &'m [Operand])> + '_ {
        let all = self.decorations.iter();
        all.filter(move |((_, found), _)| *found == kind)
            .map(|((id, _), operands)| (*id, *operands))
    }

    /// The literal operand of a decoration such as `Binding`.
    pub(super) fn literal(&self, id: Word, kind: Decoration) -> Option<u32> {
        match self.decorations.get(&(id, kind)) {
            Some([Operand::LiteralBit32(value)]) => Some(*value),
            _ => None,
        }
    }

    /// The value of a 32-bit (specialization) constant.
    pub(super) fn constant(&self, id: Word) -> Result<u32, Error> {
        let constant = self.get(id)?;
        match (constant.class.opcode, constant.operands.as_slice()) {
            (Op::Constant | Op::SpecConstant, [Operand::LiteralBit32(value)]) => Ok(*value),
            (other, _) => Err(Error::spirv(format!(
                "expected %{id} to be a 32-bit constant, found {other:?}"
            ))),
        }
    }

    /// The bytes that a push constant block of type `id` covers.
    pub(super) fn block_bytes(&self, id: Word) -> Result<u32, Error> {
        self.type_bytes(id, 0, &mut self.measured.borrow_mut())
    }

    /// `known` holds the types measured before.
    fn type_bytes(
        &self,
        id: Word,
        depth: u32,
        known: &mut HashMap<Word, u32>,
    ) -> Result<u32, Error> {
        if let Some(bytes) = known.get(&id) {
            return Ok(*bytes);
        }
        // Types nest a few levels deep; a module whose types form a cycle
        // must not overflow the stack.
        if depth > 16 {
            return Err(Error::spirv(
                "push constant types nested deeper than 16 levels",
            ));
        }
        let kind = self.get(id)?;
        let bytes = match (kind.class.opcode, kind.operands.as_slice()) {
            (Op::TypeInt | Op::TypeFloat, [Operand::LiteralBit32(width), ..]) => width / 8,
            (Op::TypeVector, [Operand::IdRef(of), Operand::LiteralBit32(count)]) => {
                let one = self.type_bytes(*of, depth + 1, known)?;
                one.checked_mul(*count).ok_or_else(too_large)?
            }
            (Op::TypeArray, [Operand::IdRef(_), Operand::IdRef(count)]) => {
                let stride = self.literal(id, Decoration::ArrayStride).ok_or_else(|| {
                    Error::spirv("an array in the push constant block has no ArrayStride")
                })?;
                let count = self.constant(*count)?;
                stride.checked_mul(count).ok_or_else(too_large)?
            }
            (Op::TypeStruct, members) => {
                let mut bytes = 0;
                for (member, operand) in (0..).zip(members) {
                    let Operand::IdRef(of) = operand else {
                        continue;
                    };
                    let offset = self.member_offset(id, member)?;
                    let matrix = self.matrix_bytes(id, member, *of)?;
                    let inner = match matrix {
                        Some(bytes) => bytes,
                        None => self.type_bytes(*of, depth + 1, known)?,
                    };
                    let end = offset.checked_add(inner);
                    bytes = bytes.max(end.ok_or_else(too_large)?);
                }
                bytes
            }
            (other, _) => {
                return Err(Error::spirv(format!(
                    "expected integers, floats, vectors, arrays and structs in the push constant block, found {other:?}"
                )));
            }
        };
        known.insert(id, bytes);
        Ok(bytes)
    }

    /// The bytes of a member that is a matrix, which its own decoration lays
    /// out: as many strides as it has columns or rows.
    fn matrix_bytes(&self, id: Word, member: u32, of: Word) -> Result<Option<u32>, Error> {
        let matrix = self.get(of)?;
        let (Op::TypeMatrix, [Operand::IdRef(column), Operand::LiteralBit32(columns)]) =
            (matrix.class.opcode, matrix.operands.as_slice())
        else {
            return Ok(None);
        };
        let rows = match self.get(*column)?.operands.as_slice() {
            [_, Operand::LiteralBit32(rows)] => *rows,
            _ => 0,
        };
        let stride = self
            .matrix_strides
            .get(&(id, member))
            .ok_or_else(|| Error::spirv(format!("member {member} of %{id} has no MatrixStride")))?;
        let bytes = stride.checked_mul(rows.max(*columns));
        bytes.map(Some).ok_or_else(too_large)
    }

    pub(super) fn member_offset(&self, id: Word, member: u32) -> Result<u32, Error> {
        let offset = self.member_offsets.get(&(id, member)).copied();
        offset.ok_or_else(|| Error::spirv(format!("member {member} of %{id} has no Offset")))
    }
}

pub(super) fn too_large() -> Error {
    Error::spirv("push constant block larger than 4 GiB")
}
