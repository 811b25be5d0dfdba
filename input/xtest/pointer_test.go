package xtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/input"
)

// seen describes an event of the pointer.
func (w *window) seen() string {
	w.tb.Helper()
	for {
		switch e := w.next().Event.(type) {
		case xproto.MotionNotifyEvent:
			return fmt.Sprintf("move %d,%d", e.EventX, e.EventY)
		case xproto.ButtonPressEvent:
			return fmt.Sprintf("press %d at %d,%d state %#x", e.Detail, e.EventX, e.EventY, e.State)
		case xproto.ButtonReleaseEvent:
			return fmt.Sprintf("release %d", e.Detail)
		}
	}
}

func TestPointer(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	w := openWindow(t, s)
	require.NoError(t, i.Pointer(100, 50, 0))
	assert.Equal(t, "move 100,50", w.seen())
	require.NoError(t, i.Pointer(101, 51, 0b1))
	assert.Equal(t, "move 101,51", w.seen())
	assert.Equal(t, "press 1 at 101,51 state 0x0", w.seen())
	// Drag with the wheel turned: press and release are the viewer's.
	require.NoError(t, i.Pointer(101, 60, 0b1001))
	assert.Equal(t, "move 101,60", w.seen())
	assert.Equal(t, "press 4 at 101,60 state 0x100", w.seen())
	require.NoError(t, i.Pointer(102, 60, 0b0))
	assert.Equal(t, "move 102,60", w.seen())
	assert.Equal(t, "release 1", w.seen())
	assert.Equal(t, "release 4", w.seen())
	// Xvfb's pointer has 10 buttons; those beyond are dropped.
	require.NoError(t, i.Pointer(103, 60, 0xffff))
	assert.Equal(t, "move 103,60", w.seen())
	for n := 1; n <= 10; n++ {
		assert.Contains(t, w.seen(), fmt.Sprintf("press %d at", n))
	}
	require.NoError(t, i.Pointer(104, 60, 0))
	assert.Equal(t, "move 104,60", w.seen())
	for n := 1; n <= 10; n++ {
		assert.Equal(t, fmt.Sprintf("release %d", n), w.seen())
	}
	// Off the screen on all sides.
	require.NoError(t, i.Pointer(-5, -70000, 0))
	assert.Equal(t, "move 0,0", w.seen())
	require.NoError(t, i.Pointer(640, 70000, 0))
	assert.Equal(t, "move 639,479", w.seen())
}

// A Shift that we press around a key must not make a Shift+click.
func TestPointerWithTemporaryShift(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	w := openWindow(t, s)
	require.NoError(t, i.Key('A', 0, true))
	require.NoError(t, i.Pointer(10, 10, 1))
	assert.Equal(t, "move 10,10", w.seen())
	assert.Equal(t, "press 1 at 10,10 state 0x0", w.seen())
	require.NoError(t, i.Key('A', 0, false))
}

func TestSwappedButtons(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	w := openWindow(t, s)
	r, err := xproto.SetPointerMapping(w.c.X(), 10, []byte{3, 2, 1, 4, 5, 6, 7, 8, 9, 10}).Reply()
	require.NoError(t, err)
	require.EqualValues(t, 0, r.Status)
	require.NoError(t, i.c.Sync(t.Context()))
	require.NoError(t, i.Pointer(10, 10, 1))
	assert.Equal(t, "move 10,10", w.seen())
	assert.Equal(t, "press 1 at 10,10 state 0x0", w.seen())
}

// A program that has grabbed the server must not stop input, which it may be
// waiting for.
func TestServerGrab(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	w := openWindow(t, s)
	require.NoError(t, xproto.GrabServerChecked(w.c.X()).Check())
	require.NoError(t, i.Key(input.KeysymShiftL, 0, true))
	require.NoError(t, i.Key('A', 0, true))
	require.NoError(t, i.Pointer(33, 33, 0))
	assert.Equal(t, "move 33,33", w.seen())
	require.NoError(t, i.Key('A', 0, false))
	require.NoError(t, i.Key(input.KeysymShiftL, 0, false))
	require.NoError(t, xproto.UngrabServerChecked(w.c.X()).Check())
}

// BenchmarkKey measures the way from a call of Key until an X client has the
// event.
func BenchmarkKey(b *testing.B) {
	s := start(b)
	i := open(b, s, Options{})
	w := openWindow(b, s)
	for _, bm := range []struct {
		name string
		sym  uint32
	}{{"plain", 'a'}, {"with temporary Shift", 'A'}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			var total, worst time.Duration
			for b.Loop() {
				began := time.Now()
				require.NoError(b, i.Key(bm.sym, 0, true))
				for {
					e := w.next()
					if k, ok := e.Event.(xproto.KeyPressEvent); ok && k.Detail == 38 {
						d := e.at.Sub(began)
						total, worst = total+d, max(worst, d)
						break
					}
				}
				require.NoError(b, i.Key(bm.sym, 0, false))
				for {
					if k, ok := w.next().Event.(xproto.KeyReleaseEvent); ok && k.Detail == 38 {
						break
					}
				}
			}
			b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "press-ns/op")
			b.ReportMetric(float64(worst.Nanoseconds()), "worst-ns")
		})
	}
}
