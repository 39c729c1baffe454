// An addition that four invocations share, the lanes of a row, for where there are few and one
// waits for another: each of four rounds is a product of every lane, of what stands in slots
// of shared memory. Of a doubling the first round is left out. Where both points turn out to be
// equal, over a common denominator then, an addition goes on as a doubling.

#ifndef SHARED_ADDITION_GLSL
#define SHARED_ADDITION_GLSL

#include "curve.glsl"

#define LANES 4u
// Rows of a workgroup, of 32 invocations.
#define ROWS 8u

// A row's slots: of both points, X1 to ZZZ2 of curve.glsl, and more. ZZ2 and ZZZ2, once they are
// of no use, have the terms of the new y.
#define MINUEND ZZ2
#define SUBTRAHEND ZZZ2
#define X_SQUARE 8u
#define R_SQUARE 9u
#define SHARED_PP 10u
#define SHARED_PPP 11u
#define SHARED_Q 12u
#define SHARED_SLOTS 13u

shared uvec4 slot_parts[ROWS * SHARED_SLOTS * FIELD_PARTS];

#define AT(number) ((gl_LocalInvocationID.x / LANES * SHARED_SLOTS + (number)) * FIELD_PARTS)
Elem shared_slot(uint number) {
    return READ_ELEMENT(slot_parts, AT(number));
}

// How y changes from one point to the other; of a doubling 3 x^2.
Elem rise(bool doubles) {
    if (doubles) {
        Elem square = shared_slot(X_SQUARE);
        return f_add(f_double(square), square);
    }
    return f_sub(shared_slot(Y2), shared_slot(Y1));
}

// The new x is R^2 - PPP - 2 Q, of a doubling R^2 - 2 Q.
Elem new_x(bool doubles) {
    Elem x = f_sub(shared_slot(R_SQUARE), f_double(shared_slot(SHARED_Q)));
    return f_sub(x, select(doubles, f_zero(), shared_slot(SHARED_PPP)));
}

// Adds the second point of each row to its first, or doubles the first: of all rows of a
// workgroup at once. Each lane has written its coordinates of them, X1 + lane and X2 + lane.
void shared_add(bool adds) {
    uint lane = gl_LocalInvocationID.x % LANES;
    Elem value = f_zero();
    barrier();
    bool begins = adds && f_is_zero(shared_slot(ZZ1));
    bool ends = begins || (adds && f_is_zero(shared_slot(ZZ2)));
    bool doubles = !adds;
    // No lane writes in a round what another reads in it.
    [[dont_unroll]]
    for (uint round = adds ? 0u : 1u; round < 4u; ++round) {
        Elem a, b;
        uint to;
        bool writes = !ends;
        if (round == 0u) {
            to = lane < 2u ? X1 + lane : X2 + lane - 2u;
            a = shared_slot(to);
            b = shared_slot(lane < 2u ? ZZ2 + lane : ZZ1 + lane - 2u);
        } else if (round == 1u) {
            Elem run = f_sub(shared_slot(X2), shared_slot(X1));
            doubles = doubles || (f_is_zero(run) && f_is_zero(rise(false)));
            if (lane < 2u) {
                to = lane == 0u ? SHARED_PP : X_SQUARE;
                run = select(doubles, f_double(shared_slot(Y1)), run);
                a = select(lane == 0u, run, shared_slot(X1));
                b = a;
                // For round 2 of lane 0.
                value = run;
            } else {
                to = ZZ1 + lane - 2u;
                a = shared_slot(to);
                b = shared_slot(ZZ2 + lane - 2u);
                writes = writes && adds;
            }
        } else if (round == 2u) {
            to = uint[](SHARED_PPP, SHARED_Q, ZZ1, R_SQUARE)[lane];
            b = shared_slot(SHARED_PP);
            if (lane == 0u) {
                a = value;
            } else if (lane == 3u) {
                a = rise(doubles);
                b = a;
            } else {
                a = shared_slot(lane == 1u ? X1 : ZZ1);
            }
        } else {
            to = uint[](MINUEND, SUBTRAHEND, X1, ZZZ1)[lane];
            b = shared_slot(SHARED_PPP);
            if (lane == 0u) {
                a = rise(doubles);
                b = f_sub(shared_slot(SHARED_Q), new_x(doubles));
            } else {
                a = shared_slot(lane == 1u ? Y1 : ZZZ1);
            }
        }
        a = f_mul(a, b);
        if (round == 3u && lane == 2u) {
            a = new_x(doubles);
        }
        if (writes) {
            WRITE_ELEMENT(slot_parts, AT(to), a)
        }
        barrier();
    }
    if (begins) {
        value = shared_slot(X2 + lane);
        WRITE_ELEMENT(slot_parts, AT(X1 + lane), value)
    } else if (!ends && lane == 0u) {
        value = f_sub(shared_slot(MINUEND), shared_slot(SUBTRAHEND));
        WRITE_ELEMENT(slot_parts, AT(Y1), value)
    }
    barrier();
}

#endif
