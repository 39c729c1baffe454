// Elements of a vector by their numbers in a table: element i of the output is element
// numbers[i] of the input. Knows no field: it moves parts of 16 bytes, one an invocation.

#version 460
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer Numbers { uint numbers[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    uint count;
    uint parts_of_element;
    uint start_in;
    uint start_out;
} job;

void main() {
    uint part = gl_GlobalInvocationID.x;
    uint element = part / job.parts_of_element;
    if (element >= job.count) {
        return;
    }
    uint inside = part - element * job.parts_of_element;
    uint from = numbers[element] * job.parts_of_element + inside;
    out_parts[job.start_out + part] = in_parts[job.start_in + from];
}
