//go:build !purego

#include "textflag.h"

DATA rgb<>+0(SB)/8, $0x00ffffff00ffffff
DATA rgb<>+8(SB)/8, $0x00ffffff00ffffff
DATA rgb<>+16(SB)/8, $0x00ffffff00ffffff
DATA rgb<>+24(SB)/8, $0x00ffffff00ffffff
GLOBL rgb<>(SB), (RODATA|NOPTR), $32

// In all kernels SI is a or dst, DI b or src, CX the bytes left, Y8 selects
// colours, Y9 is zero.

// FOUR leaves in Y0 where the 128 bytes at SI and DI, and at, differ; clobbers Y1
// to Y3. VPTEST with Y8 then sets the zero flag if no colour does.
#define FOUR(at) \
	VMOVDQU (at+0)(SI), Y0         \
	VMOVDQU (at+32)(SI), Y1        \
	VMOVDQU (at+64)(SI), Y2        \
	VMOVDQU (at+96)(SI), Y3        \
	VPXOR   (at+0)(DI), Y0, Y0     \
	VPXOR   (at+32)(DI), Y1, Y1    \
	VPXOR   (at+64)(DI), Y2, Y2    \
	VPXOR   (at+96)(DI), Y3, Y3    \
	VPOR    Y1, Y0, Y0             \
	VPOR    Y3, Y2, Y2             \
	VPOR    Y2, Y0, Y0

// ONE sets a bit of DX for each of the eight pixels at SI and DI, and at, of equal
// colour; the zero flag if all are (DX is 0 after the XOR).
#define ONE(at) \
	VMOVDQU   at(SI), Y0     \
	VPXOR     at(DI), Y0, Y0 \
	VPAND     Y8, Y0, Y0     \
	VPCMPEQD  Y9, Y0, Y0     \
	VMOVMSKPS Y0, DX         \
	XORL      $0xff, DX

// func firstDiffAVX2(a, b *byte, n int) int
TEXT ·firstDiffAVX2(SB), NOSPLIT, $0-32
	MOVQ    a+0(FP), SI
	MOVQ    b+8(FP), DI
	MOVQ    n+16(FP), CX
	VMOVDQU rgb<>(SB), Y8
	VPXOR   Y9, Y9, Y9
	MOVQ    SI, R8           // the start

four:
	CMPQ   CX, $128
	JLT    one
	FOUR(0)
	VPTEST Y8, Y0
	JNZ    one               // it is in here
	ADDQ   $128, SI
	ADDQ   $128, DI
	SUBQ   $128, CX
	JMP    four

one:
	TESTQ CX, CX
	JZ    none
	ONE(0)
	JNZ   found
	ADDQ  $32, SI
	ADDQ  $32, DI
	SUBQ  $32, CX
	JMP   one

found:
	BSFL DX, DX
	SUBQ R8, SI
	LEAQ (SI)(DX*4), AX
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

none:
	MOVQ $-1, ret+24(FP)
	VZEROUPPER
	RET

// func lastDiffAVX2(a, b *byte, n int) int
TEXT ·lastDiffAVX2(SB), NOSPLIT, $0-32
	MOVQ    a+0(FP), SI
	MOVQ    b+8(FP), DI
	MOVQ    n+16(FP), CX
	VMOVDQU rgb<>(SB), Y8
	VPXOR   Y9, Y9, Y9
	ADDQ    CX, SI           // the end of what is left
	ADDQ    CX, DI

four:
	CMPQ   CX, $128
	JLT    one
	FOUR(-128)
	VPTEST Y8, Y0
	JNZ    one
	SUBQ   $128, SI
	SUBQ   $128, DI
	SUBQ   $128, CX
	JMP    four

one:
	TESTQ CX, CX
	JZ    none
	SUBQ  $32, SI
	SUBQ  $32, DI
	SUBQ  $32, CX
	ONE(0)
	JZ    one

	BSRL DX, DX
	LEAQ (CX)(DX*4), AX
	MOVQ AX, ret+24(FP)
	VZEROUPPER
	RET

none:
	MOVQ $-1, ret+24(FP)
	VZEROUPPER
	RET

// func maskRowAVX2(dst, src *byte, n int)
TEXT ·maskRowAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), SI
	MOVQ    src+8(FP), DI
	MOVQ    n+16(FP), CX
	VMOVDQU rgb<>(SB), Y8

four:
	SUBQ    $128, CX
	JLT     rest
	VPAND   (DI), Y8, Y0
	VPAND   32(DI), Y8, Y1
	VPAND   64(DI), Y8, Y2
	VPAND   96(DI), Y8, Y3
	VMOVDQU Y0, (SI)
	VMOVDQU Y1, 32(SI)
	VMOVDQU Y2, 64(SI)
	VMOVDQU Y3, 96(SI)
	ADDQ    $128, SI
	ADDQ    $128, DI
	JMP     four

rest:
	ADDQ $128, CX
	JZ   done

one:
	VPAND   (DI), Y8, Y0
	VMOVDQU Y0, (SI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     one

done:
	VZEROUPPER
	RET
