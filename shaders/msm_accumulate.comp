// Sums of the points of each bucket of a multi-scalar multiplication.
//
// The entries of a column, sorted by bucket, are cut into stretches of `stretch` entries, an
// invocation each, whatever bucket they belong to: so no invocation has more to do than
// another. The sum of a bucket's entries in a stretch goes to the bucket if the bucket
// starts in this stretch, else to the head of the stretch; msm_buckets.comp adds heads to their
// buckets. A bucket without entries is not written.
//
// Loops: `stretch` rounds, 128 at most by who dispatches, and a search of 21 steps for each.
//
// variant: fp_msm_accumulate_u32 = FIELD_FP MUL_U32
// variant: fp_msm_accumulate_u64 = FIELD_FP MUL_U64
// variant: fp_msm_accumulate_f64 = FIELD_FP MUL_F64
// variant: fp2_msm_accumulate_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_accumulate_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_accumulate_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer Points { uvec4 point_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Entries { uint entries[]; };
// Where each bucket ends in its column.
layout(set = 0, binding = 2, std430) readonly buffer Ends { uint ends[]; };
layout(set = 0, binding = 3, std430) buffer Buckets { uvec4 bucket_parts[]; };
layout(set = 0, binding = 4, std430) writeonly buffer Heads { uvec4 head_parts[]; };
// The x of the endomorphism's images of the points.
layout(set = 0, binding = 5, std430) readonly buffer Images { uvec4 image_parts[]; };
#define ENDOMORPHISM 0x40000000u
#define OPPOSITE 0x80000000u

layout(push_constant) uniform Job {
    uint start_points;
    uint start_images;
    // Runs of all columns, and the first of this dispatch.
    uint stretches;
    uint first;
    uint stretches_of_column;
    uint stretch;
    // Entries that a column has room for.
    uint entries_of_column;
    uint log_buckets;
    // Points from those of one sum to those of the next, and columns of a sum.
    uint stride;
    uint columns;
    // 1 where buckets hold sums of other points already, to which these are added.
    uint goes_on;
} job;

// The bucket of an entry: the first that ends after it, from `bucket` on.
uint bucket_of(uint column, uint bucket, uint entry) {
    uint first = column << job.log_buckets;
    if (ends[first + bucket] > entry) {
        return bucket;
    }
    uint before = bucket;
    uint last = (1u << job.log_buckets) - 1u;
    // One that ends at or before the entry, and one that ends after it.
    while (last - before > 1u) {
        uint middle = (before + last) / 2u;
        if (ends[first + middle] > entry) {
            last = middle;
        } else {
            before = middle;
        }
    }
    return last;
}

void begin(bool is_head, uint bucket) {
    if (is_head || job.goes_on == 0u) {
        set_infinity(SUM);
    } else {
        LOAD_POINT(SUM, bucket_parts, bucket * XYZZ_PARTS)
    }
}

void main() {
    uint stretch = job.first + gl_GlobalInvocationID.x;
    uint column = stretch / job.stretches_of_column;
    uint entry = (stretch - column * job.stretches_of_column) * job.stretch;
    if (stretch >= job.stretches) {
        return;
    }
    uint bucket_first = column << job.log_buckets;
    uint end = min(entry + job.stretch, ends[bucket_first + (1u << job.log_buckets) - 1u]);
    if (entry >= end) {
        return;
    }
    uint first_point = column / job.columns * job.stride;
    uint bucket = bucket_of(column, 0u, entry);
    uint bucket_end = ends[bucket_first + bucket];
    bool is_head = bucket > 0u ? ends[bucket_first + bucket - 1u] < entry : entry > 0u;
    begin(is_head, bucket_first + bucket);
    [[dont_unroll]]
    for (;; ++entry) {
        if (entry == end || entry == bucket_end) {
            if (is_head) {
                STORE_SUM(head_parts, stretch * XYZZ_PARTS)
            } else {
                STORE_SUM(bucket_parts, (bucket_first + bucket) * XYZZ_PARTS)
            }
            if (entry == end) {
                break;
            }
            is_head = false;
            bucket = bucket_of(column, bucket + 1u, entry);
            bucket_end = ends[bucket_first + bucket];
            begin(false, bucket_first + bucket);
        }
        uint term = entries[column * job.entries_of_column + entry];
        uint point = first_point + (term & ~(ENDOMORPHISM | OPPOSITE));
        uint at = job.start_points + point * AFFINE_PARTS;
        Elem y = READ_ELEMENT(point_parts, at + FIELD_PARTS);
        Elem x;
        if ((term & ENDOMORPHISM) == 0u) {
            x = READ_ELEMENT(point_parts, at);
        } else {
            x = READ_ELEMENT(image_parts, job.start_images + point * FIELD_PARTS);
        }
        if (!f_is_zero(x) || !f_is_zero(y)) {
            set_affine(OTHER, x, y, (term & OPPOSITE) != 0u);
            add(AFFINE);
        }
    }
}
