package main

import (
	"bufio"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/internal/peertest"
	"framebridge/internal/pix"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

// libvncclient is a viewer of our own made of the library (see
// testdata/libvncclient).
type libvncclient struct {
	*process
	in  io.Writer
	out *bufio.Reader
}

// libOptions say how to connect. A zero quality is lossless.
type libOptions struct {
	encodings string
	bits      [3]int // rfbGetClient's arguments; default 8, 3, 4
	quality   int    // JPEG quality level + 1
	compress  int
	painted   bool // leave the pointer's painting to the server
	password  string
}

// buildLib compiles the viewer, or skips the test.
func buildLib(t testing.TB) (path string) {
	t.Helper()
	gcc, pkgConfig := peer(t, "gcc"), peer(t, "pkg-config")
	flags, err := exec.Command(pkgConfig, "--cflags", "--libs", "libvncclient").Output()
	if err != nil {
		peertest.Missing(t, "libvncclient is not installed")
	}
	path = filepath.Join(t.TempDir(), "client")
	args := []string{"-Wall", "-Wextra", "-Werror", "-O1", "-o", path, "testdata/libvncclient/client.c"}
	out, err := exec.Command(gcc, append(args, strings.Fields(string(flags))...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

func libCommand(t testing.TB, path string, s *server, o libOptions) *exec.Cmd {
	t.Helper()
	if o.bits == [3]int{} {
		o.bits = [3]int{8, 3, 4}
	}
	cursor := 1
	if o.painted {
		cursor = 0
	}
	return command(t, []string{"VNC_PASSWORD=" + o.password}, path, "127.0.0.1", s.port, o.encodings,
		strconv.Itoa(o.bits[0]), strconv.Itoa(o.bits[1]), strconv.Itoa(o.bits[2]),
		strconv.Itoa(o.quality-1), strconv.Itoa(o.compress), strconv.Itoa(cursor))
}

func startLib(t testing.TB, path string, s *server, o libOptions) *libvncclient {
	t.Helper()
	cmd := libCommand(t, path, s, o)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = w
	c := &libvncclient{process: start(t, cmd), in: in, out: bufio.NewReaderSize(r, 1<<20)}
	w.Close()
	t.Cleanup(func() { r.Close() })
	return c
}

// picture is a framebuffer in a viewer's pixel format.
type picture struct {
	w, h   int
	bytes  int
	max    [3]uint32 // red, green, blue
	shift  [3]uint32
	values []uint32
}

// dump asks for the framebuffer.
func (c *libvncclient) dump() *picture {
	c.t.Helper()
	_, err := c.in.Write([]byte("d"))
	require.NoError(c.t, err)
	line, err := c.out.ReadString('\n')
	require.NoError(c.t, err, "stderr: %s", clip(c.stderr.String()))
	p := &picture{}
	_, err = fmt.Sscan(line, &p.w, &p.h, &p.bytes, &p.max[0], &p.max[1], &p.max[2], &p.shift[0], &p.shift[1], &p.shift[2])
	require.NoError(c.t, err, line)
	b := make([]byte, p.w*p.h*p.bytes)
	_, err = io.ReadFull(c.out, b)
	require.NoError(c.t, err)
	for ; len(b) > 0; b = b[p.bytes:] {
		v := uint32(0)
		for i := p.bytes - 1; i >= 0; i-- { // this machine's order, which is little-endian
			v = v<<8 | uint32(b[i])
		}
		p.values = append(p.values, v)
	}
	return p
}

// reduce returns the picture with as many levels a component as p's format has,
// as p would show it.
func (p *picture) reduce(m *pix.Image) *pix.Image {
	out := pix.New(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			rgb := m.At(x, y)
			var v uint32
			for i := range 3 {
				v |= p.component(i, (rgb>>(16-8*i)&0xff*p.max[i]+127)/255)
			}
			out.Set(x, y, v)
		}
	}
	return out
}

// component scales component i to eight bits at its place.
func (p *picture) component(i int, v uint32) uint32 { return v * 255 / p.max[i] << (16 - 8*i) }

// image returns the picture.
func (p *picture) image() *pix.Image {
	out := pix.New(image.Rect(0, 0, p.w, p.h))
	for i, v := range p.values {
		var rgb uint32
		for j := range 3 {
			rgb |= p.component(j, v>>p.shift[j]&p.max[j])
		}
		out.Set(i%p.w, i/p.w, rgb)
	}
	return out
}

// shows waits until the viewer shows the display, exactly.
func (c *libvncclient) shows(d *desktop, o libOptions) {
	c.t.Helper()
	poll(c.t, "libvncclient with "+o.encodings, func() (bool, string) {
		want := d.grab()
		var pointer image.Rectangle
		if o.painted {
			want, pointer = d.withPointer()
		}
		p := c.dump()
		got, want := p.image(), p.reduce(want)
		if o.painted && !pointer.Empty() && psnr(crop(got, pointer), crop(want, pointer)) > 40 {
			// A pointer may be blended with another rounding.
			got, want = without(got, pointer), without(want, pointer)
		}
		return equal(got, want), differences(got, want)
	})
}

// TestLibvncclient: every encoding that the library knows, lossless.
func TestLibvncclient(t *testing.T) {
	t.Parallel()
	path := buildLib(t)
	d := newDesktop(t, 400, 300)
	d.programs()
	d.pointer(150, 120)
	s := serve(t, d.x)
	var cases []libOptions
	for _, e := range []string{"raw", "rre", "corre", "hextile", "zlib", "trle", "zrle", "tight", "copyrect tight"} {
		for _, bits := range [][3]int{{8, 3, 4}, {5, 3, 2}, {2, 3, 1}} {
			cases = append(cases, libOptions{encodings: e, bits: bits, compress: 1 + len(cases)%9})
		}
	}
	cases = append(cases, libOptions{encodings: "hextile copyrect", painted: true},
		libOptions{encodings: "zrle copyrect", painted: true, bits: [3]int{5, 3, 2}})
	clients := make([]*libvncclient, len(cases))
	tested := 0
	for i, c := range cases {
		clients[i] = startLib(t, path, s, c)
	}
	for i, c := range cases {
		clients[i].shows(d, c)
		tested++
	}
	for _, change := range changes {
		change.do(d)
		for i, c := range cases {
			clients[i].shows(d, c)
			tested++
		}
	}
	require.Equal(t, 29*(1+len(changes)), tested)
}

// TestLibvncclientJPEG: with a quality level photographs come as JPEG, no worse
// than the level's bound, and exactly once the screen has come to rest.
func TestLibvncclientJPEG(t *testing.T) {
	t.Parallel()
	path := buildLib(t)
	d := newDesktop(t, 400, 300)
	d.photo(1)
	s := serve(t, d.x)
	tested := 0
	for _, c := range []struct {
		level int
		bound float64
	}{{0, 30}, {5, 38}, {9, 48}} {
		o := libOptions{encodings: "tight", quality: c.level + 1, compress: 1}
		l := startLib(t, path, s, o)
		l.shows(d, o)
		// The exact picture may overtake a look at the first one.
		lossy := math.Inf(1)
		for seed, end := uint64(2), time.Now().Add(2*timeout); math.IsInf(lossy, 1); seed++ {
			require.True(t, time.Now().Before(end), "no JPEG was sent")
			d.photo(seed)
			want := d.grab()
			poll(t, "a picture", func() (bool, string) {
				lossy = psnr(l.dump().image(), want)
				return lossy >= c.bound, fmt.Sprintf("%.1f dB, want %.1f", lossy, c.bound)
			})
		}
		t.Logf("quality level %d: %.1f dB", c.level, lossy)
		l.shows(d, o)
		tested++
	}
	require.Equal(t, 3, tested)
}

// TestLibvncclientPassword: VNC Authentication.
func TestLibvncclientPassword(t *testing.T) {
	t.Parallel()
	path := buildLib(t)
	d := watch(t, xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48}))
	d.Fill(at(5, 5, 20, 20), 0x123456)
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("sesame\n"), 0o600))
	s := serve(t, d.x, "--password-file", file)
	o := libOptions{encodings: "zrle", password: "sesame"}
	startLib(t, path, s, o).shows(d, o)
	for _, wrong := range []string{"Sesame", ""} {
		o.password = wrong
		p := start(t, libCommand(t, path, s, o))
		assert.Equal(t, 3, p.wait(timeout))
		assert.Contains(t, p.stderr.String(), "VNC")
	}
}
