package rfb

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// clientStream is every client vector in turn, those of the plain pointer
// form left out: the stream is read as of a viewer that has the extended one.
func clientStream() (stream []byte, want []ClientMessage) {
	for _, v := range clientVectors {
		if v.name == "PointerEvent" {
			continue
		}
		stream = append(stream, v.bytes()...)
		want = append(want, v.want.(ClientMessage))
	}
	return stream, want
}

func TestReader(t *testing.T) {
	t.Parallel()
	stream, want := clientStream()
	for name, src := range map[string]io.Reader{
		"at once":       bytes.NewReader(stream),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(stream)),
		"in halves":     iotest.HalfReader(bytes.NewReader(stream)),
		"error at once": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(src)
			r.ExtendedMouseButtons = true
			for _, w := range want {
				m, err := r.ReadMessage()
				require.NoError(t, err)
				require.Equal(t, w.Type(), m.Type())
				require.Equal(t, w.(appender).Append(nil), m.(appender).Append(nil))
			}
			for range 2 {
				_, err := r.ReadMessage()
				require.Equal(t, io.EOF, err)
			}
		})
	}
}

func TestReaderEndsWithinMessage(t *testing.T) {
	t.Parallel()
	for _, v := range clientVectors {
		b := v.bytes()
		for i := 1; i < len(b); i++ {
			r := NewReader(bytes.NewReader(b[:i]))
			r.ExtendedMouseButtons = true
			_, err := r.ReadMessage()
			require.Equal(t, io.ErrUnexpectedEOF, err, "%s: %d bytes", v.name, i)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	t.Parallel()
	known := 0
	for kind := range 256 {
		_, err := NewReader(bytes.NewReader([]byte{byte(kind), 0, 0, 0})).ReadMessage()
		if _, ok := clientMessageNames[ClientMessageType(kind)]; ok {
			known++
			continue
		}
		var p *ProtocolError
		require.ErrorAs(t, err, &p, "type %d", kind)
	}
	require.Equal(t, 12, known)

	r := NewReader(bytes.NewReader(unhex("06 000000 00100001 04 01 0000 00000000")))
	_, err := r.ReadMessage()
	require.EqualError(t, err, "protocol error: ClientCutText: cut text of 1048577 bytes, limit 1048576")
	_, again := r.ReadMessage()
	require.Equal(t, err, again, "nothing is read after a broken message")
}

// TestReaderHoldsWhatArrived announces much and sends little.
func TestReaderHoldsWhatArrived(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"cut text":      "06 000000 00100000",
		"extended":      "06 000000 fff00000",
		"encodings":     "02 00 ffff",
		"colour map":    "01 00 0000 ffff",
		"desktop sizes": "fb 00 0001 0001 ff 00",
	} {
		for _, sent := range []int{0, 1, 3000, 50000} {
			b := append(unhex(header), make([]byte, sent)...)
			r := NewReader(iotest.HalfReader(bytes.NewReader(b)))
			_, err := r.ReadMessage()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				require.LessOrEqual(t, cap(r.buf), max(readerStart, 4*len(b)), "%s: %d bytes", name, sent)
				require.Empty(t, r.encodings)
			}
		}
	}
}

func TestReaderGivesMemoryBack(t *testing.T) {
	t.Parallel()
	b := ClientCutText{Data: make([]byte, 1<<20)}.Append(nil)
	r := NewReader(io.MultiReader(bytes.NewReader(b), bytes.NewReader(KeyEvent{}.Append(nil))))
	m, err := r.ReadMessage()
	require.NoError(t, err)
	require.Len(t, m.(ClientCutText).Data, 1<<20)
	_, err = r.ReadMessage()
	require.NoError(t, err)
	require.Len(t, r.buf, readerStart)
}

// timeoutOnce fails its first read with a timeout.
type timeoutOnce struct {
	io.Reader
	done bool
}

func (r *timeoutOnce) Read(p []byte) (int, error) {
	if !r.done {
		r.done = true
		return 0, os.ErrDeadlineExceeded
	}
	return r.Reader.Read(p)
}

func TestReaderGoesOnAfterTimeout(t *testing.T) {
	t.Parallel()
	b := KeyEvent{Keysym: 'a'}.Append(nil)
	r := NewReader(io.MultiReader(bytes.NewReader(b[:3]), &timeoutOnce{Reader: bytes.NewReader(b[3:])}))
	_, err := r.ReadMessage()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	m, err := r.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, KeyEvent{Keysym: 'a'}, m)
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReaderNoProgress(t *testing.T) {
	t.Parallel()
	_, err := NewReader(stuck{}).ReadMessage()
	require.Equal(t, io.ErrNoProgress, err)
}

// FuzzReader reads arbitrary bytes as a viewer's stream, at once and byte by
// byte: both must give the same messages and the same error.
func FuzzReader(f *testing.F) {
	stream, _ := clientStream()
	f.Add(stream)
	for _, v := range clientVectors {
		f.Add(v.bytes())
	}
	for _, v := range badVectors {
		f.Add(unhex(v.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		one := NewReader(bytes.NewReader(b))
		two := NewReader(iotest.OneByteReader(bytes.NewReader(b)))
		one.ExtendedMouseButtons, two.ExtendedMouseButtons = true, true
		for {
			m1, err1 := one.ReadMessage()
			m2, err2 := two.ReadMessage()
			if err1 != nil || err2 != nil {
				require.EqualError(t, err2, err1.Error())
				return
			}
			require.Equal(t, m1.(appender).Append(nil), m2.(appender).Append(nil))
		}
	})
}
