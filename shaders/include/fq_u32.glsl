// The BLS12-381 base field in 32-bit words: Fq is 12 words, least significant
// first, held as three uvec4. Needs no 64-bit integers.
//
// Written out limb by limb on purpose. A rolled loop costs an index and a branch
// a limb, and one software driver stops, without a word, after 65,535 loop
// iterations in an invocation.

#ifndef FQ_U32_GLSL
#define FQ_U32_GLSL

#include "fq_modulus.glsl"

struct Fq {
    uvec4 low;
    uvec4 middle;
    uvec4 high;
};

// x + y + carry, with carry 0 or 1 in and out. At most one of the two additions
// overflows: if x + y does, its low word is at most 2^32 - 2.
uint add_word(uint x, uint y, inout uint carry) {
    uint overflow_xy, overflow_carry;
    uint partial = uaddCarry(x, y, overflow_xy);
    uint sum = uaddCarry(partial, carry, overflow_carry);
    carry = overflow_xy | overflow_carry;
    return sum;
}

// x - y - borrow, with borrow 0 or 1 in and out. At most one of the two
// subtractions underflows: if x - y does, its low word is at least 1.
uint sub_word(uint x, uint y, inout uint borrow) {
    uint underflow_xy, underflow_borrow;
    uint partial = usubBorrow(x, y, underflow_xy);
    uint difference = usubBorrow(partial, borrow, underflow_borrow);
    borrow = underflow_xy | underflow_borrow;
    return difference;
}

uvec4 add_words(uvec4 x, uvec4 y, inout uint carry) {
    uvec4 sum;
    sum.x = add_word(x.x, y.x, carry);
    sum.y = add_word(x.y, y.y, carry);
    sum.z = add_word(x.z, y.z, carry);
    sum.w = add_word(x.w, y.w, carry);
    return sum;
}

uvec4 sub_words(uvec4 x, uvec4 y, inout uint borrow) {
    uvec4 difference;
    difference.x = sub_word(x.x, y.x, borrow);
    difference.y = sub_word(x.y, y.y, borrow);
    difference.z = sub_word(x.z, y.z, borrow);
    difference.w = sub_word(x.w, y.w, borrow);
    return difference;
}

Fq select(bool first, Fq x, Fq y) {
    bvec4 mask = bvec4(first);
    return Fq(mix(y.low, x.low, mask), mix(y.middle, x.middle, mask), mix(y.high, x.high, mask));
}

// a + b mod p.
//
// a, b < p gives a + b < 2p < 2^382: no carry leaves the 384 bits, and one
// conditional subtraction of p makes the sum canonical. For other input the carry
// out of 384 bits is dropped and p is subtracted once if it fits: the result is
// s - p if s >= p else s, where s = (a + b) mod 2^384.
Fq fq_add(Fq a, Fq b) {
    uint carry = 0u;
    Fq sum;
    sum.low = add_words(a.low, b.low, carry);
    sum.middle = add_words(a.middle, b.middle, carry);
    sum.high = add_words(a.high, b.high, carry);

    uint borrow = 0u;
    Fq reduced;
    reduced.low = sub_words(sum.low, FQ_MODULUS_LOW, borrow);
    reduced.middle = sub_words(sum.middle, FQ_MODULUS_MIDDLE, borrow);
    reduced.high = sub_words(sum.high, FQ_MODULUS_HIGH, borrow);
    return select(borrow != 0u, sum, reduced);
}

// a - b mod p.
//
// a, b < p gives a - b > -p, so adding p once where the subtraction borrowed makes
// the difference canonical. For other input the result is d + p (mod 2^384) if
// a < b else d, where d = (a - b) mod 2^384.
Fq fq_sub(Fq a, Fq b) {
    uint borrow = 0u;
    Fq difference;
    difference.low = sub_words(a.low, b.low, borrow);
    difference.middle = sub_words(a.middle, b.middle, borrow);
    difference.high = sub_words(a.high, b.high, borrow);

    uint carry = 0u;
    Fq raised;
    raised.low = add_words(difference.low, FQ_MODULUS_LOW, carry);
    raised.middle = add_words(difference.middle, FQ_MODULUS_MIDDLE, carry);
    raised.high = add_words(difference.high, FQ_MODULUS_HIGH, carry);
    return select(borrow != 0u, raised, difference);
}

#endif
