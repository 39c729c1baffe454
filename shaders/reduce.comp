// Product and inner product: many elements to one for each workgroup. A second run
// over those makes it one in all.
//
// Each invocation takes every (groups * 128)-th element, so that a workgroup's
// elements are neighbours; then a tree in shared memory joins the 128 results.
//
// The loops over elements are bounded by who dispatches: 8,192 rounds at most.
//
// keep functions of fp2_
// variant: fp_product_u32 = FIELD_FP MUL_U32 PRODUCT
// variant: fp_product_u64 = FIELD_FP MUL_U64 PRODUCT
// variant: fp_product_f64 = FIELD_FP MUL_F64 PRODUCT
// variant: fr_product_u32 = FIELD_FR MUL_U32 PRODUCT
// variant: fr_product_u64 = FIELD_FR MUL_U64 PRODUCT
// variant: fr_product_f64 = FIELD_FR MUL_F64 PRODUCT
// variant: fp2_product_u32 = FIELD_FP2 MUL_U32 PRODUCT
// variant: fp2_product_u64 = FIELD_FP2 MUL_U64 PRODUCT
// variant: fp2_product_f64 = FIELD_FP2 MUL_F64 PRODUCT
// variant: fp_inner_product_u32 = FIELD_FP MUL_U32
// variant: fp_inner_product_u64 = FIELD_FP MUL_U64
// variant: fp_inner_product_f64 = FIELD_FP MUL_F64
// variant: fr_inner_product_u32 = FIELD_FR MUL_U32
// variant: fr_inner_product_u64 = FIELD_FR MUL_U64
// variant: fr_inner_product_f64 = FIELD_FR MUL_F64
// variant: fp2_inner_product_u32 = FIELD_FP2 MUL_U32
// variant: fp2_inner_product_u64 = FIELD_FP2 MUL_U64
// variant: fp2_inner_product_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

// Both factors of a product are elements that are read once.
#define WIDE_ROWS
#include "vectors.glsl"

#define GROUP_SIZE 128u

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer InputA { uvec4 a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uvec4 b_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint groups;
    uint start_a;
    uint start_b;
    uint start_out;
} job;

shared uvec4 joined[GROUP_SIZE * FIELD_PARTS];

#ifdef PRODUCT
Elem join(Elem x, Elem y) { return f_mul(x, y); }
#else
Elem join(Elem x, Elem y) { return f_add(x, y); }
#endif

Elem element_a(uint i) {
    uint at = job.start_a + i * FIELD_PARTS;
    return READ_ELEMENT(a_parts, at);
}

Elem element_b(uint i) {
    uint at = job.start_b + i * FIELD_PARTS;
    return READ_ELEMENT(b_parts, at);
}

// What this invocation makes of its elements: every `stride`-th, from `i` on.
#ifdef PRODUCT

Elem own_result(uint i, uint stride) {
    Elem result = f_one();
    for (; i < job.count; i += stride) {
        result = f_mul(result, element_a(i));
    }
    return result;
}

#else

// The next pair is on its way from memory while this one is multiplied. Products are
// reduced in sums of WIDE_PRODUCTS; the last may be of a pair that is not there, zero.
Elem own_result(uint i, uint stride) {
    Elem result = f_zero();
    if (i >= job.count) {
        return result;
    }
    Elem a = element_a(i);
    Elem b = element_b(i);
    while (i < job.count) {
        Wide sum = wide_zero();
        for (uint products = 0u; products < WIDE_PRODUCTS && i < job.count; products += 1u) {
            Elem next_a = f_zero();
            Elem next_b = f_zero();
            i += stride;
            if (i < job.count) {
                next_a = element_a(i);
                next_b = element_b(i);
            }
            wide_add_product(sum, a, wide_factor(b));
            a = next_a;
            b = next_b;
        }
        result = f_add(result, wide_reduce(sum));
    }
    return result;
}

#endif

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint own = lane * FIELD_PARTS;
    uint stride = job.groups * GROUP_SIZE;
    Elem result = own_result(gl_GlobalInvocationID.x, stride);
    WRITE_ELEMENT(joined, own, result)
    // Joins the results of the lanes below `near` with those `near` further on.
    for (uint near = GROUP_SIZE / 2u; near > 0u; near /= 2u) {
        barrier();
        if (lane < near) {
            uint other = (lane + near) * FIELD_PARTS;
            result = join(result, READ_ELEMENT(joined, other));
            WRITE_ELEMENT(joined, own, result)
        }
    }
    if (lane == 0u) {
        uint at = job.start_out + gl_WorkGroupID.x * FIELD_PARTS;
        WRITE_ELEMENT(out_parts, at, result)
    }
}
