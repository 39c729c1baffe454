// Breaks the kernel interface: binding 0 is a uniform buffer.

#version 460

layout(set = 0, binding = 0, std140) uniform InputA { uvec4 a_parts[384]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uvec4 b_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer OutputC { uvec4 c_parts[]; };

layout(local_size_x = 128) in;

void main() {
    uint part = gl_GlobalInvocationID.x;
    if (part < min(uint(b_parts.length()), 384u)) {
        c_parts[part] = a_parts[part] ^ b_parts[part];
    }
}
