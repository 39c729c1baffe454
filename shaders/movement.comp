// Elements from places of one vector to places of another: from every so-manieth place to
// every so-manieth, or by a table of indices, of which the first says which element
// becomes the first, and so on.
//
// It knows no field: an invocation moves one part of 16 bytes.
//
// variant: strided = STRIDED
// variant: indexed = INDEXED

#version 460
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };
#ifdef INDEXED
layout(set = 0, binding = 2, std430) readonly buffer Indices { uint indices[]; };
#endif

layout(push_constant) uniform Job {
    uint count;
    uint parts_of_element;
    uint start_in;
    uint start_out;
#ifdef INDEXED
    // The first index, in 32-bit words.
    uint start_indices;
#else
    // From one element to the next, in parts.
    uint step_in;
    uint step_out;
#endif
} job;

void main() {
    uint part = gl_GlobalInvocationID.x;
    uint element = part / job.parts_of_element;
    if (element >= job.count) {
        return;
    }
    uint inside = part - element * job.parts_of_element;
#ifdef INDEXED
    uint from = indices[job.start_indices + element] * job.parts_of_element;
    uint to = element * job.parts_of_element;
#else
    uint from = element * job.step_in;
    uint to = element * job.step_out;
#endif
    out_parts[job.start_out + to + inside] = in_parts[job.start_in + from + inside];
}
