// Element-wise addition in the BLS12-381 base field with 6 x 64-bit limbs.
//
// Needs shaderInt64. Each invocation loads and stores its own element. The faster
// kernel where 64-bit integers are native and memory is a cache away, as on a
// software driver; on a GPU the default kernel is the faster one.
//
// One invocation per element in x; an invocation past the last element does nothing.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "fq_u64.glsl"

#define PART uint64_t
#define PARTS_PER_ELEMENT 6u

#include "interface.glsl"

layout(local_size_x = 128) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element >= element_count()) {
        return;
    }
    uint part = element * PARTS_PER_ELEMENT;
    Fq a = Fq(a_parts[part], a_parts[part + 1u], a_parts[part + 2u],
              a_parts[part + 3u], a_parts[part + 4u], a_parts[part + 5u]);
    Fq b = Fq(b_parts[part], b_parts[part + 1u], b_parts[part + 2u],
              b_parts[part + 3u], b_parts[part + 4u], b_parts[part + 5u]);
    Fq sum = fq_add(a, b);
    c_parts[part] = sum.l0;
    c_parts[part + 1u] = sum.l1;
    c_parts[part + 2u] = sum.l2;
    c_parts[part + 3u] = sum.l3;
    c_parts[part + 4u] = sum.l4;
    c_parts[part + 5u] = sum.l5;
}
