//go:build !purego

package deflate

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// hasAVX2 includes BMI1 and BMI2, which all processors with AVX2 have, too.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

// scan1 to scan4 are kernelGeneric for their units.
//
//go:noescape
func scan1(s *scanner, data *byte, to *span)

//go:noescape
func scan2(s *scanner, data *byte, to *span)

//go:noescape
func scan3(s *scanner, data *byte, to *span)

//go:noescape
func scan4(s *scanner, data *byte, to *span)

func (s *scanner) kernel(data []byte, to span, unit int) {
	if !hasAVX2 {
		s.kernelGeneric(data, to, unit)
		return
	}
	p := unsafe.SliceData(data)
	switch unit {
	case 1:
		scan1(s, p, &to)
	case 2:
		scan2(s, p, &to)
	case 3:
		scan3(s, p, &to)
	case 4:
		scan4(s, p, &to)
	}
}
