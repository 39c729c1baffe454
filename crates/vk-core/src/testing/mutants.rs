//! Damaged SPIR-V modules: the same ones for the same seed, everywhere.

/// `module` with one to three mistakes in it, chosen by `seed`.
///
/// Some mistakes are those of a broken file (bits, words, the end missing),
/// some those of a wrong compiler (instructions missing, doubled, moved or in
/// another's place, other ids and other values).
#[must_use]
pub fn mutant(module: &[u8], seed: u64) -> Vec<u8> {
    let words = module.chunks_exact(4);
    let mut words: Vec<u32> = words
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D);
    let mistakes = match random.below(10) {
        0..=6 => 1,
        7..=8 => 2,
        _ => 3,
    };
    for _ in 0..mistakes {
        damage(&mut words, &mut random);
    }
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// SplitMix64: small, and the same on every platform.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    fn below(&mut self, end: usize) -> usize {
        let wide = self.next() % (end.max(1) as u64);
        usize::try_from(wide).unwrap_or(0)
    }

    fn word(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.next().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

const HEADER: usize = 5;

/// Where instructions begin, and their words; as far as their lengths hold.
fn instructions(words: &[u32]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while let Some(word) = words.get(at) {
        let length = (word >> 16) as usize;
        if length == 0 || at + length > words.len() {
            break;
        }
        found.push((at, length));
        at += length;
    }
    found
}

fn damage(words: &mut Vec<u32>, random: &mut Random) {
    let spans = instructions(words);
    if spans.is_empty() {
        return;
    }
    let (at, length) = spans[random.below(spans.len())];
    let (other, other_length) = spans[random.below(spans.len())];
    let operand = at + 1 + random.below(length.saturating_sub(1).max(1));
    let operand = operand.min(words.len() - 1);
    let place = random.below(words.len());
    let bound = words.get(3).copied().unwrap_or(1).max(1);
    match random.below(16) {
        0 => words[place] ^= 1 << random.below(32),
        1 => words[place] = words[random.below(words.len())],
        2 => words[place] = extreme(random),
        // An operand becomes another id, near or anywhere.
        3 | 4 => words[operand] = random.word() % bound,
        5 => words[operand] = words[operand].wrapping_add(1),
        6 => words[operand] = words[operand].wrapping_sub(1),
        7 => words[operand] = extreme(random),
        8 => words[operand] = words[(other + 1).min(words.len() - 1)],
        9 => drop(words.drain(at..at + length)),
        10 => insert(words, at..at, (at, length)),
        11 => insert(words, at..at, (other, other_length)),
        12 => insert(words, at..at + length, (other, other_length)),
        // Another opcode of the module, with the operands as they were.
        13 => words[at] = words[at] & 0xFFFF_0000 | words[other] & 0xFFFF,
        14 => match random.below(3) {
            0 => drop(words.remove(place)),
            1 => words.insert(place, random.word()),
            _ => words.truncate(place.max(HEADER)),
        },
        _ => {
            let second = spans[random.below(spans.len())];
            insert(words, at..at, second);
            if second.0 >= at + length {
                let moved = second.0 + second.1;
                words.drain(moved..moved + second.1);
            }
        }
    }
}

/// Puts a copy of so many words from there on in the place of others.
fn insert(words: &mut Vec<u32>, place: std::ops::Range<usize>, (from, length): (usize, usize)) {
    let copy = words[from..from + length].to_vec();
    words.splice(place, copy);
}

fn extreme(random: &mut Random) -> u32 {
    let (small, middle) = ([0, 1, 2, 3, 64, 0x7F, 0xFF], [0xFFFF, 0x1_0000]);
    let large = [0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];
    let values = [&small[..], &middle, &large].concat();
    values[random.below(values.len())]
}
