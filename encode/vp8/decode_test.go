package vp8

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	xvp8 "golang.org/x/image/vp8"

	"framebridge/internal/peertest"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ffmpeg is the path of the decoder that frames are compared with. Without it the
// test is skipped, but not where CI=true.
func ffmpeg(t testing.TB) string {
	return peertest.Program(t, "ffmpeg")
}

// A recording holds frames and what the encoder says that decoders show.
type recording struct {
	width, height int
	ivf           []byte
	shown         [][]byte // I420, cropped
}

func record(e *Encoder) *recording {
	return &recording{width: e.width, height: e.height, ivf: AppendIVFHeader(nil, e.width, e.height, 30)}
}

func (r *recording) add(e *Encoder, frame []byte) {
	r.ivf = AppendIVFFrame(r.ivf, frame, uint64(len(r.shown)))
	r.shown = append(r.shown, cropped(e.Reference(), r.width, r.height))
}

// cropped is a picture without what lies beyond its size.
func cropped(p Planes, width, height int) []byte {
	var b []byte
	for y := range height {
		b = append(b, p.Y[y*p.YStride:][:width]...)
	}
	for _, c := range [][]uint8{p.U, p.V} {
		for y := range (height + 1) / 2 {
			b = append(b, c[y*p.UVStride:][:(width+1)/2]...)
		}
	}
	return b
}

// check decodes the recording with one of ffmpeg's decoders, vp8 or libvpx, and
// compares all frames.
func (r *recording) check(t testing.TB, decoder string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frames.ivf")
	require.NoError(t, os.WriteFile(file, r.ivf, 0o600))
	cmd := exec.Command(ffmpeg(t), "-v", "error", "-threads", "1", "-c:v", decoder, "-i", file,
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.Empty(t, stderr.String())
	size := len(r.shown[0])
	require.Equal(t, len(r.shown), len(out)/size, "frames")
	for i, want := range r.shown {
		if got := out[i*size:][:size]; !bytes.Equal(got, want) {
			require.Fail(t, "decoded picture differs", "%s, frame %d: %s", decoder, i, difference(got, want, r.width, r.height))
		}
	}
}

// difference says where two cropped pictures differ first.
func difference(got, want []byte, width, height int) string {
	n := 0
	first := -1
	for i := range got {
		if got[i] != want[i] {
			if n++; first < 0 {
				first = i
			}
		}
	}
	plane, i, w := "Y", first, width
	if i >= width*height {
		i -= width * height
		w = (width + 1) / 2
		plane = "U"
		if c := w * ((height + 1) / 2); i >= c {
			plane, i = "V", i-c
		}
	}
	return fmt.Sprintf("%d samples, first %s(%d, %d): %d, want %d", n, plane, i%w, i/w, got[first], want[first])
}

// checkKey decodes a key frame with golang.org/x/image/vp8.
func checkKey(t testing.TB, e *Encoder, frame []byte) {
	t.Helper()
	d := xvp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	_, err := d.DecodeFrameHeader()
	require.NoError(t, err)
	m, err := d.DecodeFrame()
	require.NoError(t, err)
	got := cropped(Planes{Y: m.Y, U: m.Cb, V: m.Cr, YStride: m.YStride, UVStride: m.CStride}, e.width, e.height)
	if want := cropped(e.Reference(), e.width, e.height); !bytes.Equal(got, want) {
		require.Fail(t, "decoded picture differs", difference(got, want, e.width, e.height))
	}
}

func newPicture(w, h int) *pix.Image { return pix.New(image.Rect(0, 0, w, h)) }
