// Running sums, running products, and the recurrence of Horner's rule,
//   y = z y + x from element to element,
// in two passes over the elements.
//
// Each invocation has a run of `run` neighbours, each workgroup 128 runs. UP: it leaves
// what its run comes to, joined with the runs before it in its workgroup, and the
// workgroup what all of its runs come to. Somebody scans those. DOWN: each invocation goes
// through its run again, from what comes before it on, and writes the elements.
//
// Elements pass through shared memory, a segment of each run at a time, so that what the
// invocations read and write together are neighbours. A segment has a part more than its
// elements: what is read together then lies in different banks.
//
// By Horner's rule runs are joined with powers of z, which all have the same length: the
// table is that of `power_tables` with log2 of the run as its shift.
//
// DOWN reads an element before it writes there, and no other's, so the output may be the
// input's memory. Without the decoration `Aliased` (20) a driver may assume that it is not.
//
// The loops are bounded by who dispatches: 32 elements of a run, and by a segment's parts.
//
// keep functions of fp2_
// variant: fp_scan_sum_up_u32 = FIELD_FP MUL_U32 SUM UP
// variant: fp_scan_sum_up_u64 = FIELD_FP MUL_U64 SUM UP
// variant: fr_scan_sum_up_u32 = FIELD_FR MUL_U32 SUM UP
// variant: fr_scan_sum_up_u64 = FIELD_FR MUL_U64 SUM UP
// variant: fp2_scan_sum_up_u32 = FIELD_FP2 MUL_U32 SUM UP
// variant: fp2_scan_sum_up_u64 = FIELD_FP2 MUL_U64 SUM UP
// variant: fp_scan_sum_down_u32 = FIELD_FP MUL_U32 SUM
// variant: fp_scan_sum_down_u64 = FIELD_FP MUL_U64 SUM
// variant: fr_scan_sum_down_u32 = FIELD_FR MUL_U32 SUM
// variant: fr_scan_sum_down_u64 = FIELD_FR MUL_U64 SUM
// variant: fp2_scan_sum_down_u32 = FIELD_FP2 MUL_U32 SUM
// variant: fp2_scan_sum_down_u64 = FIELD_FP2 MUL_U64 SUM
// variant: fp_scan_product_up_u32 = FIELD_FP MUL_U32 PRODUCT UP
// variant: fp_scan_product_up_u64 = FIELD_FP MUL_U64 PRODUCT UP
// variant: fp_scan_product_up_f64 = FIELD_FP MUL_F64 PRODUCT UP
// variant: fr_scan_product_up_u32 = FIELD_FR MUL_U32 PRODUCT UP
// variant: fr_scan_product_up_u64 = FIELD_FR MUL_U64 PRODUCT UP
// variant: fr_scan_product_up_f64 = FIELD_FR MUL_F64 PRODUCT UP
// variant: fp2_scan_product_up_u32 = FIELD_FP2 MUL_U32 PRODUCT UP
// variant: fp2_scan_product_up_u64 = FIELD_FP2 MUL_U64 PRODUCT UP
// variant: fp2_scan_product_up_f64 = FIELD_FP2 MUL_F64 PRODUCT UP
// variant: fp_scan_product_down_u32 = FIELD_FP MUL_U32 PRODUCT
// variant: fp_scan_product_down_u64 = FIELD_FP MUL_U64 PRODUCT
// variant: fp_scan_product_down_f64 = FIELD_FP MUL_F64 PRODUCT
// variant: fr_scan_product_down_u32 = FIELD_FR MUL_U32 PRODUCT
// variant: fr_scan_product_down_u64 = FIELD_FR MUL_U64 PRODUCT
// variant: fr_scan_product_down_f64 = FIELD_FR MUL_F64 PRODUCT
// variant: fp2_scan_product_down_u32 = FIELD_FP2 MUL_U32 PRODUCT
// variant: fp2_scan_product_down_u64 = FIELD_FP2 MUL_U64 PRODUCT
// variant: fp2_scan_product_down_f64 = FIELD_FP2 MUL_F64 PRODUCT
// variant: fp_scan_horner_up_u32 = FIELD_FP MUL_U32 HORNER UP
// variant: fp_scan_horner_up_u64 = FIELD_FP MUL_U64 HORNER UP
// variant: fp_scan_horner_up_f64 = FIELD_FP MUL_F64 HORNER UP
// variant: fr_scan_horner_up_u32 = FIELD_FR MUL_U32 HORNER UP
// variant: fr_scan_horner_up_u64 = FIELD_FR MUL_U64 HORNER UP
// variant: fr_scan_horner_up_f64 = FIELD_FR MUL_F64 HORNER UP
// variant: fp2_scan_horner_up_u32 = FIELD_FP2 MUL_U32 HORNER UP
// variant: fp2_scan_horner_up_u64 = FIELD_FP2 MUL_U64 HORNER UP
// variant: fp2_scan_horner_up_f64 = FIELD_FP2 MUL_F64 HORNER UP
// variant: fp_scan_horner_down_u32 = FIELD_FP MUL_U32 HORNER
// variant: fp_scan_horner_down_u64 = FIELD_FP MUL_U64 HORNER
// variant: fp_scan_horner_down_f64 = FIELD_FP MUL_F64 HORNER
// variant: fr_scan_horner_down_u32 = FIELD_FR MUL_U32 HORNER
// variant: fr_scan_horner_down_u64 = FIELD_FR MUL_U64 HORNER
// variant: fr_scan_horner_down_f64 = FIELD_FR MUL_F64 HORNER
// variant: fp2_scan_horner_down_u32 = FIELD_FP2 MUL_U32 HORNER
// variant: fp2_scan_horner_down_u64 = FIELD_FP2 MUL_U64 HORNER
// variant: fp2_scan_horner_down_f64 = FIELD_FP2 MUL_F64 HORNER

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_spirv_intrinsics : require

#include "vectors.glsl"

#define GROUP_SIZE 128u
// Elements of a run that are in shared memory at a time.
#ifdef FIELD_FP2
#define SEGMENT 1u
#else
#define SEGMENT 2u
#endif
#define SEGMENT_PARTS (SEGMENT * FIELD_PARTS)
#define SEGMENT_STRIDE (SEGMENT_PARTS + 1u)
#define SQUARES 14u

layout(local_size_x = 128) in;

#define ALIASED spirv_decorate(20)

ALIASED layout(set = 0, binding = 0, std430) readonly buffer Elements { uvec4 x_parts[]; };
#ifdef UP
layout(set = 0, binding = 1, std430) writeonly buffer Before { uvec4 before_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Groups { uvec4 group_parts[]; };
#else
layout(set = 0, binding = 1, std430) readonly buffer Before { uvec4 before_parts[]; };
layout(set = 0, binding = 2, std430) readonly buffer Groups { uvec4 group_parts[]; };
ALIASED layout(set = 0, binding = 3, std430) writeonly buffer Output { uvec4 out_parts[]; };
#endif
#ifdef HORNER
#ifdef UP
#define TABLE_BINDING 3
#else
#define TABLE_BINDING 4
#endif
layout(set = 0, binding = TABLE_BINDING, std430) readonly buffer Table { uvec4 table_parts[]; };
#endif

layout(push_constant) uniform Job {
    uint count;
    uint run_log;
    // Whether it goes from the last element to the first.
    uint backwards;
    uint start_x;
    uint start_before;
    uint start_groups;
    uint start_table;
#ifndef UP
    uint start_out;
    // Whether there is anything before the first workgroup's elements, or another's.
    uint groups;
    // Whether each result is what comes before its element.
    uint exclusive;
#endif
} job;

shared uvec4 tile[GROUP_SIZE * SEGMENT_STRIDE];

#ifdef PRODUCT
Elem nothing() { return f_one(); }
#else
Elem nothing() { return f_zero(); }
#endif

#ifdef HORNER
Elem square(uint k) {
    uint at = job.start_table + k * FIELD_PARTS;
    return READ_ELEMENT(table_parts, at);
}
#endif

// What comes of `before` and then x; by Horner's rule times `factor`, which is z to the
// power of the elements that x stands for.
Elem join(Elem before, Elem x, Elem factor) {
#if defined(SUM)
    return f_add(before, x);
#elif defined(PRODUCT)
    return f_mul(before, x);
#else
    return f_add(f_mul(before, factor), x);
#endif
}

// Where a part of a segment is in the vector, and whether it is there.
bool place(uint part, uint first, out uint in_tile, out uint in_vector) {
    uint lane = part / SEGMENT_PARTS;
    uint inside = part - lane * SEGMENT_PARTS;
    uint element = inside / FIELD_PARTS;
    uint position = ((gl_WorkGroupID.x * GROUP_SIZE + lane) << job.run_log) + first + element;
    in_tile = lane * SEGMENT_STRIDE + inside;
    uint number = job.backwards != 0u ? job.count - 1u - position : position;
    in_vector = number * FIELD_PARTS + inside - element * FIELD_PARTS;
    return position < job.count;
}

#ifdef SUM

// Parts of the segments that come next, on their way from memory.
uvec4 next[SEGMENT_PARTS];

// Lets a segment of each run come from memory, from the `first` of its elements on.
void fetch(uint first) {
    uint in_tile, in_vector;
    [[unroll]] for (uint k = 0u; k < SEGMENT_PARTS; k += 1u) {
        if (place(gl_LocalInvocationID.x + k * GROUP_SIZE, first, in_tile, in_vector)) {
            next[k] = x_parts[job.start_x + in_vector];
        }
    }
}

// Puts it into shared memory, and fetches the one that follows.
void load(uint first) {
    uint in_tile, in_vector;
    [[unroll]] for (uint k = 0u; k < SEGMENT_PARTS; k += 1u) {
        if (place(gl_LocalInvocationID.x + k * GROUP_SIZE, first, in_tile, in_vector)) {
            tile[in_tile] = next[k];
        }
    }
    barrier();
    if (first + SEGMENT < 1u << job.run_log) {
        fetch(first + SEGMENT);
    }
}

#else

// Products leave no registers for what comes next, nor do they wait for it.
#define fetch(first)

// Brings a segment of each run into shared memory, from the `first` of its elements on.
void load(uint first) {
    uint in_tile, in_vector;
    for (uint part = gl_LocalInvocationID.x; part < GROUP_SIZE * SEGMENT_PARTS; part += GROUP_SIZE) {
        if (place(part, first, in_tile, in_vector)) {
            tile[in_tile] = x_parts[job.start_x + in_vector];
        }
    }
    barrier();
}

#endif

#ifdef UP

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint run = 1u << job.run_log;
    uint own = lane * SEGMENT_STRIDE;
    uint position = (gl_GlobalInvocationID.x) << job.run_log;
#ifdef HORNER
    Elem z = square(0u);
#else
    Elem z = nothing();
#endif
    Elem total = nothing();
    fetch(0u);
    for (uint first = 0u; first < run; first += SEGMENT) {
        load(first);
        for (uint element = 0u; element < SEGMENT; element += 1u) {
            if (position + first + element < job.count) {
                uint at = own + element * FIELD_PARTS;
                total = join(total, READ_ELEMENT(tile, at), z);
            }
        }
        barrier();
    }
    // With the runs before it, one, two, four and so on at a time.
    WRITE_ELEMENT(tile, own, total)
    barrier();
    for (uint log = 0u; log < 7u; log += 1u) {
        uint near = 1u << log;
        Elem before = nothing();
        if (lane >= near) {
            uint at = own - near * SEGMENT_STRIDE;
            before = READ_ELEMENT(tile, at);
        }
        barrier();
        if (lane >= near) {
#ifdef HORNER
            z = square(job.run_log + log);
#endif
            total = join(before, total, z);
            WRITE_ELEMENT(tile, own, total)
        }
        barrier();
    }
    Elem before = nothing();
    if (lane > 0u) {
        uint at = own - SEGMENT_STRIDE;
        before = READ_ELEMENT(tile, at);
    }
    uint to = job.start_before + gl_GlobalInvocationID.x * FIELD_PARTS;
    WRITE_ELEMENT(before_parts, to, before)
    if (lane == GROUP_SIZE - 1u) {
        to = job.start_groups + gl_WorkGroupID.x * FIELD_PARTS;
        WRITE_ELEMENT(group_parts, to, total)
    }
}

#else

void main() {
    uint lane = gl_LocalInvocationID.x;
    uint run = 1u << job.run_log;
    uint own = lane * SEGMENT_STRIDE;
    uint position = (gl_GlobalInvocationID.x) << job.run_log;
    uint from = job.start_before + gl_GlobalInvocationID.x * FIELD_PARTS;
    Elem running = READ_ELEMENT(before_parts, from);
    Elem z = nothing();
    if (job.groups != 0u) {
        from = job.start_groups + gl_WorkGroupID.x * FIELD_PARTS;
#ifdef HORNER
        z = square(SQUARES + lane);
#endif
        running = join(READ_ELEMENT(group_parts, from), running, z);
    }
#ifdef HORNER
    z = square(0u);
#endif
    fetch(0u);
    for (uint first = 0u; first < run; first += SEGMENT) {
        load(first);
        for (uint element = 0u; element < SEGMENT; element += 1u) {
            if (position + first + element < job.count) {
                uint at = own + element * FIELD_PARTS;
                Elem next = join(running, READ_ELEMENT(tile, at), z);
                if (job.exclusive != 0u) {
                    WRITE_ELEMENT(tile, at, running)
                } else {
                    WRITE_ELEMENT(tile, at, next)
                }
                running = next;
            }
        }
        barrier();
        uint in_tile, in_vector;
        for (uint part = lane; part < GROUP_SIZE * SEGMENT_PARTS; part += GROUP_SIZE) {
            if (place(part, first, in_tile, in_vector)) {
                out_parts[job.start_out + in_vector] = tile[in_tile];
            }
        }
        barrier();
    }
}

#endif
