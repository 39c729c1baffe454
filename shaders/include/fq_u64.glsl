// The BLS12-381 base field in 64-bit limbs: Fq is 6 limbs, least significant
// first. Needs shaderInt64. Written out limb by limb, as in fq_u32.glsl.

#ifndef FQ_U64_GLSL
#define FQ_U64_GLSL

#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require

#include "fq_modulus.glsl"

struct Fq {
    uint64_t l0, l1, l2, l3, l4, l5;
};

// x + y + carry, with carry 0 or 1 in and out. Both overflow tests are needed:
// with y = 2^64 - 1 and carry = 1, sum == x although a carry left the limb.
uint64_t add_limb(uint64_t x, uint64_t y, inout uint64_t carry) {
    uint64_t partial = x + y;
    uint64_t sum = partial + carry;
    carry = uint64_t(partial < x) | uint64_t(sum < partial);
    return sum;
}

// x - y - borrow, with borrow 0 or 1 in and out.
uint64_t sub_limb(uint64_t x, uint64_t y, inout uint64_t borrow) {
    uint64_t partial = x - y;
    uint64_t difference = partial - borrow;
    borrow = uint64_t(x < y) | uint64_t(partial < borrow);
    return difference;
}

// a + b mod p, the same function as fq_add in fq_u32.glsl on every input.
Fq fq_add(Fq a, Fq b) {
    uint64_t carry = 0ul;
    Fq sum;
    sum.l0 = add_limb(a.l0, b.l0, carry);
    sum.l1 = add_limb(a.l1, b.l1, carry);
    sum.l2 = add_limb(a.l2, b.l2, carry);
    sum.l3 = add_limb(a.l3, b.l3, carry);
    sum.l4 = add_limb(a.l4, b.l4, carry);
    sum.l5 = add_limb(a.l5, b.l5, carry);

    uint64_t borrow = 0ul;
    Fq reduced;
    reduced.l0 = sub_limb(sum.l0, packUint2x32(FQ_MODULUS_LOW.xy), borrow);
    reduced.l1 = sub_limb(sum.l1, packUint2x32(FQ_MODULUS_LOW.zw), borrow);
    reduced.l2 = sub_limb(sum.l2, packUint2x32(FQ_MODULUS_MIDDLE.xy), borrow);
    reduced.l3 = sub_limb(sum.l3, packUint2x32(FQ_MODULUS_MIDDLE.zw), borrow);
    reduced.l4 = sub_limb(sum.l4, packUint2x32(FQ_MODULUS_HIGH.xy), borrow);
    reduced.l5 = sub_limb(sum.l5, packUint2x32(FQ_MODULUS_HIGH.zw), borrow);

    bool below = borrow != 0ul;
    return Fq(below ? sum.l0 : reduced.l0, below ? sum.l1 : reduced.l1,
              below ? sum.l2 : reduced.l2, below ? sum.l3 : reduced.l3,
              below ? sum.l4 : reduced.l4, below ? sum.l5 : reduced.l5);
}

#endif
