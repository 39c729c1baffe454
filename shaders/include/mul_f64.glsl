// Montgomery products on the double units: needs shaderInt64, shaderFloat64 and an
// fma() of doubles that rounds once, to nearest. Vulkan promises neither, so this
// form is for devices on which a test against the host's results has passed.
//
// An fma that rounds to a multiple of 2^B splits a product of limbs of B bits:
//
//   high = fma(x, y, 2^(52 + B))                    = 2^(52 + B) + r 2^B
//   low = fma(x, y, 2^(52 + B) + 3 2^51 - high)     = 3 2^51 + (x y - r 2^B)
//
// with r the integer nearest to x y / 2^B. Both constants fix the exponent, so the
// bits of `high` less those of 2^(52 + B) are r, and the bits of `low` less those of
// 3 2^51 are the rest, between -2^(B-1) and 2^(B-1). The bits are summed by columns as
// they are, in 64-bit integers; what the constants add is known and taken off first.

#ifndef MUL_F64_GLSL
#define MUL_F64_GLSL

#include "limbs_f64.glsl"
#ifdef FIELD_FP
#include "product_f64.glsl"
#endif

// How many products of limbs begin in column k. A column starts with the constants of
// all that will be added to it taken off.
#define PRODUCTS_F64(k) ((k) < F64_LIMBS ? (k) + 1 : 2 * F64_LIMBS - 1 - (k))
#define SQUARES_F64(k) ((PRODUCTS_F64(k) + 1) / 2)
#define START_F64(k, begin, reach) \
    c[k] = (REDUCED_F64(k) ? ROUND_UP : 0ul) \
        - uint64_t((begin) - (REDUCED_F64(k) ? 1 : 0)) * MIDDLE_BITS - uint64_t(reach) * TOP_BITS;

// The same after a whole product, the constants of which are still in its columns.
#define SET_COLUMN_F64(first, j) \
    START_F64((first) + j, PRODUCTS_F64((first) + j), PRODUCTS_F64((first) + j - 1)) \
    c[(first) + j] += product[(first) + j] - OFFSET_8((first) + j);

#define START_PRODUCT_F64(first, j) \
    START_F64((first) + j, 2 * PRODUCTS_F64((first) + j), 2 * PRODUCTS_F64((first) + j - 1))
#define START_SQUARE_F64(first, j) \
    START_F64((first) + j, PRODUCTS_F64((first) + j) + SQUARES_F64((first) + j), \
              PRODUCTS_F64((first) + j - 1) + SQUARES_F64((first) + j - 1))

// Adds x * y to the columns from k on. The upper half waits for the next product of
// the row, so that a column is added to once and not twice.
#define MULTIPLY_F64(x, y, k) \
    high = fma(x, y, TOP); \
    low = fma(x, y, TOP + MIDDLE - high); \
    c[k] += doubleBitsToUint64(low) + carried; \
    carried = doubleBitsToUint64(high);
#define END_ROW_F64(i) c[(i) + F64_LIMBS] += carried;

#define ADD_PRODUCT_F64(i, j) MULTIPLY_F64(x[i], y[j], i + j)
#define ADD_MODULUS_F64(i, j) MULTIPLY_F64(m, p[j], i + j)
#define ADD_DOUBLED_F64(i, j) MULTIPLY_F64(doubled, x[j], i + j)

// Adds the multiple of p that makes column i zero modulo 2^B, and passes on what is
// left. Of m times the lowest limb of p only the upper half is computed: the rest is
// known, minus the lower bits of the column taken as a number from -2^(B-1) to
// 2^(B-1), and rounds the column to a multiple of 2^B. A column in the middle goes
// the way that fma rounds the product, to the even r: m is then 2^(B-1), and the
// rest positive where the lowest limb of p is 1 modulo 4, negative where it is 3. The
// column starts with what makes the shift round like this. The other constants are
// zero modulo 2^51: it does not matter to m which of them are still to come.
#define ROUND_UP ((1ul << (F64_BITS - 1)) - uint64_t(P32_0 >> 1 & 1u))
#ifdef FIELD_FP
#define REDUCED_F64(k) ((k) < F64_LIMBS)
#else
#define REDUCED_F64(k) ((k) < F64_LIMBS - 1)
#endif
#define REDUCE_F64(i) \
    m = TO_DOUBLE(((c[i] - ROUND_UP) * P_INV51) & F64_MASK); \
    high = fma(m, p[0], TOP); \
    carried = doubleBitsToUint64(high); \
    EACH_UPPER_LIMB_F64(ADD_MODULUS_F64, i) \
    END_ROW_F64(i) \
    PASS_ON_F64(i)
#define PASS_ON_F64(i) c[(i) + 1] += uint64_t(int64_t(c[i]) >> F64_BITS);

// The scalar field's last step, modulo 2^52, where the lowest bit of the next column
// counts too. With a multiple this large the rounding above is another one, so the
// lowest product is computed whole; its constant is the one still to come.
#define REDUCE_LAST_F64(i) \
    m = TO_DOUBLE(((c[i] + MIDDLE_BITS + (c[(i) + 1] << F64_BITS)) * P_INV52) & MASK52); \
    carried = 0ul; \
    EACH_LIMB_F64(ADD_MODULUS_F64, i) \
    END_ROW_F64(i) \
    PASS_ON_F64(i)

#define ROW_F64(i) \
    carried = 0ul; \
    EACH_LIMB_F64(ADD_PRODUCT_F64, i) \
    END_ROW_F64(i)

// Row i of a square: its own, and the products with the limbs above, doubled.
#define SQUARE_ROW_F64(i, ABOVE) \
    carried = 0ul; \
    doubled = x[i] + x[i]; \
    MULTIPLY_F64(x[i], x[i], 2 * i) \
    ABOVE(ADD_DOUBLED_F64, i) \
    END_ROW_F64(i)

#define PASS_CARRY_F64(k) PASS_ON_F64(k) c[k] &= F64_MASK;

// The columns that are left, as words, and the bits above these.
Elem columns_to_words_f64(uint64_t c[2 * F64_LIMBS], out uint above) {
    Elem words;
#ifdef FIELD_FP
    PASS_CARRY_F64(8) PASS_CARRY_F64(9) PASS_CARRY_F64(10) PASS_CARRY_F64(11)
    PASS_CARRY_F64(12) PASS_CARRY_F64(13) PASS_CARRY_F64(14)
    uvec2 w0 = unpackUint2x32(c[8] | c[9] << 48);
    uvec2 w2 = unpackUint2x32(c[9] >> 16 | c[10] << 32);
    uvec2 w4 = unpackUint2x32(c[10] >> 32 | c[11] << 16);
    uvec2 w6 = unpackUint2x32(c[12] | c[13] << 48);
    uvec2 w8 = unpackUint2x32(c[13] >> 16 | c[14] << 32);
    uvec2 w10 = unpackUint2x32(c[14] >> 32 | c[15] << 16);
    words.p2 = uvec4(w8, w10);
    above = uint(c[15] >> 48);
#else
    // The last step took one bit more off than the columns count: the sum is halved.
    PASS_CARRY_F64(5) PASS_CARRY_F64(6) PASS_CARRY_F64(7) PASS_CARRY_F64(8)
    uvec2 w0 = unpackUint2x32(c[5] >> 1 | c[6] << 50);
    uvec2 w2 = unpackUint2x32(c[6] >> 14 | c[7] << 37);
    uvec2 w4 = unpackUint2x32(c[7] >> 27 | c[8] << 24);
    uvec2 w6 = unpackUint2x32(c[8] >> 40 | c[9] << 11);
    above = uint(c[9] >> 53);
#endif
    words.p0 = uvec4(w0, w2);
    words.p1 = uvec4(w4, w6);
    return words;
}

#ifdef FIELD_FP
#define REDUCE_ALL_F64 \
    REDUCE_F64(0) REDUCE_F64(1) REDUCE_F64(2) REDUCE_F64(3) \
    REDUCE_F64(4) REDUCE_F64(5) REDUCE_F64(6) REDUCE_F64(7)
#else
#define REDUCE_ALL_F64 \
    REDUCE_F64(0) REDUCE_F64(1) REDUCE_F64(2) REDUCE_F64(3) REDUCE_LAST_F64(4)
#endif

#ifdef FIELD_FP
// The whole product first: so it takes 36 products of limbs and not 64.
Elem mul_f64(Elem a, Elem b) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    double x[F64_LIMBS], y[F64_LIMBS];
    precise double m, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    uint above;
    SET_LIMBS_F64(x, a)
    SET_LIMBS_F64(y, b)
    Products4 products = products_4_zero();
    ADD_PRODUCT_8(products, x, y)
    JOIN_PRODUCTS_4(products)
    EACH_LIMB_F64(SET_COLUMN_F64, 0)
    EACH_LIMB_F64(SET_COLUMN_F64, F64_LIMBS)
    REDUCE_ALL_F64
    return reduce_once(columns_to_words_f64(c, above));
}
#else
Elem mul_f64(Elem a, Elem b) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double x[F64_LIMBS], y[F64_LIMBS], m, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    uint above;
    SET_LIMBS_F64(x, a)
    SET_LIMBS_F64(y, b)
    EACH_LIMB_F64(START_PRODUCT_F64, 0)
    EACH_LIMB_F64(START_PRODUCT_F64, F64_LIMBS)
    ROW_F64(0) REDUCE_F64(0)
    ROW_F64(1) REDUCE_F64(1)
    ROW_F64(2) REDUCE_F64(2)
    ROW_F64(3) REDUCE_F64(3)
    ROW_F64(4) REDUCE_LAST_F64(4)
    return reduce_once(columns_to_words_f64(c, above));
}
#endif

Elem square_f64(Elem a) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double x[F64_LIMBS], m, high, low, doubled;
    uint64_t carried, c[2 * F64_LIMBS];
    uint above;
    SET_LIMBS_F64(x, a)
    EACH_LIMB_F64(START_SQUARE_F64, 0)
    EACH_LIMB_F64(START_SQUARE_F64, F64_LIMBS)
#ifdef FIELD_FP
    SQUARE_ROW_F64(0, ABOVE_0_OF_8) REDUCE_F64(0)
    SQUARE_ROW_F64(1, ABOVE_1_OF_8) REDUCE_F64(1)
    SQUARE_ROW_F64(2, ABOVE_2_OF_8) REDUCE_F64(2)
    SQUARE_ROW_F64(3, ABOVE_3_OF_8) REDUCE_F64(3)
    SQUARE_ROW_F64(4, ABOVE_4_OF_8) REDUCE_F64(4)
    SQUARE_ROW_F64(5, ABOVE_5_OF_8) REDUCE_F64(5)
    SQUARE_ROW_F64(6, ABOVE_6_OF_8) REDUCE_F64(6)
    SQUARE_ROW_F64(7, ABOVE_7_OF_8) REDUCE_F64(7)
#else
    SQUARE_ROW_F64(0, ABOVE_0_OF_5) REDUCE_F64(0)
    SQUARE_ROW_F64(1, ABOVE_1_OF_5) REDUCE_F64(1)
    SQUARE_ROW_F64(2, ABOVE_2_OF_5) REDUCE_F64(2)
    SQUARE_ROW_F64(3, ABOVE_3_OF_5) REDUCE_F64(3)
    SQUARE_ROW_F64(4, ABOVE_4_OF_5) REDUCE_LAST_F64(4)
#endif
    return reduce_once(columns_to_words_f64(c, above));
}

#endif
