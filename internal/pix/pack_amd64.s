//go:build !purego

#include "textflag.h"

// The order of dwords that brings the three of each lane together.
DATA pack<>+0(SB)/8, $0x0000000100000000
DATA pack<>+8(SB)/8, $0x0000000400000002
DATA pack<>+16(SB)/8, $0x0000000600000005
DATA pack<>+24(SB)/8, $0x0000000700000003
GLOBL pack<>(SB), (RODATA|NOPTR), $32

// func packAVX2(dst, src *byte, n int, order *[16]byte)
TEXT ·packAVX2(SB), NOSPLIT, $0-32
	MOVQ           dst+0(FP), DI
	MOVQ           src+8(FP), SI
	MOVQ           n+16(FP), CX
	MOVQ           order+24(FP), AX
	VBROADCASTI128 (AX), Y8
	VMOVDQU        pack<>(SB), Y9

four:
	SUBQ    $32, CX
	JLT     rest
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VMOVDQU 64(SI), Y2
	VMOVDQU 96(SI), Y3
	VPSHUFB Y8, Y0, Y0
	VPSHUFB Y8, Y1, Y1
	VPSHUFB Y8, Y2, Y2
	VPSHUFB Y8, Y3, Y3
	VPERMD  Y0, Y9, Y0
	VPERMD  Y1, Y9, Y1
	VPERMD  Y2, Y9, Y2
	VPERMD  Y3, Y9, Y3
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 24(DI)
	VMOVDQU Y2, 48(DI)
	VMOVDQU Y3, 72(DI)
	ADDQ    $128, SI
	ADDQ    $96, DI
	JMP     four

rest:
	ADDQ $32, CX
	JZ   done

one:
	VMOVDQU (SI), Y0
	VPSHUFB Y8, Y0, Y0
	VPERMD  Y0, Y9, Y0
	VMOVDQU Y0, (DI)
	ADDQ    $32, SI
	ADDQ    $24, DI
	SUBQ    $8, CX
	JNZ     one

done:
	VZEROUPPER
	RET
