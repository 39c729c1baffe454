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
//
// The base field has 8 limbs of 48 bits, 384 in all. The scalar field has 5 of 51,
// and R = 2^256 is one bit more: the last step of its reduction takes 52 bits off.

#ifndef MUL_F64_GLSL
#define MUL_F64_GLSL

#ifdef FIELD_FP
#define F64_LIMBS 8
#define F64_BITS 48
#define EACH_LIMB_F64 EACH_8
#define EACH_UPPER_LIMB_F64 ABOVE_0_OF_8
// 2^100, and the bits of it.
#define TOP 1267650600228229401496703205376.0lf
#define TOP_BITS 0x4630000000000000ul
#else
#define F64_LIMBS 5
#define F64_BITS 51
#define EACH_LIMB_F64 EACH_5
#define EACH_UPPER_LIMB_F64 ABOVE_0_OF_5
// 2^103, and the bits of it.
#define TOP 10141204801825835211973625643008.0lf
#define TOP_BITS 0x4660000000000000ul
#endif

#define F64_MASK ((1ul << F64_BITS) - 1ul)
// 3 2^51, and the bits of it.
#define MIDDLE 6755399441055744.0lf
#define MIDDLE_BITS 0x4338000000000000ul

// An integer below 2^52 as a double: it becomes the fraction of 2^52 + integer.
#define TO_DOUBLE(integer) \
    (uint64BitsToDouble((integer) | 0x4330000000000000ul) - 4503599627370496.0lf)

#ifdef FIELD_FP
// 48 bits of the modulus, from bit 0 and from bit 16 of two words.
#define LIMB_FROM_0(low, high) (double(low) + double((high) & 0xffffu) * 4294967296.0lf)
#define LIMB_FROM_16(low, high) (double((low) >> 16) + double(high) * 65536.0lf)
#define MODULUS_LIMBS_F64 { LIMB_FROM_0(P32_0, P32_1), LIMB_FROM_16(P32_1, P32_2), \
                        LIMB_FROM_0(P32_3, P32_4), LIMB_FROM_16(P32_4, P32_5), \
                        LIMB_FROM_0(P32_6, P32_7), LIMB_FROM_16(P32_7, P32_8), \
                        LIMB_FROM_0(P32_9, P32_10), LIMB_FROM_16(P32_10, P32_11) }
#else
#define MODULUS_LIMBS_F64 { P51_0, P51_1, P51_2, P51_3, P51_4 }
// -1 / p modulo 2^52, by one step of Newton's method from 2^32.
#define P_LOW (uint64_t(P32_0) | uint64_t(P32_1) << 32)
#define P_INV52 (uint64_t(P_INV32) * (2ul + P_LOW * uint64_t(P_INV32)))
#define MASK52 ((1ul << 52) - 1ul)
#endif

// The words of e in limbs of F64_BITS bits.
#define PAIR(first, second) packUint2x32(uvec2(first, second))
#ifdef FIELD_FP
#define SET_LIMBS_F64(limb, e) \
    limb[0] = TO_DOUBLE(PAIR(e.p0.x, e.p0.y & 0xffffu)); \
    limb[1] = TO_DOUBLE(PAIR(e.p0.y, e.p0.z) >> 16); \
    limb[2] = TO_DOUBLE(PAIR(e.p0.w, e.p1.x & 0xffffu)); \
    limb[3] = TO_DOUBLE(PAIR(e.p1.x, e.p1.y) >> 16); \
    limb[4] = TO_DOUBLE(PAIR(e.p1.z, e.p1.w & 0xffffu)); \
    limb[5] = TO_DOUBLE(PAIR(e.p1.w, e.p2.x) >> 16); \
    limb[6] = TO_DOUBLE(PAIR(e.p2.y, e.p2.z & 0xffffu)); \
    limb[7] = TO_DOUBLE(PAIR(e.p2.z, e.p2.w) >> 16);
#else
#define SET_LIMBS_F64(limb, e) \
    limb[0] = TO_DOUBLE(PAIR(e.p0.x, e.p0.y) & F64_MASK); \
    limb[1] = TO_DOUBLE((PAIR(e.p0.y, e.p0.z) >> 19 | PAIR(0u, e.p0.w) << 13) & F64_MASK); \
    limb[2] = TO_DOUBLE(PAIR(e.p0.w, e.p1.x) >> 6 & F64_MASK); \
    limb[3] = TO_DOUBLE((PAIR(e.p1.x, e.p1.y) >> 25 | PAIR(0u, e.p1.z) << 7) & F64_MASK); \
    limb[4] = TO_DOUBLE(PAIR(e.p1.z, e.p1.w) >> 12);
#endif

// How many products of limbs begin in column k. A column starts with the constants of
// all that will be added to it taken off.
#define PRODUCTS_F64(k) ((k) < F64_LIMBS ? (k) + 1 : 2 * F64_LIMBS - 1 - (k))
#define SQUARES_F64(k) ((PRODUCTS_F64(k) + 1) / 2)
#define START_F64(k, begin, reach) \
    c[k] = (REDUCED_F64(k) ? ROUND_UP : 0ul) \
        - uint64_t((begin) - (REDUCED_F64(k) ? 1 : 0)) * MIDDLE_BITS - uint64_t(reach) * TOP_BITS;
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

// The columns that are left, as words, and reduced.
Elem reduced_columns_f64(uint64_t c[2 * F64_LIMBS]) {
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
#else
    // The last step took one bit more off than the columns count: the sum is halved.
    PASS_CARRY_F64(5) PASS_CARRY_F64(6) PASS_CARRY_F64(7) PASS_CARRY_F64(8)
    uvec2 w0 = unpackUint2x32(c[5] >> 1 | c[6] << 50);
    uvec2 w2 = unpackUint2x32(c[6] >> 14 | c[7] << 37);
    uvec2 w4 = unpackUint2x32(c[7] >> 27 | c[8] << 24);
    uvec2 w6 = unpackUint2x32(c[8] >> 40 | c[9] << 11);
#endif
    words.p0 = uvec4(w0, w2);
    words.p1 = uvec4(w4, w6);
    return reduce_once(words);
}

Elem mul_f64(Elem a, Elem b) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double x[F64_LIMBS], y[F64_LIMBS], m, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    SET_LIMBS_F64(x, a)
    SET_LIMBS_F64(y, b)
    EACH_LIMB_F64(START_PRODUCT_F64, 0)
    EACH_LIMB_F64(START_PRODUCT_F64, F64_LIMBS)
    ROW_F64(0) REDUCE_F64(0)
    ROW_F64(1) REDUCE_F64(1)
    ROW_F64(2) REDUCE_F64(2)
    ROW_F64(3) REDUCE_F64(3)
#ifdef FIELD_FP
    ROW_F64(4) REDUCE_F64(4)
    ROW_F64(5) REDUCE_F64(5)
    ROW_F64(6) REDUCE_F64(6)
    ROW_F64(7) REDUCE_F64(7)
#else
    ROW_F64(4) REDUCE_LAST_F64(4)
#endif
    return reduced_columns_f64(c);
}

Elem square_f64(Elem a) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double x[F64_LIMBS], m, high, low, doubled;
    uint64_t carried, c[2 * F64_LIMBS];
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
    return reduced_columns_f64(c);
}

#endif
