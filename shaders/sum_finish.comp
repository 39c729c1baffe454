// The end of a sum: adds up what the workgroups of `sum_parts` left, joins the words to
// an integer, and reduces it.
//
// One workgroup. The loop is bounded by who dispatches: 8,192 rounds at most.
//
// keep functions of fp2_
// variant: fp_sum_finish_u32 = FIELD_FP MUL_U32
// variant: fr_sum_finish_u32 = FIELD_FR MUL_U32
// variant: fp_sum_finish_u64 = FIELD_FP MUL_U64
// variant: fr_sum_finish_u64 = FIELD_FR MUL_U64
// variant: fp2_sum_finish_u32 = FIELD_FP2 MUL_U32
// variant: fp2_sum_finish_u64 = FIELD_FP2 MUL_U64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

#define GROUP_SIZE 96u
#define HALVES (2u * FIELD_PARTS)

layout(local_size_x = 96) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_halves[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // The workgroups whose sums are to be added up.
    uint count;
    uint start_in;
    uint start_out;
} job;

// Of each part the sums of its 4 words: low and high half of each.
shared uvec4 lows[GROUP_SIZE];
shared uvec4 highs[GROUP_SIZE];

void add(uvec4 other_low, uvec4 other_high, inout uvec4 low, inout uvec4 high) {
    uvec4 carry;
    low = uaddCarry(low, other_low, carry);
    high += other_high + carry;
}

// One word of the joined sum: its own low half, and the high half of the word below.
uint joined_word(uint low, uint high, inout uint below_high, inout uint carry) {
    uint word;
    ADD_WORD_LOCALS
    ADD_WORD(word, low, below_high)
    below_high = high;
    return word;
}

uvec4 joined_part(uvec4 low, uvec4 high, inout uint below_high, inout uint carry) {
    uvec4 part;
    part.x = joined_word(low.x, high.x, below_high, carry);
    part.y = joined_word(low.y, high.y, below_high, carry);
    part.z = joined_word(low.z, high.z, below_high, carry);
    part.w = joined_word(low.w, high.w, below_high, carry);
    return part;
}

#ifdef FIELD_FP2
// Each of two lanes makes a coordinate.
#define FIRST int(3u * gl_LocalInvocationID.x)
#else
#define FIRST 0
#define Base Elem
#define base_zero f_zero
#define base_one f_one
#define base_add f_add
#define base_mul f_mul
#endif

// The sum of the parts from FIRST on, modulo p. As an integer it is `rest` R + `sum`.
Base reduced() {
    uint below_high = 0u;
    uint carry = 0u;
    Base sum;
    sum.p0 = joined_part(lows[FIRST], highs[FIRST], below_high, carry);
    sum.p1 = joined_part(lows[FIRST + 1], highs[FIRST + 1], below_high, carry);
#ifdef FIELD_FP
    sum.p2 = joined_part(lows[FIRST + 2], highs[FIRST + 2], below_high, carry);
#endif
    // What the highest word's high half holds. It has room for the carry: of 2^31
    // elements at most the sum is below 2^31 p.
    Base rest = base_zero();
    rest.p0.x = below_high + carry;
    // rest R = rest R^2 / R, and sum = sum R / R. The product takes a first factor that
    // is not below p, as long as the second is.
    return base_add(base_mul(rest, R_SQUARED), base_mul(sum, base_one()));
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uvec4 low = uvec4(0u);
    uvec4 high = uvec4(0u);
    // A lane's part is lane mod FIELD_PARTS.
    for (uint at = lane; at < job.count * FIELD_PARTS; at += GROUP_SIZE) {
        uint from = job.start_in + 2u * at;
        add(in_halves[from], in_halves[from + 1u], low, high);
    }
    lows[lane] = low;
    highs[lane] = high;
    barrier();
    if (lane < FIELD_PARTS) {
        for (uint other = lane + FIELD_PARTS; other < GROUP_SIZE; other += FIELD_PARTS) {
            add(lows[other], highs[other], low, high);
        }
    }
    barrier();
    lows[lane] = low;
    highs[lane] = high;
    barrier();
#ifdef FIELD_FP2
    if (lane < 2u) {
        Base sum = reduced();
        uint at = job.start_out + 3u * lane;
        WRITE_COORDINATE(out_parts, at, sum)
    }
#else
    if (lane == 0u) {
        Elem sum = reduced();
        uint at = job.start_out;
        WRITE_ELEMENT(out_parts, at, sum)
    }
#endif
}
