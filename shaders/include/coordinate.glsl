// Coordinates of points while they are added.
//
// In words and limbs of integers they are elements. On the double units they are values
// (values_f64.glsl), which sums, differences and products leave as they are; over Fp2 two of
// them. In multiples of p coordinates of sums stay below 2.7 in size, and what is multiplied or
// reduced below 2.7 over Fp and 5.4 over Fp2; coordinate_new_x makes x less than 0.51.

#ifndef COORDINATE_GLSL
#define COORDINATE_GLSL

#include "vectors.glsl"

#ifndef MUL_F64

#define Coordinate Elem
#define coordinate_of(e) (e)
#define coordinate_words(x) (x)
#define coordinate_zero f_zero
#define coordinate_is_zero f_is_zero
#define coordinate_is_blank f_is_zero
#define coordinate_mul f_mul
#define coordinate_sub f_sub
#define coordinate_double f_double

Coordinate coordinate_triple(Coordinate a) {
    return f_add(f_double(a), a);
}

Coordinate coordinate_negated(bool is_opposite, Coordinate a) {
    return select(is_opposite, f_neg(a), a);
}

Coordinate coordinate_new_x(Coordinate square, Coordinate q, Coordinate ppp, bool doubles) {
    return f_sub(f_sub(square, f_double(q)), select(doubles, f_zero(), ppp));
}

#else

#include "values_f64.glsl"

#ifdef FIELD_FP2

struct Coordinate {
    Value c0, c1;
};

Coordinate coordinate_of(Elem e) {
    return Coordinate(value_of(e.c0), value_of(e.c1));
}

Elem coordinate_words(Coordinate x) {
    return Elem(value_words(x.c0), value_words(x.c1));
}

Coordinate coordinate_zero() {
    return Coordinate(value_zero(), value_zero());
}

bool coordinate_is_zero(Coordinate x) {
    return value_is_zero(x.c0) && value_is_zero(x.c1);
}

bool coordinate_is_blank(Coordinate x) {
    return value_is_blank(x.c0) && value_is_blank(x.c1);
}

Coordinate coordinate_carried(Coordinate x) {
    return Coordinate(value_carried(x.c0), value_carried(x.c1));
}

Coordinate coordinate_reduced(Coordinate x) {
    return Coordinate(value_reduced(x.c0), value_reduced(x.c1));
}

// x + factor y.
Coordinate coordinate_plus(Coordinate x, double factor, Coordinate y) {
    return Coordinate(value_plus(x.c0, factor, y.c0), value_plus(x.c1, factor, y.c1));
}

// a0 b0 - a1 b1, and then a0 b1 + a1 b0: a sum of two products each, reduced once. The round is a
// loop for its code to be there once.
Coordinate coordinate_mul(Coordinate a, Coordinate b) {
    Value x = b.c0, y = b.c1, real, both;
    double sign = -1.0lf;
    [[dont_unroll]]
    for (uint round = 0u; round < 2u; ++round) {
        real = both;
        Columns sum = value_product(a.c0, x);
        add_product(sum, value_product(value_plus(value_zero(), sign, a.c1), y));
        both = value_reduce_product(sum);
        x = b.c1;
        y = b.c0;
        sign = 1.0lf;
    }
    return Coordinate(real, both);
}

#else

#define Coordinate Value
#define coordinate_of value_of
#define coordinate_words value_words
#define coordinate_zero value_zero
#define coordinate_is_zero value_is_zero
#define coordinate_is_blank value_is_blank
#define coordinate_carried value_carried
#define coordinate_reduced value_reduced
#define coordinate_plus value_plus

Coordinate coordinate_mul(Coordinate a, Coordinate b) {
    return value_reduce_product(value_product(a, b));
}

#endif

Coordinate coordinate_sub(Coordinate a, Coordinate b) {
    return coordinate_carried(coordinate_plus(a, -1.0lf, b));
}

Coordinate coordinate_double(Coordinate a) {
    return coordinate_carried(coordinate_plus(a, 1.0lf, a));
}

Coordinate coordinate_triple(Coordinate a) {
    return coordinate_carried(coordinate_plus(a, 2.0lf, a));
}

Coordinate coordinate_negated(bool is_opposite, Coordinate a) {
    return coordinate_plus(coordinate_zero(), is_opposite ? -1.0lf : 1.0lf, a);
}

// R^2 - 2 Q - PPP, of a doubling without PPP.
Coordinate coordinate_new_x(Coordinate square, Coordinate q, Coordinate ppp, bool doubles) {
    square = coordinate_plus(square, -2.0lf, q);
    return coordinate_reduced(coordinate_plus(square, doubles ? 0.0lf : -1.0lf, ppp));
}

#endif

#endif
