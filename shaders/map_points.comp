// Sums of points times scalars that are known beforehand: rows of inputs to rows of outputs,
// each output of the same inputs of its row, times the same scalars.
//
// Of each input there are multiples, 1 to `multiples` times it: those from `known` on by
// additions to the last of the known ones (MULTIPLES). Scalars are cut into signed digits, a
// window each: an entry is a multiple of an input that a window of an output takes. SUMS adds
// the entries of each window; msm_join.comp joins the windows.
//
// Sums are X, Y, ZZ and ZZZ, of an output of a row `windows` of them, one after the other;
// multiples are too, or affine with OF_AFFINE. Neighbouring invocations have the same output in
// other rows, so that they go the same way.
//
// Loops: the entries of a window, 512 at most, and for each the products of an addition, 15
// at most.
//
// variant: fp_map_points_multiples_u32 = FIELD_FP MUL_U32 MULTIPLES
// variant: fp_map_points_multiples_u64 = FIELD_FP MUL_U64 MULTIPLES
// variant: fp_map_points_multiples_f64 = FIELD_FP MUL_F64 MULTIPLES
// variant: fp2_map_points_multiples_u32 = FIELD_FP2 MUL_U32 MULTIPLES
// variant: fp2_map_points_multiples_u64 = FIELD_FP2 MUL_U64 MULTIPLES
// variant: fp2_map_points_multiples_f64 = FIELD_FP2 MUL_F64 MULTIPLES
// variant: fp_map_points_sums_u32 = FIELD_FP MUL_U32 SUMS
// variant: fp_map_points_sums_u64 = FIELD_FP MUL_U64 SUMS
// variant: fp_map_points_sums_f64 = FIELD_FP MUL_F64 SUMS
// variant: fp2_map_points_sums_u32 = FIELD_FP2 MUL_U32 SUMS
// variant: fp2_map_points_sums_u64 = FIELD_FP2 MUL_U64 SUMS
// variant: fp2_map_points_sums_f64 = FIELD_FP2 MUL_F64 SUMS
// variant: fp_map_points_sums_of_affine_u32 = FIELD_FP MUL_U32 SUMS OF_AFFINE
// variant: fp_map_points_sums_of_affine_u64 = FIELD_FP MUL_U64 SUMS OF_AFFINE
// variant: fp_map_points_sums_of_affine_f64 = FIELD_FP MUL_F64 SUMS OF_AFFINE
// variant: fp2_map_points_sums_of_affine_u32 = FIELD_FP2 MUL_U32 SUMS OF_AFFINE
// variant: fp2_map_points_sums_of_affine_u64 = FIELD_FP2 MUL_U64 SUMS OF_AFFINE
// variant: fp2_map_points_sums_of_affine_f64 = FIELD_FP2 MUL_F64 SUMS OF_AFFINE

#version 460
#extension GL_GOOGLE_include_directive : require

#include "curve.glsl"

layout(local_size_x = 32) in;

#ifdef MULTIPLES

layout(set = 0, binding = 0, std430) readonly buffer Points { uvec4 point_parts[]; };
layout(set = 0, binding = 1, std430) buffer Multiples { uvec4 multiple_parts[]; };

layout(push_constant) uniform Job {
    // Invocations of all dispatches, and the first of this one.
    uint count;
    uint first;
    uint start_points;
    // Multiples of a point, and how many of them are known; where there are none, the points
    // become the first ones.
    uint multiples;
    uint known;
    // 1 where points are affine.
    uint affine;
    // log2 of the length of rows whose points come in bit-reversed order; else 0.
    uint reversed;
    uint start_multiples;
} job;

void main() {
    uint number = job.first + gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    if (job.known == 0u) {
        uint from = number;
        if (job.reversed != 0u) {
            uint row = number >> job.reversed << job.reversed;
            from = row + (bitfieldReverse(number - row) >> 32u - job.reversed);
        }
        uint at = job.start_points + from * (job.affine == 1u ? AFFINE_PARTS : XYZZ_PARTS);
        uint to = job.start_multiples + number * job.multiples * XYZZ_PARTS;
        Elem z = f_one();
        if (job.affine == 1u) {
            Elem x = READ_ELEMENT(point_parts, at);
            Elem y = READ_ELEMENT(point_parts, at + FIELD_PARTS);
            z = select(f_is_zero(x) && f_is_zero(y), f_zero(), z);
        }
        for (uint i = 0u; i < 4u; ++i) {
            Elem coordinate = z;
            if (i < 2u || job.affine == 0u) {
                coordinate = READ_ELEMENT(point_parts, at + i * FIELD_PARTS);
            }
            WRITE_ELEMENT(multiple_parts, to + i * FIELD_PARTS, coordinate)
        }
        return;
    }
    uint point = number / job.known;
    uint i = number - point * job.known;
    uint at = job.start_multiples + point * job.multiples * XYZZ_PARTS;
    LOAD_POINT(SUM, multiple_parts, at + (job.known - 1u) * XYZZ_PARTS)
    LOAD_POINT(OTHER, multiple_parts, at + i * XYZZ_PARTS)
    add(ANY);
    STORE_SUM(multiple_parts, at + (job.known + i) * XYZZ_PARTS)
}

#endif
#ifdef SUMS

layout(set = 0, binding = 0, std430) readonly buffer Multiples { uvec4 multiple_parts[]; };
// Where the entries of each window of each output begin, and in the end where they end; the
// entries.
layout(set = 0, binding = 1, std430) readonly buffer Entries { uint words[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Sums { uvec4 sum_parts[]; };

// An entry: an input, one less than its multiple, and signs. Those of the images of points, with
// x times a cube root of unity, come first in a window. Inputs beyond `inputs` are those of the
// row in a second source, whose multiples lie behind those of all rows of the first.
#define INPUT 0xffffffu
#define MULTIPLE(entry) ((entry) >> 24 & 0x3fu)
#define IMAGE 0x40000000u
#define OPPOSITE 0x80000000u

layout(push_constant) uniform Job {
    // A cube root of unity, by which x is multiplied.
    uvec4 root[3];
    // Invocations of all dispatches, and the first of this one.
    uint count;
    uint first;
    uint rows;
    uint inputs;
    uint multiples;
    // Windows of the outputs of this dispatch, and the first of them of all that have words.
    uint windows;
    uint first_window;
    uint start_words;
    uint start_entries;
    uint start_sums;
} job;

void main() {
    uint number = job.first + gl_GlobalInvocationID.x;
    if (number >= job.count) {
        return;
    }
    uint window = number / job.rows;
    uint row = number - window * job.rows;
    uint starts = job.start_words + job.first_window + window;
    uint entry_at = words[starts];
    uint end = words[starts + 1u];
    set_infinity(SUM);
    bool of_images = true;
    [[dont_unroll]]
    for (;; ++entry_at) {
        bool is_over = entry_at == end;
        uint entry = is_over ? 0u : words[job.start_entries + entry_at];
        if (of_images && (entry & IMAGE) == 0u) {
            of_images = false;
            Elem x = coordinate_words(slot[X1]);
            slot[X1] = coordinate_of(TIMES_BASE(x, job.root));
        }
        if (is_over) {
            break;
        }
        uint source = (entry & INPUT) / job.inputs;
        uint point = (entry & INPUT) - source * job.inputs;
        point = ((source * job.rows + row) * job.inputs + point) * job.multiples + MULTIPLE(entry);
        bool is_opposite = (entry & OPPOSITE) != 0u;
#ifdef OF_AFFINE
        uint at = point * AFFINE_PARTS;
        Elem x = READ_ELEMENT(multiple_parts, at);
        Elem y = READ_ELEMENT(multiple_parts, at + FIELD_PARTS);
        if (!f_is_zero(x) || !f_is_zero(y)) {
            set_affine(OTHER, x, y, is_opposite);
            add(AFFINE);
        }
#else
        uint at = point * XYZZ_PARTS;
        LOAD_POINT(OTHER, multiple_parts, at)
        slot[Y2] = coordinate_negated(is_opposite, slot[Y2]);
        add(ANY);
#endif
    }
    uint at = job.start_sums + (row * job.windows + window) * XYZZ_PARTS;
    STORE_SUM(sum_parts, at)
}

#endif
