// A vector in bit-reversed order: element i of the output is element rev(i) of the
// input, the bits of i from the last to the first.
//
// A workgroup moves a tile: of an element's number it takes all values of the upper 4
// bits and of the lower 4, for one of the bits between. Their elements lie in 16 rows of
// 16 neighbours, in the input and in the output, so that memory sees no single elements;
// the bits change places in shared memory. Vectors below 256 elements are moved one by
// one.
//
// variant: fp_bit_reverse = FIELD_PARTS=3u
// variant: fr_bit_reverse = FIELD_PARTS=2u
// variant: fp2_bit_reverse = FIELD_PARTS=6u TILE_BITS=3u

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 128u
#ifndef TILE_BITS
#define TILE_BITS 4u
#endif
#define TILE (1u << TILE_BITS)
#define ROW_PARTS (TILE * FIELD_PARTS)
// One part more than a row has: what is read together then lies in different banks.
#define ROW_STRIDE (ROW_PARTS + 1u)

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // log2 of the elements.
    uint bits;
    uint start_in;
    uint start_out;
} job;

shared uvec4 tile[TILE * ROW_STRIDE];

uint reversed(uint number, uint bits) {
    // A shift by 32 is not defined.
    return bits == 0u ? 0u : bitfieldReverse(number) >> (32u - bits);
}

void move_one_by_one() {
    uint part = gl_GlobalInvocationID.x;
    uint element = part / FIELD_PARTS;
    if (element >> job.bits != 0u) {
        return;
    }
    uint inside = part - element * FIELD_PARTS;
    uint from = reversed(element, job.bits) * FIELD_PARTS + inside;
    out_parts[job.start_out + part] = in_parts[job.start_in + from];
}

// Where a row of a tile begins in a vector, in parts.
uint row_start(uint row, uint between) {
    return ((row << (job.bits - TILE_BITS)) + (between << TILE_BITS)) * FIELD_PARTS;
}

void move_tile() {
    uint between = gl_WorkGroupID.x;
    for (uint part = gl_LocalInvocationID.x; part < TILE * ROW_PARTS; part += GROUP_SIZE) {
        uint row = part / ROW_PARTS;
        uint inside = part - row * ROW_PARTS;
        uint from = job.start_in + row_start(row, between) + inside;
        tile[row * ROW_STRIDE + inside] = in_parts[from];
    }
    barrier();
    uint reversed_between = reversed(between, job.bits - 2u * TILE_BITS);
    for (uint part = gl_LocalInvocationID.x; part < TILE * ROW_PARTS; part += GROUP_SIZE) {
        uint row = part / ROW_PARTS;
        uint inside = part - row * ROW_PARTS;
        uint column = inside / FIELD_PARTS;
        uint of_element = inside - column * FIELD_PARTS;
        uint from = reversed(column, TILE_BITS) * ROW_STRIDE
            + reversed(row, TILE_BITS) * FIELD_PARTS + of_element;
        out_parts[job.start_out + row_start(row, reversed_between) + inside] = tile[from];
    }
}

void main() {
    if (job.bits < 2u * TILE_BITS) {
        move_one_by_one();
    } else {
        move_tile();
    }
}
