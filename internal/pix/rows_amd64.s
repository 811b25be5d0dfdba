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

// func equalRowsAVX2(a, b *byte, strideA, strideB, n, rows int) int
TEXT ·equalRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ    a+0(FP), R8       // the rows
	MOVQ    b+8(FP), R9
	MOVQ    strideA+16(FP), R10
	MOVQ    strideB+24(FP), R11
	MOVQ    n+32(FP), R12
	MOVQ    rows+40(FP), R13  // left
	VMOVDQU rgb<>(SB), Y8

row:
	MOVQ R8, SI
	MOVQ R9, DI
	MOVQ R12, CX
	CMPQ CX, $1024
	JLT  four

	// The processor reads ahead along long rows, but not to the next one, which is in
	// other pages: that is fetched while this one is compared.
ahead:
	SUBQ       $128, CX
	JLT        rest
	FOUR(0)
	PREFETCHT0 (SI)(R10*1)
	PREFETCHT0 64(SI)(R10*1)
	PREFETCHT0 (DI)(R11*1)
	PREFETCHT0 64(DI)(R11*1)
	VPTEST     Y8, Y0
	JNZ        done
	ADDQ       $128, SI
	ADDQ       $128, DI
	JMP        ahead

four:
	SUBQ   $128, CX
	JLT    rest
	FOUR(0)
	VPTEST Y8, Y0
	JNZ    done
	ADDQ   $128, SI
	ADDQ   $128, DI
	JMP    four

rest:
	ADDQ $128, CX
	JZ   next

one:
	SUBQ    $32, CX
	JLT     tail
	VMOVDQU (SI), Y0
	VPXOR   (DI), Y0, Y0
	VPTEST  Y8, Y0
	JNZ     done
	ADDQ    $32, SI
	ADDQ    $32, DI
	JMP     one

tail:
	ADDQ    $32, CX
	JZ      next
	VMOVDQU -32(SI)(CX*1), Y0 // the last 32 bytes: some once more
	VPXOR   -32(DI)(CX*1), Y0, Y0
	VPTEST  Y8, Y0
	JNZ     done

next:
	ADDQ R10, R8
	ADDQ R11, R9
	DECQ R13
	JNZ  row

done:
	MOVQ rows+40(FP), AX
	SUBQ R13, AX
	MOVQ AX, ret+48(FP)
	VZEROUPPER
	RET

// func differingAVX2(a, b *byte, strideA, strideB, rows int) uint
TEXT ·differingAVX2(SB), NOSPLIT, $0-48
	MOVQ  a+0(FP), SI
	MOVQ  b+8(FP), DI
	MOVQ  strideA+16(FP), R10
	MOVQ  strideB+24(FP), R11
	MOVQ  rows+32(FP), CX
	VPXOR Y4, Y4, Y4

or:
	VMOVDQU (SI), Y0
	VPXOR   (DI), Y0, Y0
	VPOR    Y0, Y4, Y4
	ADDQ    R10, SI
	ADDQ    R11, DI
	DECQ    CX
	JNZ     or

	VPXOR     Y9, Y9, Y9
	VPAND     rgb<>(SB), Y4, Y4
	VPCMPEQD  Y9, Y4, Y4
	VMOVMSKPS Y4, AX
	XORL      $0xff, AX
	MOVQ      AX, ret+40(FP)
	VZEROUPPER
	RET
