//! The generated constants of both fields against num-bigint.

use num_bigint::BigUint;
use shader_compiler::field_constants;

/// What the tests know of a field.
struct Field {
    name: &'static str,
    /// As published.
    modulus: &'static [u8],
    limbs: usize,
}

const FIELDS: [Field; 2] = [
    Field {
        name: "fp",
        modulus: b"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf\
                   6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
        limbs: 6,
    },
    Field {
        name: "fr",
        modulus: b"73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001",
        limbs: 4,
    },
];

impl Field {
    fn modulus(&self) -> BigUint {
        BigUint::parse_bytes(self.modulus, 16).unwrap()
    }

    fn contents(&self) -> String {
        let limbs: Vec<u64> = self.modulus().iter_u64_digits().collect();
        assert_eq!(limbs.len(), self.limbs);
        let generated = field_constants(self.name, &limbs);
        assert_eq!(
            generated.path,
            format!("include/bls12_381_{}.glsl", self.name)
        );
        generated.contents
    }
}

/// The one macro of this name, as it stands there.
fn raw<'a>(contents: &'a str, name: &str) -> &'a str {
    let start = format!("#define {name} ");
    let found: Vec<&str> = contents
        .lines()
        .filter_map(|line| line.strip_prefix(&start))
        .collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

fn word(contents: &str, name: &str) -> u64 {
    let value = raw(contents, name).strip_suffix('u').unwrap();
    match value.strip_prefix("0x") {
        Some(hex) => {
            assert_eq!(hex.len(), 8, "{name}");
            u64::from_str_radix(hex, 16).unwrap()
        }
        None => value.parse().unwrap(),
    }
}

fn number(contents: &str, name: &str) -> usize {
    raw(contents, name).parse().unwrap()
}

/// `NAME_0 + NAME_1 2^width + ...`; the number after the last is no macro.
fn value(width: usize, count: usize, contents: &str, name: &str) -> BigUint {
    assert!(!contents.contains(&format!("#define {name}_{count} ")));
    let limbs = (0..count).map(|index| {
        let name = format!("{name}_{index}");
        let limb = match raw(contents, &name).strip_suffix(".0lf") {
            Some(double) => double.parse().unwrap(),
            None => word(contents, &name),
        };
        assert!(limb < 1 << width, "{name} = {limb}");
        BigUint::from(limb) << (width * index)
    });
    limbs.sum()
}

/// -p^-1 mod 2^bits.
fn minus_inverse(p: &BigUint, bits: usize) -> BigUint {
    let power = BigUint::from(1_u32) << bits;
    &power - p.modinv(&power).unwrap()
}

#[test]
fn sizes_are_those_of_the_layout() {
    let expected = [
        ("fp", [12, 381, 13, 6, 8, 24], 3),
        ("fr", [8, 255, 9, 14, 6, 50], 2),
    ];
    for (field, (name, sizes, parts)) in FIELDS.iter().zip(expected) {
        let contents = field.contents();
        let names = [
            "FIELD_WORDS",
            "FIELD_BITS",
            "LIMBS30",
            "SHIFT30",
            "LIMBS51",
            "SHIFT51",
        ];
        assert_eq!(
            (field.name, names.map(|name| number(&contents, name))),
            (name, sizes)
        );
        assert_eq!(word(&contents, "FIELD_PARTS"), parts);
    }
}

#[test]
fn every_form_of_the_modulus_is_the_modulus() {
    for field in &FIELDS {
        let contents = field.contents();
        let words = number(&contents, "FIELD_WORDS");
        let (limbs30, limbs51) = (number(&contents, "LIMBS30"), number(&contents, "LIMBS51"));
        assert_eq!(value(32, words, &contents, "P32"), field.modulus());
        assert_eq!(value(30, limbs30, &contents, "P30"), field.modulus());
        assert_eq!(value(51, limbs51, &contents, "P51"), field.modulus());
    }
}

#[test]
fn powers_of_r_are_those_of_num_bigint() {
    for field in &FIELDS {
        let (contents, p) = (field.contents(), field.modulus());
        let words = number(&contents, "FIELD_WORDS");
        let radix = BigUint::from(1_u32) << (32 * words);
        for (exponent, name) in (1..).zip(["R32", "RR32", "RRR32"]) {
            assert_eq!(
                value(32, words, &contents, name),
                radix.pow(exponent) % &p,
                "{name}"
            );
        }
    }
}

#[test]
fn inverses_are_those_of_num_bigint() {
    for field in &FIELDS {
        let (contents, p) = (field.contents(), field.modulus());
        for bits in [32, 30] {
            let found = word(&contents, &format!("P_INV{bits}"));
            assert_eq!(BigUint::from(found), minus_inverse(&p, bits));
        }
        let expected: u64 = minus_inverse(&p, 51).try_into().unwrap();
        assert_eq!(
            raw(&contents, "P_INV51"),
            format!(
                "((uint64_t(0x{:08x}u) << 32) | 0x{:08x}u)",
                expected >> 32,
                expected & 0xffff_ffff
            )
        );
    }
}

/// An include of macros costs a kernel nothing that it does not use.
#[test]
fn there_is_nothing_but_macros() {
    for field in &FIELDS {
        for line in field.contents().lines() {
            let known = ["#define ", "#ifndef ", "#endif", "//"];
            let is_known = line.is_empty() || known.iter().any(|start| line.starts_with(start));
            assert!(is_known, "{line}");
        }
    }
}
