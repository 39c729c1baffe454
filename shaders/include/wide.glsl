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

// The columns with all constants of their products still in. Without these, a product
// adds less than 2^53 to a column in the base field and less than 2^54.1 in the scalar
// field, so that 256 stay below 2^62.1. In the base field the parts of Karatsuba's method
// are summed up each for itself, and joined once.
struct Wide {
#ifdef FIELD_FP
    Products4 parts;
#else
    uint64_t c[2 * F64_LIMBS];
#endif
    uint products;
};

struct WideFactor {
    double limb[F64_LIMBS];
};

WideFactor wide_factor(Elem b) {
    WideFactor factor;
    SET_LIMBS_F64(factor.limb, b)
    return factor;
}

// On top of what a column of a reduction starts with.
#define WIDE_START(k) START_F64(k, PRODUCTS_F64(k), PRODUCTS_F64((k) - 1))
#ifdef FIELD_FP
#define WIDE_TO_COLUMN(first, k) \
    WIDE_START((first) + k) \
    c[(first) + k] += product[(first) + k] - uint64_t(wide.products) * OFFSET_8((first) + k);
#else
#define WIDE_OFFSET(k) \
    (uint64_t(PRODUCTS_F64(k)) * MIDDLE_BITS + uint64_t(PRODUCTS_F64((k) - 1)) * TOP_BITS)
#define WIDE_TO_COLUMN(first, k) \
    WIDE_START((first) + k) \
    c[(first) + k] += wide.c[(first) + k] - uint64_t(wide.products) * WIDE_OFFSET((first) + k);
#define WIDE_SET_ZERO(first, k) wide.c[(first) + k] = 0ul;
#define WIDE_FROM_COLUMN(first, k) wide.c[(first) + k] = c[(first) + k];
#define WIDE_COPY_COLUMN(first, k) c[(first) + k] = wide.c[(first) + k];
#endif

Wide wide_zero() {
    Wide wide;
#ifdef FIELD_FP
    wide.parts = products_4_zero();
#else
    EACH_LIMB_F64(WIDE_SET_ZERO, 0)
    EACH_LIMB_F64(WIDE_SET_ZERO, F64_LIMBS)
#endif
    wide.products = 0u;
    return wide;
}

void wide_add_product(inout Wide wide, Elem a, WideFactor b) {
    precise double x[F64_LIMBS], y[F64_LIMBS] = b.limb;
    SET_LIMBS_F64(x, a)
#ifdef FIELD_FP
    ADD_PRODUCT_8(wide.parts, x, y)
#else
    precise double high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    EACH_LIMB_F64(WIDE_COPY_COLUMN, 0)
    EACH_LIMB_F64(WIDE_COPY_COLUMN, F64_LIMBS)
    ROW_F64(0) ROW_F64(1) ROW_F64(2) ROW_F64(3) ROW_F64(4)
    EACH_LIMB_F64(WIDE_FROM_COLUMN, 0)
    EACH_LIMB_F64(WIDE_FROM_COLUMN, F64_LIMBS)
#endif
    wide.products++;
}

Elem wide_reduce(Wide wide) {
    const double p[F64_LIMBS] = MODULUS_LIMBS_F64;
    precise double m, high, low;
    uint64_t carried, c[2 * F64_LIMBS];
    uint above;
#ifdef FIELD_FP
    JOIN_PRODUCTS_4(wide.parts)
#endif
    EACH_LIMB_F64(WIDE_TO_COLUMN, 0)
    EACH_LIMB_F64(WIDE_TO_COLUMN, F64_LIMBS)
    REDUCE_ALL_F64
    Elem words = columns_to_words_f64(c, above);
    return reduce_sum(words, above);
}

#endif

#endif
