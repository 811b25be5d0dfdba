package link

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	for s, want := range map[string]Options{
		"":             {},
		"20ms,10mbit":  {Delay: 20 * time.Millisecond, Rate: 10e6},
		"10mbit,20ms":  {Delay: 20 * time.Millisecond, Rate: 10e6},
		"1.5s":         {Delay: 1500 * time.Millisecond},
		"2.5gbit":      {Rate: 2.5e9},
		"5ms, 256kbit": {Delay: 5 * time.Millisecond, Rate: 256e3},
	} {
		o, err := Parse(s)
		require.NoError(t, err, s)
		require.Equal(t, want, o, s)
		again, err := Parse(o.String())
		require.NoError(t, err, o.String())
		require.Equal(t, want, again)
	}
	for _, s := range []string{"x", "20", "20ms,30ms", "1mbit,2mbit", "-1ms", "11s", "1kbit", "200gbit", "-5mbit", "nanmbit", "20ms,", ","} {
		_, err := Parse(s)
		require.Error(t, err, s)
	}
}

// recorder notes when bytes arrive; its clock is the bubble's.
type recorder struct {
	start time.Time
	data  []byte
	at    []time.Duration // of every byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.data = append(r.data, b...)
	for range b {
		r.at = append(r.at, time.Since(r.start))
	}
	return len(b), nil
}

func TestDelayAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Delay: 20 * time.Millisecond, Rate: 8e6, Buffer: 64 << 10} // a byte a microsecond
		sent := make([]byte, 1_000_000)
		for i := range sent {
			sent[i] = byte(rand.Uint32())
		}
		r := &recorder{start: time.Now()}
		require.NoError(t, o.forward(t.Context(), r, bytes.NewReader(sent)))
		require.True(t, bytes.Equal(sent, r.data))
		for i, at := range r.at {
			// A piece is there when its last byte is.
			least := o.Delay + time.Duration(i)*time.Microsecond
			if at < least || at > least+maxPiece*time.Microsecond {
				t.Fatalf("byte %d after %v, want %v", i, at, least)
			}
		}
	})
}

// TestIdle: what comes on an idle link takes the delay and no longer, however
// much went before.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Delay: 30 * time.Millisecond, Rate: 1e6, Buffer: defaultBuffer}
		in, out := io.Pipe()
		r := &recorder{start: time.Now()}
		done := make(chan error, 1)
		go func() { done <- o.forward(t.Context(), r, in) }()
		for i := range 5 {
			_, err := out.Write([]byte{byte(i)})
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		out.Close()
		require.NoError(t, <-done)
		for i, at := range r.at {
			require.Equal(t, time.Duration(i)*time.Second+o.Delay+8*time.Microsecond, at)
		}
	})
}

// TestBuffer: a sender gets rid of what the router's queue holds at once, and of
// the rest at the link's rate.
func TestBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Delay: time.Second, Rate: 8e6, Buffer: 100_000}
		in, out := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- o.forward(t.Context(), io.Discard, in) }()
		start := time.Now()
		var at []time.Duration
		for range 300 {
			_, err := out.Write(make([]byte, 1000))
			require.NoError(t, err)
			at = append(at, time.Since(start))
		}
		out.Close()
		require.NoError(t, <-done)
		require.Zero(t, at[90])
		require.NotZero(t, at[110])
		require.InDelta(t, 0.2, at[299].Seconds(), 0.01)
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := Options{Delay: time.Hour, Rate: 1e6, Buffer: defaultBuffer}
		time.AfterFunc(time.Second, cancel)
		require.ErrorIs(t, o.forward(ctx, io.Discard, bytes.NewReader(make([]byte, 1<<20))), context.Canceled)
	})
}

// echo is a server that sends back what it gets, to the end.
func echo(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c) //nolint:errcheck // the test finds out
			}()
		}
	}()
	return ln.Addr().String()
}

// TestFullDuplex sends both ways over real sockets at the same time. Bounds are
// below only: a machine may be slow.
func TestFullDuplex(t *testing.T) {
	l, err := Listen(echo(t), Options{Delay: 15 * time.Millisecond, Rate: 80e6})
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr())
	require.NoError(t, err)
	defer c.Close()
	sent := make([]byte, 2_000_000)
	for i := range sent {
		sent[i] = byte(i * i >> 8)
	}
	start := time.Now()
	go func() {
		c.Write(sent)                 //nolint:errcheck // reading finds out
		c.(*net.TCPConn).CloseWrite() //nolint:errcheck // the same
	}()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.True(t, bytes.Equal(sent, got), "%d bytes", len(got))
	require.GreaterOrEqual(t, time.Since(start), 230*time.Millisecond, "2 MB at 10 MB/s and twice 15 ms")
}

// TestClose: it ends connections that are in use, and those to nowhere end by
// themselves.
func TestClose(t *testing.T) {
	l, err := Listen(echo(t), Options{Delay: 10 * time.Second})
	require.NoError(t, err)
	c, err := net.Dial("tcp", l.Addr())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write(make([]byte, 1000))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = io.ReadAll(c)
	_ = err // an end or a reset

	l, err = Listen("127.0.0.1:1", Options{})
	require.NoError(t, err)
	defer l.Close()
	c2, err := net.Dial("tcp", l.Addr())
	require.NoError(t, err)
	defer c2.Close()
	c2.SetDeadline(time.Now().Add(20 * time.Second)) //nolint:errcheck // a socket
	_, err = c2.Read(make([]byte, 1))
	require.Error(t, err)

	_, err = Listen("127.0.0.1:1", Options{Buffer: 5})
	require.ErrorContains(t, err, "Buffer")
}
