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

#define ROWCONSTANTS(shuffles) \
	VMOVDQU      ·tapShuffles+(shuffles)(SB), Y10    \
	VMOVDQU      ·tapShuffles+(shuffles+32)(SB), Y11 \
	VMOVDQU      ·tapShuffles+(shuffles+64)(SB), Y12 \
	VPBROADCASTW taps_f13(BX), Y13                   \
	VPBROADCASTW taps_f24(BX), Y14                   \
	VPBROADCASTW taps_f05(BX), Y15                   \
	VMOVDQU      words<>+0(SB), Y8                   \
	VMOVDQU      words<>+32(SB), Y9                  \
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

// func tapsRows16AVX2(mid *uint16, src *uint8, stride, n int, t *taps)
TEXT ·tapsRows16AVX2(SB), NOSPLIT, $0-40
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	ROWCONSTANTS(0)

loop:
	VMOVDQU -2(SI), X0
	VINSERTI128 $1, 3(SI), Y0, Y0
	ROW
	VMOVDQU Y0, (DI)
	ADDQ    $32, DI
	ADDQ    R8, SI
	SUBQ    $1, CX
	JNZ      loop
	VZEROUPPER
	RET

// func tapsRows8AVX2(mid *uint16, src *uint8, stride, n int, t *taps)
TEXT ·tapsRows8AVX2(SB), NOSPLIT, $0-40
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	ROWCONSTANTS(96)

loop:
	LEAQ    (SI)(R8*1), R9
	CMPQ    CX, $1
	CMOVQEQ SI, R9 // the last of an odd number: nothing beyond is read
	VMOVQ   -2(SI), X0
	VMOVHPS 3(SI), X0, X0
	VMOVQ   -2(R9), X1
	VMOVHPS 3(R9), X1, X1
	VINSERTI128 $1, X1, Y0, Y0
	ROW
	VMOVDQU Y0, (DI)
	ADDQ    $32, DI
	LEAQ    (SI)(R8*2), SI
	SUBQ    $2, CX
	JGT      loop
	VZEROUPPER
	RET

// func tapsRows4AVX2(mid *uint16, src *uint8, stride, n int, t *taps)
TEXT ·tapsRows4AVX2(SB), NOSPLIT, $0-40
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	ROWCONSTANTS(192)

loop:
	LEAQ    (SI)(R8*1), R9
	CMPQ    CX, $1
	CMOVQEQ SI, R9 // the last of an odd number: nothing beyond is read
	VMOVQ   -2(SI), X0
	VMOVHPS -1(SI), X0, X0
	VMOVQ   -2(R9), X1
	VMOVHPS -1(R9), X1, X1
	VINSERTI128 $1, X1, Y0, Y0
	ROW
	VMOVDQU Y0, (DI)
	ADDQ    $32, DI
	LEAQ    (SI)(R8*2), SI
	SUBQ    $2, CX
	JGT      loop
	VZEROUPPER
	RET

// func widen16AVX2(mid *uint16, src *uint8, stride, n int)
TEXT ·widen16AVX2(SB), NOSPLIT, $0-32
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX

loop:
	VPMOVZXBW (SI), Y0
	VMOVDQU   Y0, (DI)
	ADDQ      $32, DI
	ADDQ      R8, SI
	DECQ      CX
	JNZ       loop
	VZEROUPPER
	RET

// func widen8AVX2(mid *uint16, src *uint8, stride, n int)
TEXT ·widen8AVX2(SB), NOSPLIT, $0-32
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX

loop:
	VPMOVZXBW (SI), X0
	VMOVDQU   X0, (DI)
	ADDQ      $16, DI
	ADDQ      R8, SI
	DECQ      CX
	JNZ       loop
	VZEROUPPER
	RET

// func widen4AVX2(mid *uint16, src *uint8, stride, n int)
TEXT ·widen4AVX2(SB), NOSPLIT, $0-32
	MOVQ mid+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX

loop:
	VMOVD     (SI), X0
	VPMOVZXBW X0, X0
	VMOVDQU   X0, (DI)
	ADDQ      $16, DI
	ADDQ      R8, SI
	DECQ      CX
	JNZ       loop
	VZEROUPPER
	RET

#define COLUMNCONSTANTS \
	VPBROADCASTW (taps_f+0)(BX), Y10  \
	VPBROADCASTW (taps_f+2)(BX), Y11  \
	VPBROADCASTW (taps_f+4)(BX), Y12  \
	VPBROADCASTW (taps_f+6)(BX), Y13  \
	VPBROADCASTW (taps_f+8)(BX), Y14  \
	VPBROADCASTW (taps_f+10)(BX), Y15 \
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

// func tapsColumns16AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)
TEXT ·tapsColumns16AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	COLUMNCONSTANTS

loop:
	COLUMN(32)
	VPACKUSWB Y0, Y0, Y0
	VPERMQ    $8, Y0, Y0
	VMOVDQU   X0, (DI)
	ADDQ      $32, SI
	ADDQ      R8, DI
	SUBQ      $1, CX
	JNZ       loop
	VZEROUPPER
	RET

// func tapsColumns8AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)
TEXT ·tapsColumns8AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	COLUMNCONSTANTS

loop:
	COLUMN(16)
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVQ     X0, (DI)
	VMOVQ     X1, (DI)(R8*1)
	ADDQ      $32, SI
	LEAQ      (DI)(R8*2), DI
	SUBQ      $2, CX
	JNZ       loop
	VZEROUPPER
	RET

// func tapsColumns4AVX2(dst *uint8, stride int, mid *uint16, n int, t *taps)
TEXT ·tapsColumns4AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ t+32(FP), BX
	COLUMNCONSTANTS

loop:
	COLUMN(16)
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVD     X0, (DI)
	VMOVD     X1, (DI)(R8*1)
	ADDQ      $32, SI
	LEAQ      (DI)(R8*2), DI
	SUBQ      $2, CX
	JNZ       loop
	VZEROUPPER
	RET

// func narrow16AVX2(dst *uint8, stride int, mid *uint16, n int)
TEXT ·narrow16AVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX

loop:
	VMOVDQU   (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VPERMQ    $8, Y0, Y0
	VMOVDQU   X0, (DI)
	ADDQ      $32, SI
	ADDQ      R8, DI
	SUBQ      $1, CX
	JNZ       loop
	VZEROUPPER
	RET

// func narrow8AVX2(dst *uint8, stride int, mid *uint16, n int)
TEXT ·narrow8AVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX

loop:
	VMOVDQU   (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVQ     X0, (DI)
	VMOVQ     X1, (DI)(R8*1)
	ADDQ      $32, SI
	LEAQ      (DI)(R8*2), DI
	SUBQ      $2, CX
	JNZ       loop
	VZEROUPPER
	RET

// func narrow4AVX2(dst *uint8, stride int, mid *uint16, n int)
TEXT ·narrow4AVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ mid+16(FP), SI
	MOVQ n+24(FP), CX

loop:
	VMOVDQU   (SI), Y0
	VPACKUSWB Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVD     X0, (DI)
	VMOVD     X1, (DI)(R8*1)
	ADDQ      $32, SI
	LEAQ      (DI)(R8*2), DI
	SUBQ      $2, CX
	JNZ       loop
	VZEROUPPER
	RET
