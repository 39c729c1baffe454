//! The factors of a transform's passes, of which `shaders/transform.comp` says what each is
//! for: made on the host, kept by the engine.
//!
//! In integers a factor is an element, 32 bytes. For the double units
//! (`shaders/include/transform_f64.glsl`) those of which a workgroup reads few are wide, 208
//! bytes: the 256 of the parts of blocks, one for each block and row of the next pass, and
//! of the last pass one for each of its rows.
//! Those by rows of a pass and rows of the next are narrow, 40 bytes. All together are 2.7 MB
//! for 2^20 elements, 18.9 MB for 2^24 and 43 MB for 2^26.

use field_kernels::arithmetic::{bit_reversed, inverse, mul, powers, square, to_montgomery};
use field_kernels::{Arithmetic, Field as _, Fr, arithmetic};

use super::Transform;
use super::device::{MOST_LEVELS, Pass};
use crate::vectors::domain::root_of_unity;

type Limbs = [u64; 4];

/// What a table's factors are multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// All of a part of a block: at any level, or of a coset at one; on the way out of the
    /// last pass, of a row.
    Parts,
    /// On the way out, rows 2r and 2r + 1.
    PairsOut,
    /// On the way out, all of a block that goes to the same row of the next pass.
    Blocks,
}

/// Factors by a column c and a row r, column by column:
/// scale column^c row^rev(r) cell^(c rev(r)), where rev reverses the bits of r.
#[derive(Clone, Copy, Debug)]
struct Table {
    of: Of,
    /// As powers of two.
    columns: u32,
    rows: u32,
    scale: Limbs,
    column: Limbs,
    row: Limbs,
    cell: Limbs,
}

/// One.
const ONES: Table = Table {
    of: Of::Parts,
    columns: 0,
    rows: 0,
    scale: Fr::ONE,
    column: Fr::ONE,
    row: Fr::ONE,
    cell: Fr::ONE,
};

/// All factors of a transform, one table after the other.
pub(super) struct Factors {
    arithmetic: Arithmetic,
    tables: Vec<Table>,
    /// For each pass where three begin: the first of a coset's levels, for the next pass's
    /// rows and its own, for the next pass's rows and its blocks, of the last pass for its
    /// own rows; 0 where there is none.
    places: Vec<[u32; 3]>,
}

impl Factors {
    pub(super) fn new(transform: &Transform, passes: &[Pass], arithmetic: Arithmetic) -> Self {
        let is_inverse = transform.inverse;
        let (log2, shift) = (transform.domain.log2(), transform.domain.shift());
        let invert = |x: &Limbs| inverse::<Fr>(x).unwrap_or_default();
        let root = |log2| match is_inverse {
            true => invert(&root_of_unity(log2)),
            false => root_of_unity(log2),
        };
        let (of_input, of_output) = match is_inverse {
            false => (shift, Fr::ONE),
            true => (Fr::ONE, invert(&shift)),
        };
        let scale = match is_inverse {
            true => invert(&to_montgomery::<Fr>(&[1 << log2, 0, 0, 0])),
            false => Fr::ONE,
        };
        // First of all what blocks are transformed by.
        let parts = Table {
            rows: MOST_LEVELS - 1,
            row: root(MOST_LEVELS),
            ..ONES
        };
        let mut next = parts.size(arithmetic);
        let mut all = Self {
            arithmetic,
            tables: vec![parts],
            places: Vec::new(),
        };
        let mut add = |table: Table| {
            let place = next;
            next += table.size(arithmetic);
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
                // A part of level k has n / 2^k elements, and its halves' powers differ by
                // shift^(n / 2^(k + 1)).
                let of_level = |level| Table {
                    rows: level,
                    scale: power_of_two(in_input, levels - 1 - level),
                    row: root(level + 1),
                    ..ONES
                };
                places[0] = add(of_level(0));
                for level in 1..levels {
                    add(of_level(level));
                }
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
                    of: Of::PairsOut,
                    columns,
                    rows: levels,
                    scale,
                    column: power_of_two(of_input, log2 - after.before - columns),
                    row: in_output,
                    cell: root(levels + columns),
                });
                if before > 0 {
                    places[2] = add(Table {
                        of: Of::Blocks,
                        columns,
                        rows: before,
                        cell: root(before + levels + columns),
                        ..ONES
                    });
                }
            } else if in_output != Fr::ONE || (last == 0 && is_inverse) {
                places[2] = add(Table {
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

    /// Where the tables of a pass begin: in elements, or in pairs of doubles.
    pub(super) fn places(&self, pass: usize) -> [u32; 3] {
        self.places.get(pass).copied().unwrap_or_default()
    }

    /// All of them, as kernels of the arithmetic read them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.arithmetic {
            Arithmetic::F64 => {
                let doubles = self.tables.iter().flat_map(Table::doubles);
                doubles.flat_map(f64::to_ne_bytes).collect()
            }
            _ => {
                let limbs = self.tables.iter().flat_map(Table::factors).flatten();
                limbs.flat_map(u64::to_ne_bytes).collect()
            }
        }
    }
}

/// Two doubles, which a kernel reads at once.
type Pair = [f64; 2];
/// Pairs of a wide factor: 25 doubles, and one for nothing. Of two narrow factors.
const WIDE: usize = 13;
const TWO_NARROW: usize = 5;

impl Table {
    /// In elements, or in pairs of doubles.
    fn size(&self, arithmetic: Arithmetic) -> u32 {
        let factors = 1 << (self.columns + self.rows);
        let pairs = match self.of {
            Of::Parts | Of::Blocks => WIDE * factors,
            Of::PairsOut => TWO_NARROW * factors / 2,
        };
        let size = match arithmetic {
            Arithmetic::F64 => pairs,
            _ => factors,
        };
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    fn factors(&self) -> impl Iterator<Item = Limbs> + use<> {
        let table = *self;
        let columns =
            powers::<Fr>(table.scale, table.column).zip(powers::<Fr>(table.row, table.cell));
        columns
            .take(1 << table.columns)
            .flat_map(move |(first, step)| {
                let rows: Vec<_> = powers::<Fr>(first, step).take(1 << table.rows).collect();
                (0..rows.len()).map(move |place| rows[bit_reversed(place, table.rows)])
            })
    }

    /// For the double units. What neighbouring invocations read at once, of different factors,
    /// is side by side; of a block all of them read one factor, which is therefore in one place.
    fn doubles(&self) -> Vec<f64> {
        let powers = powers_of_radix();
        let factors = self.factors();
        match self.of {
            Of::Parts => planes(&factors.map(|w| wide(&w, &powers)).collect::<Vec<_>>()),
            Of::Blocks => factors.flat_map(|w| wide(&w, &powers)).flatten().collect(),
            Of::PairsOut => {
                let factors: Vec<_> = factors.collect();
                let pairs = factors.as_chunks().0.iter();
                planes(&pairs.map(|w| two_narrow(w, &powers)).collect::<Vec<_>>())
            }
        }
    }
}

/// The first pairs of all, then the second ones of all, and so on.
fn planes<const N: usize>(all: &[[Pair; N]]) -> Vec<f64> {
    let planes = (0..N).flat_map(|plane| all.iter().flat_map(move |pairs| pairs[plane]));
    planes.collect()
}

/// x^(2^log2).
fn power_of_two(x: Limbs, log2: u32) -> Limbs {
    (0..log2).fold(x, |x, _| square::<Fr>(&x))
}

/// Bits of the limbs of factors in doubles.
const BITS: u32 = 51;

/// 2^51 modulo p, 2^102 and so on, not in Montgomery form.
fn powers_of_radix() -> [Limbs; 5] {
    let raised = |x: &Limbs| (0..BITS).fold(*x, |x, _| arithmetic::double::<Fr>(&x));
    let mut power = [1, 0, 0, 0];
    [(); 5].map(|()| {
        power = raised(&power);
        power
    })
}

/// By what digits 0 to 4 of 51 bits of an element are multiplied, for their sum to be w 2^51
/// times the element: the limbs of w 2^51, w 2^102 and so on.
fn wide(w: &Limbs, powers: &[Limbs; 5]) -> [Pair; WIDE] {
    let mut limbs = powers.iter().flat_map(|power| narrow(w, power));
    [(); WIDE].map(|()| [(); 2].map(|()| limbs.next().unwrap_or_default()))
}

/// The limbs of w 2^255 for both of a pair, lowest first.
fn two_narrow([a, b]: &[Limbs; 2], [.., last]: &[Limbs; 5]) -> [Pair; TWO_NARROW] {
    let (a, b) = (narrow(a, last), narrow(b, last));
    [0, 1, 2, 3, 4].map(|limb| [a[limb], b[limb]])
}

/// The limbs of w, which is in Montgomery form, times a power that is not.
fn narrow(w: &Limbs, power: &Limbs) -> [f64; 5] {
    signed_limbs(&mul::<Fr>(w, power)).map(|limb| limb as f64)
}

/// x, from -p / 2 to p / 2, in five limbs of 51 bits from -2^50 to 2^50, as the double units
/// take factors. A double holds them exactly.
fn signed_limbs(x: &Limbs) -> [i64; 5] {
    let other = arithmetic::neg::<Fr>(x);
    let is_less = other.iter().rev().lt(x.iter().rev());
    let (size, sign) = if is_less { (other, -1) } else { (*x, 1) };
    let mut carry = 0;
    let limbs = [0, 1, 2, 3, 4].map(|number| {
        let mut limb = bits(&size, number * BITS).cast_signed() + carry;
        carry = 0;
        if number < 4 && limb >= 1 << (BITS - 1) {
            limb -= 1 << BITS;
            carry = 1;
        }
        sign * limb
    });
    // What the kernel's bounds rest on.
    debug_assert!(limbs.iter().all(|limb| limb.abs() <= 1 << (BITS - 1)));
    limbs
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

    use super::super::device::passes;
    use super::*;
    use crate::vectors::Domain;

    /// The value of limbs of 51 bits modulo p, in Montgomery form.
    fn value(limbs: &[i64]) -> Limbs {
        let radix = to_montgomery::<Fr>(&[1 << BITS, 0, 0, 0]);
        limbs.iter().rev().fold([0; 4], |value, limb| {
            let size = to_montgomery::<Fr>(&[limb.unsigned_abs(), 0, 0, 0]);
            let raised = mul::<Fr>(&value, &radix);
            match *limb < 0 {
                true => arithmetic::sub::<Fr>(&raised, &size),
                false => arithmetic::add::<Fr>(&raised, &size),
            }
        })
    }

    #[test]
    fn limbs_for_doubles_stand_for_the_element() {
        for x in edge_elements::<Fr>() {
            let limbs = signed_limbs(&x);
            assert_eq!(value(&limbs), to_montgomery::<Fr>(&x));
            assert!(
                limbs[..4].iter().all(|limb| limb.abs() <= 1 << 50),
                "{limbs:?}"
            );
            assert!(limbs[4].abs() < 1 << 50, "{limbs:?}");
        }
    }

    /// Digit by digit: what the kernel's sum is.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a limb is an integer of 51 bits"
    )]
    #[test]
    fn an_element_times_a_wide_factor_is_their_product_raised_by_a_digit() {
        let radix = to_montgomery::<Fr>(&[1 << BITS, 0, 0, 0]);
        for w in edge_elements::<Fr>() {
            let factor = wide(&w, &powers_of_radix()).concat();
            assert_eq!(factor[25], 0.0);
            for x in edge_elements::<Fr>() {
                let parts = signed_limbs(&x).into_iter().zip(factor.chunks(5));
                let sum = parts.fold([0; 4], |sum, (digit, part)| {
                    let part: Vec<_> = part.iter().map(|limb| *limb as i64).collect();
                    let product = mul::<Fr>(&value(&[digit]), &value(&part));
                    arithmetic::add::<Fr>(&sum, &product)
                });
                // Of x in Montgomery form, and w likewise: the product of both once more.
                let product = to_montgomery::<Fr>(&mul::<Fr>(&x, &w));
                assert_eq!(sum, mul::<Fr>(&product, &radix));
            }
        }
    }

    #[test]
    fn tables_are_where_they_are_said_to_be_and_of_the_sizes_told() {
        let domain = |log2: u32| Domain::new(1 << log2).unwrap();
        let coset = |log2| Transform::forward(&domain(log2).coset_of_generator());
        for (arithmetic, unit) in [(Arithmetic::U32, 32), (Arithmetic::F64, 16)] {
            for log2 in [1, 9, 10, 19] {
                let passes = passes(log2);
                let factors = Factors::new(&coset(log2), &passes, arithmetic);
                let sizes = factors.tables.iter().map(|table| table.size(arithmetic));
                let mut ends = sizes.scan(0, |end, size| {
                    *end += size;
                    Some(*end)
                });
                for (pass, places) in passes.iter().zip(&factors.places) {
                    let [levels, tables @ ..] = places;
                    if *levels > 0 {
                        // One of 2^k factors for each, one after the other.
                        let size = factors.tables[0].size(arithmetic) >> (MOST_LEVELS - 1);
                        for level in 0..pass.levels {
                            let before = size * ((1 << level) - 1);
                            assert_eq!(ends.next(), Some(levels + before));
                        }
                    }
                    for place in tables.iter().filter(|place| **place > 0) {
                        assert_eq!(ends.next(), Some(*place));
                    }
                }
                let end = ends.next().unwrap() as usize;
                assert_eq!(ends.next(), None);
                assert_eq!(factors.bytes().len(), unit * end);
            }
        }
        let bytes = |log2: u32| {
            let passes = passes(log2);
            let transform = Transform::forward(&domain(log2));
            let all = Factors::new(&transform, &passes, Arithmetic::F64);
            let sizes = all.tables.iter().map(|table| table.size(Arithmetic::F64));
            16 * sizes.sum::<u32>()
        };
        assert_eq!([20, 24, 26].map(bytes), [2_740_224, 18_927_616, 43_044_864]);
    }
}
