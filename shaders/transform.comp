// One pass of a transform (NTT) over rows of 2^log_n elements: `levels` of its levels.
//
// A transform of n elements in natural order leaves its results in bit-reversed order, level
// by level: level k cuts each of 2^k blocks in half, and makes a, b of two elements at the
// same place of both halves a + b w and a - b w. A pass does some levels at once in shared
// memory. The `before` levels before it left 2^before blocks. A block is a matrix of 2^levels
// rows and 2^columns columns; a workgroup takes 2^log_c columns of it, or in the last pass,
// where a block is one column, as many blocks.
//
// In a pass all blocks are transformed by the same factors w, powers of a root of unity in
// bit-reversed order. What tells blocks apart is a factor for each element, by which the
// pass before has multiplied it: of its row there and its row here (first table), and of its
// row here and its block there (second table). Shifts of cosets and 1 / n are in these.
//
// docs/kernels.md has a picture. The loops are bounded by who dispatches: 9 levels at most,
// and 4 factors.
//
// variant: fr_transform_u32 = FIELD_FR MUL_U32
// variant: fr_transform_u64 = FIELD_FR MUL_U64
// variant: fr_transform_f64 = FIELD_FR MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require

#include "vectors.glsl"

#define TILE 512u

layout(local_size_x = 256) in;

// The output may be the input's memory: without the decoration `Aliased` (20) a driver may
// assume that it is not.
#define ALIASED spirv_decorate(20)

ALIASED layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 x_parts[]; };
ALIASED layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint start_x;
    uint start_out;
    uint log_n;
    uint before;
    uint levels;
    uint log_c;
    // Rows of the vector, or in the last pass rows times blocks of each.
    uint blocks;
    uint flags;
    // Levels of the next pass.
    uint next;
    // Where tables begin: for rows on the way in, first and second on the way out; 0: none.
    uint table_in;
    uint table_out;
    uint table_block;
    // The number of this dispatch's first workgroup.
    uint first_group;
} job;

#define LAST 1u
#define FROM_REVERSED 2u
#define TO_NATURAL 4u

#ifdef MUL_F64
#include "transform_f64.glsl"
#else
#include "transform_words.glsl"
#endif

// Neighbouring invocations use neighbouring banks of shared memory at every level.
uint bank(uint i) {
    uint above = i >> 3u;
    return i ^ (above & 7u) ^ ((above & 2u) << 1u);
}

uint reversed(uint x, uint bits) { return bits == 0u ? 0u : bitfieldReverse(x) >> (32u - bits); }

// Of this workgroup's first column: its block, counted through all rows, and its number there.
uint block, first_column;
uint columns;

bool is(uint flag) { return (job.flags & flag) != 0u; }

uint in_row(uint block_of_all) { return block_of_all & ((1u << job.before) - 1u); }

// The elements before the row of a block, of all rows.
uint row_start(uint block_of_all) { return block_of_all >> job.before << job.log_n; }

Value load(uint row, uint column) {
    uint of, place;
    if (is(LAST)) {
        // A block that is not there is another one, computed for nothing.
        of = min(first_column + column, job.blocks - 1u);
        uint inside = in_row(of);
        // Blocks side by side in the output are not side by side here.
        place = ((is(TO_NATURAL) ? reversed(inside, job.before) : inside) << job.levels) + row;
    } else {
        of = block;
        place = (((in_row(of) << job.levels) + row) << columns) + first_column + column;
    }
    if (is(FROM_REVERSED)) {
        place = reversed(place, job.log_n);
    }
    uint at = job.start_x + (row_start(of) + place) * FIELD_PARTS;
    return value_of(READ_ELEMENT(x_parts, at));
}

void store(uint row, uint column, Value x) {
    Elem e;
    uint place;
    if (is(LAST)) {
        uint of = first_column + column;
        if (of >= job.blocks) {
            return;
        }
        uint inside = in_row(of);
        place = is(TO_NATURAL) ? (reversed(row, job.levels) << job.before) + inside
                               : (inside << job.levels) + row;
        place += row_start(of);
        e = value_reduced(x);
    } else {
        place = (((block << job.levels) + row) << columns) + first_column + column;
        e = value_words(x);
    }
    uint at = job.start_out + place * FIELD_PARTS;
    WRITE_ELEMENT(out_parts, at, e)
}

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint group = job.first_group + gl_WorkGroupID.x;
    columns = job.log_n - job.before - job.levels;
    if (is(LAST)) {
        first_column = group << job.log_c;
    } else {
        uint groups = columns - job.log_c;
        block = group >> groups;
        first_column = (group & ((1u << groups) - 1u)) << job.log_c;
    }
    bool is_active = lane < 1u << (job.levels + job.log_c) >> 1;
    uint column = lane & ((1u << job.log_c) - 1u);
    uint pair = lane >> job.log_c;
    Value a, b;

    [[dont_unroll]] for (uint level = 0u; level < job.levels; level += 1u) {
        // Rows from a to b, as a power of two, and the number of their part of the block.
        uint below = job.levels - 1u - level;
        uint part = pair >> below;
        uint row = (part << (below + 1u)) + (pair & ((1u << below) - 1u));
        uint at_a = (row << job.log_c) + column;
        uint at_b = at_a + (1u << (below + job.log_c));
        if (level > 0u) {
            barrier();
        }
        if (is_active) {
            if (level == 0u) {
                a = load(row, column);
                b = load(row + (1u << below), column);
                // b and then a.
                if (job.table_in != 0u) {
                    [[dont_unroll]] for (uint i = 0u; i < 2u; i += 1u) {
                        uint of = row + ((1u - i) << below);
                        Value product = value_mul(b, factor(job.table_in + of));
                        b = a;
                        a = product;
                    }
                }
            } else {
                a = fetch(bank(at_a));
                b = fetch(bank(at_b));
            }
            // The factor of the first part is one.
            if (part != 0u) {
                b = value_mul(b, factor(part));
            }
            Value sum = value_add(a, b);
            b = value_sub(a, b);
            a = sum;
            if (below > 0u) {
                put(bank(at_a), a);
                put(bank(at_b), b);
            }
        }
    }
    if (!is_active) {
        return;
    }
    uint row = 2u * pair;
    if (job.table_out != 0u) {
        // a and b by the first table, and again by the second.
        uint next_row = is(LAST) ? 0u : (first_column + column) >> (columns - job.next);
        uint first = job.table_out + (next_row << job.levels) + row;
        uint second = job.table_block + (next_row << job.before) + in_row(block);
        uint factors = job.table_block == 0u ? 2u : 4u;
        [[dont_unroll]] for (uint i = 0u; i < factors; i += 1u) {
            Value product = value_mul(a, factor(i < 2u ? first + i : second));
            a = b;
            b = product;
        }
    }
    store(row, column, a);
    store(row + 1u, column, b);
}
