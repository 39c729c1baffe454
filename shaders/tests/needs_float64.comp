// Field addition that asks for a capability it has no use for: Float64. Valid on a
// device that has it, refused by name on one that has not.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "direct_u32.glsl"

layout(local_size_x = 128) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    // Exact: a double holds every 32-bit integer.
    double half_count = double(element_count()) * 0.5LF;
    if (double(element) < half_count * 2.0LF) {
        store_c(element, fq_add(load_a(element), load_b(element)));
    }
}
