// Powers of elements, for kernels that multiply by a few of them: a workgroup for each
// base makes its table,
//   base^(2^k) for k < 14, then
//   base^(j 2^shift) for j < 128, and with a shift of 7, which is the most, then
//   base^j for j < 128.
//
// In 14 steps, one product each: with each square an invocation makes the next one, and as
// many as there are powers yet make twice as many of them. The last 128 are made in the
// first 7 steps, in the memory that the others take afterwards.
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

#define SQUARES 14u
#define MULTIPLES 128u
#define TABLE (SQUARES + 2u * MULTIPLES)
// Steps that make 128 powers.
#define DOUBLINGS 7u

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
shared uvec4 multiples[MULTIPLES * FIELD_PARTS];

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint own = lane * FIELD_PARTS;
    if (lane == 0u) {
        uint from = job.start_base + gl_WorkGroupID.x * job.step_base * FIELD_PARTS;
        Elem base = READ_ELEMENT(base_parts, from);
        WRITE_ELEMENT(squares, 0u, base)
        Elem one = f_one();
        WRITE_ELEMENT(multiples, 0u, one)
    }
    uint start = job.start_table + gl_WorkGroupID.x * TABLE * FIELD_PARTS;
    for (uint k = 0u; k < SQUARES; k += 1u) {
        barrier();
        bool is_next = lane == 0u && k + 1u < SQUARES;
        bool has_both = job.shift == DOUBLINGS;
        if (has_both && k == DOUBLINGS) {
            Elem power = READ_ELEMENT(multiples, own);
            uint at = start + (SQUARES + MULTIPLES) * FIELD_PARTS + own;
            WRITE_ELEMENT(table_parts, at, power)
        }
        // Of the bit k - shift of its j, where that is the highest one.
        uint shift = has_both && k < DOUBLINGS ? 0u : job.shift;
        bool is_multiple = k >= shift && k < shift + DOUBLINGS && lane >> (k - shift) == 1u;
        if (is_next || is_multiple) {
            uint at = k * FIELD_PARTS;
            Elem square = READ_ELEMENT(squares, at);
            Elem factor = square;
            if (is_multiple) {
                at = (lane - (1u << (k - shift))) * FIELD_PARTS;
                factor = READ_ELEMENT(multiples, at);
            }
            Elem result = f_mul(square, factor);
            if (is_multiple) {
                WRITE_ELEMENT(multiples, own, result)
            } else {
                at = (k + 1u) * FIELD_PARTS;
                WRITE_ELEMENT(squares, at, result)
            }
        }
    }
    barrier();
    if (lane < SQUARES) {
        Elem square = READ_ELEMENT(squares, own);
        uint at = start + own;
        WRITE_ELEMENT(table_parts, at, square)
    }
    Elem multiple = READ_ELEMENT(multiples, own);
    uint to = start + SQUARES * FIELD_PARTS + own;
    WRITE_ELEMENT(table_parts, to, multiple)
}
