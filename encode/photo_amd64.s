//go:build !purego

#include "textflag.h"

DATA photo<>+0(SB)/4, $0x00ffffff // colours
DATA photo<>+4(SB)/4, $0x18181818 // smallStep in each byte
GLOBL photo<>(SB), (RODATA|NOPTR), $8

// func photoStepsAVX2(row, below *byte) (equal, small uint8)
TEXT ·photoStepsAVX2(SB), NOSPLIT, $0-18
	MOVQ         row+0(FP), SI
	MOVQ         below+8(FP), DI
	VPBROADCASTD photo<>+0(SB), Y8
	VPBROADCASTD photo<>+4(SB), Y9
	VPXOR        Y7, Y7, Y7
	VPAND        (SI), Y8, Y0
	VPAND        4(SI), Y8, Y1
	VPAND        (DI), Y8, Y2
	VPCMPEQD     Y0, Y2, Y2
	VPCMPEQD     Y0, Y1, Y3
	VPOR         Y2, Y3, Y3
	VMOVMSKPS    Y3, AX
	MOVB         AX, equal+16(FP)
	VPSUBUSB     Y0, Y1, Y4     // one of the two differences is 0 for each byte
	VPSUBUSB     Y1, Y0, Y5
	VPOR         Y4, Y5, Y5
	VPSUBUSB     Y9, Y5, Y5     // what is above smallStep
	VPCMPEQD     Y7, Y5, Y5
	VMOVMSKPS    Y5, AX
	MOVB         AX, small+17(FP)
	VZEROUPPER
	RET
