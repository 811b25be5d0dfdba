package vp8

import "encoding/binary"

// AppendIVFHeader appends the header of an IVF file, the container that codec tools
// read, of frames of the given size; perSecond is the unit of time of frames.
func AppendIVFHeader(dst []byte, width, height, perSecond int) []byte {
	dst = append(dst, "DKIF\x00\x00\x20\x00VP80"...) // version 0, 32 bytes of header
	dst = binary.LittleEndian.AppendUint16(dst, uint16(width))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(height))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(perSecond))
	dst = binary.LittleEndian.AppendUint32(dst, 1)
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // frames: unknown
}

// AppendIVFFrame appends a frame that is shown at time.
func AppendIVFFrame(dst, frame []byte, time uint64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(frame)))
	dst = binary.LittleEndian.AppendUint64(dst, time)
	return append(dst, frame...)
}
