//go:build !purego

#include "textflag.h"

// A pixel is a dword of bytes b, g, r, x. Masked with 00ff00ff it is the words
// (b, r), and each word shifted down by 8 it is (g, x), so that VPMADDWD gives sums
// of products per pixel in 32 bits, those of convert.go, where x counts nothing.

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

REPEAT(ycc, 0, 0x00ff00ff00ff00ff)   // selects (b, r)
REPEAT(ycc, 32, 0x20de0c8820de0c88)  // Y: b 3208, r 8414
REPEAT(ycc, 64, 0x0000408800004088)  // Y: g 16520
REPEAT(ycc, 96, 0x0008400000084000)  // yOffset
REPEAT(ycc, 128, 0xed073838ed073838) // Cb: b 14392, r -4857
REPEAT(ycc, 160, 0x0000dac10000dac1) // Cb: g -9535
REPEAT(ycc, 192, 0x3838f6dc3838f6dc) // Cr: b -2340, r 14392
REPEAT(ycc, 224, 0x0000d0ec0000d0ec) // Cr: g -12052
REPEAT(ycc, 256, 0x0101000001010000) // cOffset

// Order of dwords that puts rows together after two packs within lanes.
DATA ycc<>+288(SB)/8, $0x0000000400000000
DATA ycc<>+296(SB)/8, $0x0000000500000001
DATA ycc<>+304(SB)/8, $0x0000000600000002
DATA ycc<>+312(SB)/8, $0x0000000700000003

// Order of bytes of chroma: Cb, then Cr.
DATA ycc<>+320(SB)/8, $0x0b0a030209080100
DATA ycc<>+328(SB)/8, $0x0f0e07060d0c0504
GLOBL ycc<>(SB), (RODATA|NOPTR), $336

// LUMA makes eight dwords of Y of (b, r) and (g, x); clobbers Y4.
#define LUMA(br, gx, y) \
	VPMADDWD Y11, br, y \
	VPMADDWD Y12, gx, Y4 \
	VPADDD   Y13, y, y  \
	VPADDD   Y4, y, y   \
	VPSRLD   $15, y, y

// CHROMA makes eight dwords of Cb or Cr of the sums in Y0 and Y1; clobbers Y4.
#define CHROMA(at, c) \
	VPMADDWD ycc<>+at(SB), Y0, c       \
	VPMADDWD ycc<>+(at+32)(SB), Y1, Y4 \
	VPADDD   Y15, c, c                 \
	VPADDD   Y4, c, c                  \
	VPSRLD   $17, c, c

// func convertRowsAVX2(y0, y1, cb, cr *uint8, src0, src1 *byte, n int)
TEXT ·convertRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ    y0+0(FP), AX
	MOVQ    y1+8(FP), BX
	MOVQ    cb+16(FP), CX
	MOVQ    cr+24(FP), DX
	MOVQ    src0+32(FP), SI
	MOVQ    src1+40(FP), DI
	MOVQ    n+48(FP), R8
	VMOVDQU ycc<>+0(SB), Y10
	VMOVDQU ycc<>+32(SB), Y11
	VMOVDQU ycc<>+64(SB), Y12
	VMOVDQU ycc<>+96(SB), Y13
	VMOVDQU ycc<>+288(SB), Y14
	VMOVDQU ycc<>+256(SB), Y15

loop:
	VMOVDQU   (SI), Y1
	VMOVDQU   32(SI), Y3
	VPAND     Y10, Y1, Y0
	VPAND     Y10, Y3, Y2
	VPSRLW    $8, Y1, Y1
	VPSRLW    $8, Y3, Y3
	LUMA(Y0, Y1, Y8)
	LUMA(Y2, Y3, Y9)
	VPACKUSDW Y9, Y8, Y8
	VMOVDQU   (DI), Y6
	VPAND     Y10, Y6, Y5
	VPSRLW    $8, Y6, Y6
	VPADDW    Y5, Y0, Y0
	VPADDW    Y6, Y1, Y1
	LUMA(Y5, Y6, Y9)
	VMOVDQU   32(DI), Y6
	VPAND     Y10, Y6, Y5
	VPSRLW    $8, Y6, Y6
	VPADDW    Y5, Y2, Y2
	VPADDW    Y6, Y3, Y3
	LUMA(Y5, Y6, Y7)
	VPACKUSDW Y7, Y9, Y9
	VPACKUSWB Y9, Y8, Y8
	VPERMD    Y8, Y14, Y8
	VMOVDQU   X8, (AX)
	VEXTRACTI128 $1, Y8, (BX)

	// Add even and odd pixels: those of the pairs 0 1 4 5 2 3 6 7.
	VSHUFPS   $0x88, Y2, Y0, Y5
	VSHUFPS   $0xdd, Y2, Y0, Y6
	VSHUFPS   $0x88, Y3, Y1, Y7
	VSHUFPS   $0xdd, Y3, Y1, Y8
	VPADDW    Y6, Y5, Y0
	VPADDW    Y8, Y7, Y1
	CHROMA(128, Y5)
	CHROMA(192, Y6)
	VPACKUSDW Y6, Y5, Y5
	VPACKUSWB Y5, Y5, Y5
	VPERMQ    $8, Y5, Y5
	VPSHUFB   ycc<>+320(SB), X5, X5
	VMOVQ     X5, (CX)
	VMOVHPS   X5, (DX)
	ADDQ      $64, SI
	ADDQ      $64, DI
	ADDQ      $16, AX
	ADDQ      $16, BX
	ADDQ      $8, CX
	ADDQ      $8, DX
	SUBQ      $16, R8
	JNZ       loop
	VZEROUPPER
	RET
