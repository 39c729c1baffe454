// One pass of a transform (NTT) over rows of 2^log_n elements: `levels` of its levels.
//
// A transform of n elements in natural order leaves its results in bit-reversed order, level
// by level: level k cuts each of 2^k blocks in half, and makes a, b of two elements at the
// same place of both halves a + b w and a - b w. A pass does some levels at once, with its
// elements in registers. The `before` levels before it left 2^before blocks. A block is a
// matrix of 2^levels rows and 2^columns columns; a workgroup takes 2^log_c columns of it, or
// in the last pass, where a block is one column, as many blocks.
//
// An invocation has a pair of elements all along. After a level it gives one of what it made
// to the invocation that has the other half of its next pair, and takes the other of that:
// through shared memory, or from register to register (SHUFFLE) where both are in a subgroup.
//
// In a pass all blocks are transformed by the same factors w, powers of a root of unity in
// bit-reversed order. What tells blocks apart is a factor for each element, by which the
// pass before has multiplied it: of its row there and its row here (first table), and of its
// row here and its block there (second table). Shifts of cosets and 1 / n are in these; only
// the first pass over a coset has factors w of its own, other ones at each level.
//
// docs/kernels.md has a picture. The loops are bounded by who dispatches: 9 levels at most,
// and 4 factors.
//
// variant: fr_transform_u32 = FIELD_FR MUL_U32
// variant: fr_transform_u64 = FIELD_FR MUL_U64
// variant: fr_transform_f64 = FIELD_FR MUL_F64
// variant: fr_transform_shuffle_u32 = FIELD_FR MUL_U32 SHUFFLE
// variant: fr_transform_shuffle_u64 = FIELD_FR MUL_U64 SHUFFLE
// variant: fr_transform_shuffle_f64 = FIELD_FR MUL_F64 SHUFFLE

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require
#ifdef SHUFFLE
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#endif

#include "vectors.glsl"

// As many as the pass that is dispatched has pairs in a workgroup: 256 at most.
layout(local_size_x = 256, local_size_x_id = 0) in;
#define GROUP_SIZE gl_WorkGroupSize.x

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
    // Where tables begin: of the levels of a coset, one after the other, first and second on
    // the way out, of the last pass as second one that of its own rows; 0: none.
    uint table_levels;
    uint table_out;
    uint table_block;
    // The number of this dispatch's first workgroup.
    uint first_group;
    // log2 of the columns that are side by side in what the pass reads, or the last pass
    // writes: fewer than there are where that is a part of the vector in memory of its own.
    uint part;
} job;

#define LAST 1u
#define FROM_REVERSED 2u
#define TO_NATURAL 4u

// Factors of the parts of a block, where a level has none of its own.
#define PARTS 256u

#ifdef MUL_F64
#include "transform_f64.glsl"
#else
#include "transform_words.glsl"
#endif

uint reversed(uint x, uint bits) { return bits == 0u ? 0u : bitfieldReverse(x) >> (32u - bits); }

// Of this workgroup's first column: its block, counted through all rows, and its number there.
uint block, first_column;
uint columns;

bool is(uint flag) { return (job.flags & flag) != 0u; }

// A column's number in its part.
uint in_part(uint column) { return column & ((1u << job.part) - 1u); }

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
        place = (((in_row(of) << job.levels) + row) << job.part) + in_part(first_column) + column;
    }
    if (is(FROM_REVERSED)) {
        place = reversed(place, job.levels + job.part);
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
        uint inside = in_part(in_row(of));
        place = is(TO_NATURAL) ? (reversed(row, job.levels) << job.part) + inside
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

// Neighbours in the order of lanes share a column's rows, or have neighbouring columns.
uint lane;

#ifdef SHUFFLE
bool is_full;

// The lane by its place in its subgroup. Where some subgroup is not full, places have gaps:
// lanes are then as without subgroups, and nothing is shuffled.
void find_lane() {
    is_full = gl_NumSubgroups * gl_SubgroupSize == GROUP_SIZE;
    lane = is_full ? gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID
                   : gl_LocalInvocationID.x;
}
#else
void find_lane() { lane = gl_LocalInvocationID.x; }
#endif

// What the invocation gives whose lane differs in the one bit of `mask`, for x. All call it.
// There is room for two levels, so that one barrier for each is enough: who writes where
// others read at the level before the last is past the barrier that they came to after it.
Value exchange(Value x, uint mask, uint level) {
#ifdef SHUFFLE
    if (is_full && mask < gl_SubgroupSize) {
        return shuffled(x, mask);
    }
#endif
    uint at = (level & 1u) * GROUP_SIZE + lane;
    put(at, x);
    barrier();
    return fetch(at ^ mask);
}

void main() {
    find_lane();
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
    // Those without a pair take part in exchanges, with the factors of the first.
    uint pair = is_active ? lane >> job.log_c : 0u;
    uint half_rows = 1u << job.levels >> 1;
    Value a, b;
    if (is_active) {
        a = load(pair, column);
        b = load(pair + half_rows, column);
    }

    [[dont_unroll]] for (uint level = 0u; level < job.levels; level += 1u) {
        // Rows from a to b, as a power of two. The number of their part of the block is
        // the upper bits of `pair`, and the next of its bits says which half of that the
        // invocation does at the next level: sums, or as `upper` the differences.
        uint below = job.levels - 1u - level;
        uint mask = below == 0u ? 0u : 1u << (below - 1u + job.log_c);
        bool upper = (lane & mask) != 0u;
        uint parts = PARTS;
        uint place = pair >> below;
        if (job.table_levels != 0u) {
            parts = 1u << level;
            place += job.table_levels + (parts - 1u) * FACTOR_SIZE;
        }
        Value kept, given;
        butterfly(a, b, place, parts, upper, kept, given);
        if (below > 0u) {
            given = exchange(given, mask, level);
        }
        if (upper) {
            a = given;
            b = kept;
        } else {
            a = kept;
            b = given;
        }
    }
#ifdef SHUFFLE
    // Elements are written where others of the subgroup have read.
    subgroupBarrier();
#endif
    if (!is_active) {
        return;
    }
    uint next_row = 0u, second = 2u * pair, step = 1u, stride = 2u * half_rows;
    if (!is(LAST)) {
        next_row = (first_column + column) >> (columns - job.next);
        second = ((next_row << job.before) + in_row(block)) * FACTOR_SIZE;
        step = 0u;
        stride = 1u;
    }
    multiply_pair(a, b, job.table_block, second, step, stride,
                  job.table_out, next_row * half_rows + pair, half_rows << job.next);
    store(2u * pair, column, a);
    store(2u * pair + 1u, column, b);
}
