//go:build !purego

#include "textflag.h"

// A pixel is a dword of bytes b, g, r, x. Masked with 00ff00ff it is the words
// (b, r); a byte shuffle makes it the words (g, g), so that VPMADDWD gives two
// products' sum per pixel in 32 bits. Factors that do not fit in a signed word are
// split (38470 = 22086 + 16384) or taken negative (-32768), and subtracted then:
// the sums are exactly those of convert.go.

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

// Low word first: (b, r) or (g, g).
REPEAT(ycc, 0, 0x00ff00ff00ff00ff)   // selects (b, r)
REPEAT(ycc, 32, 0x4c8b1d2f4c8b1d2f)  // Y: b 7471, r 19595
REPEAT(ycc, 64, 0x4000564640005646)  // Y: g 22086 + 16384
REPEAT(ycc, 96, 0x2b3380002b338000)  // -Cb: b -32768, r 11059
REPEAT(ycc, 128, 0x000054cd000054cd) // -Cb: g 21709
REPEAT(ycc, 160, 0x800014d1800014d1) // -Cr: b 5329, r -32768
REPEAT(ycc, 192, 0x00006b2f00006b2f) // -Cr: g 27439
REPEAT(ycc, 224, 0x0000800000008000) // rounding of Y
REPEAT(ycc, 256, 0x00807fff00807fff) // 128 and rounding of Cb, Cr of one pixel
REPEAT(ycc, 288, 0x0100fffe0100fffe) // of two
REPEAT(ycc, 320, 0x0201fffc0201fffc) // of four

// Shuffle of bytes to (g, g).
DATA ycc<>+352(SB)/8, $0x8005800580018001
DATA ycc<>+360(SB)/8, $0x800d800d80098009
DATA ycc<>+368(SB)/8, $0x8005800580018001
DATA ycc<>+376(SB)/8, $0x800d800d80098009

// Order of dwords after two packs within lanes: 0 4 1 5 2 6 3 7.
DATA ycc<>+384(SB)/8, $0x0000000400000000
DATA ycc<>+392(SB)/8, $0x0000000500000001
DATA ycc<>+400(SB)/8, $0x0000000600000002
DATA ycc<>+408(SB)/8, $0x0000000700000003

// Order of bytes of subsampled chroma: Cb, then Cr.
DATA ycc<>+416(SB)/8, $0x0b0a030209080100
DATA ycc<>+424(SB)/8, $0x0f0e07060d0c0504
GLOBL ycc<>(SB), (RODATA|NOPTR), $432

// What all kernels keep in registers: Y8 the mask, Y9 the (g, g) shuffle, Y10 to
// Y12 the factors and rounding of luma, Y15 the order of dwords.
#define CONSTANTS \
	VMOVDQU ycc<>+0(SB), Y8    \
	VMOVDQU ycc<>+352(SB), Y9  \
	VMOVDQU ycc<>+32(SB), Y10  \
	VMOVDQU ycc<>+64(SB), Y11  \
	VMOVDQU ycc<>+224(SB), Y12 \
	VMOVDQU ycc<>+384(SB), Y15

// SPLIT makes (b, r) and (g, g) of eight pixels; br may be p.
#define SPLIT(p, br, gg) \
	VPSHUFB Y9, p, gg \
	VPAND   Y8, p, br

// LUMA makes eight dwords of Y; clobbers Y13.
#define LUMA(br, gg, y) \
	VPMADDWD Y10, br, y   \
	VPMADDWD Y11, gg, Y13 \
	VPADDD   Y12, y, y    \
	VPADDD   Y13, y, y    \
	VPSRLD   $16, y, y

// CHROMA makes eight dwords of Cb or Cr from sums of 1, 2 or 4 pixels; clobbers
// Y13. at is the place of the factors, offset that of the rounding.
#define CHROMA(br, gg, at, offset, shift, c) \
	VPMADDWD ycc<>+at(SB), br, Y13      \
	VMOVDQU  ycc<>+offset(SB), c        \
	VPSUBD   Y13, c, c                  \
	VPMADDWD ycc<>+(at+32)(SB), gg, Y13 \
	VPSUBD   Y13, c, c                  \
	VPSRLD   $shift, c, c

// STORECHROMA writes the eight samples of Cb in Y4 and of Cr in Y5, whose dwords
// are those of pixel pairs 0 1 4 5 2 3 6 7 after VPHADDD, to BX and CX.
#define STORECHROMA \
	VPACKUSDW Y5, Y4, Y4              \
	VPACKUSWB Y4, Y4, Y4              \
	VPERMQ    $8, Y4, Y4              \
	VPSHUFB   ycc<>+416(SB), X4, X4   \
	VMOVQ     X4, (BX)                \
	VPEXTRQ   $1, X4, (CX)            \
	ADDQ      $8, BX                  \
	ADDQ      $8, CX

// func convert444AVX2(y, cb, cr, src *byte, n int)
TEXT ·convert444AVX2(SB), NOSPLIT, $0-40
	MOVQ y+0(FP), AX
	MOVQ cb+8(FP), BX
	MOVQ cr+16(FP), CX
	MOVQ src+24(FP), SI
	MOVQ n+32(FP), DX
	CONSTANTS

loop444:
	VMOVDQU   (SI), Y0
	VMOVDQU   32(SI), Y1
	SPLIT(Y0, Y0, Y2)
	SPLIT(Y1, Y1, Y3)
	LUMA(Y0, Y2, Y4)
	LUMA(Y1, Y3, Y5)
	VPACKUSDW Y5, Y4, Y4
	VPACKUSWB Y4, Y4, Y4
	VPERMD    Y4, Y15, Y4
	VMOVDQU   X4, (AX)
	CHROMA(Y0, Y2, 96, 256, 16, Y4)
	CHROMA(Y1, Y3, 96, 256, 16, Y5)
	CHROMA(Y0, Y2, 160, 256, 16, Y6)
	CHROMA(Y1, Y3, 160, 256, 16, Y7)
	VPACKUSDW Y5, Y4, Y4
	VPACKUSDW Y7, Y6, Y6
	VPACKUSWB Y6, Y4, Y4
	VPERMD    Y4, Y15, Y4
	VMOVDQU   X4, (BX)
	VEXTRACTI128 $1, Y4, (CX)
	ADDQ      $64, SI
	ADDQ      $16, AX
	ADDQ      $16, BX
	ADDQ      $16, CX
	SUBQ      $16, DX
	JNZ       loop444
	VZEROUPPER
	RET

// func convert422AVX2(y, cb, cr, src *byte, n int)
TEXT ·convert422AVX2(SB), NOSPLIT, $0-40
	MOVQ y+0(FP), AX
	MOVQ cb+8(FP), BX
	MOVQ cr+16(FP), CX
	MOVQ src+24(FP), SI
	MOVQ n+32(FP), DX
	CONSTANTS

loop422:
	VMOVDQU   (SI), Y0
	VMOVDQU   32(SI), Y1
	SPLIT(Y0, Y0, Y2)
	SPLIT(Y1, Y1, Y3)
	LUMA(Y0, Y2, Y4)
	LUMA(Y1, Y3, Y5)
	VPACKUSDW Y5, Y4, Y4
	VPACKUSWB Y4, Y4, Y4
	VPERMD    Y4, Y15, Y4
	VMOVDQU   X4, (AX)
	VPHADDD   Y1, Y0, Y0
	VPHADDD   Y3, Y2, Y2
	CHROMA(Y0, Y2, 96, 288, 17, Y4)
	CHROMA(Y0, Y2, 160, 288, 17, Y5)
	STORECHROMA
	ADDQ      $64, SI
	ADDQ      $16, AX
	SUBQ      $16, DX
	JNZ       loop422
	VZEROUPPER
	RET

// func convert420AVX2(y0, y1, cb, cr, src0, src1 *byte, n int)
TEXT ·convert420AVX2(SB), NOSPLIT, $0-56
	MOVQ y0+0(FP), AX
	MOVQ y1+8(FP), R8
	MOVQ cb+16(FP), BX
	MOVQ cr+24(FP), CX
	MOVQ src0+32(FP), SI
	MOVQ src1+40(FP), DI
	MOVQ n+48(FP), DX
	CONSTANTS

loop420:
	// Y0, Y2: (b, r) and (g, g) of pixels 0 to 7 above, Y1, Y3 of those below;
	// then their sums, and the luma in Y6 and Y7.
	VMOVDQU   (SI), Y0
	VMOVDQU   (DI), Y1
	SPLIT(Y0, Y0, Y2)
	SPLIT(Y1, Y1, Y3)
	LUMA(Y0, Y2, Y6)
	LUMA(Y1, Y3, Y7)
	VPADDD    Y1, Y0, Y0
	VPADDD    Y3, Y2, Y2
	// The same of pixels 8 to 15 in Y1, Y3 with Y4, Y5 for those below.
	VMOVDQU   32(SI), Y1
	VMOVDQU   32(DI), Y4
	SPLIT(Y1, Y1, Y3)
	SPLIT(Y4, Y4, Y5)
	LUMA(Y1, Y3, Y14)
	VPACKUSDW Y14, Y6, Y6
	LUMA(Y4, Y5, Y14)
	VPACKUSDW Y14, Y7, Y7
	VPACKUSWB Y7, Y6, Y6
	VPERMD    Y6, Y15, Y6
	VMOVDQU   X6, (AX)
	VEXTRACTI128 $1, Y6, (R8)
	VPADDD    Y4, Y1, Y1
	VPADDD    Y5, Y3, Y3
	VPHADDD   Y1, Y0, Y0
	VPHADDD   Y3, Y2, Y2
	CHROMA(Y0, Y2, 96, 320, 18, Y4)
	CHROMA(Y0, Y2, 160, 320, 18, Y5)
	STORECHROMA
	ADDQ      $64, SI
	ADDQ      $64, DI
	ADDQ      $16, AX
	ADDQ      $16, R8
	SUBQ      $16, DX
	JNZ       loop420
	VZEROUPPER
	RET
