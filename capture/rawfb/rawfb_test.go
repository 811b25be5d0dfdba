package rawfb

import (
	"context"
	"encoding/binary"
	"image"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture/capturetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	rgb := func(p Spec, r, g, b uint32) Spec { p.Red, p.Green, p.Blue = r, g, b; return p }
	for s, want := range map[string]Spec{
		"rand": rgb(Spec{File: "/dev/urandom", Width: 128, Height: 128, BitsPerPixel: 16, Stride: 256}, 0xf800, 0x7e0, 0x1f),
		"none": rgb(Spec{File: "/dev/zero", Width: 640, Height: 480, BitsPerPixel: 32, Stride: 2560}, 0xff0000, 0xff00, 0xff),
		"shm:210337933@800x600x32:ff/ff00/ff0000": rgb(Spec{Shm: 210337933, Width: 800, Height: 600, BitsPerPixel: 32, Stride: 3200}, 0xff, 0xff00, 0xff0000),
		"map:/tmp/Xvfb_screen0@640x480x8+3232":    rgb(Spec{File: "/tmp/Xvfb_screen0", Width: 640, Height: 480, BitsPerPixel: 8, Offset: 3232, Stride: 640}, 7, 0x38, 0xc0),
		"/a@b@1x2x16-2048":                        rgb(Spec{File: "/a@b", Width: 1, Height: 2, BitsPerPixel: 16, Stride: 2048}, 0xf800, 0x7e0, 0x1f),
		"file:a@1x2x24:0xff/ff00/ff0000+5-30":     rgb(Spec{File: "a", Width: 1, Height: 2, BitsPerPixel: 24, Offset: 5, Stride: 30}, 0xff, 0xff00, 0xff0000),
	} {
		got, err := Parse(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "file", "file:@1x1x8", "f@1x1", "f@1x1x8x8", "f@0x1x8", "f@1x1x4", "f@1x1x15", "f@40000x1x8",
		"f@1x1x8:1/2", "f@1x1x8:1/2/x", "f@1x1x8:0/0/0", "f@1x1x8:5/2/8", "f@1x1x8:100/2/8", "f@1x1x8+x", "f@1x1x8+1+2", "f@2x1x8-1",
		"f@1x1x8+99999999999999999999", "shm:x@1x1x8", "shm:-1@1x1x8", "vnc:host@1x1x8", "video", "f@32767x32767x32"} {
		_, err := Parse(s)
		assert.Error(t, err, s)
	}
}

// TestFormats shows a file of each kind of pixels.
func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		layout string
		pixel  uint64
		want   uint32
	}{
		{"@5x3x32", 0x112233, 0x112233},
		{"@5x3x32:ff/ff00/ff0000", 0x112233, 0x332211},
		{"@5x3x32:3ff00000/ffc00/3ff", 0x3ff<<20 | 0x200<<10, 0xff8000},
		{"@5x3x24", 0x112233, 0x112233},
		{"@5x3x16", 0xf81f, 0xff00ff},
		{"@5x3x8", 0xc7, 0xff00ff},
		{"@5x3x32+7-50", 0x445566, 0x445566},
	} {
		spec, err := Parse("file:x" + tt.layout)
		require.NoError(t, err)
		n := spec.BitsPerPixel / 8
		b := make([]byte, spec.Offset+int64(spec.Stride*spec.Height))
		put := func(x, y int) {
			var p [8]byte
			binary.LittleEndian.PutUint64(p[:], tt.pixel)
			copy(b[spec.Offset+int64(y*spec.Stride+x*n):], p[:n])
		}
		put(0, 0)
		put(4, 2)
		spec.File = filepath.Join(t.TempDir(), "fb")
		require.NoError(t, os.WriteFile(spec.File, b, 0o600))
		src, err := Open(spec, time.Millisecond)
		require.NoError(t, err)
		v := capturetest.NewViewer(t, src)
		v.Next()
		require.Equal(t, tt.want, v.Image.At(0, 0), tt.layout)
		require.Equal(t, tt.want, v.Image.At(4, 2), tt.layout)
		require.Zero(t, v.Image.At(1, 1))
		v.Idle()
		// A change, and only its row.
		put(1, 1)
		require.NoError(t, os.WriteFile(spec.File, b, 0o600))
		v.Until(func() bool { return v.Image.At(1, 1) == tt.want })
		f, _, err := src.Sample(t.Context(), []image.Rectangle{image.Rect(1, 1, 2, 2), image.Rect(-3, 5, 9, 9)})
		require.NoError(t, err)
		require.Len(t, f.Patches, 1)
		require.Equal(t, tt.want, f.Patches[0].At(1, 1))
		// A file that gets shorter leaves what there was.
		require.NoError(t, os.Truncate(spec.File, 0))
		v.Idle()
		require.Equal(t, tt.want, v.Image.At(4, 2))
		require.NoError(t, src.Close())
		_, err = src.Next(t.Context())
		require.ErrorIs(t, err, ErrClosed)
		_, _, err = src.Sample(t.Context(), nil)
		require.ErrorIs(t, err, ErrClosed)
	}
}

func TestRand(t *testing.T) {
	spec, err := Parse("rand")
	require.NoError(t, err)
	src, err := Open(spec, time.Millisecond)
	require.NoError(t, err)
	defer src.Close()
	v := capturetest.NewViewer(t, src)
	v.Next()
	before := append([]byte(nil), v.Image.Pix...)
	v.Next()
	require.NotEqual(t, before, v.Image.Pix)
	require.Equal(t, image.Pt(128, 128), src.Size())
}

func TestCloseWakes(t *testing.T) {
	src, err := Open(Spec{File: "/dev/zero", Width: 8, Height: 8, BitsPerPixel: 8}, time.Hour)
	require.NoError(t, err)
	_, err = src.Next(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = src.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)
	got := make(chan error)
	go func() {
		_, err := src.Next(t.Context())
		got <- err
	}()
	require.NoError(t, src.Close())
	require.ErrorIs(t, <-got, ErrClosed)
}

func TestOpenBad(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short")
	require.NoError(t, os.WriteFile(short, make([]byte, 10), 0o600))
	for _, s := range []string{short + "@4x4x32", short + "@2x1x8+9", "/nonexistent/file@1x1x8", t.TempDir() + "@1x1x8",
		"shm:" + strconv.Itoa(1<<31-1) + "@1x1x8"} {
		spec, err := Parse(s)
		require.NoError(t, err, s)
		_, err = Open(spec, 0)
		assert.Error(t, err, s)
	}
	_, err := Open(Spec{}, 0)
	require.Error(t, err)
	_, err = Open(Spec{File: "/dev/zero", Width: 1, Height: 1, BitsPerPixel: 8}, -1)
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	f.Add("shm:1@8x6x32:ff/ff00/ff0000+5-99")
	f.Add("rand")
	f.Add("a@1x1x8")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			return
		}
		require.NoError(t, p.check())
		require.LessOrEqual(t, p.bytes(), maxBytes)
		if p.bytes() > 1<<20 {
			return
		}
		p.File, p.Offset = "/dev/zero", 0
		src, err := Open(p, time.Millisecond)
		require.NoError(t, err)
		_, err = src.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, src.Close())
	})
}
