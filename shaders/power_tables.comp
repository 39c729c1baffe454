// Powers of elements, for kernels that multiply by a few of them: a workgroup for each
// base makes its table,
//   base^(2^k) for k < 16, and then
//   base^(j 2^shift) for j < 128, the shift 9 at most.
//
// One invocation squares 15 times; then each multiplies what its j is made of, 7 factors
// at most.
//
// keep functions of fp2_
// variant: fp_power_tables_u32 = FIELD_FP MUL_U32
// variant: fp_power_tables_u64 = FIELD_FP MUL_U64
// variant: fp_power_tables_f64 = FIELD_FP MUL_F64
// variant: fr_power_tables_u32 = FIELD_FR MUL_U32
// variant: fr_power_tables_u64 = FIELD_FR MUL_U64
// variant: fr_power_tables_f64 = FIELD_FR MUL_F64
// variant: fp2_power_tables_u32 = FIELD_FP2 MUL_U32
// variant: fp2_power_tables_u64 = FIELD_FP2 MUL_U64
// variant: fp2_power_tables_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

#define SQUARES 16u
#define MULTIPLES 128u

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Bases { uvec4 base_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Tables { uvec4 table_parts[]; };

layout(push_constant) uniform Job {
    uint start_base;
    // From one base to the next, in elements.
    uint step_base;
    uint start_table;
    uint shift;
} job;

shared uvec4 squares[SQUARES * FIELD_PARTS];

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint start = job.start_table + gl_WorkGroupID.x * (SQUARES + MULTIPLES) * FIELD_PARTS;
    if (lane == 0u) {
        uint from = job.start_base + gl_WorkGroupID.x * job.step_base * FIELD_PARTS;
        Elem square = READ_ELEMENT(base_parts, from);
        for (uint k = 0u; k < SQUARES; k += 1u) {
            if (k > 0u) {
                square = f_mul(square, square);
            }
            uint at = k * FIELD_PARTS;
            WRITE_ELEMENT(squares, at, square)
            at += start;
            WRITE_ELEMENT(table_parts, at, square)
        }
    }
    barrier();
    Elem power = f_one();
    for (uint bit = 0u; lane >> bit != 0u; bit += 1u) {
        if ((lane >> bit & 1u) != 0u) {
            uint at = (job.shift + bit) * FIELD_PARTS;
            power = f_mul(power, READ_ELEMENT(squares, at));
        }
    }
    uint to = start + (SQUARES + lane) * FIELD_PARTS;
    WRITE_ELEMENT(table_parts, to, power)
}
