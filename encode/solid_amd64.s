//go:build !purego

#include "textflag.h"

DATA solid<>+0(SB)/4, $0x00ffffff // colours
GLOBL solid<>(SB), (RODATA|NOPTR), $4

// func isSolidAVX2(p *byte, stride, width, rows int, rgb uint32) bool
//
// SI is the row, R8 the stride, CX the width, BX the rows left, R9 where the last
// vector of a row begins: it overlaps the one before where the width is no multiple of
// a vector. Y8 selects colours, Y9 is the colour in each dword.
TEXT ·isSolidAVX2(SB), NOSPLIT, $0-41
	MOVQ         p+0(FP), SI
	MOVQ         stride+8(FP), R8
	MOVQ         width+16(FP), CX
	MOVQ         rows+24(FP), BX
	MOVL         rgb+32(FP), AX
	VMOVD        AX, X9
	VPBROADCASTD X9, Y9
	VPBROADCASTD solid<>+0(SB), Y8
	LEAQ         -32(CX), R9
	CMPQ         CX, $64
	JNE          row
	LEAQ         (R8)(R8*2), R10 // three rows

	// The blocks of SolidAreas: four rows of two vectors.
block:
	CMPQ   BX, $4
	JLT    row
	VPXOR  (SI), Y9, Y0
	VPXOR  32(SI), Y9, Y1
	VPXOR  (SI)(R8*1), Y9, Y2
	VPXOR  32(SI)(R8*1), Y9, Y3
	VPXOR  (SI)(R8*2), Y9, Y4
	VPXOR  32(SI)(R8*2), Y9, Y5
	VPXOR  (SI)(R10*1), Y9, Y6
	VPXOR  32(SI)(R10*1), Y9, Y7
	VPOR   Y0, Y1, Y1
	VPOR   Y2, Y3, Y3
	VPOR   Y4, Y5, Y5
	VPOR   Y6, Y7, Y7
	VPOR   Y1, Y3, Y3
	VPOR   Y5, Y7, Y7
	VPOR   Y3, Y7, Y7
	VPTEST Y8, Y7
	JNZ    differs
	LEAQ   (SI)(R8*4), SI
	SUBQ   $4, BX
	JMP    block

row:
	TESTQ BX, BX
	JZ    same
	XORQ  DX, DX
	SUBQ  $96, R9

four:
	CMPQ   DX, R9
	JGT    few
	VPXOR  (SI)(DX*1), Y9, Y0
	VPXOR  32(SI)(DX*1), Y9, Y1
	VPXOR  64(SI)(DX*1), Y9, Y2
	VPXOR  96(SI)(DX*1), Y9, Y3
	VPOR   Y0, Y1, Y1
	VPOR   Y2, Y3, Y3
	VPOR   Y1, Y3, Y3
	VPTEST Y8, Y3
	JNZ    differs
	ADDQ   $128, DX
	JMP    four

few:
	ADDQ  $96, R9
	VPXOR (SI)(R9*1), Y9, Y0

one:
	CMPQ  DX, R9
	JGE   last
	VPXOR (SI)(DX*1), Y9, Y1
	VPOR  Y1, Y0, Y0
	ADDQ  $32, DX
	JMP   one

last:
	VPTEST Y8, Y0
	JNZ    differs
	ADDQ   R8, SI
	DECQ   BX
	JMP    row

same:
	MOVB $1, ret+40(FP)
	VZEROUPPER
	RET

differs:
	MOVB $0, ret+40(FP)
	VZEROUPPER
	RET
