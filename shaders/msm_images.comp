// The x of what an endomorphism of the curve makes of points: a cube root of unity times
// theirs. Their y stay as they are; infinity's x stays zero.
//
// variant: fp_msm_images_u32 = FIELD_FP MUL_U32
// variant: fp_msm_images_u64 = FIELD_FP MUL_U64
// variant: fp_msm_images_f64 = FIELD_FP MUL_F64
// variant: fp2_msm_images_u32 = FIELD_FP2 MUL_U32
// variant: fp2_msm_images_u64 = FIELD_FP2 MUL_U64
// variant: fp2_msm_images_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Points { uvec4 point_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Images { uvec4 image_parts[]; };

layout(push_constant) uniform Job {
    uvec4 root[3];
    // Points of all dispatches, and the first of this one.
    uint points;
    uint first;
    uint start_points;
} job;

void main() {
    uint point = job.first + gl_GlobalInvocationID.x;
    if (point < job.points) {
        uint at = job.start_points + point * AFFINE_PARTS;
        Elem x = READ_ELEMENT(point_parts, at);
        x = TIMES_BASE(x, job.root);
        WRITE_ELEMENT(image_parts, point * FIELD_PARTS, x)
    }
}
