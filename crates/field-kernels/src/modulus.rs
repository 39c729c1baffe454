//! The modulus, in a file of its own: the command that compiles the shaders reads
//! it from here too.

/// The BLS12-381 base field's modulus p as 6 little-endian 64-bit limbs.
///
/// `0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab`,
/// from the curve's definition in the Zcash protocol and
/// [draft-irtf-cfrg-pairing-friendly-curves](https://datatracker.ietf.org/doc/draft-irtf-cfrg-pairing-friendly-curves/).
/// p < 2<sup>381</sup>, so the sum of two canonical elements fits 384 bits.
pub const MODULUS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];
