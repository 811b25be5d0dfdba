//go:build !(amd64 || arm64) || purego

package deflate

import "encoding/binary"

// A view reads data; the callers see to it that 8 bytes from i on are there.
type view []byte

func viewOf(b []byte) view { return b }

func (v view) load64(i int) uint64 { return binary.LittleEndian.Uint64(v[i:]) }
