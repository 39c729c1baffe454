// Whole sums of buckets: what msm_accumulate.comp left in a bucket, and the heads of the
// stretches after that in which the bucket goes on. A bucket without entries becomes infinity.
//
// An invocation takes a bucket, or in FEW four invocations do, which add its heads one after the
// other sooner. A bucket of more than MOST_HEADS heads is put on a list,
// and LONG takes those, a workgroup each: every invocation adds heads, then they add their
// sums in pairs. So that no workgroup has all heads of a column, LONG takes blocks of heads
// first, a workgroup each: of a block that lies in one bucket, the first becomes the sum of all.
//
// Loops: MOST_HEADS rounds; in LONG 4 of heads before the first whole block and 4 after the
// last, and the blocks by 32, of which there are 2^18 at most; a search of 21 steps.
//
// variant: fp_msm_buckets_u32 = FIELD_FP MUL_U32
// variant: fp_msm_buckets_u64 = FIELD_FP MUL_U64
// variant: fp_msm_buckets_f64 = FIELD_FP MUL_F64
// variant: fp_msm_few_buckets_u32 = FIELD_FP MUL_U32 FEW
// variant: fp_msm_few_buckets_u64 = FIELD_FP MUL_U64 FEW
// variant: fp_msm_few_buckets_f64 = FIELD_FP MUL_F64 FEW
// variant: fp_msm_long_buckets_u32 = FIELD_FP MUL_U32 LONG
// variant: fp_msm_long_buckets_u64 = FIELD_FP MUL_U64 LONG
// variant: fp_msm_long_buckets_f64 = FIELD_FP MUL_F64 LONG
// variant: fp2_msm_buckets_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_buckets_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_buckets_f64 = FIELD_FP2 MUL_F64
// variant: fp2_msm_few_buckets_u32 = FIELD_FP2 MUL_U32 FEW
// variant: fp2_msm_few_buckets_u64 = FIELD_FP2 MUL_U64 FEW
// variant: fp2_msm_few_buckets_f64 = FIELD_FP2 MUL_F64 FEW
// variant: fp2_msm_long_buckets_u32 = FIELD_FP2 MUL_U32 LONG
// variant: fp2_msm_long_buckets_u64 = FIELD_FP2 MUL_U64 LONG
// variant: fp2_msm_long_buckets_f64 = FIELD_FP2 MUL_F64 LONG

#version 460
#extension GL_GOOGLE_include_directive : require

#ifdef FEW
#include "shared_addition.glsl"
#else
#include "curve.glsl"
#endif

#define GROUP_SIZE 32u

layout(local_size_x = 32) in;

// Written by LONG alone, of blocks.
layout(set = 0, binding = 0, std430) buffer Heads { uvec4 head_parts[]; };
// Where each bucket ends in its column.
layout(set = 0, binding = 1, std430) readonly buffer Ends { uint ends[]; };
layout(set = 0, binding = 2, std430) buffer Buckets { uvec4 bucket_parts[]; };
// How many long buckets there are, and which.
layout(set = 0, binding = 3, std430) buffer Long { uint long_buckets[]; };

layout(push_constant) uniform Job {
    // Buckets of all columns, and the first of this dispatch, of FEW its first invocation; in LONG
    // of the list, or blocks.
    uint buckets;
    uint first;
    uint stretches_of_column;
    uint stretch;
    uint log_buckets;
    // 1 where buckets without entries hold sums of other points.
    uint goes_on;
    // Blocks of a column, where LONG takes those; else 0.
    uint blocks;
} job;

#define MOST_HEADS 8u

#ifdef LONG

#define BLOCK 128u

shared uvec4 shared_parts[GROUP_SIZE * XYZZ_PARTS];

// The bucket of a column that an entry is in: the first that ends after it, if any does.
uint bucket_of(uint first_bucket, uint entry) {
    uint low = 0u;
    uint high = (1u << job.log_buckets) - 1u;
    while (low < high) {
        uint middle = (low + high) / 2u;
        if (ends[first_bucket + middle] > entry) {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return first_bucket + low;
}

void main() {
    uint number = job.first + gl_WorkGroupID.x;
    bool is_block = job.blocks != 0u;
    if (number >= (is_block ? job.buckets : long_buckets[0])) {
        return;
    }
    uint column, bucket, block_head;
    if (is_block) {
        column = number / job.blocks;
        block_head = (number - column * job.blocks) * BLOCK;
        bucket = bucket_of(column << job.log_buckets, block_head * job.stretch);
    } else {
        bucket = long_buckets[1u + number];
        column = bucket >> job.log_buckets;
    }
    // Its heads, from the first to before the last.
    uint start = bucket == column << job.log_buckets ? 0u : ends[bucket - 1u];
    uint first = start / job.stretch + 1u;
    uint last = ends[bucket] == 0u ? 0u : (ends[bucket] - 1u) / job.stretch + 1u;
    // Of these: those before the first whole block, whole blocks, those after the last one.
    uint before = min((first + BLOCK - 1u) / BLOCK * BLOCK, last) - first;
    uint blocks = (last - (first + before)) / BLOCK;
    uint count = last - first - blocks * (BLOCK - 1u);
    if (is_block) {
        if (block_head < first || block_head + BLOCK > last) {
            return;
        }
        first = block_head;
        before = BLOCK;
        blocks = 0u;
        count = BLOCK;
    }
    uint column_head = column * job.stretches_of_column;
    if (!is_block && gl_LocalInvocationID.x == 0u) {
        LOAD_POINT(SUM, bucket_parts, bucket * XYZZ_PARTS)
    } else {
        set_infinity(SUM);
    }
    uint place = gl_LocalInvocationID.x * XYZZ_PARTS;
    uint rounds = (count + GROUP_SIZE - 1u) / GROUP_SIZE;
    // Five rounds more, of those whose sums come in pairs: 32 sums become 16, 8, 4, 2, 1.
    for (uint round = 0u; round < rounds + 5u; ++round) {
        set_infinity(OTHER);
        if (round < rounds) {
            uint head = round * GROUP_SIZE + gl_LocalInvocationID.x;
            if (head < count) {
                // Of a whole block only the first.
                head += min(head - min(head, before), blocks) * (BLOCK - 1u);
                LOAD_POINT(OTHER, head_parts, (column_head + first + head) * XYZZ_PARTS)
            }
        } else {
            uint distance = GROUP_SIZE >> (round - rounds + 1u);
            barrier();
            STORE_SUM(shared_parts, place)
            barrier();
            if (gl_LocalInvocationID.x < distance) {
                LOAD_POINT(OTHER, shared_parts, place + distance * XYZZ_PARTS)
            }
        }
        add(ANY);
    }
    if (gl_LocalInvocationID.x != 0u) {
        return;
    }
    if (is_block) {
        STORE_SUM(head_parts, (column_head + first) * XYZZ_PARTS)
    } else {
        STORE_SUM(bucket_parts, bucket * XYZZ_PARTS)
    }
}

#else

// The heads of a bucket, none where there is nothing to add: where it has none, or is put on the
// list, or has no entries and is empty then.
struct Sums {
    uint first;
    uint count;
    bool is_empty;
};

Sums heads_of(uint bucket, bool puts_on_list) {
    uint column = bucket >> job.log_buckets;
    uint start = bucket == column << job.log_buckets ? 0u : ends[bucket - 1u];
    uint end = ends[bucket];
    if (start == end) {
        return Sums(0u, 0u, job.goes_on == 0u);
    }
    uint head = start / job.stretch + 1u;
    uint count = (end - 1u) / job.stretch + 1u - head;
    if (count > MOST_HEADS) {
        if (puts_on_list) {
            long_buckets[1u + atomicAdd(long_buckets[0], 1u)] = bucket;
        }
        count = 0u;
    }
    return Sums(column * job.stretches_of_column + head, count, false);
}

#ifdef FEW

// Heads of the bucket of this workgroup that has most.
shared uint most_heads;

void main() {
    uint bucket = (job.first + gl_GlobalInvocationID.x) / LANES;
    uint lane = gl_LocalInvocationID.x % LANES;
    uint at = bucket * XYZZ_PARTS + lane * FIELD_PARTS;
    Sums heads = Sums(0u, 0u, false);
    if (bucket < job.buckets) {
        heads = heads_of(bucket, lane == 0u);
    }
    if (gl_LocalInvocationID.x == 0u) {
        most_heads = 0u;
    }
    barrier();
    atomicMax(most_heads, heads.count);
    Elem sum = f_zero();
    if (heads.count > 0u) {
        sum = READ_ELEMENT(bucket_parts, at);
    }
    WRITE_ELEMENT(slot_parts, AT(X1 + lane), sum)
    barrier();
    for (uint number = 0u; number < most_heads; ++number) {
        Elem head = f_zero();
        if (number < heads.count) {
            uint at_head = (heads.first + number) * XYZZ_PARTS + lane * FIELD_PARTS;
            head = READ_ELEMENT(head_parts, at_head);
        }
        WRITE_ELEMENT(slot_parts, AT(X2 + lane), head)
        shared_add(true);
    }
    if (heads.count > 0u || heads.is_empty) {
        sum = shared_slot(X1 + lane);
        WRITE_ELEMENT(bucket_parts, at, sum)
    }
}

#else

void main() {
    uint bucket = job.first + gl_GlobalInvocationID.x;
    if (bucket >= job.buckets) {
        return;
    }
    Sums heads = heads_of(bucket, true);
    if (heads.is_empty) {
        Elem zero = f_zero();
        for (uint i = 0u; i < 4u; ++i) {
            WRITE_ELEMENT(bucket_parts, bucket * XYZZ_PARTS + i * FIELD_PARTS, zero)
        }
    }
    if (heads.count == 0u) {
        return;
    }
    LOAD_POINT(SUM, bucket_parts, bucket * XYZZ_PARTS)
    for (uint number = 0u; number < heads.count; ++number) {
        LOAD_POINT(OTHER, head_parts, (heads.first + number) * XYZZ_PARTS)
        add(ANY);
    }
    STORE_SUM(bucket_parts, bucket * XYZZ_PARTS)
}

#endif

#endif
