// A caller's own kernel: element-wise subtraction. Takes its count from
// a.length(), declares no push constant, and leaves the workgroup size to
// specialization constant 0 (64 unless specialised).

#version 460
#extension GL_GOOGLE_include_directive : require

#define COUNT_FROM_LENGTH

#include "direct_u32.glsl"

layout(local_size_x = 64, local_size_x_id = 0) in;

void main() {
    uint element = gl_GlobalInvocationID.x;
    if (element < element_count()) {
        store_c(element, fq_sub(load_a(element), load_b(element)));
    }
}
