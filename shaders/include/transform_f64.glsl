// Values between the levels of a transform over the scalar field, on the double units: five
// signed limbs of 51 bits in 64 each, whose carries and multiples of p wait until a product
// needs them. So sums and differences are five additions, and a product neither reduces its
// result nor puts it into words.
//
// With b = 2^51, a product takes off the multiple of p nearest to the value x, which leaves
// 0.51 p at most, and makes digits x_0 to x_4 from -2^50 to 2^50, and 2^12 for a carry. Then
//
//   by a wide factor, which is five numbers w b, w b^2 to w b^5 modulo p:
//     x_0 (w b) + x_1 (w b^2) + .. + x_4 (w b^5) = x w b, one digit longer than p,
//     so one step of Montgomery's takes the digit off:
//     |x w b + m p| / b < (5 (2^50 + 2^12) p / 2 + 2^50 p) / 2^51 < 1.76 p
//   by a narrow factor, w b^5 alone: five digits longer, five steps,
//     |x w b^5 + m p| / b^5 <= 0.51 p (p / 2) / 2^255 + p / 2 < 0.74 p
//
// where all that is modulo p is from -p / 2 to p / 2, in limbs from -2^50 to 2^50, as doubles,
// and the multiple m of p is, of each step, between -2^50 and 2^50.
//
// A limb of a wide product is less than 6 2^50 + 6 2^49 in size, of a narrow one 8 2^50 +
// 10 2^49: below 2^54. Levels begin with values below 2 p and limbs below 2^51, the top one
// 2^52. A level doubles what is not multiplied, and adds no more than a wide product to all
// else. So after 9 levels values are below 2^9 2 p + 9 1.76 p < 1.1 2^10 p, the top limb below
// 2^61 + 9 2^54, and the others, less that multiple of p, below 2^60 + 9 2^54 + 1.1 2^60: all
// below 2^62. What is stored, other than reduced as by the last pass, is a narrow product.
//
// How two limbs are multiplied exactly is said in mul_f64.glsl, of either sign in limbs_f64.glsl.

#ifndef TRANSFORM_F64_GLSL
#define TRANSFORM_F64_GLSL

struct Value {
    int64_t limb[5];
};

layout(set = 0, binding = 2, std430) readonly buffer Factors { dvec2 factor_pairs[]; };

// Pairs of doubles of a wide factor: 25 doubles, and one for nothing. Of so many parts of a
// block the first pairs come first, and then their second ones.
#define FACTOR_SIZE 13u

shared uvec4 lower_limbs[2u * GROUP_SIZE];
shared uvec4 upper_limbs[2u * GROUP_SIZE];
shared uvec2 top_limbs[2u * GROUP_SIZE];

// The limbs of p, and the same between -2^50 and 2^50, the top one apart.
#define RADIX 2251799813685248.0lf
#define HALF_RADIX 1125899906842624.0lf
#define RAISE(k, below) \
    const double RAISED51_##k = P51_##k + CARRY51_##below; \
    const double CARRY51_##k = RAISED51_##k < HALF_RADIX ? 0.0lf : 1.0lf;
const double CARRY51_NONE = 0.0lf;
RAISE(0, NONE)
RAISE(1, 0)
RAISE(2, 1)
RAISE(3, 2)
#define SIGNED51(k) (RAISED51_##k - CARRY51_##k * RADIX)
const double SIGNED51_0 = SIGNED51(0);
const double SIGNED51_1 = SIGNED51(1);
const double SIGNED51_2 = SIGNED51(2);
const double SIGNED51_3 = SIGNED51(3);
const double SIGNED51_4 = P51_4 + CARRY51_3;

// What a double between 2^52 and 2^53 is less by when it stands for a limb of 51 bits with
// 2^50 added.
const double LIMB_BIAS = 4503599627370496.0lf + HALF_RADIX;
#define HALF_LIMB 0x40000u
#define UPPER_LIMB_MASK 0x7ffffu

#define LIMB_OF(k, low, high) x.limb[k] = int64_t(PAIR(low, (high) & UPPER_LIMB_MASK));

Value value_of(Elem e) {
    Value x;
    LIMB_OF(0, e.p0.x, e.p0.y)
    LIMB_OF(1, e.p0.y >> 19 | e.p0.z << 13, e.p0.z >> 19 | e.p0.w << 13)
    LIMB_OF(2, e.p0.w >> 6 | e.p1.x << 26, e.p1.x >> 6)
    LIMB_OF(3, e.p1.x >> 25 | e.p1.y << 7, e.p1.y >> 25 | e.p1.z << 7)
    x.limb[4] = int64_t(PAIR(e.p1.z >> 12 | e.p1.w << 20, e.p1.w >> 12));
    return x;
}

#define ADD_LIMB(unused, k) sum.limb[k] = a.limb[k] + b.limb[k];
#define SUB_LIMB(unused, k) difference.limb[k] = a.limb[k] - b.limb[k];

Value value_add(Value a, Value b) {
    Value sum;
    EACH_5(ADD_LIMB, 0)
    return sum;
}

Value value_sub(Value a, Value b) {
    Value difference;
    EACH_5(SUB_LIMB, 0)
    return difference;
}

// x less the multiple of p nearest to it, by the upper half of its top limb: of 2^49 times
// that over p's, bits from 17 on. A limb of p is 2^32 UPPER + LOWER.
const int MULTIPLES = int(2417851639229258349412352.0lf / SIGNED51_4 + 0.5lf);
#define WORD 4294967296.0lf
#define UPPER51(k) int(floor(SIGNED51_##k / WORD + 0.5lf))
#define LOWER51(k) int(SIGNED51_##k - floor(SIGNED51_##k / WORD + 0.5lf) * WORD)
#define TAKE_OFF(unused, k) \
    x.limb[k] += int64_t(multiple) * int64_t(LOWER51(k)) + (int64_t(multiple * UPPER51(k)) << 32);

void take_off_multiple(inout Value x) {
    int multiple, unused;
    imulExtended(int(unpackUint2x32(uint64_t(x.limb[4])).y), MULTIPLES, multiple, unused);
    multiple = -((multiple + 0x10000) >> 17);
    EACH_5(TAKE_OFF, 0)
}

// Digits of x as doubles; with the sign bit of a double as `sign`, of -x. With 2^62 + 2^50
// added, the lower 51 bits of a limb are its digit and 2^50, the others its carry and 2^11:
// as the fraction of a double from 2^52 on, digit and carry below are too large by 3 2^51 +
// 2^11, the first digit by 3 2^51.
#define BIASED_WORDS(unused, k) \
    words[k] = unpackUint2x32(uint64_t(x.limb[k])); \
    words[k].y += 0x40040000u;
#define DIGIT(k) PAIR(words[k].x, (words[k].y & UPPER_LIMB_MASK) + 0x43340000u)
#define CARRY(k) uint64_t(words[k].y >> 19)
#define SIGNED_DIGIT(bits, bias) fma(uint64BitsToDouble(bits), one, bias)

void set_digits(Value x, uint sign, out double v[5]) {
    uvec2 words[5];
    double one = packDouble2x32(uvec2(0u, 0x3ff00000u | sign));
    double bias = packDouble2x32(uvec2(2048u, 0xc3380000u ^ sign));
    EACH_5(BIASED_WORDS, 0)
    v[0] = SIGNED_DIGIT(DIGIT(0), packDouble2x32(uvec2(0u, 0xc3380000u ^ sign)));
    v[1] = SIGNED_DIGIT(DIGIT(1) + CARRY(0), bias);
    v[2] = SIGNED_DIGIT(DIGIT(2) + CARRY(1), bias);
    v[3] = SIGNED_DIGIT(DIGIT(3) + CARRY(2), bias);
    // The top limb is a digit as it is: 3 2^51 instead of what was added to it.
    v[4] = SIGNED_DIGIT(PAIR(words[4].x, words[4].y + 0x03340000u) + CARRY(3), bias);
}

// A column starts with the constants of all that will be added taken off, see mul_f64.glsl:
// of `lows` lower and `highs` upper halves of products. One that a step takes off is rounded.
#define START51(k, lows, highs, is_taken_off) \
    c[k] = ((is_taken_off) ? ROUND51 : 0ul) - uint64_t(lows) * MIDDLE_BITS \
        - uint64_t(highs) * TOP_SIGNED_BITS;
#define ROUND51 ((1ul << 50) - 1ul)

#define MULTIPLY51(x, y, k) \
    high = fma(x, y, TOP_SIGNED); \
    low = fma(x, y, TOP_SIGNED + MIDDLE - high); \
    c[k] = c[k] + carried + doubleBitsToUint64(low); \
    carried = doubleBitsToUint64(high);
#define ADD_MODULUS51(i, j) MULTIPLY51(m, SIGNED51_##j, i + j)

// A step of Montgomery's. p begins with 1 - 2^32 modulo 2^51: the multiple of it that makes a
// column c zero is -c (1 + 2^32), without a product.
#define STEP51(i) \
    column = unpackUint2x32(ROUND51 - c[i]); \
    column.y += column.x + HALF_LIMB; \
    m = packDouble2x32(uvec2(column.x, (column.y & UPPER_LIMB_MASK) | 0x43300000u)) - LIMB_BIAS; \
    carried = doubleBitsToUint64(fma(m, SIGNED51_0, TOP_SIGNED)); \
    ABOVE_0_OF_5(ADD_MODULUS51, i) \
    c[(i) + 5] += carried; \
    c[(i) + 1] += uint64_t(int64_t(int(unpackUint2x32(c[i]).y) >> 19));

#define START_WIDE51(first, k) \
    START51((first) + k, (first) + k == 0 ? 5 : (first) + k < 5 ? 6 : 0, (first) + k == 0 ? 0 : 6, \
            (first) + k == 0)
// The numbers that digit i is multiplied by, loaded no earlier: they take registers.
#define LOAD_WIDE(i, k) w[k] = factor_pairs[first + (5 * (i) / 2 + k) * stride];
#define ADD_WIDE51(i, j) MULTIPLY51(v[i], w[(5 * (i) + j) / 2 - 5 * (i) / 2][(5 * (i) + j) & 1], j)
#define WIDE_ROW51(i) \
    LOAD_WIDE(i, 0) \
    LOAD_WIDE(i, 1) \
    LOAD_WIDE(i, 2) \
    carried = 0ul; \
    EACH_5(ADD_WIDE51, i) \
    c[5] += carried;
#define SET_WIDE_RESULT(unused, k) x.limb[k] = int64_t(c[1 + k]);

// x, or with the sign bit -x, by the wide factor whose pairs of doubles are at `first` and
// each `stride` further.
Value multiply_wide(Value x, uint sign, uint first, uint stride) {
    precise double m, high, low;
    double v[5];
    dvec2 w[3];
    uint64_t c[6], carried;
    uvec2 column;
    take_off_multiple(x);
    set_digits(x, sign, v);
    EACH_5(START_WIDE51, 0)
    START_WIDE51(5, 0)
    WIDE_ROW51(0)
    WIDE_ROW51(1)
    WIDE_ROW51(2)
    WIDE_ROW51(3)
    WIDE_ROW51(4)
    STEP51(0)
    EACH_5(SET_WIDE_RESULT, 0)
    return x;
}

// Products of two limbs in column k, and of those how many are of a row's first limb.
#define ROWS51(k) ((k) < 5 ? (k) + 1 : 9 - (k))
#define START_NARROW51(first, k) \
    START51((first) + k, 2 * ROWS51((first) + k) - ((first) + k < 5 ? 1 : 0), \
            2 * ((first) + k == 0 ? 0 : ROWS51((first) + k - 1)), (first) + k < 5)
#define ADD_NARROW51(i, j) MULTIPLY51(v[i], w[j].x, i + j)
#define NARROW_ROW51(i) \
    carried = 0ul; \
    EACH_5(ADD_NARROW51, i) \
    c[(i) + 5] += carried; \
    STEP51(i)
#define SET_NARROW_RESULT(unused, k) x.limb[k] = int64_t(c[5 + k]);

// x by the first of two narrow factors.
Value multiply_narrow(Value x, dvec2 w[5]) {
    precise double m, high, low;
    double v[5];
    uint64_t c[10], carried;
    uvec2 column;
    take_off_multiple(x);
    set_digits(x, 0u, v);
    EACH_5(START_NARROW51, 0)
    EACH_5(START_NARROW51, 5)
    NARROW_ROW51(0)
    NARROW_ROW51(1)
    NARROW_ROW51(2)
    NARROW_ROW51(3)
    NARROW_ROW51(4)
    EACH_5(SET_NARROW_RESULT, 0)
    return x;
}

#define NEGATE_LIMB(unused, k) b.limb[k] = -b.limb[k];

// a + w b to be kept and a - w b to be given away, or where it is `upper` the other way
// round, with the factor w at a place in a table of so many parts.
void butterfly(Value a, Value b, uint place, uint parts, bool upper,
               out Value kept, out Value given) {
    // The first of all factors is one.
    if (place != 0u) {
        b = multiply_wide(b, upper ? 0x80000000u : 0u, place, parts);
    } else if (upper) {
        EACH_5(NEGATE_LIMB, 0)
    }
    kept = value_add(a, b);
    given = value_sub(a, b);
}

#define LOAD_NARROW(unused, k) w[k] = factor_pairs[table + k * pairs + pair];
#define NEXT_NARROW(unused, k) w[k].x = w[k].y;

// a and b by two wide factors of a second table, whose first pairs are at a place and so far
// from there, the others each `stride` further; and then by the two of a pair in a table of so
// many pairs, narrow ones, so that what is left can be stored. Each unless the table is 0.
void multiply_pair(inout Value a, inout Value b, uint second, uint place, uint step,
                   uint stride, uint table, uint pair, uint pairs) {
    if (second != 0u) {
        [[unroll]] for (uint i = 0u; i < 2u; i += 1u) {
            Value product = multiply_wide(a, 0u, second + place + i * step, stride);
            a = b;
            b = product;
        }
    }
    if (table == 0u) {
        return;
    }
    dvec2 w[5];
    EACH_5(LOAD_NARROW, 0)
    [[unroll]] for (uint i = 0u; i < 2u; i += 1u) {
        Value product = multiply_narrow(a, w);
        EACH_5(NEXT_NARROW, 0)
        a = b;
        b = product;
    }
}

// x + p, below 2^256: x is between -p and 1.2 p.
#define CARRY_LIMB(unused, k) \
    rest += x.limb[k] + int64_t(P51_##k); \
    limb[k] = uint64_t(rest) & F64_MASK; \
    rest >>= F64_BITS;

Elem value_words(Value x) {
    uint64_t limb[5];
    int64_t rest = 0l;
    CARRY_LIMB(0, 0)
    CARRY_LIMB(0, 1)
    CARRY_LIMB(0, 2)
    CARRY_LIMB(0, 3)
    limb[4] = uint64_t(rest + x.limb[4] + int64_t(P51_4));
    return Elem(uvec4(unpackUint2x32(limb[0] | limb[1] << 51), unpackUint2x32(limb[1] >> 13 | limb[2] << 38)),
                uvec4(unpackUint2x32(limb[2] >> 26 | limb[3] << 25), unpackUint2x32(limb[3] >> 39 | limb[4] << 12)));
}

Elem value_reduced(Value x) {
    take_off_multiple(x);
    return reduce_once(value_words(x));
}

#define WORDS_OF_LIMB(k) unpackUint2x32(uint64_t(x.limb[k]))
#define LIMB_OF_WORDS(words) int64_t(packUint2x32(words))

Value fetch(uint i) {
    uvec4 lower = lower_limbs[i];
    uvec4 upper = upper_limbs[i];
    Value x;
    x.limb[0] = LIMB_OF_WORDS(lower.xy);
    x.limb[1] = LIMB_OF_WORDS(lower.zw);
    x.limb[2] = LIMB_OF_WORDS(upper.xy);
    x.limb[3] = LIMB_OF_WORDS(upper.zw);
    x.limb[4] = LIMB_OF_WORDS(top_limbs[i]);
    return x;
}

void put(uint i, Value x) {
    lower_limbs[i] = uvec4(WORDS_OF_LIMB(0), WORDS_OF_LIMB(1));
    upper_limbs[i] = uvec4(WORDS_OF_LIMB(2), WORDS_OF_LIMB(3));
    top_limbs[i] = WORDS_OF_LIMB(4);
}

#ifdef SHUFFLE
#define SHUFFLE_LIMB(unused, k) \
    words = WORDS_OF_LIMB(k); \
    words = uvec2(subgroupShuffleXor(words.x, mask), subgroupShuffleXor(words.y, mask)); \
    x.limb[k] = LIMB_OF_WORDS(words);

Value shuffled(Value x, uint mask) {
    uvec2 words;
    EACH_5(SHUFFLE_LIMB, 0)
    return x;
}
#endif

#endif
