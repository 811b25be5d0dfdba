//go:build !purego

#include "textflag.h"

DATA hashed<>+0(SB)/8, $0x00ffffff00ffffff
DATA hashed<>+8(SB)/8, $0x00ffffff00ffffff
DATA hashed<>+16(SB)/8, $0x00ffffff00ffffff
DATA hashed<>+24(SB)/8, $0x00ffffff00ffffff
GLOBL hashed<>(SB), (RODATA|NOPTR), $32

// func hashRowsAVX2(dst *uint64, p *byte, stride, n, rows int, keys *[MaxHashed]uint32)
TEXT ·hashRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ    dst+0(FP), DI
	MOVQ    p+8(FP), SI
	MOVQ    stride+16(FP), R10
	MOVQ    n+24(FP), R12
	MOVQ    rows+32(FP), CX
	MOVQ    keys+40(FP), R8
	VMOVDQU hashed<>(SB), Y8
	MOVQ    R10, R11
	SHLQ $5, R11

row:
	// Rows lie in other pages each, which the processor does not foresee: what is
	// sixteen rows further is fetched now.
	LEAQ       (SI)(R11*1), BX
	PREFETCHT0 (BX)
	PREFETCHT0 64(BX)
	PREFETCHT0 -1(BX)(R12*1)
	VPXOR      Y0, Y0, Y0
	XORQ       AX, AX

eight:
	VPAND    (SI)(AX*1), Y8, Y1
	VPADDD   (R8)(AX*1), Y1, Y1
	VPSRLQ   $32, Y1, Y2
	VPMULUDQ Y2, Y1, Y1         // even pixels by their right neighbours
	VPADDQ   Y1, Y0, Y0
	ADDQ     $32, AX
	CMPQ     AX, R12
	JLT      eight

	VEXTRACTI128 $1, Y0, X1
	VPADDQ       X1, X0, X0
	VPSHUFD      $0xee, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, (DI)
	ADDQ         $8, DI
	ADDQ         R10, SI
	DECQ         CX
	JNZ          row
	VZEROUPPER
	RET

// PAIR adds the products of eight columns, at, of the rows at SI and BX, to the even
// columns' hashes and the odd ones'. Y6 and Y7 are the rows' keys; clobbers Y4, Y5.
#define PAIR(at, even, odd) \
	VPAND    at(SI), Y8, Y4  \
	VPAND    at(BX), Y8, Y5  \
	VPADDD   Y6, Y4, Y4      \
	VPADDD   Y7, Y5, Y5      \
	VPMULUDQ Y5, Y4, Y9      \
	VPSRLQ   $32, Y4, Y4     \
	VPSRLQ   $32, Y5, Y5     \
	VPMULUDQ Y5, Y4, Y4      \
	VPADDQ   Y9, even, even  \
	VPADDQ   Y4, odd, odd

// STORE writes eight hashes.
#define STORE(at, even, odd) \
	VPUNPCKLQDQ odd, even, Y4      \ // 0 1 4 5
	VPUNPCKHQDQ odd, even, Y5      \ // 2 3 6 7
	VPERM2I128  $0x20, Y5, Y4, Y6  \
	VPERM2I128  $0x31, Y5, Y4, Y7  \
	VMOVDQU     Y6, (at+0)(DI)     \
	VMOVDQU     Y7, (at+32)(DI)

// func hashColumnsAVX2(dst *uint64, p *byte, stride, rows, columns int, keys *[MaxHashed]uint32)
TEXT ·hashColumnsAVX2(SB), NOSPLIT, $0-48
	MOVQ    dst+0(FP), DI
	MOVQ    p+8(FP), R9
	MOVQ    stride+16(FP), R10
	MOVQ    rows+24(FP), R12
	MOVQ    columns+32(FP), CX
	MOVQ    keys+40(FP), R8
	VMOVDQU hashed<>(SB), Y8

sixteen:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	MOVQ  R9, SI
	XORQ  AX, AX

two:
	LEAQ         (SI)(R10*1), BX
	VPBROADCASTD (R8)(AX*4), Y6
	VPBROADCASTD 4(R8)(AX*4), Y7
	PAIR(0, Y0, Y1)
	PAIR(32, Y2, Y3)
	LEAQ         (BX)(R10*1), SI
	ADDQ         $2, AX
	CMPQ         AX, R12
	JLT          two

	STORE(0, Y0, Y1)
	STORE(64, Y2, Y3)
	ADDQ $128, DI
	ADDQ $64, R9
	SUBQ $16, CX
	JNZ  sixteen
	VZEROUPPER
	RET
