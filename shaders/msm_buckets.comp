// Whole sums of buckets: what msm_accumulate.comp left in a bucket, and the heads of the
// stretches after that in which the bucket goes on. A bucket without entries becomes infinity.
//
// An invocation takes a bucket. A bucket of more than MOST_HEADS heads is put on a list,
// and LONG takes those, a workgroup each: every invocation adds heads, then they add their
// sums in pairs.
//
// Loops: MOST_HEADS rounds; in LONG the heads of a bucket by 32, of which there are 2^21 at most.
//
// variant: fp_msm_buckets_u32 = FIELD_FP MUL_U32
// variant: fp_msm_buckets_u64 = FIELD_FP MUL_U64
// variant: fp_msm_buckets_f64 = FIELD_FP MUL_F64
// variant: fp_msm_long_buckets_u32 = FIELD_FP MUL_U32 LONG
// variant: fp_msm_long_buckets_u64 = FIELD_FP MUL_U64 LONG
// variant: fp_msm_long_buckets_f64 = FIELD_FP MUL_F64 LONG
// variant: fp2_msm_buckets_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_buckets_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_buckets_f64 = FIELD_FP2 MUL_F64
// variant: fp2_msm_long_buckets_u32 = FIELD_FP2 MUL_U32 LONG
// variant: fp2_msm_long_buckets_u64 = FIELD_FP2 MUL_U64 LONG
// variant: fp2_msm_long_buckets_f64 = FIELD_FP2 MUL_F64 LONG

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

#define GROUP_SIZE 32u

layout(local_size_x = 32) in;

layout(set = 0, binding = 0, std430) readonly buffer Heads { uvec4 head_parts[]; };
// Where each bucket ends in its column.
layout(set = 0, binding = 1, std430) readonly buffer Ends { uint ends[]; };
layout(set = 0, binding = 2, std430) buffer Buckets { uvec4 bucket_parts[]; };
// How many long buckets there are, and which.
layout(set = 0, binding = 3, std430) buffer Long { uint long_buckets[]; };

layout(push_constant) uniform Job {
    // Buckets of all columns, and the first of this dispatch; in LONG of the list.
    uint buckets;
    uint first;
    uint stretches_of_column;
    uint stretch;
    uint log_buckets;
    // 1 where buckets without entries hold sums of other points.
    uint goes_on;
} job;

#define MOST_HEADS 8u

#ifdef LONG

shared uvec4 shared_parts[GROUP_SIZE * XYZZ_PARTS];

void main() {
    uint number = job.first + gl_WorkGroupID.x;
    if (number >= long_buckets[0]) {
        return;
    }
    uint bucket = long_buckets[1u + number];
    uint column = bucket >> job.log_buckets;
    uint start = bucket == column << job.log_buckets ? 0u : ends[bucket - 1u];
    uint end = (ends[bucket] - 1u) / job.stretch;
    uint head = start / job.stretch + 1u + gl_LocalInvocationID.x;
    uint rounds = (end - start / job.stretch + GROUP_SIZE - 1u) / GROUP_SIZE;
    Xyzz sum = point_infinity();
    if (gl_LocalInvocationID.x == 0u) {
        sum = READ_XYZZ(bucket_parts, bucket * XYZZ_PARTS);
    }
    uint place = gl_LocalInvocationID.x * XYZZ_PARTS;
    // Five rounds more, of those whose sums come in pairs: 32 sums become 16, 8, 4, 2, 1.
    for (uint round = 0u; round < rounds + 5u; ++round) {
        Xyzz other = point_infinity();
        if (round < rounds) {
            if (head <= end) {
                other = READ_XYZZ(head_parts, (column * job.stretches_of_column + head) * XYZZ_PARTS);
            }
            head += GROUP_SIZE;
        } else {
            uint distance = GROUP_SIZE >> (round - rounds + 1u);
            barrier();
            WRITE_XYZZ(shared_parts, place, sum)
            barrier();
            if (gl_LocalInvocationID.x < distance) {
                other = READ_XYZZ(shared_parts, place + distance * XYZZ_PARTS);
            }
        }
        sum = point_add(sum, other);
    }
    if (gl_LocalInvocationID.x == 0u) {
        WRITE_XYZZ(bucket_parts, bucket * XYZZ_PARTS, sum)
    }
}

#else

void main() {
    uint bucket = job.first + gl_GlobalInvocationID.x;
    if (bucket >= job.buckets) {
        return;
    }
    uint column = bucket >> job.log_buckets;
    uint start = bucket == column << job.log_buckets ? 0u : ends[bucket - 1u];
    uint end = ends[bucket];
    if (start == end) {
        if (job.goes_on == 0u) {
            Xyzz none = point_infinity();
            WRITE_XYZZ(bucket_parts, bucket * XYZZ_PARTS, none)
        }
        return;
    }
    uint head = start / job.stretch + 1u;
    uint last = (end - 1u) / job.stretch;
    if (head > last) {
        return;
    }
    if (last - head >= MOST_HEADS) {
        long_buckets[1u + atomicAdd(long_buckets[0], 1u)] = bucket;
        return;
    }
    Xyzz sum = READ_XYZZ(bucket_parts, bucket * XYZZ_PARTS);
    for (; head <= last; ++head) {
        Xyzz other = READ_XYZZ(head_parts, (column * job.stretches_of_column + head) * XYZZ_PARTS);
        sum = point_add(sum, other);
    }
    WRITE_XYZZ(bucket_parts, bucket * XYZZ_PARTS, sum)
}

#endif
