package seat

import (
	"context"
	"encoding/binary"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 30 * time.Second

// rig keeps the seat of an Xvfb, looked at through another connection.
type rig struct {
	t       *testing.T
	x       *xvfb.Server
	c       *x11.Conn
	viewers atomic.Bool
	changed chan struct{}
	stop    context.CancelFunc
	done    chan error
}

func start(t *testing.T, o Options) *rig {
	t.Helper()
	r := &rig{t: t, x: xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 48}), changed: make(chan struct{}, 1), done: make(chan error, 1)}
	var err error
	r.c, err = x11.Dial(t.Context(), x11.Options{Display: r.x.Display(), AuthFile: r.x.AuthFile()})
	require.NoError(t, err)
	t.Cleanup(func() { r.c.Close() })
	o.Display, o.AuthFile, o.Logger = r.x.Display(), r.x.AuthFile(), slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() { r.done <- Keep(ctx, o, r.viewers.Load, r.changed) }()
	t.Cleanup(cancel)
	return r
}

func (r *rig) there(yes bool) {
	r.viewers.Store(yes)
	r.changed <- struct{}{}
}

// eventually waits until a look says yes.
func (r *rig) eventually(what string, look func() bool) {
	r.t.Helper()
	require.Eventually(r.t, look, timeout, 10*time.Millisecond, what)
}

func (r *rig) end() {
	r.t.Helper()
	r.stop()
	require.NoError(r.t, <-r.done)
}

// pixel returns a pixel of the root window.
func (r *rig) pixel() uint32 {
	m, err := xproto.GetImage(r.c.X(), xproto.ImageFormatZPixmap, xproto.Drawable(r.c.Root()), 5, 5, 1, 1, 0xffffffff).Reply()
	require.NoError(r.t, err)
	return binary.LittleEndian.Uint32(m.Data) & 0xffffff
}

func TestBackground(t *testing.T) {
	t.Parallel()
	for colour, want := range map[string]uint32{"#102030": 0x102030, "#f00": 0xff0000, "cyan4": 0x008b8b} {
		r := start(t, Options{Background: colour})
		before := r.pixel()
		r.there(true)
		r.eventually(colour, func() bool { return r.pixel() == want })
		r.there(false)
		r.eventually("back", func() bool { return r.pixel() == before })

		// A picture that a program left, as xsetroot and others do.
		id, err := r.c.NewID()
		require.NoError(t, err)
		pix := xproto.Pixmap(id)
		require.NoError(t, xproto.CreatePixmapChecked(r.c.X(), r.c.Screen().RootDepth, pix, xproto.Drawable(r.c.Root()), 1, 1).Check())
		id, err = r.c.NewID()
		require.NoError(t, err)
		gc := xproto.Gcontext(id)
		require.NoError(t, xproto.CreateGCChecked(r.c.X(), gc, xproto.Drawable(pix), xproto.GcForeground, []uint32{0x445566}).Check())
		require.NoError(t, xproto.PolyFillRectangleChecked(r.c.X(), xproto.Drawable(pix), gc, []xproto.Rectangle{{Width: 1, Height: 1}}).Check())
		atom, err := xproto.InternAtom(r.c.X(), false, uint16(len("_XROOTPMAP_ID")), "_XROOTPMAP_ID").Reply()
		require.NoError(t, err)
		require.NoError(t, xproto.ChangePropertyChecked(r.c.X(), xproto.PropModeReplace, r.c.Root(), atom.Atom, xproto.AtomPixmap, 32, 1,
			binary.LittleEndian.AppendUint32(nil, uint32(pix))).Check())
		r.there(true)
		r.eventually(colour, func() bool { return r.pixel() == want })
		r.end() // puts it back as well
		require.Equal(t, uint32(0x445566), r.pixel())
	}
	for _, colour := range []string{"#12", "#xyzxyz", "no such colour"} {
		r := start(t, Options{Background: colour})
		require.ErrorContains(t, <-r.done, "background")
	}
}

// devices returns which slaves float, and which belong to a master.
func (r *rig) devices() (floating, attached int) {
	r.t.Helper()
	e, err := r.c.Extension(r.t.Context(), x11.XInput)
	require.NoError(r.t, err)
	s := &seat{c: r.c}
	b := binary.LittleEndian.AppendUint16(x11.Request(nil, e.Opcode, xiQueryDevice, 8), xiAllDevices)
	reply, err := s.call(r.t.Context(), append(b, 0, 0), 32)
	require.NoError(r.t, err)
	list, err := parseDevices(reply)
	require.NoError(r.t, err)
	for _, d := range list {
		switch d.use {
		case xiSlavePointer, xiSlaveKeyboard:
			attached++
		case 5:
			floating++
		}
	}
	return floating, attached
}

// TestGrab: the display's own devices are away while viewers are there, XTEST's not.
func TestGrab(t *testing.T) {
	t.Parallel()
	for o, want := range map[Options]int{{Keyboard: true}: 1, {Pointer: true}: 1, {Keyboard: true, Pointer: true}: 2} {
		r := start(t, o)
		floating, attached := r.devices()
		require.Zero(t, floating)
		r.there(true)
		r.eventually("grabbed", func() bool { f, a := r.devices(); return f == want && a == attached-want })
		r.there(false)
		r.eventually("released", func() bool { f, _ := r.devices(); return f == 0 })
		r.there(true)
		r.eventually("grabbed again", func() bool { f, _ := r.devices(); return f == want })
		r.end()
		floating, _ = r.devices()
		require.Zero(t, floating)
	}
}

// TestNoPower: an X server without DPMS is no error. Xvfb is one.
func TestNoPower(t *testing.T) {
	t.Parallel()
	r := start(t, Options{Power: PowerOff})
	for range 3 { // the second waits until the first was taken
		r.there(true)
	}
	r.end()
}

func TestPowerWant(t *testing.T) {
	t.Parallel()
	type change struct {
		enable, force bool
		level         uint16
	}
	for _, c := range []struct {
		p     Power
		there bool
		now   powerState
		want  change
	}{
		{PowerAsIs, true, powerState{levelOff, true}, change{}},
		{PowerOn, true, powerState{levelOff, true}, change{false, true, levelOn}},
		{PowerOn, true, powerState{levelOn, true}, change{}},
		{PowerOn, true, powerState{levelOn, false}, change{}},
		{PowerOn, false, powerState{levelOff, true}, change{}},
		{PowerOff, false, powerState{levelOn, true}, change{false, true, levelOff}},
		{PowerOff, true, powerState{levelOff, true}, change{false, false, levelOff}},
		{PowerOff, true, powerState{levelOn, false}, change{true, true, levelOff}},
		{PowerAwayOnly, true, powerState{1, true}, change{false, true, levelOff}},
		{PowerAwayOnly, false, powerState{levelOn, true}, change{}},
	} {
		enable, force, level := c.p.want(c.there, c.now)
		if !force {
			level = c.want.level
		}
		require.Equal(t, c.want, change{enable, force, level}, "%+v", c)
	}
	require.Equal(t, []byte{200, 6, 2, 0, 3, 0, 0, 0}, appendForce(nil, 200, levelOff))
	require.Equal(t, powerState{3, true}, parsePower(append(make([]byte, 8), 3, 0, 1)))
}

// aDevice is a keyboard with two classes, as XIQueryDevice answers.
var aDevice = append(append(append(make([]byte, 8), 1, 0), make([]byte, 22)...),
	7, 0, 4, 0, 3, 0, 2, 0, 5, 0, 1, 0, 'b', 'o', 'a', 'r', 'd', 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 9, 9, 9, 9)

func TestParseDevices(t *testing.T) {
	t.Parallel()
	list, err := parseDevices(aDevice)
	require.NoError(t, err)
	require.Equal(t, []device{{7, xiSlaveKeyboard, "board"}}, list)
	for i := range aDevice {
		_, err := parseDevices(aDevice[:i])
		require.ErrorIs(t, err, errDevices)
	}
}

func FuzzParseDevices(f *testing.F) {
	f.Add(aDevice)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseDevices(b)
		if err != nil {
			require.Nil(t, list)
		}
	})
}

func FuzzParseColour(f *testing.F) {
	f.Add("#123")
	f.Add("#a0b0c0")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := parseColour(s); ok {
			require.Contains(t, []int{4, 7}, len(s))
		}
	})
}
