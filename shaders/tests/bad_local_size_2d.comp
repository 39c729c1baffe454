// Breaks the kernel interface: a workgroup of 8 x 8 invocations, where elements
// are numbered along x alone.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "direct_u32.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element < element_count()) {
        store_c(element, fq_add(load_a(element), load_b(element)));
    }
}
