// Horner's rule over rows of points: the first of a row, and each further one times its power
// of two. Of a multi-scalar multiplication so are joined the sums of a column's buckets by
// their bits, and then the columns of a sum.
//
// Each sum waits for the one before, so what counts is how long one takes: four invocations share
// it.
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

#include "shared_addition.glsl"

layout(local_size_x = 32) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // Rows of all dispatches, and the first of this one.
    uint rows;
    uint first;
    // Points of a row.
    uint points;
    // Doublings on the way from one point to the one before, and where that is one of the first
    // `lasts`.
    uint doublings;
    uint last_doublings;
    uint lasts;
    uint start_out;
} job;

// A lane's coordinate of a point of its row.
#define AT_POINT(number) ((first_point + (number)) * XYZZ_PARTS + lane * FIELD_PARTS)

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
        uint doublings = point <= job.lasts ? job.last_doublings : job.doublings;
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
            shared_add(adds);
        }
    }
    if (is_row) {
        value = shared_slot(X1 + lane);
        WRITE_ELEMENT(out_parts, job.start_out + row * XYZZ_PARTS + lane * FIELD_PARTS, value)
    }
}
