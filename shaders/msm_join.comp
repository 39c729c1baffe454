// Horner's rule over rows of points: the first of a row, and each further one times its power
// of two. Of a multi-scalar multiplication so are joined the sums of a column's buckets by
// their bits, and then the columns of a sum.
//
// Each sum waits for the one before, so what counts is how long one takes. Four invocations,
// the lanes of a row, share it: in each of four rounds every lane has a product, of what
// stands in slots of shared memory. Of a doubling the first round is left out. Where both
// points turn out to be equal, over a common denominator then, an addition goes on as a
// doubling.
//
// Loops: a doubling or an addition for each bit of a scalar and each point, 510 at most, of
// four rounds.
//
// variant: fp_msm_join_u32 = FIELD_FP MUL_U32
// variant: fp_msm_join_u64 = FIELD_FP MUL_U64
// variant: fp_msm_join_f64 = FIELD_FP MUL_F64
// variant: fp2_msm_join_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_join_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_join_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

#define LANES 4u
#define ROWS 8u

layout(local_size_x = 32) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // Rows of all dispatches, and the first of this one.
    uint rows;
    uint first;
    // Points of a row.
    uint points;
    // Doublings on the way from one point to the one before, and to the first.
    uint doublings;
    uint last_doublings;
    uint start_out;
} job;

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
// A lane's coordinate of a point of its row.
#define AT_POINT(number) ((first_point + (number)) * XYZZ_PARTS + lane * FIELD_PARTS)

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

void main() {
    uint row = job.first + gl_GlobalInvocationID.x / LANES;
    uint lane = gl_LocalInvocationID.x % LANES;
    bool is_row = row < job.rows;
    Elem value = f_zero();
    uint first_point = row * job.points;
    // The last point, and then those before it.
    if (is_row) {
        value = READ_ELEMENT(x_parts, AT_POINT(job.points - 1u));
    }
    WRITE_ELEMENT(slot_parts, AT(X1 + lane), value)
    [[dont_unroll]]
    for (uint point = job.points - 1u; point > 0u; --point) {
        uint doublings = point == 1u ? job.last_doublings : job.doublings;
        [[dont_unroll]]
        for (uint operation = 0u; operation <= doublings; ++operation) {
            bool adds = operation == doublings;
            if (adds) {
                value = f_zero();
                if (is_row) {
                    value = READ_ELEMENT(x_parts, AT_POINT(point - 1u));
                }
                WRITE_ELEMENT(slot_parts, AT(X2 + lane), value)
            }
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
    }
    if (is_row) {
        value = shared_slot(X1 + lane);
        WRITE_ELEMENT(out_parts, job.start_out + row * XYZZ_PARTS + lane * FIELD_PARTS, value)
    }
}
