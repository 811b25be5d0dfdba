//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func hasLZCNT() bool
TEXT ·hasLZCNT(SB), NOSPLIT, $0-1
	// The highest extended leaf, then leaf 80000001: ECX bit 5.
	MOVL  $0x80000000, AX
	XORL  CX, CX
	CPUID
	MOVB  $0, ret+0(FP)
	CMPL  AX, $0x80000001
	JCS   none
	MOVL  $0x80000001, AX
	XORL  CX, CX
	CPUID
	SHRL  $5, CX
	ANDL  $1, CX
	MOVB  CX, ret+0(FP)

none:
	RET

// The writer's state: the low R9 bits of R8 are to be written to DI. The rest is
// SI: block. CX: blocks to do. R10: its Huffman table. R11: order. R12: coefficients
// to do, a bit for each. R13: index of the coefficient after the last one coded.
// R15: both tables. AX, BX, DX: free.
//
// Nothing here depends on the data but how many coefficients there are and the rare
// long runs: the writer stores eight bytes after each symbol and advances by those
// that are complete. At most 7 bits remain; DC takes 22, AC 26, EOB 4, and no more
// than one of each comes between two flushes.

// FLUSH clobbers AX.
#define FLUSH \
	MOVQ   R9, AX     \
	NEGQ   AX         \
	SHLXQ  AX, R8, AX \
	BSWAPQ AX         \
	MOVQ   AX, (DI)   \
	MOVQ   R9, AX     \
	SHRQ   $3, AX     \
	ADDQ   AX, DI     \
	ANDQ   $7, R9

// The tables are indexed by a number's leading zeros of 64, less 48.
#define ENTRY(table, row, zeros) (table-48*8)(row)(zeros*8)

// NUMBER leaves the low size bits of v, a number less one if negative, and in z
// its leading zeros, 64-size.
#define NUMBER(v, z) \
	MOVQ   v, z    \
	SARQ   $63, z  \
	XORQ   v, z    \
	LZCNTQ z, z    \
	SHLXQ  z, v, v \
	SHRXQ  z, v, v

// PUT writes the code of entry e with the bits v; clobbers e and t. The shift
// takes the low six bits of the entry, which are the length, as its count.
#define PUT(e, v, t) \
	SHLXQ   e, R8, R8 \
	MOVBLZX e, t      \
	SHRQ    $8, e     \
	ORQ     e, v      \
	ADDQ    t, R9     \
	ORQ     v, R8

// func huffmanBMI(raw *byte, b *block, n int, t *[2]huffman, order *[64]uint8, w *bitWriter) int
TEXT ·huffmanBMI(SB), NOSPLIT, $0-56
	MOVQ raw+0(FP), DI
	MOVQ b+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ t+24(FP), R15
	MOVQ order+32(FP), R11
	MOVQ w+40(FP), AX
	MOVQ bitWriter_acc(AX), R8
	MOVQ bitWriter_n(AX), R9

loop:
	MOVLQSX block_back(SI), AX
	MOVLQSX block_dc(SI), BX
	MOVQ    block_nonzero(SI), R12
	IMUL3Q  $-block__size, AX, AX
	IMUL3Q  $huffman__size, block_table(SI), R10
	ADDQ    R15, R10
	MOVLQSX block_dc(SI)(AX*1), AX
	SUBQ    AX, BX
	MOVQ    BX, AX
	SARQ    $63, AX
	ADDQ    AX, BX
	NUMBER(BX, AX)
	MOVQ    ENTRY(huffman_dc, R10, AX), AX
	PUT(AX, BX, DX)
	TESTQ   R12, R12
	JZ      eob
	MOVQ    $1, R13

coefficient:
	TZCNTQ  R12, AX
	BLSRQ   R12, R12
	MOVBLZX (R11)(AX*1), BX
	MOVQ    AX, DX
	SUBQ    R13, DX                 // the run of zeros
	LEAQ    1(AX), R13
	MOVWQSX block_coef(SI)(BX*2), BX
	CMPQ    DX, $16
	JCC     long

short:
	SHLQ    $7, DX
	ADDQ    R10, DX
	NUMBER(BX, AX)
	MOVQ    ENTRY(huffman_ac, DX, AX), AX
	PUT(AX, BX, DX)
	FLUSH
	TESTQ   R12, R12
	JNZ     coefficient

	CMPQ    R13, $64
	JEQ     next

eob:
	MOVQ    huffman_eob(R10), AX
	XORL    BX, BX
	PUT(AX, BX, DX)
	FLUSH

next:
	ADDQ    $block__size, SI
	DECQ    CX
	JNZ     loop

	MOVQ    w+40(FP), AX
	MOVQ    R8, bitWriter_acc(AX)
	MOVQ    R9, bitWriter_n(AX)
	SUBQ    raw+0(FP), DI
	MOVQ    DI, ret+48(FP)
	RET

long:
	// ZRL stands for 16 zeros. BX and DX are needed afterwards; the index of the
	// table's entry above is not.
	FLUSH
	MOVQ    huffman_zrl(R10), AX
	SHLXQ   AX, R8, R8
	ADDB    AX, R9                  // at most 7 + 11: no carry
	SHRQ    $8, AX
	ORQ     AX, R8
	SUBQ    $16, DX
	CMPQ    DX, $16
	JCC     long
	FLUSH
	JMP     short
