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

// A reader decodes a stream that grows, and stops at each flush.
type reader struct {
	in  bytes.Buffer
	out io.ReadCloser
	buf []byte
}

func newReader() *reader {
	r := new(reader)
	r.out = flate.NewReader(&r.in)
	return r
}

// take adds piece to the stream and requires that it decodes to data, at once and
// completely.
func (r *reader) take(t testing.TB, piece, data []byte) {
	t.Helper()
	r.in.Write(piece)
	if cap(r.buf) < len(data) {
		r.buf = make([]byte, len(data))
	}
	got := r.buf[:len(data)]
	if n, err := io.ReadFull(r.out, got); err != nil {
		t.Fatalf("%d of %d bytes come back: %v", n, len(data), err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("other bytes come back, %d", len(data))
	}
	if r.in.Len() > 5 && len(data) > 0 { // an empty block
		t.Fatalf("%d bytes of the stream are left", r.in.Len())
	}
}

// windowStep appends data and checks what comes.
func windowStep(t testing.TB, w *Window, r *reader, data []byte, parts []Part, level int) int {
	t.Helper()
	out := w.Append([]byte("before"), data, parts, level)
	piece, ok := bytes.CutPrefix(out, []byte("before"))
	if !ok {
		t.Fatal("what was there before is overwritten")
	}
	if !bytes.HasSuffix(piece, []byte{0, 0, 0xff, 0xff}) {
		t.Fatalf("no sync flush: %x", piece[max(0, len(piece)-8):])
	}
	if most := len(data) + 5*(len(data)/storedMax+len(data)/(maxBlock-maxPush)+1) + 10; len(piece) > most {
		t.Fatalf("%d bytes became %d, want at most %d", len(data), len(piece), most)
	}
	r.take(t, piece, data)
	return len(piece)
}

// randomPieces appends pieces that resemble each other, with resets and pieces from
// elsewhere between them.
func randomPieces(t testing.TB, rnd *rand.Rand, pieces, most int) (plain, packed int) {
	w, r := GetWindow(), newReader()
	var c Compressor
	old := randomPicture(rnd, 1+rnd.IntN(100_000), Part{Unit: 1 + rnd.IntN(4), Stride: 1 + rnd.IntN(300)})
	for range pieces {
		p := Part{Size: rnd.IntN(1 << rnd.IntN(most)), Unit: rnd.IntN(6), Stride: rnd.IntN(1 << rnd.IntN(12))}
		data := randomPicture(rnd, p.Size, p)
		for range rnd.IntN(4) {
			from := rnd.IntN(len(old))
			data = append(data, old[from:min(len(old), from+rnd.IntN(1<<rnd.IntN(15)))]...)
		}
		parts := []Part{p, {Size: rnd.IntN(1000), Unit: rnd.IntN(5)}}
		level := rnd.IntN(12) - 1
		switch rnd.IntN(20) {
		case 0:
			w.Reset()
		case 1:
			PutWindow(w)
			w = GetWindow()
		case 2:
			r.take(t, c.Append(nil, data, parts, Effort(rnd.IntN(2))), data)
			w.Reset()
			continue
		}
		plain += len(data)
		packed += windowStep(t, w, r, data, parts, level)
		if rnd.IntN(5) == 0 && len(data) > 0 {
			old = data
		}
	}
	PutWindow(w)
	return plain, packed
}

func TestWindowRandomly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 22))
	plain, packed := 0, 0
	for i := range 60 {
		n, m := randomPieces(t, rnd, 100, 3+i%15)
		plain += n
		packed += m
	}
	t.Logf("%d bytes became %d", plain, packed)
	require.Greater(t, plain, 4<<20)
	require.Less(t, packed, plain*2/3)
}

func FuzzWindow(f *testing.F) {
	for i := range uint64(8) {
		f.Add(i, []byte("pieces that resemble pieces"), 20)
	}
	f.Fuzz(func(t *testing.T, seed uint64, data []byte, cut int) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		randomPieces(t, rnd, 12, 14)
		w, r := GetWindow(), newReader()
		defer PutWindow(w)
		cut = min(max(cut, 0), len(data))
		for _, level := range []int{1, 4, 6, 9} {
			p := []Part{{Size: cut, Unit: rnd.IntN(5), Stride: rnd.IntN(100)}}
			windowStep(t, w, r, data, p, level)
			windowStep(t, w, r, data[:cut], nil, level)
			windowStep(t, w, r, data[cut:], p, level)
		}
	})
}

// TestWindowEdge lets noise come again just inside the window and just outside.
func TestWindowEdge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(23, 24))
	const word = 40
	for level := 1; level <= 9; level++ {
		for _, step := range []int{1 << 20, 1000, 5000} { // of what is between
			for dist := window - 3; dist <= window+3; dist++ {
				var w Window
				r := newReader()
				data := noise(rnd, word+dist)
				windowStep(t, &w, r, data[:rnd.IntN(word)], nil, level) // anything
				windowStep(t, &w, r, data[:word], nil, level)
				for rest := data[word:dist]; len(rest) > 0; {
					n := min(step, len(rest))
					windowStep(t, &w, r, rest[:n], nil, level)
					rest = rest[n:]
				}
				got := windowStep(t, &w, r, data[:word], nil, level)
				switch {
				case dist > window:
					require.Greater(t, got, word, "what is too far is not referred to")
				case step < scanSize || level > scanLevel:
					// The chains leave places out in noise, but those of small pieces are known.
					require.Less(t, got, word, "level %d, distance %d", level, dist)
				}
			}
		}
	}
}

func noise(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// TestWindowRuns takes data of one colour and such that comes again, longer than the
// window and than all blocks.
func TestWindowRuns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(25, 26))
	for level := 1; level <= 9; level++ {
		var w Window
		r := newReader()
		for _, n := range []int{0, 1, 2, 3, 4, 5, 257, 258, 259, 260, 261, 516, 517, maxPush, window - 1, window, window + 1, 65535, 65536, 3*maxBlock + 7} {
			flat := bytes.Repeat([]byte{byte(n)}, n)
			got := windowStep(t, &w, r, flat, nil, level)
			require.Less(t, got, 40+n/500, "%d bytes of one value", n)
			period := bytes.Repeat(noise(rnd, 1000), n/1000+1)
			got = windowStep(t, &w, r, period, []Part{{Size: len(period), Unit: 1, Stride: 1000}}, level)
			// In what comes first, noise, not all is remembered.
			require.Less(t, got, 2200+n/100, "level %d, %d bytes of 1000, again and again", level, n)
			require.Less(t, windowStep(t, &w, r, period[:1000], nil, level), 40, "known data")
		}
	}
}

func TestWindowNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(27, 28))
	for level := 1; level <= 9; level++ {
		var w Window
		r := newReader()
		for _, n := range []int{1, 10, 1000, 5000, 65535, 65536, 200_000} {
			windowStep(t, &w, r, noise(rnd, n), nil, level)
		}
	}
}

func TestWindowEmpty(t *testing.T) {
	var w Window
	r := newReader()
	for range 3 {
		require.Equal(t, []byte{0, 0, 0, 0xff, 0xff}, w.Append(nil, nil, nil, 1))
		windowStep(t, &w, r, nil, nil, 5)
		windowStep(t, &w, r, []byte("abc"), nil, 5)
	}
	_, err := r.out.Read(make([]byte, 1))
	require.True(t, errors.Is(err, io.ErrUnexpectedEOF))
}

// TestWindowReset requires that nothing before a reset is referred to: what follows
// decodes alone.
func TestWindowReset(t *testing.T) {
	rnd := rand.New(rand.NewPCG(29, 30))
	var w Window
	for i := range 300 {
		data := randomPicture(rnd, rnd.IntN(20_000), Part{Unit: 3, Stride: 300})
		level := 1 + i%9
		windowStep(t, &w, newReader(), data, nil, level)
		w.Reset()
		windowStep(t, &w, newReader(), data, nil, level)
		w.Reset()
	}
}

func TestWindowMemory(t *testing.T) {
	require.Less(t, unsafe.Sizeof(Window{}), uintptr(152<<10))
}

func TestWindowAllocs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(31, 32))
	var w Window
	dst := make([]byte, 0, 1<<17)
	for i, n := range []int{54, 2000, 48 << 10} {
		data := randomPicture(rnd, n, Part{Unit: 1, Stride: 100})
		require.Zero(t, testing.AllocsPerRun(50, func() {
			if len(w.Append(dst, data, nil, 1+4*i)) == 0 {
				t.Fatal("no output")
			}
		}))
	}
}

// slowFixed returns the bits of a block with the fixed code (RFC 1951, section 3.2.6).
func slowFixed(data []byte, seqs []sequence) (bits int) {
	bits = 3 + 7
	at := 0
	for _, s := range seqs {
		for _, v := range data[at : at+s.literals()] {
			bits += 8
			if v >= 144 {
				bits++
			}
		}
		at += s.literals() + s.length()
		if s.length() == 0 {
			continue
		}
		l, d := 28, 29
		for int(lengthBase[l]) > s.length() {
			l--
		}
		for int(distBase[d]) > s.dist() {
			d--
		}
		bits += 7 + int(lengthExtra[l]) + 5 + int(distExtra[d])
		if l >= 280-257 {
			bits++
		}
	}
	return bits
}

// TestSmallest requires that neither stored blocks nor the fixed code would have been
// smaller for small data, and that each kind is the smallest at times.
func TestSmallest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(33, 34))
	var c Compressor
	kinds := [3]int{}
	for range 20_000 {
		n := 1 + rnd.IntN(200)
		data := noise(rnd, n)
		mask := byte(rnd.Uint32())
		for i := range data {
			data[i] &= mask
			if rnd.IntN(4) == 0 && i > 0 {
				data[i] = data[i-1]
			}
		}
		w := GetWindow()
		got := w.Append(nil, data, nil, 6)
		// The same sequences once more.
		w.Reset()
		c.begin(0)
		g := guideFor(data, nil, tinySearch)
		w.push(data)
		w.parse(&c, w.n-n, n-w.n, &g)
		c.at = n
		c.finish()
		PutWindow(w)
		fixed := (slowFixed(data, c.sequences[:c.n])+3+7)/8 + 4
		stored := 5 + n + 5
		require.LessOrEqual(t, len(got), min(fixed, stored))
		kind := got[0] >> 1 & 3
		kinds[kind]++
		switch kind {
		case 0:
			require.Len(t, got, stored)
		case 1:
			require.Len(t, got, fixed)
		}
	}
	t.Log(kinds)
	for _, n := range kinds {
		require.Greater(t, n, 200)
	}
}

// TestWindowAgain requires that of what is scanned little is sent the second time.
func TestWindowAgain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(37, 38))
	for i := range 400 {
		unit := 1 + i%4
		p := Part{Size: unit * (scanSize + rnd.IntN(12_000/unit)), Unit: unit, Stride: rnd.IntN(500)}
		data := randomPicture(rnd, p.Size, p)
		parts := []Part{p}
		between := data[:unit*rnd.IntN(1000)]
		if i%3 == 0 { // pixels may lie anyhow
			between = data[:rnd.IntN(4000)]
			parts = []Part{{Size: 1}, p, {Size: 1}}
			data = append(data, 1, 2)
		}
		var w Window
		r := newReader()
		level := 1 + i%scanLevel
		first := windowStep(t, &w, r, data, parts, level)
		windowStep(t, &w, r, between, parts, level)
		again := windowStep(t, &w, r, data, parts, level)
		require.LessOrEqual(t, again, 300+first/3, "%+v, level %d", parts, level)
	}
}

// TestWindowGrain requires that photographs are found again, though little is remembered
// of them, and that at level 1 they cost no more than what they are.
func TestWindowGrain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(35, 36))
	data := noise(rnd, 27_000)
	part := []Part{{Size: len(data), Unit: 3, Stride: 300}}
	for level := 1; level <= 9; level++ {
		var w Window
		r := newReader()
		first := windowStep(t, &w, r, data, part, level)
		require.LessOrEqual(t, first, len(data)+10)
		again := windowStep(t, &w, r, data, part, level)
		if level == 1 {
			require.Equal(t, first, again, "not looked for")
			continue
		}
		require.Less(t, again, len(data)/4, "level %d", level)
	}
}
