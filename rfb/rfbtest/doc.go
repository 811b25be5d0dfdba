// Package rfbtest is a strict RFB viewer for tests and benchmarks: it decodes
// into a framebuffer in memory, and what the protocol does not allow is an
// error.
//
// Its decoders are written from the protocol document (RFC 6143 and
// rfbproto), not from this project's encoders, so that the two judge each
// other. Beyond malformed data it refuses what viewers let pass: rectangles
// outside the framebuffer or without pixels, encodings that were not
// announced, pixels that were not asked for, trailing bytes in a compressed
// block, non-zero padding, an update whose rectangle count is wrong, Tight
// rectangles wider than 2048 pixels.
package rfbtest
