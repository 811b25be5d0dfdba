//go:build (amd64 || arm64) && !purego

package deflate

import "unsafe"

// A view reads data without checking bounds: the callers see to it that 8 bytes
// from i on are there.
type view struct{ p unsafe.Pointer }

func viewOf(b []byte) view { return view{unsafe.Pointer(unsafe.SliceData(b))} }

func (v view) load64(i int) uint64 { return *(*uint64)(unsafe.Add(v.p, i)) }
