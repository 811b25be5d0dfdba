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
// long runs: FLUSH stores eight bytes and advances by those that are complete, after
// which at most 7 bits remain. DC takes at most 22, AC 26, EOB 4: between two
// flushes come DC and an AC, or two AC, and an EOB perhaps.

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

// NUMBER leaves the low size bits of v, a number less one if negative, and in z
// its leading zeros, 64-size.
#define NUMBER(v, z) \
	MOVQ   v, z    \
	SARQ   $63, z  \
	XORQ   v, z    \
	LZCNTQ z, z    \
	SHLXQ  z, v, v \
	SHRXQ  z, v, v

// PUT writes the code of the symbol i with the bits in BX; clobbers AX and BX. The
// tables are indexed by leading zeros of 64, less 48.
#define PUT(bits, len, i) \
	MOVBLZX (len-48)(R10)(i*1), AX    \
	ORL     (bits-48*4)(R10)(i*4), BX \
	SHLXQ   AX, R8, R8                \
	ADDQ    AX, R9                    \
	ORQ     BX, R8

// CODE writes a code without a number; clobbers AX.
#define CODE(c) \
	MOVL  c+code_n(R10), AX    \
	SHLXQ AX, R8, R8           \
	ADDQ  AX, R9               \
	MOVL  c+code_bits(R10), AX \
	ORQ   AX, R8

// NEXT takes the next coefficient to BX and its run of zeros to DX.
#define NEXT \
	TZCNTQ  R12, AX                     \
	BLSRQ   R12, R12                    \
	MOVBLZX (R11)(AX*1), BX             \
	MOVQ    AX, DX                      \
	SUBQ    R13, DX                     \
	LEAQ    1(AX), R13                  \
	MOVWQSX block_coef(SI)(BX*2), BX

// SYMBOL writes it.
#define SYMBOL \
	NUMBER(BX, AX) \
	SHLQ $4, DX    \
	ADDQ AX, DX    \
	PUT(huffman_acBits, huffman_acLen, DX)

// ZEROS writes ZRL, for 16 zeros each, until less than 16 are left.
#define ZEROS(again) \
	FLUSH            \
	CODE(huffman_zrl) \
	SUBQ $16, DX     \
	CMPQ DX, $16     \
	JCC  again       \
	FLUSH

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
	NUMBER(BX, DX)
	PUT(huffman_dcBits, huffman_dcLen, DX)
	TESTQ   R12, R12
	JZ      eob
	MOVQ    $1, R13
	JMP     second

first:
	NEXT
	CMPQ  DX, $16
	JCC   longFirst

shortFirst:
	SYMBOL
	TESTQ R12, R12
	JZ    last

second:
	NEXT
	CMPQ  DX, $16
	JCC   longSecond

shortSecond:
	SYMBOL
	FLUSH
	TESTQ R12, R12
	JNZ   first

last:
	CMPQ R13, $64
	JEQ  next                // no EOB after coefficient 63

eob:
	CODE(huffman_eob)

next:
	FLUSH
	ADDQ $block__size, SI
	DECQ CX
	JNZ  loop

	MOVQ w+40(FP), AX
	MOVQ R8, bitWriter_acc(AX)
	MOVQ R9, bitWriter_n(AX)
	SUBQ raw+0(FP), DI
	MOVQ DI, ret+48(FP)
	RET

longFirst:
	ZEROS(longFirst)
	JMP shortFirst

longSecond:
	ZEROS(longSecond)
	JMP shortSecond
