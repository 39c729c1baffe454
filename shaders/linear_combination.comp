// A sum of vectors, each times a scalar: of up to 8 at a time, so that each is read once and
// the result written once. More go in several passes, which add to the result.
//
// An invocation has one element of each vector, and reduces the sum of its products once.
// The loop is bounded by who dispatches: 8 vectors at most, one, two or four at a time.
//
// keep functions of fp2_
// variant: fp_linear_combination_u32 = FIELD_FP MUL_U32
// variant: fp_linear_combination_u64 = FIELD_FP MUL_U64
// variant: fp_linear_combination_f64 = FIELD_FP MUL_F64
// variant: fr_linear_combination_u32 = FIELD_FR MUL_U32
// variant: fr_linear_combination_u64 = FIELD_FR MUL_U64
// variant: fr_linear_combination_f64 = FIELD_FR MUL_F64
// variant: fp2_linear_combination_u32 = FIELD_FP2 MUL_U32
// variant: fp2_linear_combination_u64 = FIELD_FP2 MUL_U64
// variant: fp2_linear_combination_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Vector0 { uvec4 x0_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Vector1 { uvec4 x1_parts[]; };
layout(set = 0, binding = 2, std430) readonly buffer Vector2 { uvec4 x2_parts[]; };
layout(set = 0, binding = 3, std430) readonly buffer Vector3 { uvec4 x3_parts[]; };
layout(set = 0, binding = 4, std430) readonly buffer Vector4 { uvec4 x4_parts[]; };
layout(set = 0, binding = 5, std430) readonly buffer Vector5 { uvec4 x5_parts[]; };
layout(set = 0, binding = 6, std430) readonly buffer Vector6 { uvec4 x6_parts[]; };
layout(set = 0, binding = 7, std430) readonly buffer Vector7 { uvec4 x7_parts[]; };
layout(set = 0, binding = 8, std430) readonly buffer Scalars { uvec4 scalar_parts[]; };
layout(set = 0, binding = 9, std430) buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint vectors;
    // Whether the sum is added to what the output holds.
    uint adds;
    uint start_scalars;
    uint start_out;
    uint start_x[8];
} job;

#define MOST_VECTORS 8u

shared WideFactor factors[MOST_VECTORS];

Elem element(uint vector, uint i) {
    uint at = job.start_x[vector] + i * FIELD_PARTS;
    switch (vector) {
        case 0u: return READ_ELEMENT(x0_parts, at);
        case 1u: return READ_ELEMENT(x1_parts, at);
        case 2u: return READ_ELEMENT(x2_parts, at);
        case 3u: return READ_ELEMENT(x3_parts, at);
        case 4u: return READ_ELEMENT(x4_parts, at);
        case 5u: return READ_ELEMENT(x5_parts, at);
        case 6u: return READ_ELEMENT(x6_parts, at);
        default: return READ_ELEMENT(x7_parts, at);
    }
}

// So many elements are on their way from memory while one is multiplied. By doubles over Fr
// all eight products are written out; not by the compiler, whose copies of a loop's
// instructions are not `precise`.
#if defined(FIELD_FR) && defined(MUL_F64)
#define AHEAD 4u
#define EACH_AHEAD(M) M(0u, x0) M(1u, x1) M(2u, x2) M(3u, x3)
#define EACH_STEP \
    { const uint first = 0u; EACH_AHEAD(STEP) } \
    { const uint first = AHEAD; EACH_AHEAD(STEP) }
#else
#ifdef FIELD_FP2
#define AHEAD 1u
#define EACH_AHEAD(M) M(0u, x0)
#else
#define AHEAD 2u
#define EACH_AHEAD(M) M(0u, x0) M(1u, x1)
#endif
#define EACH_STEP for (uint first = 0u; first < job.vectors; first += AHEAD) { EACH_AHEAD(STEP) }
#endif
#define BEGIN(k, x) \
    Elem x = f_zero(); \
    if (i < job.count && (k) < job.vectors) { \
        x = element(k, i); \
    }
#define STEP(k, x) \
    if (first + (k) < job.vectors) { \
        Elem now = x; \
        if (first + (k) + AHEAD < MOST_VECTORS && first + (k) + AHEAD < job.vectors) { \
            x = element(first + (k) + AHEAD, i); \
        } \
        wide_add_product(sum, now, factors[first + (k)]); \
    }

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint i = gl_GlobalInvocationID.x;
    EACH_AHEAD(BEGIN)
    if (lane < job.vectors) {
        uint from = job.start_scalars + lane * FIELD_PARTS;
        factors[lane] = wide_factor(READ_ELEMENT(scalar_parts, from));
    }
    barrier();
    if (i >= job.count) {
        return;
    }
    Wide sum = wide_zero();
    EACH_STEP
    Elem result = wide_reduce(sum);
    uint at = job.start_out + i * FIELD_PARTS;
    if (job.adds != 0u) {
        result = f_add(result, READ_ELEMENT(out_parts, at));
    }
    WRITE_ELEMENT(out_parts, at, result)
}
