// The entries of a multi-scalar multiplication, sorted by bucket.
//
// A scalar is cut into digits of `bits` bits, a window each, from -2^(bits - 1) to
// 2^(bits - 1): a larger one becomes itself less 2^bits, and the next one more. A scalar
// above r / 2 is first replaced by r less it, and the point by its opposite, so that 255 bits
// of windows are enough. A digit other than zero puts its point, or the opposite of it,
// into the bucket of its size: bucket b of a column is for digits of b + 1. A column is a window of one sum.
//
// COUNT counts the entries of each bucket. After msm_offsets.comp has made of the counts
// where each bucket starts, SCATTER writes the entries, and leaves where each bucket
// ends. Entries of a bucket come in any order: sums do not depend on it.
//
// The loop is bounded by who dispatches: 256 windows at most.
//
// variant: fr_msm_count = FIELD_FR MUL_U32 COUNT
// variant: fr_msm_scatter = FIELD_FR MUL_U32

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Scalars { uvec4 x_parts[]; };
layout(set = 0, binding = 1, std430) buffer Buckets { uint buckets[]; };
#ifndef COUNT
layout(set = 0, binding = 2, std430) writeonly buffer Entries { uint entries[]; };
#endif

layout(push_constant) uniform Job {
    // Scalars of this dispatch, the first of them, and where it is.
    uint count;
    uint first;
    uint start_x;
    // Scalars of one sum.
    uint terms;
    uint windows;
    uint bits;
    // 1 for scalars in Montgomery form.
    uint montgomery;
} job;

#define SHIFT_WORD(k) word[k] = word[k] >> job.bits | word[(k) + 1] << (32u - job.bits);

void main() {
    uint scalar = gl_GlobalInvocationID.x;
    if (scalar >= job.count) {
        return;
    }
    uint at = job.start_x + scalar * FIELD_PARTS;
    Elem x = READ_ELEMENT(x_parts, at);
    if (job.montgomery == 1u) {
        x = f_from_mont(x);
    }
    bool ignored, opposite;
    Elem other = integer_sub(MODULUS, x, ignored);
    integer_sub(other, x, opposite);
    x = select(opposite, other, x);

    uint sum = (job.first + scalar) / job.terms;
    uint term = job.first + scalar - sum * job.terms;
    uint word[8] = WORDS_OF(x);
    uint half_of = 1u << (job.bits - 1u);
    uint carry = 0u;
    for (uint window = 0u; window < job.windows; ++window) {
        uint digit = (word[0] & (2u * half_of - 1u)) + carry;
        SHIFT_WORD(0) SHIFT_WORD(1) SHIFT_WORD(2) SHIFT_WORD(3)
        SHIFT_WORD(4) SHIFT_WORD(5) SHIFT_WORD(6)
        word[7] >>= job.bits;
        bool negative = digit > half_of;
        carry = negative ? 1u : 0u;
        uint size = negative ? 2u * half_of - digit : digit;
        if (size != 0u) {
            uint column = sum * job.windows + window;
            uint place = atomicAdd(buckets[column * half_of + size - 1u], 1u);
#ifndef COUNT
            uint sign = negative != opposite ? 0x80000000u : 0u;
            entries[column * job.terms + place] = term | sign;
#endif
        }
    }
}
