package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// inflate decodes pieces joined and requires that they do not end the stream.
func inflate(t testing.TB, pieces []byte) []byte {
	t.Helper()
	got, err := io.ReadAll(flate.NewReader(bytes.NewReader(pieces)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("want a stream that goes on, got %v", err)
	}
	return got
}

// roundTrip compresses data and checks all that Append promises.
func roundTrip(t testing.TB, c *Compressor, data []byte, parts ...Part) []byte {
	t.Helper()
	out := c.Append([]byte("before"), data, parts, Effort(len(data)&1))
	piece, ok := bytes.CutPrefix(out, []byte("before"))
	if !ok {
		t.Fatal("what was there before is overwritten")
	}
	if !bytes.HasSuffix(piece, []byte{0, 0, 0xff, 0xff}) {
		t.Fatalf("no sync flush: %x", piece[max(0, len(piece)-8):])
	}
	if most := len(data) + 5*(len(data)/storedMax+len(data)/maxBlock+1) + 10; len(piece) > most {
		t.Fatalf("%d bytes became %d, want at most %d", len(data), len(piece), most)
	}
	if got := inflate(t, piece); !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %+v: %d bytes come back, or others", len(data), parts, len(got))
	}
	return piece
}

// randomPicture makes data like those of pictures: runs, copies of rows, copies from
// anywhere, noise, in units or not.
func randomPicture(r *rand.Rand, n int, l Part) []byte {
	unit := max(1, l.Unit)
	colours := make([]byte, unit*(1+r.IntN(20)))
	for i := range colours {
		colours[i] = byte(r.Uint32())
	}
	kinds := 1 + r.IntN(6)
	data := make([]byte, 0, n+1000)
	for len(data) < n {
		length := 1 + r.IntN(1<<r.IntN(11))
		dist := 0
		switch r.IntN(kinds) {
		case 0:
			dist = unit
		case 1:
			c := unit * r.IntN(len(colours)/unit)
			data = append(data, colours[c:c+unit]...)
			continue
		case 2:
			dist = l.Stride
		case 3:
			dist = 1 + r.IntN(1<<r.IntN(17))
		case 4:
			for range length {
				data = append(data, byte(r.Uint32()))
			}
			continue
		default:
			for range length {
				data = append(data, byte(r.IntN(3)))
			}
			continue
		}
		if dist < 1 || dist > len(data) {
			data = append(data, byte(r.Uint32()))
			continue
		}
		for range length {
			data = append(data, data[len(data)-dist])
		}
	}
	return data[:n]
}

func TestRandomPictures(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c Compressor
	for i := range 1500 {
		n := r.IntN(1 << r.IntN(18))
		if i%100 == 0 {
			n = 3*maxBlock + r.IntN(1000)
		}
		p := Part{Size: n, Unit: r.IntN(5), Stride: r.IntN(1 << r.IntN(17))}
		data := randomPicture(r, n, p)
		parts := []Part{p}
		switch i % 7 {
		case 0:
			parts[0] = Part{r.IntN(2*n+10) - 5, r.IntN(20) - 5, r.IntN(100000) - 5000}
		case 1, 2, 3: // many
			parts = nil
			data = data[:0]
			for range r.IntN(50) {
				p := Part{r.IntN(1 << r.IntN(13)), r.IntN(5), r.IntN(1 << r.IntN(11))}
				data = append(data, randomPicture(r, p.Size, p)...)
				parts = append(parts, p)
			}
		}
		roundTrip(t, &c, data, parts...)
	}
}

func FuzzAppend(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20 {
		p := Part{Unit: i % 5, Stride: i * i}
		f.Add(randomPicture(r, 20*i*i, p), p.Unit, p.Stride, i*i)
	}
	var c Compressor
	f.Fuzz(func(t *testing.T, data []byte, unit, stride, cut int) {
		parts := []Part{{len(data), unit, stride}}
		roundTrip(t, &c, data, parts...)
		roundTrip(t, &c, data, Part{cut, unit, stride}, Part{-cut / 3, stride, unit}, Part{len(data), unit + 1, cut})
		cut = min(max(cut, 0), len(data))
		joined := append(roundTrip(t, &c, data[:cut], parts...), roundTrip(t, &c, data[cut:], parts...)...)
		if !bytes.Equal(inflate(t, joined), data) {
			t.Fatal("pieces do not join")
		}
	})
}

func TestMemory(t *testing.T) {
	require.Less(t, unsafe.Sizeof(Compressor{}), uintptr(140<<10))
}

func TestAllocs(t *testing.T) {
	parts := []Part{{Size: 100000, Unit: 3, Stride: 3 * 256}}
	data := randomPicture(rand.New(rand.NewPCG(5, 6)), 100000, parts[0])
	var c Compressor
	dst := make([]byte, 0, 2*len(data))
	require.Zero(t, testing.AllocsPerRun(20, func() {
		if len(c.Append(dst, data, parts, Small)) == 0 {
			t.Fatal("no output")
		}
	}))
}
