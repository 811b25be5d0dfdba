//go:build !purego

#include "textflag.h"

DATA index<>+0(SB)/4, $0x00ffffff  // colours
DATA index<>+4(SB)/4, $0x9e3779b1  // indexHash
// The order of dwords after two packs within lanes, of the words of two vectors and
// then of the bytes of four.
DATA index<>+8(SB)/8, $0x0000000400000000
DATA index<>+16(SB)/8, $0x0000000500000001
DATA index<>+24(SB)/8, $0x0000000600000002
DATA index<>+32(SB)/8, $0x0000000700000003
GLOBL index<>(SB), (RODATA|NOPTR), $40

// LOOKUP leaves in out, for the eight pixels at SI and at, the XOR of the pixel's
// colour with its slot's entry. The loads are made one by one: the gather instruction
// is no faster and with some processors' microcode much slower. X is out's lower half.
#define LOOKUP(at, out, X) \
	VPAND        at(SI), Y8, Y5             \
	VPMULLD      Y9, Y5, Y4                 \
	VPSRLD       $20, Y4, Y4                \
	VEXTRACTI128 $1, Y4, X3                 \
	VMOVQ        X4, AX                     \
	VPEXTRQ      $1, X4, DX                 \
	VMOVQ        X3, R9                     \
	VPEXTRQ      $1, X3, R10                \
	MOVL         AX, R11                    \
	SHRQ         $32, AX                    \
	VMOVD        (R8)(R11*4), X             \
	MOVL         DX, R12                    \
	SHRQ         $32, DX                    \
	VPINSRD      $1, (R8)(AX*4), X, X       \
	MOVL         R9, R11                    \
	SHRQ         $32, R9                    \
	VMOVD        (R8)(R11*4), X3            \
	VPINSRD      $2, (R8)(R12*4), X, X      \
	MOVL         R10, R12                   \
	SHRQ         $32, R10                   \
	VPINSRD      $1, (R8)(R9*4), X3, X3     \
	VPINSRD      $3, (R8)(DX*4), X, X       \
	VPINSRD      $2, (R8)(R12*4), X3, X3    \
	VPINSRD      $3, (R8)(R10*4), X3, X3    \
	VINSERTI128  $1, X3, out, out           \
	VPXOR        Y5, out, out

// func indexRowAVX2(dst, src *byte, t *indexTable, n int) int
//
// DI is dst, SI src, R8 t, CX the pixels left. Y8 selects colours, Y9 is the hash's
// factor, Y10 the order after packing, Y7 the last pixel in each dword, Y6 its number
// in each byte.
TEXT ·indexRowAVX2(SB), NOSPLIT, $0-40
	MOVQ         dst+0(FP), DI
	MOVQ         src+8(FP), SI
	MOVQ         t+16(FP), R8
	MOVQ         n+24(FP), CX
	VPBROADCASTD index<>+0(SB), Y8
	VPBROADCASTD index<>+4(SB), Y9
	VMOVDQU      index<>+8(SB), Y10

	// The first pixel is the first last one; without an entry nothing is done.
	MOVL         (SI), AX
	ANDL         $0x00ffffff, AX
	IMUL3L       $0x9e3779b1, AX, DX
	SHRL         $20, DX
	MOVL         (R8)(DX*4), DX
	XORL         DX, AX
	TESTL        $0x00ffffff, AX
	JNZ          done
	SHRL         $24, DX
	VPBROADCASTD (SI), Y7
	VMOVD        DX, X6
	VPBROADCASTB X6, Y6

many:
	CMPQ   CX, $32
	JLT    few
	VPXOR  (SI), Y7, Y0
	VPXOR  32(SI), Y7, Y1
	VPXOR  64(SI), Y7, Y2
	VPXOR  96(SI), Y7, Y3
	VPOR   Y0, Y1, Y1
	VPOR   Y2, Y3, Y3
	VPOR   Y1, Y3, Y3
	VPTEST Y8, Y3
	JNZ    lookup
	VMOVDQU Y6, (DI)
	ADDQ   $128, SI
	ADDQ   $32, DI
	SUBQ   $32, CX
	JMP    many

lookup:
	LOOKUP(0, Y0, X0)
	LOOKUP(32, Y1, X1)
	LOOKUP(64, Y2, X2)
	LOOKUP(96, Y11, X11)
	VPOR      Y0, Y1, Y4
	VPOR      Y2, Y11, Y5
	VPOR      Y4, Y5, Y5
	VPTEST    Y8, Y5
	JNZ       few            // it is in here
	VPBROADCASTD 124(SI), Y7
	VPSRLD    $24, Y0, Y0
	VPSRLD    $24, Y1, Y1
	VPSRLD    $24, Y2, Y2
	VPSRLD    $24, Y11, Y11
	VPACKUSDW Y1, Y0, Y0
	VPACKUSDW Y11, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPERMD    Y0, Y10, Y0
	VMOVDQU   Y0, (DI)
	VPBROADCASTB 31(DI), Y6
	ADDQ      $128, SI
	ADDQ      $32, DI
	SUBQ      $32, CX
	JMP       many

few:
	TESTQ     CX, CX
	JZ        done
	LOOKUP(0, Y0, X0)
	VPTEST    Y8, Y0
	JNZ       done
	VPSRLD    $24, Y0, Y0
	VPACKUSDW Y0, Y0, Y0
	VPACKUSWB Y0, Y0, Y0
	VPERMD    Y0, Y10, Y0
	VMOVQ     X0, (DI)
	ADDQ      $32, SI
	ADDQ      $8, DI
	SUBQ      $8, CX
	JMP       few

done:
	MOVQ n+24(FP), AX
	SUBQ CX, AX
	MOVQ AX, ret+32(FP)
	VZEROUPPER
	RET
