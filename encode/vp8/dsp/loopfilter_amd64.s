//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The loop filter on up to 16 segments at a time: X0 to X7 are their samples p3, p2,
// p1, p0, q0, q1, q2 and q3, one byte each. Sums of signed bytes saturate just where
// the RFC limits them.

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

REPEAT(loop, 0, 0x8080808080808080)   // between signed and not
REPEAT(loop, 32, 0x7f7f7f7f7f7f7f7f)
REPEAT(loop, 64, 0x0404040404040404)
REPEAT(loop, 96, 0x0303030303030303)
REPEAT(loop, 128, 0x1f1f1f1f1f1f1f1f) // what a shift by 3 leaves of a byte
REPEAT(loop, 160, 0x1010101010101010) // 128 shifted by 3
REPEAT(loop, 192, 0x0009000900090009)
REPEAT(loop, 224, 0x003f003f003f003f) // rounding of the macroblock filter
GLOBL loop<>(SB), (RODATA|NOPTR), $256

// LIMITS loads the limits: X15 that of the edge, X14 interior, X13 high variance.
#define LIMITS(edge) \
	VPBROADCASTB edge(BX), X15               \
	VPBROADCASTB LoopLimits_interior(BX), X14 \
	VPBROADCASTB LoopLimits_hev(BX), X13

// DISTANCE is |a-b|; clobbers X12.
#define DISTANCE(a, b, out) \
	VPSUBUSB b, a, out   \
	VPSUBUSB a, b, X12   \
	VPOR     X12, out, out

// MASKS makes X8 the bytes of segments to filter, X9 of those without high
// variance, and p1 to q1 signed. Clobbers X10 to X12.
#define MASKS \
	DISTANCE(X2, X3, X9)               \
	DISTANCE(X5, X4, X10)              \
	VPMAXUB    X10, X9, X9             \
	DISTANCE(X0, X1, X8)               \
	DISTANCE(X1, X2, X10)              \
	DISTANCE(X6, X5, X11)              \
	VPMAXUB    X10, X8, X8             \
	DISTANCE(X7, X6, X10)              \
	VPMAXUB    X11, X9, X11            \
	VPMAXUB    X10, X8, X8             \
	VPMAXUB    X11, X8, X8             \
	VPSUBUSB   X14, X8, X8             \
	DISTANCE(X3, X4, X10)              \
	DISTANCE(X2, X5, X11)              \
	VPADDUSB   X10, X10, X10           \
	VPSRLW     $1, X11, X11            \
	VPAND      loop<>+32(SB), X11, X11 \
	VPADDUSB   X11, X10, X10           \
	VPSUBUSB   X15, X10, X10           \
	VPOR       X10, X8, X8             \
	VPSUBUSB   X13, X9, X9             \
	VPXOR      X12, X12, X12           \
	VPCMPEQB   X12, X8, X8             \
	VPCMPEQB   X12, X9, X9             \
	VPXOR      loop<>+0(SB), X2, X2    \
	VPXOR      loop<>+0(SB), X3, X3    \
	VPXOR      loop<>+0(SB), X4, X4    \
	VPXOR      loop<>+0(SB), X5, X5

// SHIFT3 shifts signed bytes right by 3.
#define SHIFT3(v) \
	VPXOR  loop<>+0(SB), v, v   \
	VPSRLW $3, v, v             \
	VPAND  loop<>+128(SB), v, v \
	VPSUBB loop<>+160(SB), v, v

// DIFFERENCE adds 3*(q0-p0) to X10; clobbers X11.
#define DIFFERENCE \
	VPSUBSB X3, X4, X11   \
	VPADDSB X11, X10, X10 \
	VPADDSB X11, X10, X10 \
	VPADDSB X11, X10, X10

// ADJUST changes p0 and q0 by X10 and leaves in X11 by how much q0 was lowered.
// Clobbers X12.
#define ADJUST \
	VPADDSB loop<>+64(SB), X10, X11 \
	VPADDSB loop<>+96(SB), X10, X12 \
	SHIFT3(X11)                     \
	SHIFT3(X12)                     \
	VPSUBSB X11, X4, X4             \
	VPADDSB X12, X3, X3

#define SUBBLOCK \
	MASKS                            \
	VPSUBSB X5, X2, X10              \
	VPANDN  X10, X9, X10             \
	DIFFERENCE                       \
	VPAND   X8, X10, X10             \
	ADJUST                           \
	VPXOR   loop<>+0(SB), X11, X11   \
	VPAVGB  loop<>+0(SB), X11, X11   \
	VPSUBB  loop<>+0(SB), X11, X11   \
	VPAND   X9, X11, X11             \
	VPSUBSB X11, X5, X5              \
	VPADDSB X11, X2, X2              \
	VPXOR   loop<>+0(SB), X2, X2     \
	VPXOR   loop<>+0(SB), X3, X3     \
	VPXOR   loop<>+0(SB), X4, X4     \
	VPXOR   loop<>+0(SB), X5, X5

// MACROBLOCK adjusts where the variance is high, and else changes three samples at
// either side: by 27, 18 and 9 times X10, rounded, of 128.
#define MACROBLOCK \
	MASKS                                \
	VPXOR     loop<>+0(SB), X1, X1       \
	VPXOR     loop<>+0(SB), X6, X6       \
	VPSUBSB   X5, X2, X10                \
	DIFFERENCE                           \
	VPAND     X8, X10, X8                \
	VPANDN    X8, X9, X10                \
	ADJUST                               \
	VPAND     X9, X8, X10                \
	VPMOVSXBW X10, Y10                   \
	VPMULLW   loop<>+192(SB), Y10, Y10   \
	VPADDW    loop<>+224(SB), Y10, Y11   \
	VPADDW    Y10, Y11, Y12              \
	VPADDW    Y10, Y12, Y10              \
	VPSRAW    $7, Y11, Y11               \
	VPSRAW    $7, Y12, Y12               \
	VPSRAW    $7, Y10, Y10               \
	VPACKSSWB Y12, Y11, Y11              \
	VPACKSSWB Y10, Y10, Y10              \
	VPERMQ    $0xd8, Y11, Y11            \
	VPERMQ    $0xd8, Y10, Y10            \
	VEXTRACTI128 $1, Y11, X12            \
	VPSUBSB   X10, X4, X4                \
	VPADDSB   X10, X3, X3                \
	VPSUBSB   X12, X5, X5                \
	VPADDSB   X12, X2, X2                \
	VPSUBSB   X11, X6, X6                \
	VPADDSB   X11, X1, X1                \
	VPXOR     loop<>+0(SB), X1, X1       \
	VPXOR     loop<>+0(SB), X2, X2       \
	VPXOR     loop<>+0(SB), X3, X3       \
	VPXOR     loop<>+0(SB), X4, X4       \
	VPXOR     loop<>+0(SB), X5, X5       \
	VPXOR     loop<>+0(SB), X6, X6

// TOCOLUMNS makes columns of eight rows of eight samples; what follows in the
// registers is garbage. Clobbers X8 to X12.
#define TOCOLUMNS \
	VPUNPCKLBW  X1, X0, X8   \
	VPUNPCKLBW  X3, X2, X9   \
	VPUNPCKLBW  X5, X4, X10  \
	VPUNPCKLBW  X7, X6, X11  \
	VPUNPCKLWD  X9, X8, X0   \
	VPUNPCKHWD  X9, X8, X4   \
	VPUNPCKLWD  X11, X10, X8 \
	VPUNPCKHWD  X11, X10, X9 \
	VPUNPCKHDQ  X8, X0, X2   \
	VPUNPCKLDQ  X8, X0, X0   \
	VPUNPCKHDQ  X9, X4, X6   \
	VPUNPCKLDQ  X9, X4, X4   \
	VPUNPCKHQDQ X0, X0, X1   \
	VPUNPCKHQDQ X2, X2, X3   \
	VPUNPCKHQDQ X4, X4, X5   \
	VPUNPCKHQDQ X6, X6, X7

// TOROWS undoes it: X8 to X11 hold two rows each.
#define TOROWS \
	VPUNPCKLBW X1, X0, X0   \
	VPUNPCKLBW X3, X2, X2   \
	VPUNPCKLBW X5, X4, X4   \
	VPUNPCKLBW X7, X6, X6   \
	VPUNPCKLWD X2, X0, X1   \
	VPUNPCKHWD X2, X0, X3   \
	VPUNPCKLWD X6, X4, X5   \
	VPUNPCKHWD X6, X4, X7   \
	VPUNPCKLDQ X5, X1, X8   \
	VPUNPCKHDQ X5, X1, X9   \
	VPUNPCKLDQ X7, X3, X10  \
	VPUNPCKHDQ X7, X3, X11

// func macroblockRow16AVX2(b *uint8, stride int, l *LoopLimits)
TEXT ·macroblockRow16AVX2(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ l+16(FP), BX
	LEAQ (R8)(R8*2), R9
	LEAQ (R8*4), AX
	MOVQ DI, SI
	SUBQ AX, SI
	LIMITS(LoopLimits_edge)
	VMOVDQU (SI), X0
	VMOVDQU (SI)(R8*1), X1
	VMOVDQU (SI)(R8*2), X2
	VMOVDQU (SI)(R9*1), X3
	VMOVDQU (DI), X4
	VMOVDQU (DI)(R8*1), X5
	VMOVDQU (DI)(R8*2), X6
	VMOVDQU (DI)(R9*1), X7
	MACROBLOCK
	VMOVDQU X1, (SI)(R8*1)
	VMOVDQU X2, (SI)(R8*2)
	VMOVDQU X3, (SI)(R9*1)
	VMOVDQU X4, (DI)
	VMOVDQU X5, (DI)(R8*1)
	VMOVDQU X6, (DI)(R8*2)
	VZEROUPPER
	RET

// func macroblockRow8AVX2(b *uint8, stride int, l *LoopLimits)
TEXT ·macroblockRow8AVX2(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ l+16(FP), BX
	LEAQ (R8)(R8*2), R9
	LEAQ (R8*4), AX
	MOVQ DI, SI
	SUBQ AX, SI
	LIMITS(LoopLimits_edge)
	VMOVQ   (SI), X0
	VMOVQ   (SI)(R8*1), X1
	VMOVQ   (SI)(R8*2), X2
	VMOVQ   (SI)(R9*1), X3
	VMOVQ   (DI), X4
	VMOVQ   (DI)(R8*1), X5
	VMOVQ   (DI)(R8*2), X6
	VMOVQ   (DI)(R9*1), X7
	MACROBLOCK
	VMOVQ   X1, (SI)(R8*1)
	VMOVQ   X2, (SI)(R8*2)
	VMOVQ   X3, (SI)(R9*1)
	VMOVQ   X4, (DI)
	VMOVQ   X5, (DI)(R8*1)
	VMOVQ   X6, (DI)(R8*2)
	VZEROUPPER
	RET

// func macroblockColumnAVX2(b *uint8, stride, n int, l *LoopLimits)
TEXT ·macroblockColumnAVX2(SB), NOSPLIT, $0-32
	MOVQ b+0(FP), SI
	MOVQ stride+8(FP), R8
	MOVQ n+16(FP), CX
	MOVQ l+24(FP), BX
	LEAQ (R8)(R8*2), R9
	LIMITS(LoopLimits_edge)

loop:
	LEAQ (SI)(R8*4), DI
	VMOVQ   -4(SI), X0
	VMOVQ   -4(SI)(R8*1), X1
	VMOVQ   -4(SI)(R8*2), X2
	VMOVQ   -4(SI)(R9*1), X3
	VMOVQ   -4(DI), X4
	VMOVQ   -4(DI)(R8*1), X5
	VMOVQ   -4(DI)(R8*2), X6
	VMOVQ   -4(DI)(R9*1), X7
	TOCOLUMNS
	MACROBLOCK
	TOROWS
	VMOVQ   X8, -4(SI)
	VMOVHPS X8, -4(SI)(R8*1)
	VMOVQ   X9, -4(SI)(R8*2)
	VMOVHPS X9, -4(SI)(R9*1)
	VMOVQ   X10, -4(DI)
	VMOVHPS X10, -4(DI)(R8*1)
	VMOVQ   X11, -4(DI)(R8*2)
	VMOVHPS X11, -4(DI)(R9*1)
	LEAQ (DI)(R8*4), SI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

// func subblockRow16AVX2(b *uint8, stride int, l *LoopLimits)
TEXT ·subblockRow16AVX2(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ l+16(FP), BX
	LEAQ (R8)(R8*2), R9
	LEAQ (R8*4), AX
	MOVQ DI, SI
	SUBQ AX, SI
	LIMITS(LoopLimits_subblock)
	VMOVDQU (SI), X0
	VMOVDQU (SI)(R8*1), X1
	VMOVDQU (SI)(R8*2), X2
	VMOVDQU (SI)(R9*1), X3
	VMOVDQU (DI), X4
	VMOVDQU (DI)(R8*1), X5
	VMOVDQU (DI)(R8*2), X6
	VMOVDQU (DI)(R9*1), X7
	SUBBLOCK
	VMOVDQU X2, (SI)(R8*2)
	VMOVDQU X3, (SI)(R9*1)
	VMOVDQU X4, (DI)
	VMOVDQU X5, (DI)(R8*1)
	VZEROUPPER
	RET

// func subblockRow8AVX2(b *uint8, stride int, l *LoopLimits)
TEXT ·subblockRow8AVX2(SB), NOSPLIT, $0-24
	MOVQ b+0(FP), DI
	MOVQ stride+8(FP), R8
	MOVQ l+16(FP), BX
	LEAQ (R8)(R8*2), R9
	LEAQ (R8*4), AX
	MOVQ DI, SI
	SUBQ AX, SI
	LIMITS(LoopLimits_subblock)
	VMOVQ   (SI), X0
	VMOVQ   (SI)(R8*1), X1
	VMOVQ   (SI)(R8*2), X2
	VMOVQ   (SI)(R9*1), X3
	VMOVQ   (DI), X4
	VMOVQ   (DI)(R8*1), X5
	VMOVQ   (DI)(R8*2), X6
	VMOVQ   (DI)(R9*1), X7
	SUBBLOCK
	VMOVQ   X2, (SI)(R8*2)
	VMOVQ   X3, (SI)(R9*1)
	VMOVQ   X4, (DI)
	VMOVQ   X5, (DI)(R8*1)
	VZEROUPPER
	RET

// func subblockColumnAVX2(b *uint8, stride, n int, l *LoopLimits)
TEXT ·subblockColumnAVX2(SB), NOSPLIT, $0-32
	MOVQ b+0(FP), SI
	MOVQ stride+8(FP), R8
	MOVQ n+16(FP), CX
	MOVQ l+24(FP), BX
	LEAQ (R8)(R8*2), R9
	LIMITS(LoopLimits_subblock)

loop:
	LEAQ (SI)(R8*4), DI
	VMOVQ   -4(SI), X0
	VMOVQ   -4(SI)(R8*1), X1
	VMOVQ   -4(SI)(R8*2), X2
	VMOVQ   -4(SI)(R9*1), X3
	VMOVQ   -4(DI), X4
	VMOVQ   -4(DI)(R8*1), X5
	VMOVQ   -4(DI)(R8*2), X6
	VMOVQ   -4(DI)(R9*1), X7
	TOCOLUMNS
	SUBBLOCK
	TOROWS
	VMOVQ   X8, -4(SI)
	VMOVHPS X8, -4(SI)(R8*1)
	VMOVQ   X9, -4(SI)(R8*2)
	VMOVHPS X9, -4(SI)(R9*1)
	VMOVQ   X10, -4(DI)
	VMOVHPS X10, -4(DI)(R8*1)
	VMOVQ   X11, -4(DI)(R8*2)
	VMOVHPS X11, -4(DI)(R9*1)
	LEAQ (DI)(R8*4), SI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
