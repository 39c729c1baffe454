// Elements from places of one vector to places of another: from every so-manieth place to
// every so-manieth, or by a table of indices, of which the first says which element
// becomes the first, and so on.
//
// It knows no field: an invocation moves four parts of 16 bytes, all of which are on their
// way from memory before the first is written. Those of a workgroup are neighbours each time.
//
// variant: strided = STRIDED
// variant: indexed = INDEXED

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 128u

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

// Where a part comes from, and where it goes.
struct Way {
    uint from;
    uint to;
};

Way way(uint part) {
    uint element = part / job.parts_of_element;
    uint inside = part - element * job.parts_of_element;
#ifdef INDEXED
    uint from = indices[job.start_indices + element] * job.parts_of_element;
    uint to = element * job.parts_of_element;
#else
    uint from = element * job.step_in;
    uint to = element * job.step_out;
#endif
    return Way(job.start_in + from + inside, job.start_out + to + inside);
}

// Where there is no such part, the last one is read and nothing written.
#define WAY(k) \
    uint part##k = first + uint(k) * GROUP_SIZE; \
    Way way##k = way(min(part##k, end - 1u));
#define READ(k) uvec4 moved##k = in_parts[way##k.from];
#define WRITE(k) if (part##k < end) { out_parts[way##k.to] = moved##k; }

void main() {
    uint first = gl_WorkGroupID.x * 4u * GROUP_SIZE + gl_LocalInvocationID.x;
    uint end = job.count * job.parts_of_element;
    WAY(0) WAY(1) WAY(2) WAY(3)
    READ(0) READ(1) READ(2) READ(3)
    WRITE(0) WRITE(1) WRITE(2) WRITE(3)
}
