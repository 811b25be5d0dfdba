//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Two blocks at a time, A in the low half of each YMM register and B in the high
// half: row v of A and of B are the 16 words of Yv. All shuffles stay within the
// halves, so that the code reads as if for one block.
//
// The transform's results are sums of products of two or four differences with
// constants; multiplied out, those of fdct.go are the factors below, and the sums
// are the same 32-bit integers.

#define REPEAT(sym, at, v) \
	DATA sym<>+(at+0)(SB)/8, $v  \
	DATA sym<>+(at+8)(SB)/8, $v  \
	DATA sym<>+(at+16)(SB)/8, $v \
	DATA sym<>+(at+24)(SB)/8, $v

REPEAT(dct, 0, 0x8080808080808080)
REPEAT(dct, 32, 0x115129cf115129cf)  // 2: of a-d 10703, of b-c 4433
REPEAT(dct, 64, 0xd6301151d6301151)  // 6: 4433, -10704
REPEAT(dct, 96, 0x25a12c6325a12c63)  // 1: of s0-s7 11363, of s1-s6 9633
REPEAT(dct, 128, 0x08d4192508d41925) // 1: of s2-s5 6437, of s3-s4 2260
REPEAT(dct, 160, 0xf72d25a1f72d25a1) // 3: 9633, -2259
REPEAT(dct, 192, 0xe6dcd39ee6dcd39e) // 3: -11362, -6436
REPEAT(dct, 224, 0xd39e1925d39e1925) // 5: 6437, -11362
REPEAT(dct, 256, 0x25a108d525a108d5) // 5: 2261, 9633
REPEAT(dct, 288, 0xe6dc08d4e6dc08d4) // 7: 2260, -6436
REPEAT(dct, 320, 0xd39d25a1d39d25a1) // 7: 9633, -11363
REPEAT(dct, 352, 0x0000040000000400) // round1
REPEAT(dct, 384, 0x0000400000004000) // round2
REPEAT(dct, 416, 0x0002000200020002) // rounding of the second pass's sums
GLOBL dct<>(SB), (RODATA|NOPTR), $448

// EVEN and ODD make one result of both blocks: the words (a-d, b-c) interleaved in
// Y8 and Y9, or (s0-s7, s1-s6) in Y12 and Y13 and (s2-s5, s3-s4) in Y14 and Y15,
// with the factors at; rounding and shift as in fdct.go. Clobber Y8 to Y11, but
// EVEN keeps Y8 and Y9.
#define EVEN(at, round, shift, out) \
	VPMADDWD  dct<>+at(SB), Y8, Y10       \
	VPMADDWD  dct<>+at(SB), Y9, Y11       \
	VPADDD    dct<>+round(SB), Y10, Y10   \
	VPADDD    dct<>+round(SB), Y11, Y11   \
	VPSRAD    $shift, Y10, Y10            \
	VPSRAD    $shift, Y11, Y11            \
	VPACKSSDW Y11, Y10, out

#define ODD(at, round, shift, out) \
	VPMADDWD  dct<>+at(SB), Y12, Y8       \
	VPMADDWD  dct<>+(at+32)(SB), Y14, Y9  \
	VPMADDWD  dct<>+at(SB), Y13, Y10      \
	VPMADDWD  dct<>+(at+32)(SB), Y15, Y11 \
	VPADDD    dct<>+round(SB), Y8, Y8     \
	VPADDD    dct<>+round(SB), Y10, Y10   \
	VPADDD    Y9, Y8, Y8                  \
	VPADDD    Y11, Y10, Y10               \
	VPSRAD    $shift, Y8, Y8              \
	VPSRAD    $shift, Y10, Y10            \
	VPACKSSDW Y10, Y8, out

// PASS transforms Y0 to Y7 in place, word by word: Y0 and Y4 are left to the
// caller to scale. Clobbers Y8 to Y15. With the names of fdct.go: first s0-s7,
// s1-s6, s2-s5 and s3-s4 in Y8 to Y11 and a to d in Y0 to Y3; then e = a+d, a-d,
// f = b+c and b-c in Y4 to Y7.
#define PASS(round, shift) \
	VPSUBW     Y7, Y0, Y8       \
	VPADDW     Y7, Y0, Y0       \
	VPSUBW     Y6, Y1, Y9       \
	VPADDW     Y6, Y1, Y1       \
	VPSUBW     Y5, Y2, Y10      \
	VPADDW     Y5, Y2, Y2       \
	VPSUBW     Y4, Y3, Y11      \
	VPADDW     Y4, Y3, Y3       \
	VPUNPCKLWD Y9, Y8, Y12      \
	VPUNPCKHWD Y9, Y8, Y13      \
	VPUNPCKLWD Y11, Y10, Y14    \
	VPUNPCKHWD Y11, Y10, Y15    \
	VPADDW     Y3, Y0, Y4       \
	VPSUBW     Y3, Y0, Y5       \
	VPADDW     Y2, Y1, Y6       \
	VPSUBW     Y2, Y1, Y7       \
	VPADDW     Y6, Y4, Y0       \
	VPSUBW     Y6, Y4, Y4       \
	VPUNPCKLWD Y7, Y5, Y8       \
	VPUNPCKHWD Y7, Y5, Y9       \
	EVEN(32, round, shift, Y2)  \
	EVEN(64, round, shift, Y6)  \
	ODD(96, round, shift, Y1)   \
	ODD(160, round, shift, Y3)  \
	ODD(224, round, shift, Y5)  \
	ODD(288, round, shift, Y7)

// TRANSPOSE transposes the words of both blocks. Clobbers Y8 to Y15.
#define TRANSPOSE \
	VPUNPCKLWD  Y1, Y0, Y8    \
	VPUNPCKHWD  Y1, Y0, Y9    \
	VPUNPCKLWD  Y3, Y2, Y10   \
	VPUNPCKHWD  Y3, Y2, Y11   \
	VPUNPCKLWD  Y5, Y4, Y12   \
	VPUNPCKHWD  Y5, Y4, Y13   \
	VPUNPCKLWD  Y7, Y6, Y14   \
	VPUNPCKHWD  Y7, Y6, Y15   \
	VPUNPCKLDQ  Y10, Y8, Y0   \
	VPUNPCKHDQ  Y10, Y8, Y1   \
	VPUNPCKLDQ  Y11, Y9, Y2   \
	VPUNPCKHDQ  Y11, Y9, Y3   \
	VPUNPCKLDQ  Y14, Y12, Y4  \
	VPUNPCKHDQ  Y14, Y12, Y5  \
	VPUNPCKLDQ  Y15, Y13, Y6  \
	VPUNPCKHDQ  Y15, Y13, Y7  \
	VPUNPCKLQDQ Y4, Y0, Y8    \
	VPUNPCKHQDQ Y4, Y0, Y9    \
	VPUNPCKLQDQ Y5, Y1, Y10   \
	VPUNPCKHQDQ Y5, Y1, Y11   \
	VPUNPCKLQDQ Y6, Y2, Y4    \
	VPUNPCKHQDQ Y6, Y2, Y5    \
	VPUNPCKLQDQ Y7, Y3, Y6    \
	VPUNPCKHQDQ Y7, Y3, Y7    \
	VMOVDQA     Y8, Y0        \
	VMOVDQA     Y9, Y1        \
	VMOVDQA     Y10, Y2       \
	VMOVDQA     Y11, Y3

// QUANTISE divides column u, as the words of v: with x = |v| + half, two
// products' high words. See type quantiser. Clobbers Y8, Y9.
#define QUANTISE(u, v) \
	VPABSW         v, Y8                                  \
	VBROADCASTI128 (quantiser_half16+16*u)(R9), Y9        \
	VPADDW         Y9, Y8, Y8                             \
	VBROADCASTI128 (quantiser_recip16+16*u)(R9), Y9       \
	VPMULHUW       Y9, Y8, Y8                             \
	VBROADCASTI128 (quantiser_shift16+16*u)(R9), Y9       \
	VPMULHUW       Y9, Y8, Y8                             \
	VPSIGNW        v, Y8, v

// STORE writes column u of both blocks, negative ones less one. Clobbers Y12.
#define STORE(u, v) \
	VPSRAW       $15, v, Y12                             \
	VPADDW       Y12, v, Y12                             \
	VMOVDQU      X12, (block_coef+16*u)(DI)              \
	VEXTRACTI128 $1, Y12, (block_coef+16*u)(DI)(R10*1)

// Shuffles of the zigzag: ZIGZAG(to, from) at (4*to+from)*16 moves those bytes
// of columns 2*from and 2*from+1 that belong to coefficients 16*to to 16*to+15,
// and clears the rest. fdct_test.go derives them from the table.
DATA order<>+0(SB)/8, $0x8080800902010800
DATA order<>+8(SB)/8, $0x808080800b04030a
DATA order<>+16(SB)/8, $0x0108008080808080
DATA order<>+24(SB)/8, $0x8080090280808080
DATA order<>+32(SB)/8, $0x8080808080808080
DATA order<>+40(SB)/8, $0x0800808080808080
DATA order<>+48(SB)/8, $0x8080808080808080
DATA order<>+56(SB)/8, $0x8080808080808080
DATA order<>+64(SB)/8, $0x800d06050c808080
DATA order<>+72(SB)/8, $0x8080808080808080
DATA order<>+80(SB)/8, $0x0480808080030a80
DATA order<>+88(SB)/8, $0x808080808080800b
DATA order<>+96(SB)/8, $0x8080808080808001
DATA order<>+104(SB)/8, $0x030a808080090280
DATA order<>+112(SB)/8, $0x8080808080808080
DATA order<>+120(SB)/8, $0x8080010800808080
DATA order<>+128(SB)/8, $0x8080800f070e8080
DATA order<>+136(SB)/8, $0x8080808080808080
DATA order<>+144(SB)/8, $0x800d06808080050c
DATA order<>+152(SB)/8, $0x0e80808080808080
DATA order<>+160(SB)/8, $0x0480808080808080
DATA order<>+168(SB)/8, $0x80050c808080800b
DATA order<>+176(SB)/8, $0x8080808080808080
DATA order<>+184(SB)/8, $0x808080030a090280
DATA order<>+192(SB)/8, $0x8080808080808080
DATA order<>+200(SB)/8, $0x8080808080808080
DATA order<>+208(SB)/8, $0x8080808080800f07
DATA order<>+216(SB)/8, $0x8080808080808080
DATA order<>+224(SB)/8, $0x808080800d068080
DATA order<>+232(SB)/8, $0x80808080800f070e
DATA order<>+240(SB)/8, $0x050c0b0480808080
DATA order<>+248(SB)/8, $0x0f070e0d06808080
GLOBL order<>(SB), (RODATA|NOPTR), $256

#define FIRST(at, from, z) \
	VBROADCASTI128 order<>+at(SB), Y12 \
	VPSHUFB        Y12, from, z

#define NEXT(at, from, z) \
	VBROADCASTI128 order<>+at(SB), Y12 \
	VPSHUFB        Y12, from, Y12      \
	VPOR           Y12, z, z

#define LOADROW(v) \
	VMOVQ   (SI), v          \
	VPINSRQ $1, (DX), v, v   \
	ADDQ    R13, SI          \
	ADDQ    R13, DX

// func transformAVX2(dst *block, dstPair, dstStep int, src *byte, pair, step, stride, n int, q *quantiser)
//
// DI, R10: dst of A, from there to that of B. R11: to that of the next pair.
// R8: src of A, R12: from there to B, R15: to the next pair. SI, DX: rows of A and
// B. R13: stride. CX: pairs to do. R9: q.
TEXT ·transformAVX2(SB), NOSPLIT, $0-72
	MOVQ dst+0(FP), DI
	MOVQ dstPair+8(FP), R10
	MOVQ dstStep+16(FP), R11
	MOVQ src+24(FP), R8
	MOVQ pair+32(FP), R12
	MOVQ step+40(FP), R15
	MOVQ stride+48(FP), R13
	MOVQ n+56(FP), CX
	MOVQ q+64(FP), R9

loop:
	MOVQ R8, SI
	LEAQ (R8)(R12*1), DX
	LOADROW(X0)
	LOADROW(X1)
	LOADROW(X2)
	LOADROW(X3)
	LOADROW(X4)
	LOADROW(X5)
	LOADROW(X6)
	LOADROW(X7)

	// Flat blocks: all rows are the first, and that is its first byte eight times.
	VPXOR       X1, X0, X8
	VPXOR       X2, X0, X9
	VPXOR       X3, X0, X10
	VPOR        X8, X9, X9
	VPXOR       X4, X0, X11
	VPOR        X10, X11, X11
	VPXOR       X5, X0, X12
	VPXOR       X6, X0, X13
	VPOR        X12, X13, X13
	VPXOR       X7, X0, X14
	VPOR        X9, X11, X11
	VPOR        X13, X14, X14
	VPOR        X11, X14, X14
	VPTEST      X14, X14
	JZ          rows                       // all rows alike

full:
	// Signed bytes less 128, then words.
	VMOVDQU   dct<>+0(SB), X15
	VPXOR     X15, X0, X0
	VPXOR     X15, X1, X1
	VPXOR     X15, X2, X2
	VPXOR     X15, X3, X3
	VPXOR     X15, X4, X4
	VPXOR     X15, X5, X5
	VPXOR     X15, X6, X6
	VPXOR     X15, X7, X7
	VPMOVSXBW X0, Y0
	VPMOVSXBW X1, Y1
	VPMOVSXBW X2, Y2
	VPMOVSXBW X3, Y3
	VPMOVSXBW X4, Y4
	VPMOVSXBW X5, Y5
	VPMOVSXBW X6, Y6
	VPMOVSXBW X7, Y7

	PASS(352, 11)
	VPSLLW $2, Y0, Y0
	VPSLLW $2, Y4, Y4
	TRANSPOSE
	PASS(384, 15)
	VMOVDQU dct<>+416(SB), Y8
	VPADDW  Y8, Y0, Y0
	VPADDW  Y8, Y4, Y4
	VPSRAW  $2, Y0, Y0
	VPSRAW  $2, Y4, Y4

	QUANTISE(0, Y0)
	QUANTISE(1, Y1)
	QUANTISE(2, Y2)
	QUANTISE(3, Y3)
	QUANTISE(4, Y4)
	QUANTISE(5, Y5)
	QUANTISE(6, Y6)
	QUANTISE(7, Y7)
	VMOVD        X0, AX
	VEXTRACTI128 $1, Y0, X8
	VMOVD        X8, BX
	MOVWLSX      AX, AX
	MOVWLSX      BX, BX
	MOVL         AX, block_dc(DI)
	MOVL         BX, block_dc(DI)(R10*1)
	STORE(0, Y0)
	STORE(1, Y1)
	STORE(2, Y2)
	STORE(3, Y3)
	STORE(4, Y4)
	STORE(5, Y5)
	STORE(6, Y6)
	STORE(7, Y7)

	// The mask: saturated to bytes, columns 0 and 1 in Y0, to 6 and 7 in Y6; put
	// into zigzag order in Y8 to Y11; compared.
	VPACKSSWB Y1, Y0, Y0
	VPACKSSWB Y3, Y2, Y2
	VPACKSSWB Y5, Y4, Y4
	VPACKSSWB Y7, Y6, Y6
	FIRST(0, Y0, Y8)
	NEXT(16, Y2, Y8)
	NEXT(32, Y4, Y8)
	FIRST(64, Y0, Y9)
	NEXT(80, Y2, Y9)
	NEXT(96, Y4, Y9)
	NEXT(112, Y6, Y9)
	FIRST(128, Y0, Y10)
	NEXT(144, Y2, Y10)
	NEXT(160, Y4, Y10)
	NEXT(176, Y6, Y10)
	FIRST(208, Y2, Y11)
	NEXT(224, Y4, Y11)
	NEXT(240, Y6, Y11)
	// Y0, Y1 become coefficients 0 to 31 and 32 to 63 of A, Y2, Y3 those of B.
	VPERM2I128 $0x20, Y9, Y8, Y0
	VPERM2I128 $0x31, Y9, Y8, Y2
	VPERM2I128 $0x20, Y11, Y10, Y1
	VPERM2I128 $0x31, Y11, Y10, Y3
	VPXOR      Y12, Y12, Y12
	VPCMPEQB   Y12, Y0, Y0
	VPCMPEQB   Y12, Y1, Y1
	VPCMPEQB   Y12, Y2, Y2
	VPCMPEQB   Y12, Y3, Y3
	VPMOVMSKB  Y0, AX
	VPMOVMSKB  Y1, BX
	VPMOVMSKB  Y2, SI
	VPMOVMSKB  Y3, DX
	SHLQ       $32, BX
	SHLQ       $32, DX
	ORQ        BX, AX
	ORQ        DX, SI
	NOTQ       AX
	NOTQ       SI
	ANDQ       $-2, AX                    // not the first
	ANDQ       $-2, SI
	MOVQ       AX, block_nonzero(DI)
	MOVQ       SI, block_nonzero(DI)(R10*1)

next:
	ADDQ R15, R8
	ADDQ R11, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET

rows:
	// All rows are alike; are all bytes of the row? Broadcast the first of each.
	VPSHUFB flat<>(SB), X0, X15
	VPXOR   X15, X0, X15
	VPTEST  X15, X15
	JNZ     full

	// Only the mean remains, 64*(s-128).
	VPXOR        dct<>+0(SB), X0, X0
	VPMOVSXBW    X0, Y0
	VPSLLW       $6, Y0, Y0
	QUANTISE(0, Y0)
	VMOVD        X0, AX
	VEXTRACTI128 $1, Y0, X8
	VMOVD        X8, BX
	MOVWLSX      AX, AX
	MOVWLSX      BX, BX
	MOVL         AX, block_dc(DI)
	MOVL         BX, block_dc(DI)(R10*1)
	MOVQ         $0, block_nonzero(DI)
	MOVQ         $0, block_nonzero(DI)(R10*1)
	JMP          next

DATA flat<>+0(SB)/8, $0
DATA flat<>+8(SB)/8, $0x0808080808080808
GLOBL flat<>(SB), (RODATA|NOPTR), $16
