// Repetition without loops: EACH_n(M, x) is M(x, 0) up to M(x, n - 1), and FROM_k(M, x)
// is M(x, k) up to M(x, UNROLL_LAST). No macro expands inside itself, so code that
// nests these writes the outer one out.
//
// The including file defines UNROLL_LAST: 12, 8, 7 or 4.

#ifndef UNROLL_GLSL
#define UNROLL_GLSL

#define EACH_5(M, x) M(x, 0) M(x, 1) M(x, 2) M(x, 3) M(x, 4)
#define EACH_8(M, x) EACH_5(M, x) M(x, 5) M(x, 6) M(x, 7)
#define EACH_9(M, x) EACH_8(M, x) M(x, 8)
#define EACH_12(M, x) EACH_9(M, x) M(x, 9) M(x, 10) M(x, 11)
#define EACH_13(M, x) EACH_12(M, x) M(x, 12)

#define NONE(M, x)

#if UNROLL_LAST >= 12
#define FROM_9(M, x) M(x, 9) FROM_10(M, x)
#define FROM_10(M, x) M(x, 10) FROM_11(M, x)
#define FROM_11(M, x) M(x, 11) FROM_12(M, x)
#define FROM_12(M, x) M(x, 12)
#else
#define FROM_9(M, x)
#endif
#if UNROLL_LAST >= 8
#define FROM_8(M, x) M(x, 8) FROM_9(M, x)
#else
#define FROM_8(M, x)
#endif
#if UNROLL_LAST >= 7
#define FROM_5(M, x) M(x, 5) FROM_6(M, x)
#define FROM_6(M, x) M(x, 6) FROM_7(M, x)
#define FROM_7(M, x) M(x, 7) FROM_8(M, x)
#else
#define FROM_5(M, x)
#endif
#define FROM_1(M, x) M(x, 1) FROM_2(M, x)
#define FROM_2(M, x) M(x, 2) FROM_3(M, x)
#define FROM_3(M, x) M(x, 3) FROM_4(M, x)
#define FROM_4(M, x) M(x, 4) FROM_5(M, x)

#endif
