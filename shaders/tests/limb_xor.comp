// A caller's own kernel that is no field operation: exclusive or of the six 64-bit
// limbs, each read as a uvec2. Workgroup size 1.

#version 460
#extension GL_GOOGLE_include_directive : require

#define PART uvec2
#define PARTS_PER_ELEMENT 6u

#include "interface.glsl"

layout(local_size_x = 1) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element >= element_count()) {
        return;
    }
    uint part = element * PARTS_PER_ELEMENT;
    c_parts[part] = a_parts[part] ^ b_parts[part];
    c_parts[part + 1u] = a_parts[part + 1u] ^ b_parts[part + 1u];
    c_parts[part + 2u] = a_parts[part + 2u] ^ b_parts[part + 2u];
    c_parts[part + 3u] = a_parts[part + 3u] ^ b_parts[part + 3u];
    c_parts[part + 4u] = a_parts[part + 4u] ^ b_parts[part + 4u];
    c_parts[part + 5u] = a_parts[part + 5u] ^ b_parts[part + 5u];
}
