// Repetition without loops: EACH_n(M, x) is M(x, 0) up to M(x, n - 1), and ABOVE_k_OF_n
// is M(x, k + 1) up to M(x, n - 1). No macro expands inside itself, so code that nests
// these writes the outer one out.

#ifndef UNROLL_GLSL
#define UNROLL_GLSL

#define EACH_5(M, x) M(x, 0) ABOVE_0_OF_5(M, x)
#define EACH_8(M, x) M(x, 0) ABOVE_0_OF_8(M, x)
#define EACH_9(M, x) M(x, 0) ABOVE_0_OF_9(M, x)
#define EACH_12(M, x) M(x, 0) ABOVE_0_OF_12(M, x)
#define EACH_13(M, x) M(x, 0) ABOVE_0_OF_13(M, x)

#define ABOVE_0_OF_5(M, x) M(x, 1) ABOVE_1_OF_5(M, x)
#define ABOVE_1_OF_5(M, x) M(x, 2) ABOVE_2_OF_5(M, x)
#define ABOVE_2_OF_5(M, x) M(x, 3) ABOVE_3_OF_5(M, x)
#define ABOVE_3_OF_5(M, x) M(x, 4) ABOVE_4_OF_5(M, x)
#define ABOVE_4_OF_5(M, x)

#define ABOVE_0_OF_8(M, x) M(x, 1) ABOVE_1_OF_8(M, x)
#define ABOVE_1_OF_8(M, x) M(x, 2) ABOVE_2_OF_8(M, x)
#define ABOVE_2_OF_8(M, x) M(x, 3) ABOVE_3_OF_8(M, x)
#define ABOVE_3_OF_8(M, x) M(x, 4) ABOVE_4_OF_8(M, x)
#define ABOVE_4_OF_8(M, x) M(x, 5) ABOVE_5_OF_8(M, x)
#define ABOVE_5_OF_8(M, x) M(x, 6) ABOVE_6_OF_8(M, x)
#define ABOVE_6_OF_8(M, x) M(x, 7) ABOVE_7_OF_8(M, x)
#define ABOVE_7_OF_8(M, x)

#define ABOVE_0_OF_9(M, x) M(x, 1) ABOVE_1_OF_9(M, x)
#define ABOVE_1_OF_9(M, x) M(x, 2) ABOVE_2_OF_9(M, x)
#define ABOVE_2_OF_9(M, x) M(x, 3) ABOVE_3_OF_9(M, x)
#define ABOVE_3_OF_9(M, x) M(x, 4) ABOVE_4_OF_9(M, x)
#define ABOVE_4_OF_9(M, x) M(x, 5) ABOVE_5_OF_9(M, x)
#define ABOVE_5_OF_9(M, x) M(x, 6) ABOVE_6_OF_9(M, x)
#define ABOVE_6_OF_9(M, x) M(x, 7) ABOVE_7_OF_9(M, x)
#define ABOVE_7_OF_9(M, x) M(x, 8) ABOVE_8_OF_9(M, x)
#define ABOVE_8_OF_9(M, x)

#define ABOVE_0_OF_12(M, x) M(x, 1) ABOVE_1_OF_12(M, x)
#define ABOVE_1_OF_12(M, x) M(x, 2) ABOVE_2_OF_12(M, x)
#define ABOVE_2_OF_12(M, x) M(x, 3) ABOVE_3_OF_12(M, x)
#define ABOVE_3_OF_12(M, x) M(x, 4) ABOVE_4_OF_12(M, x)
#define ABOVE_4_OF_12(M, x) M(x, 5) ABOVE_5_OF_12(M, x)
#define ABOVE_5_OF_12(M, x) M(x, 6) ABOVE_6_OF_12(M, x)
#define ABOVE_6_OF_12(M, x) M(x, 7) ABOVE_7_OF_12(M, x)
#define ABOVE_7_OF_12(M, x) M(x, 8) ABOVE_8_OF_12(M, x)
#define ABOVE_8_OF_12(M, x) M(x, 9) ABOVE_9_OF_12(M, x)
#define ABOVE_9_OF_12(M, x) M(x, 10) ABOVE_10_OF_12(M, x)
#define ABOVE_10_OF_12(M, x) M(x, 11) ABOVE_11_OF_12(M, x)
#define ABOVE_11_OF_12(M, x)

#define ABOVE_0_OF_13(M, x) M(x, 1) ABOVE_1_OF_13(M, x)
#define ABOVE_1_OF_13(M, x) M(x, 2) ABOVE_2_OF_13(M, x)
#define ABOVE_2_OF_13(M, x) M(x, 3) ABOVE_3_OF_13(M, x)
#define ABOVE_3_OF_13(M, x) M(x, 4) ABOVE_4_OF_13(M, x)
#define ABOVE_4_OF_13(M, x) M(x, 5) ABOVE_5_OF_13(M, x)
#define ABOVE_5_OF_13(M, x) M(x, 6) ABOVE_6_OF_13(M, x)
#define ABOVE_6_OF_13(M, x) M(x, 7) ABOVE_7_OF_13(M, x)
#define ABOVE_7_OF_13(M, x) M(x, 8) ABOVE_8_OF_13(M, x)
#define ABOVE_8_OF_13(M, x) M(x, 9) ABOVE_9_OF_13(M, x)
#define ABOVE_9_OF_13(M, x) M(x, 10) ABOVE_10_OF_13(M, x)
#define ABOVE_10_OF_13(M, x) M(x, 11) ABOVE_11_OF_13(M, x)
#define ABOVE_11_OF_13(M, x) M(x, 12) ABOVE_12_OF_13(M, x)
#define ABOVE_12_OF_13(M, x)

#endif
