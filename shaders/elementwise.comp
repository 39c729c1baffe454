// Element-wise operations: functions that are linked at run time.
//
// This module is no kernel by itself. A chain of operations becomes one: a `main` that
// loads the chain's inputs, calls the functions of its operations one after the other
// and stores its outputs (crate field-kernels, module `chain`). What the chain does not
// use is left out, and the bindings that stay are numbered anew.
//
// Two ways to memory, for what is read and for what is written. `load` and `store`: each
// invocation its own element. `fetch` and `take`, `put` and `drain`: through shared
// memory, with neighbouring invocations on neighbouring addresses. `broadcast` reads one
// element for all.
//
// One invocation per element along x. An invocation past the last one computes on
// zeros or on what was in shared memory, and stores nothing.
//
// keep functions
// variant: fp_elementwise_u32 = FIELD_FP MUL_U32
// variant: fp_elementwise_u64 = FIELD_FP MUL_U64
// variant: fp_elementwise_f64 = FIELD_FP MUL_F64
// variant: fr_elementwise_u32 = FIELD_FR MUL_U32
// variant: fr_elementwise_u64 = FIELD_FR MUL_U64
// variant: fr_elementwise_f64 = FIELD_FR MUL_F64
// variant: fp2_elementwise_u32 = FIELD_FP2 MUL_U32
// variant: fp2_elementwise_u64 = FIELD_FP2 MUL_U64
// variant: fp2_elementwise_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require

#include "vectors.glsl"

// Constant once a chain is linked: the linker sets it.
layout(local_size_x = 128, local_size_x_id = 0) in;
#define GROUP_SIZE gl_WorkGroupSize.x

// `start`: where each binding's elements begin, in parts of 16 bytes.
layout(push_constant) uniform Job { uint count; uint start[12]; } job;

// Two areas at the most, one after the other: while one is read the other can be
// filled. The linker sets how many there are: shared memory that is not there leaves
// room for more workgroups.
layout(constant_id = 1) const uint AREAS = 2u;
shared uvec4 staged[AREAS * GROUP_SIZE * FIELD_PARTS];
#define AREA (GROUP_SIZE * FIELD_PARTS)

uint lane() { return gl_LocalInvocationID.x; }

uint first_element() { return gl_WorkGroupID.x * GROUP_SIZE; }

bool is_inside() { return first_element() + lane() < job.count; }

// Parts of this workgroup's elements.
uint group_parts() { return min(job.count - first_element(), GROUP_SIZE) * FIELD_PARTS; }

// After it all invocations of the workgroup see what any of them put before, and none of
// them still reads a buffer: an output may be an input's memory, and `drain` writes what
// others load.
void sync() {
    controlBarrier(gl_ScopeWorkgroup, gl_ScopeWorkgroup,
                   gl_StorageSemanticsBuffer | gl_StorageSemanticsShared,
                   gl_SemanticsAcquireRelease);
}

Elem take(uint area) {
    uint own = area * AREA + lane() * FIELD_PARTS;
    return READ_ELEMENT(staged, own);
}

void put(uint area, Elem value) {
    uint own = area * AREA + lane() * FIELD_PARTS;
    WRITE_ELEMENT(staged, own, value)
}

#define INPUT(K) \
    layout(set = 0, binding = K, std430) readonly buffer Input##K { uvec4 input_##K[]; }; \
    Elem load_##K() { \
        if (!is_inside()) { return f_zero(); } \
        uint at = job.start[K] + gl_GlobalInvocationID.x * FIELD_PARTS; \
        return READ_ELEMENT(input_##K, at); \
    } \
    Elem broadcast_##K() { \
        uint at = job.start[K]; \
        return READ_ELEMENT(input_##K, at); \
    } \
    void fetch_##K(uint area) { \
        uint parts = group_parts(); \
        uint begin = job.start[K] + first_element() * FIELD_PARTS; \
        uint part; \
        FETCH(input_##K) \
    }

#define FETCH(FROM) FETCH_ONE(FROM, 0u) FETCH_ONE(FROM, 1u) FETCH_LAST(FROM)
#define FETCH_ONE(FROM, J) \
    part = lane() + J * GROUP_SIZE; \
    if (part < parts) { staged[area * AREA + part] = FROM[begin + part]; }

#define OUTPUT(K) \
    layout(set = 0, binding = K, std430) writeonly buffer Output##K { uvec4 output_##K[]; }; \
    void store_##K(Elem value) { \
        if (!is_inside()) { return; } \
        uint at = job.start[K] + gl_GlobalInvocationID.x * FIELD_PARTS; \
        WRITE_ELEMENT(output_##K, at, value) \
    } \
    void drain_##K(uint area) { \
        uint parts = group_parts(); \
        uint begin = job.start[K] + first_element() * FIELD_PARTS; \
        uint part; \
        DRAIN(output_##K) \
    }

#define DRAIN(TO) DRAIN_ONE(TO, 0u) DRAIN_ONE(TO, 1u) DRAIN_LAST(TO)
#define DRAIN_ONE(TO, J) \
    part = lane() + J * GROUP_SIZE; \
    if (part < parts) { TO[begin + part] = staged[area * AREA + part]; }

#if defined(FIELD_FP2)
#define FETCH_LAST(FROM) \
    FETCH_ONE(FROM, 2u) FETCH_ONE(FROM, 3u) FETCH_ONE(FROM, 4u) FETCH_ONE(FROM, 5u)
#define DRAIN_LAST(TO) DRAIN_ONE(TO, 2u) DRAIN_ONE(TO, 3u) DRAIN_ONE(TO, 4u) DRAIN_ONE(TO, 5u)
#elif defined(FIELD_FP)
#define FETCH_LAST(FROM) FETCH_ONE(FROM, 2u)
#define DRAIN_LAST(TO) DRAIN_ONE(TO, 2u)
#else
#define FETCH_LAST(FROM)
#define DRAIN_LAST(TO)
#endif

INPUT(0)
INPUT(1)
INPUT(2)
INPUT(3)
INPUT(4)
INPUT(5)
INPUT(6)
INPUT(7)
OUTPUT(8)
OUTPUT(9)
OUTPUT(10)
OUTPUT(11)

#ifndef FIELD_FP2
// The inverse of a value in Montgomery form, in Montgomery form: x R -> x^-1 R.
Elem f_inverse(Elem x) { return f_mul(f_invert(x), ELEM_OF(RRR32)); }
#endif

// One for zero, zero for anything else.
Elem f_one_if_zero(Elem x) { return select(f_is_zero(x), f_one(), f_zero()); }

// x where the condition is not zero, y where it is.
Elem f_select(Elem condition, Elem x, Elem y) { return select(f_is_zero(condition), y, x); }

uvec4 reverse_bytes(uvec4 part) {
    uvec4 word = part.wzyx;
    return word << 24 | (word & 0xff00u) << 8 | (word >> 8 & 0xff00u) | word >> 24;
}

// Of each coordinate.
Elem f_reverse_bytes(Elem x) {
#if defined(FIELD_FP2)
    return Elem(Base(reverse_bytes(x.c0.p2), reverse_bytes(x.c0.p1), reverse_bytes(x.c0.p0)),
                Base(reverse_bytes(x.c1.p2), reverse_bytes(x.c1.p1), reverse_bytes(x.c1.p0)));
#elif defined(FIELD_FP)
    return Elem(reverse_bytes(x.p2), reverse_bytes(x.p1), reverse_bytes(x.p0));
#else
    return Elem(reverse_bytes(x.p1), reverse_bytes(x.p0));
#endif
}

// From the big-endian bytes of a plain value into Montgomery form, and back.
Elem f_from_bytes(Elem x) { return f_to_mont(f_reverse_bytes(x)); }

Elem f_to_bytes(Elem x) { return f_reverse_bytes(f_from_mont(x)); }

// Names every function once, so that the compiler keeps it; never runs.
void main() {
    Elem x = f_zero();
#define USE_INPUT(K) x = f_add(x, load_##K()); x = f_add(x, broadcast_##K()); fetch_##K(0u);
#define USE_OUTPUT(K) store_##K(x); drain_##K(0u);
    USE_INPUT(0)
    USE_INPUT(1)
    USE_INPUT(2)
    USE_INPUT(3)
    USE_INPUT(4)
    USE_INPUT(5)
    USE_INPUT(6)
    USE_INPUT(7)
    sync();
    x = take(0u);
    x = f_mul(f_sub(x, f_one()), f_square(f_double(f_neg(x))));
    x = f_inverse(f_to_mont(f_from_mont(x)));
    x = f_select(f_one_if_zero(x), x, f_from_bytes(f_to_bytes(x)));
#ifdef FIELD_FP2
    x = f_conjugate(x);
#endif
    put(1u, x);
    USE_OUTPUT(8)
    USE_OUTPUT(9)
    USE_OUTPUT(10)
    USE_OUTPUT(11)
}
