// Field elements in limbs of 48 or 51 bits as doubles, least significant first.
//
// The base field has 8 limbs of 48 bits, 384 in all. The scalar field has 5 of 51,
// and R = 2^256 is one bit more: the last step of its reduction takes 52 bits off.

#ifndef LIMBS_F64_GLSL
#define LIMBS_F64_GLSL

#ifdef FIELD_FP
#define F64_LIMBS 8
#define F64_BITS 48
#define EACH_LIMB_F64 EACH_8
#define EACH_UPPER_LIMB_F64 ABOVE_0_OF_8
// 2^100, and the bits of it.
#define TOP 1267650600228229401496703205376.0lf
#define TOP_BITS 0x4630000000000000ul
#else
#define F64_LIMBS 5
#define F64_BITS 51
#define EACH_LIMB_F64 EACH_5
#define EACH_UPPER_LIMB_F64 ABOVE_0_OF_5
// 2^103, and the bits of it.
#define TOP 10141204801825835211973625643008.0lf
#define TOP_BITS 0x4660000000000000ul
// The same where products may be negative, 3 2^102: a product below 2^102 in size keeps it
// between 2^103 and 2^104.
#define TOP_SIGNED 15211807202738752817960438464512.0lf
#define TOP_SIGNED_BITS 0x4668000000000000ul
#endif

#define F64_MASK ((1ul << F64_BITS) - 1ul)
// 3 2^51, and the bits of it.
#define MIDDLE 6755399441055744.0lf
#define MIDDLE_BITS 0x4338000000000000ul

// An integer below 2^52 as a double: it becomes the fraction of 2^52 + integer.
#define TO_DOUBLE(integer) \
    (uint64BitsToDouble((integer) | 0x4330000000000000ul) - 4503599627370496.0lf)

#ifdef FIELD_FP
// 48 bits of the modulus, from bit 0 and from bit 16 of two words.
#define LIMB_FROM_0(low, high) (double(low) + double((high) & 0xffffu) * 4294967296.0lf)
#define LIMB_FROM_16(low, high) (double((low) >> 16) + double(high) * 65536.0lf)
#define MODULUS_LIMBS_F64 { LIMB_FROM_0(P32_0, P32_1), LIMB_FROM_16(P32_1, P32_2), \
                        LIMB_FROM_0(P32_3, P32_4), LIMB_FROM_16(P32_4, P32_5), \
                        LIMB_FROM_0(P32_6, P32_7), LIMB_FROM_16(P32_7, P32_8), \
                        LIMB_FROM_0(P32_9, P32_10), LIMB_FROM_16(P32_10, P32_11) }
#else
#define MODULUS_LIMBS_F64 { P51_0, P51_1, P51_2, P51_3, P51_4 }
// -1 / p modulo 2^52, by one step of Newton's method from 2^32.
#define P_LOW (uint64_t(P32_0) | uint64_t(P32_1) << 32)
#define P_INV52 (uint64_t(P_INV32) * (2ul + P_LOW * uint64_t(P_INV32)))
#define MASK52 ((1ul << 52) - 1ul)
#endif

// The words of e in limbs of F64_BITS bits.
#define PAIR(first, second) packUint2x32(uvec2(first, second))
#ifdef FIELD_FP
#define SET_LIMBS_F64(limb, e) \
    limb[0] = TO_DOUBLE(PAIR(e.p0.x, e.p0.y & 0xffffu)); \
    limb[1] = TO_DOUBLE(PAIR(e.p0.y, e.p0.z) >> 16); \
    limb[2] = TO_DOUBLE(PAIR(e.p0.w, e.p1.x & 0xffffu)); \
    limb[3] = TO_DOUBLE(PAIR(e.p1.x, e.p1.y) >> 16); \
    limb[4] = TO_DOUBLE(PAIR(e.p1.z, e.p1.w & 0xffffu)); \
    limb[5] = TO_DOUBLE(PAIR(e.p1.w, e.p2.x) >> 16); \
    limb[6] = TO_DOUBLE(PAIR(e.p2.y, e.p2.z & 0xffffu)); \
    limb[7] = TO_DOUBLE(PAIR(e.p2.z, e.p2.w) >> 16);
#else
#define SET_LIMBS_F64(limb, e) \
    limb[0] = TO_DOUBLE(PAIR(e.p0.x, e.p0.y) & F64_MASK); \
    limb[1] = TO_DOUBLE((PAIR(e.p0.y, e.p0.z) >> 19 | PAIR(0u, e.p0.w) << 13) & F64_MASK); \
    limb[2] = TO_DOUBLE(PAIR(e.p0.w, e.p1.x) >> 6 & F64_MASK); \
    limb[3] = TO_DOUBLE((PAIR(e.p1.x, e.p1.y) >> 25 | PAIR(0u, e.p1.z) << 7) & F64_MASK); \
    limb[4] = TO_DOUBLE(PAIR(e.p1.z, e.p1.w) >> 12);
#endif

#endif
