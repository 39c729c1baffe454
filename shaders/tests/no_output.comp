// Breaks the kernel interface: declares no binding 2. The sum replaces the first
// operand.

#version 460
#extension GL_GOOGLE_include_directive : require

#include "fq_u32.glsl"

layout(set = 0, binding = 0, std430) buffer InputA { uvec4 a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uvec4 b_parts[]; };

layout(local_size_x = 128) in;

void main() {
    uint part = gl_GlobalInvocationID.x * 3u;
    if (part < uint(min(a_parts.length(), b_parts.length()))) {
        Fq a = Fq(a_parts[part], a_parts[part + 1u], a_parts[part + 2u]);
        Fq b = Fq(b_parts[part], b_parts[part + 1u], b_parts[part + 2u]);
        Fq sum = fq_add(a, b);
        a_parts[part] = sum.low;
        a_parts[part + 1u] = sum.middle;
        a_parts[part + 2u] = sum.high;
    }
}
