// Field elements in limbs of 30 bits, 13 or 9 of them, least significant first.

#ifndef LIMBS30_GLSL
#define LIMBS30_GLSL

#define MASK30 0x3fffffffu

#ifdef FIELD_FP
#define EACH_LIMB30 EACH_13
#define EACH_LOWER_LIMB30 EACH_12
#define MODULUS_LIMBS30 { P30_0, P30_1, P30_2, P30_3, P30_4, P30_5, P30_6, P30_7, P30_8, \
                          P30_9, P30_10, P30_11, P30_12 }
// A zero word on either side, so that 30 bits that begin or end outside can be read.
#define PADDED_WORDS_OF(e) { 0u, e.p0.x, e.p0.y, e.p0.z, e.p0.w, e.p1.x, e.p1.y, e.p1.z, \
                             e.p1.w, e.p2.x, e.p2.y, e.p2.z, e.p2.w, 0u }
#else
#define EACH_LIMB30 EACH_9
#define EACH_LOWER_LIMB30 EACH_8
#define MODULUS_LIMBS30 { P30_0, P30_1, P30_2, P30_3, P30_4, P30_5, P30_6, P30_7, P30_8 }
#define PADDED_WORDS_OF(e) { 0u, e.p0.x, e.p0.y, e.p0.z, e.p0.w, e.p1.x, e.p1.y, e.p1.z, e.p1.w, 0u }
#endif

#define PADDED_WORDS (FIELD_WORDS + 2)

// Limb k of padded words times 2^shift, and word k of limbs, of which bits from 30 on
// do not count.
#define LIMB30(w, shift, k) BITS30(w, 32 + 30 * (k) - (shift))
#define BITS30(w, bit) (WORD_FROM(w[(bit) / 32], w[(bit) / 32 + 1], (bit) % 32) & MASK30)
#define WORD30(limb, k) WORD_FROM(limb[k] << 2, limb[(k) + 1], 2 * (k) + 2)

// 32 bits of two words from a bit below 32 on. In two steps up, since a shift by 32 is
// undefined. Not as a shift of a 64-bit integer: one driver then takes what comes of it
// for 64 bits wide, and adds an instruction to every product of it.
#define WORD_FROM(low, high, bit) (((low) >> (bit)) | ((high) << 1 << (31 - (bit))))

#endif
