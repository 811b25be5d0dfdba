//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

REPEAT(words, 0, 0x0040004000400040)  // rounding
REPEAT(words, 32, 0x00ff00ff00ff00ff) // the largest sample
GLOBL words<>(SB), (RODATA|NOPTR), $64

// func copy16AVX2(dst *uint8, dstStride int, src *uint8, srcStride, n int)
TEXT ·copy16AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ srcStride+24(FP), R9
	MOVQ n+32(FP), CX

loop:
	VMOVDQU (SI), X0
	VMOVDQU (SI)(R9*1), X1
	VMOVDQU X0, (DI)
	VMOVDQU X1, (DI)(R8*1)
	LEAQ    (SI)(R9*2), SI
	LEAQ    (DI)(R8*2), DI
	DECQ    CX
	JNZ     loop
	RET

// func copy8AVX2(dst *uint8, dstStride int, src *uint8, srcStride, n int)
TEXT ·copy8AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ srcStride+24(FP), R9
	MOVQ n+32(FP), CX

loop:
	VMOVQ   (SI), X0
	VMOVQ   (SI)(R9*1), X1
	VMOVQ   X0, (DI)
	VMOVQ   X1, (DI)(R8*1)
	LEAQ    (SI)(R9*2), SI
	LEAQ    (DI)(R8*2), DI
	DECQ    CX
	JNZ     loop
	RET

// func predictTM16AVX2(dst *uint8, stride int, e *Edge)
TEXT ·predictTM16AVX2(SB), NOSPLIT, $32-24
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ e+16(FP), BX
	VPMOVZXBW    Edge_Above(BX), Y0
	VPMOVZXBW    Edge_Left(BX), Y1
	MOVBLZX      Edge_Corner(BX), AX
	VMOVD        AX, X2
	VPBROADCASTW X2, Y2
	VPSUBW       Y2, Y1, Y1
	VMOVDQU      Y1, (SP)
	MOVQ         SP, SI
	MOVL         $8, CX

loop:
	VPBROADCASTW (SI), Y1
	VPBROADCASTW 2(SI), Y2
	VPADDW       Y0, Y1, Y1
	VPADDW       Y0, Y2, Y2
	VPACKUSWB    Y2, Y1, Y1
	VPERMQ       $0xd8, Y1, Y1
	VMOVDQU      X1, (DI)
	VEXTRACTI128 $1, Y1, (DI)(R8*1)
	ADDQ         $4, SI
	LEAQ         (DI)(R8*2), DI
	DECL         CX
	JNZ          loop
	VZEROUPPER
	RET

// func predictTM8AVX2(dst *uint8, stride int, e *Edge)
TEXT ·predictTM8AVX2(SB), NOSPLIT, $16-24
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ e+16(FP), BX
	VPMOVZXBW    Edge_Above(BX), X0
	VPMOVZXBW    Edge_Left(BX), X1
	MOVBLZX      Edge_Corner(BX), AX
	VMOVD        AX, X2
	VPBROADCASTW X2, X2
	VPSUBW       X2, X1, X1
	VMOVDQU      X1, (SP)
	MOVQ         SP, SI
	MOVL         $4, CX

loop:
	VPBROADCASTW (SI), X1
	VPBROADCASTW 2(SI), X2
	VPADDW       X0, X1, X1
	VPADDW       X0, X2, X2
	VPACKUSWB    X2, X1, X1
	VMOVQ        X1, (DI)
	VMOVHPS      X1, (DI)(R8*1)
	ADDQ         $4, SI
	LEAQ         (DI)(R8*2), DI
	DECL         CX
	JNZ          loop
	RET

// The six-tap kernels filter rows to words, of 16 or 8 a row, on the stack, and
// these to samples. Without a filter for a direction its pass only changes the size.

#define ROWCONSTANTS \
	VMOVDQU      (R12), Y10          \
	VMOVDQU      32(R12), Y11        \
	VMOVDQU      64(R12), Y12        \
	VPBROADCASTW taps_f13(BX), Y13   \
	VPBROADCASTW taps_f24(BX), Y14   \
	VPBROADCASTW taps_f05(BX), Y15   \
	VMOVDQU      words<>+0(SB), Y8   \
	VMOVDQU      words<>+32(SB), Y9  \
	VPXOR        Y7, Y7, Y7

// ROW filters the samples in Y0 to words. The sum of all but taps 2 and 4, and these,
// fit in 16 bits; where all together do not, the result is 255 saturated or not.
#define ROW \
	VPSHUFB    Y10, Y0, Y1 \
	VPSHUFB    Y11, Y0, Y2 \
	VPSHUFB    Y12, Y0, Y3 \
	VPMADDUBSW Y13, Y1, Y1 \
	VPMADDUBSW Y14, Y2, Y2 \
	VPMADDUBSW Y15, Y3, Y3 \
	VPADDW     Y8, Y1, Y1  \
	VPADDW     Y3, Y1, Y1  \
	VPADDSW    Y2, Y1, Y0  \
	VPSRAW     $7, Y0, Y0  \
	VPMAXSW    Y7, Y0, Y0  \
	VPMINSW    Y9, Y0, Y0

#define COLUMNCONSTANTS \
	VPBROADCASTW (taps_f+0)(DX), Y10  \
	VPBROADCASTW (taps_f+2)(DX), Y11  \
	VPBROADCASTW (taps_f+4)(DX), Y12  \
	VPBROADCASTW (taps_f+6)(DX), Y13  \
	VPBROADCASTW (taps_f+8)(DX), Y14  \
	VPBROADCASTW (taps_f+10)(DX), Y15 \
	VMOVDQU      words<>+0(SB), Y8

// COLUMN filters words whose rows are step bytes long, to words. As in ROW only the
// last sum can be too large.
#define COLUMN(step) \
	VPMULLW (0*step)(SI), Y10, Y0 \
	VPMULLW (5*step)(SI), Y15, Y1 \
	VPMULLW (1*step)(SI), Y11, Y2 \
	VPMULLW (4*step)(SI), Y14, Y3 \
	VPMULLW (2*step)(SI), Y12, Y4 \
	VPMULLW (3*step)(SI), Y13, Y5 \
	VPADDW  Y8, Y0, Y0            \
	VPADDW  Y2, Y1, Y1            \
	VPADDW  Y4, Y3, Y3            \
	VPADDW  Y1, Y0, Y0            \
	VPADDW  Y3, Y0, Y0            \
	VPADDSW Y5, Y0, Y0            \
	VPSRAW  $7, Y0, Y0

// func sixTap16AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)
TEXT ·sixTap16AVX2(SB), 0, $704-64
	MOVQ  dst+0(FP), DI
	MOVQ  dstStride+8(FP), R8
	MOVQ  src+16(FP), SI
	MOVQ  stride+24(FP), R9
	MOVQ  h+32(FP), CX
	MOVQ  fx+40(FP), BX
	MOVQ  fy+48(FP), DX
	MOVQ  s+56(FP), R12
	MOVQ  SP, AX
	MOVQ  CX, R10 // rows
	LEAQ  5(CX), R11
	TESTQ DX, DX
	CMOVQNE R11, R10
	TESTQ BX, BX
	JZ    widen
	ROWCONSTANTS

rows:
	VMOVDQU -2(SI), X0
	VINSERTI128 $1, 3(SI), Y0, Y0
	ROW
	VMOVDQU Y0, (AX)
	ADDQ    $32, AX
	ADDQ    R9, SI
	SUBQ    $1, R10
	JNZ     rows
	JMP     second

widen:
	VPMOVZXBW (SI), Y0
	VMOVDQU Y0, (AX)
	ADDQ    $32, AX
	ADDQ    R9, SI
	DECQ    R10
	JNZ     widen

second:
	MOVQ  SP, SI
	TESTQ DX, DX
	JZ    narrow
	COLUMNCONSTANTS

columns:
	COLUMN(32)
	VPACKUSWB Y0, Y0, Y0
	VPERMQ  $8, Y0, Y0
	VMOVDQU X0, (DI)
	ADDQ    R8, DI
	ADDQ    $32, SI
	SUBQ    $1, CX
	JNZ     columns
	VZEROUPPER
	RET

narrow:
	VMOVDQU (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VPERMQ  $8, Y0, Y0
	VMOVDQU X0, (DI)
	ADDQ    R8, DI
	ADDQ    $32, SI
	SUBQ    $1, CX
	JNZ     narrow
	VZEROUPPER
	RET

// func sixTap8AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)
TEXT ·sixTap8AVX2(SB), 0, $704-64
	MOVQ  dst+0(FP), DI
	MOVQ  dstStride+8(FP), R8
	MOVQ  src+16(FP), SI
	MOVQ  stride+24(FP), R9
	MOVQ  h+32(FP), CX
	MOVQ  fx+40(FP), BX
	MOVQ  fy+48(FP), DX
	MOVQ  s+56(FP), R12
	MOVQ  SP, AX
	MOVQ  CX, R10 // rows
	LEAQ  5(CX), R11
	TESTQ DX, DX
	CMOVQNE R11, R10
	TESTQ BX, BX
	JZ    widen
	ROWCONSTANTS

rows:
	LEAQ    (SI)(R9*1), R11
	CMPQ    R10, $1
	CMOVQEQ SI, R11 // the last of an odd number: nothing beyond is read
	VMOVQ   -2(SI), X0
	VMOVHPS 3(SI), X0, X0
	VMOVQ   -2(R11), X1
	VMOVHPS 3(R11), X1, X1
	VINSERTI128 $1, X1, Y0, Y0
	ROW
	VMOVDQU Y0, (AX)
	ADDQ    $32, AX
	LEAQ    (SI)(R9*2), SI
	SUBQ    $2, R10
	JGT     rows
	JMP     second

widen:
	VPMOVZXBW (SI), X0
	VMOVDQU X0, (AX)
	ADDQ    $16, AX
	ADDQ    R9, SI
	DECQ    R10
	JNZ     widen

second:
	MOVQ  SP, SI
	TESTQ DX, DX
	JZ    narrow
	COLUMNCONSTANTS

columns:
	COLUMN(16)
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVQ   X0, (DI)
	VMOVQ   X1, (DI)(R8*1)
	LEAQ    (DI)(R8*2), DI
	ADDQ    $32, SI
	SUBQ    $2, CX
	JNZ     columns
	VZEROUPPER
	RET

narrow:
	VMOVDQU (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVQ   X0, (DI)
	VMOVQ   X1, (DI)(R8*1)
	LEAQ    (DI)(R8*2), DI
	ADDQ    $32, SI
	SUBQ    $2, CX
	JNZ     narrow
	VZEROUPPER
	RET

// func sixTap4AVX2(dst *uint8, dstStride int, src *uint8, stride, h int, fx, fy *taps, s *shuffles)
TEXT ·sixTap4AVX2(SB), 0, $704-64
	MOVQ  dst+0(FP), DI
	MOVQ  dstStride+8(FP), R8
	MOVQ  src+16(FP), SI
	MOVQ  stride+24(FP), R9
	MOVQ  h+32(FP), CX
	MOVQ  fx+40(FP), BX
	MOVQ  fy+48(FP), DX
	MOVQ  s+56(FP), R12
	MOVQ  SP, AX
	MOVQ  CX, R10 // rows
	LEAQ  5(CX), R11
	TESTQ DX, DX
	CMOVQNE R11, R10
	TESTQ BX, BX
	JZ    widen
	ROWCONSTANTS

rows:
	LEAQ    (SI)(R9*1), R11
	CMPQ    R10, $1
	CMOVQEQ SI, R11 // the last of an odd number: nothing beyond is read
	VMOVQ   -2(SI), X0
	VMOVHPS -1(SI), X0, X0
	VMOVQ   -2(R11), X1
	VMOVHPS -1(R11), X1, X1
	VINSERTI128 $1, X1, Y0, Y0
	ROW
	VMOVDQU Y0, (AX)
	ADDQ    $32, AX
	LEAQ    (SI)(R9*2), SI
	SUBQ    $2, R10
	JGT     rows
	JMP     second

widen:
	VMOVD   (SI), X0
	VPMOVZXBW X0, X0
	VMOVDQU X0, (AX)
	ADDQ    $16, AX
	ADDQ    R9, SI
	DECQ    R10
	JNZ     widen

second:
	MOVQ  SP, SI
	TESTQ DX, DX
	JZ    narrow
	COLUMNCONSTANTS

columns:
	COLUMN(16)
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVD   X0, (DI)
	VMOVD   X1, (DI)(R8*1)
	LEAQ    (DI)(R8*2), DI
	ADDQ    $32, SI
	SUBQ    $2, CX
	JNZ     columns
	VZEROUPPER
	RET

narrow:
	VMOVDQU (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVD   X0, (DI)
	VMOVD   X1, (DI)(R8*1)
	LEAQ    (DI)(R8*2), DI
	ADDQ    $32, SI
	SUBQ    $2, CX
	JNZ     narrow
	VZEROUPPER
	RET
