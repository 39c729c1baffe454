// The entries of a multi-scalar multiplication, sorted by bucket.
//
// A scalar above r / 2 is first replaced by r less it, and the point by its opposite. With
// HALVES it is then cut in two: k = k0 + k1 m with |k0| and k1 at most m / 2, where m is
// near the root of r, and k1 goes with m times the point, of which the curve's endomorphism
// makes the opposite.
//
// What is left is cut into digits of `bits` bits, a window each, from -2^(bits - 1) to
// 2^(bits - 1): a larger one becomes itself less 2^bits, and the next one more. The first
// columns, `narrow` of them, are for digits of one bit less, so that windows have as many bits as
// scalars. A digit other than zero puts an entry into the bucket of its size: bucket b of a column
// is for digits of b + 1. A column is a window of one sum, or several, `columns` apart: with each of
// these goes the next of a point's multiples.
//
// COUNT counts the entries of each bucket. After msm_offsets.comp has made of the counts
// where each bucket starts, SCATTER writes the entries, and leaves where each bucket
// ends. Entries of a bucket come in any order: sums do not depend on it.
//
// SPLIT leaves the two halves of each scalar as they are to be multiplied, each and half of 2^4
// of every window of 4 bits: in such a window is 8 and a digit from -8 to 7.
//
// Scalars are elements of the field, or integers of so many bits, one after the other in whole
// bytes, which are taken modulo r.
//
// Loops: 8 words of an integer; the windows, 256 at most by who dispatches.
//
// variant: fr_msm_count = FIELD_FR MUL_U32 COUNT
// variant: fr_msm_scatter = FIELD_FR MUL_U32 SCATTER
// variant: fr_split_scalars = FIELD_FR MUL_U32 SPLIT

#version 460
#extension GL_GOOGLE_include_directive : require

#include "vectors.glsl"

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Scalars { uvec4 x_parts[]; };
#ifdef SPLIT
layout(set = 0, binding = 1, std430) writeonly buffer Halves { uvec4 half_parts[]; };
#else
layout(set = 0, binding = 1, std430) buffer Buckets { uint buckets[]; };
#endif
#ifdef SCATTER
// The number of a point among all multiples, and in the two highest bits ENDOMORPHISM and OPPOSITE.
layout(set = 0, binding = 2, std430) writeonly buffer Entries { uint entries[]; };
#define ENDOMORPHISM 0x40000000u
#define OPPOSITE 0x80000000u
#endif

layout(push_constant) uniform Job {
    // m, and 2^255 / m rounded down; zero where scalars are not cut in two.
    uvec4 m;
    uvec4 reciprocal;
    // Scalars of this dispatch, the first of them, and where it is: of integers in bytes.
    uint count;
    uint first;
    uint start_x;
    // Scalars of one sum.
    uint terms;
    uint windows;
    // Columns of a sum, multiples of a point, and entries that a column has room for.
    uint columns;
    uint multiples;
    uint entries_of_column;
    // Bits of a window, and the columns of a sum, its first, whose windows have one less.
    uint bits;
    uint narrow;
    // 1 for scalars in Montgomery form.
    uint montgomery;
    // Bits of integers, 256 at most; 0 for elements.
    uint integer_bits;
} job;

#ifdef SPLIT

// For windows of 4 bits; x is at most half of m.
uvec4 biased(Elem x, bool opposite) {
    Elem bias = Elem(uvec4(0x88888888u), uvec4(0u));
    bool ignored;
    return select(opposite, integer_sub(bias, x, ignored), integer_add(bias, x)).p0;
}

#else

// Puts an integer into buckets, below half of 2 to the bits of all windows.
void put(Elem integer, uint sum, uint term, bool opposite) {
    uint word[8] = WORDS_OF(integer);
    uint carry = 0u;
    uint first = sum * job.columns;
    uint column = first;
    for (uint window = 0u; window < job.windows; ++window) {
        uint bits = column - first < job.narrow ? job.bits - 1u : job.bits;
        uint half_of = 1u << (bits - 1u);
        uint digit = (word[0] & (2u * half_of - 1u)) + carry;
#define SHIFT_WORD(k) word[k] = word[k] >> bits | word[(k) + 1] << (32u - bits);
        SHIFT_WORD(0) SHIFT_WORD(1) SHIFT_WORD(2) SHIFT_WORD(3)
        SHIFT_WORD(4) SHIFT_WORD(5) SHIFT_WORD(6)
        word[7] >>= bits;
        bool negative = digit > half_of;
        carry = negative ? 1u : 0u;
        uint size = negative ? 2u * half_of - digit : digit;
        if (size != 0u) {
            uint place = atomicAdd(buckets[(column << (job.bits - 1u)) + size - 1u], 1u);
#ifdef SCATTER
            uint sign = negative != opposite ? OPPOSITE : 0u;
            entries[column * job.entries_of_column + place] = term | sign;
#endif
        }
        ++column;
        if (column == first + job.columns) {
            column = first;
            ++term;
        }
    }
}

#endif

// x * y of 128 bits each.
Elem multiply_halves(uvec4 x, uvec4 y) {
    uint p[8] = uint[](0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u);
    for (uint i = 0u; i < 4u; ++i) {
        uint above = 0u;
        for (uint j = 0u; j < 4u; ++j) {
            uint high, low, overflow;
            umulExtended(x[i], y[j], high, low);
            low = uaddCarry(low, above, overflow);
            above = high + overflow;
            p[i + j] = uaddCarry(p[i + j], low, overflow);
            above += overflow;
        }
        p[i + 4u] = above;
    }
    return ELEM_OF_ARRAY(p);
}

// A word of the binding.
uint read_word(uint at) {
    return x_parts[at / 4u][at & 3u];
}

Elem read_integer(uint scalar) {
    uint address = job.start_x + scalar * ((job.integer_bits + 7u) / 8u);
    uint shift = 8u * (address & 3u);
    uint word[8] = uint[](0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u);
    for (uint i = 0u; 32u * i < job.integer_bits; ++i) {
        uint bits = min(job.integer_bits - 32u * i, 32u);
        uint at = address / 4u + i;
        word[i] = read_word(at) >> shift;
        if (shift + bits > 32u) {
            word[i] |= read_word(at + 1u) << (32u - shift);
        }
        word[i] &= 0xffffffffu >> (32u - bits);
    }
    // 2^256 is less than three times the modulus.
    return reduce_once(reduce_once(ELEM_OF_ARRAY(word)));
}

Elem read_scalar(uint scalar) {
    if (job.integer_bits != 0u) {
        return read_integer(scalar);
    }
    uint at = job.start_x + scalar * FIELD_PARTS;
    Elem x = READ_ELEMENT(x_parts, at);
    return job.montgomery == 1u ? f_from_mont(x) : x;
}

void main() {
    uint scalar = gl_GlobalInvocationID.x;
    if (scalar >= job.count) {
        return;
    }
    Elem x = read_scalar(scalar);
    bool ignored, opposite;
    Elem other = integer_sub(MODULUS, x, ignored);
    integer_sub(other, x, opposite);
    x = select(opposite, other, x);
#ifndef SPLIT
    uint sum = (job.first + scalar) / job.terms;
    uint term = (job.first + scalar - sum * job.terms) * job.multiples;
    if (job.m.w == 0u) {
        put(x, sum, term, opposite);
        return;
    }
#endif
    // k1 is (x + m / 2) / m rounded down. By the reciprocal it comes out up to 2 too small,
    // since what is cut off each factor is less than 1.
    Elem m = Elem(job.m, uvec4(0u));
    Elem half_m = Elem(uvec4(job.m.x >> 1 | job.m.y << 31, job.m.y >> 1 | job.m.z << 31,
                             job.m.z >> 1 | job.m.w << 31, job.m.w >> 1), uvec4(0u));
    Elem rest = integer_add(x, half_m);
    uvec4 above_127 = uvec4(rest.p0.w >> 31 | rest.p1.x << 1, rest.p1.x >> 31 | rest.p1.y << 1,
                            rest.p1.y >> 31 | rest.p1.z << 1, rest.p1.z >> 31 | rest.p1.w << 1);
    Elem k1 = Elem(multiply_halves(above_127, job.reciprocal).p1, uvec4(0u));
    rest = integer_sub(rest, multiply_halves(k1.p0, job.m), ignored);
    for (uint correction = 0u; correction < 2u; ++correction) {
        bool less;
        Elem reduced = integer_sub(rest, m, less);
        rest = select(less, rest, reduced);
        k1 = select(less, k1, integer_add(k1, INTEGER_ONE));
    }
    bool negative;
    Elem k0 = integer_sub(rest, half_m, negative);
    Elem k0_negative = integer_sub(half_m, rest, ignored);
    k0 = select(negative, k0_negative, k0);
#ifdef SPLIT
    half_parts[2u * scalar] = biased(k0, opposite != negative);
    half_parts[2u * scalar + 1u] = biased(k1, !opposite);
#else
    put(k0, sum, term, opposite != negative);
#ifdef COUNT
    put(k1, sum, term, !opposite);
#else
    put(k1, sum, term | ENDOMORPHISM, !opposite);
#endif
#endif
}
