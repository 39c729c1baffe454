// One round of the way from the buckets of a column to the sums by which their numbers
// weigh them.
//
// The sum of (b + 1) S_b over buckets b is that of all S_b, and for each bit k of b 2^k
// times the sum of those S_b whose number has the bit. Round k is given the sums of blocks
// of 2^k buckets, m of them, and for each bit below k as many partial sums of it. It adds
// each of these lists in pairs, and the blocks with odd numbers, those with bit k, become a
// list of their own: k + 2 lists of m / 2 sums.
//
// variant: fp_msm_fold_u32 = FIELD_FP MUL_U32
// variant: fp_msm_fold_u64 = FIELD_FP MUL_U64
// variant: fp_msm_fold_f64 = FIELD_FP MUL_F64
// variant: fp2_msm_fold_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_fold_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_fold_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 32) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // Sums of all columns, and the first of this dispatch.
    uint sums;
    uint first;
    uint round;
    // log2 of the length of a list of the output.
    uint log_length;
    uint start_out;
} job;

void main() {
    uint number = job.first + gl_GlobalInvocationID.x;
    if (number >= job.sums) {
        return;
    }
    uint list = number >> job.log_length;
    uint lists = job.round + 2u;
    uint column = list / lists;
    list -= column * lists;
    bool is_new = list == lists - 1u;
    uint pair = number & ((1u << job.log_length) - 1u);
    uint list_in = column * (lists - 1u) + (is_new ? 0u : list);
    uint at = ((list_in << job.log_length) + pair) * 2u * XYZZ_PARTS;
    LOAD_POINT(SUM, x_parts, at + XYZZ_PARTS)
    if (!is_new) {
        LOAD_POINT(OTHER, x_parts, at)
        add(ANY);
    }
    STORE_SUM(out_parts, job.start_out + number * XYZZ_PARTS)
}
