// Elements in 32-bit words, read and written by the invocation that uses them.
// Simple, and slower than staging through shared memory: neighbouring invocations
// touch addresses 48 bytes apart.

#ifndef DIRECT_U32_GLSL
#define DIRECT_U32_GLSL

#define PART uvec4
#define PARTS_PER_ELEMENT 3u

#include "interface.glsl"
#include "fq_u32.glsl"

Fq load_a(uint element) {
    uint part = element * PARTS_PER_ELEMENT;
    return Fq(a_parts[part], a_parts[part + 1u], a_parts[part + 2u]);
}

Fq load_b(uint element) {
    uint part = element * PARTS_PER_ELEMENT;
    return Fq(b_parts[part], b_parts[part + 1u], b_parts[part + 2u]);
}

void store_c(uint element, Fq value) {
    uint part = element * PARTS_PER_ELEMENT;
    c_parts[part] = value.low;
    c_parts[part + 1u] = value.middle;
    c_parts[part + 2u] = value.high;
}

#endif
