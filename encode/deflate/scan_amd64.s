//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The scan of scan_generic.go. What takes its time is branches that are predicted
// wrongly: of those that depend on the data there is one for each place, whether
// several pixels match; whether none does or one is arithmetic, and so is the choice
// of the longest match.
//
// SI: data. DI: the place in it. R9: the first literal. R11: where the next sequence
// goes. R12: scanner. R14: misses, and DX: the distance up to which a single pixel is
// taken. For a place, first, BX and R15: distances to the last places of the hashes;
// CX, R13, AX and R8: the bits that are equal a pixel before, a row above and there;
// R10: the most of them. Then AX: length and CX: distance of the best match; Y0: the
// bytes at the place.

// LOOKUP leaves in at the last place with the hash of the pixels in R8, and enters
// this one; clobbers AX.
#define LOOKUP(table, shift, bits, at) \
	MOVQ  R8, AX                 \
	SHLQ  $(shift), AX           \
	IMULQ factor-32(SP), AX      \
	SHRQ  $(64-bits), AX         \
	MOVL  table(R12)(AX*4), at   \
	MOVL  DI, table(R12)(AX*4)

// MOST leaves in R10 the greater of both.
#define MOST(e) \
	CMPQ    e, R10 \
	CMOVQGT e, R10

// EQUAL leaves in n how many bytes at p are like those in Y0, up to clip.
#define EQUAL(p, n) \
	VPCMPEQB  p, Y0, Y1 \
	VPMOVMSKB Y1, n     \
	NOTQ      n         \
	TZCNTQ    n, n

// TRY makes dist the best distance if it is better by more than a byte; clobbers R8.
#define TRY(dist) \
	MOVQ    DI, R8           \
	SUBQ    dist, R8         \
	EQUAL((SI)(R8*1), R8)    \
	DECQ    R8               \
	CMPQ    R8, AX           \
	LEAQ    1(R8), R8        \
	CMOVQGT R8, AX           \
	CMOVQGT dist, CX

// COUNTn adds n to the counts of the pixel's bytes; clobbers R8.
#define COUNT1(n) \
	MOVBLZX (SI)(DI*1), R8 \
	ADDL    n, scanner_hist(R12)(R8*4)

#define COUNT2(n) \
	COUNT1(n)           \
	MOVBLZX 1(SI)(DI*1), R8 \
	ADDL    n, (scanner_hist+1024)(R12)(R8*4)

#define COUNT3(n) \
	COUNT2(n)           \
	MOVBLZX 2(SI)(DI*1), R8 \
	ADDL    n, (scanner_hist+2048)(R12)(R8*4)

#define COUNT4(n) \
	COUNT3(n)           \
	MOVBLZX 3(SI)(DI*1), R8 \
	ADDL    n, scanner_hist(R12)(R8*4)

// ROUNDn makes the length a multiple of the unit; clobbers BX.
#define ROUND1
#define ROUND2 \
	ANDQ $~1, AX

#define ROUND3 \
	MOVL  $0xaaaaaaab, BX \
	IMULQ AX, BX          \
	SHRQ  $33, BX         \
	LEAQ  (BX)(BX*2), AX

#define ROUND4 \
	ANDQ $~3, AX

// FAR sets how far a single pixel may be; clobbers AX.
#define FAR \
	MOVQ  R14, AX             \
	SHRQ  $const_farShift, AX \
	MOVL  $const_window, DX   \
	SHRXQ AX, DX, DX

// NONE goes on after a place without a match, of which there are no short ones;
// ONE after one where a single pixel is matched, or none.
#define NONE(unit, least, COUNT) \
	MOVL     $1, AX                             \
	COUNT(AX)                                   \
	INCQ     R14                                \
	ADDQ     $unit, DI

#define ONE(unit, least, COUNT) \
	CMPQ     AX, $(8*least)                     \
	CMOVQGE  BX, R15                            \
	CMPQ     R13, $(8*least)                    \
	CMOVQGE  row-40(SP), R15                    \
	MOVL     $unit, BX                          \
	CMPQ     CX, $(8*least)                     \
	CMOVQGE  BX, R15                            \
	DECQ     R15                                \
	SHLQ     $const_distShift, R15              \
	MOVQ     DI, BX                             \
	SUBQ     R9, BX                             \
	ORQ      R15, BX                            \
	ORQ      $(unit<<const_countBits), BX       \
	MOVQ     BX, (R11)                          \
	LEAQ     unit(DI), R13                      \
	LEAQ     1(R14), BX                         \
	SHRQ     $1, R14                            \
	XORL     AX, AX                             \
	CMPQ     R10, $(8*least)                    \
	SETGE    AL                                 \
	CMOVQGE  R13, R9                            \
	CMOVQLT  BX, R14                            \
	LEAQ     (R11)(AX*8), R11                   \
	XORL     $1, AX                             \
	COUNT(AX)                                   \
	MOVQ     R13, DI

// SCAN is the body for pixels of unit bytes and matches of least; its hashes are of
// the low bits that are left by the shifts.
#define SCAN(unit, least, several, longShift, shortShift, NEXT, COUNT, ROUND) \
	MOVQ  s+0(FP), R12                          \
	MOVQ  data+8(FP), SI                        \
	MOVQ  to+16(FP), AX                         \
	MOVQ  span_limit(AX), BX                    \
	MOVQ  BX, limit-8(SP)                       \
	MOVQ  span_end(AX), BX                      \
	MOVQ  BX, end-16(SP)                        \
	MOVQ  span_back(AX), BX                     \
	MOVQ  BX, row-40(SP)                        \
	MOVQ  scanner_at(R12), DI                   \
	MOVQ  scanner_literal(R12), R9              \
	MOVQ  scanner_misses(R12), R14              \
	MOVQ  scanner_n(R12), R11                   \
	LEAQ  scanner_sequences(R12)(R11*8), R11    \
	LEAQ  (scanner_sequences+8*(const_maxSequences-1))(R12), AX \
	MOVQ  AX, full-24(SP)                       \
	MOVQ  $const_hashFactor, AX                 \
	MOVQ  AX, factor-32(SP)                     \
	MOVQ  $0, none-48(SP)                       \
	FAR                                         \
	                                            \
loop:                                               \
	CMPQ     DI, limit-8(SP)                    \
	JGT      done                               \
	MOVQ     (SI)(DI*1), R8                     \
	LOOKUP(scanner_long, longShift, const_longBits, BX) \
	LOOKUP(scanner_short, shortShift, const_shortBits, R15) \
	                                            \
	/* The bits that are equal, of 64. */       \
	MOVQ     -unit(SI)(DI*1), CX                \
	XORQ     R8, CX                             \
	TZCNTQ   CX, CX                             \
	MOVQ     DI, R10                            \
	SUBQ     row-40(SP), R10                    \
	MOVQ     (SI)(R10*1), R13                   \
	XORQ     R8, R13                            \
	TZCNTQ   R13, R13                           \
	MOVQ     (SI)(BX*1), AX                     \
	XORQ     R8, AX                             \
	TZCNTQ   AX, AX                             \
	XORQ     (SI)(R15*1), R8                    \
	TZCNTQ   R8, R8                             \
	NEGQ     BX                                 \
	ADDQ     DI, BX                             \
	CMPQ     BX, $const_window                  \
	CMOVQHI  none-48(SP), AX                    \
	NEGQ     R15                                \
	ADDQ     DI, R15                            \
	CMPQ     R15, DX                    \
	CMOVQHI  none-48(SP), R8                    \
	MOVQ     CX, R10                            \
	MOST(R13)                                   \
	MOST(AX)                                    \
	MOST(R8)                                    \
	CMPQ     R10, $(8*several)                  \
	JGE      match                              \
	                                            \
	NEXT(unit, least, COUNT)                    \
	FAR                                         \
	CMPQ     R14, $(1<<const_skipShift)         \
	JGE      skip                               \
	CMPQ     R11, full-24(SP)                   \
	JCS      loop                               \
	JMP      done                               \
	                                            \
skip:                                               \
	MOVQ     R14, BX                            \
	SHRQ     $const_skipShift, BX               \
	IMUL3Q   $unit, BX, BX                      \
	ADDQ     DI, BX                             \
	CMPQ     R14, $const_maxMisses              \
	JGE      leap                               \
	MOVQ     limit-8(SP), AX                    \
	INCQ     AX                                 \
	CMPQ     BX, AX                             \
	CMOVQGT  AX, BX                             \
	MOVL     $1, AX                             \
	                                            \
skipped:                                            \
	CMPQ     DI, BX                             \
	JGE      stored                             \
	COUNT(AX)                                   \
	ADDQ     $unit, DI                          \
	JMP      skipped                            \
	                                            \
leap:                                               \
	MOVQ     $const_maxMisses, R14              \
	CMPQ     BX, limit-8(SP)                    \
	JGT      stored                             \
	MOVQ     BX, DI                             \
	MOVQ     $1, scanner_leaps(R12)             \
	JMP      stored                             \
	                                            \
match:                                              \
	SHRQ     $1, R14                            \
	MOVL     $unit, CX                          \
	CMPQ     BX, $const_window                  \
	CMOVQHI  CX, BX                             \
	CMPQ     R15, DX                    \
	CMOVQHI  CX, R15                            \
	MOVQ     row-40(SP), R10                    \
	VMOVDQU  (SI)(DI*1), Y0                     \
	EQUAL(-unit(SI)(DI*1), AX)                  \
	MOVL     $(least-2), R8                     \
	CMPQ     AX, $least                         \
	CMOVQLT  R8, AX                             \
	TRY(R10)                                    \
	TRY(BX)                                     \
	TRY(R15)                                    \
	MOVQ     end-16(SP), BX                     \
	SUBQ     DI, BX                             \
	CMPQ     AX, BX                             \
	CMOVQGT  BX, AX                             \
	CMPQ     AX, $const_clip                    \
	JGE      extend                             \
	                                            \
extended:                                           \
	ROUND                                       \
	CMPQ     AX, $(2*unit)                      \
	JGT      back                               \
	                                            \
store:                                              \
	MOVQ     DI, BX                             \
	SUBQ     R9, BX                             \
	LEAQ     -1(CX), R8                         \
	SHLQ     $const_distShift, R8               \
	ORQ      R8, BX                             \
	MOVQ     AX, R8                             \
	SHLQ     $const_countBits, R8               \
	ORQ      R8, BX                             \
	MOVQ     BX, (R11)                          \
	ADDQ     $8, R11                            \
	ADDQ     AX, DI                             \
	MOVQ     DI, R9                             \
	                                            \
stored:                                             \
	FAR                                         \
	CMPQ     R11, full-24(SP)                   \
	JCS      loop                               \
	JMP      done                               \
	                                            \
	/* BX: the most; R15 and R8 point to the bytes to compare. */ \
extend:                                             \
	LEAQ     (SI)(DI*1), R15                    \
	MOVQ     R15, R8                            \
	SUBQ     CX, R8                             \
	SUBQ     $const_clip, BX                    \
	                                            \
extendMore:                                         \
	CMPQ     AX, BX                             \
	JGT      extendLast                         \
	VMOVDQU  (R15)(AX*1), Y1                    \
	VPCMPEQB (R8)(AX*1), Y1, Y1                 \
	VPMOVMSKB Y1, R13                           \
	XORL     $-1, R13                           \
	JNZ      extendEnd                          \
	ADDQ     $const_clip, AX                    \
	JMP      extendMore                         \
	                                            \
extendEnd:                                          \
	TZCNTL   R13, R13                           \
	ADDQ     R13, AX                            \
	JMP      extended                           \
	                                            \
extendLast:                                         \
	ADDQ     $const_clip, BX                    \
	                                            \
extendByte:                                         \
	CMPQ     AX, BX                             \
	JGE      extendedByte                       \
	MOVBLZX  (R15)(AX*1), CX                    \
	CMPB     CX, (R8)(AX*1)                     \
	JNE      extendedByte                       \
	INCQ     AX                                 \
	JMP      extendByte                         \
	                                            \
extendedByte:                                       \
	MOVQ     R15, CX                            \
	SUBQ     R8, CX                             \
	JMP      extended                           \
	                                            \
back:                                               \
	XORL     R14, R14                           \
	                                            \
backMore:                                           \
	LEAQ     -unit(DI), BX                      \
	CMPQ     BX, R9                             \
	JLT      store                              \
	SUBQ     CX, BX                             \
	JLT      store                              \
	MOVL     -unit(SI)(DI*1), R8                \
	XORL     (SI)(BX*1), R8                     \
	SHLQ     $(64-8*unit), R8                   \
	JNZ      store                              \
	SUBQ     $unit, DI                          \
	ADDQ     $unit, AX                          \
	MOVL     $-1, R13                           \
	COUNT(R13)                                 \
	JMP      backMore                           \
	                                            \
done:                                               \
	VZEROUPPER                                  \
	MOVQ     DI, scanner_at(R12)                \
	MOVQ     R9, scanner_literal(R12)           \
	MOVQ     R14, scanner_misses(R12)           \
	LEAQ     scanner_sequences(R12), AX         \
	SUBQ     AX, R11                            \
	SHRQ     $3, R11                            \
	MOVQ     R11, scanner_n(R12)                \
	RET

// func scan1(s *scanner, data *byte, to *span, 
TEXT ·scan1(SB), NOSPLIT, $48-24
	SCAN(1, 3, 3, 64-8*5, 64-8*3, NONE, COUNT1, ROUND1)

// func scan2(s *scanner, data *byte, to *span, 
TEXT ·scan2(SB), NOSPLIT, $48-24
	SCAN(2, 4, 4, 64-8*6, 64-8*4, NONE, COUNT2, ROUND2)

// func scan3(s *scanner, data *byte, to *span, 
TEXT ·scan3(SB), NOSPLIT, $48-24
	SCAN(3, 3, 6, 0, 64-8*3, ONE, COUNT3, ROUND3)

// func scan4(s *scanner, data *byte, to *span, 
TEXT ·scan4(SB), NOSPLIT, $48-24
	SCAN(4, 4, 8, 0, 64-8*4, ONE, COUNT4, ROUND4)
