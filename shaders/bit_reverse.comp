// A vector in bit-reversed order: element i of the output is element rev(i) of the
// input, the bits of i from the last to the first.
//
// An invocation moves one part of 16 bytes, so that those of an element are read
// together and all are written in their order.
//
// variant: fp_bit_reverse = FIELD_PARTS=3u
// variant: fr_bit_reverse = FIELD_PARTS=2u

#version 460
#extension GL_GOOGLE_include_directive : require

layout(local_size_x = 128) in;

layout(set = 0, binding = 0, std430) readonly buffer Input { uvec4 in_parts[]; };
layout(set = 0, binding = 1, std430) writeonly buffer Output { uvec4 out_parts[]; };

layout(push_constant) uniform Job {
    // Parts of the vector; at most 2^31.
    uint parts;
    // 32 - log2 of the elements; 32 for a single one.
    uint shift;
    uint start_in;
    uint start_out;
} job;

void main() {
    uint part = gl_GlobalInvocationID.x;
    if (part >= job.parts) {
        return;
    }
    uint element = part / FIELD_PARTS;
    uint inside = part - element * FIELD_PARTS;
    // A shift by 32 is not defined.
    uint from = job.shift == 32u ? 0u : bitfieldReverse(element) >> job.shift;
    out_parts[job.start_out + part] = in_parts[job.start_in + from * FIELD_PARTS + inside];
}
