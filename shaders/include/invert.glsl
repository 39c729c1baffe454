// The inverse modulo p, by the division steps of Bernstein and Yang (2019).
//
// From f = p, g = a and delta = 1, a step takes
//   (delta, f, g) to (1 - delta, g, (g - f) / 2)   if delta > 0 and g is odd,
//                 to (1 + delta, f, (g + f) / 2)   if g is odd otherwise,
//                 to (1 + delta, f, g / 2)         if g is even.
// f stays odd. For operands of n >= 46 bits, g is zero after at most (49 n + 57) / 17
// steps, and f is then 1 or -1, the greatest common divisor of p and a.
//
// What a step does depends on the lowest bits only. So 30 steps are taken on single
// words, as a matrix of small integers, which then acts on the whole of (f, g), where
// it gives a multiple of 2^30, and on (d, e), which keep d a = f and e a = g modulo p.
//
// The numbers are in limbs of 30 bits, those below the highest not negative.

#ifndef INVERT_GLSL
#define INVERT_GLSL

#include "limbs30.glsl"

#define STEP_BATCHES (((49 * FIELD_BITS + 57) / 17 + 29) / 30)

// A sum of products of limbs, signed, 64 bits.
#ifdef MUL_U32
struct LimbSum {
    int high;
    uint low;
};

#define ZERO_SUM LimbSum(0, 0u)

void add_product(inout LimbSum sum, int x, int y) {
    int high, low;
    uint carry;
    imulExtended(x, y, high, low);
    sum.low = uaddCarry(sum.low, uint(low), carry);
    sum.high += high + int(carry);
}

uint lowest_word(LimbSum sum) {
    return sum.low;
}

// Divides by 2^30, and returns the remainder.
int drop_limb(inout LimbSum sum) {
    int limb = int(sum.low & MASK30);
    sum.low = (sum.low >> 30) | (uint(sum.high) << 2);
    sum.high >>= 30;
    return limb;
}
#else
#define LimbSum int64_t
#define ZERO_SUM int64_t(0)

void add_product(inout LimbSum sum, int x, int y) {
    sum += int64_t(x) * int64_t(y);
}

uint lowest_word(LimbSum sum) {
    return uint(sum);
}

// Divides by 2^30, and returns the remainder.
int drop_limb(inout LimbSum sum) {
    int limb = int(uint(sum) & MASK30);
    sum >>= 30;
    return limb;
}
#endif

// 2^30 times the product of 30 steps: f becomes (uf + vg) / 2^30, g (qf + rg) / 2^30.
struct Steps {
    int u, v, q, r;
};

// Takes 30 steps from the lowest words of f and g. The entries of a row add up to
// 2^30 at most.
Steps take_steps(uint f, uint g, inout int delta) {
    Steps t = Steps(1, 0, 0, 1);
    int left = 30;
    // Every turn but the first takes one step at least.
    for (int turn = 0; turn <= 30; turn++) {
        // All steps with g even at once. The search returns -1 for zero.
        int zeros = int(min(uint(findLSB(g)), uint(left)));
        g >>= zeros;
        t.u <<= zeros;
        t.v <<= zeros;
        delta += zeros;
        left -= zeros;
        if (left == 0) {
            break;
        }
        if (delta > 0) {
            delta = -delta;
            uint old_f = f;
            f = g;
            g = 0u - old_f;
            t = Steps(t.q, t.r, -t.u, -t.v);
        }
        // Until delta is positive again, steps add f to g or do not: they add the
        // multiple of f that clears as many bits of g. f (f^2 - 2) is -1 / f modulo
        // 2^6, as f^2 is 1 modulo 2^3.
        int bits = min(min(left, 1 - delta), 6);
        uint multiple = g * (f * (f * f - 2u)) & ((1u << bits) - 1u);
        g += multiple * f;
        t.q += int(multiple) * t.u;
        t.r += int(multiple) * t.v;
    }
    return t;
}

#define SET_START(unused, k) \
    f[k] = int(p[k]); \
    g[k] = int(LIMB30(w, 0, k)); \
    d[k] = 0; \
    e[k] = 0;
#define ANY_LIMB(unused, k) any |= g[k];

// The matrix on limb k of both; what leaves the sums is limb k - 1 of the result.
#define SUM_FG(unused, k) \
    add_product(sum_f, t.u, f[k]); \
    add_product(sum_f, t.v, g[k]); \
    add_product(sum_g, t.q, f[k]); \
    add_product(sum_g, t.r, g[k]);
#define STEP_FG(unused, k) \
    SUM_FG(unused, k + 1) \
    f[k] = drop_limb(sum_f); \
    g[k] = drop_limb(sum_g);
#define SUM_DE(unused, k) \
    add_product(sum_d, t.u, d[k]); \
    add_product(sum_d, t.v, e[k]); \
    add_product(sum_e, t.q, d[k]); \
    add_product(sum_e, t.r, e[k]);
#define SUM_MODULUS(unused, k) \
    add_product(sum_d, times_d, int(p[k])); \
    add_product(sum_e, times_e, int(p[k]));
#define STEP_DE(unused, k) \
    SUM_DE(unused, k + 1) \
    SUM_MODULUS(unused, k + 1) \
    d[k] = drop_limb(sum_d); \
    e[k] = drop_limb(sum_e);

#define NEGATE_IF(unused, k) \
    carry += (d[k] ^ sign) - sign; \
    d[k] = k < LIMBS30 - 1 ? carry & int(MASK30) : carry; \
    carry >>= 30;
#define RAISE_IF(unused, k) \
    sum += uint(d[k]) + (uint(sign) & 2u * p[k]); \
    limb[k] = k < LIMBS30 - 1 ? sum & MASK30 : sum; \
    sum >>= 30;
#define SET_INVERSE_WORD(unused, k) word[k] = WORD30(limb, k);

// The integer x below p with a * x = 1 modulo p; zero for zero. For a in Montgomery
// form that is not yet the form's inverse: a product with R^3 makes it so.
Elem f_invert(Elem a) {
    const uint p[LIMBS30] = MODULUS_LIMBS30;
    uint w[PADDED_WORDS] = PADDED_WORDS_OF(a);
    int f[LIMBS30], g[LIMBS30], d[LIMBS30], e[LIMBS30];
    EACH_LIMB30(SET_START, 0)
    e[0] = 1;
    int delta = 1;
    for (int batch = 0; batch < STEP_BATCHES; batch++) {
        int any = 0;
        EACH_LIMB30(ANY_LIMB, 0)
        if (any == 0) {
            break;
        }
        uint low_f = uint(f[0]) | uint(f[1]) << 30;
        uint low_g = uint(g[0]) | uint(g[1]) << 30;
        Steps t = take_steps(low_f, low_g, delta);

        LimbSum sum_f = ZERO_SUM, sum_g = ZERO_SUM;
        SUM_FG(0, 0)
        drop_limb(sum_f);
        drop_limb(sum_g);
        EACH_LOWER_LIMB30(STEP_FG, 0)
        f[LIMBS30 - 1] = int(lowest_word(sum_f));
        g[LIMBS30 - 1] = int(lowest_word(sum_g));

        // d and e stay between -2p and p: p is added once to a negative one, and then
        // subtracted as often, below 2^30 times, as makes the sum a multiple of 2^30.
        int negative_d = d[LIMBS30 - 1] >> 31;
        int negative_e = e[LIMBS30 - 1] >> 31;
        int times_d = (t.u & negative_d) + (t.v & negative_e);
        int times_e = (t.q & negative_d) + (t.r & negative_e);
        LimbSum sum_d = ZERO_SUM, sum_e = ZERO_SUM;
        SUM_DE(0, 0)
        times_d -= int((uint(times_d) - lowest_word(sum_d) * P_INV30) & MASK30);
        times_e -= int((uint(times_e) - lowest_word(sum_e) * P_INV30) & MASK30);
        SUM_MODULUS(0, 0)
        drop_limb(sum_d);
        drop_limb(sum_e);
        EACH_LOWER_LIMB30(STEP_DE, 0)
        d[LIMBS30 - 1] = int(lowest_word(sum_d));
        e[LIMBS30 - 1] = int(lowest_word(sum_e));
    }

    // d a = f, which is 1 or -1 (or p, with d = 0): d or -d, raised by 2p if negative.
    int sign = f[LIMBS30 - 1] >> 31, carry = 0;
    EACH_LIMB30(NEGATE_IF, 0)
    sign = d[LIMBS30 - 1] >> 31;
    uint limb[LIMBS30], word[FIELD_WORDS], sum = 0u;
    EACH_LIMB30(RAISE_IF, 0)
    EACH_WORD(SET_INVERSE_WORD, 0)
    return reduce_once(ELEM_OF_ARRAY(word));
}

#endif
