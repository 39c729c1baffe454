// The sum of a vector: many elements to one for each workgroup. A second run over
// those makes it one in all.
//
// No addition in the field before the end. Each invocation adds up one 16-byte part of
// every so many elements, word by word, into 64 bits a word: so the loads are
// neighbours, 16 bytes each, and no carry passes from word to word. A workgroup has 96
// invocations, a multiple of the parts of an element, so an invocation's part is the
// same in every round. The first invocation joins the words and reduces.
//
// The one loop is bounded by who dispatches: 8,192 rounds at most. Sums of up to 2^32
// words fit the 64 bits.
//
// variant: fp_sum_u32 = FIELD_FP MUL_U32
// variant: fr_sum_u32 = FIELD_FR MUL_U32

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

#define GROUP_SIZE 96u

layout(local_size_x = 96) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint parts;
    uint groups;
    uint start_in;
    uint start_out;
} job;

// The sums of 4 words: low and high half of each.
shared uvec4 lows[GROUP_SIZE];
shared uvec4 highs[GROUP_SIZE];

void gather(uint lane, uint other, inout uvec4 low, inout uvec4 high) {
    uvec4 carry;
    low = uaddCarry(low, lows[other], carry);
    high += highs[other] + carry;
}

// Adds the sums of the lane HALF further on: of the same part, as HALF is a multiple of
// the parts.
#define JOIN(HALF) \
    barrier(); \
    if (lane < HALF) { \
        gather(lane, lane + HALF, low, high); \
        lows[lane] = low; \
        highs[lane] = high; \
    }

// One word of the joined sum: its own low half, and what came from the word below.
uint joined_word(uint low, uint high, inout uint below_high, inout uint carry) {
    uint word = word_add(low, below_high, carry);
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

// The sum of all parts, modulo p. It is below 2^32 R + R: `rest` R + `sum`.
Elem reduced() {
    uint below_high = 0u;
    uint carry = 0u;
    Elem sum;
    sum.p0 = joined_part(lows[0], highs[0], below_high, carry);
    sum.p1 = joined_part(lows[1], highs[1], below_high, carry);
#ifdef FIELD_FP
    sum.p2 = joined_part(lows[2], highs[2], below_high, carry);
#endif
    // What the highest word's high half holds. It has room for the carry: of 2^31
    // elements at most the sum is below 2^31 p.
    uint rest = below_high + carry;
    Elem high = f_zero();
    high.p0.x = rest;
    // rest R = rest * R^2 / R, and sum = (sum * R^2 / R) / R. The product takes a first
    // factor that is not below p, as long as the second is.
    Elem low = f_from_mont(f_mul(sum, ELEM_OF(RR32)));
    return f_add(f_mul(high, ELEM_OF(RR32)), low);
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint stride = job.groups * GROUP_SIZE;
    uvec4 low = uvec4(0u);
    uvec4 high = uvec4(0u);
    for (uint part = gl_GlobalInvocationID.x; part < job.parts; part += stride) {
        uvec4 carry;
        low = uaddCarry(low, in_parts[job.start_in + part], carry);
        high += carry;
    }
    lows[lane] = low;
    highs[lane] = high;
    JOIN(48u)
    JOIN(24u)
    JOIN(12u)
    JOIN(6u)
#ifdef FIELD_FP
    JOIN(3u)
    barrier();
#else
    // Three lanes of each of the two parts are left.
    barrier();
    if (lane < 2u) {
        gather(lane, lane + 2u, low, high);
        gather(lane, lane + 4u, low, high);
        lows[lane] = low;
        highs[lane] = high;
    }
    barrier();
#endif
    if (lane == 0u) {
        Elem sum = reduced();
        uint at = job.start_out + gl_WorkGroupID.x * FIELD_PARTS;
        WRITE_ELEMENT(out_parts, at, sum)
    }
}
