// Values between the levels of a transform over the scalar field, on the double units: five
// signed limbs of 51 bits in 64 each, whose carries and multiples of p wait until a product
// needs them. So sums and differences are five additions, and a product neither reduces its
// result nor puts it into words.
//
// A value may be up to 2^11 p in size, and its limbs up to 2^62: a level at most doubles
// what is not multiplied, the first limbs are below 2^52, and those of a product below 2^56.
// A product first takes off the multiple of p nearest to the value, which leaves 0.51 p at
// most, and makes limbs from -2^50 to 2^50. The factor is w 2^255 mod p, from -p / 2 to
// p / 2, in such limbs, as doubles. The product is Montgomery's with 2^255, so x w:
//
//   |x w 2^255 + m p| / 2^255 <= 0.51 p (p / 2) / 2^255 + p / 2 < 0.74 p
//
// since m, put together from multiples between -2^50 and 2^50, is 2^254 at most in size.
//
// How two limbs are multiplied exactly is said in mul_f64.glsl. TOP_SIGNED is 3 2^102 here,
// so that products may be negative: limbs up to 2^51 times 2^50.9 keep it between 2^103
// and 2^104.

#ifndef TRANSFORM_F64_GLSL
#define TRANSFORM_F64_GLSL

struct Value {
    int64_t limb[5];
};

struct Factor {
    double limb[5];
};

layout(set = 0, binding = 2, std430) readonly buffer Factors { double factor_limbs[]; };

shared uvec4 lower_limbs[TILE];
shared uvec4 upper_limbs[TILE];
shared uvec2 top_limbs[TILE];

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

const double TOP_SIGNED = 3.0lf * 5070602400912917605986812821504.0lf;
#define TOP_SIGNED_BITS 0x4668000000000000ul
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
// that over p's, bits from 17 on.
const int MULTIPLES = int(2417851639229258349412352.0lf / SIGNED51_4 + 0.5lf);
#define TAKE_OFF(unused, k) x.limb[k] -= int64_t(multiple) * int64_t(SIGNED51_##k);

void take_off_multiple(inout Value x) {
    int multiple, unused;
    imulExtended(int(unpackUint2x32(uint64_t(x.limb[4])).y), MULTIPLES, multiple, unused);
    multiple = (multiple + 0x10000) >> 17;
    EACH_5(TAKE_OFF, 0)
}

// Products of two limbs in column k, and of those how many are of a row's first limb.
#define ROWS51(k) ((k) < 5 ? (k) + 1 : 9 - (k))
// A column starts with the constants of all that will be added taken off; see mul_f64.glsl.
#define START51(first, k) \
    c[(first) + k] = ((first) + k < 5 ? ROUND51 : 0ul) \
        - uint64_t(2 * ROWS51((first) + k) - ((first) + k < 5 ? 1 : 0)) * MIDDLE_BITS \
        - uint64_t(2 * ((first) + k == 0 ? 0 : ROWS51((first) + k - 1))) * TOP_SIGNED_BITS;
#define ROUND51 ((1ul << 50) - 1ul)

#define MULTIPLY51(x, y, k) \
    high = fma(x, y, TOP_SIGNED); \
    low = fma(x, y, TOP_SIGNED + MIDDLE - high); \
    c[k] = c[k] + carried + doubleBitsToUint64(low); \
    carried = doubleBitsToUint64(high);
#define ADD_PRODUCT51(i, j) MULTIPLY51(v[i], w.limb[j], i + j)
#define ADD_MODULUS51(i, j) MULTIPLY51(m, SIGNED51_##j, i + j)

// The 51 bits of two words from -2^50 to 2^50, which were added to them before, as a double.
#define SIGNED_DOUBLE(words) \
    (packDouble2x32(uvec2(words.x, (words.y & UPPER_LIMB_MASK) | 0x43300000u)) - LIMB_BIAS)
#define SET_DOUBLE(unused, k) \
    words = unpackUint2x32(uint64_t(x.limb[k] + int64_t(carry))); \
    words.y += HALF_LIMB; \
    carry = int(words.y) >> 19; \
    v[k] = SIGNED_DOUBLE(words);

// p begins with 1 - 2^32 modulo 2^51: the multiple of it that makes a column c zero is
// -c (1 + 2^32), without a product.
#define ROW51(i) \
    carried = 0ul; \
    EACH_5(ADD_PRODUCT51, i) \
    c[(i) + 5] += carried; \
    words = unpackUint2x32(ROUND51 - c[i]); \
    words.y += words.x + HALF_LIMB; \
    m = SIGNED_DOUBLE(words); \
    carried = doubleBitsToUint64(fma(m, SIGNED51_0, TOP_SIGNED)); \
    ABOVE_0_OF_5(ADD_MODULUS51, i) \
    c[(i) + 5] += carried; \
    c[(i) + 1] += uint64_t(int64_t(int(unpackUint2x32(c[i]).y) >> 19));

#define SET_RESULT(unused, k) product.limb[k] = int64_t(c[5 + k]);

Value value_mul(Value x, Factor w) {
    precise double v[5], m, high, low;
    uint64_t c[10], carried;
    int carry = 0;
    uvec2 words;
    take_off_multiple(x);
    SET_DOUBLE(0, 0)
    SET_DOUBLE(0, 1)
    SET_DOUBLE(0, 2)
    SET_DOUBLE(0, 3)
    words = unpackUint2x32(uint64_t(x.limb[4] + int64_t(carry)));
    v[4] = packDouble2x32(uvec2(words.x, words.y + 0x43380000u)) - MIDDLE;
    EACH_5(START51, 0)
    EACH_5(START51, 5)
    ROW51(0)
    ROW51(1)
    ROW51(2)
    ROW51(3)
    ROW51(4)
    Value product;
    EACH_5(SET_RESULT, 0)
    return product;
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

#define SET_FACTOR(first, k) w.limb[k] = factor_limbs[first + k];

Factor factor(uint i) {
    Factor w;
    i *= 5u;
    EACH_5(SET_FACTOR, i)
    return w;
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

#endif
