// Copies the first operand to the result, fully coalesced: what it moves in a second
// is the limit of every kernel that reads and writes device memory.

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 128
#define PART uvec4
#define PARTS_PER_ELEMENT 3u

#include "interface.glsl"

layout(local_size_x = GROUP_SIZE) in;

void copy(uint part, uint parts) {
    if (part < parts) {
        c_parts[part] = a_parts[part];
    }
}

void main() {
    uint parts = element_count() * PARTS_PER_ELEMENT;
    uint first = gl_WorkGroupID.x * GROUP_SIZE * PARTS_PER_ELEMENT + gl_LocalInvocationID.x;
    copy(first, parts);
    copy(first + GROUP_SIZE, parts);
    copy(first + 2u * GROUP_SIZE, parts);
}
