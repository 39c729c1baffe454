//! The moduli, in a file of their own: the command that compiles the shaders reads
//! them from here too. All other constants are computed from them.

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

/// The BLS12-381 scalar field's modulus r, the order of the curve's groups, as 4
/// little-endian 64-bit limbs.
///
/// `0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001`, from the same
/// sources as [`MODULUS`]: the Zcash protocol calls it r<sub>S</sub>, the draft r.
/// r < 2<sup>255</sup>, so the sum of two canonical elements fits 256 bits.
pub const FR_MODULUS: [u64; 4] = [
    0xffff_ffff_0000_0001,
    0x53bd_a402_fffe_5bfe,
    0x3339_d808_09a1_d805,
    0x73ed_a753_299d_7d48,
];
