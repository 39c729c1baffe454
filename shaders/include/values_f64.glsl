// Values of the base field between products, on the double units: eight signed digits of 48
// bits as doubles. So sums and differences are eight additions, with carries only where a factor
// is made of them, and a product neither takes its factors from words nor leaves words.
//
// A digit is between -2^47 and 2^47, and up to 2^15 past that for the carry of the one below.
// A sum of such values is made so again by value_carried before it is a factor. A product of
// values below a p and b p in size is below (a b p / R + 1/2) p, with p / R = 0.102, a sum of two
// below (2 a b p / R + 1/2) p. It must stay above -4.9 p, for its highest digit to be above -2^47.
//
// How two digits are multiplied exactly is said in mul_f64.glsl. TOP_SIGNED is 3 2^99 here,
// so that products may be negative: sums of four digits, below 2^49 + 2^17 each, keep it
// between 2^100 and 2^101.

#ifndef VALUES_F64_GLSL
#define VALUES_F64_GLSL

// An element of the base field in words.
#ifdef FIELD_FP2
#define BaseElem Base
#else
#define BaseElem Elem
#endif

struct Value {
    double digit[8];
};

const double TOP_SIGNED = 3.0lf * 633825300114114700748351602688.0lf;
#define TOP_SIGNED_BITS 0x4638000000000000ul
#define RADIX48 281474976710656.0lf
#define HALF_RADIX48 140737488355328.0lf

// The digits of p.
#define LIMB48_0 LIMB_FROM_0(P32_0, P32_1)
#define LIMB48_1 LIMB_FROM_16(P32_1, P32_2)
#define LIMB48_2 LIMB_FROM_0(P32_3, P32_4)
#define LIMB48_3 LIMB_FROM_16(P32_4, P32_5)
#define LIMB48_4 LIMB_FROM_0(P32_6, P32_7)
#define LIMB48_5 LIMB_FROM_16(P32_7, P32_8)
#define LIMB48_6 LIMB_FROM_0(P32_9, P32_10)
#define LIMB48_7 LIMB_FROM_16(P32_10, P32_11)
#define RAISE48(k, below) \
    const double RAISED48_##k = LIMB48_##k + CARRY48_##below; \
    const double CARRY48_##k = RAISED48_##k < HALF_RADIX48 ? 0.0lf : 1.0lf; \
    const double P48_##k = RAISED48_##k - CARRY48_##k * RADIX48;
const double CARRY48_NONE = 0.0lf;
RAISE48(0, NONE)
RAISE48(1, 0)
RAISE48(2, 1)
RAISE48(3, 2)
RAISE48(4, 3)
RAISE48(5, 4)
RAISE48(6, 5)
const double P48_7 = LIMB48_7 + CARRY48_6;

#define ZERO_DIGIT(unused, k) x.digit[k] = 0.0lf;
#define IS_BLANK_DIGIT(unused, k) is_blank = is_blank && x.digit[k] == 0.0lf;
#define PLUS_DIGIT(unused, k) x.digit[k] = fma(factor, y.digit[k], x.digit[k]);

Value value_zero() {
    Value x;
    EACH_8(ZERO_DIGIT, 0)
    return x;
}

// Whether all digits are zero.
bool value_is_blank(Value x) {
    bool is_blank = true;
    EACH_8(IS_BLANK_DIGIT, 0)
    return is_blank;
}

// x + factor y, for a small integer.
Value value_plus(Value x, double factor, Value y) {
    EACH_8(PLUS_DIGIT, 0)
    return x;
}

// What is past 48 bits of each digit, added to the next: of digits below 2^51.
#define CARRY_DIGIT(unused, k) \
    carry = (x.digit[k] + TOP_SIGNED) - TOP_SIGNED; \
    x.digit[k] = x.digit[k] - carry + below; \
    below = carry * (1.0lf / RADIX48);

Value value_carried(Value x) {
    precise double carry, below = 0.0lf;
    CARRY_DIGIT(0, 0)
    CARRY_DIGIT(0, 1)
    CARRY_DIGIT(0, 2)
    CARRY_DIGIT(0, 3)
    CARRY_DIGIT(0, 4)
    CARRY_DIGIT(0, 5)
    CARRY_DIGIT(0, 6)
    x.digit[7] += below;
    return x;
}

// The same less the multiple of p that is nearest to it, by its highest digit: what is left is
// below 0.51 p. Of values below 2^5 p.
#define NEAREST_MULTIPLE(x) ((x.digit[7] * (-1.0lf / P48_7) + MIDDLE) - MIDDLE)
#define TAKE_OFF_DIGIT(unused, k) x.digit[k] = fma(multiple, P48_##k, x.digit[k]);

Value value_reduced(Value x) {
    precise double multiple = NEAREST_MULTIPLE(x);
    EACH_8(TAKE_OFF_DIGIT, 0)
    return value_carried(x);
}

// Whether a value below 2^5 p is a multiple of p. Most are told apart by the lowest digit: of a
// multiple, less that, nothing is left of it.
bool value_is_zero(Value x) {
    precise double multiple = NEAREST_MULTIPLE(x);
    return fma(multiple, P48_0, x.digit[0]) == 0.0lf && value_is_blank(value_reduced(x));
}

// From words below p: 2^47 more in each digit makes all of them positive.
const BaseElem HALF_RADIX_IN_EACH = BaseElem(
    uvec4(0u, 0x8000u, 0x80000000u, 0u), uvec4(0x8000u, 0x80000000u, 0u, 0x8000u),
    uvec4(0x80000000u, 0u, 0x8000u, 0x80000000u));

#define TO_DIGIT(unused, k) x.digit[k] -= HALF_RADIX48;

Value value_of(BaseElem e) {
    Value x;
    e = integer_add(e, HALF_RADIX_IN_EACH);
    SET_LIMBS_F64(x.digit, e)
    EACH_8(TO_DIGIT, 0)
    return x;
}

// Words below p, of a value below 2^4 p: of what is left of it, and p, which is not negative.
#define DIGIT_TO_WORDS(unused, k) \
    rest += int64_t(doubleBitsToUint64(x.digit[k] + P48_##k + MIDDLE) - MIDDLE_BITS); \
    limb[k] = uint64_t(rest) & F64_MASK; \
    rest >>= F64_BITS;

BaseElem value_words(Value x) {
    uint64_t limb[8];
    int64_t rest = 0l;
    precise double multiple = NEAREST_MULTIPLE(x);
    EACH_8(TAKE_OFF_DIGIT, 0)
    EACH_8(DIGIT_TO_WORDS, 0)
    BaseElem words;
    words.p0 = uvec4(unpackUint2x32(limb[0] | limb[1] << 48),
                     unpackUint2x32(limb[1] >> 16 | limb[2] << 32));
    words.p1 = uvec4(unpackUint2x32(limb[2] >> 32 | limb[3] << 16),
                     unpackUint2x32(limb[4] | limb[5] << 48));
    words.p2 = uvec4(unpackUint2x32(limb[5] >> 16 | limb[6] << 32),
                     unpackUint2x32(limb[6] >> 32 | limb[7] << 16));
    return reduce_once(words);
}

// A product in columns of 48 bits, not reduced.
struct Columns {
    uint64_t c[16];
};

// Adds (x0, x1) * (y0, y1).
Columns4 signed_product_2(double x0, double x1, double y0, double y1) {
    precise double high_00 = fma(x0, y0, TOP_SIGNED);
    precise double high_01 = fma(x0, y1, TOP_SIGNED);
    precise double high_10 = fma(x1, y0, TOP_SIGNED);
    precise double high_11 = fma(x1, y1, TOP_SIGNED);
    precise double low_00 = fma(x0, y0, TOP_SIGNED + MIDDLE - high_00);
    precise double low_01 = fma(x0, y1, TOP_SIGNED + MIDDLE - high_01);
    precise double low_10 = fma(x1, y0, TOP_SIGNED + MIDDLE - high_10);
    precise double low_11 = fma(x1, y1, TOP_SIGNED + MIDDLE - high_11);
    return Columns4(
        doubleBitsToUint64(low_00),
        doubleBitsToUint64(low_01) + doubleBitsToUint64(low_10) + doubleBitsToUint64(high_00),
        doubleBitsToUint64(low_11) + doubleBitsToUint64(high_01) + doubleBitsToUint64(high_10),
        doubleBitsToUint64(high_11));
}

Columns8 signed_product_4(double x0, double x1, double x2, double x3,
                          double y0, double y1, double y2, double y3) {
    return join_products_2(Products2(
        signed_product_2(x0, x1, y0, y1), signed_product_2(x2, x3, y2, y3),
        signed_product_2(x0 + x2, x1 + x3, y0 + y2, y1 + y3)));
}

// The constants that are in its columns: OFFSET_8 of product_f64.glsl, of TOP_SIGNED.
#define SIGNED_OFFSET_2(k) \
    ((k) == 0 ? MIDDLE_BITS : (k) == 1 ? 2ul * MIDDLE_BITS + TOP_SIGNED_BITS \
     : (k) == 2 ? MIDDLE_BITS + 2ul * TOP_SIGNED_BITS : (k) == 3 ? TOP_SIGNED_BITS : 0ul)
#define SIGNED_OFFSET_4(k) (SIGNED_OFFSET_2(k) - SIGNED_OFFSET_2((k) - 2) + SIGNED_OFFSET_2((k) - 4))
#define SIGNED_OFFSET_8(k) (SIGNED_OFFSET_4(k) - SIGNED_OFFSET_4((k) - 4) + SIGNED_OFFSET_4((k) - 8))

#define SIGNED_JOIN(k, first, second) \
    uint64_t shared_##k = lower.second - upper.first; \
    product.c[k] = lower.first; \
    product.c[4 + k] = shared_##k + both.first - lower.first; \
    product.c[8 + k] = both.second - upper.second - shared_##k; \
    product.c[12 + k] = upper.second;

// With constants in its columns.
Columns value_product(Value a, Value b) {
    double x[8] = a.digit, y[8] = b.digit;
    Columns8 lower = signed_product_4(x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]);
    Columns8 upper = signed_product_4(x[4], x[5], x[6], x[7], y[4], y[5], y[6], y[7]);
    Columns8 both = signed_product_4(
        x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7],
        y[0] + y[4], y[1] + y[5], y[2] + y[6], y[3] + y[7]);
    Columns product;
    SIGNED_JOIN(0, c0, c4)
    SIGNED_JOIN(1, c1, c5)
    SIGNED_JOIN(2, c2, c6)
    SIGNED_JOIN(3, c3, c7)
    return product;
}

#define ADD_COLUMN(first, k) \
    sum.c[(first) + k] += product.c[(first) + k] - SIGNED_OFFSET_8((first) + k);

// Adds another product.
void add_product(inout Columns sum, Columns product) {
    EACH_8(ADD_COLUMN, 0)
    EACH_8(ADD_COLUMN, 8)
}

// What a column begins with, so that the reduction leaves none of its constants: and 2^47 to
// round by, in the lower half where a step takes it off, in the upper half for its digit. There
// 2^62 keeps carries positive.
#define REDUCTION_START(k) \
    ((1ul << 47) + ((k) < 8 ? 0ul : 1ul << 62) \
     - uint64_t(PRODUCTS_F64(k) - ((k) < 8 ? 1 : 0)) * MIDDLE_BITS \
     - uint64_t((k) == 0 ? 0 : PRODUCTS_F64((k) - 1)) * TOP_SIGNED_BITS)
#define BEGIN_COLUMN(first, k) \
    sum.c[(first) + k] += REDUCTION_START((first) + k) - SIGNED_OFFSET_8((first) + k);

#define MULTIPLY48(x, y, k) \
    high = fma(x, y, TOP_SIGNED); \
    low = fma(x, y, TOP_SIGNED + MIDDLE - high); \
    c[k] = c[k] + carried + doubleBitsToUint64(low); \
    carried = doubleBitsToUint64(high);
#define ADD_MODULUS48(i, j) MULTIPLY48(m, P48_##j, i + j)

// A step of Montgomery's: the multiple of p, between -2^47 and 2^47 times it, that makes the
// column zero. Where the lowest digit of p is 3 modulo 4, the column in the middle goes up.
#define DIGIT_BIAS (4503599627370496.0lf + HALF_RADIX48)
#define STEP48(i) \
    column = unpackUint2x32(c[i] * P_INV51); \
    m = packDouble2x32(uvec2(column.x, (column.y & 0xffffu) | 0x43300000u)) - DIGIT_BIAS; \
    carried = doubleBitsToUint64(fma(m, P48_0, TOP_SIGNED)); \
    ABOVE_0_OF_8(ADD_MODULUS48, i) \
    c[(i) + 8] += carried; \
    c[(i) + 1] += uint64_t(int64_t(int(unpackUint2x32(c[i]).y) >> 16));

#define COLUMN_DIGIT(unused, k) \
    column = unpackUint2x32(c[8 + k]); \
    x.digit[k] = uint64BitsToDouble(packUint2x32(uvec2(column.x, (column.y & 0xffffu) | 0x43300000u)) + carried) \
        - (DIGIT_BIAS + (k == 0 ? 0.0lf : 16384.0lf)); \
    carried = uint64_t(column.y >> 16);

// A product, or a sum of two, reduced: times 1 / R.
Value value_reduce_product(Columns sum) {
    EACH_8(BEGIN_COLUMN, 0)
    EACH_8(BEGIN_COLUMN, 8)
    uint64_t c[16] = sum.c, carried;
    uvec2 column;
    precise double m, high, low;
    STEP48(0) STEP48(1) STEP48(2) STEP48(3) STEP48(4) STEP48(5) STEP48(6) STEP48(7)
    Value x;
    carried = 0ul;
    COLUMN_DIGIT(0, 0)
    COLUMN_DIGIT(0, 1)
    COLUMN_DIGIT(0, 2)
    COLUMN_DIGIT(0, 3)
    COLUMN_DIGIT(0, 4)
    COLUMN_DIGIT(0, 5)
    COLUMN_DIGIT(0, 6)
    // The highest is a digit as it is: 2^52 instead of 2^62.
    x.digit[7] = uint64BitsToDouble(c[15] + 0x0330000000000000ul + carried) - (DIGIT_BIAS + 16384.0lf);
    return x;
}

#endif
