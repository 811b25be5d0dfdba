package tight

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"io"
	"testing"

	"compress/zlib"

	"github.com/stretchr/testify/require"

	"framebridge/encode"
	"framebridge/encode/encodetest"
	"framebridge/internal/pix"
)

// viewer decodes Tight as the description of the encoding has it.
type viewer struct {
	in      [4]bytes.Buffer
	out     [4]io.Reader
	resets  int
	classes map[string]int
	jpeg    image.Image // the last picture
}

func (v *viewer) decode(t *testing.T, f pix.Format, w, h int, b []byte) []uint32 {
	if v.classes == nil {
		v.classes = make(map[string]int)
	}
	control := b[0]
	b = b[1:]
	for i := range 4 {
		if control&(1<<i) != 0 {
			v.resets++
			v.out[i] = nil
			v.in[i].Reset()
		}
	}
	pixel := func(b []byte) (uint32, []byte) {
		if f.BitsPerPixel == 32 && f.Depth == 24 && f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 {
			return uint32(b[0])<<f.RedShift | uint32(b[1])<<f.GreenShift | uint32(b[2])<<f.BlueShift, b[3:]
		}
		return encodetest.Pixel(f, b)
	}
	length := func() int {
		n := int(b[0] & 0x7f)
		if b[0]&0x80 == 0 {
			b = b[1:]
			return n
		}
		n |= int(b[1]&0x7f) << 7
		if b[1]&0x80 == 0 {
			b = b[2:]
			return n
		}
		n |= int(b[2]) << 14
		b = b[3:]
		return n
	}
	out := make([]uint32, w*h)
	switch {
	case control>>4 == 8:
		v.classes["fill"]++
		var c uint32
		c, b = pixel(b)
		for i := range out {
			out[i] = c
		}
		require.Empty(t, b)
		return out
	case control>>4 == 9:
		v.classes["jpeg"]++
		n := length()
		require.Len(t, b, n)
		m, err := stdjpeg.Decode(bytes.NewReader(b))
		require.NoError(t, err)
		v.jpeg = m
		return nil
	case control>>4 > 9:
		t.Fatalf("control byte %#x", control)
	}
	filter := byte(0)
	if control&0x40 != 0 {
		filter = b[0]
		b = b[1:]
	}
	var palette []uint32
	row := 0 // bytes
	switch filter {
	case 0:
		v.classes["full"]++
		one := int(f.BitsPerPixel) / 8
		if f.BitsPerPixel == 32 && f.Depth == 24 && f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 {
			one = 3
		}
		row = one * w
	case 1:
		n := int(b[0]) + 1
		b = b[1:]
		for range n {
			var c uint32
			c, b = pixel(b)
			palette = append(palette, c)
		}
		row = w
		if n == 2 {
			v.classes["mono"]++
			row = (w + 7) / 8
		} else {
			v.classes["indexed"]++
		}
	default:
		t.Fatalf("filter %d", filter)
	}
	data := make([]byte, row*h)
	if len(data) < 12 {
		copy(data, b[:len(data)])
		b = b[len(data):]
	} else {
		s := control >> 4 & 3
		n := length()
		v.in[s].Write(b[:n])
		b = b[n:]
		if v.out[s] == nil {
			z, err := zlib.NewReader(&v.in[s])
			require.NoError(t, err)
			v.out[s] = z
		}
		_, err := io.ReadFull(v.out[s], data)
		require.NoError(t, err)
	}
	require.Empty(t, b)
	for y := range h {
		line := data[y*row : (y+1)*row]
		for x := range w {
			switch {
			case len(palette) == 2:
				out[y*w+x] = palette[line[x/8]>>(7-x%8)&1]
			case palette != nil:
				out[y*w+x] = palette[line[x]]
			default:
				out[y*w+x], line = pixel(line)
			}
		}
	}
	return out
}

func TestLossless(t *testing.T) {
	e := New(encode.Params{Format: pix.BGRX, Compress: -1, Quality: -1})
	var v viewer
	encodetest.Lossless(t, e, v.decode, nil)
	e.Release() // the streams go on without their compressors
	encodetest.Lossless(t, e, v.decode, func(p image.Point) bool { return p.X < 20 })
	require.Zero(t, v.resets, "the first rectangle must not reset a stream, nor need any other")
	for _, c := range []string{"fill", "mono", "indexed", "full"} {
		require.Greater(t, v.classes[c], 20, c)
	}
}

// shared sends through the stateless stage, in turn: alone, and with a compressed
// piece.
type shared struct {
	*Packer
	viewer *Encoder
	n      int
}

func (s *shared) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	var p Prepared
	if err := s.Prepare(&p, m, r); err != nil {
		return dst, err
	}
	s.n++
	if s.n%5 < 2 {
		return s.viewer.Append(dst, &p)
	}
	if err := s.Compress(&p); err != nil {
		return dst, err
	}
	return s.viewer.Append(dst, &p)
}

func TestShared(t *testing.T) {
	p := encode.Params{Format: pix.BGRX}
	var v viewer
	encodetest.Lossless(t, &shared{Packer: NewPacker(p), viewer: New(p)}, v.decode, nil)
	require.Zero(t, v.resets)
}

// TestJPEG allows loss: it must happen to photographs and noise, and to nothing
// else.
func TestJPEG(t *testing.T) {
	r := image.Rect(2, 3, 152, 103)
	for i, f := range encodetest.Formats {
		e := New(encode.Params{Format: f.Format, Compress: -1})
		var v viewer
		for q := i % 3; q < 10; q += 3 {
			e.SetParams(encode.Params{Format: f.Format, Compress: q, Quality: q})
			for _, c := range encodetest.Contents {
				m := c.New(r, uint64(q))
				out, err := e.AppendRect(nil, m, r)
				require.NoError(t, err)
				v.jpeg = nil
				got := v.decode(t, f.Format, r.Dx(), r.Dy(), out)
				lossy := f.BitsPerPixel >= 16 && (c.Name == "photo" || c.Name == "noise")
				// Pictures of few colours at random are noise, too, if they
				// exceed the palette, and in the gradient no two pixels are equal.
				if v.jpeg != nil && !lossy {
					require.Contains(t, []string{"gradient", "127 colours", "128 colours", "256 colours", "257 colours"}, c.Name)
					require.GreaterOrEqual(t, int(f.BitsPerPixel), 16)
					continue
				}
				require.Equal(t, e.Class() == JPEG, v.jpeg != nil)
				require.Equal(t, lossy, v.jpeg != nil, "%s %s %d", f.Name, c.Name, q)
				if !lossy {
					require.Equal(t, encodetest.Values(f.Format, m, r), got)
				} else {
					require.Equal(t, r.Size(), v.jpeg.Bounds().Size())
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	e := New(encode.Params{Format: pix.BGRX, Compress: -1, Quality: -1})
	m := pix.New(image.Rect(0, 0, 2049, 300))
	_, err := e.AppendRect(nil, m, image.Rect(0, 0, 2049, 1))
	require.ErrorContains(t, err, "2048 wide")
	_, err = e.AppendRect(nil, m, image.Rect(0, 0, 2048, 300))
	require.ErrorContains(t, err, "pixels")
	_, err = e.AppendRect(nil, m, image.Rect(0, 0, 2048, 256))
	require.NoError(t, err)
	e.SetParams(encode.Params{Format: pix.BGRX, Compress: 10})
	_, err = e.AppendRect(nil, m, image.Rect(0, 0, 10, 10))
	require.ErrorContains(t, err, "level")
}

// TestLength compares the compact lengths with the description's examples and
// with every boundary.
func TestLength(t *testing.T) {
	for _, c := range []struct {
		n    int
		want []byte
	}{
		{0, []byte{0}}, {127, []byte{127}}, {128, []byte{0x80, 1}}, {10000, []byte{0x90, 0x4e}},
		{16383, []byte{0xff, 0x7f}}, {16384, []byte{0x80, 0x80, 1}}, {maxLength, []byte{0xff, 0xff, 0xff}},
	} {
		require.Equal(t, c.want, appendLength(nil, c.n))
		b := append([]byte{9, 0, 0, 0}, make([]byte, c.n)...)
		require.Equal(t, append([]byte{9}, c.want...), closeLength(b, 1)[:1+len(c.want)])
	}
}

func TestPackMono(t *testing.T) {
	for w := 1; w < 40; w++ {
		var idx, want []byte
		for y := range 3 {
			row := make([]byte, (w+7)/8)
			for x := range w {
				bit := byte(x*x+y*3+x/5) & 1
				idx = append(idx, bit)
				row[x/8] |= bit << (7 - x%8)
			}
			want = append(want, row...)
		}
		require.Equal(t, want, packMono(idx, w))
	}
}

func TestAllocs(t *testing.T) {
	for _, q := range []int{-1, 8} {
		encodetest.NoAllocs(t, New(encode.Params{Format: pix.BGRX, Compress: -1, Quality: q}), image.Rect(0, 0, 256, 256))
	}
}

func BenchmarkLossless(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: -1, Quality: -1}))
}

func BenchmarkCompress1(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: 1, Quality: -1}))
}

func BenchmarkQuality8(b *testing.B) {
	encodetest.Bench(b, New(encode.Params{Format: pix.BGRX, Compress: -1, Quality: 8}))
}

func BenchmarkPrepare(b *testing.B) {
	encodetest.Bench(b, &prepareOnly{k: NewPacker(encode.Params{Format: pix.BGRX, Compress: -1, Quality: -1})})
}

// prepareOnly leaves the compression out.
type prepareOnly struct {
	k *Packer
	p Prepared
}

func (o *prepareOnly) AppendRect(dst []byte, m *pix.Image, r image.Rectangle) ([]byte, error) {
	err := o.k.Prepare(&o.p, m, r)
	return append(append(dst, o.p.Head...), o.p.Data...), err
}

// TestLookPartPhoto: a photograph that lies in something drawn is one JPEG rectangle,
// and what is around it stays exact.
func TestLookPartPhoto(t *testing.T) {
	r := image.Rect(3, 5, 3+250, 5+240)
	photo := image.Rect(61, 70, 61+140, 70+120)
	m := pix.New(image.Rect(0, 0, 300, 300))
	m.Fill(m.Rect, 0xffffff)
	for i := range r.Dx() * r.Dy() / 12 {
		at := i*12 + i%7
		m.Set(r.Min.X+at%r.Dx(), r.Min.Y+at/r.Dx(), uint32(i%400)*0x1f3b)
	}
	pix.Copy(m, encodetest.Find("photo").New(photo, 5), photo)
	p := encode.Params{Format: pix.BGRX, Compress: 1, Quality: 6}
	k := NewPacker(p)
	pending := []image.Rectangle{r}
	var all pix.Region
	lossy := 0
	for len(pending) > 0 {
		q := pending[0]
		pending = pending[1:]
		var out Prepared
		part, err := k.LookPart(&out, m, q)
		require.NoError(t, err)
		require.False(t, part.Empty())
		require.True(t, part.In(q))
		require.True(t, all.Intersect(pix.RegionOf(part)).Empty())
		all = all.Union(pix.RegionOf(part))
		if out.Class == JPEG {
			require.True(t, part.In(photo))
			lossy += part.Dx() * part.Dy()
		}
		pending = append(pending, pix.RegionOf(q).Subtract(pix.RegionOf(part)).Rects()...)
	}
	require.Equal(t, pix.RegionOf(r), all)
	require.Greater(t, lossy, photo.Dx()*photo.Dy()*8/10)

	// Who can only send r as a whole does not make letters blurred.
	var out Prepared
	require.NoError(t, k.Look(&out, m, r))
	require.Equal(t, Full, out.Class)
}

// TestLookPart: what has too many colours as a whole, and not in parts, becomes several
// rectangles; all are the viewer's, exactly, but a photograph below text is JPEG.
func TestLookPart(t *testing.T) {
	// dots draws dots of n colours on white.
	dots := func(m *pix.Image, r image.Rectangle, n int, first uint32) {
		m.Fill(r, 0xffffff)
		for i := range r.Dx() * r.Dy() / 16 {
			at := i*16 + i%5
			m.Set(r.Min.X+at%r.Dx(), r.Min.Y+at/r.Dx(), first+uint32(i%n)*0x1f3b)
		}
	}
	r := image.Rect(3, 5, 3+250, 5+260)
	for _, f := range encodetest.Formats {
		for _, c := range []struct {
			photo   bool
			quality int
		}{{false, -1}, {false, 6}, {true, -1}, {true, 6}} {
			p := encode.Params{Format: f.Format, Compress: 1, Quality: c.quality}
			k, e := NewPacker(p), New(p)
			m := pix.New(image.Rect(0, 0, 300, 300))
			below := r
			below.Min.Y += 150
			dots(m, r, 120, 0)
			dots(m, below, 240, 0x500000)
			if c.photo {
				pix.Copy(m, encodetest.Find("photo").New(below, 5), below)
			}

			var v viewer
			pending, parts := []image.Rectangle{r}, 0
			for len(pending) > 0 {
				var out Prepared
				rest := pending[0]
				part, err := k.LookPart(&out, m, rest)
				require.NoError(t, err)
				require.False(t, part.Empty())
				require.True(t, part.In(rest))
				pending = append(pending[1:], pix.RegionOf(rest).Subtract(pix.RegionOf(part)).Rects()...)
				if part != rest && out.Class != JPEG {
					require.Equal(t, Indexed, out.Class)
					require.GreaterOrEqual(t, part.Dx()*part.Dy(), minTop)
				}
				if out.Class == JPEG {
					require.Equal(t, 6, c.quality)
					k.Picture(&out, m, part)
				}
				require.NoError(t, k.Compress(&out))
				b, err := e.Append(nil, &out)
				require.NoError(t, err)
				got := v.decode(t, f.Format, part.Dx(), part.Dy(), b)
				if out.Class != JPEG {
					require.Equal(t, encodetest.Values(f.Format, m, part), got, "%s %v", f.Name, c)
				}
				parts++
			}
			if f.TPixel() {
				require.GreaterOrEqual(t, parts, 2, "%s %v", f.Name, c)
				require.Positive(t, v.classes["indexed"])
				require.Equal(t, c.photo && c.quality >= 0, v.classes["jpeg"] > 0, "%s %v", f.Name, c)
			}
		}
	}
}

// TestWords bounds what words cost that programs write here and there, with a tenth to
// spare.
func TestWords(t *testing.T) {
	encodetest.BoundWords(t, func(p encode.Params) encode.Encoder { return New(p) }, map[[2]int]float64{
		{-1, 30}: 28, {1, 30}: 28, {9, 30}: 28,
		{-1, 0}: 73, {1, 0}: 73, {9, 0}: 73,
	})
}
