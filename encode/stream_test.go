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

// TestWriterMemory prints what a compressor takes at each level, for the comment
// at Stream, and fails when one would eat a good part of the program's 40 MB.
func TestWriterMemory(t *testing.T) {
	data := make([]byte, 200<<10)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.IntN(4))
	}
	for level := 1; level <= 9; level++ {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		w, err := flate.NewWriter(io.Discard, level)
		require.NoError(t, err)
		_, err = w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(w)
		n := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		t.Logf("level %d: %.2f MiB", level, float64(n)/(1<<20))
		require.Less(t, n, int64(4<<20))
	}
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
