package jpeg

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// needKernels skips a comparison where there are no kernels to compare.
func needKernels(t testing.TB) {
	if len(kernelSets()) < 2 {
		t.Skip("plain kernels only")
	}
}

// randomBytes fills b with one of several kinds of noise: any, extremes, small
// steps, one value.
func randomBytes(rnd *rand.Rand, b []byte) {
	kind, first := rnd.IntN(4), byte(rnd.Uint32())
	for i := range b {
		switch kind {
		case 0:
			b[i] = byte(rnd.Uint32())
		case 1:
			b[i] = byte(rnd.IntN(2)) * 255
		case 2:
			b[i] = first + byte(rnd.IntN(9))
		default:
			b[i] = first
		}
	}
}

// TestConvertTwins: all lengths and alignments, and nothing written beside.
func TestConvertTwins(t *testing.T) {
	needKernels(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := unitWidth; n <= segmentWidth; n += unitWidth {
		for off := range 64 {
			src := make([]byte, 8*n+off)[off:]
			randomBytes(rnd, src[:4*n])
			randomBytes(rnd, src[4*n:])
			for s := range subsamplings {
				var out [2][]byte
				for i := range out {
					// Four planes with guards of 5 bytes between.
					out[i] = bytes.Repeat([]byte{0xa5}, off+4*(n+5))
					p := out[i][off:]
					y0, y1, cb, cr := p[:n], p[n+5:][:n], p[2*n+10:], p[3*n+15:]
					a, b := src[:4*n:4*n], src[4*n:]
					switch {
					case s == int(S444) && i == 0:
						convert444(y0, cb[:n], cr[:n], a)
					case s == int(S444):
						convert444Generic(y0, cb[:n], cr[:n], a)
					case s == int(S422) && i == 0:
						convert422(y0, cb[:n/2], cr[:n/2], a)
					case s == int(S422):
						convert422Generic(y0, cb[:n/2], cr[:n/2], a)
					case i == 0:
						convert420(y0, y1, cb[:n/2], cr[:n/2], a, b)
					default:
						convert420Generic(y0, y1, cb[:n/2], cr[:n/2], a, b)
					}
				}
				require.True(t, bytes.Equal(out[0], out[1]), "%s: %d pixels at %d", subsamplings[s], n, off)
			}
		}
	}
}

// TestConvertColours compares the kernels for every colour there is, in steps of 3.
func TestConvertColours(t *testing.T) {
	needKernels(t)
	var src [4 * 256]byte
	var y, cb, cr, y2, cb2, cr2 [256]byte
	for r := 0; r < 256; r += 3 {
		for g := range 256 {
			for b := range 256 {
				copy(src[4*b:], []byte{byte(b), byte(g), byte(r), byte(b * g)})
			}
			convert444(y[:], cb[:], cr[:], src[:])
			convert444Generic(y2[:], cb2[:], cr2[:], src[:])
			if y != y2 || cb != cb2 || cr != cr2 {
				t.Fatalf("red %d, green %d", r, g)
			}
		}
	}
}

func sameBlocks(t *testing.T, want, got []block, what string) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		w, g := &want[i], &got[i]
		if w.dc != g.dc || w.nonzero != g.nonzero {
			t.Fatalf("%s, block %d: want DC %d, mask %#x; got %d, %#x", what, i, w.dc, w.nonzero, g.dc, g.nonzero)
		}
		for k := range 64 {
			if at := transposed[k]; w.nonzero>>k&1 != 0 && w.coef[at] != g.coef[at] {
				t.Fatalf("%s, block %d, coefficient %d: want %d, got %d", what, i, k, w.coef[at], g.coef[at])
			}
		}
	}
}

// TestTransformTwins: all qualities, both tables, several layouts and strides; flat
// blocks alone and beside others; the patterns that make each coefficient largest.
func TestTransformTwins(t *testing.T) {
	needKernels(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	layouts := []layout{{8, 16, 1, 2}, {8, 16, 3, 6}, {100, 8, 1, 6}, {100, 8, 1, 3}, {8, 16, 1, 4}, {3, 5, 1, 2}}
	flats := 0
	for quality := 1; quality <= 100; quality++ {
		for table := range quantBase {
			var q quantiser
			q.set(&quantBase[table], quality)
			for i, l := range layouts {
				stride := 200 + i*quality
				src := make([]byte, 8*stride+quality)[quality:]
				switch rnd.IntN(3) {
				case 0: // a basis function's signs
					u, v := rnd.IntN(8), rnd.IntN(8)
					for j := range src {
						if basis(j%8, u)*basis(j/stride%8, v) > 0 {
							src[j] = 255
						}
					}
				default: // columns of eight of any kind
					for x := 0; x+8 <= stride; x += 8 {
						var b [64]byte
						randomBytes(rnd, b[:])
						for y := range 8 {
							copy(src[y*stride+x:], b[8*y:][:8])
						}
					}
				}
				n := 1 + rnd.IntN(5)
				var out [2][40]block
				q.transform(out[0][:], src, stride, n, l)
				q.transformGeneric(out[1][:], src, stride, n, l)
				sameBlocks(t, out[1][:], out[0][:], fmt.Sprintf("quality %d, layout %d, %d pairs", quality, i, n))
				for j := range n {
					if out[1][j*l.dstStep].nonzero == 0 {
						flats++
					}
				}
			}
		}
	}
	require.Greater(t, flats, 50)
}

// TestWords holds what the kernels' 16 bits rest upon: their divisions equal exact
// ones for all values that can occur, and those are as small as is said.
func TestWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for quality := 1; quality <= 100; quality++ {
		for _, base := range quantBase {
			var q quantiser
			q.set(&base, quality)
			for k, at := range transposed {
				d := 8 * uint32(q.steps[k])
				require.Equal(t, d/2, uint32(q.half16[at]))
				for x := d / 2; x <= 8300+d/2; x += 1 + uint32(rnd.IntN(20)) {
					high := x * uint32(q.recip16[at]) >> 16
					if got := high * uint32(q.shift16[at]) >> 16; got != x/d {
						t.Fatalf("%d/%d: got %d", x, d, got)
					}
				}
			}
		}
	}
	// The largest of every coefficient comes of the signs of its basis function.
	largest := int32(0)
	for k := range 64 {
		for _, high := range []byte{255, 0} {
			var src [64]byte
			for j := range src {
				src[j] = ^high
				if basis(j%8, k%8)*basis(j/8, k/8) > 0 {
					src[j] = high
				}
			}
			var out [64]int32
			fdct(&out, src[:], 8)
			largest = max(largest, slices.Max(out[:]), -slices.Min(out[:]))
			if k > 0 {
				// 10 bits for AC at steps of one.
				require.Less(t, max(slices.Max(out[1:]), -slices.Min(out[1:]))+4, int32(8*1024))
			}
		}
	}
	require.LessOrEqual(t, largest, int32(8300))
	require.Greater(t, largest, int32(8000))
}

// basis is the sign of the transform's function u at x, by eighths of a period.
func basis(x, u int) int {
	if a := (2*x + 1) * u % 32; a < 8 || a > 24 {
		return 1
	}
	return -1
}

// randomBlock makes coefficients from all to few, with garbage in between.
func randomBlock(rnd *rand.Rand, b *block) {
	b.dc = rnd.Int32N(2041) - 1024
	b.nonzero = rnd.Uint64()
	for range rnd.IntN(8) {
		b.nonzero &= rnd.Uint64()
	}
	if rnd.IntN(8) == 0 {
		b.nonzero = ^uint64(0)
	}
	b.nonzero &^= 1
	large := rnd.IntN(11)
	for k, at := range transposed {
		b.coef[at] = int16(rnd.Uint32())
		if b.nonzero>>k&1 != 0 {
			v := 1 + rnd.IntN(1<<(1+rnd.IntN(large+1)))
			if v = min(v, 1023); rnd.IntN(2) == 0 {
				v = -v - 1
			}
			b.coef[at] = int16(max(v, -1024))
		}
	}
}

// TestHuffmanTwins: all numbers of blocks and of waiting bits, garbage above them.
func TestHuffmanTwins(t *testing.T) {
	needKernels(t)
	rnd := rand.New(rand.NewPCG(7, 8))
	runs := 0
	var e Encoder
	for round := range 20 {
		for n := 1; n <= segmentBlocks; n++ {
			e.sub = Subsampling(n % 3)
			e.makePattern()
			for i := range e.blocks {
				randomBlock(rnd, &e.blocks[i])
			}
			acc, waiting := rnd.Uint64(), rnd.Uint64()%8
			want, got := bitWriter{acc, waiting}, bitWriter{acc, waiting}
			raw := make([]byte, n*maxBlockBytes+8+round)[round:]
			raw2 := make([]byte, n*maxBlockBytes+8)
			a := want.huffmanGeneric(raw2, e.blocks[:leadBlocks+n], leadBlocks)
			b := got.huffman(raw, e.blocks[:leadBlocks+n], leadBlocks)
			require.Equal(t, a, b)
			require.True(t, bytes.Equal(raw2[:a], raw[:b]), "%d blocks", n)
			require.Equal(t, want.n, got.n)
			mask := uint64(1)<<want.n - 1
			require.Equal(t, want.acc&mask, got.acc&mask)
			runs++
		}
	}
	require.Equal(t, 20*segmentBlocks, runs)
}

// TestStuff compares with the rule, byte by byte.
func TestStuff(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for i := range 4000 {
		raw := make([]byte, i%70)
		for j := range raw {
			raw[j] = byte(0xfd + rnd.IntN(3+i%5))
		}
		want := []byte{7}
		for _, b := range raw {
			if want = append(want, b); b == 0xff {
				want = append(want, 0)
			}
		}
		require.Equal(t, want, stuff([]byte{7}, raw))
	}
}

// TestEncodeTwins: the files of both ways are the same, for all sizes from 1 to 40,
// all qualities, at odd places in images of odd strides.
func TestEncodeTwins(t *testing.T) {
	needKernels(t)
	var asm, plain Encoder
	sets := kernelSets()
	rnd := rand.New(rand.NewPCG(11, 12))
	var a, b []byte
	n := 0
	for w := 1; w <= 40; w++ {
		for h := 1; h <= 40; h++ {
			n++
			stride := 4*(w+n%5) + n%7
			m := pix.Image{Pix: make([]byte, n%9+stride*(h-1)+4*w)[n%9:], Stride: stride, Rect: image.Rect(3, 5, 3+w, 5+h)}
			if n%3 == 0 {
				randomBytes(rnd, m.Pix)
			} else {
				c := encodetest.Contents[n%len(encodetest.Contents)].New(m.Rect, uint64(n))
				pix.Copy(&m, c, m.Rect)
			}
			for s := S444; s <= S420; s++ {
				quality := 1 + (n+int(s)*33)%100
				a = asm.AppendEncode(a[:0], &m, m.Rect, quality, s)
				undo := sets[len(sets)-1].use()
				b = plain.AppendEncode(b[:0], &m, m.Rect, quality, s)
				undo()
				require.True(t, bytes.Equal(a, b), "%dx%d, quality %d, %s", w, h, quality, subsamplings[s])
				got, err := stdjpeg.Decode(bytes.NewReader(a))
				require.NoError(t, err)
				require.Equal(t, m.Rect.Size(), got.Bounds().Size())
			}
		}
	}
}

// FuzzEncode: any pixels in any size give the same file in both ways, and one that
// image/jpeg reads.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint8(17), uint8(75), uint8(2))
	f.Add(bytes.Repeat([]byte{0, 255, 255, 0, 3}, 400), uint8(31), uint8(100), uint8(0))
	f.Add(bytes.Repeat([]byte{255, 255, 255, 0, 0, 0, 0, 0}, 900), uint8(200), uint8(1), uint8(1))
	sets := kernelSets()
	var asm, plain Encoder
	f.Fuzz(func(t *testing.T, p []byte, width, quality, s uint8) {
		w := int(width) + 1
		h := max(len(p)/(4*w), 1)
		for len(p) < 4*w*h {
			p = append(p, p...)
			p = append(p, 9)
		}
		m := pix.Image{Pix: slices.Clone(p[:4*w*h]), Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}
		a := asm.AppendEncode(nil, &m, m.Rect, int(quality), Subsampling(s%3))
		defer sets[len(sets)-1].use()()
		b := plain.AppendEncode(nil, &m, m.Rect, int(quality), Subsampling(s%3))
		require.True(t, bytes.Equal(a, b))
		_, err := stdjpeg.Decode(bytes.NewReader(a))
		require.NoError(t, err)
	})
}
