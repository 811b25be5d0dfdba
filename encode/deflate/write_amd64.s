//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The writer of write_generic.go. DI: output. SI: next literal. DX: next sequence. CX:
// end of the sequences. R8: bits that are not yet complete bytes, R9: how many. R12:
// blockWriter. AX: the sequence. BX: literals left. R10, R11, R13, R14, R15: free.

// FLUSH writes what makes bytes; clobbers R13.
#define FLUSH \
	MOVQ  R8, (DI)     \
	MOVQ  R9, R13      \
	SHRQ  $3, R13      \
	ADDQ  R13, DI      \
	MOVQ  R9, R13      \
	ANDQ  $0x38, R13   \
	SHRXQ R13, R8, R8  \
	ANDQ  $7, R9

// LITERAL writes the byte at p; clobbers R13 and R14.
#define LITERAL(p) \
	MOVBLZX p, R13                              \
	MOVL    blockWriter_litCodes(R12)(R13*4), R13 \
	MOVL    R13, R14                            \
	SHRL    $8, R14                             \
	SHLXQ   R9, R14, R14                        \
	ORQ     R14, R8                             \
	MOVBLZX R13, R13                            \
	ADDQ    R13, R9

// MATCH writes a match of the length in R10 at a distance whose bits are in R11 and
// their number in R15; clobbers R13 and R14.
#define MATCH \
	MOVL    (blockWriter_lengths-4*const_minMatch)(R12)(R10*4), R13 \
	MOVL    R13, R14                            \
	SHRL    $8, R14                             \
	SHLXQ   R9, R14, R14                        \
	ORQ     R14, R8                             \
	MOVBLZX R13, R13                            \
	ADDQ    R13, R9                             \
	SHLXQ   R9, R11, R14                        \
	ORQ     R14, R8                             \
	ADDQ    R15, R9                             \
	FLUSH

// func writeBMI(b *blockWriter, out, data *byte, seqs *sequence, n int) int
TEXT ·writeBMI(SB), NOSPLIT, $0-48
	MOVQ b+0(FP), R12
	MOVQ out+8(FP), DI
	MOVQ data+16(FP), SI
	MOVQ seqs+24(FP), DX
	MOVQ n+32(FP), CX
	LEAQ (DX)(CX*8), CX
	MOVQ blockWriter_acc(R12), R8
	MOVQ blockWriter_nacc(R12), R9

loop:
	MOVQ (DX), AX
	ADDQ $8, DX
	MOVL AX, BX
	ANDL $const_countMask, BX
	JEQ  match
	SUBQ $4, BX
	JLT  few

four:
	LITERAL((SI))
	LITERAL(1(SI))
	LITERAL(2(SI))
	LITERAL(3(SI))
	FLUSH
	ADDQ $4, SI
	SUBQ $4, BX
	JGE  four

few:
	ADDQ $4, BX
	JEQ  match

one:
	LITERAL((SI))
	INCQ SI
	DECQ BX
	JNE  one
	FLUSH

match:
	MOVQ  AX, R10
	SHRQ  $const_countBits, R10
	ANDL  $const_countMask, R10
	JEQ   next
	ADDQ  R10, SI
	MOVQ  AX, R13
	SHRQ  $const_symbolShift, R13
	MOVQ  blockWriter_dists(R12)(R13*8), R13
	SHRQ  $const_distShift, AX
	ANDL  $(const_window-1), AX
	MOVQ  R13, R14
	SHRQ  $32, R14
	SUBQ  R14, AX
	MOVL  R13, R14
	SHRL  $16, R14               // the shift takes the low six bits
	SHLXQ R14, AX, AX
	MOVWLZX R13, R11
	ORQ   AX, R11
	MOVL  R13, R15
	SHRL  $24, R15
	CMPQ  R10, $const_maxMatch
	JGT   long

last:
	MATCH

next:
	CMPQ DX, CX
	JCS  loop
	MOVQ R8, blockWriter_acc(R12)
	MOVQ R9, blockWriter_nacc(R12)
	SUBQ out+8(FP), DI
	MOVQ DI, ret+40(FP)
	RET

long:
	MOVQ R10, BX

longMore:
	CMPQ BX, $(const_maxMatch+2)
	JLE  longRest
	MOVL $const_maxMatch, R10
	MATCH
	SUBQ $const_maxMatch, BX
	JMP  longMore

longRest:
	MOVQ BX, R10
	CMPQ BX, $const_maxMatch
	JLE  last
	SUBQ $const_minMatch, R10
	MATCH
	MOVL $const_minMatch, R10
	JMP  last
