// Sums of products, reduced once for all: half the work of a sum of reduced ones.
//
//   Wide sum = wide_zero();
//   wide_add_product(sum, a, wide_factor(b));  // up to WIDE_PRODUCTS times
//   Elem result = wide_reduce(sum);            // the sum of all a * b / R mod p, below p
//
// A factor is an element in the limbs that it is multiplied in: made once where many
// invocations multiply by it.
//
// WIDE_PRODUCTS are as many as wide_reduce can take: n products make a sum below
// n p^2, the reduction of which is below (n p / R + 1) p. With 256, and p / R = 0.11 or
// 0.46, that is below 29p or 117p: reduce_sum takes up to 128p. For more, reduce, begin
// anew and add the results.

#ifndef WIDE_GLSL
#define WIDE_GLSL

#define WIDE_PRODUCTS 256u

#if defined(MUL_U32)

// Without 64-bit integers, a sum of reduced products.
struct Wide {
    Elem sum;
};

struct WideFactor {
    Elem element;
};

WideFactor wide_factor(Elem b) { return WideFactor(b); }

Wide wide_zero() { return Wide(f_zero()); }

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    wide.sum = f_add(wide.sum, f_mul(a, b.element));
}

Elem wide_reduce(Wide wide) { return wide.sum; }

#elif defined(MUL_U64)

// Columns of 30 bits and what exceeds them: below 2^35 between products. The 13 products
// of 60 bits that meet in a column fit on top of that, once, so each call passes the
// carries on, all by one column at the same time.
struct Wide {
    uint64_t t[2 * LIMBS30];
};

struct WideFactor {
    uint limb[LIMBS30];
};

#define WIDE_SET_FACTOR(first, k) factor.limb[k] = LIMB30(w, first, k);

WideFactor wide_factor(Elem b) {
    uint w[PADDED_WORDS] = PADDED_WORDS_OF(b);
    WideFactor factor;
    EACH_LIMB30(WIDE_SET_FACTOR, 0)
    return factor;
}

#define WIDE_SET_ZERO(first, k) wide.t[(first) + k] = 0ul;
#define WIDE_ADD_PRODUCT(i, j) wide.t[(i) + j] += uint64_t(x[i]) * b.limb[j];
#define WIDE_ROW(i) EACH_LIMB30(WIDE_ADD_PRODUCT, i)
#define WIDE_PASS_CARRY(first, k) \
    carry = wide.t[(first) + k] >> 30; \
    wide.t[(first) + k] = (wide.t[(first) + k] & MASK30) + from_below; \
    from_below = carry;
// On top of what a column of a reduction starts with.
#define WIDE_TO_COLUMN(first, k) START_U30(first, k) t[(first) + k] += wide.t[(first) + k];

Wide wide_zero() {
    Wide wide;
    EACH_LIMB30(WIDE_SET_ZERO, 0)
    EACH_LIMB30(WIDE_SET_ZERO, LIMBS30)
    return wide;
}

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    uint v[PADDED_WORDS] = PADDED_WORDS_OF(a);
    uint x[LIMBS30];
    uint64_t carry, from_below = 0ul;
    EACH_LIMB30(SET_X_U30, SHIFT30)
    WIDE_ROW(0) WIDE_ROW(1) WIDE_ROW(2) WIDE_ROW(3) WIDE_ROW(4)
    WIDE_ROW(5) WIDE_ROW(6) WIDE_ROW(7) WIDE_ROW(8)
#ifdef FIELD_FP
    WIDE_ROW(9) WIDE_ROW(10) WIDE_ROW(11) WIDE_ROW(12)
#endif
    EACH_LIMB30(WIDE_PASS_CARRY, 0)
    EACH_LOWER_LIMB30(WIDE_PASS_CARRY, LIMBS30)
    // The last column keeps all of its bits: 2^27 at most.
    wide.t[2 * LIMBS30 - 1] += from_below;
}

Elem wide_reduce(Wide wide) {
    const int p[LIMBS30] = BALANCED_LIMBS30;
    uint limb[LIMBS30], word[FIELD_WORDS];
    uint64_t t[2 * LIMBS30];
    int m;
    EACH_LIMB30(WIDE_TO_COLUMN, 0)
    EACH_LIMB30(WIDE_TO_COLUMN, LIMBS30)
    REDUCE_U30(0) REDUCE_U30(1) REDUCE_U30(2) REDUCE_U30(3) REDUCE_U30(4)
    REDUCE_U30(5) REDUCE_U30(6) REDUCE_U30(7) REDUCE_U30(8)
#ifdef FIELD_FP
    REDUCE_U30(9) REDUCE_U30(10) REDUCE_U30(11) REDUCE_U30(12)
#endif
    COLUMNS_TO_WORDS_U30
    return reduce_sum(ELEM_OF_ARRAY(word), limb[LIMBS30 - 1] >> (30 - SHIFT30));
}

#else

// The columns with all constants of their products still in; what these are is known. By
// Karatsuba's method x_i y_j + x_j y_i is x_i y_i + x_j y_j + (x_i - x_j) (y_j - y_i): its
// parts are summed up each for itself, and joined once. Without the constants, a product
// adds less than 2^53 to a column of what is joined in the base field and less than 2^54.4
// in the scalar field, so that 256 stay below 2^62.4.
//
// With WIDE_ROWS, over the scalar field, all 25 products of limbs are made: that is faster
// where a factor is used once, so that its differences cost as much as they spare.

#if defined(FIELD_FP) || defined(WIDE_ROWS)

struct WideFactor {
    double limb[F64_LIMBS];
};

WideFactor wide_factor(Elem b) {
    WideFactor factor;
    SET_LIMBS_F64(factor.limb, b)
    return factor;
}

#endif

#ifdef FIELD_FP

struct Wide {
    Products4 parts;
    uint products;
};

Wide wide_zero() { return Wide(products_4_zero(), 0u); }

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    precise double x[F64_LIMBS], y[F64_LIMBS] = b.limb;
    SET_LIMBS_F64(x, a)
    ADD_PRODUCT_8(wide.parts, x, y)
    wide.products++;
}

#define WIDE_JOIN(wide) JOIN_PRODUCTS_4(wide.parts)
#define WIDE_OFFSET(k) OFFSET_8(k)

#elif defined(WIDE_ROWS)

struct Wide {
    uint64_t c[2 * F64_LIMBS];
    uint products;
};

#define WIDE_SET_ZERO(first, k) wide.c[(first) + k] = 0ul;
#define WIDE_FROM_COLUMN(first, k) wide.c[(first) + k] = c[(first) + k];
#define WIDE_COPY_COLUMN(first, k) c[(first) + k] = wide.c[(first) + k];

Wide wide_zero() {
    Wide wide;
    EACH_LIMB_F64(WIDE_SET_ZERO, 0)
    EACH_LIMB_F64(WIDE_SET_ZERO, F64_LIMBS)
    wide.products = 0u;
    return wide;
}

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    precise double x[F64_LIMBS], y[F64_LIMBS] = b.limb, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    SET_LIMBS_F64(x, a)
    EACH_LIMB_F64(WIDE_COPY_COLUMN, 0)
    EACH_LIMB_F64(WIDE_COPY_COLUMN, F64_LIMBS)
    ROW_F64(0) ROW_F64(1) ROW_F64(2) ROW_F64(3) ROW_F64(4)
    EACH_LIMB_F64(WIDE_FROM_COLUMN, 0)
    EACH_LIMB_F64(WIDE_FROM_COLUMN, F64_LIMBS)
    wide.products++;
}

#define WIDE_JOIN(wide) const uint64_t product[2 * F64_LIMBS] = wide.c;
#define WIDE_OFFSET(k) \
    (uint64_t(PRODUCTS_F64(k)) * MIDDLE_BITS + uint64_t(PRODUCTS_F64((k) - 1)) * TOP_BITS)

#else

// The 5 limbs of a factor, then the 10 differences of two, which make 15 products of limbs
// where 5 times 5 have 25.
struct WideFactor {
    double limb[15];
};

struct Wide {
    // Lower and upper halves of the x_i y_i.
    uint64_t low[F64_LIMBS], high[F64_LIMBS];
    // Columns of the products of differences.
    uint64_t c[2 * F64_LIMBS];
    uint products;
};

#define EACH_DIFFERENCE_OF_0(M) M(0, 1, 5) M(0, 2, 6) M(0, 3, 7) M(0, 4, 8)
#define EACH_DIFFERENCE_OF_1(M) M(1, 2, 9) M(1, 3, 10) M(1, 4, 11)
#define EACH_DIFFERENCE_OF_2(M) M(2, 3, 12) M(2, 4, 13)
#define EACH_DIFFERENCE_OF_3(M) M(3, 4, 14)
#define SET_DIFFERENCE(i, j, at) factor.limb[at] = factor.limb[j] - factor.limb[i];

WideFactor wide_factor(Elem b) {
    WideFactor factor;
    SET_LIMBS_F64(factor.limb, b)
    EACH_DIFFERENCE_OF_0(SET_DIFFERENCE)
    EACH_DIFFERENCE_OF_1(SET_DIFFERENCE)
    EACH_DIFFERENCE_OF_2(SET_DIFFERENCE)
    EACH_DIFFERENCE_OF_3(SET_DIFFERENCE)
    return factor;
}

#define WIDE_SET_ZERO(unused, k) \
    wide.low[k] = wide.high[k] = wide.c[k] = wide.c[F64_LIMBS + k] = 0ul;

Wide wide_zero() {
    Wide wide;
    EACH_LIMB_F64(WIDE_SET_ZERO, 0)
    wide.products = 0u;
    return wide;
}

#define WIDE_MULTIPLY(x, y) \
    high = fma(x, y, TOP_SIGNED); \
    low = fma(x, y, TOP_SIGNED + MIDDLE - high);
#define WIDE_ADD_LIMB(unused, i) \
    WIDE_MULTIPLY(x[i], b.limb[i]) \
    wide.low[i] += doubleBitsToUint64(low); \
    wide.high[i] += doubleBitsToUint64(high);
#define WIDE_ADD_DIFFERENCE(i, j, at) \
    difference = x[i] - x[j]; \
    WIDE_MULTIPLY(difference, b.limb[at]) \
    wide.c[(i) + j] += doubleBitsToUint64(low) + carried; \
    carried = doubleBitsToUint64(high);
#define WIDE_ADD_DIFFERENCES(i) \
    carried = 0ul; \
    EACH_DIFFERENCE_OF_##i(WIDE_ADD_DIFFERENCE) \
    wide.c[(i) + F64_LIMBS] += carried;

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    precise double x[F64_LIMBS], difference, high, low;
    uint64_t carried;
    SET_LIMBS_F64(x, a)
    EACH_LIMB_F64(WIDE_ADD_LIMB, 0)
    WIDE_ADD_DIFFERENCES(0)
    WIDE_ADD_DIFFERENCES(1)
    WIDE_ADD_DIFFERENCES(2)
    WIDE_ADD_DIFFERENCES(3)
    wide.products++;
}

// A column has the halves of all x_i y_i with both i and k - i from 0 to 4: of one more than
// the column before, or of one less.
#define WIDE_JOIN(wide) \
    uint64_t lows = 0ul, highs = 0ul, product[2 * F64_LIMBS]; \
    EACH_LIMB_F64(WIDE_JOIN_LOWER, 0) \
    EACH_LIMB_F64(WIDE_JOIN_UPPER, 0)
#define WIDE_JOIN_LOWER(unused, k) \
    lows += wide.low[k]; \
    product[k] = wide.c[k] + lows + highs; \
    highs += wide.high[k];
#define WIDE_JOIN_UPPER(unused, k) \
    lows -= wide.low[k]; \
    product[F64_LIMBS + k] = wide.c[F64_LIMBS + k] + lows + highs; \
    highs -= wide.high[k];
// Products whose lower halves are in a column: two limbs', and of those of differences one
// for each two.
#define WIDE_PRODUCTS_AT(k) (uint64_t(PRODUCTS_F64(k)) + uint64_t(PRODUCTS_F64(k) / 2))
#define WIDE_OFFSET(k) \
    (WIDE_PRODUCTS_AT(k) * MIDDLE_BITS + WIDE_PRODUCTS_AT((k) - 1) * TOP_SIGNED_BITS)

#endif

// On top of what a column of a reduction starts with.
#define WIDE_TO_COLUMN(first, k) \
    START_F64((first) + k, PRODUCTS_F64((first) + k), PRODUCTS_F64((first) + k - 1)) \
    c[(first) + k] += product[(first) + k] - uint64_t(wide.products) * WIDE_OFFSET((first) + k);

Elem wide_reduce(Wide wide) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double m, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    uint above;
    WIDE_JOIN(wide)
    EACH_LIMB_F64(WIDE_TO_COLUMN, 0)
    EACH_LIMB_F64(WIDE_TO_COLUMN, F64_LIMBS)
    REDUCE_ALL_F64
    Elem words = columns_to_words_f64(c, above);
    return reduce_sum(words, above);
}

#endif

#endif
