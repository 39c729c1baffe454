// Montgomery products in 32-bit words, without 64-bit integers.

#ifndef MUL_U32_GLSL
#define MUL_U32_GLSL

// t becomes the low word of x * y + t + carry, whose high word becomes the carry: the
// sum is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. No function, as ADD_WORD.
#define MUL_ADD_U32(x, y, t) \
    umulExtended(x, y, high, low); \
    low = uaddCarry(low, t, overflow_t); \
    t = uaddCarry(low, carry, overflow_carry); \
    carry = high + overflow_t + overflow_carry;

// t += x[i] * y, then t = (t + m * p) / 2^32 with the m that makes the lowest word
// zero. Before and after, t < 2p; the top word of p is below 2^31 - 1, so the two
// carries that meet in the word above never overflow it.
#define ADD_PRODUCT_U32(i, j) MUL_ADD_U32(x[i], y[j], t[j])
#define ADD_MODULUS_U32(m, j) MUL_ADD_U32(m, p[j], t[j])
#define SHIFT_DOWN_U32(last, j) t[j] = j < last ? t[(j + 1) % FIELD_WORDS] : above + carry;
#define ROW_U32(i) \
    carry = 0u; \
    EACH_WORD(ADD_PRODUCT_U32, i) \
    above = carry; \
    m = t[0] * P_INV32; \
    carry = 0u; \
    EACH_WORD(ADD_MODULUS_U32, m) \
    EACH_WORD(SHIFT_DOWN_U32, FIELD_WORDS - 1)

#ifdef FIELD_FP
#define MODULUS_WORDS_U32 { P32_0, P32_1, P32_2, P32_3, P32_4, P32_5, P32_6, P32_7, \
                        P32_8, P32_9, P32_10, P32_11 }
#else
#define MODULUS_WORDS_U32 { P32_0, P32_1, P32_2, P32_3, P32_4, P32_5, P32_6, P32_7 }
#endif

Elem mul_u32(Elem a, Elem b) {
    const uint p[FIELD_WORDS] = MODULUS_WORDS_U32;
    uint x[FIELD_WORDS] = WORDS_OF(a);
    uint y[FIELD_WORDS] = WORDS_OF(b);
    Elem zero = f_zero();
    uint t[FIELD_WORDS] = WORDS_OF(zero);
    uint carry, above, m, high, low, overflow_t, overflow_carry;
    ROW_U32(0)
    ROW_U32(1)
    ROW_U32(2)
    ROW_U32(3)
    ROW_U32(4)
    ROW_U32(5)
    ROW_U32(6)
    ROW_U32(7)
#ifdef FIELD_FP
    ROW_U32(8)
    ROW_U32(9)
    ROW_U32(10)
    ROW_U32(11)
#endif
    return reduce_once(ELEM_OF_ARRAY(t));
}

#endif
