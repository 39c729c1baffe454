// Arithmetic in the BLS12-381 base field and scalar field.
//
// The including file defines one of
//   FIELD_FP   the base field, 381 bits, 12 words
//   FIELD_FR   the scalar field, 255 bits, 8 words
// and one of
//   MUL_U32    multiplies in 32-bit words: every device, no 64-bit integers
//   MUL_U64    multiplies in 30-bit limbs summed in 64 bits: needs shaderInt64
//   MUL_F64    multiplies on the double units: needs shaderInt64, shaderFloat64 and
//              an fma() that rounds once (see mul_f64.glsl)
//
// What takes an Elem expects it below the modulus, and returns one below it.
// The product is Montgomery's, a * b / R with R = 2^384 or 2^256; everything else
// but the two conversions is the same in Montgomery form and out of it.
//
// Written out through macros, without loops: a rolled loop costs an index and a
// branch a limb, and one software driver stops, without a word, after 65,535 loop
// iterations in an invocation. Only the inverse has loops, of 1,200 at most.

#ifndef FIELD_GLSL
#define FIELD_GLSL

#ifndef MUL_U32
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif

#ifdef FIELD_FP
#include "bls12_381_fp.glsl"
#else
#include "bls12_381_fr.glsl"
#endif

#include "unroll.glsl"
#include "field_words.glsl"

#ifdef MUL_U32
#include "mul_u32.glsl"
#endif
#ifdef MUL_U64
#include "mul_u30.glsl"
#endif
#ifdef MUL_F64
#include "mul_f64.glsl"
#endif
#include "invert.glsl"

// The Montgomery product, a * b / R.
Elem f_mul(Elem a, Elem b) {
#if defined(MUL_U32)
    return mul_u32(a, b);
#elif defined(MUL_U64)
    return mul_u30(a, b);
#else
    return mul_f64(a, b);
#endif
}

Elem f_square(Elem a) {
#if defined(MUL_U32)
    return mul_u32(a, a);
#elif defined(MUL_U64)
    return square_u30(a);
#else
    return square_f64(a);
#endif
}

// a * R and a / R: into Montgomery form and out of it.
Elem f_to_mont(Elem a) {
    return f_mul(a, R_SQUARED);
}

Elem f_from_mont(Elem a) {
    return f_mul(a, INTEGER_ONE);
}

#include "wide.glsl"

#endif
