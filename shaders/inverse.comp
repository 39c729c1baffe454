// The two passes of the batched inverse (Montgomery's trick).
//
// Each of `threads` invocations has every `threads`-th element. UP: it writes, for each
// of its elements, the product of those before it, and in the end the product of all.
// Somebody inverts those products. DOWN: from the last element to the first, the
// inverse of an element is the inverse of the product up to it times the product before
// it. That is three products an element.
//
// A zero is left out of the products, counted, and becomes zero.
//
// DOWN reads an element and its product before it writes there, so the output may be
// either's memory. Without the decoration `Aliased` (20) a driver may assume that it is
// not, and read an element again after its place was written. The loops are bounded by
// who dispatches: 32 rounds at most.
//
// keep functions of fp2_
// variant: fp_inverse_up_u32 = FIELD_FP MUL_U32 UP
// variant: fp_inverse_up_u64 = FIELD_FP MUL_U64 UP
// variant: fp_inverse_up_f64 = FIELD_FP MUL_F64 UP
// variant: fr_inverse_up_u32 = FIELD_FR MUL_U32 UP
// variant: fr_inverse_up_u64 = FIELD_FR MUL_U64 UP
// variant: fr_inverse_up_f64 = FIELD_FR MUL_F64 UP
// variant: fp2_inverse_up_u32 = FIELD_FP2 MUL_U32 UP
// variant: fp2_inverse_up_u64 = FIELD_FP2 MUL_U64 UP
// variant: fp2_inverse_up_f64 = FIELD_FP2 MUL_F64 UP
// variant: fp_inverse_down_u32 = FIELD_FP MUL_U32
// variant: fp_inverse_down_u64 = FIELD_FP MUL_U64
// variant: fp_inverse_down_f64 = FIELD_FP MUL_F64
// variant: fr_inverse_down_u32 = FIELD_FR MUL_U32
// variant: fr_inverse_down_u64 = FIELD_FR MUL_U64
// variant: fr_inverse_down_f64 = FIELD_FR MUL_F64
// variant: fp2_inverse_down_u32 = FIELD_FP2 MUL_U32
// variant: fp2_inverse_down_u64 = FIELD_FP2 MUL_U64
// variant: fp2_inverse_down_f64 = FIELD_FP2 MUL_F64

#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : require

#include "vectors.glsl"

layout(local_size_x = 128) in;

#define ALIASED spirv_decorate(20)

ALIASED layout(set = 0, binding = 0, std430) readonly buffer Elements { uvec4 x_parts[]; };
#ifdef UP
layout(set = 0, binding = 1, std430) writeonly buffer Before { uvec4 before_parts[]; };
layout(set = 0, binding = 2, std430) writeonly buffer Products { uvec4 product_parts[]; };
layout(set = 0, binding = 3, std430) buffer Counters { uint counters[]; };
#else
ALIASED layout(set = 0, binding = 1, std430) readonly buffer Before { uvec4 before_parts[]; };
layout(set = 0, binding = 2, std430) readonly buffer Inverses { uvec4 inverse_parts[]; };
ALIASED layout(set = 0, binding = 3, std430) writeonly buffer Output { uvec4 out_parts[]; };
#endif

layout(push_constant) uniform Job {
    uint count;
    uint threads;
    uint start_x;
    uint start_before;
    // Of the products, or of their inverses.
    uint start_product;
    // UP: the number of the counter of zeros. DOWN: where the output begins.
    uint last;
    // Parts from one element to the next; all else is without gaps.
    uint stride_x;
} job;

Elem element(uint i) {
    uint at = job.start_x + i * job.stride_x;
    return READ_ELEMENT(x_parts, at);
}

#ifdef UP

void main() {
    uint thread = gl_GlobalInvocationID.x;
    if (thread >= job.threads) {
        return;
    }
    Elem product = f_one();
    uint zeros = 0u;
    for (uint i = thread; i < job.count; i += job.threads) {
        Elem x = element(i);
        uint at = job.start_before + i * FIELD_PARTS;
        WRITE_ELEMENT(before_parts, at, product)
        if (f_is_zero(x)) {
            zeros += 1u;
        } else {
            product = f_mul(product, x);
        }
    }
    uint at = job.start_product + thread * FIELD_PARTS;
    WRITE_ELEMENT(product_parts, at, product)
    if (zeros != 0u) {
        atomicAdd(counters[job.last], zeros);
    }
}

#else

void main() {
    uint thread = gl_GlobalInvocationID.x;
    if (thread >= job.threads) {
        return;
    }
    uint at = job.start_product + thread * FIELD_PARTS;
    Elem inverse = READ_ELEMENT(inverse_parts, at);
    uint rounds = (job.count - thread + job.threads - 1u) / job.threads;
    for (uint left = rounds; left > 0u; left -= 1u) {
        uint i = thread + (left - 1u) * job.threads;
        Elem x = element(i);
        uint from = job.start_before + i * FIELD_PARTS;
        Elem before = READ_ELEMENT(before_parts, from);
        uint to = job.last + i * FIELD_PARTS;
        if (f_is_zero(x)) {
            Elem zero = f_zero();
            WRITE_ELEMENT(out_parts, to, zero)
        } else {
            Elem result = f_mul(inverse, before);
            WRITE_ELEMENT(out_parts, to, result)
            inverse = f_mul(inverse, x);
        }
    }
}

#endif
