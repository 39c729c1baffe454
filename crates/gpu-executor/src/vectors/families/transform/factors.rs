//! The factors of a transform's passes, of which `shaders/transform.comp` says what each is
//! for: made on the host, kept by the engine.

use field_kernels::arithmetic::{inverse, mul, square, to_montgomery};
use field_kernels::{Arithmetic, Field as _, Fr, arithmetic};

use super::device::{Pass, TILE};
use crate::vectors::domain::root_of_unity;

type Limbs = [u64; 4];

/// From coefficients to values, or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Inverse,
}

impl Direction {
    pub(super) fn new(inverse: bool) -> Self {
        match inverse {
            true => Self::Inverse,
            false => Self::Forward,
        }
    }
}

/// Factors by a column c and a row r:
/// scale column^c row^rev(r) cell^(c rev(r)), where rev reverses the bits of r, or is r.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// As powers of two.
    columns: u32,
    rows: u32,
    is_reversed: bool,
    scale: Limbs,
    column: Limbs,
    row: Limbs,
    cell: Limbs,
}

/// One.
const ONES: Table = Table {
    columns: 0,
    rows: 0,
    is_reversed: true,
    scale: Fr::ONE,
    column: Fr::ONE,
    row: Fr::ONE,
    cell: Fr::ONE,
};

/// All factors of a transform, one table after the other.
pub(super) struct Factors {
    tables: Vec<Table>,
    /// For each pass where three begin: for rows on the way in, for the next pass's rows and
    /// its own, for the next pass's rows and its blocks; 0 where there is none.
    places: Vec<[u32; 3]>,
}

impl Factors {
    pub(super) fn new(log2: u32, direction: Direction, shift: Limbs, passes: &[Pass]) -> Self {
        let is_inverse = direction == Direction::Inverse;
        let invert = |x: &Limbs| inverse::<Fr>(x).unwrap_or_default();
        let root = |log2| match is_inverse {
            true => invert(&root_of_unity(log2)),
            false => root_of_unity(log2),
        };
        let (of_input, of_output) = match direction {
            Direction::Forward => (shift, Fr::ONE),
            Direction::Inverse => (Fr::ONE, invert(&shift)),
        };
        let scale = match is_inverse {
            true => invert(&to_montgomery::<Fr>(&[1 << log2, 0, 0, 0])),
            false => Fr::ONE,
        };
        // First of all what blocks are transformed by.
        let mut all = Self {
            tables: vec![Table {
                rows: TILE - 1,
                row: root(TILE),
                ..ONES
            }],
            places: Vec::new(),
        };
        let mut next = 1 << (TILE - 1);
        let mut add = |table: Table| {
            let place = next;
            next += 1 << (table.columns + table.rows);
            all.tables.push(table);
            place
        };
        for (number, pass) in passes.iter().enumerate() {
            let Pass { before, levels } = *pass;
            // What is left of the input's power in a row of this pass, and of the output's.
            let in_input = power_of_two(of_input, log2 - before - levels);
            let in_output = power_of_two(of_output, before);
            let mut places = [0; 3];
            if number == 0 && in_input != Fr::ONE {
                places[0] = add(Table {
                    rows: levels,
                    is_reversed: false,
                    row: in_input,
                    ..ONES
                });
            }
            let last = passes.len() - 1;
            // The scale is part of the last table that every element meets.
            let scale = match number == last.saturating_sub(1) {
                true => scale,
                false => Fr::ONE,
            };
            if let Some(after) = passes.get(number + 1) {
                let columns = after.levels;
                places[1] = add(Table {
                    columns,
                    rows: levels,
                    scale,
                    column: power_of_two(of_input, log2 - after.before - columns),
                    row: in_output,
                    cell: root(levels + columns),
                    ..ONES
                });
                if before > 0 {
                    places[2] = add(Table {
                        columns,
                        rows: before,
                        cell: root(before + levels + columns),
                        ..ONES
                    });
                }
            } else if in_output != Fr::ONE || (last == 0 && is_inverse) {
                places[1] = add(Table {
                    rows: levels,
                    scale,
                    row: in_output,
                    ..ONES
                });
            }
            all.places.push(places);
        }
        all
    }

    /// Where the tables of a pass begin, in factors.
    pub(super) fn places(&self, pass: usize) -> [u32; 3] {
        self.places.get(pass).copied().unwrap_or_default()
    }

    /// All of them, as kernels of an arithmetic read them.
    pub(super) fn bytes(&self, arithmetic: Arithmetic) -> Vec<u8> {
        let factors = self.tables.iter().flat_map(Table::factors);
        match arithmetic {
            Arithmetic::F64 => {
                // By the Montgomery product with 2^255: w 2^256 is at hand.
                let two = arithmetic::double::<Fr>(&Fr::ONE);
                let half = inverse::<Fr>(&two).unwrap_or_default();
                let limbs = factors.flat_map(|factor| signed_limbs(&mul::<Fr>(&factor, &half)));
                limbs.flat_map(|limb| (limb as f64).to_ne_bytes()).collect()
            }
            _ => factors.flatten().flat_map(u64::to_ne_bytes).collect(),
        }
    }
}

impl Table {
    /// Column by column.
    fn factors(&self) -> impl Iterator<Item = Limbs> + use<> {
        let table = *self;
        let columns = powers(table.scale, table.column).zip(powers(table.row, table.cell));
        columns
            .take(1 << table.columns)
            .flat_map(move |(first, step)| {
                let rows: Vec<_> = powers(first, step).take(1 << table.rows).collect();
                (0..1_usize << table.rows).map(move |row| match table.is_reversed {
                    true => rows[reversed(row, table.rows)],
                    false => rows[row],
                })
            })
    }
}

/// first, first step, first step^2 and so on.
fn powers(first: Limbs, step: Limbs) -> impl Iterator<Item = Limbs> {
    std::iter::successors(Some(first), move |power| Some(mul::<Fr>(power, &step)))
}

/// x^(2^log2).
fn power_of_two(x: Limbs, log2: u32) -> Limbs {
    (0..log2).fold(x, |x, _| square::<Fr>(&x))
}

/// The lowest `bits` bits of a number from the last to the first.
fn reversed(number: usize, bits: u32) -> usize {
    let reversed = number.reverse_bits().checked_shr(usize::BITS - bits);
    reversed.unwrap_or_default()
}

/// Bits of the limbs of factors in doubles.
const BITS: u32 = 51;

/// x, from -p / 2 to p / 2, in five limbs of 51 bits from -2^50 to 2^50, as the double units
/// take factors. A double holds them exactly.
fn signed_limbs(x: &Limbs) -> [i64; 5] {
    let other = arithmetic::neg::<Fr>(x);
    let is_less = other.iter().rev().lt(x.iter().rev());
    let (size, sign) = if is_less { (other, -1) } else { (*x, 1) };
    let mut carry = 0;
    [0, 1, 2, 3, 4].map(|number| {
        let mut limb = bits(&size, number * BITS).cast_signed() + carry;
        carry = 0;
        if number < 4 && limb >= 1 << (BITS - 1) {
            limb -= 1 << BITS;
            carry = 1;
        }
        sign * limb
    })
}

/// 51 bits of x from one on.
fn bits(x: &Limbs, first: u32) -> u64 {
    let (limb, shift) = ((first / 64) as usize, first % 64);
    let above = x.get(limb + 1).copied().unwrap_or_default();
    let above = above.checked_shl(64 - shift).unwrap_or_default();
    (x[limb] >> shift | above) & ((1 << BITS) - 1)
}

#[cfg(test)]
mod tests {
    use field_kernels::edge::edge_elements;

    use super::*;

    #[test]
    fn limbs_for_doubles_stand_for_the_element() {
        for x in edge_elements::<Fr>() {
            let limbs = signed_limbs(&x);
            let radix = to_montgomery::<Fr>(&[1 << BITS, 0, 0, 0]);
            // Their value modulo p.
            let value = limbs.iter().rev().fold([0; 4], |value, limb| {
                let size = to_montgomery::<Fr>(&[limb.unsigned_abs(), 0, 0, 0]);
                let raised = mul::<Fr>(&value, &radix);
                match *limb < 0 {
                    true => arithmetic::sub::<Fr>(&raised, &size),
                    false => arithmetic::add::<Fr>(&raised, &size),
                }
            });
            assert_eq!(value, to_montgomery::<Fr>(&x));
            assert!(
                limbs[..4].iter().all(|limb| limb.abs() <= 1 << 50),
                "{limbs:?}"
            );
            assert!(limbs[4].abs() < 1 << 50, "{limbs:?}");
        }
    }
}
