// Products of points by integers: each its own, or one for all.
//
// By BITS an invocation doubles and adds from the integer's highest bit on. Else integers are two
// of 128 bits, for a point and for its image by the curve's endomorphism (fr_split_scalars of
// msm_sort.comp), in windows of 4 bits: each a digit from -8 to 7, to which 8 was added. The
// invocation makes 8 multiples of both, then for each window doubles 4 times and adds twice.
//
// Loops: by BITS two rounds for each bit, 128 at most by who dispatches; else 14, and 6 for each
// of 32 windows; of 15 steps each at most.
//
// variant: fp_multiply_points_u32 = FIELD_FP MUL_U32
// variant: fp_multiply_points_u64 = FIELD_FP MUL_U64
// variant: fp_multiply_points_f64 = FIELD_FP MUL_F64
// variant: fp2_multiply_points_u32 = FIELD_FP2 MUL_U32
// variant: fp2_multiply_points_u64 = FIELD_FP2 MUL_U64
// variant: fp2_multiply_points_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer Points { uvec4 point_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Integers { uvec4 integer_parts[]; };
// The x of the points' images.
layout(set = 0, binding = 2, std430) readonly buffer Images { uvec4 image_parts[]; };
layout(set = 0, binding = 3, std430) writeonly buffer Products { uvec4 product_parts[]; };
// Of each point MULTIPLES, and as many of its image.
layout(set = 0, binding = 4, std430) buffer Multiples { uvec4 multiple_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint start_points;
    uint start_integers;
    uint start_products;
    // From one integer to the next: 0 where there is one for all.
    uint integer_stride;
    // Of the longest; 0 for integers of two halves.
    uint bits;
} job;

#define WINDOWS 32u
#define MULTIPLES 8u
// Rounds that make them, of a point and its image: each adds the point once more.
#define MAKING (2u * (MULTIPLES - 1u))

// `bits` bits of an integer, the lowest of which is at `place`.
uint bits_of(uint integer, uint place, uint bits) {
    uint word = integer_parts[integer + place / 128u][place / 32u % 4u];
    return word >> place % 32u & (1u << bits) - 1u;
}

void main() {
    uint number = gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    uint at = job.start_points + number * AFFINE_PARTS;
    uint integer = job.start_integers + number * job.integer_stride;
    // Of the point, then of its image.
    uint multiples = number * 2u * MULTIPLES;
    bool by_bits = job.bits != 0u;
    uint making = by_bits ? 0u : MAKING;
    uint windows = by_bits ? job.bits : WINDOWS;
    uint doublings = by_bits ? 1u : 4u;
    uint of_window = by_bits ? 2u : 6u;
    Elem x = READ_ELEMENT(point_parts, at);
    Elem y = READ_ELEMENT(point_parts, at + FIELD_PARTS);
    uint rounds = f_is_zero(x) && f_is_zero(y) ? 0u : making + windows * of_window;
    set_infinity(SUM);
    // A round is a doubling or an addition, so that the code of a sum is there once.
    [[dont_unroll]]
    for (uint round = 0u; round < rounds; ++round) {
        bool makes = round < making;
        // What is left of the window: doublings, and an addition for the point and its image.
        uint window = (round - making) / of_window;
        uint step = round - making - window * of_window;
        window = windows - 1u - window;
        uint half_of = makes ? round / (MULTIPLES - 1u) : by_bits ? 0u : step - doublings;
        if (round == making) {
            set_infinity(SUM);
        }
        uint first = ANY;
        if (!makes && step < doublings) {
            first = DOUBLE;
        } else if (makes || by_bits) {
            if (by_bits && bits_of(integer, window, 1u) == 0u) {
                continue;
            }
            first = AFFINE;
            x = READ_ELEMENT(point_parts, at);
            if (half_of == 1u) {
                x = READ_ELEMENT(image_parts, number * FIELD_PARTS);
            }
            y = READ_ELEMENT(point_parts, at + FIELD_PARTS);
            set_affine(OTHER, x, y, false);
        } else {
            int digit = int(bits_of(integer, 128u * half_of + 4u * window, 4u)) - 8;
            if (digit == 0) {
                continue;
            }
            uint multiple = multiples + half_of * MULTIPLES + uint(abs(digit)) - 1u;
            LOAD_POINT(OTHER, multiple_parts, multiple * XYZZ_PARTS)
            slot[Y2] = coordinate_negated(digit < 0, slot[Y2]);
        }
        if (makes && round == half_of * (MULTIPLES - 1u)) {
            // The first multiple.
            set_affine(SUM, x, y, false);
            STORE_SUM(multiple_parts, (multiples + half_of * MULTIPLES) * XYZZ_PARTS)
        }
        add(first);
        if (makes) {
            STORE_SUM(multiple_parts, (multiples + round + 1u + half_of) * XYZZ_PARTS)
        }
    }
    STORE_SUM(product_parts, job.start_products + number * XYZZ_PARTS)
}
