// Montgomery products in limbs of 30 bits, summed in 64 bits: needs shaderInt64.
//
// Products of two limbs have 60 bits, and 64 hold the sum of all that meet in a
// column, so carries are passed on once a column and not once a product. The limbs
// have SHIFT30 bits more than the words: the factors are shifted up by so many in
// all, and R stays 2^384 or 2^256.

#ifndef MUL_U30_GLSL
#define MUL_U30_GLSL

#include "limbs30.glsl"

// The modulus in limbs from -2^29 to 2^29, to make the sums fit. The sizes of those
// of the base field add up to 3.2 * 2^30, the scalar field's to 1.9 * 2^30. So with
// multiples below 2^30 and 12 products of the factors' limbs, a column of the base
// field is between -2 and 14 times 2^60, and one of the scalar field well inside.
#define BALANCE(k, below) \
    const uint RAISED_##k = P30_##k + CARRY_##below; \
    const uint CARRY_##k = (RAISED_##k + 0x20000000u) >> 30;
#define BALANCED(k) int(RAISED_##k - (CARRY_##k << 30))
const uint CARRY_NONE = 0u;
BALANCE(0, NONE)
BALANCE(1, 0)
BALANCE(2, 1)
BALANCE(3, 2)
BALANCE(4, 3)
BALANCE(5, 4)
BALANCE(6, 5)
BALANCE(7, 6)
BALANCE(8, 7)
#ifdef FIELD_FP
BALANCE(9, 8)
BALANCE(10, 9)
BALANCE(11, 10)
BALANCE(12, 11)
#define BALANCED_LIMBS30 { BALANCED(0), BALANCED(1), BALANCED(2), BALANCED(3), BALANCED(4), \
                           BALANCED(5), BALANCED(6), BALANCED(7), BALANCED(8), BALANCED(9), \
                           BALANCED(10), BALANCED(11), BALANCED(12) }
#else
#define BALANCED_LIMBS30 { BALANCED(0), BALANCED(1), BALANCED(2), BALANCED(3), BALANCED(4), \
                           BALANCED(5), BALANCED(6), BALANCED(7), BALANCED(8) }
#endif

// A column is held with 2^61 added, which makes it positive. Of that the carry
// brings 2^31 into the next column, where so much less is there from the start; the
// last column, into which nothing is added but the carry, is held as it is.
#define START_U30(first, k) \
    t[(first) + k] = (first) + k == 0 ? 0x2000000000000000ul \
        : (first) + k == 2 * LIMBS30 - 1 ? 0xffffffff80000000ul : 0x1fffffff80000000ul;

#define SET_X_U30(shift, k) x[k] = LIMB30(v, shift, k);
#define SET_Y_U30(shift, k) y[k] = LIMB30(w, shift, k);
#define ADD_PRODUCT_U30(i, j) t[(i) + j] += uint64_t(x[i]) * y[j];
#define ADD_MODULUS_U30(i, j) t[(i) + j] += uint64_t(int64_t(m) * int64_t(p[j]));

// Adds the multiple of p that makes the 30 bits of column i zero, and drops them.
#define REDUCE_U30(i) \
    m = int((uint(t[i]) * P_INV30) & MASK30); \
    EACH_LIMB30(ADD_MODULUS_U30, i) \
    t[(i) + 1] += t[i] >> 30;

#define ROW_U30(i) EACH_LIMB30(ADD_PRODUCT_U30, i) REDUCE_U30(i)

// Row i of a square: its own, and the products with the limbs above, doubled.
#define ADD_DOUBLED_U30(i, j) t[(i) + j] += uint64_t(doubled) * x[j];
#define SQUARE_ROW_U30(i, ABOVE) \
    doubled = 2u * x[i]; \
    t[2 * (i)] += uint64_t(x[i]) * x[i]; \
    ABOVE(ADD_DOUBLED_U30, i) \
    REDUCE_U30(i)

#define PASS_CARRY_U30(first, j) \
    t[(first) + j + 1] += t[(first) + j] >> 30; \
    limb[j] = uint(t[(first) + j]);
#define SET_WORD_U30(unused, k) word[k] = WORD30(limb, k);

// The columns that are left, as words.
#define COLUMNS_TO_WORDS_U30 \
    EACH_LOWER_LIMB30(PASS_CARRY_U30, LIMBS30) \
    limb[LIMBS30 - 1] = uint(t[2 * LIMBS30 - 1]); \
    EACH_WORD(SET_WORD_U30, 0)

Elem mul_u30(Elem a, Elem b) {
    const int p[LIMBS30] = BALANCED_LIMBS30;
    uint v[PADDED_WORDS] = PADDED_WORDS_OF(a);
    uint w[PADDED_WORDS] = PADDED_WORDS_OF(b);
    uint x[LIMBS30], y[LIMBS30], limb[LIMBS30], word[FIELD_WORDS];
    uint64_t t[2 * LIMBS30];
    int m;
    EACH_LIMB30(START_U30, 0)
    EACH_LIMB30(START_U30, LIMBS30)
    EACH_LIMB30(SET_X_U30, SHIFT30)
    EACH_LIMB30(SET_Y_U30, 0)
    ROW_U30(0) ROW_U30(1) ROW_U30(2) ROW_U30(3) ROW_U30(4)
    ROW_U30(5) ROW_U30(6) ROW_U30(7) ROW_U30(8)
#ifdef FIELD_FP
    ROW_U30(9) ROW_U30(10) ROW_U30(11) ROW_U30(12)
#endif
    COLUMNS_TO_WORDS_U30
    return reduce_once(ELEM_OF_ARRAY(word));
}

Elem square_u30(Elem a) {
    const int p[LIMBS30] = BALANCED_LIMBS30;
    uint v[PADDED_WORDS] = PADDED_WORDS_OF(a);
    uint x[LIMBS30], limb[LIMBS30], word[FIELD_WORDS], doubled;
    uint64_t t[2 * LIMBS30];
    int m;
    EACH_LIMB30(START_U30, 0)
    EACH_LIMB30(START_U30, LIMBS30)
    EACH_LIMB30(SET_X_U30, SHIFT30 / 2)
#ifdef FIELD_FP
    SQUARE_ROW_U30(0, ABOVE_0_OF_13) SQUARE_ROW_U30(1, ABOVE_1_OF_13)
    SQUARE_ROW_U30(2, ABOVE_2_OF_13) SQUARE_ROW_U30(3, ABOVE_3_OF_13)
    SQUARE_ROW_U30(4, ABOVE_4_OF_13) SQUARE_ROW_U30(5, ABOVE_5_OF_13)
    SQUARE_ROW_U30(6, ABOVE_6_OF_13) SQUARE_ROW_U30(7, ABOVE_7_OF_13)
    SQUARE_ROW_U30(8, ABOVE_8_OF_13) SQUARE_ROW_U30(9, ABOVE_9_OF_13)
    SQUARE_ROW_U30(10, ABOVE_10_OF_13) SQUARE_ROW_U30(11, ABOVE_11_OF_13)
    SQUARE_ROW_U30(12, ABOVE_12_OF_13)
#else
    SQUARE_ROW_U30(0, ABOVE_0_OF_9) SQUARE_ROW_U30(1, ABOVE_1_OF_9)
    SQUARE_ROW_U30(2, ABOVE_2_OF_9) SQUARE_ROW_U30(3, ABOVE_3_OF_9)
    SQUARE_ROW_U30(4, ABOVE_4_OF_9) SQUARE_ROW_U30(5, ABOVE_5_OF_9)
    SQUARE_ROW_U30(6, ABOVE_6_OF_9) SQUARE_ROW_U30(7, ABOVE_7_OF_9)
    SQUARE_ROW_U30(8, ABOVE_8_OF_9)
#endif
    COLUMNS_TO_WORDS_U30
    return reduce_once(ELEM_OF_ARRAY(word));
}

#endif
