package main

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// terminal runs cat in an xterm on the desktop, and returns the file that it
// writes.
func (d *desktop) terminal(r image.Rectangle) (file string) {
	d.t.Helper()
	dir := d.t.TempDir()
	file = filepath.Join(dir, "typed")
	n := d.topWindows()
	start(d.t, command(d.t, d.x.Env(), peer(d.t, "xterm"), "-geometry", fmt.Sprintf("40x10+%d+%d", r.Min.X, r.Min.Y), "-e", "sh", "-c",
		"exec cat > "+file))
	poll(d.t, "xterm", func() (bool, string) {
		_, err := os.Stat(file)
		return err == nil && d.topWindows() > n, "not there"
	})
	return file
}

// typed are words for a keyboard of the usual layout, shifted characters among
// them.
const typed = `Hello, World! "Framebridge" {costs} 100% & more_or_less <nothing> (~at all) #42`

// TestTyping types in real viewers, with a real keyboard's events on their
// display; a terminal on the served one gets it.
func TestTyping(t *testing.T) {
	t.Parallel()
	xdotool := peer(t, "xdotool")
	tested := 0
	for _, c := range []struct {
		program string
		args    []string
	}{
		{"xtigervncviewer", []string{"-FullScreen", "-MenuKey=", "-ReconnectOnError=0", "-AlertOnFatalError=0", "-AutoSelect=0", "-NoJPEG=1"}},
		{"xtightvncviewer", []string{"-fullscreen"}},
	} {
		t.Run(c.program, func(t *testing.T) {
			path := peer(t, c.program)
			d := newDesktop(t, servedW, servedH)
			file := d.terminal(at(40, 40, 100, 100))
			s := serve(t, d.x)
			v := startViewer(t, path, append(c.args, "127.0.0.1::"+s.port)...)
			v.shows(d, c.program == "xtightvncviewer")
			x := func(args ...string) {
				t.Helper()
				p := start(t, command(t, v.screen.x.Env(), xdotool, args...))
				require.Equal(t, 0, p.wait(timeout), p.stderr)
			}
			// The keyboard is the window's under the pointer, on both displays.
			// TigerVNC passes movements on only after a first click.
			x("mousemove", fmt.Sprint((secondW-servedW)/2+100), fmt.Sprint((secondH-servedH)/2+80), "click", "1")
			poll(t, "the pointer follows", func() (bool, string) {
				q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
				require.NoError(t, err)
				return q.RootX == 100 && q.RootY == 80, fmt.Sprint(q.RootX, q.RootY)
			})
			x("type", "--delay", "3", typed)
			x("key", "Return")
			poll(t, "what was typed", func() (bool, string) {
				b, err := os.ReadFile(file)
				require.NoError(t, err)
				return string(b) == typed+"\n", fmt.Sprintf("%q", b)
			})
			v.shows(d, c.program == "xtightvncviewer")

			// A viewer that dies with keys and buttons down leaves none down.
			x("keydown", "shift", "mousedown", "3")
			poll(t, "held", func() (bool, string) {
				q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
				require.NoError(t, err)
				const want = xproto.KeyButMaskShift | xproto.KeyButMaskButton3
				return q.Mask&want == want, fmt.Sprintf("mask %#x", q.Mask)
			})
			v.kill()
			d.nothingHeld()
			tested++
		})
	}
	if !t.Skipped() && !t.Failed() {
		require.Equal(t, 2, tested)
	}
}

// listener is a window with a real X client behind it that notes its input.
type listener struct {
	d  *desktop
	id xproto.Window

	mu     sync.Mutex
	events []string
	moved  string
}

// listen makes a window that covers the desktop.
func (d *desktop) listen() *listener {
	d.t.Helper()
	l := &listener{d: d, id: d.window(image.Rectangle{Max: d.size}, 0x777777)}
	x := d.Conn.X()
	m, err := xproto.GetKeyboardMapping(x, d.Conn.Setup().MinKeycode, byte(d.Conn.Setup().MaxKeycode-d.Conn.Setup().MinKeycode+1)).Reply()
	require.NoError(d.t, err)
	keysym := func(code xproto.Keycode, state uint16) xproto.Keysym {
		level := 0
		if state&xproto.ModMaskShift != 0 {
			level = 1
		}
		list := m.Keysyms[int(code-d.Conn.Setup().MinKeycode)*int(m.KeysymsPerKeycode):]
		if list[level] == 0 {
			level = 0 // a key of one level
		}
		return list[level]
	}
	remove := d.Conn.Handle(func(ev xgb.Event) {
		var s string
		switch ev := ev.(type) {
		case xproto.KeyPressEvent:
			s = fmt.Sprintf("press %x", keysym(ev.Detail, ev.State))
		case xproto.KeyReleaseEvent:
			s = fmt.Sprintf("release %x", keysym(ev.Detail, ev.State))
		case xproto.ButtonPressEvent:
			s = fmt.Sprintf("button %d at %d,%d", ev.Detail, ev.RootX, ev.RootY)
		case xproto.ButtonReleaseEvent:
			s = fmt.Sprintf("button %d up", ev.Detail)
		case xproto.MotionNotifyEvent:
			s = fmt.Sprintf("move %d,%d", ev.RootX, ev.RootY)
		default:
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if strings.HasPrefix(s, "move") {
			// Moves to where the pointer already is are nobody's concern.
			if s == l.moved {
				return
			}
			l.moved = s
		}
		l.events = append(l.events, s)
	})
	d.t.Cleanup(remove)
	require.NoError(d.t, xproto.ChangeWindowAttributesChecked(x, l.id, xproto.CwEventMask, []uint32{
		xproto.EventMaskKeyPress | xproto.EventMaskKeyRelease | xproto.EventMaskButtonPress | xproto.EventMaskButtonRelease | xproto.EventMaskPointerMotion,
	}).Check())
	return l
}

// heard waits for events and forgets them.
func (l *listener) heard(want ...string) {
	l.d.t.Helper()
	poll(l.d.t, "input", func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		got := strings.Join(l.events, "\n")
		if got != strings.Join(want, "\n") {
			return false, fmt.Sprintf("got %q, want %q", l.events, want)
		}
		l.events = nil
		return true, ""
	})
}

// nothingHeld checks that no key and no button is down.
func (d *desktop) nothingHeld() {
	d.t.Helper()
	poll(d.t, "everything released", func() (bool, string) {
		k, err := xproto.QueryKeymap(d.Conn.X()).Reply()
		require.NoError(d.t, err)
		q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
		require.NoError(d.t, err)
		for _, b := range k.Keys {
			if b != 0 {
				return false, fmt.Sprint("keys ", k.Keys)
			}
		}
		return q.Mask == 0, fmt.Sprintf("mask %#x", q.Mask)
	})
}

const shiftL = 0xffe1

// TestInput: a real X client gets the events, in order.
func TestInput(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 160)
	l := d.listen()
	s := serve(t, d.x)
	c := connect(t, s, viewer{})
	require.NoError(t, c.Pointer(30, 40, 0))
	poll(t, "the pointer", func() (bool, string) {
		q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
		require.NoError(t, err)
		return q.RootX == 30 && q.RootY == 40, fmt.Sprint(q.RootX, q.RootY)
	})
	l.mu.Lock()
	l.events = nil
	l.mu.Unlock()

	require.NoError(t, c.Key('a', true))
	require.NoError(t, c.Key('a', false))
	l.heard("press 61", "release 61")
	// Shift held by the viewer, as viewers do.
	require.NoError(t, c.Key(shiftL, true))
	require.NoError(t, c.Key('B', true))
	require.NoError(t, c.Key('B', false))
	require.NoError(t, c.Key(shiftL, false))
	l.heard("press ffe1", "press 42", "release 42", "release ffe1")
	n := 4
	for i := range 5 {
		require.NoError(t, c.Pointer(31+i, 41, 1<<i))
		require.NoError(t, c.Pointer(31+i, 41, 0))
		l.heard(fmt.Sprintf("move %d,41", 31+i), fmt.Sprintf("button %d at %d,41", i+1, 31+i), fmt.Sprintf("button %d up", i+1))
		n++
	}
	require.Equal(t, 9, n)
	require.NoError(t, c.Pointer(50, 60, 1))
	require.NoError(t, c.Pointer(70, 80, 1))
	require.NoError(t, c.Pointer(70, 80, 0))
	l.heard("move 50,60", "button 1 at 50,60", "move 70,80", "button 1 up")
	d.nothingHeld()
}

// TestHeld: what a viewer holds is released when it goes, however it goes, and
// when the server goes.
func TestHeld(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 160)
	d.listen()
	s := serve(t, d.x)
	press := func() *rfbtest.Client {
		t.Helper()
		c := connect(t, s, viewer{})
		require.NoError(t, c.Key(shiftL, true))
		require.NoError(t, c.Key('X', true))
		require.NoError(t, c.Pointer(20, 20, 5))
		poll(t, "held", func() (bool, string) {
			q, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
			require.NoError(t, err)
			const want = xproto.KeyButMaskShift | xproto.KeyButMaskButton1 | xproto.KeyButMaskButton3
			return q.Mask&want == want, fmt.Sprintf("mask %#x", q.Mask)
		})
		return c
	}
	tested := 0
	for _, end := range []func(c *rfbtest.Client){
		func(c *rfbtest.Client) { c.Close() },
		func(c *rfbtest.Client) { require.NoError(t, c.Send([]byte{99})) }, // the server ends it
		func(*rfbtest.Client) { s.signal(syscall.SIGTERM); s.wait(timeout) },
	} {
		end(press())
		d.nothingHeld()
		tested++
	}
	require.Equal(t, 3, tested)
}

// TestViewOnly: whoever may only look cannot do anything.
func TestViewOnly(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 160)
	l := d.listen()
	d.pointer(10, 10)
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("driving\nlooking\n"), 0o600))
	for _, c := range []struct {
		args     []string
		password string
	}{
		{[]string{"--view-only"}, ""},
		{[]string{"--password-file", file}, "looking"},
		{[]string{"--password-file", file, "--view-only"}, "driving"},
	} {
		s := serve(t, d.x, c.args...)
		v := connect(t, s, viewer{Password: c.password, Encodings: withCursor(rfb.EncodingZRLE)})
		l.mu.Lock()
		l.events = nil
		l.mu.Unlock()
		require.NoError(t, v.Key('a', true))
		require.NoError(t, v.Pointer(100, 100, 1))
		require.NoError(t, v.CutText([]byte("cut")))
		whole(t, v) // the messages before this one have been handled
		follow(t, v, d)
		d.nothingHeld()
		l.heard()
	}
}

// TestClipboard: both ways, with a real owner and a real reader of selections.
func TestClipboard(t *testing.T) {
	t.Parallel()
	xclip := peer(t, "xclip")
	d := newDesktop(t, 200, 160)
	s := serve(t, d.x)
	c := connect(t, s, viewer{})
	own := func(text string, selection string) {
		t.Helper()
		cmd := command(t, d.x.Env(), xclip, "-quiet", "-loops", "0", "-selection", selection, "-in")
		cmd.Stdin = strings.NewReader(text)
		start(t, cmd)
	}
	read := func(selection string) string {
		p := start(t, command(t, d.x.Env(), xclip, "-selection", selection, "-out"))
		p.wait(timeout)
		return p.stdout.String()
	}
	awaitCut := func(want string) {
		t.Helper()
		for {
			m, err := c.ReadMessage()
			require.NoError(t, err, "waiting for %q", want)
			if m, ok := m.(rfbtest.CutText); ok {
				require.Equal(t, want, string(m.Data))
				return
			}
		}
	}
	tested := 0
	for _, text := range []struct{ x, latin1 string }{
		{"plain text", "plain text"},
		{"two\nlines\n", "two\nlines\n"},
		{"caf\u00e9 \u20ac", "caf\xe9 ?"},
		{strings.Repeat("long ", 60000), strings.Repeat("long ", 60000)},
	} {
		own(text.x, "clipboard")
		awaitCut(text.latin1)
		tested++
	}
	for _, text := range []struct{ latin1, x string }{
		{"from the viewer", "from the viewer"},
		{"gr\xfc\xdfe", "gr\u00fc\u00dfe"},
		{strings.Repeat("more ", 60000), strings.Repeat("more ", 60000)},
	} {
		require.NoError(t, c.CutText([]byte(text.latin1)))
		for _, selection := range []string{"clipboard", "primary"} {
			poll(t, "clipboard", func() (bool, string) {
				got := read(selection)
				return got == text.x, fmt.Sprintf("%s: %.100q", selection, got)
			})
			tested++
		}
	}
	require.Equal(t, 10, tested)
	// Its own text does not come back.
	require.NoError(t, c.SetDeadline(time.Now().Add(300*time.Millisecond)))
	m, err := c.ReadMessage()
	assert.True(t, err != nil && isTimeout(err), "%v %v", m, err)
}
