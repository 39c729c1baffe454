// Elements in storage buffers, for kernels over whole vectors.
//
// A buffer is an array of parts of 16 bytes; an element is FIELD_PARTS of them. Where a
// vector begins inside its binding, in parts, comes by push constant.

#ifndef VECTORS_GLSL
#define VECTORS_GLSL

#include "field.glsl"

#ifdef FIELD_FP
#define READ_ELEMENT(PARTS, AT) Elem(PARTS[AT], PARTS[(AT) + 1u], PARTS[(AT) + 2u])
#define WRITE_ELEMENT(PARTS, AT, VALUE) \
    { PARTS[AT] = VALUE.p0; PARTS[(AT) + 1u] = VALUE.p1; PARTS[(AT) + 2u] = VALUE.p2; }
#else
#define READ_ELEMENT(PARTS, AT) Elem(PARTS[AT], PARTS[(AT) + 1u])
#define WRITE_ELEMENT(PARTS, AT, VALUE) { PARTS[AT] = VALUE.p0; PARTS[(AT) + 1u] = VALUE.p1; }
#endif

#endif
