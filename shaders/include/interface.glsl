// The kernel interface: what every kernel of this library binds.
//
//   set 0, binding 0   a   storage buffer, read only
//   set 0, binding 1   b   storage buffer, read only
//   set 0, binding 2   c   storage buffer, written only
//   push constant      the element count, first u32 of the block
//
// An element is 48 bytes: 384 bits, little-endian, no padding between elements.
//
// The including file defines
//   PART               the type the buffers are read in: uvec4, uvec2 or uint64_t
//   PARTS_PER_ELEMENT  how many of them make 48 bytes
// and may define
//   COUNT_FROM_LENGTH  take the count from a.length(), declare no push constant

#ifndef INTERFACE_GLSL
#define INTERFACE_GLSL

layout(set = 0, binding = 0, std430) readonly buffer InputA { PART a_parts[]; };
layout(set = 0, binding = 1, std430) readonly buffer InputB { PART b_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer OutputC { PART c_parts[]; };

#ifndef COUNT_FROM_LENGTH
layout(push_constant) uniform Job { uint count; } job;
#endif

// How many elements this dispatch works on. Never more than the shortest of the
// three bound ranges holds, whatever the push constant says, so an index below
// the result is always inside all three.
uint element_count() {
    uint parts = uint(min(a_parts.length(), min(b_parts.length(), c_parts.length())));
    uint bound = parts / PARTS_PER_ELEMENT;
#ifdef COUNT_FROM_LENGTH
    return bound;
#else
    return min(job.count, bound);
#endif
}

#endif
