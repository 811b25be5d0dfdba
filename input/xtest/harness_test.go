package xtest

import (
	"bufio"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/peertest"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// patience bounds the wait for what must come.
const patience = time.Minute

func start(tb testing.TB) *xvfb.Server {
	tb.Helper()
	return xvfbtest.Start(tb, xvfb.Options{Width: 640, Height: 480})
}

func open(tb testing.TB, s *xvfb.Server, o Options) *Injector {
	tb.Helper()
	o.Display, o.AuthFile, o.Logger = s.Display(), s.AuthFile(), quiet
	i, err := Open(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(func() { i.Close() })
	return i
}

// run runs a program on the server to its end.
func run(tb testing.TB, s *xvfb.Server, program string, args ...string) string {
	tb.Helper()
	peertest.Program(tb, program)
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), s.Env()...)
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%s: %s", program, out)
	return string(out)
}

// layout sets the keyboard layout, and waits until the injector knows.
func layout(tb testing.TB, s *xvfb.Server, i *Injector, args ...string) {
	tb.Helper()
	run(tb, s, "setxkbmap", args...)
	require.NoError(tb, i.c.Sync(tb.Context()))
}

// judge is a program of others that says what it makes of keys: xev, which
// uses Xlib's own translation.
type judge struct {
	tb    testing.TB
	lines chan typed
}

// typed is a key event as xev understood it.
type typed struct {
	down  bool
	state uint16
	code  int
	sym   uint32
}

var xevLine = regexp.MustCompile(`state 0x([0-9a-f]+), keycode (\d+) \(keysym 0x([0-9a-f]+)`)

func startJudge(tb testing.TB, s *xvfb.Server) *judge {
	tb.Helper()
	peertest.Program(tb, "xev")
	cmd := exec.Command("xev", "-event", "keyboard", "-geometry", "600x400+0+0")
	cmd.Env = append(append(os.Environ(), s.Env()...), "LC_ALL=C", "XMODIFIERS=@im=none")
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	j := &judge{tb, make(chan typed, 10000)}
	var wg sync.WaitGroup
	tb.Cleanup(func() { cmd.Process.Kill(); wg.Wait(); cmd.Wait() })
	wg.Go(func() {
		defer close(j.lines)
		down := false
		for sc := bufio.NewScanner(out); sc.Scan(); {
			line := sc.Text()
			switch {
			case strings.HasPrefix(line, "KeyPress"):
				down = true
			case strings.HasPrefix(line, "KeyRelease"):
				down = false
			default:
				if m := xevLine.FindStringSubmatch(line); m != nil {
					st, _ := strconv.ParseUint(m[1], 16, 16)
					code, _ := strconv.Atoi(m[2])
					sym, _ := strconv.ParseUint(m[3], 16, 32)
					j.lines <- typed{down, uint16(st), code, uint32(sym)}
				}
			}
		}
	})
	// Give it the focus when its window is there.
	c := dial(tb, s)
	deadline := time.Now().Add(patience)
	for {
		tree, err := xproto.QueryTree(c.X(), c.Root()).Reply()
		require.NoError(tb, err)
		for _, w := range tree.Children {
			a, err := xproto.GetWindowAttributes(c.X(), w).Reply()
			if err == nil && a.MapState == xproto.MapStateViewable &&
				xproto.SetInputFocusChecked(c.X(), xproto.InputFocusParent, w, 0).Check() == nil {
				return j
			}
		}
		require.True(tb, time.Now().Before(deadline), "xev has no window")
		time.Sleep(5 * time.Millisecond)
	}
}

// next returns the next key event.
func (j *judge) next() typed {
	j.tb.Helper()
	select {
	case e, ok := <-j.lines:
		require.True(j.tb, ok, "xev ended")
		return e
	case <-time.After(patience):
		require.FailNow(j.tb, "no key event")
	}
	return typed{}
}

// press returns the next press of a key that is no modifier.
func (j *judge) press() typed {
	j.tb.Helper()
	for {
		if e := j.next(); e.down && !isModifier(e.sym) {
			return e
		}
	}
}

// isModifier is the test's own idea of it: what the injector may press around.
func isModifier(sym uint32) bool {
	return sym >= 0xffe1 && sym <= 0xffee || sym == 0xfe03 || sym == 0xfe11 || sym == 0xff7e || sym == 0xff7f
}

func dial(tb testing.TB, s *xvfb.Server) *x11.Conn {
	tb.Helper()
	c, err := x11.Dial(tb.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	return c
}

// window is a window of an X client of the test's.
type window struct {
	tb     testing.TB
	c      *x11.Conn
	id     xproto.Window
	events chan event
}

type event struct {
	xgb.Event
	at time.Time
}

func openWindow(tb testing.TB, s *xvfb.Server) *window {
	tb.Helper()
	c := dial(tb, s)
	w := &window{tb: tb, c: c, events: make(chan event, 10000)}
	id, err := xproto.NewWindowId(c.X())
	require.NoError(tb, err)
	w.id = id
	const mask = xproto.EventMaskKeyPress | xproto.EventMaskKeyRelease | xproto.EventMaskButtonPress |
		xproto.EventMaskButtonRelease | xproto.EventMaskPointerMotion
	require.NoError(tb, xproto.CreateWindowChecked(c.X(), c.Screen().RootDepth, id, c.Root(), 0, 0, 640, 480, 0,
		xproto.WindowClassInputOutput, c.Screen().RootVisual, xproto.CwOverrideRedirect|xproto.CwEventMask,
		[]uint32{1, mask}).Check())
	c.Handle(func(e xgb.Event) {
		select {
		case w.events <- event{e, time.Now()}:
		default:
		}
	})
	require.NoError(tb, xproto.MapWindowChecked(c.X(), id).Check())
	require.NoError(tb, xproto.SetInputFocusChecked(c.X(), xproto.InputFocusParent, id, 0).Check())
	return w
}

func (w *window) next() event {
	w.tb.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(patience):
		require.FailNow(w.tb, "no event")
	}
	return event{}
}

// held returns the keycodes that are down, and the modifiers and buttons.
func held(tb testing.TB, i *Injector, c *x11.Conn) ([]int, uint16) {
	tb.Helper()
	require.NoError(tb, i.c.Sync(tb.Context()))
	r, err := xproto.QueryKeymap(c.X()).Reply()
	require.NoError(tb, err)
	var list []int
	for code := range 256 {
		if r.Keys[code/8]>>(code%8)&1 != 0 {
			list = append(list, code)
		}
	}
	p, err := xproto.QueryPointer(c.X(), c.Root()).Reply()
	require.NoError(tb, err)
	return list, p.Mask
}
