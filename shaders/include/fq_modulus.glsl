// The BLS12-381 base field's modulus as addition takes it: three uvec4, the least
// significant word first.

#ifndef FQ_MODULUS_GLSL
#define FQ_MODULUS_GLSL

#include "bls12_381_fp.glsl"

const uvec4 FQ_MODULUS_LOW = uvec4(P32_0, P32_1, P32_2, P32_3);
const uvec4 FQ_MODULUS_MIDDLE = uvec4(P32_4, P32_5, P32_6, P32_7);
const uvec4 FQ_MODULUS_HIGH = uvec4(P32_8, P32_9, P32_10, P32_11);

#endif
