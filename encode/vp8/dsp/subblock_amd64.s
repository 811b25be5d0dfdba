//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Places of the edge: the sample itself with sample 0 behind, the one before, the one
// after.
DATA edge<>+0(SB)/8, $0x0706050403020100
DATA edge<>+8(SB)/8, $0x0000000c0b0a0908
DATA edge<>+16(SB)/8, $0x0605040302010000
DATA edge<>+24(SB)/8, $0x0000000b0a090807
DATA edge<>+32(SB)/8, $0x0807060504030201
DATA edge<>+40(SB)/8, $0x0000000c0c0b0a09
// For TrueMotion: above, left and the corner.
DATA edge<>+48(SB)/8, $0x0807060508070605
DATA edge<>+56(SB)/8, $0x0807060508070605
DATA edge<>+64(SB)/8, $0x0202020203030303
DATA edge<>+72(SB)/8, $0x0000000001010101
DATA edge<>+80(SB)/8, $0x0404040404040404
DATA edge<>+88(SB)/8, $0x0404040404040404
// What the mean is of, and its rounding.
DATA edge<>+96(SB)/8, $0x0807060503020100
DATA edge<>+104(SB)/8, $0x8080808080808080
DATA edge<>+112(SB)/8, $0x0101010101010101
DATA edge<>+120(SB)/8, $0x0101010101010101
DATA edge<>+128(SB)/8, $4
DATA edge<>+136(SB)/8, $0
GLOBL edge<>(SB), (RODATA|NOPTR), $144

// SMOOTH writes a mode that needs smoothed samples alone, MIXED one that needs means
// as well.
#define SMOOTH(at, mode) \
	VPSHUFB (subblockShuffles_smooth+16*at)(BX), X3, X5 \
	VMOVDQU X5, (16*mode)(DI)

#define MIXED(at, from, mode) \
	VPSHUFB (subblockShuffles_smooth+16*at)(BX), X3, X5 \
	VPSHUFB (subblockShuffles_mean+16*from)(BX), X4, X6 \
	VPOR    X6, X5, X5                                  \
	VMOVDQU X5, (16*mode)(DI)

// func predictSubblocksAVX2(dst *uint8, e *SubblockEdge, s *subblockShuffles)
TEXT ·predictSubblocksAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    e+8(FP), SI
	MOVQ    s+16(FP), BX
	VMOVQ   (SI), X0
	VPINSRD $2, 8(SI), X0, X0
	VPINSRB $12, 12(SI), X0, X0

	// X3 smoothed, X4 means. The mean of the neighbours is rounded down first.
	VPSHUFB edge<>+16(SB), X0, X1
	VPSHUFB edge<>+32(SB), X0, X2
	VPSHUFB edge<>+0(SB), X0, X5
	VPAVGB  X2, X5, X4
	VPXOR   X1, X2, X3
	VPAND   edge<>+112(SB), X3, X3
	VPAVGB  X1, X2, X6
	VPSUBB  X3, X6, X3
	VPAVGB  X5, X3, X3
	SMOOTH(0, const_BVEPred)
	SMOOTH(1, const_BHEPred)
	SMOOTH(2, const_BLDPred)
	SMOOTH(3, const_BRDPred)
	MIXED(4, 0, const_BVRPred)
	MIXED(5, 1, const_BVLPred)
	MIXED(6, 2, const_BHDPred)
	MIXED(7, 3, const_BHUPred)

	VPSHUFB      edge<>+96(SB), X0, X1
	VPXOR        X2, X2, X2
	VPSADBW      X2, X1, X1
	VPADDQ       edge<>+128(SB), X1, X1
	VPSRLQ       $3, X1, X1
	VPBROADCASTB X1, X1
	VMOVDQU      X1, (16*const_BDCPred)(DI)

	VPSHUFB   edge<>+48(SB), X0, X1
	VPSHUFB   edge<>+64(SB), X0, X2
	VPSHUFB   edge<>+80(SB), X0, X3
	VPMOVZXBW X1, Y1
	VPMOVZXBW X2, Y2
	VPMOVZXBW X3, Y3
	VPADDW    Y2, Y1, Y1
	VPSUBW    Y3, Y1, Y1
	VPACKUSWB Y1, Y1, Y1
	VPERMQ    $8, Y1, Y1
	VMOVDQU   X1, (16*const_BTMPred)(DI)
	VZEROUPPER
	RET
