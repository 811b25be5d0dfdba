//go:build !purego

#include "textflag.h"

// SAD1 adds the differences of one row of 16 samples to the sum.
#define SAD1(a, b, x, sum) \
	VMOVDQU a, x      \
	VPSADBW b, x, x   \
	VPADDQ  x, sum, sum

// func sad16x16AVX2(a *uint8, aStride int, b *uint8, bStride int) int
TEXT ·sad16x16AVX2(SB), NOSPLIT, $0-40
	MOVQ    a+0(FP), SI
	MOVQ    aStride+8(FP), R8
	MOVQ    b+16(FP), DI
	MOVQ    bStride+24(FP), R9
	LEAQ    (R8)(R8*2), R10
	LEAQ    (R9)(R9*2), R11
	VPXOR   X0, X0, X0
	VPXOR   X1, X1, X1
	MOVL    $4, CX

loop:
	SAD1((SI), (DI), X2, X0)
	SAD1((SI)(R8*1), (DI)(R9*1), X3, X1)
	SAD1((SI)(R8*2), (DI)(R9*2), X4, X0)
	SAD1((SI)(R10*1), (DI)(R11*1), X5, X1)
	LEAQ    (SI)(R8*4), SI
	LEAQ    (DI)(R9*4), DI
	DECL    CX
	JNZ     loop
	VPADDQ  X1, X0, X0
	VPSRLDQ $8, X0, X1
	VPADDQ  X1, X0, X0
	VMOVQ   X0, ret+32(FP)
	RET

// PAIR loads two rows of 8 samples.
#define PAIR(a, b, x) \
	VMOVQ   a, x    \
	VMOVHPS b, x, x

// func sad8x8AVX2(a *uint8, aStride int, b *uint8, bStride int) int
TEXT ·sad8x8AVX2(SB), NOSPLIT, $0-40
	MOVQ    a+0(FP), SI
	MOVQ    aStride+8(FP), R8
	MOVQ    b+16(FP), DI
	MOVQ    bStride+24(FP), R9
	LEAQ    (R8)(R8*2), R10
	LEAQ    (R9)(R9*2), R11
	LEAQ    (SI)(R8*4), AX
	LEAQ    (DI)(R9*4), BX
	PAIR((SI), (SI)(R8*1), X0)
	PAIR((SI)(R8*2), (SI)(R10*1), X1)
	PAIR((AX), (AX)(R8*1), X2)
	PAIR((AX)(R8*2), (AX)(R10*1), X3)
	PAIR((DI), (DI)(R9*1), X4)
	PAIR((DI)(R9*2), (DI)(R11*1), X5)
	PAIR((BX), (BX)(R9*1), X6)
	PAIR((BX)(R9*2), (BX)(R11*1), X7)
	VPSADBW X4, X0, X0
	VPSADBW X5, X1, X1
	VPSADBW X6, X2, X2
	VPSADBW X7, X3, X3
	VPADDQ  X1, X0, X0
	VPADDQ  X3, X2, X2
	VPADDQ  X2, X0, X0
	VPSRLDQ $8, X0, X1
	VPADDQ  X1, X0, X0
	VMOVQ   X0, ret+32(FP)
	RET

// SAD4 compares the row in X4 with four others.
#define SAD4(b0, b1, b2, b3) \
	VPSADBW b0, X4, X5  \
	VPSADBW b1, X4, X6  \
	VPSADBW b2, X4, X7  \
	VPSADBW b3, X4, X8  \
	VPADDQ  X5, X0, X0  \
	VPADDQ  X6, X1, X1  \
	VPADDQ  X7, X2, X2  \
	VPADDQ  X8, X3, X3

// func sad16x16x4AVX2(src *uint8, srcStride int, b0, b1, b2, b3 *uint8, stride int, sums *[4]int)
TEXT ·sad16x16x4AVX2(SB), NOSPLIT, $0-64
	MOVQ  src+0(FP), SI
	MOVQ  srcStride+8(FP), R8
	MOVQ  b0+16(FP), AX
	MOVQ  b1+24(FP), BX
	MOVQ  b2+32(FP), DX
	MOVQ  b3+40(FP), DI
	MOVQ  stride+48(FP), R9
	MOVQ  sums+56(FP), R12
	VPXOR X0, X0, X0
	VPXOR X1, X1, X1
	VPXOR X2, X2, X2
	VPXOR X3, X3, X3
	MOVL  $8, CX

loop:
	VMOVDQU (SI), X4
	SAD4((AX), (BX), (DX), (DI))
	VMOVDQU (SI)(R8*1), X4
	SAD4((AX)(R9*1), (BX)(R9*1), (DX)(R9*1), (DI)(R9*1))
	LEAQ    (SI)(R8*2), SI
	LEAQ    (AX)(R9*2), AX
	LEAQ    (BX)(R9*2), BX
	LEAQ    (DX)(R9*2), DX
	LEAQ    (DI)(R9*2), DI
	DECL    CX
	JNZ     loop

	VPUNPCKLQDQ X1, X0, X4
	VPUNPCKHQDQ X1, X0, X5
	VPUNPCKLQDQ X3, X2, X6
	VPUNPCKHQDQ X3, X2, X7
	VPADDQ      X5, X4, X4
	VPADDQ      X7, X6, X6
	VMOVDQU     X4, (R12)
	VMOVDQU     X6, 16(R12)
	RET

// func bestSubblockAVX2(src *uint8, stride int, predictions *uint8, p *Penalties) uint32
TEXT ·bestSubblockAVX2(SB), NOSPLIT, $0-36
	MOVQ    src+0(FP), SI
	MOVQ    stride+8(FP), R8
	MOVQ    predictions+16(FP), BX
	MOVQ    p+24(FP), DI
	LEAQ    (R8)(R8*2), R10
	VMOVD   (SI), X0
	VPINSRD $1, (SI)(R8*1), X0, X0
	VPINSRD $2, (SI)(R8*2), X0, X0
	VPINSRD $3, (SI)(R10*1), X0, X0
	VPSADBW     0(BX), X0, X1
	VPSADBW     16(BX), X0, X6
	VPUNPCKLQDQ X6, X1, X7
	VPUNPCKHQDQ X6, X1, X1
	VPADDQ      X7, X1, X1
	VPSADBW     32(BX), X0, X2
	VPSADBW     48(BX), X0, X6
	VPUNPCKLQDQ X6, X2, X7
	VPUNPCKHQDQ X6, X2, X2
	VPADDQ      X7, X2, X2
	VPSADBW     64(BX), X0, X3
	VPSADBW     80(BX), X0, X6
	VPUNPCKLQDQ X6, X3, X7
	VPUNPCKHQDQ X6, X3, X3
	VPADDQ      X7, X3, X3
	VPSADBW     96(BX), X0, X4
	VPSADBW     112(BX), X0, X6
	VPUNPCKLQDQ X6, X4, X7
	VPUNPCKHQDQ X6, X4, X4
	VPADDQ      X7, X4, X4
	VPSADBW     128(BX), X0, X5
	VPSADBW     144(BX), X0, X6
	VPUNPCKLQDQ X6, X5, X7
	VPUNPCKHQDQ X6, X5, X5
	VPADDQ      X7, X5, X5

	// Sums of modes 0 to 7 as words in X1, of 8 and 9 in X5.
	VPXOR       X8, X8, X8
	VPACKUSDW   X2, X1, X1
	VPACKUSDW   X4, X3, X3
	VPACKUSDW   X8, X5, X5
	VPACKUSDW   X3, X1, X1
	VPACKUSDW   X8, X5, X5
	VPADDUSW    (DI), X1, X1
	VPADDUSW    16(DI), X5, X5
	VPHMINPOSUW X1, X1
	VPHMINPOSUW X5, X5
	VMOVD       X1, AX
	VMOVD       X5, CX
	LEAL        (8<<16)(CX), DX
	CMPW        CX, AX
	CMOVLCS     DX, AX
	MOVL        AX, ret+32(FP)
	RET

// func sse16x16AVX2(a *uint8, aStride int, b *uint8, bStride int) int
TEXT ·sse16x16AVX2(SB), NOSPLIT, $0-40
	MOVQ  a+0(FP), SI
	MOVQ  aStride+8(FP), R8
	MOVQ  b+16(FP), DI
	MOVQ  bStride+24(FP), R9
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	MOVL  $8, CX

loop:
	VPMOVZXBW (SI), Y2
	VPMOVZXBW (DI), Y3
	VPMOVZXBW (SI)(R8*1), Y4
	VPMOVZXBW (DI)(R9*1), Y5
	VPSUBW    Y3, Y2, Y2
	VPSUBW    Y5, Y4, Y4
	VPMADDWD  Y2, Y2, Y2
	VPMADDWD  Y4, Y4, Y4
	VPADDD    Y2, Y0, Y0
	VPADDD    Y4, Y1, Y1
	LEAQ      (SI)(R8*2), SI
	LEAQ      (DI)(R9*2), DI
	DECL      CX
	JNZ       loop
	VPADDD    Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0x4e, X0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0xb1, X0, X1
	VPADDD    X1, X0, X0
	VMOVD     X0, AX
	MOVQ      AX, ret+32(FP)
	VZEROUPPER
	RET

// func sse8x8AVX2(a *uint8, aStride int, b *uint8, bStride int) int
TEXT ·sse8x8AVX2(SB), NOSPLIT, $0-40
	MOVQ  a+0(FP), SI
	MOVQ  aStride+8(FP), R8
	MOVQ  b+16(FP), DI
	MOVQ  bStride+24(FP), R9
	VPXOR Y0, Y0, Y0
	MOVL  $4, CX

loop:
	PAIR((SI), (SI)(R8*1), X2)
	PAIR((DI), (DI)(R9*1), X3)
	VPMOVZXBW X2, Y2
	VPMOVZXBW X3, Y3
	VPSUBW    Y3, Y2, Y2
	VPMADDWD  Y2, Y2, Y2
	VPADDD    Y2, Y0, Y0
	LEAQ      (SI)(R8*2), SI
	LEAQ      (DI)(R9*2), DI
	DECL      CX
	JNZ       loop
	VEXTRACTI128 $1, Y0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0x4e, X0, X1
	VPADDD    X1, X0, X0
	VPSHUFD   $0xb1, X0, X1
	VPADDD    X1, X0, X0
	VMOVD     X0, AX
	MOVQ      AX, ret+32(FP)
	VZEROUPPER
	RET

// func moments16x16AVX2(a *uint8, stride int) (sum, sumSq int)
TEXT ·moments16x16AVX2(SB), NOSPLIT, $0-32
	MOVQ  a+0(FP), SI
	MOVQ  stride+8(FP), R8
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	MOVL  $16, CX

loop:
	VMOVDQU   (SI), X3
	VPMOVZXBW X3, Y4
	VPSADBW   X2, X3, X3
	VPMADDWD  Y4, Y4, Y4
	VPADDQ    X3, X0, X0
	VPADDD    Y4, Y1, Y1
	ADDQ      R8, SI
	DECL      CX
	JNZ       loop
	VPSRLDQ   $8, X0, X3
	VPADDQ    X3, X0, X0
	VMOVQ     X0, sum+16(FP)
	VEXTRACTI128 $1, Y1, X3
	VPADDD    X3, X1, X1
	VPSHUFD   $0x4e, X1, X3
	VPADDD    X3, X1, X1
	VPSHUFD   $0xb1, X1, X3
	VPADDD    X3, X1, X1
	VMOVD     X1, AX
	MOVQ      AX, sumSq+24(FP)
	VZEROUPPER
	RET
