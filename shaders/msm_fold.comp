// One round of the way from the buckets of a column to the sums by which their numbers
// weigh them.
//
// The sum of (b + 1) S_b over buckets b is that of all S_b, and for each bit k of b 2^k
// times the sum of those S_b whose number has the bit. Round k is given the sums of blocks
// of 2^k buckets, m of them, and for each bit below k as many partial sums of it. It adds
// each of these lists in pairs, and the blocks with odd numbers, those with bit k, become a
// list of their own: k + 2 lists of m / 2 sums.
//
// An invocation takes a sum. In FEW four share it: a round is over sooner then, where there are not
// as many sums as a device computes at a time.
//
// variant: fp_msm_fold_u32 = FIELD_FP MUL_U32
// variant: fp_msm_fold_u64 = FIELD_FP MUL_U64
// variant: fp_msm_fold_f64 = FIELD_FP MUL_F64
// variant: fp_msm_fold_few_u32 = FIELD_FP MUL_U32 FEW
// variant: fp_msm_fold_few_u64 = FIELD_FP MUL_U64 FEW
// variant: fp_msm_fold_few_f64 = FIELD_FP MUL_F64 FEW
// variant: fp2_msm_fold_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_fold_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_fold_f64 = FIELD_FP2 MUL_F64
// variant: fp2_msm_fold_few_u32 = FIELD_FP2 MUL_U32 FEW
// variant: fp2_msm_fold_few_u64 = FIELD_FP2 MUL_U64 FEW
// variant: fp2_msm_fold_few_f64 = FIELD_FP2 MUL_F64 FEW

#version 460
#extension GL_GOOGLE_include_directive : require

#ifdef FEW
#include "shared_addition.glsl"
#else
#include "curve.glsl"
#endif

layout(local_size_x = 32) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // Sums of all columns, and the first invocation of this dispatch.
    uint sums;
    uint first;
    uint round;
    // log2 of the length of a list of the output.
    uint log_length;
    uint start_out;
} job;

// Where the two points are in the input whose sum is so many of the output; whether the second
// alone is, since it begins the new list.
uint input_of(uint number, out bool is_new) {
    uint list = number >> job.log_length;
    uint lists = job.round + 2u;
    uint column = list / lists;
    list -= column * lists;
    is_new = list == lists - 1u;
    uint pair = number & ((1u << job.log_length) - 1u);
    uint list_in = column * (lists - 1u) + (is_new ? 0u : list);
    return ((list_in << job.log_length) + pair) * 2u * XYZZ_PARTS;
}

#ifdef FEW

void main() {
    uint number = (job.first + gl_GlobalInvocationID.x) / LANES;
    uint lane = gl_LocalInvocationID.x % LANES;
    Elem sum = f_zero();
    Elem other = f_zero();
    if (number < job.sums) {
        bool is_new;
        uint at = input_of(number, is_new) + lane * FIELD_PARTS;
        sum = READ_ELEMENT(x_parts, at + XYZZ_PARTS);
        if (!is_new) {
            other = READ_ELEMENT(x_parts, at);
        }
    }
    WRITE_ELEMENT(slot_parts, AT(X1 + lane), sum)
    WRITE_ELEMENT(slot_parts, AT(X2 + lane), other)
    shared_add(true);
    if (number < job.sums) {
        sum = shared_slot(X1 + lane);
        WRITE_ELEMENT(out_parts, job.start_out + number * XYZZ_PARTS + lane * FIELD_PARTS, sum)
    }
}

#else

void main() {
    uint number = job.first + gl_GlobalInvocationID.x;
    if (number >= job.sums) {
        return;
    }
    bool is_new;
    uint at = input_of(number, is_new);
    LOAD_POINT(SUM, x_parts, at + XYZZ_PARTS)
    if (!is_new) {
        LOAD_POINT(OTHER, x_parts, at)
        add(ANY);
    }
    STORE_SUM(out_parts, job.start_out + number * XYZZ_PARTS)
}

#endif
