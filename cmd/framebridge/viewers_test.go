package main

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// Real viewers run full-screen on a second display, larger than the served one,
// and what is seen there is compared with what is to be seen here.

const (
	servedW, servedH = 480, 360
	secondW, secondH = 640, 480
)

// onScreen is a viewer on a display of its own.
type onScreen struct {
	*process
	screen *desktop
}

func startViewer(t testing.TB, path string, args ...string) *onScreen {
	t.Helper()
	x := xvfbtest.Start(t, xvfb.Options{Width: secondW, Height: secondH})
	return &onScreen{process: start(t, command(t, x.Env(), path, args...)), screen: watch(t, x)}
}

// shows waits until the viewer shows the display in the middle of its screen:
// exactly. Where the pointer is painted, it is looked for.
func (v *onScreen) shows(d *desktop, pointer bool) {
	v.t.Helper()
	poll(v.t, v.name, func() (bool, string) {
		select {
		case <-v.done:
			v.t.Fatalf("%s ended: %s", v.name, clip(v.stderr.String()))
		default:
		}
		want := d.grab()
		var at image.Rectangle
		if pointer {
			want, at = d.withPointer()
		}
		place := want.Rect.Add(image.Pt((secondW-want.Rect.Dx())/2, (secondH-want.Rect.Dy())/2))
		got := crop(v.screen.grab(), place)
		if pointer {
			// A viewer may blend with another rounding.
			if q := psnr(crop(got, at), crop(want, at)); q < 40 {
				return false, fmt.Sprintf("the pointer at %v: PSNR %.1f dB; %s", at, q, differences(got, want))
			}
			got, want = without(got, at), without(want, at)
		}
		return equal(got, want), differences(got, want)
	})
}

// throughChanges checks the viewer at first, and after each change.
func (v *onScreen) throughChanges(d *desktop, pointer bool) (n int) {
	v.t.Helper()
	v.shows(d, pointer)
	for _, c := range changes {
		before := d.grab()
		c.do(d)
		require.False(v.t, equal(before, d.grab()), c.name)
		v.shows(d, pointer)
		n++
	}
	return n
}

// viewerCase is a viewer's options.
type viewerCase struct {
	name    string
	args    []string
	pointer bool // it is in the picture
}

func testViewer(t *testing.T, path string, list []viewerCase, target func(s *server) []string) {
	tested := 0
	t.Run("all", func(t *testing.T) {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				d := newDesktop(t, servedW, servedH)
				d.programs()
				d.pointer(servedW/2, servedH-30)
				s := serve(t, d.x)
				v := startViewer(t, path, append(c.args, target(s)...)...)
				tested += v.throughChanges(d, c.pointer)
			})
		}
	})
	if !t.Failed() {
		require.Equal(t, len(list)*len(changes), tested)
	}
}

func TestTigerVNC(t *testing.T) {
	t.Parallel()
	base := []string{"-FullScreen", "-MenuKey=", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-Shared"}
	lossless := func(e string, more ...string) viewerCase {
		return viewerCase{name: e, args: append(append([]string{"-AutoSelect=0", "-PreferredEncoding=" + e, "-NoJPEG=1", "-RemoteResize=0"}, base...), more...)}
	}
	list := []viewerCase{
		lossless("Tight"), lossless("ZRLE"), lossless("Hextile"), lossless("Raw"),
		{name: "defaults", args: base}, // JPEG first, exact at rest
	}
	testViewer(t, peer(t, "xtigervncviewer"), list, func(s *server) []string { return []string{"127.0.0.1::" + s.port} })
}

// TestTigerVNCUnixSocket: no TCP at all.
func TestTigerVNCUnixSocket(t *testing.T) {
	t.Parallel()
	path := peer(t, "xtigervncviewer")
	d := newDesktop(t, servedW, servedH)
	socket := filepath.Join(t.TempDir(), "s")
	serve(t, d.x, "--unix-socket", socket, "--listen", "")
	v := startViewer(t, path, "-FullScreen", "-MenuKey=", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-AutoSelect=0", "-NoJPEG=1", socket)
	require.Equal(t, len(changes), v.throughChanges(d, false))
}

// TestTigerVNCResize: the viewer follows the display's size.
func TestTigerVNCResize(t *testing.T) {
	t.Parallel()
	path := peer(t, "xtigervncviewer")
	d := newDesktop(t, servedW, servedH)
	s := serve(t, d.x)
	v := startViewer(t, path, "-FullScreen", "-MenuKey=", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-RemoteResize=0",
		"-AutoSelect=0", "-NoJPEG=1", "127.0.0.1::"+s.port)
	v.shows(d, false)
	r := xvfbtest.NewResizer(d.Painter)
	tested := 0
	for _, size := range []image.Point{{320, 240}, {400, 100}, {servedW, servedH}} {
		require.NoError(t, r.Resize(size))
		d.Fill(image.Rectangle{Max: size}.Inset(size.Y/4), uint32(0x336699+tested))
		v.shows(d, false)
		tested++
	}
	require.Equal(t, 3, tested)
}

// TestViewersPasswords: real viewers read a file that passwd wrote.
func TestViewersPasswords(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pw")
	cmd := command(t, nil, binary, "passwd", file)
	cmd.Stdin = strings.NewReader("sesame\n")
	require.Equal(t, 0, start(t, cmd).wait(timeout))
	tested := 0
	for _, c := range []struct {
		program string
		args    []string
		pointer bool
	}{
		{"xtigervncviewer", []string{"-FullScreen", "-MenuKey=", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-AutoSelect=0", "-NoJPEG=1", "-PasswordFile=" + file}, false},
		{"xtightvncviewer", []string{"-fullscreen", "-passwd", file}, true},
	} {
		path := peer(t, c.program)
		d := newDesktop(t, servedW, servedH)
		s := serve(t, d.x, "--password-file", file)
		v := startViewer(t, path, append(c.args, "127.0.0.1::"+s.port)...)
		v.shows(d, c.pointer)
		require.Contains(t, s.stderr.String(), "VNC Authentication")
		tested++
	}
	require.Equal(t, 2, tested)
}

func TestTightVNC(t *testing.T) {
	t.Parallel()
	list := []viewerCase{
		{name: "raw", args: []string{"-fullscreen"}, pointer: true},
		{name: "tight", args: []string{"-fullscreen", "-nojpeg", "-encodings", "tight copyrect"}, pointer: true},
		{name: "hextile", args: []string{"-fullscreen", "-encodings", "hextile"}, pointer: true},
		{name: "zlib", args: []string{"-fullscreen", "-encodings", "zlib copyrect"}, pointer: true},
		{name: "corre", args: []string{"-fullscreen", "-encodings", "corre rre"}, pointer: true},
		{name: "painted pointer", args: []string{"-fullscreen", "-nocursorshape", "-encodings", "hextile copyrect"}, pointer: true},
	}
	testViewer(t, peer(t, "xtightvncviewer"), list, func(s *server) []string { return []string{"127.0.0.1::" + s.port} })
}

// TestVncsnapshot: a picture in a file, in JPEG.
func TestVncsnapshot(t *testing.T) {
	t.Parallel()
	path := peer(t, "vncsnapshot")
	d := newDesktop(t, servedW, servedH)
	d.programs()
	s := serve(t, d.x)
	port, err := strconv.Atoi(s.port)
	require.NoError(t, err)
	tested := 0
	for i, args := range [][]string{{"-nojpeg"}, {"-nojpeg", "-encodings", "hextile"}, {"-nojpeg", "-encodings", "zlib"}, {}} {
		d.pattern(uint64(10 + i))
		file := filepath.Join(t.TempDir(), "out.jpg")
		// Its numbers behind a colon are displays: ports from 5900 on.
		args = append([]string{"-quiet", "-quality", "100"}, append(args, fmt.Sprintf("127.0.0.1:%d", port-5900), file)...)
		// The programs on the display may still be drawing at first.
		poll(t, "the display's picture", func() (bool, string) {
			p := start(t, command(t, nil, path, args...))
			require.Equal(t, 0, p.wait(timeout), p.stderr)
			q := psnr(readJPEG(t, file), d.grab())
			t.Logf("%v: %.1f dB", args, q)
			return q >= 50, fmt.Sprintf("%v: %.1f dB", args, q)
		})
		tested++
	}
	require.Equal(t, 4, tested)
}

func readJPEG(t testing.TB, file string) *pix.Image {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	m, err := jpeg.Decode(f)
	require.NoError(t, err)
	out := pix.New(image.Rectangle{Max: m.Bounds().Size()})
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			r, g, b, _ := m.At(x, y).RGBA()
			out.Set(x, y, r>>8<<16|g>>8<<8|b>>8)
		}
	}
	return out
}
