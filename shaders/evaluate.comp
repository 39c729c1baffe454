// Values of a polynomial with coefficients x: many coefficients to one for each workgroup
// and point, which is a coefficient of a polynomial in a power of the point.
//
// A workgroup has a block of `rows` rows of 128 coefficients. Each invocation sums up its
// column, times point^(128 row), with one reduction; then a tree in shared memory joins
// the columns, times point^column. The table of each point is that of `power_tables` with
// a shift of 7.
//
// The loop is bounded by who dispatches: 64 rows at most, two at a time. One Wide sum takes
// so many products.
//
// keep functions of fp2_
// variant: fp_evaluate_u32 = FIELD_FP MUL_U32
// variant: fp_evaluate_u64 = FIELD_FP MUL_U64
// variant: fp_evaluate_f64 = FIELD_FP MUL_F64
// variant: fr_evaluate_u32 = FIELD_FR MUL_U32
// variant: fr_evaluate_u64 = FIELD_FR MUL_U64
// variant: fr_evaluate_f64 = FIELD_FR MUL_F64
// variant: fp2_evaluate_u32 = FIELD_FP2 MUL_U32
// variant: fp2_evaluate_u64 = FIELD_FP2 MUL_U64
// variant: fp2_evaluate_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

#define GROUP_SIZE 128u
#define SQUARES 16u
#define TABLE (SQUARES + 128u)

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Coefficients { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Tables { uvec4 table_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint rows;
    // Of a block's workgroups each has another point: together they read its coefficients
    // from memory once.
    uint points;
    uint start_x;
    // From one point's coefficients to the next one's, in elements; 0 where all have the
    // same.
    uint step_x;
    uint start_table;
    uint start_out;
    // Likewise, of the results.
    uint step_out;
} job;

shared uvec4 joined[GROUP_SIZE * FIELD_PARTS];

// What a row is multiplied by. In memory that a workgroup shares, except where that is too
// little.
#ifdef FIELD_FP2
WideFactor factor(uint table, uint row) {
    uint at = table + (SQUARES + row) * FIELD_PARTS;
    return wide_factor(READ_ELEMENT(table_parts, at));
}
#else
#define MOST_ROWS 64u
shared WideFactor factors[MOST_ROWS];

WideFactor factor(uint table, uint row) { return factors[row]; }
#endif

// The coefficient with this number, zero where there is none.
Elem coefficient(uint start, uint i) {
    Elem x = f_zero();
    if (i < job.count) {
        uint at = start + i * FIELD_PARTS;
        x = READ_ELEMENT(x_parts, at);
    }
    return x;
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint group = gl_WorkGroupID.x / job.points;
    uint point = gl_WorkGroupID.x - group * job.points;
    uint table = job.start_table + point * TABLE * FIELD_PARTS;
    uint start_x = job.start_x + point * job.step_x * FIELD_PARTS;

    // The next two coefficients are on their way from memory while one is multiplied.
    uint i = group * job.rows * GROUP_SIZE + lane;
    Elem even = coefficient(start_x, i);
    Elem odd = f_zero();
    if (job.rows > 1u) {
        odd = coefficient(start_x, i + GROUP_SIZE);
    }
#ifndef FIELD_FP2
    if (lane < MOST_ROWS) {
        uint at = table + (SQUARES + lane) * FIELD_PARTS;
        factors[lane] = wide_factor(READ_ELEMENT(table_parts, at));
    }
    barrier();
#endif
    // Rows are a power of two: where there is but one, the odd coefficient is zero.
    Wide sum = wide_zero();
    for (uint row = 0u; row < job.rows && i < job.count; row += 2u) {
        i += 2u * GROUP_SIZE;
        bool more = row + 2u < job.rows;
        Elem x = even;
        if (more) {
            even = coefficient(start_x, i);
        }
        wide_add_product(sum, x, factor(table, row));
        x = odd;
        if (more) {
            odd = coefficient(start_x, i + GROUP_SIZE);
        }
        wide_add_product(sum, x, factor(table, row + 1u));
    }
    Elem result = wide_reduce(sum);

    uint own = lane * FIELD_PARTS;
    WRITE_ELEMENT(joined, own, result)
    for (uint log = 7u; log > 0u; log -= 1u) {
        uint near = 1u << (log - 1u);
        barrier();
        if (lane < near) {
            uint other = (lane + near) * FIELD_PARTS;
            uint at = table + (log - 1u) * FIELD_PARTS;
            Elem above = f_mul(READ_ELEMENT(joined, other), READ_ELEMENT(table_parts, at));
            result = f_add(result, above);
            WRITE_ELEMENT(joined, own, result)
        }
    }
    if (lane == 0u) {
        uint at = job.start_out + (point * job.step_out + group) * FIELD_PARTS;
        WRITE_ELEMENT(out_parts, at, result)
    }
}
