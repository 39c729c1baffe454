// Square roots, of two the one that a sign names: y of points of which x is known. What comes
// of an element that is no square means nothing.
//
// p is 3 modulo 4, so that in a prime field a^((p+1)/4) is a root of a. In Fp2, with
// s = a^((p-3)/4), it is a s (1 + a s^2)^((p-1)/2), and u a s where a s^2 is -1 (Adj and
// Rodriguez-Henriquez, https://eprint.iacr.org/2012/685, algorithm 9).
//
// Loops: two rounds for each bit of an exponent and two more, 762 at most, once or in Fp2
// twice.
//
// variant: fp_roots_u32 = FIELD_FP MUL_U32
// variant: fp_roots_u64 = FIELD_FP MUL_U64
// variant: fp_roots_f64 = FIELD_FP MUL_F64
// variant: fp2_roots_u32 = FIELD_FP2 MUL_U32
// variant: fp2_roots_u64 = FIELD_FP2 MUL_U64
// variant: fp2_roots_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "vectors.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer Squares { uvec4 square_parts[]; };
// Four in a part: 1 for the larger root, 0 for the other, 2 for zero in the place of either.
layout(set = 0, binding = 1, std430) readonly buffer Signs { uvec4 sign_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Roots { uvec4 root_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint start_squares;
    // In parts, and the first sign there.
    uint start_signs;
    uint first_sign;
    uint start_roots;
} job;

#define BITS 381u

#ifdef FIELD_FP2
#define POWERS 2u
#else
#define POWERS 1u
#endif

// All products are one in the code: each is a round of a loop.
Elem root_of(Elem square) {
    const uint modulus[12] = WORDS_OF_MODULUS;
    Elem root = square;
    Elem base = square;
    [[dont_unroll]]
    for (uint number = 0u; number < POWERS; ++number) {
        // (p - 3) / 4 and (p - 1) / 2 are p without its lowest bits.
        uint lowest = number == 0u ? 2u : 1u;
        uint rounds = 2u * (BITS - lowest);
        Elem power = f_one();
        [[dont_unroll]]
        for (uint round = 0u; round < rounds + POWERS; ++round) {
            bool squares = round % 2u == 0u;
            bool of_power = round < rounds;
            uint bit = BITS - 1u - min(round, rounds - 1u) / 2u;
            if (of_power && !squares && (modulus[bit / 32u] >> bit % 32u & 1u) == 0u) {
                continue;
            }
            Elem product = f_mul(power, select(of_power, select(squares, power, base), root));
            if (of_power) {
                power = product;
            } else if (round == rounds) {
                root = product;
            } else {
                base = f_add(f_one(), product);
            }
        }
#ifdef FIELD_FP2
        if (number == 0u && f_is_zero(base)) {
            return Elem(base_neg(root.c1), root.c0);
        }
#endif
    }
    return root;
}

// Whether an integer below p is above (p - 1) / 2: whether p less it is smaller.
#define IS_ABOVE_HALF(integer) { \
    bool negative; \
    integer_sub(integer_sub(MODULUS, integer, negative), integer, negative); \
    is_larger = negative; }

// Whether it is larger than its opposite; in Fp2 by c1, and where that is 0 by c0.
bool is_larger_root(Elem root) {
    bool is_larger;
    Elem integer = f_from_mont(root);
#ifdef FIELD_FP2
    if (base_is_zero(integer.c1)) {
        integer.c1 = integer.c0;
    }
    IS_ABOVE_HALF(integer.c1)
#else
    IS_ABOVE_HALF(integer)
#endif
    return is_larger;
}

void main() {
    uint number = gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    uint sign = job.first_sign + number;
    sign = sign_parts[job.start_signs + sign / 4u][sign % 4u];
    Elem root = f_zero();
    if (sign != 2u) {
        root = root_of(READ_ELEMENT(square_parts, job.start_squares + number * FIELD_PARTS));
        root = select(is_larger_root(root) == (sign == 1u), root, f_neg(root));
    }
    WRITE_ELEMENT(root_parts, job.start_roots + number * FIELD_PARTS, root)
}
