package bench

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/encode/vp8"
	"framebridge/internal/peertest"
	"framebridge/internal/pix"
)

// TestVideoWorksReplay: works show the same in every run, and what they say that
// changed is all that did.
func TestVideoWorksReplay(t *testing.T) {
	for _, w := range videoWorks() {
		t.Run(w.name, func(t *testing.T) {
			a, b := pix.New(image.Rect(0, 0, 700, 500)), pix.New(image.Rect(0, 0, 700, 500))
			first, second := w.begin(a), w.begin(b)
			require.True(t, pix.Equal(a, b, a.Rect))
			changed := false
			for n := 1; n <= 4; n++ {
				before := pix.New(a.Rect)
				pix.Copy(before, a, a.Rect)
				c := first(n)
				second(n)
				require.True(t, pix.Equal(a, b, a.Rect), "frame %d", n)
				changed = changed || !pix.Equal(a, before, a.Rect)
				for _, m := range c.Moves {
					before.Move(m.Dst, m.Src)
				}
				for _, r := range c.Damage {
					require.True(t, r.In(a.Rect))
					pix.Copy(before, a, r)
				}
				require.True(t, pix.Equal(a, before, a.Rect), "frame %d is what its change says", n)
				if w.area != nil {
					area := w.area(a.Rect)
					require.False(t, area.Empty())
					for _, r := range c.Damage {
						require.True(t, r.In(area))
					}
				}
			}
			require.Equal(t, w.name != "idle", changed)
		})
	}
}

// TestVideo runs all encoders for a moment.
func TestVideo(t *testing.T) {
	peertest.Program(t, "ffmpeg")
	var log bytes.Buffer
	rs, err := Video(t.Context(), VideoOptions{Works: []string{"idle", "type", "video", "rest"}, Size: "640x480", Frames: 6, Peers: true, Log: &log})
	require.NoError(t, err)
	for _, r := range rs {
		require.Empty(t, r.Err, "%s: %s", r.Work, r.Encoder)
		require.Positive(t, r.Frames)
		require.Positive(t, r.Bytes)
		require.Greater(t, r.PSNR, 20.0, "%s: %s", r.Work, r.Encoder)
		require.Equal(t, r.Work == "video", r.AreaPSNR > 20, "%s: %s", r.Work, r.Encoder)
		if strings.HasPrefix(r.Encoder, "vp8") {
			require.Positive(t, r.P50)
			require.Positive(t, r.CPU)
			require.GreaterOrEqual(t, r.P95, r.P50)
		}
	}
	require.Len(t, rs, 4*4+2, "two of ours, four of them for video, and two peers: %s", log.String())
	for _, r := range rs {
		switch {
		case r.Work == "rest":
			require.Equal(t, strings.HasPrefix(r.Encoder, "vp8"), r.Passes > 0)
		case r.Work == "video" && strings.HasPrefix(r.Encoder, "vp8"):
			require.Positive(t, r.Ratio, log.String())
		default:
			require.Equal(t, 6, r.Frames)
			require.Zero(t, r.Ratio)
		}
	}
	require.Contains(t, log.String(), "dB of the area with")
}

// TestVideoFindsWrongPictures: an encoder that does not know what decoders show.
func TestVideoFindsWrongPictures(t *testing.T) {
	peertest.Program(t, "ffmpeg")
	ff, err := findFFmpeg(t.Context())
	require.NoError(t, err)
	size := image.Pt(100, 70)
	enc, err := vp8.New(size.X, size.Y, vp8.Config{Workers: 1})
	require.NoError(t, err)
	c := &coded{enc: enc, size: size, ivf: vp8.AppendIVFHeader(nil, size.X, size.Y, videoFPS)}
	m := ui(size.X, size.Y, 1)
	for range 3 {
		_, _, _, err := c.encode(m, vp8.Change{}, vp8.Options{Refine: true})
		require.NoError(t, err)
	}
	require.NoError(t, ff.check(t.Context(), c))
	c.sums[2]++
	require.ErrorIs(t, ff.check(t.Context(), c), errWrongPicture)
	c.sums = c.sums[:2]
	require.ErrorContains(t, ff.check(t.Context(), c), "more than frames")
	c.sums = append(c.sums, 0, 0)
	c.ivf = c.ivf[:len(c.ivf)-1]
	require.Error(t, ff.check(t.Context(), c))
}

func TestVideoRefuses(t *testing.T) {
	for _, o := range []VideoOptions{{Works: []string{"dance"}}, {Works: []string{"type", "none"}}, {Size: "1x1"}} {
		_, err := Video(t.Context(), o)
		require.Error(t, err, "%+v", o)
	}
	rs, err := Video(t.Context(), VideoOptions{Works: []string{"none"}})
	require.NoError(t, err)
	require.Empty(t, rs)
}

func TestFidelity(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	size := image.Pt(50, 30)
	p := newI420(size)
	got := make([]byte, 60*size.Y)
	for i := range p.y {
		p.y[i] = byte(rnd.Uint32())
	}
	for i := range got {
		got[i] = byte(rnd.Uint32())
	}
	f := fidelity{area: image.Rect(7, 5, 20, 11)}
	f.add(p, got, 60)
	f.add(p, got, 60)
	var sum, part, n float64
	for y := range size.Y {
		for x := range size.X {
			d := float64(p.y[y*p.yStride+x]) - float64(got[y*60+x])
			sum += 2 * d * d
			if image.Pt(x, y).In(f.area) {
				part += 2 * d * d
				n += 2
			}
		}
	}
	var r VideoResult
	f.set(&r)
	require.InDelta(t, 10*math.Log10(255*255*float64(2*size.X*size.Y)/sum), r.PSNR, 0.001)
	require.InDelta(t, 10*math.Log10(255*255*n/part), r.AreaPSNR, 0.001)
	require.Zero(t, lumaPSNR(0, 10), "identical")

	var raw bytes.Buffer
	require.NoError(t, p.write(&raw))
	require.Equal(t, rawSize(size), raw.Len())
	require.Equal(t, p.y[p.yStride:][:size.X], raw.Bytes()[size.X:][:size.X])
}

func TestBytesAt(t *testing.T) {
	points := []ratePoint{{1000, 30}, {2000, 35}, {8000, 40}}
	for psnr, want := range map[float64]float64{30: 1000, 35: 2000, 37.5: 4000, 40: 8000} {
		got, ok := bytesAt(points, psnr)
		require.True(t, ok)
		require.InDelta(t, want, got, 0.01, "%v dB", psnr)
	}
	for _, psnr := range []float64{29.9, 40.1} {
		_, ok := bytesAt(points, psnr)
		require.False(t, ok, "%v dB", psnr)
	}
	_, ok := bytesAt(points[:1], 30)
	require.False(t, ok)
}

func TestIVFSizes(t *testing.T) {
	b := vp8.AppendIVFHeader(nil, 16, 16, 30)
	b = vp8.AppendIVFFrame(b, make([]byte, 5), 0)
	whole := len(b)
	b = vp8.AppendIVFFrame(b, make([]byte, 300), 1)
	sizes, err := ivfSizes(b)
	require.NoError(t, err)
	require.Equal(t, []int{5, 300}, sizes)
	for n := ivfHeader + 1; n < len(b); n++ {
		if _, err := ivfSizes(b[:n]); n != whole {
			require.Error(t, err, "%d bytes", n)
		}
	}
}

func TestFilm(t *testing.T) {
	f, again, other := newFilm(5), newFilm(5), newFilm(6)
	size := image.Pt(120, 80)
	a := f.frame(size, 3)
	assert.True(t, pix.Equal(a, again.frame(size, 3), a.Rect), "the same in every run")
	assert.False(t, pix.Equal(a, f.frame(size, 4), a.Rect))
	assert.False(t, pix.Equal(a, other.frame(size, 3), a.Rect))
}
