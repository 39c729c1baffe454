// Elements in storage buffers, for kernels over whole vectors.
//
// A buffer is an array of parts of 16 bytes; an element is FIELD_PARTS of them. Where a
// vector begins inside its binding, in parts, comes by push constant.

#ifndef VECTORS_GLSL
#define VECTORS_GLSL

#ifdef FIELD_FP2
#include "fp2.glsl"
#else
#include "field.glsl"
#endif

#if defined(FIELD_FP2)
#define READ_COORDINATE(PARTS, AT) Base(PARTS[AT], PARTS[(AT) + 1u], PARTS[(AT) + 2u])
#define READ_ELEMENT(PARTS, AT) Elem(READ_COORDINATE(PARTS, AT), READ_COORDINATE(PARTS, (AT) + 3u))
#define WRITE_COORDINATE(PARTS, AT, VALUE) \
    { PARTS[AT] = VALUE.p0; PARTS[(AT) + 1u] = VALUE.p1; PARTS[(AT) + 2u] = VALUE.p2; }
#define WRITE_ELEMENT(PARTS, AT, VALUE) \
    WRITE_COORDINATE(PARTS, AT, VALUE.c0) WRITE_COORDINATE(PARTS, (AT) + 3u, VALUE.c1)
#elif defined(FIELD_FP)
#define READ_ELEMENT(PARTS, AT) Elem(PARTS[AT], PARTS[(AT) + 1u], PARTS[(AT) + 2u])
#define WRITE_ELEMENT(PARTS, AT, VALUE) \
    { PARTS[AT] = VALUE.p0; PARTS[(AT) + 1u] = VALUE.p1; PARTS[(AT) + 2u] = VALUE.p2; }
#else
#define READ_ELEMENT(PARTS, AT) Elem(PARTS[AT], PARTS[(AT) + 1u])
#define WRITE_ELEMENT(PARTS, AT, VALUE) { PARTS[AT] = VALUE.p0; PARTS[(AT) + 1u] = VALUE.p1; }
#endif

#endif
