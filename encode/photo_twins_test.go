package encode

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPhotoSteps compares the kernel with the definition on pieces of all lengths
// with neighbours that are equal, near the bound and at random.
func TestPhotoSteps(t *testing.T) {
	both(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(7, 8))
		near := func(v uint32) uint32 {
			switch rnd.IntN(4) {
			case 0:
				return v ^ rnd.Uint32()<<24
			case 1:
				return rnd.Uint32()
			}
			for s := 0; s < 24; s += 8 { // each byte by about the bound
				c := int(v >> s & 255)
				if d := rnd.IntN(2*smallStep + 4); rnd.IntN(2) == 0 {
					c -= d
				} else {
					c += d
				}
				v = v&^(255<<s) | uint32(min(max(c, 0), 255))<<s
			}
			return v
		}
		smalls, equals := 0, 0
		for range 5000 {
			n := 1 + rnd.IntN(photoPiece)
			row, below := make([]byte, 4*n+4), make([]byte, 4*n)
			v := rnd.Uint32()
			for i := range n + 1 {
				binary.LittleEndian.PutUint32(row[4*i:], v)
				if i < n {
					binary.LittleEndian.PutUint32(below[4*i:], near(v))
				}
				v = near(v)
			}
			var equal, small uint8
			for i := range n {
				if [3]byte(row[4*i:]) == [3]byte(row[4*i+4:]) || [3]byte(row[4*i:]) == [3]byte(below[4*i:]) {
					equal |= 1 << i
					equals++
				}
				far := false
				for c := range 3 {
					d := int(row[4*i+c]) - int(row[4*i+4+c])
					far = far || d > smallStep || -d > smallStep
				}
				if !far {
					small |= 1 << i
					smalls++
				}
			}
			e, s := photoSteps(row, below)
			require.Equal(t, []uint8{equal, small}, []uint8{e, s})
		}
		require.Greater(t, equals, 1000)
		require.Greater(t, smalls, 1000)
	})
}
