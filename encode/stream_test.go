package encode

import (
	"bytes"
	stdzlib "compress/zlib"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/stretchr/testify/require"

	"framebridge/encode/deflate"
)

// TestWriterMemory prints what the compressors of pieces take at each level, and fails
// when one would eat a good part of the program's 40 MB.
func TestWriterMemory(t *testing.T) {
	for level := 1; level <= 9; level++ {
		n := memory(t, func(data []byte) any {
			w, err := flate.NewWriter(io.Discard, level)
			require.NoError(t, err)
			_, err = w.Write(data)
			require.NoError(t, err)
			require.NoError(t, w.Flush())
			return w
		})
		t.Logf("level %d: %.2f MiB", level, float64(n)/(1<<20))
		require.Less(t, n, int64(4<<20))
	}
}

// TestStreamMemory holds a stream to what the comment at Stream says, and an idle one to
// nothing.
func TestStreamMemory(t *testing.T) {
	const streams = 20
	n := memory(t, func(data []byte) any {
		list := make([]Stream, streams)
		for i := range list {
			_, err := list[i].Append(nil, data, 2, nil)
			require.NoError(t, err)
		}
		return list
	}) / streams
	t.Logf("%.0f KiB", float64(n)/(1<<10))
	require.Less(t, n, int64(200<<10), "and what all share")
	n = memory(t, func(data []byte) any {
		list := make([]Stream, streams)
		for i := range list {
			_, err := list[i].Append(nil, data, 2, nil)
			require.NoError(t, err)
			list[i].Release()
		}
		for range 3 { // pools forget what nobody used since the last collection but one
			runtime.GC()
		}
		return list
	}) / streams
	require.Less(t, n, int64(1<<10), "released")
}

// memory returns how much more memory is in use when f has returned something.
func memory(t *testing.T, f func(data []byte) any) int64 {
	t.Helper()
	data := make([]byte, 200<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.IntN(4))
	}
	var before, after runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&before)
	kept := f(data)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestStreamJoins reads one endless zlib stream that changes levels, loses its
// compressor and takes joined pieces.
func TestStreamJoins(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var s Stream
	var wire, want []byte
	var err error
	begun := false
	for i := range 200 {
		data := make([]byte, rnd.IntN(3000))
		if i%37 == 5 {
			data = make([]byte, 150000) // more than a stored block and a window
		}
		for j := range data {
			data[j] = byte(rnd.IntN(3))
		}
		require.Equal(t, begun, s.Begun())
		begun = true
		want = append(want, data...)
		level := rnd.IntN(10)
		switch rnd.IntN(4) {
		case 0:
			piece, err := AppendDeflate(nil, data, level, nil)
			require.NoError(t, err)
			at, n := len(wire), s.DeflatedSize(piece)
			wire = s.AppendDeflated(wire, piece)
			require.Len(t, wire, at+n)
		case 1:
			s.Release()
			fallthrough
		default:
			wire, err = s.Append(wire, data, level, nil)
			require.NoError(t, err)
		}
	}
	z, err := stdzlib.NewReader(bytes.NewReader(wire))
	require.NoError(t, err)
	got := make([]byte, len(want))
	_, err = io.ReadFull(z, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
	n, err := z.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the stream must not end")

	s.Restart()
	require.False(t, s.Begun())
	for _, level := range []int{-1, 10} {
		_, err = s.Append(nil, nil, level, nil)
		require.ErrorContains(t, err, "level")
		_, err = AppendDeflate(nil, nil, level, nil)
		require.ErrorContains(t, err, "level")
	}
}

func TestStreamAllocs(t *testing.T) {
	data := bytes.Repeat([]byte("abcdefgh"), 1000)
	var s Stream
	dst := make([]byte, 0, 1<<16)
	require.Zero(t, testing.AllocsPerRun(50, func() {
		out, err := s.Append(dst, data, 2, nil)
		if err != nil || len(out) == 0 {
			t.Fatal(err)
		}
	}))
}

// TestDeflateConcurrently compresses on several goroutines and joins what they
// made, as one zlib stream.
func TestDeflateConcurrently(t *testing.T) {
	pieces := make([][]byte, 16)
	errs := make([]error, len(pieces))
	data := func(i int) []byte { return bytes.Repeat([]byte{byte(i), 1, 2, byte(i * 3)}, 5000+i) }
	var wg sync.WaitGroup
	for i := range pieces {
		wg.Go(func() {
			pieces[i], errs[i] = AppendDeflate(nil, data(i), i%10, []deflate.Part{{Size: 1 << 20, Unit: 4}})
		})
	}
	wg.Wait()
	var s Stream
	var wire, want []byte
	for i, p := range pieces {
		require.NoError(t, errs[i])
		wire = s.AppendDeflated(wire, p)
		want = append(want, data(i)...)
	}
	z, err := stdzlib.NewReader(bytes.NewReader(wire))
	require.NoError(t, err)
	got := make([]byte, len(want))
	_, err = io.ReadFull(z, got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}

// FuzzStream appends parts of data in the ways that ops name, and requires that a viewer
// has all of it after each.
func FuzzStream(f *testing.F) {
	f.Add([]byte("one word, another word, one more word"), []byte("\x00\x25\x4a\x6f\x94\xb9\xde\xf1"))
	f.Add(bytes.Repeat([]byte{1, 2, 3, 3, 2, 1, 0, 0, 7}, 5000), []byte("\x0f\xff\x33\x81\x02\x93\x54\x65"))
	f.Fuzz(func(t *testing.T, data, ops []byte) {
		var s Stream
		var wire bytes.Buffer
		var viewer io.Reader
		for i, op := range ops[:min(len(ops), 40)] {
			from := len(data) * int(op>>4) / 32
			part := data[from : from+(len(data)-from)*(1+i%3)/4]
			level := int(op) % 10
			parts := []deflate.Part{{Size: len(part) * i / 8, Unit: int(op) % 6, Stride: 1 << (op % 12)}, {Size: 99, Unit: 2}}
			var out []byte
			var err error
			switch {
			case op%5 == 0:
				out, err = AppendDeflate(nil, part, level, parts)
				out = s.AppendDeflated(nil, out)
			case op%7 == 0:
				s.Release()
				fallthrough
			default:
				out, err = s.Append(nil, part, level, parts)
			}
			if err != nil {
				t.Fatal(err)
			}
			wire.Write(out)
			if viewer == nil {
				if viewer, err = stdzlib.NewReader(&wire); err != nil {
					t.Fatal(err)
				}
			}
			got := make([]byte, len(part))
			if _, err := io.ReadFull(viewer, got); err != nil || !bytes.Equal(part, got) {
				t.Fatalf("operation %d, level %d, %d bytes: others come back, %v", i, level, len(part), err)
			}
		}
	})
}
