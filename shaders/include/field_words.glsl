// Field elements in 32-bit words, and what needs no product. No 64-bit integers.

#ifndef FIELD_WORDS_GLSL
#define FIELD_WORDS_GLSL

#ifdef FIELD_FP

// 12 words, least significant first.
struct Elem {
    uvec4 p0, p1, p2;
};

#define ELEM_OF(W) Elem(uvec4(W##_0, W##_1, W##_2, W##_3), uvec4(W##_4, W##_5, W##_6, W##_7), \
                        uvec4(W##_8, W##_9, W##_10, W##_11))
#define ELEM_OF_ARRAY(w) Elem(uvec4(w[0], w[1], w[2], w[3]), uvec4(w[4], w[5], w[6], w[7]), \
                              uvec4(w[8], w[9], w[10], w[11]))
#define EACH_WORD EACH_12
// The initialiser of an array of words.
#define WORDS_OF(e) { e.p0.x, e.p0.y, e.p0.z, e.p0.w, e.p1.x, e.p1.y, e.p1.z, e.p1.w, \
                      e.p2.x, e.p2.y, e.p2.z, e.p2.w }
#define INTEGER_ONE Elem(uvec4(1u, 0u, 0u, 0u), uvec4(0u), uvec4(0u))

#else

// 8 words, least significant first.
struct Elem {
    uvec4 p0, p1;
};

#define ELEM_OF(W) Elem(uvec4(W##_0, W##_1, W##_2, W##_3), uvec4(W##_4, W##_5, W##_6, W##_7))
#define ELEM_OF_ARRAY(w) Elem(uvec4(w[0], w[1], w[2], w[3]), uvec4(w[4], w[5], w[6], w[7]))
#define EACH_WORD EACH_8
#define WORDS_OF(e) { e.p0.x, e.p0.y, e.p0.z, e.p0.w, e.p1.x, e.p1.y, e.p1.z, e.p1.w }
#define INTEGER_ONE Elem(uvec4(1u, 0u, 0u, 0u), uvec4(0u))

#endif

#define MODULUS ELEM_OF(P32)
#define WORDS_OF_MODULUS WORDS_OF(MODULUS)
#define R_SQUARED ELEM_OF(RR32)

// No function: where a driver inlines what is kept as functions, each call leaves
// variables of its own, and Mesa's compiler takes time by the square of their number.
#ifdef MUL_U32
// x + y + carry, with carry 0 or 1 in and out. At most one of the two additions
// overflows: if x + y does, its low word is at most 2^32 - 2.
#define ADD_WORD(sum, x, y) \
    sum = uaddCarry(x, y, overflow_xy); \
    sum = uaddCarry(sum, carry, overflow_carry); \
    carry = overflow_xy | overflow_carry;
#define ADD_WORD_LOCALS uint overflow_xy, overflow_carry;
#else
// The same in 64 bits, which GPUs with such integers do in fewer instructions.
#define ADD_WORD(sum, x, y) \
    wide = uint64_t(x) + uint64_t(y) + uint64_t(carry); \
    carry = uint(wide >> 32); \
    sum = uint(wide);
#define ADD_WORD_LOCALS uint64_t wide;
#endif

uvec4 part_add(uvec4 x, uvec4 y, inout uint carry) {
    uvec4 sum;
    ADD_WORD_LOCALS
    ADD_WORD(sum.x, x.x, y.x)
    ADD_WORD(sum.y, x.y, y.y)
    ADD_WORD(sum.z, x.z, y.z)
    ADD_WORD(sum.w, x.w, y.w)
    return sum;
}

// The difference is x + (2^32 - 1 - y) + 1: what is carried is 0 for a borrow, 1 for none.
uvec4 part_sub(uvec4 x, uvec4 y, inout uint carry) {
    return part_add(x, ~y, carry);
}

// The sum of the integers; no carry leaves the words where it is below 2^384, 2^256.
Elem integer_add(Elem a, Elem b) {
    uint carry = 0u;
    Elem sum;
    sum.p0 = part_add(a.p0, b.p0, carry);
    sum.p1 = part_add(a.p1, b.p1, carry);
#ifdef FIELD_FP
    sum.p2 = part_add(a.p2, b.p2, carry);
#endif
    return sum;
}

// The difference of the integers modulo 2^384, 2^256, and whether it is below zero.
Elem integer_sub(Elem a, Elem b, out bool negative) {
    uint carry = 1u;
    Elem difference;
    difference.p0 = part_sub(a.p0, b.p0, carry);
    difference.p1 = part_sub(a.p1, b.p1, carry);
#ifdef FIELD_FP
    difference.p2 = part_sub(a.p2, b.p2, carry);
#endif
    negative = carry == 0u;
    return difference;
}

Elem select(bool first, Elem x, Elem y) {
    bvec4 mask = bvec4(first);
    Elem chosen;
    chosen.p0 = mix(y.p0, x.p0, mask);
    chosen.p1 = mix(y.p1, x.p1, mask);
#ifdef FIELD_FP
    chosen.p2 = mix(y.p2, x.p2, mask);
#endif
    return chosen;
}

// An integer below 2p, reduced: the last step of a sum and of every product.
Elem reduce_once(Elem x) {
    bool negative;
    Elem reduced = integer_sub(x, MODULUS, negative);
    return select(negative, x, reduced);
}

#ifndef MUL_U32
// What is left of word k after the borrow of the words below, less its share of
// multiple * p.
#define SUBTRACT_MULTIPLE(multiple, k) \
    rest += int64_t(word[k]) - int64_t(uint64_t(multiple) * modulus[k]); \
    word[k] = uint(rest); \
    rest >>= 32;

// An integer without its lower bits, of which p keeps 17 or 19: with x and p so cut off,
// x / (p + 1) rounded down is the quotient of the whole ones or, up to 128p, one less.
#define TOP_BITS_OF(word, above) ((word) >> 12 | (above) << 20)

// An integer below 128p, reduced: x + above * 2^384 or 2^256.
Elem reduce_sum(Elem x, uint above) {
    const uint modulus[FIELD_WORDS] = WORDS_OF_MODULUS;
    uint word[FIELD_WORDS] = WORDS_OF(x);
    uint multiple = TOP_BITS_OF(word[FIELD_WORDS - 1], above)
        / (TOP_BITS_OF(modulus[FIELD_WORDS - 1], 0u) + 1u);
    int64_t rest = 0l;
    EACH_WORD(SUBTRACT_MULTIPLE, multiple)
    return reduce_once(ELEM_OF_ARRAY(word));
}
#endif

Elem f_zero() {
    Elem zero;
    zero.p0 = uvec4(0u);
    zero.p1 = uvec4(0u);
#ifdef FIELD_FP
    zero.p2 = uvec4(0u);
#endif
    return zero;
}

// One in Montgomery form, R mod p.
Elem f_one() {
    return ELEM_OF(R32);
}

bool f_is_zero(Elem a) {
    uvec4 any = a.p0 | a.p1;
#ifdef FIELD_FP
    any |= a.p2;
#endif
    return (any.x | any.y | any.z | any.w) == 0u;
}

bool f_equal(Elem a, Elem b) {
    a.p0 ^= b.p0;
    a.p1 ^= b.p1;
#ifdef FIELD_FP
    a.p2 ^= b.p2;
#endif
    return f_is_zero(a);
}

// Both fields leave the top bit of the words free: a + b < 2p loses no carry.
Elem f_add(Elem a, Elem b) {
    return reduce_once(integer_add(a, b));
}

Elem f_sub(Elem a, Elem b) {
    bool negative;
    Elem difference = integer_sub(a, b, negative);
    return select(negative, integer_add(difference, MODULUS), difference);
}

// p - a, which is p, not canonical, for zero.
Elem f_neg(Elem a) {
    bool negative;
    return select(f_is_zero(a), a, integer_sub(MODULUS, a, negative));
}

Elem f_double(Elem a) {
    return f_add(a, a);
}

#endif
