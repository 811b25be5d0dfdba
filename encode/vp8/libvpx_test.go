package vp8

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// point is what an encoder makes of a film.
type point struct {
	bytes float64 // per frame
	db    float64 // of the film's luma
}

// libvpx encodes I420 frames with ffmpeg's libvpx as fast as it goes with a fixed
// quantiser and measures r from frame skip on.
func libvpx(t *testing.T, frames [][]byte, size image.Point, r image.Rectangle, quantiser, skip int) point {
	t.Helper()
	var in bytes.Buffer
	for _, f := range frames {
		in.Write(f)
	}
	q := strconv.Itoa(quantiser)
	enc := exec.Command(ffmpeg(t), "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", fmt.Sprintf("%dx%d", size.X, size.Y), "-r", "30", "-i", "-",
		"-threads", "1", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-g", "10000",
		"-qmin", q, "-qmax", q, "-b:v", "20M", "-f", "ivf", "-")
	enc.Stdin = &in
	ivf, err := enc.Output()
	require.NoError(t, err)
	dec := exec.Command(ffmpeg(t), "-v", "error", "-threads", "1", "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	dec.Stdin = bytes.NewReader(ivf)
	out, err := dec.Output()
	require.NoError(t, err)
	require.Equal(t, len(frames)*len(frames[0]), len(out))
	var p point
	at := 32
	for i := range frames {
		n := int(binary.LittleEndian.Uint32(ivf[at:]))
		at += 12 + n
		if i < skip {
			continue
		}
		p.bytes += float64(n)
		p.db += planePSNR(out[i*len(frames[0]):], frames[i], size.X, r)
	}
	p.bytes /= float64(len(frames) - skip)
	p.db /= float64(len(frames) - skip)
	return p
}

func planePSNR(a, b []byte, stride int, r image.Rectangle) float64 {
	var sum float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			d := float64(a[y*stride+x]) - float64(b[y*stride+x])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255*float64(r.Dx()*r.Dy())/max(sum, 1))
}

// TestVideoSize holds the size of a film in a still desktop to that of libvpx at
// the same quality.
func TestVideoSize(t *testing.T) {
	const n, skip = 24, 8
	size := image.Pt(800, 480)
	r := image.Rect(80, 60, 720, 420)
	m := newPicture(size.X, size.Y)
	page(m, m.Rect, 1)
	frames := filmFrames(r, n)
	for _, quality := range []Quality{Auto, Sharp, Fast} {
		e, err := New(size.X, size.Y, Config{Workers: 1})
		require.NoError(t, err)
		rec := record(e)
		var source [][]byte
		var ours point
		conv := coder{Encoder: &Encoder{geometry: e.geometry, src: newPlanes(&e.geometry)}}
		for i := range n {
			pix.Copy(m, frames[i], r)
			conv.picture = &pix.Image{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
			for y := range e.mbHigh {
				conv.convert(0, y, e.mbWide)
			}
			source = append(source, cropped(conv.src, size.X, size.Y))
			frame, _, err := e.Encode(nil, m, Change{Damage: []image.Rectangle{r}}, Options{Quality: quality})
			require.NoError(t, err)
			rec.add(e, frame)
			if i >= skip {
				ours.bytes += float64(len(frame)) / (n - skip)
				ours.db += psnr(e, m, r) / (n - skip)
			}
		}
		rec.check(t, "vp8")
		// libvpx's bytes for our quality lie between two of its points.
		var theirs float64
		var below point
		for q := 48; q >= 2; q -= 8 {
			p := libvpx(t, source, size, r, q, skip)
			if p.db >= ours.db {
				f := (ours.db - below.db) / (p.db - below.db)
				theirs = math.Exp(math.Log(below.bytes)*(1-f) + math.Log(p.bytes)*f)
				break
			}
			below = p
		}
		require.NotZero(t, theirs)
		require.Less(t, ours.bytes, theirs, "quality %d, %.2f dB", quality, ours.db)
		t.Logf("quality %d: %.2f dB, %.0f bytes per frame, libvpx %.0f", quality, ours.db, ours.bytes, theirs)
	}
}
