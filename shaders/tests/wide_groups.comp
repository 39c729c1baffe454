// Field addition in workgroups of 256, twice those of the default kernel.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "direct_u32.glsl"

layout(local_size_x = 256) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element < element_count()) {
        store_c(element, fq_add(load_a(element), load_b(element)));
    }
}
