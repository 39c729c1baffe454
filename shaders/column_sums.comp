// Sums along the columns of a matrix, from its last row up: each element of the result is the
// sum of the element at its place and of all those below it in its column.
//
// The matrix is `count` elements in rows of `width`, the last of which may be shorter. An
// invocation goes through a column. Where there are rows below these, `below` has the sums of
// their first one, which again may be shorter.
//
// An element is read before it is written, and by nobody else, so the output may be the input's
// memory, and the sums below are in the output's. Without the decoration `Aliased` (20) a driver
// may assume that they are not. The loop is bounded by who dispatches: 256 rows at most.
//
// variant: fp_column_sums = FIELD_FP MUL_U32
// variant: fr_column_sums = FIELD_FR MUL_U32
// variant: fp2_column_sums = FIELD_FP2 MUL_U32

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : require

#include "vectors.glsl"

layout(local_size_x = 128) in;

#define ALIASED spirv_decorate(20)

ALIASED layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
ALIASED layout(set = 0, binding = 1, std430) readonly buffer Below { uvec4 below_parts[]; };
ALIASED layout(set = 0, binding = 2, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint width;
    // Elements of the row below that there are.
    uint below;
    uint start_x;
    uint start_below;
    uint start_out;
} job;

void main() {
    uint column = gl_GlobalInvocationID.x;
    if (column >= min(job.width, job.count)) {
        return;
    }
    Elem sum = f_zero();
    if (column < job.below) {
        uint at = job.start_below + column * FIELD_PARTS;
        sum = READ_ELEMENT(below_parts, at);
    }
    for (uint row = (job.count - 1u - column) / job.width + 1u; row > 0u; row -= 1u) {
        uint place = ((row - 1u) * job.width + column) * FIELD_PARTS;
        uint at = job.start_x + place;
        sum = f_add(sum, READ_ELEMENT(x_parts, at));
        at = job.start_out + place;
        WRITE_ELEMENT(out_parts, at, sum)
    }
}
