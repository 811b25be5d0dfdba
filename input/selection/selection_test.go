package selection

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/peertest"
	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// patience bounds the wait for what must come; silence is how long to watch
// that nothing comes.
const (
	patience = 30 * time.Second
	silence  = 300 * time.Millisecond
)

func start(tb testing.TB) *xvfb.Server {
	tb.Helper()
	return xvfbtest.Start(tb, xvfb.Options{Width: 64, Height: 64})
}

// desk is a selection under test.
type desk struct {
	*Selection
	tb    testing.TB
	s     *xvfb.Server
	texts chan string
}

func open(tb testing.TB, s *xvfb.Server, o Options) *desk {
	tb.Helper()
	d := &desk{tb: tb, s: s, texts: make(chan string, 100)}
	o.Display, o.AuthFile, o.Logger = s.Display(), s.AuthFile(), quiet
	o.OnText = func(text string) { d.texts <- text }
	sel, err := Open(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(func() { sel.Close() })
	d.Selection = sel
	return d
}

func (d *desk) next() string {
	d.tb.Helper()
	select {
	case text := <-d.texts:
		return text
	case <-time.After(patience):
		require.FailNow(d.tb, "no text")
	}
	return ""
}

func (d *desk) quiet() {
	d.tb.Helper()
	select {
	case text := <-d.texts:
		require.FailNow(d.tb, "a text", "%.40q", text)
	case <-time.After(silence):
	}
}

// copy makes another program the owner; it serves until the end of the test, or
// until someone else is the owner.
func (d *desk) copy(text string, program string, args ...string) {
	d.tb.Helper()
	peertest.Program(d.tb, program)
	cmd := exec.Command(program, args...)
	cmd.Env = append(append(os.Environ(), d.s.Env()...), "LC_ALL=C.UTF-8")
	cmd.Stdin = strings.NewReader(text)
	require.NoError(d.tb, cmd.Start())
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	d.tb.Cleanup(func() { cmd.Process.Kill(); <-done })
}

// paste returns what another program gets.
func (d *desk) paste(program string, args ...string) string {
	d.tb.Helper()
	peertest.Program(d.tb, program)
	cmd := exec.CommandContext(d.tb.Context(), program, args...)
	cmd.Env = append(append(os.Environ(), d.s.Env()...), "LC_ALL=C.UTF-8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(d.tb, err, "%s %q: %s", program, args, stderr.String())
	return string(out)
}

func xclip(selection, target string) []string {
	return []string{"-selection", selection, "-target", target}
}

// long returns n bytes of text with characters of all lengths.
func long(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d: äöü € 漢字 😀\n", i)
	}
	text := b.String()[:n]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + strings.Repeat("x", n-len(text))
}

var texts = map[string]string{
	"one byte": "a",
	"latin1":   "Grüße, señor\nzweite Zeile\n",
	"unicode":  "зима €uro 漢字 😀 \u200d end",
	"64K":      long(64 << 10),
	"direct":   long(262140 - 24),
	"incr":     long(262140 - 23),
	"1M":       long(1 << 20),
}

func TestSetText(t *testing.T) {
	d := open(t, start(t), Options{})
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, d.SetText(text))
			for _, sel := range []string{"primary", "clipboard"} {
				got := d.paste("xclip", append(xclip(sel, "UTF8_STRING"), "-o")...)
				assert.True(t, text == got, "xclip %s: %d bytes, want %d", sel, len(got), len(text))
				got = d.paste("xsel", "--"+sel, "--output")
				assert.True(t, text == got, "xsel %s: %d bytes, want %d", sel, len(got), len(text))
			}
			got := d.paste("xclip", append(xclip("clipboard", "text/plain;charset=utf-8"), "-o")...)
			assert.True(t, text == got)
			b, exact := latin1(text)
			got = d.paste("xclip", append(xclip("clipboard", "STRING"), "-o")...)
			assert.True(t, string(b) == got, "STRING: %d bytes, want %d", len(got), len(b))
			if got = d.paste("xclip", append(xclip("clipboard", "TEXT"), "-o")...); exact {
				assert.True(t, string(b) == got)
			} else {
				assert.True(t, text == got)
			}
		})
	}
	assert.Equal(t, []string{"TARGETS", "TIMESTAMP", "UTF8_STRING", "text/plain;charset=utf-8", "STRING", "TEXT"},
		strings.Fields(d.paste("xclip", append(xclip("clipboard", "TARGETS"), "-o")...)))
	require.Error(t, d.SetText(strings.Repeat("x", DefaultMaxBytes+1)))
	d.quiet()
}

func TestOnText(t *testing.T) {
	d := open(t, start(t), Options{})
	for name, text := range texts {
		for _, sel := range []string{"primary", "clipboard"} {
			t.Run(name+"/"+sel, func(t *testing.T) {
				d.tb = t
				require.NoError(t, d.SetText("before"))
				d.copy(text, "xclip", "-selection", sel)
				got := d.next()
				assert.True(t, text == got, "xclip: %d bytes, want %d", len(got), len(text))

				require.NoError(t, d.SetText("before"))
				d.copy(text, "xsel", "--"+sel, "--input", "--nodetach")
				got = d.next()
				assert.True(t, text == got, "xsel: %d bytes, want %d", len(got), len(text))
			})
		}
	}
	d.tb = t
	d.copy(strings.Repeat("x", DefaultMaxBytes+1), "xclip", "-selection", "clipboard")
	d.quiet()
	// And all goes on.
	d.copy("after", "xclip", "-selection", "clipboard")
	assert.Equal(t, "after", d.next())
}

func TestNoEcho(t *testing.T) {
	s := start(t)
	a, b := open(t, s, Options{}), open(t, s, Options{})
	require.NoError(t, a.SetText("one"))
	assert.Equal(t, "one", b.next())
	// As a second framebridge on the same display would.
	require.NoError(t, b.SetText("one"))
	a.quiet()
	b.quiet()
	require.NoError(t, b.SetText("two"))
	assert.Equal(t, "two", a.next())
	a.quiet()
	b.quiet()
}

func TestSetActive(t *testing.T) {
	s := start(t)
	w := newFakeOwner(t, s)
	w.own("CLIPBOARD")
	// One that is active from the start gets what is there already.
	first := open(t, s, Options{})
	assert.Equal(t, "UTF8_STRING of CLIPBOARD", first.next())
	require.NoError(t, first.Close())
	<-w.n
	w.n <- 0
	d := open(t, s, Options{Idle: true})
	w.own("PRIMARY")
	d.quiet()
	assert.Zero(t, w.count(), "an owner was asked for nobody")
	d.SetActive(true)
	// Both are asked; the text of the first is passed over where OnText is late.
	got := d.next()
	if got == "UTF8_STRING of CLIPBOARD" {
		got = d.next()
	}
	assert.Equal(t, "UTF8_STRING of PRIMARY", got)
	assert.Equal(t, 2, w.count())
	d.SetActive(false)
	n := w.count()
	w.own("CLIPBOARD")
	d.quiet()
	assert.Equal(t, n, w.count())
	d.SetActive(true)
	assert.Equal(t, "UTF8_STRING of CLIPBOARD", d.next())
}

// fakeOwner is an X client that owns selections in odd ways.
type fakeOwner struct {
	tb    testing.TB
	c     *x11.Conn
	win   xproto.Window
	asked chan xproto.SelectionRequestEvent
	n     chan int
	mode  chan string

	request atomic.Pointer[xproto.SelectionRequestEvent]
}

func newFakeOwner(tb testing.TB, s *xvfb.Server) *fakeOwner {
	tb.Helper()
	c, err := x11.Dial(tb.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(tb, err)
	f := &fakeOwner{tb: tb, c: c, asked: make(chan xproto.SelectionRequestEvent, 1000), n: make(chan int, 1), mode: make(chan string, 1)}
	f.n <- 0
	f.mode <- "text"
	f.win, err = xproto.NewWindowId(c.X())
	require.NoError(tb, err)
	require.NoError(tb, xproto.CreateWindowChecked(c.X(), 0, f.win, c.Root(), 0, 0, 1, 1, 0,
		xproto.WindowClassInputOnly, 0, 0, nil).Check())
	c.Handle(func(e xgb.Event) {
		if r, ok := e.(xproto.SelectionRequestEvent); ok {
			f.asked <- r
		}
	})
	done := make(chan struct{})
	go func() { f.serve(); close(done) }()
	tb.Cleanup(func() { c.Abort(); <-done; c.Close() })
	return f
}

// last returns the last request.
func (f *fakeOwner) last() xproto.SelectionRequestEvent { return *f.request.Load() }

func (f *fakeOwner) count() int { n := <-f.n; f.n <- n; return n }

func (f *fakeOwner) setMode(m string) { <-f.mode; f.mode <- m }

func (f *fakeOwner) atom(name string) xproto.Atom {
	r, err := xproto.InternAtom(f.c.X(), false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0
	}
	return r.Atom
}

func (f *fakeOwner) name(a xproto.Atom) string {
	r, err := xproto.GetAtomName(f.c.X(), a).Reply()
	if err != nil {
		return ""
	}
	return r.Name
}

func (f *fakeOwner) own(selection string) {
	f.tb.Helper()
	require.NoError(f.tb, xproto.SetSelectionOwnerChecked(f.c.X(), f.win, f.atom(selection), 0).Check())
}

func (f *fakeOwner) serve() {
	for {
		var r xproto.SelectionRequestEvent
		select {
		case r = <-f.asked:
		case <-f.c.Done():
			return
		}
		f.request.Store(&r)
		f.n <- <-f.n + 1
		mode := <-f.mode
		f.mode <- mode
		kind, text, property := r.Target, f.name(r.Target)+" of "+f.name(r.Selection), r.Property
		x := f.c.X()
		switch mode {
		case "silent":
			continue
		case "picture":
			property = 0
		case "latin1":
			if r.Target != xproto.AtomString {
				property = 0
			}
			text = "gr\xfcn\x00"
		case "wrong type":
			kind = f.atom("COMPOUND_TEXT")
		case "stuck":
			kind = f.atom("INCR")
		}
		if mode == "stuck" {
			xproto.ChangeProperty(x, 0, r.Requestor, property, kind, 32, 1, []byte{255, 255, 255, 127})
		} else if property != 0 {
			xproto.ChangeProperty(x, 0, r.Requestor, property, kind, 8, uint32(len(text)), []byte(text))
		}
		ev := xproto.SelectionNotifyEvent{Time: r.Time, Requestor: r.Requestor, Selection: r.Selection, Target: r.Target, Property: property}
		xproto.SendEvent(x, false, r.Requestor, 0, string(ev.Bytes()))
	}
}

func TestOddOwners(t *testing.T) {
	s := start(t)
	d := open(t, s, Options{})
	f := newFakeOwner(t, s)
	f.setMode("latin1")
	f.own("CLIPBOARD")
	assert.Equal(t, "grün", d.next())
	f.setMode("picture")
	f.own("CLIPBOARD")
	d.quiet()
	d.Close()

	// Neither an owner that is silent nor one that stops in the middle holds up
	// anything: a new owner is asked at once, and our own text can be set. There is no
	// time-out that could help.
	d = open(t, s, Options{step: time.Hour})
	asked := func() {
		t.Helper()
		n := f.count()
		f.own("CLIPBOARD")
		require.Eventually(t, func() bool { return f.count() > n }, patience, time.Millisecond)
	}
	for _, mode := range []string{"silent", "stuck"} {
		f.setMode(mode)
		asked()
		d.copy("after "+mode, "xclip", "-selection", "clipboard")
		assert.Equal(t, "after "+mode, d.next())
		asked()
		require.NoError(t, d.SetText("own after "+mode))
	}
	d.Close()

	// And without anyone else's doing the time-out frees the way for the other
	// selection.
	f.setMode("text")
	f.own("CLIPBOARD")
	d = open(t, s, Options{})
	assert.Equal(t, "UTF8_STRING of CLIPBOARD", d.next())
	for _, mode := range []string{"silent", "stuck"} {
		f.setMode(mode)
		asked()
		f.setMode("text")
		f.own("PRIMARY")
		assert.Equal(t, "UTF8_STRING of PRIMARY", d.next())
		f.own("CLIPBOARD")
		assert.Equal(t, "UTF8_STRING of CLIPBOARD", d.next())
	}
}

func TestPrimaryStorm(t *testing.T) {
	s := start(t)
	d := open(t, s, Options{})
	f := newFakeOwner(t, s)
	began := time.Now()
	n := 0
	for ; time.Since(began) < 2*settleMax || n < 100; n++ {
		f.own("PRIMARY")
		time.Sleep(time.Millisecond)
	}
	assert.Equal(t, "UTF8_STRING of PRIMARY", d.next())
	require.Eventually(t, func() bool { return f.count() >= 2 }, patience, time.Millisecond, "a long drag must be seen before it ends")
	time.Sleep(2 * settle)
	// 4, were it not for busy machines, on which the drag halts now and then.
	assert.LessOrEqual(t, f.count(), 3+2*int(time.Since(began)/settleMax), "of %d owners", n)
}

func TestServerDeath(t *testing.T) {
	s := start(t)
	d := open(t, s, Options{})
	require.NoError(t, d.SetText("x"))
	s.Stop()
	<-d.Done()
	began := time.Now()
	require.Error(t, d.SetText("y"))
	d.SetActive(true)
	assert.Less(t, time.Since(began), patience)
	d.Close()
	require.Error(t, d.SetText("z"))
}

// TestLateAnswer: an owner may answer when its answer is no longer wanted. It must not
// be ended for that by an error of the server.
func TestLateAnswer(t *testing.T) {
	s := start(t)
	d := open(t, s, Options{})
	f := newFakeOwner(t, s)
	f.setMode("silent")
	f.own("CLIPBOARD")
	require.Eventually(t, func() bool { return f.count() == 1 }, patience, time.Millisecond)
	late := f.last()
	f.setMode("text")
	f.own("CLIPBOARD") // gives the fetch up
	assert.Equal(t, "UTF8_STRING of CLIPBOARD", d.next())
	assert.NotEqual(t, late.Requestor, f.last().Requestor)
	require.NoError(t, xproto.ChangePropertyChecked(f.c.X(), 0, late.Requestor, late.Property, late.Target, 8, 1, []byte("x")).Check())
}

// A requestor that begins a transfer and vanishes must leave nothing behind.
func TestRequestorVanishes(t *testing.T) {
	s := start(t)
	d := open(t, s, Options{})
	require.NoError(t, d.SetText(texts["1M"]))
	c, err := x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(t, err)
	w, err := xproto.NewWindowId(c.X())
	require.NoError(t, err)
	xproto.CreateWindow(c.X(), 0, w, c.Root(), 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, 0, 0, nil)
	xproto.ConvertSelection(c.X(), w, d.atoms.clipboard, d.atoms.utf8, d.atoms.data, 0)
	// The text is under way when it goes. (A request that is answered later meets
	// another program's window: the server gives the number to the next that comes.)
	require.Eventually(t, func() bool {
		r, err := xproto.GetProperty(c.X(), false, w, d.atoms.data, xproto.GetPropertyTypeAny, 0, 1).Reply()
		return err == nil && r.Type == d.atoms.incr
	}, patience, time.Millisecond)
	c.Close()
	for range 3 {
		got := d.paste("xclip", append(xclip("clipboard", "UTF8_STRING"), "-o")...)
		assert.True(t, texts["1M"] == got)
	}
}

func TestLatin1(t *testing.T) {
	b, exact := latin1("aÿ")
	assert.Equal(t, "a\xff", string(b))
	assert.True(t, exact)
	b, exact = latin1("€ a")
	assert.Equal(t, "? a", string(b))
	assert.False(t, exact)
	assert.Equal(t, "aÿ", fromLatin1([]byte("a\xff")))
	assert.Equal(t, "a\uFFFDb", fromUTF8([]byte("a\xffb\x00")))
	assert.Empty(t, fromUTF8([]byte{0}))
	assert.Empty(t, fromUTF8(nil))
}
