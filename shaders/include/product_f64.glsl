// Products of limbs of 48 bits as doubles by Karatsuba's method, in two steps: 36
// products of single limbs where 8 times 8 limbs have 64.
//
// Sums of two factors, then of four, have 49 and 50 bits. So products stay below 2^100,
// and high, in the notation of mul_f64.glsl, below 2^101: the exponent stays what it is.
//
// A product of two limbs leaves MIDDLE_BITS in its column and TOP_BITS in the next one.
// These stay in until the end: what they come to is known by column, as OFFSET_8.

#ifndef PRODUCT_F64_GLSL
#define PRODUCT_F64_GLSL

struct Columns4 {
    uint64_t c0, c1, c2, c3;
};

struct Columns8 {
    uint64_t c0, c1, c2, c3, c4, c5, c6, c7;
};

// Adds (x0, x1) * (y0, y1) to the columns.
void add_product_2(inout Columns4 sum, double x0, double x1, double y0, double y1) {
    precise double high_00 = fma(x0, y0, TOP);
    precise double high_01 = fma(x0, y1, TOP);
    precise double high_10 = fma(x1, y0, TOP);
    precise double high_11 = fma(x1, y1, TOP);
    precise double low_00 = fma(x0, y0, TOP + MIDDLE - high_00);
    precise double low_01 = fma(x0, y1, TOP + MIDDLE - high_01);
    precise double low_10 = fma(x1, y0, TOP + MIDDLE - high_10);
    precise double low_11 = fma(x1, y1, TOP + MIDDLE - high_11);
    sum.c0 += doubleBitsToUint64(low_00);
    sum.c1 += doubleBitsToUint64(low_01) + doubleBitsToUint64(low_10) + doubleBitsToUint64(high_00);
    sum.c2 += doubleBitsToUint64(low_11) + doubleBitsToUint64(high_01) + doubleBitsToUint64(high_10);
    sum.c3 += doubleBitsToUint64(high_11);
}

// Three products that make one of twice the size: the lower halves', the upper halves',
// and that of the halves' sums, which less the other two belongs in the middle.
struct Products2 {
    Columns4 lower, upper, both;
};

struct Products4 {
    Products2 lower, upper, both;
};

Products2 products_2_zero() {
    Columns4 zero = Columns4(0ul, 0ul, 0ul, 0ul);
    return Products2(zero, zero, zero);
}

Products4 products_4_zero() {
    return Products4(products_2_zero(), products_2_zero(), products_2_zero());
}

void add_product_4(inout Products2 sum, double x0, double x1, double x2, double x3,
                   double y0, double y1, double y2, double y3) {
    add_product_2(sum.lower, x0, x1, y0, y1);
    add_product_2(sum.upper, x2, x3, y2, y3);
    add_product_2(sum.both, x0 + x2, x1 + x3, y0 + y2, y1 + y3);
}

#define ADD_PRODUCT_8(sum, x, y) \
    add_product_4(sum.lower, x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]); \
    add_product_4(sum.upper, x[4], x[5], x[6], x[7], y[4], y[5], y[6], y[7]); \
    add_product_4(sum.both, x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7], \
                  y[0] + y[4], y[1] + y[5], y[2] + y[6], y[3] + y[7]);

Columns8 join_products_2(Products2 products) {
    Columns4 lower = products.lower, upper = products.upper, both = products.both;
    uint64_t shared_0 = lower.c2 - upper.c0;
    uint64_t shared_1 = lower.c3 - upper.c1;
    Columns8 sum;
    sum.c0 = lower.c0;
    sum.c1 = lower.c1;
    sum.c2 = shared_0 + both.c0 - lower.c0;
    sum.c3 = shared_1 + both.c1 - lower.c1;
    sum.c4 = both.c2 - upper.c2 - shared_0;
    sum.c5 = both.c3 - upper.c3 - shared_1;
    sum.c6 = upper.c2;
    sum.c7 = upper.c3;
    return sum;
}

// The columns of all that was added, as an array named `product`.
#define JOIN_PRODUCTS_4(products) \
    Columns8 lower = join_products_2(products.lower); \
    Columns8 upper = join_products_2(products.upper); \
    Columns8 both = join_products_2(products.both); \
    uint64_t product[16]; \
    JOIN_COLUMNS(0, c0, c4) \
    JOIN_COLUMNS(1, c1, c5) \
    JOIN_COLUMNS(2, c2, c6) \
    JOIN_COLUMNS(3, c3, c7)
#define JOIN_COLUMNS(k, first, second) \
    uint64_t shared_##k = lower.second - upper.first; \
    product[k] = lower.first; \
    product[4 + k] = shared_##k + both.first - lower.first; \
    product[8 + k] = both.second - upper.second - shared_##k; \
    product[12 + k] = upper.second;

// The constants in column k: of a product of 2 limbs by 2, and of the sums of three of
// the next smaller ones.
#define OFFSET_2(k) \
    ((k) == 0 ? MIDDLE_BITS : (k) == 1 ? 2ul * MIDDLE_BITS + TOP_BITS \
     : (k) == 2 ? MIDDLE_BITS + 2ul * TOP_BITS : (k) == 3 ? TOP_BITS : 0ul)
#define OFFSET_4(k) (OFFSET_2(k) - OFFSET_2((k) - 2) + OFFSET_2((k) - 4))
#define OFFSET_8(k) (OFFSET_4(k) - OFFSET_4((k) - 4) + OFFSET_4((k) - 8))

#endif
