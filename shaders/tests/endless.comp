// Never ends, unless the device cuts loops short: for tests of what becomes of those
// who wait for it.

#version 460
#extension GL_GOOGLE_include_directive : require

#define PART uint
#define PARTS_PER_ELEMENT 12u

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer InputA { uint a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uint b_parts[]; };
layout(set = 0, binding = 2, std430) volatile buffer OutputC { uint c_parts[]; };

void main() {
    uint mixed = gl_GlobalInvocationID.x;
    // No value that a compiler could know: of the inputs, which are all zero.
    uint step = a_parts[0] + 1u;
    while (c_parts[0] != 0xfeedfaceu || b_parts[0] == 0u) {
        mixed = mixed * 1664525u + step;
        c_parts[1] = mixed;
    }
}
