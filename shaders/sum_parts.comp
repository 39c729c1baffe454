// The way down to few numbers of a sum: word by word, without arithmetic in the field.
//
// Each invocation adds up one 16-byte part of every so many elements into 64 bits a
// word: so the loads are neighbours, 16 bytes each, and no carry passes from word to
// word. A workgroup has 96 invocations, a multiple of the parts of an element of any
// field, so an invocation's part is the same in every round. A workgroup leaves the sums
// of an element's words, of each part the low halves and then the high ones;
// `sum_finish` makes an element of those.
//
// The loops are bounded by who dispatches: 8,192 rounds at most. Sums of up to 2^32
// words fit the 64 bits.
//
// variant: fp_sum_parts = FIELD_PARTS=3u HALVES_OF_PARTS=6u
// variant: fr_sum_parts = FIELD_PARTS=2u HALVES_OF_PARTS=4u
// variant: fp2_sum_parts = FIELD_PARTS=6u HALVES_OF_PARTS=12u

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 96u

layout(local_size_x = 96) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_halves[]; };

layout(push_constant) uniform Job {
    uint parts;
    uint groups;
    uint start_in;
    uint start_out;
} job;

// The sums of 4 words: low and high half of each.
shared uvec4 lows[GROUP_SIZE];
shared uvec4 highs[GROUP_SIZE];

void add(uvec4 other_low, uvec4 other_high, inout uvec4 low, inout uvec4 high) {
    uvec4 carry;
    low = uaddCarry(low, other_low, carry);
    high += other_high + carry;
}

void add_part(uint part, inout uvec4 low, inout uvec4 high) {
    add(in_parts[job.start_in + part], uvec4(0u), low, high);
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint stride = job.groups * GROUP_SIZE;
    uint part = gl_GlobalInvocationID.x;
    uvec4 low = uvec4(0u);
    uvec4 high = uvec4(0u);
    // Four at a time, to have that many on their way from memory.
    while (part < job.parts && job.parts - part > 3u * stride) {
        uvec4 first = in_parts[job.start_in + part];
        uvec4 second = in_parts[job.start_in + part + stride];
        uvec4 third = in_parts[job.start_in + part + 2u * stride];
        uvec4 fourth = in_parts[job.start_in + part + 3u * stride];
        add(first, uvec4(0u), low, high);
        add(second, uvec4(0u), low, high);
        add(third, uvec4(0u), low, high);
        add(fourth, uvec4(0u), low, high);
        part += 4u * stride;
    }
    for (; part < job.parts; part += stride) {
        add_part(part, low, high);
    }
    // Lanes join those further on of the same part, down to six: as many as an element's
    // parts, or two or three times as many.
    for (uint step = 48u; step >= 6u; step /= 2u) {
        lows[lane] = low;
        highs[lane] = high;
        barrier();
        if (lane < step) {
            add(lows[lane + step], highs[lane + step], low, high);
        }
        barrier();
    }
    lows[lane] = low;
    highs[lane] = high;
    barrier();
    if (lane < FIELD_PARTS) {
        for (uint other = lane + FIELD_PARTS; other < 6u; other += FIELD_PARTS) {
            add(lows[other], highs[other], low, high);
        }
        uint at = job.start_out + gl_WorkGroupID.x * HALVES_OF_PARTS + 2u * lane;
        out_halves[at] = low;
        out_halves[at + 1u] = high;
    }
}
