// Points of a curve y^2 = x^3 + b over the field of the including file, complete: equal and
// opposite points and the one at infinity may meet in any addition.
//
// An affine point is x, y, and infinity 0, 0, which is on neither curve. A sum is in XYZZ
// coordinates (Explicit-Formulas Database, "xyzz"): x = X / ZZ, y = Y / ZZZ with
// ZZ^3 = ZZZ^2; infinity is ZZ = 0. There is no point of order 2, so y is never 0.

#ifndef CURVE_GLSL
#define CURVE_GLSL

#extension GL_EXT_control_flow_attributes : require

#include "vectors.glsl"

struct Xyzz {
    Elem x, y, zz, zzz;
};

#define AFFINE_PARTS (2u * FIELD_PARTS)
#define XYZZ_PARTS (4u * FIELD_PARTS)

#define READ_XYZZ(PARTS, AT) \
    Xyzz(READ_ELEMENT(PARTS, AT), READ_ELEMENT(PARTS, (AT) + FIELD_PARTS), \
         READ_ELEMENT(PARTS, (AT) + 2u * FIELD_PARTS), READ_ELEMENT(PARTS, (AT) + 3u * FIELD_PARTS))
#define WRITE_XYZZ(PARTS, AT, POINT) { \
    WRITE_ELEMENT(PARTS, AT, POINT.x) \
    WRITE_ELEMENT(PARTS, (AT) + FIELD_PARTS, POINT.y) \
    WRITE_ELEMENT(PARTS, (AT) + 2u * FIELD_PARTS, POINT.zz) \
    WRITE_ELEMENT(PARTS, (AT) + 3u * FIELD_PARTS, POINT.zzz) }

// x times an element of the base field, given by its parts.
#ifdef FIELD_FP2
#define BASE_OF(PARTS) Base(PARTS[0], PARTS[1], PARTS[2])
#define TIMES_BASE(x, PARTS) Elem(base_mul(x.c0, BASE_OF(PARTS)), base_mul(x.c1, BASE_OF(PARTS)))
#else
#define TIMES_BASE(x, PARTS) f_mul(x, Elem(PARTS[0], PARTS[1], PARTS[2]))
#endif

Xyzz point_infinity() {
    return Xyzz(f_zero(), f_zero(), f_zero(), f_zero());
}

bool point_is_infinity(Xyzz point) {
    return f_is_zero(point.zz);
}

// An addition is a loop over its products, so that a product is in the code once: written
// out, the 14 of them are more instructions than a GPU's cache of those has room for, and
// seconds of work for its compiler.
//
// What products take and leave is in slots. Of the points at x1, y1 and x2, y2, here over
// common denominators: P = x2 - x1 and R = y2 - y1.
#define X1 0u
#define Y1 1u
#define ZZ1 2u
#define ZZZ1 3u
#define X2 4u
#define Y2 5u
#define ZZ2 6u
#define ZZZ2 7u
#define P 8u
#define R 9u
#define PP 10u
#define PPP 11u
#define Q 12u
#define SLOTS 13u

// The steps: a product of two slots, to a third.
#define STEP(a, b, to) ((a) | (b) << 4 | (to) << 8)
#define STEPS 15u
const uint STEP_OF[STEPS] = uint[](
    STEP(X1, ZZ2, X1), STEP(Y1, ZZZ2, Y1), STEP(X2, ZZ1, P), STEP(Y2, ZZZ1, R),
    STEP(ZZ1, ZZ2, ZZ1), STEP(ZZZ1, ZZZ2, ZZZ1), STEP(X2, X2, R), STEP(P, P, PP),
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

// The sum of two points other than infinity.
Xyzz point_sum(Xyzz a, Xyzz b, uint first) {
    Elem slot[SLOTS];
    slot[X1] = a.x;
    slot[Y1] = a.y;
    slot[ZZ1] = a.zz;
    slot[ZZZ1] = a.zzz;
    slot[X2] = b.x;
    slot[Y2] = b.y;
    slot[ZZ2] = b.zz;
    slot[ZZZ2] = b.zzz;
    bool doubles = false;
    [[dont_unroll]]
    for (uint step = first; step < STEPS; ++step) {
        if (first == AFFINE && ONLY_OF_ANY(step)) {
            continue;
        }
        if (step == DOUBLE) {
            doubles = first == DOUBLE || (f_is_zero(slot[P]) && f_is_zero(slot[R]));
            if (!doubles) {
                continue;
            }
            slot[X1] = slot[X2];
            slot[Y1] = slot[Y2];
            slot[ZZ1] = slot[ZZ2];
            slot[ZZZ1] = slot[ZZZ2];
            slot[P] = f_double(slot[Y2]);
        }
        uint code = STEP_OF[step];
        Elem product = f_mul(slot[code & 15u], slot[code >> 4 & 15u]);
        switch (step) {
        case 2u:
            product = f_sub(product, slot[X1]);
            break;
        case 3u:
            product = f_sub(product, slot[Y1]);
            break;
        case DOUBLE:
            product = f_add(f_double(product), product);
            break;
        case 10u:
            // The new x is R^2 - PPP - 2 Q, of a doubling R^2 - 2 Q.
            product = f_sub(product, f_double(slot[Q]));
            product = f_sub(product, select(doubles, f_zero(), slot[PPP]));
            slot[Q] = f_sub(slot[Q], product);
            break;
        case 12u:
            product = f_sub(slot[Q], product);
            break;
        }
        slot[code >> 8] = product;
    }
    return Xyzz(slot[X1], slot[Y1], slot[ZZ1], slot[ZZZ1]);
}

// sum + (x, y), where (x, y) is not infinity. 10 products.
Xyzz point_add_affine(Xyzz sum, Elem x, Elem y) {
    Xyzz point = Xyzz(x, y, f_one(), f_one());
    if (point_is_infinity(sum)) {
        return point;
    }
    return point_sum(sum, point, AFFINE);
}

// 14 products.
Xyzz point_add(Xyzz a, Xyzz b) {
    if (point_is_infinity(a)) {
        return b;
    }
    if (point_is_infinity(b)) {
        return a;
    }
    return point_sum(a, b, ANY);
}

#endif
