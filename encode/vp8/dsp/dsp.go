// Package dsp holds the block kernels of a VP8 encoder (RFC 6386): conversion of
// pixels, transforms, quantisation, prediction, measures of difference and the
// loop filter.
//
// Planes are slices of samples with a stride, the distance of vertically adjacent
// samples. A block's samples begin at the slice's start; where a kernel also reads
// samples before, it takes the whole plane and the block's index. Coefficients of
// a 4x4 block are 16 values row by row; blocks follow one another, row by row
// within their macroblock. Nothing here keeps its arguments, allocates or locks.
//
// Every kernel is plain Go; those that matter have a twin in AVX2 that gives the
// same results bit by bit.
package dsp
