// Values of a polynomial with coefficients x: many coefficients to one for each workgroup
// and point, which is a coefficient of a polynomial in a power of the point.
//
// A workgroup has a block of `rows` rows of 128 coefficients. Each invocation sums up its
// column, times point^(128 row), with one reduction, and multiplies that by point^column; then
// a tree in shared memory adds up the columns. The table of each point is that of
// `power_tables` with a shift of 7.
//
// The loop is bounded by who dispatches: 64 rows at most, two or four at a time. One Wide sum
// takes so many products.
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
#define SQUARES 14u
#define COLUMNS (SQUARES + 128u)
#define TABLE (COLUMNS + 128u)

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

// A coefficient of a row, zero where there is none.
Elem coefficient(uint start, uint row, uint i) {
    Elem x = f_zero();
    if (row < job.rows && i < job.count) {
        uint at = start + i * FIELD_PARTS;
        x = READ_ELEMENT(x_parts, at);
    }
    return x;
}

// So many coefficients are on their way from memory while one is multiplied.
#if defined(FIELD_FR) && defined(MUL_F64)
#define AHEAD 4u
#define EACH_AHEAD(M) M(0u, x0) M(1u, x1) M(2u, x2) M(3u, x3)
#else
#define AHEAD 2u
#define EACH_AHEAD(M) M(0u, x0) M(1u, x1)
#endif
#define BEGIN(k, x) Elem x = coefficient(start_x, k, i + (k) * GROUP_SIZE);
#define STEP(k, x) \
    { \
        Elem now = x; \
        x = coefficient(start_x, row + (k) + AHEAD, i + ((k) + AHEAD) * GROUP_SIZE); \
        wide_add_product(sum, now, factor(table, row + (k))); \
    }

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint group = gl_WorkGroupID.x / job.points;
    uint point = gl_WorkGroupID.x - group * job.points;
    uint table = job.start_table + point * TABLE * FIELD_PARTS;
    uint start_x = job.start_x + point * job.step_x * FIELD_PARTS;

    uint i = group * job.rows * GROUP_SIZE + lane;
    EACH_AHEAD(BEGIN)
#ifndef FIELD_FP2
    if (lane < MOST_ROWS) {
        uint at = table + (SQUARES + lane) * FIELD_PARTS;
        factors[lane] = wide_factor(READ_ELEMENT(table_parts, at));
    }
    barrier();
#endif
    // Where there are fewer rows than are taken together, coefficients are zero.
    Wide sum = wide_zero();
    for (uint row = 0u; row < job.rows && i < job.count; row += AHEAD) {
        EACH_AHEAD(STEP)
        i += AHEAD * GROUP_SIZE;
    }
    uint column = table + (COLUMNS + lane) * FIELD_PARTS;
    Elem result = f_mul(wide_reduce(sum), READ_ELEMENT(table_parts, column));

    uint own = lane * FIELD_PARTS;
    WRITE_ELEMENT(joined, own, result)
    for (uint near = GROUP_SIZE / 2u; near > 0u; near /= 2u) {
        barrier();
        if (lane < near) {
            uint other = (lane + near) * FIELD_PARTS;
            result = f_add(result, READ_ELEMENT(joined, other));
            WRITE_ELEMENT(joined, own, result)
        }
    }
    if (lane == 0u) {
        uint at = job.start_out + (point * job.step_out + group) * FIELD_PARTS;
        WRITE_ELEMENT(out_parts, at, result)
    }
}
