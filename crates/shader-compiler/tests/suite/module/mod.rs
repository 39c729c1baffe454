//! Looks into compiled modules.

/// The instructions as (opcode, operands).
pub(crate) fn instructions(spirv: &[u8]) -> Vec<(u32, Vec<u32>)> {
    let (words, _) = spirv.as_chunks();
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let mut rest = &words[5..];
    let mut found = Vec::new();
    while let Some(&first) = rest.first() {
        let (instruction, next) = rest.split_at((first >> 16) as usize);
        found.push((first & 0xffff, instruction[1..].to_vec()));
        rest = next;
    }
    found
}
