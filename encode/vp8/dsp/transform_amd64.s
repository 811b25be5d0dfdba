//go:build !purego

#include "textflag.h"

// Four blocks at a time: row r of them, or column r between the passes, are the 16
// words of Yr; blocks 0 and 1 lie in the low half, 2 and 3 in the high one. All is
// done in 16 bits as transform.go says, whose results these are to the bit.

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

REPEAT(dct, 0, 0x273d273d273d273d)  // fwdCosM1
REPEAT(dct, 32, 0x4546454645464546) // fwdSin
REPEAT(dct, 64, 0x0008000800080008) // rounding of the forward transform
REPEAT(dct, 96, 0x4e7b4e7b4e7b4e7b) // cosM1
REPEAT(dct, 128, 0x8a8c8a8c8a8c8a8c) // sin - 65536
REPEAT(dct, 160, 0x0004000400040004) // rounding of the inverse transform

// Repeats the word of each quadword.
DATA dct<>+192(SB)/8, $0x0100010001000100
DATA dct<>+200(SB)/8, $0x0908090809080908
DATA dct<>+208(SB)/8, $0x0100010001000100
DATA dct<>+216(SB)/8, $0x0908090809080908
GLOBL dct<>(SB), (RODATA|NOPTR), $224

// SHUFFLE is the first part of a transposition: Y8 and Y9 hold lines 0, 1 and 2, 3
// of the even blocks, Y10 and Y11 of the odd ones. Clobbers Y4 to Y7.
#define SHUFFLE \
	VPUNPCKLWD Y1, Y0, Y4  \
	VPUNPCKHWD Y1, Y0, Y5  \
	VPUNPCKLWD Y3, Y2, Y6  \
	VPUNPCKHWD Y3, Y2, Y7  \
	VPUNPCKLDQ Y6, Y4, Y8  \
	VPUNPCKHDQ Y6, Y4, Y9  \
	VPUNPCKLDQ Y7, Y5, Y10 \
	VPUNPCKHDQ Y7, Y5, Y11

// JOIN is the rest of it.
#define JOIN \
	VPUNPCKLQDQ Y10, Y8, Y0 \
	VPUNPCKHQDQ Y10, Y8, Y1 \
	VPUNPCKLQDQ Y11, Y9, Y2 \
	VPUNPCKHQDQ Y11, Y9, Y3

// PASS transforms Y0 to Y3 in place: a, d, b, c of forwardBlock are Y4 to Y7.
// Clobbers Y4 to Y9.
#define PASS \
	VPADDW    Y3, Y0, Y4  \
	VPSUBW    Y3, Y0, Y5  \
	VPADDW    Y2, Y1, Y6  \
	VPSUBW    Y2, Y1, Y7  \
	VPADDW    Y6, Y4, Y0  \
	VPSUBW    Y6, Y4, Y2  \
	VPMULHRSW Y14, Y5, Y1 \
	VPMULHRSW Y15, Y7, Y8 \
	VPMULHRSW Y15, Y5, Y3 \
	VPMULHRSW Y14, Y7, Y9 \
	VPADDW    Y5, Y1, Y1  \
	VPADDW    Y8, Y1, Y1  \
	VPSUBW    Y7, Y3, Y3  \
	VPSUBW    Y9, Y3, Y3

#define ROUND(v) \
	VPADDW Y13, v, v \
	VPSRAW $4, v, v

// FORWARD makes coefficients of the differences in Y0 to Y3: Y0, Y1, Y2 and Y3 are
// then the blocks.
#define FORWARD \
	VPSLLW     $3, Y0, Y0        \
	VPSLLW     $3, Y1, Y1        \
	VPSLLW     $3, Y2, Y2        \
	VPSLLW     $3, Y3, Y3        \
	PASS                         \
	SHUFFLE                      \
	JOIN                         \
	PASS                         \
	ROUND(Y0)                    \
	ROUND(Y1)                    \
	ROUND(Y2)                    \
	ROUND(Y3)                    \
	SHUFFLE                      \
	VPERM2I128 $0x20, Y9, Y8, Y0 \
	VPERM2I128 $0x20, Y11, Y10, Y1 \
	VPERM2I128 $0x31, Y9, Y8, Y2 \
	VPERM2I128 $0x31, Y11, Y10, Y3

#define FORWARDCONSTANTS \
	VMOVDQU dct<>+0(SB), Y14  \
	VMOVDQU dct<>+32(SB), Y15 \
	VMOVDQU dct<>+64(SB), Y13

// func forward4AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride, n int)
TEXT ·forward4AVX2(SB), NOSPLIT, $0-48
	MOVQ coef+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ srcStride+16(FP), R8
	MOVQ pred+24(FP), BX
	MOVQ predStride+32(FP), R9
	MOVQ n+40(FP), CX
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	FORWARDCONSTANTS

loop4:
	VPMOVZXBW (SI), Y0
	VPMOVZXBW (SI)(R8*1), Y1
	VPMOVZXBW (SI)(R8*2), Y2
	VPMOVZXBW (SI)(R10*1), Y3
	VPMOVZXBW (BX), Y4
	VPMOVZXBW (BX)(R9*1), Y5
	VPMOVZXBW (BX)(R9*2), Y6
	VPMOVZXBW (BX)(R11*1), Y7
	VPSUBW    Y4, Y0, Y0
	VPSUBW    Y5, Y1, Y1
	VPSUBW    Y6, Y2, Y2
	VPSUBW    Y7, Y3, Y3
	FORWARD
	VMOVDQU   Y0, (DI)
	VMOVDQU   Y1, 32(DI)
	VMOVDQU   Y2, 64(DI)
	VMOVDQU   Y3, 96(DI)
	ADDQ      $128, DI
	LEAQ      (SI)(R8*4), SI
	LEAQ      (BX)(R9*4), BX
	DECQ      CX
	JNZ       loop4
	VZEROUPPER
	RET

// LOAD2 makes 16 words of 8 samples at p and 8 four rows below, at q.
#define LOAD2(p, q, x, y) \
	VMOVQ     p, x    \
	VMOVHPS   q, x, x \
	VPMOVZXBW x, y

// func forward2AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride, n int)
TEXT ·forward2AVX2(SB), NOSPLIT, $0-48
	MOVQ coef+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ srcStride+16(FP), R8
	MOVQ pred+24(FP), BX
	MOVQ predStride+32(FP), R9
	MOVQ n+40(FP), CX
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	FORWARDCONSTANTS

loop2:
	LEAQ    (SI)(R8*4), R12
	LEAQ    (BX)(R9*4), R13
	LOAD2((SI), (R12), X0, Y0)
	LOAD2((SI)(R8*1), (R12)(R8*1), X1, Y1)
	LOAD2((SI)(R8*2), (R12)(R8*2), X2, Y2)
	LOAD2((SI)(R10*1), (R12)(R10*1), X3, Y3)
	LOAD2((BX), (R13), X4, Y4)
	LOAD2((BX)(R9*1), (R13)(R9*1), X5, Y5)
	LOAD2((BX)(R9*2), (R13)(R9*2), X6, Y6)
	LOAD2((BX)(R11*1), (R13)(R11*1), X7, Y7)
	VPSUBW  Y4, Y0, Y0
	VPSUBW  Y5, Y1, Y1
	VPSUBW  Y6, Y2, Y2
	VPSUBW  Y7, Y3, Y3
	FORWARD
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	ADDQ    $128, DI
	LEAQ    (R12)(R8*4), SI
	LEAQ    (R13)(R9*4), BX
	DECQ    CX
	JNZ     loop2
	VZEROUPPER
	RET

#define LOAD1(p, x) \
	VMOVD     p, x \
	VPMOVZXBW x, x

// func forward1AVX2(coef *int16, src *uint8, srcStride int, pred *uint8, predStride int)
TEXT ·forward1AVX2(SB), NOSPLIT, $0-40
	MOVQ coef+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ srcStride+16(FP), R8
	MOVQ pred+24(FP), BX
	MOVQ predStride+32(FP), R9
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	FORWARDCONSTANTS
	LOAD1((SI), X0)
	LOAD1((SI)(R8*1), X1)
	LOAD1((SI)(R8*2), X2)
	LOAD1((SI)(R10*1), X3)
	LOAD1((BX), X4)
	LOAD1((BX)(R9*1), X5)
	LOAD1((BX)(R9*2), X6)
	LOAD1((BX)(R11*1), X7)
	VPSUBW  Y4, Y0, Y0
	VPSUBW  Y5, Y1, Y1
	VPSUBW  Y6, Y2, Y2
	VPSUBW  Y7, Y3, Y3
	FORWARD
	VMOVDQU Y0, (DI)
	VZEROUPPER
	RET

// INVERSEPASS transforms Y0 to Y3 in place: a, b, c, d of inverseBlock are Y5, Y7,
// Y4 and Y6. Clobbers these.
#define INVERSEPASS \
	VPMULHW Y15, Y1, Y4 \
	VPMULHW Y14, Y3, Y5 \
	VPMULHW Y14, Y1, Y6 \
	VPMULHW Y15, Y3, Y7 \
	VPADDW  Y1, Y4, Y4  \
	VPADDW  Y3, Y5, Y5  \
	VPADDW  Y1, Y6, Y6  \
	VPADDW  Y3, Y7, Y7  \
	VPSUBW  Y5, Y4, Y4  \
	VPADDW  Y7, Y6, Y6  \
	VPADDW  Y2, Y0, Y5  \
	VPSUBW  Y2, Y0, Y7  \
	VPADDW  Y6, Y5, Y0  \
	VPADDW  Y4, Y7, Y1  \
	VPSUBW  Y4, Y7, Y2  \
	VPSUBW  Y6, Y5, Y3

// INVERSE makes rows of differences of the rows of coefficients in Y0 to Y3.
#define INVERSE \
	INVERSEPASS         \
	SHUFFLE             \
	JOIN                \
	VPADDW Y13, Y0, Y0  \
	INVERSEPASS         \
	VPSRAW $3, Y0, Y0   \
	VPSRAW $3, Y1, Y1   \
	VPSRAW $3, Y2, Y2   \
	VPSRAW $3, Y3, Y3   \
	SHUFFLE             \
	JOIN

#define INVERSECONSTANTS \
	VMOVDQU dct<>+96(SB), Y14  \
	VMOVDQU dct<>+128(SB), Y15 \
	VMOVDQU dct<>+160(SB), Y13

// LOADBLOCKS makes rows of the four blocks at SI. Clobbers Y4 to Y7.
#define LOADBLOCKS \
	VMOVDQU     (SI), X4             \
	VMOVDQU     32(SI), X5           \
	VMOVDQU     16(SI), X6           \
	VMOVDQU     48(SI), X7           \
	VINSERTI128 $1, 64(SI), Y4, Y4   \
	VINSERTI128 $1, 96(SI), Y5, Y5   \
	VINSERTI128 $1, 80(SI), Y6, Y6   \
	VINSERTI128 $1, 112(SI), Y7, Y7  \
	VPUNPCKLQDQ Y5, Y4, Y0           \
	VPUNPCKHQDQ Y5, Y4, Y1           \
	VPUNPCKLQDQ Y7, Y6, Y2           \
	VPUNPCKHQDQ Y7, Y6, Y3

// func inverse4AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16, ac uint32, n int)
TEXT ·inverse4AVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ pred+16(FP), BX
	MOVQ predStride+24(FP), R9
	MOVQ coef+32(FP), SI
	MOVL ac+40(FP), AX
	MOVQ n+48(FP), CX
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	INVERSECONSTANTS

inverse4:
	TESTL $15, AX
	JZ    first4
	LOADBLOCKS
	INVERSE

add4:
	VPMOVZXBW (BX), Y4
	VPMOVZXBW (BX)(R9*1), Y5
	VPMOVZXBW (BX)(R9*2), Y6
	VPMOVZXBW (BX)(R11*1), Y7
	VPADDW    Y4, Y0, Y0
	VPADDW    Y5, Y1, Y1
	VPADDW    Y6, Y2, Y2
	VPADDW    Y7, Y3, Y3
	VPACKUSWB Y1, Y0, Y0
	VPACKUSWB Y3, Y2, Y2
	VPERMQ    $0xd8, Y0, Y0
	VPERMQ    $0xd8, Y2, Y2
	VMOVDQU   X0, (DI)
	VEXTRACTI128 $1, Y0, (DI)(R8*1)
	VMOVDQU   X2, (DI)(R8*2)
	VEXTRACTI128 $1, Y2, (DI)(R10*1)
	ADDQ      $128, SI
	LEAQ      (DI)(R8*4), DI
	LEAQ      (BX)(R9*4), BX
	SHRL      $4, AX
	DECQ      CX
	JNZ       inverse4
	VZEROUPPER
	RET

first4:
	// First coefficients alone: the same difference in all of a block.
	VMOVD     (SI), X0
	VPINSRW   $1, 32(SI), X0, X0
	VPINSRW   $2, 64(SI), X0, X0
	VPINSRW   $3, 96(SI), X0, X0
	VPADDW    X13, X0, X0
	VPSRAW    $3, X0, X0
	VPMOVZXWQ X0, Y0
	VPSHUFB   dct<>+192(SB), Y0, Y0
	VMOVDQA   Y0, Y1
	VMOVDQA   Y0, Y2
	VMOVDQA   Y0, Y3
	JMP       add4

// func inverse2AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16, n int)
TEXT ·inverse2AVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ pred+16(FP), BX
	MOVQ predStride+24(FP), R9
	MOVQ coef+32(FP), SI
	MOVQ n+40(FP), CX
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	INVERSECONSTANTS

inverse2:
	LEAQ      (DI)(R8*4), R12
	LEAQ      (BX)(R9*4), R13
	LOADBLOCKS
	INVERSE
	LOAD2((BX), (R13), X4, Y4)
	LOAD2((BX)(R9*1), (R13)(R9*1), X5, Y5)
	LOAD2((BX)(R9*2), (R13)(R9*2), X6, Y6)
	LOAD2((BX)(R11*1), (R13)(R11*1), X7, Y7)
	VPADDW    Y4, Y0, Y0
	VPADDW    Y5, Y1, Y1
	VPADDW    Y6, Y2, Y2
	VPADDW    Y7, Y3, Y3
	VPACKUSWB Y1, Y0, Y0
	VPACKUSWB Y3, Y2, Y2
	VEXTRACTI128 $1, Y0, X1
	VEXTRACTI128 $1, Y2, X3
	VMOVQ     X0, (DI)
	VMOVHPS   X0, (DI)(R8*1)
	VMOVQ     X2, (DI)(R8*2)
	VMOVHPS   X2, (DI)(R10*1)
	VMOVQ     X1, (R12)
	VMOVHPS   X1, (R12)(R8*1)
	VMOVQ     X3, (R12)(R8*2)
	VMOVHPS   X3, (R12)(R10*1)
	ADDQ      $128, SI
	LEAQ      (R12)(R8*4), DI
	LEAQ      (R13)(R9*4), BX
	DECQ      CX
	JNZ       inverse2
	VZEROUPPER
	RET

// func inverse1AVX2(dst *uint8, dstStride int, pred *uint8, predStride int, coef *int16)
TEXT ·inverse1AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ pred+16(FP), BX
	MOVQ predStride+24(FP), R9
	MOVQ coef+32(FP), SI
	LEAQ (R8)(R8*2), R10
	LEAQ (R9)(R9*2), R11
	INVERSECONSTANTS
	VMOVQ     (SI), X0
	VMOVQ     8(SI), X1
	VMOVQ     16(SI), X2
	VMOVQ     24(SI), X3
	INVERSE
	LOAD1((BX), X4)
	LOAD1((BX)(R9*1), X5)
	LOAD1((BX)(R9*2), X6)
	LOAD1((BX)(R11*1), X7)
	VPADDW    X4, X0, X0
	VPADDW    X5, X1, X1
	VPADDW    X6, X2, X2
	VPADDW    X7, X3, X3
	VPACKUSWB X0, X0, X0
	VPACKUSWB X1, X1, X1
	VPACKUSWB X2, X2, X2
	VPACKUSWB X3, X3, X3
	VMOVD     X0, (DI)
	VMOVD     X1, (DI)(R8*1)
	VMOVD     X2, (DI)(R8*2)
	VMOVD     X3, (DI)(R10*1)
	VZEROUPPER
	RET
