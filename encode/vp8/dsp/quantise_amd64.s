//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The words of a block, row by row, to zigzag order: where they stay in their half,
// and where they come from the other one.
DATA zigzag<>+0(SB)/8, $0x8080090803020100
DATA zigzag<>+8(SB)/8, $0x0d0c070605040b0a
DATA zigzag<>+16(SB)/8, $0x05040b0a09080302
DATA zigzag<>+24(SB)/8, $0x0f0e0d0c07068080
DATA zigzag<>+32(SB)/8, $0x0100808080808080
DATA zigzag<>+40(SB)/8, $0x8080808080808080
DATA zigzag<>+48(SB)/8, $0x8080808080808080
DATA zigzag<>+56(SB)/8, $0x8080808080800f0e
// All words, and all but the first.
DATA zigzag<>+64(SB)/8, $-1
DATA zigzag<>+72(SB)/8, $-1
DATA zigzag<>+80(SB)/8, $-1
DATA zigzag<>+88(SB)/8, $-1
DATA zigzag<>+96(SB)/8, $0xffffffffffff0000
DATA zigzag<>+104(SB)/8, $-1
DATA zigzag<>+112(SB)/8, $-1
DATA zigzag<>+120(SB)/8, $-1
GLOBL zigzag<>(SB), (RODATA|NOPTR), $128

// func quantiseAVX2(levels, coef *int16, end *uint8, q *Quant, n, first int) (ac uint32)
TEXT ·quantiseAVX2(SB), NOSPLIT, $0-52
	MOVQ    levels+0(FP), DI
	MOVQ    coef+8(FP), SI
	MOVQ    end+16(FP), DX
	MOVQ    q+24(FP), BX
	MOVQ    n+32(FP), CX
	MOVQ    first+40(FP), AX
	SHLQ    $5, AX
	LEAQ    zigzag<>+64(SB), R8
	VMOVDQU (R8)(AX*1), Y7
	VMOVDQU Quant_round(BX), Y15
	VMOVDQU Quant_recip(BX), Y14
	VMOVDQU Quant_shift(BX), Y13
	VMOVDQU Quant_step(BX), Y12
	VMOVDQU zigzag<>+0(SB), Y11
	VMOVDQU zigzag<>+32(SB), Y10
	VPXOR   Y9, Y9, Y9
	XORL    R9, R9          // ac
	MOVL    $1, R10         // the block's bit
	XORL    R11, R11

loop:
	VMOVDQU    (SI), Y0
	VPABSW     Y0, Y1
	VPADDW     Y15, Y1, Y1
	VPMULHUW   Y14, Y1, Y1
	VPMULHUW   Y13, Y1, Y1
	VPSIGNW    Y0, Y1, Y1
	VPAND      Y7, Y1, Y1
	VPANDN     Y0, Y7, Y0
	VPMULLW    Y12, Y1, Y2
	VPOR       Y0, Y2, Y2
	VMOVDQU    Y2, (SI)
	VPERM2I128 $1, Y1, Y1, Y3
	VPSHUFB    Y11, Y1, Y1
	VPSHUFB    Y10, Y3, Y3
	VPOR       Y3, Y1, Y1
	VMOVDQU    Y1, (DI)
	VPCMPEQW   Y9, Y1, Y1
	VPMOVMSKB  Y1, AX
	NOTL       AX
	LEAQ       1(AX*2), AX
	BSRQ       AX, AX
	SHRL       $1, AX
	MOVB       AX, (DX)
	MOVL       R10, R12
	CMPL       AX, $2
	CMOVLCS    R11, R12
	ORL        R12, R9
	ADDL       R10, R10
	ADDQ       $32, SI
	ADDQ       $32, DI
	INCQ       DX
	DECQ       CX
	JNZ        loop
	MOVL       R9, ac+48(FP)
	VZEROUPPER
	RET
