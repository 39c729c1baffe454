// Points of a curve y^2 = x^3 + b over the field of the including file, complete: equal and
// opposite points and the one at infinity may meet in any addition.
//
// An affine point is x, y, and infinity 0, 0, which is on neither curve. A sum is in XYZZ
// coordinates (Explicit-Formulas Database, "xyzz"): x = X / ZZ, y = Y / ZZZ with
// ZZ^3 = ZZZ^2; infinity is ZZ = 0. There is no point of order 2, so y is never 0.

#ifndef CURVE_GLSL
#define CURVE_GLSL

#extension GL_EXT_control_flow_attributes : require

#include "coordinate.glsl"

#define AFFINE_PARTS (2u * FIELD_PARTS)
#define XYZZ_PARTS (4u * FIELD_PARTS)

// x times an element of the base field, given by its parts.
#ifdef FIELD_FP2
#define BASE_OF(PARTS) Base(PARTS[0], PARTS[1], PARTS[2])
#define TIMES_BASE(x, PARTS) Elem(base_mul(x.c0, BASE_OF(PARTS)), base_mul(x.c1, BASE_OF(PARTS)))
#else
#define TIMES_BASE(x, PARTS) f_mul(x, Elem(PARTS[0], PARTS[1], PARTS[2]))
#endif

// An invocation has two points, SUM and OTHER, and adds the one to the other. Their coordinates,
// and what an addition has in between, are in slots: of the points at x1, y1 and x2, y2, here
// over common denominators, P = x2 - x1 and R = y2 - y1, and so on by the names of the
// Explicit-Formulas Database. A slot is taken again when what is there is of no use any more.
#define SUM 0u
#define X1 0u
#define Y1 1u
#define ZZ1 2u
#define ZZZ1 3u
#define OTHER 4u
#define X2 4u
#define P 4u
#define Q 4u
#define Y2 5u
#define R 5u
#define ZZ2 6u
#define PP 6u
#define ZZZ2 7u
#define PPP 7u
#define SLOTS 8u

Coordinate slot[SLOTS];

// Either point, from memory, and the sum to memory: a coordinate at a time, so that the code of
// what takes it from words or puts it into words is there once.
#define LOAD_POINT(POINT, PARTS, AT) \
    [[dont_unroll]] for (uint number_of = 0u; number_of < 4u; ++number_of) { \
        Elem words_of = READ_ELEMENT(PARTS, (AT) + number_of * FIELD_PARTS); \
        slot[(POINT) + number_of] = coordinate_of(words_of); \
    }
#define STORE_SUM(PARTS, AT) \
    [[dont_unroll]] for (uint number_of = 0u; number_of < 4u; ++number_of) { \
        Elem words_of = coordinate_words(slot[SUM + number_of]); \
        WRITE_ELEMENT(PARTS, (AT) + number_of * FIELD_PARTS, words_of) \
    }

void set_infinity(uint point) {
    [[dont_unroll]] for (uint i = 0u; i < 4u; ++i) {
        slot[point + i] = coordinate_zero();
    }
}

bool is_infinity(uint point) {
    return coordinate_is_blank(slot[point + 2u]);
}

// An affine point other than infinity, or the opposite of it.
void set_affine(uint point, Elem x, Elem y, bool is_opposite) {
    slot[point] = coordinate_of(x);
    slot[point + 1u] = coordinate_negated(is_opposite, coordinate_of(y));
    slot[point + 2u] = coordinate_of(f_one());
    slot[point + 3u] = slot[point + 2u];
}

// An addition is a loop over its products, so that a product is in the code once: written
// out, the 14 of them are more instructions than a GPU's cache of those has room for, and
// seconds of work for its compiler. The steps: a product of two slots, to a third.
#define STEP(a, b, to) ((a) | (b) << 4 | (to) << 8)
#define STEPS 15u
const uint STEP_OF[STEPS] = uint[](
    STEP(X1, ZZ2, X1), STEP(Y1, ZZZ2, Y1), STEP(X2, ZZ1, P), STEP(Y2, ZZZ1, R),
    STEP(ZZ1, ZZ2, ZZ1), STEP(ZZZ1, ZZZ2, ZZZ1), STEP(X1, X1, R), STEP(P, P, PP),
    STEP(P, PP, PPP), STEP(X1, PP, Q), STEP(R, R, X1), STEP(R, Q, Q), STEP(Y1, PPP, Y1),
    STEP(ZZ1, PP, ZZ1), STEP(ZZZ1, PPP, ZZZ1));
// Where a sum begins: of any points, or
#define ANY 0u
// of a second point that is affine, which leaves these steps out, or
#define AFFINE 2u
#define ONLY_OF_ANY(step) ((step) == 4u || (step) == 5u)
// of equal points. Of others it is known before this step whether they are equal; it is of
// doublings alone.
#define DOUBLE 6u

// Adds the other point to the sum, neither of them infinity, or doubles the sum.
void add_finite(uint first) {
    bool doubles = false;
    [[dont_unroll]]
    for (uint step = first; step < STEPS; ++step) {
        if (first == AFFINE && ONLY_OF_ANY(step)) {
            continue;
        }
        if (step == DOUBLE) {
            doubles = first == DOUBLE;
            if (!doubles && coordinate_is_zero(slot[P])) {
                if (!coordinate_is_zero(slot[R])) {
                    set_infinity(SUM);
                    return;
                }
                doubles = true;
            }
            if (!doubles) {
                continue;
            }
            slot[P] = coordinate_double(slot[Y1]);
        }
        uint code = STEP_OF[step];
        Coordinate product = coordinate_mul(slot[code & 15u], slot[code >> 4 & 15u]);
        switch (step) {
        case 2u:
            product = coordinate_sub(product, slot[X1]);
            break;
        case 3u:
            product = coordinate_sub(product, slot[Y1]);
            break;
        case DOUBLE:
            product = coordinate_triple(product);
            break;
        case 10u:
            // The new x is R^2 - PPP - 2 Q, of a doubling R^2 - 2 Q.
            product = coordinate_new_x(product, slot[Q], slot[PPP], doubles);
            slot[Q] = coordinate_sub(slot[Q], product);
            break;
        case 12u:
            product = coordinate_sub(slot[Q], product);
            break;
        }
        slot[code >> 8] = product;
    }
}

// The same where either may be infinity, but no AFFINE point is: 14 products, or 10 of AFFINE.
void add(uint first) {
    if (is_infinity(SUM)) {
        if (first != DOUBLE) {
            [[dont_unroll]] for (uint i = 0u; i < 4u; ++i) {
                slot[SUM + i] = slot[OTHER + i];
            }
        }
    } else if (first != ANY || !is_infinity(OTHER)) {
        add_finite(first);
    }
}

#endif
