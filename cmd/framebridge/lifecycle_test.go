package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// place is a display number of our own and an Xauthority file that stays while
// X servers come and go.
type place struct {
	display, auth string
}

// newPlace picks a number far from those that servers pick themselves.
func newPlace(t testing.TB) place {
	t.Helper()
	for range 100 {
		n := 1000 + rand.IntN(40000)
		if _, err := os.Lstat(fmt.Sprintf("/tmp/.X11-unix/X%d", n)); errors.Is(err, os.ErrNotExist) {
			return place{fmt.Sprint(":", n), filepath.Join(t.TempDir(), "auth")}
		}
	}
	t.Fatal("no free display number")
	return place{}
}

func (p place) start(t testing.TB, w, h int, args ...string) *xvfb.Server {
	t.Helper()
	x := xvfbtest.Start(t, xvfb.Options{Width: w, Height: h, Args: append([]string{p.display}, args...)})
	require.Equal(t, p.display, x.Display())
	b, err := os.ReadFile(x.AuthFile())
	require.NoError(t, err)
	// In one step, as the file is read at any time.
	require.NoError(t, os.WriteFile(p.auth+".new", b, 0o600))
	require.NoError(t, os.Rename(p.auth+".new", p.auth))
	return x
}

// TestDisplayThatComesLater: READY comes after it, and nothing before.
func TestDisplayThatComesLater(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := &server{process: start(t, command(t, nil, binary, "serve", "--listen", "127.0.0.1:0", "--display", p.display, "--auth", p.auth))}
	s.await(s.stderr, "waiting for the display")
	require.Empty(t, s.stdout.String())
	// -ac, since a server that is up before our copy of its cookie refuses us, and
	// that is an error.
	d := furnish(t, p.start(t, 200, 160, "-ac"), 200, 160)
	s.ready()
	require.Equal(t, p.display, s.display)
	c := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)})
	whole(t, c)
	follow(t, c, d)
}

// TestDisplayThatRestarts: the X server is killed ten times and comes back with
// another size; viewers stay connected and see the new one.
func TestDisplayThatRestarts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	x := p.start(t, 200, 160)
	d := furnish(t, x, 200, 160)
	s := startServer(t, nil, "serve", "--display", p.display, "--auth", p.auth)
	extended := connect(t, s, viewer{Encodings: []rfb.Encoding{rfb.EncodingZRLE, rfb.PseudoCursor, rfb.PseudoExtendedDesktopSize}})
	simple := connect(t, s, viewer{Encodings: withCursor(rfb.EncodingTight, rfb.EncodingCopyRect)})
	rigid := connect(t, s, viewer{Encodings: []rfb.Encoding{rfb.EncodingHextile, rfb.PseudoCursor}})
	for _, c := range []*rfbtest.Client{extended, simple, rigid} {
		whole(t, c)
		follow(t, c, d)
	}
	tested := 0
	for i := range 10 {
		require.NoError(t, syscall.Kill(x.Pid(), syscall.SIGKILL))
		<-x.Done()
		x.Stop()
		// Everybody is told, in the picture.
		before := simple.Image()
		require.NoError(t, simple.SetDeadline(time.Now().Add(timeout)))
		for equal(before, simple.Image()) {
			require.NoError(t, simple.RequestUpdate(true, simple.Bounds()))
			_, err := simple.ReadUpdate()
			require.NoError(t, err, "the viewers are not told")
		}

		w, h := 160+20*(i%5), 120+30*(i%3)
		x = p.start(t, w, h)
		d = furnish(t, x, w, h)
		d.pattern(uint64(i))
		follow(t, extended, d)
		follow(t, simple, d)
		followInside(t, rigid, d)
		require.Equal(t, image.Rect(0, 0, 200, 160), rigid.Bounds())
		tested++
	}
	require.Equal(t, 10, tested)
	assert.Len(t, s.stdout.lines(), 1, "READY is for the first time")
	poll(t, "the log", func() (bool, string) {
		n := strings.Count(s.stderr.String(), "display is back")
		return n == 10, fmt.Sprint("the display is back ", n, " times")
	})
	assert.NotContains(t, s.stderr.String(), "viewer left")
}

// followInside is follow for a viewer that keeps its size: it sees what fits,
// and black beside a smaller screen.
func followInside(t testing.TB, c *rfbtest.Client, d *desktop) {
	t.Helper()
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	for {
		screen := d.grab()
		want := pix.New(c.Bounds())
		pix.Copy(want, screen, want.Rect.Intersect(screen.Rect))
		got := c.Image()
		if equal(got, want) {
			return
		}
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
		_, err := c.ReadUpdate()
		require.NoError(t, err, differences(got, want))
	}
}

// TestSignals: on SIGTERM, SIGINT and SIGHUP the server ends with 0, and
// soon, whatever its viewers do, and they see the end of the stream, not a
// reset.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			d := newDesktop(t, 640, 480)
			socket := filepath.Join(t.TempDir(), "s")
			s := serve(t, d.x, "--unix-socket", socket)
			list := []*rfbtest.Client{
				connect(t, s, viewer{Encodings: withCursor(rfb.EncodingZRLE)}),
				connectTo(t, "unix:"+socket, viewer{Encodings: withCursor(rfb.EncodingRaw)}),
				connect(t, s, viewer{}),
			}
			for _, c := range list {
				whole(t, c)
			}
			// What was sent and not read must not turn the end into a reset.
			require.NoError(t, list[2].RequestUpdate(false, list[2].Bounds()))
			// One that asks and never reads, and one that says nothing.
			deaf := connect(t, s, viewer{})
			for range 200 {
				require.NoError(t, deaf.RequestUpdate(false, deaf.Bounds()))
			}
			silent := s.dial()
			readBanner(t, silent)

			begin := time.Now()
			s.signal(sig)
			code := s.wait(timeout)
			took := time.Since(begin)
			assert.Equal(t, 0, code)
			assert.Less(t, took, soon)
			for i, c := range list {
				var err error
				for err == nil {
					_, err = c.ReadMessage()
				}
				if i == 2 && errors.Is(err, io.ErrUnexpectedEOF) {
					continue // it did not read, so it may miss the rest of an update
				}
				assert.Equal(t, io.EOF, err, "viewer %d", i)
			}
			_, err := silent.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
			assert.NoFileExists(t, socket)
			_, err = net.Dial("tcp", s.addr)
			assert.Error(t, err)
			assertEmptyTemp(t, s.cmd)
			require.NoError(t, d.x.Err(), "the display goes on")
		})
	}
}

// TestSignalWhileWaiting: also before there is a display.
func TestSignalWhileWaiting(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	p := start(t, command(t, nil, binary, "serve", "--listen", "127.0.0.1:0", "--unix-socket", socket, "--display", noDisplay))
	p.await(p.stderr, "waiting for the display")
	begin := time.Now()
	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait(timeout))
	require.Less(t, time.Since(begin), soon)
	require.NoFileExists(t, socket)
	require.Empty(t, p.stdout.String())
}

// TestStaleSocket: the socket of a server that was killed is in nobody's way.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	x := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48})
	socket := filepath.Join(t.TempDir(), "s")
	first := serve(t, x, "--unix-socket", socket)
	first.kill()
	_, err := os.Lstat(socket)
	require.NoError(t, err)
	second := serve(t, x, "--unix-socket", socket, "--listen", "")
	require.Empty(t, second.addr)
	whole(t, connect(t, second, viewer{}))
}

// TestResize: the display's size reaches viewers in both ways there are.
func TestResize(t *testing.T) {
	t.Parallel()
	xrandr := peer(t, "xrandr")
	d := newDesktop(t, 640, 480)
	s := serve(t, d.x)
	list := []*rfbtest.Client{
		connect(t, s, viewer{Encodings: []rfb.Encoding{rfb.EncodingZRLE, rfb.PseudoCursor, rfb.PseudoExtendedDesktopSize}}),
		connect(t, s, viewer{Encodings: withCursor(rfb.EncodingTight, rfb.EncodingCopyRect)}),
	}
	rigid := connect(t, s, viewer{Encodings: []rfb.Encoding{rfb.EncodingHextile, rfb.PseudoCursor}})
	for _, c := range append(list, rigid) {
		whole(t, c)
		follow(t, c, d)
	}
	check := func(size image.Point) {
		t.Helper()
		d.Fill(image.Rectangle{Max: size}.Inset(size.X/3), 0x335577)
		for _, c := range list {
			follow(t, c, d)
			require.Equal(t, size, c.Bounds().Size())
		}
		require.Equal(t, []rfb.Screen{{Width: uint16(size.X), Height: uint16(size.Y)}}, list[0].Screens())
		followInside(t, rigid, d)
	}
	r := xvfbtest.NewResizer(d.Painter)
	tested := 0
	for _, size := range []image.Point{{320, 200}, {639, 99}, {100, 480}, {640, 480}} {
		require.NoError(t, r.Resize(size))
		check(size)
		tested++
	}
	require.Equal(t, 4, tested)
	p := start(t, command(t, d.x.Env(), xrandr, "--output", "screen", "--mode", "test-320-200"))
	require.Equal(t, 0, p.wait(timeout), p.stderr)
	check(d.grab().Rect.Max)
}
