// Points given by X, Y, ZZ and ZZZ to affine ones, with the inverses of all ZZZ; of infinity,
// whose ZZZ is zero, that is zero too.
//
// keep functions of fp2_
// variant: fp_normalise_u32 = FIELD_FP MUL_U32
// variant: fp_normalise_u64 = FIELD_FP MUL_U64
// variant: fp_normalise_f64 = FIELD_FP MUL_F64
// variant: fp2_normalise_u32 = FIELD_FP2 MUL_U32
// variant: fp2_normalise_u64 = FIELD_FP2 MUL_U64
// variant: fp2_normalise_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer Sums { uvec4 sum_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Inverses { uvec4 inverse_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Points { uvec4 point_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint start_sums;
    uint start_inverses;
    uint start_points;
} job;

void main() {
    uint number = gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    uint at = job.start_inverses + number * FIELD_PARTS;
    Elem inverse = READ_ELEMENT(inverse_parts, at);
    at = job.start_sums + number * XYZZ_PARTS;
    Elem x = READ_ELEMENT(sum_parts, at);
    Elem y = READ_ELEMENT(sum_parts, at + FIELD_PARTS);
    Elem zz = READ_ELEMENT(sum_parts, at + 2u * FIELD_PARTS);
    // ZZ / ZZZ is 1 / Z.
    x = f_mul(x, f_square(f_mul(zz, inverse)));
    y = f_mul(y, inverse);
    at = job.start_points + number * AFFINE_PARTS;
    WRITE_ELEMENT(point_parts, at, x)
    WRITE_ELEMENT(point_parts, at + FIELD_PARTS, y)
}
