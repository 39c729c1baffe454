// Arithmetic in the quadratic extension Fp2 = Fp[u] / (u^2 + 1) of the base field, by the
// names that field.glsl has for a prime field.
//
// What field.glsl has is the base field's here, and called Base, base_add and so on. All of
// it works in any of the three arithmetics.

#ifndef FP2_GLSL
#define FP2_GLSL

#define FIELD_FP

#define Elem Base
#define Wide BaseWide
#define f_zero base_zero
#define f_one base_one
#define f_is_zero base_is_zero
#define f_equal base_equal
#define f_add base_add
#define f_sub base_sub
#define f_neg base_neg
#define f_double base_double
#define f_mul base_mul
#define f_square base_square
#define f_invert base_invert
#define f_to_mont base_to_mont
#define f_from_mont base_from_mont
#define WideFactor BaseWideFactor
#define wide_factor base_wide_factor
#define wide_zero base_wide_zero
#define wide_add_product base_wide_add_product
#define wide_reduce base_wide_reduce

#include "field.glsl"

#undef Elem
#undef Wide
#undef f_zero
#undef f_one
#undef f_is_zero
#undef f_equal
#undef f_add
#undef f_sub
#undef f_neg
#undef f_double
#undef f_mul
#undef f_square
#undef f_invert
#undef f_to_mont
#undef f_from_mont
#undef WideFactor
#undef wide_factor
#undef wide_zero
#undef wide_add_product
#undef wide_reduce

// Constants are the base field's.
#undef ELEM_OF
#define ELEM_OF(W) Base(uvec4(W##_0, W##_1, W##_2, W##_3), uvec4(W##_4, W##_5, W##_6, W##_7), \
                        uvec4(W##_8, W##_9, W##_10, W##_11))

#undef FIELD_PARTS
#define FIELD_PARTS 6u

// c0 + c1 u.
struct Elem {
    Base c0, c1;
};

Elem f_zero() { return Elem(base_zero(), base_zero()); }

Elem f_one() { return Elem(base_one(), base_zero()); }

bool f_is_zero(Elem a) { return base_is_zero(a.c0) && base_is_zero(a.c1); }

Elem select(bool first, Elem x, Elem y) {
    return Elem(select(first, x.c0, y.c0), select(first, x.c1, y.c1));
}

Elem f_add(Elem a, Elem b) { return Elem(base_add(a.c0, b.c0), base_add(a.c1, b.c1)); }

Elem f_sub(Elem a, Elem b) { return Elem(base_sub(a.c0, b.c0), base_sub(a.c1, b.c1)); }

Elem f_neg(Elem a) { return Elem(base_neg(a.c0), base_neg(a.c1)); }

Elem f_double(Elem a) { return Elem(base_double(a.c0), base_double(a.c1)); }

Elem f_conjugate(Elem a) { return Elem(a.c0, base_neg(a.c1)); }

// Three products, by Karatsuba's method: u^2 = -1.
Elem f_mul(Elem a, Elem b) {
    Base real = base_mul(a.c0, b.c0);
    Base imaginary = base_mul(a.c1, b.c1);
    Base both = base_mul(base_add(a.c0, a.c1), base_add(b.c0, b.c1));
    return Elem(base_sub(real, imaginary), base_sub(base_sub(both, real), imaginary));
}

// Two products: c0^2 - c1^2 = (c0 + c1) (c0 - c1).
Elem f_square(Elem a) {
    Base real = base_mul(base_add(a.c0, a.c1), base_sub(a.c0, a.c1));
    return Elem(real, base_double(base_mul(a.c0, a.c1)));
}

// The conjugate by the inverse of the norm, which is zero for zero alone.
Elem f_inverse(Elem a) {
    Base norm = base_add(base_square(a.c0), base_square(a.c1));
    Base inverse = base_mul(base_invert(norm), ELEM_OF(RRR32));
    return Elem(base_mul(a.c0, inverse), base_neg(base_mul(a.c1, inverse)));
}

Elem f_to_mont(Elem a) { return Elem(base_to_mont(a.c0), base_to_mont(a.c1)); }

Elem f_from_mont(Elem a) { return Elem(base_from_mont(a.c0), base_from_mont(a.c1)); }

// A sum of reduced products: two sums as wide.glsl has them would take more registers than
// most devices have.
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

#endif
