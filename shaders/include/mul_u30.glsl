// Montgomery products in limbs of 30 bits, summed in 64 bits: needs shaderInt64.
//
// A sum of 64 bits has room for 15 products of 60 bits, so carries are passed on
// once a row, not once a product. The limbs have SHIFT30 bits more than the words:
// the factors are shifted up by so many in all, and R stays 2^384 or 2^256.

#ifndef MUL_U30_GLSL
#define MUL_U30_GLSL

#include "limbs30.glsl"

#define CLEAR_COLUMN(first, j) t[(first) + j] = 0ul;
#define SET_X(shift, k) x[k] = LIMB30(v, shift, k);
#define SET_Y(shift, k) y[k] = LIMB30(w, shift, k);
#define ADD_PRODUCT(i, j) t[i + j] += uint64_t(x[i]) * y[j];
#define ADD_MODULUS(i, j) t[i + j] += uint64_t(m) * p[j];
#define PASS_CARRY(first, j) \
    t[(first) + j + 1] += t[(first) + j] >> 30; \
    t[(first) + j] &= uint64_t(MASK30);

// Adds the multiple of p that makes the 30 bits of column i zero, and drops them.
#define REDUCE_COLUMN(i) \
    m = (uint(t[i]) * P_INV30) & MASK30; \
    EACH_LIMB30(ADD_MODULUS, i) \
    t[i + 1] += t[i] >> 30;

#define ROW(i) EACH_LIMB30(ADD_PRODUCT, i) REDUCE_COLUMN(i)

// Passes the carries of the columns on that rows up to i have added to and later
// ones add to again. The 13 rows of the base field add up to 26 products to a column.
// The scalar field needs none of it: of 18 products two have a limb of 15 bits as
// a factor and one the lowest limb of p, which is 1.
#define PASS_CARRIES_AFTER(i) EACH_12(PASS_CARRY, i + 1)

#define SET_LIMB(unused, k) limb[k] = uint(t[LIMBS30 + k]);
#define SET_WORD(unused, k) w[k] = WORD30(limb, k);

Elem f_mul(Elem a, Elem b) {
    const uint p[LIMBS30] = MODULUS_LIMBS30;
    uint v[PADDED_WORDS] = PADDED_WORDS_OF(a);
    uint w[PADDED_WORDS] = PADDED_WORDS_OF(b);
    uint x[LIMBS30], y[LIMBS30], limb[LIMBS30], m;
    uint64_t t[2 * LIMBS30];
    EACH_LIMB30(CLEAR_COLUMN, 0)
    EACH_LIMB30(CLEAR_COLUMN, LIMBS30)
    EACH_LIMB30(SET_X, SHIFT30)
    EACH_LIMB30(SET_Y, 0)
    ROW(0) ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6)
#ifdef FIELD_FP
    PASS_CARRIES_AFTER(6)
#endif
    ROW(7) ROW(8)
#ifdef FIELD_FP
    ROW(9) ROW(10) ROW(11) ROW(12)
#endif
    EACH_LOWER_LIMB30(PASS_CARRY, LIMBS30)
    EACH_LIMB30(SET_LIMB, 0)
    EACH_WORD(SET_WORD, 0)
    return reduce_once(ELEM_OF_ARRAY(w));
}

// Row i of a square: the products with the limbs above i, doubled, and its own.
#define ADD_DOUBLED(i, j) t[i + j] += uint64_t(doubled) * x[j];
#define SQUARE_ROW(i, ABOVE) \
    doubled = 2u * x[i]; \
    t[2 * (i)] += uint64_t(x[i]) * x[i]; \
    ABOVE(ADD_DOUBLED, i) \
    REDUCE_COLUMN(i)

Elem f_square(Elem a) {
    const uint p[LIMBS30] = MODULUS_LIMBS30;
    uint v[PADDED_WORDS] = PADDED_WORDS_OF(a);
    uint w[FIELD_WORDS];
    uint x[LIMBS30], limb[LIMBS30], m, doubled;
    uint64_t t[2 * LIMBS30];
    EACH_LIMB30(CLEAR_COLUMN, 0)
    EACH_LIMB30(CLEAR_COLUMN, LIMBS30)
    EACH_LIMB30(SET_X, SHIFT30 / 2)
    SQUARE_ROW(0, FROM_1) SQUARE_ROW(1, FROM_2) SQUARE_ROW(2, FROM_3) SQUARE_ROW(3, FROM_4)
#ifdef FIELD_FP
    PASS_CARRIES_AFTER(3)
#endif
    SQUARE_ROW(4, FROM_5) SQUARE_ROW(5, FROM_6) SQUARE_ROW(6, FROM_7) SQUARE_ROW(7, FROM_8)
#ifdef FIELD_FP
    SQUARE_ROW(8, FROM_9)
    PASS_CARRIES_AFTER(8)
    SQUARE_ROW(9, FROM_10) SQUARE_ROW(10, FROM_11) SQUARE_ROW(11, FROM_12)
#endif
    SQUARE_ROW(LIMBS30 - 1, NONE)
    EACH_LOWER_LIMB30(PASS_CARRY, LIMBS30)
    EACH_LIMB30(SET_LIMB, 0)
    EACH_WORD(SET_WORD, 0)
    return reduce_once(ELEM_OF_ARRAY(w));
}

#endif
