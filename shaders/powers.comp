// The powers of an element: 1, base, base^2 and so on.
//
// A workgroup writes a block of `rows` rows of 128 powers: each invocation begins with the
// power at its place in the first row, and goes to the next row by a product with
// base^128. The table is that of `power_tables` with a shift of 0; where there are several
// workgroups, `firsts` has the power that each block begins with.
//
// The loop is bounded by who dispatches: 32 rows at most.
//
// keep functions of fp2_
// variant: fp_powers_u32 = FIELD_FP MUL_U32
// variant: fp_powers_u64 = FIELD_FP MUL_U64
// variant: fp_powers_f64 = FIELD_FP MUL_F64
// variant: fr_powers_u32 = FIELD_FR MUL_U32
// variant: fr_powers_u64 = FIELD_FR MUL_U64
// variant: fr_powers_f64 = FIELD_FR MUL_F64
// variant: fp2_powers_u32 = FIELD_FP2 MUL_U32
// variant: fp2_powers_u64 = FIELD_FP2 MUL_U64
// variant: fp2_powers_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

#define GROUP_SIZE 128u
#define SQUARES 14u
// Of the squares: base^128.
#define ROW 7u

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Table { uvec4 table_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Firsts { uvec4 first_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint rows;
    uint start_table;
    uint start_firsts;
    // Whether there are any of those.
    uint firsts;
    uint start_out;
} job;

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint at = job.start_table + (SQUARES + lane) * FIELD_PARTS;
    Elem power = READ_ELEMENT(table_parts, at);
    if (job.firsts != 0u) {
        at = job.start_firsts + gl_WorkGroupID.x * FIELD_PARTS;
        power = f_mul(power, READ_ELEMENT(first_parts, at));
    }
    at = job.start_table + ROW * FIELD_PARTS;
    Elem next_row = READ_ELEMENT(table_parts, at);
    uint i = gl_WorkGroupID.x * job.rows * GROUP_SIZE + lane;
    for (uint row = 0u; row < job.rows && i < job.count; row += 1u) {
        at = job.start_out + i * FIELD_PARTS;
        WRITE_ELEMENT(out_parts, at, power)
        power = f_mul(power, next_row);
        i += GROUP_SIZE;
    }
}
