// Element-wise addition in the BLS12-381 base field: the default kernel.
//
// 12 x 32-bit words, so it runs on every Vulkan device. A workgroup of 128
// invocations moves its 128 elements as 384 uvec4 with neighbouring invocations on
// neighbouring addresses, through shared memory (12 KiB of the 16 KiB that every
// device has), and each invocation adds one element out of it. The 48-byte stride
// of those shared reads is free of bank conflicts, and the global accesses are
// fully coalesced, which a 48-byte stride there is not.
//
// One invocation per element in x; a workgroup past the last element does nothing.

#version 460
#extension GL_GOOGLE_include_directive : require

#define GROUP_SIZE 128
#define PART uvec4
#define PARTS_PER_ELEMENT 3u

#include "interface.glsl"
#include "fq_u32.glsl"

layout(local_size_x = GROUP_SIZE) in;

shared uvec4 staged_a[GROUP_SIZE * PARTS_PER_ELEMENT];
shared uvec4 staged_b[GROUP_SIZE * PARTS_PER_ELEMENT];

void stage_in(uint part, uint first_part, uint parts) {
    if (part < parts) {
        staged_a[part] = a_parts[first_part + part];
        staged_b[part] = b_parts[first_part + part];
    }
}

void stage_out(uint part, uint first_part, uint parts) {
    if (part < parts) {
        c_parts[first_part + part] = staged_a[part];
    }
}

void main() {
    uint count = element_count();
    uint groups = count / GROUP_SIZE + uint(count % GROUP_SIZE != 0u);
    uint first = gl_WorkGroupID.x * GROUP_SIZE;
    // The comparison is between group numbers because `first` wraps for a group
    // far past the end.
    uint elements = gl_WorkGroupID.x < groups ? min(count - first, GROUP_SIZE) : 0u;

    uint first_part = first * PARTS_PER_ELEMENT;
    uint parts = elements * PARTS_PER_ELEMENT;
    uint lane = gl_LocalInvocationID.x;

    // Every invocation reaches both barriers: the conditions are inside the stages.
    stage_in(lane, first_part, parts);
    stage_in(lane + GROUP_SIZE, first_part, parts);
    stage_in(lane + 2u * GROUP_SIZE, first_part, parts);
    barrier();

    // The sum replaces this invocation's own operand, which no other one reads.
    if (lane < elements) {
        uint own = lane * PARTS_PER_ELEMENT;
        Fq a = Fq(staged_a[own], staged_a[own + 1u], staged_a[own + 2u]);
        Fq b = Fq(staged_b[own], staged_b[own + 1u], staged_b[own + 2u]);
        Fq sum = fq_add(a, b);
        staged_a[own] = sum.low;
        staged_a[own + 1u] = sum.middle;
        staged_a[own + 2u] = sum.high;
    }
    barrier();

    stage_out(lane, first_part, parts);
    stage_out(lane + GROUP_SIZE, first_part, parts);
    stage_out(lane + 2u * GROUP_SIZE, first_part, parts);
}
