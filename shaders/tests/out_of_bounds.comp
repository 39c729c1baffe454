// Writes past the end of the result: what GPU-assisted validation has to tell.

#version 460

layout(local_size_x = 64) in;

layout(set = 0, binding = 0, std430) readonly buffer InputA { uint a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { uint b_parts[]; };
layout(set = 0, binding = 2, std430) buffer OutputC { uint c_parts[]; };

layout(push_constant) uniform Job { uint count; } job;

void main() {
    uint part = gl_GlobalInvocationID.x;
    // One element of 12 parts is bound: each invocation writes past it.
    if (part < job.count) {
        c_parts[part + 12u] = a_parts[part] + b_parts[part];
    }
}
