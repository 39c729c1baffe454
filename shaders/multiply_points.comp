// Products of points by integers: each its own, or one for all. An invocation doubles and adds
// from the integer's highest bit on.
//
// Loops: two rounds for each of `bits`, 255 at most, of 9 and of 11 steps at most.
//
// variant: fp_multiply_points_u32 = FIELD_FP MUL_U32
// variant: fp_multiply_points_u64 = FIELD_FP MUL_U64
// variant: fp_multiply_points_f64 = FIELD_FP MUL_F64
// variant: fp2_multiply_points_u32 = FIELD_FP2 MUL_U32
// variant: fp2_multiply_points_u64 = FIELD_FP2 MUL_U64
// variant: fp2_multiply_points_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer Points { uvec4 point_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Integers { uvec4 integer_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Products { uvec4 product_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint start_points;
    uint start_integers;
    uint start_products;
    // From one integer to the next: 0 where there is one for all.
    uint integer_stride;
    // Bits of the longest.
    uint bits;
} job;

bool bit_of(uint integer, uint bit) {
    return (integer_parts[integer + bit / 128u][bit / 32u % 4u] >> bit % 32u & 1u) == 1u;
}

void main() {
    uint number = gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    uint at = job.start_points + number * AFFINE_PARTS;
    uint integer = job.start_integers + number * job.integer_stride;
    Elem x = READ_ELEMENT(point_parts, at);
    Elem y = READ_ELEMENT(point_parts, at + FIELD_PARTS);
    Xyzz point = Xyzz(x, y, f_one(), f_one());
    Xyzz product = point_infinity();
    // A round is a doubling or an addition, so that the code of a sum is there once.
    uint rounds = f_is_zero(x) && f_is_zero(y) ? 0u : 2u * job.bits;
    [[dont_unroll]]
    for (uint round = 0u; round < rounds; ++round) {
        bool doubles = round % 2u == 0u;
        if (!doubles && !bit_of(integer, job.bits - 1u - round / 2u)) {
            continue;
        }
        if (!point_is_infinity(product)) {
            product = point_sum(product, doubles ? product : point, doubles ? DOUBLE : AFFINE);
        } else if (!doubles) {
            product = point;
        }
    }
    at = job.start_products + number * XYZZ_PARTS;
    WRITE_XYZZ(product_parts, at, product)
}
