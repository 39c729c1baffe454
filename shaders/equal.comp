// Whether two vectors are equal: sets a flag where they are not.
//
// Elements below the modulus are equal where their words are, so this knows no field:
// it compares parts of 16 bytes. The one loop is bounded by who dispatches: 8,192
// rounds at most.

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 128u

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer InputA { uvec4 a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uvec4 b_parts[]; };
layout(set = 0, binding = 2, std430) buffer Flags { uint flags[]; };

layout(push_constant) uniform Job {
    uint parts;
    uint groups;
    uint start_a;
    uint start_b;
    // The flag's number.
    uint flag;
} job;

void main() {
    uint stride = job.groups * GROUP_SIZE;
    bool differ = false;
    for (uint part = gl_GlobalInvocationID.x; part < job.parts; part += stride) {
        differ = differ || any(notEqual(a_parts[job.start_a + part], b_parts[job.start_b + part]));
    }
    if (differ) {
        atomicOr(flags[job.flag], 1u);
    }
}
