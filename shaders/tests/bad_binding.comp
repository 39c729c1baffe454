// Breaks the kernel interface: uses binding 3, which does not exist.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "direct_u32.glsl"

layout(set = 0, binding = 3, std430) readonly buffer Mask { uvec4 mask_parts[]; };

layout(local_size_x = 128) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element < element_count()) {
        Fq sum = fq_add(load_a(element), load_b(element));
        sum.low ^= mask_parts[element];
        store_c(element, sum);
    }
}
