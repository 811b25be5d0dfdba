package recording

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/capture"
	"framebridge/capture/synth"
	"framebridge/internal/pix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made returns a recording of scenes with a resize, and copies of the frames that
// are in it.
func made(t testing.TB, w, h, steps int) ([]byte, []capture.Frame, []time.Duration) {
	t.Helper()
	var file bytes.Buffer
	rec, err := NewWriter(&file)
	require.NoError(t, err)
	var frames []capture.Frame
	var times []time.Duration
	for i, scene := range []synth.Scene{synth.Typing, synth.Drag, synth.Noise} {
		src, err := synth.New(synth.Options{Scene: scene, Width: w + i*7, Height: h - i*3})
		require.NoError(t, err)
		for range steps {
			f, err := src.Next(t.Context())
			require.NoError(t, err)
			at := time.Duration(len(frames)) * 1700 * time.Microsecond
			require.NoError(t, rec.Write(f, at))
			c := *f
			c.Patches = nil
			for _, p := range f.Patches {
				m := pix.New(p.Rect)
				pix.Copy(m, &p, p.Rect)
				c.Patches = append(c.Patches, *m)
			}
			frames, times = append(frames, c), append(times, at)
			src.Step()
		}
		require.NoError(t, src.Close())
	}
	require.NoError(t, rec.Close())
	return file.Bytes(), frames, times
}

func same(t *testing.T, want, got *capture.Frame) {
	t.Helper()
	require.Equal(t, want.Size, got.Size)
	require.Equal(t, want.Cursor, got.Cursor)
	require.Equal(t, want.HavePointer, got.HavePointer)
	require.Equal(t, want.Pointer, got.Pointer)
	require.Len(t, got.Patches, len(want.Patches))
	for i := range want.Patches {
		require.Equal(t, want.Patches[i].Rect, got.Patches[i].Rect)
		require.True(t, pix.Equal(&want.Patches[i], &got.Patches[i], want.Patches[i].Rect))
	}
}

func TestRoundTrip(t *testing.T) {
	file, frames, times := made(t, 320, 200, 20)
	src, err := NewSource(bytes.NewReader(file), SourceOptions{})
	require.NoError(t, err)
	defer src.Close()
	for i := range frames {
		f, err := src.Next(t.Context())
		require.NoError(t, err)
		same(t, &frames[i], f)
		require.Equal(t, times[i], src.At())
	}
	for range 2 {
		_, err = src.Next(t.Context())
		require.Equal(t, io.EOF, err)
	}
}

func TestSource(t *testing.T) {
	file, frames, times := made(t, 64, 48, 4)
	t.Run("real time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			src, err := NewSource(bytes.NewReader(file), SourceOptions{RealTime: true})
			require.NoError(t, err)
			defer src.Close()
			start := time.Now()
			for i := range frames {
				f, err := src.Next(t.Context())
				require.NoError(t, err)
				same(t, &frames[i], f)
				require.Equal(t, times[i], time.Since(start))
			}
		})
	})
	t.Run("context", func(t *testing.T) {
		src, err := NewSource(bytes.NewReader(file), SourceOptions{RealTime: true})
		require.NoError(t, err)
		defer src.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = src.Next(ctx)
		require.Equal(t, context.Canceled, err)
		f, err := src.Next(t.Context()) // it stays usable
		require.NoError(t, err)
		same(t, &frames[0], f)
	})
	t.Run("close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			src, err := NewSource(bytes.NewReader(file), SourceOptions{RealTime: true})
			require.NoError(t, err)
			_, err = src.Next(t.Context())
			require.NoError(t, err)
			got := make(chan error)
			go func() {
				_, err := src.Next(t.Context())
				got <- err
			}()
			synctest.Wait() // Next waits for the frame's time
			require.NoError(t, src.Close())
			require.Equal(t, ErrClosed, <-got)
			require.NoError(t, src.Close())
		})
	})
}

func TestRecord(t *testing.T) {
	src, err := synth.New(synth.Options{Scene: synth.Typing, Width: 200, Height: 100})
	require.NoError(t, err)
	defer src.Close()
	var file bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond) // between two frames
		defer cancel()
		n, err := Record(ctx, &file, &stepper{Source: src}, 10)
		require.NoError(t, err)
		require.InDelta(t, 10, n, 1)
	})
	r, err := NewReader(&file)
	require.NoError(t, err)
	defer r.Close()
	shown := pix.New(image.Rect(0, 0, 200, 100))
	for {
		f, _, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		for i := range f.Patches {
			pix.Copy(shown, &f.Patches[i], f.Patches[i].Rect)
		}
	}
	require.True(t, pix.Equal(src.Image(), shown, shown.Rect))

	// The error of the source is the recorder's; what came before is in the file.
	broken := errors.New("broken")
	src.Fail(broken)
	_, err = Record(t.Context(), &file, src, 10)
	require.ErrorIs(t, err, broken)
}

// stepper draws before each frame but the first.
type stepper struct {
	*synth.Source
	begun bool
}

func (s *stepper) Next(ctx context.Context) (*capture.Frame, error) {
	if s.begun {
		s.Step()
	}
	s.begun = true
	return s.Source.Next(ctx)
}

func TestWriterRefuses(t *testing.T) {
	rec, err := NewWriter(io.Discard)
	require.NoError(t, err)
	full := func(w, h int) *capture.Frame {
		return &capture.Frame{Size: image.Pt(w, h), Patches: []pix.Image{*pix.New(image.Rect(0, 0, w, h))}}
	}
	require.NoError(t, rec.Write(full(8, 8), time.Second))
	part := full(8, 8)
	part.Size = image.Pt(9, 9)
	outside := full(9, 9)
	outside.Size = image.Pt(8, 8)
	shape := full(8, 8)
	shape.Cursor = &capture.Cursor{Size: image.Pt(2, 2), Pix: make([]byte, 3)}
	for name, f := range map[string]*capture.Frame{
		"part of a new screen": part, "outside": outside, "no size": {}, "cursor": shape,
		"many": {Size: image.Pt(8, 8), Patches: make([]pix.Image, maxPatches+1)},
	} {
		require.ErrorIs(t, rec.Write(f, time.Second), ErrFormat, name)
	}
	require.ErrorIs(t, rec.Write(full(8, 8), 0), ErrFormat, "back in time")
	require.NoError(t, rec.Close())
}

// TestTruncated: no prefix of a recording is one, but for those that end with a
// frame, and none makes the reader fail in another way than by an error.
func TestTruncated(t *testing.T) {
	file, frames, _ := made(t, 20, 16, 2)
	for n := range file {
		r, err := NewReader(bytes.NewReader(file[:n]))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			continue
		}
		got := 0
		for err == nil {
			if _, _, err = r.Next(); err == nil {
				got++
			}
		}
		r.Close()
		require.Less(t, got, len(frames)+1)
		if err != io.EOF {
			require.ErrorIs(t, err, ErrFormat)
		}
	}
}

// raw is a recording whose stream is b, in zstd's raw blocks (RFC 8878, section
// 3.1.1): making it costs nothing.
func raw(b []byte) []byte {
	out := append([]byte(magic), 0, version)
	out = append(out, 0x28, 0xb5, 0x2f, 0xfd, 0, 0x50) // no checksum, a window of 1 MB
	for last := false; !last; {
		n := min(len(b), 100<<10)
		last = n == len(b)
		h := n << 3
		if last {
			h |= 1
		}
		out = append(out, byte(h), byte(h>>8), byte(h>>16))
		out, b = append(out, b[:n]...), b[n:]
	}
	return out
}

func TestReaderRefuses(t *testing.T) {
	head := func(flags byte) []byte { return []byte{0, 0, 8, 0, 8, flags} }
	for name, b := range map[string][]byte{
		"screen without pixels": {0, 0, 0, 0, 8, 0, 0},
		"huge screen":           {0, 0x7f, 0xff, 0x7f, 0xff, 0, 0},
		"unknown flag":          append(head(4), 0),
		"no patches":            append(head(0), 0),
		"too many patches":      append(head(0), 0xff, 0xff, 0x7f),
		"patch outside":         append(head(0), 1, 0, 1, 0, 0, 0, 8, 0, 8),
		"empty patch":           append(head(0), 1, 0, 0, 0, 0, 0, 0, 0, 8),
		"pixels missing":        append(head(0), 1, 0, 0, 0, 0, 0, 8, 0, 8, 1, 2, 3),
		"huge cursor":           append(head(2), 0x7f, 0xff, 0, 1, 0, 0, 0, 0),
		"endless pause":         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 8, 0, 8, 0, 0},
	} {
		r, err := NewReader(bytes.NewReader(raw(b)))
		require.NoError(t, err)
		for range 2 {
			_, _, err = r.Next()
			require.ErrorIs(t, err, ErrFormat, name)
		}
		r.Close()
	}
	for _, head := range []string{"", "FBRDGREC", "FBRDGREC\x00\x02rest", "something else"} {
		_, err := NewReader(bytes.NewReader([]byte(head)))
		require.ErrorIs(t, err, ErrFormat)
	}
}

func FuzzReader(f *testing.F) {
	file, _, _ := made(f, 20, 16, 2)
	z, err := zstd.NewReader(nil)
	require.NoError(f, err)
	defer z.Close()
	plain, err := z.DecodeAll(file[len(magic)+2:], nil)
	require.NoError(f, err)
	f.Add(file, false)
	f.Add(plain, true)
	f.Add(plain[:len(plain)/3], true)
	f.Fuzz(func(t *testing.T, b []byte, compress bool) {
		if compress { // so that the fuzzer sees beyond zstd's checksum
			b = raw(b)
		}
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		defer r.Close()
		for range 100 {
			fr, _, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				require.ErrorIs(t, err, ErrFormat)
				return
			}
			for i := range fr.Patches {
				p := &fr.Patches[i]
				require.True(t, p.Rect.In(image.Rectangle{Max: fr.Size}))
				require.Len(t, p.Pix, p.Rect.Dx()*p.Rect.Dy()*4)
			}
		}
	})
}
