package x11_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/damage"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/BurntSushi/xgb/xtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"framebridge/internal/x11"
	"framebridge/internal/xvfb"
	"framebridge/internal/xvfb/xvfbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func dial(tb testing.TB, s *xvfb.Server) *x11.Conn {
	tb.Helper()
	c, err := x11.Dial(tb.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.NoError(tb, err)
	tb.Cleanup(func() { c.Close() })
	return c
}

func TestRequests(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 300, Height: 200})
	c := dial(t, s)
	require.True(t, c.Local())

	g, err := xproto.GetGeometry(c.X(), xproto.Drawable(c.Root())).Reply()
	require.NoError(t, err)
	assert.EqualValues(t, 300, g.Width)
	assert.EqualValues(t, 200, g.Height)

	// Checked requests without a reply, that fail and that do not.
	require.NoError(t, xproto.NoOperationChecked(c.X()).Check())
	err = xproto.MapWindowChecked(c.X(), 1).Check()
	require.ErrorAs(t, err, new(xproto.WindowError))
	_, err = xproto.GetGeometry(c.X(), 1).Reply()
	require.ErrorAs(t, err, new(xproto.DrawableError))

	// An unchecked one that fails disturbs nobody.
	xproto.MapWindow(c.X(), 1)
	require.NoError(t, c.Sync(t.Context()))

	// Ids differ and are inside the range given.
	seen := map[uint32]bool{}
	for range 1000 {
		id, err := c.NewID()
		require.NoError(t, err)
		require.Zero(t, (id^c.Setup().ResourceIdBase)&^c.Setup().ResourceIdMask)
		require.False(t, seen[id])
		seen[id] = true
	}

	require.NoError(t, c.Close())
	require.ErrorIs(t, c.Err(), x11.ErrClosed)
	require.NoError(t, c.Close())
}

// TestManyWithoutReply lets the 16-bit request numbers wrap several times.
func TestManyWithoutReply(t *testing.T) {
	c := dial(t, xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64}))
	noop := x11.Request(nil, 127, 0, 4)
	for range 3 {
		for range 70000 {
			c.Queue(noop)
		}
		_, err := xproto.GetGeometry(c.X(), xproto.Drawable(c.Root())).Reply()
		require.NoError(t, err)
		require.ErrorAs(t, xproto.MapWindowChecked(c.X(), 1).Check(), new(xproto.WindowError))
	}
}

func TestEvents(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	c, other := dial(t, s), dial(t, s)
	got := make(chan xproto.PropertyNotifyEvent, 10)
	remove := c.Handle(func(ev xgb.Event) {
		if p, ok := ev.(xproto.PropertyNotifyEvent); ok {
			got <- p
		}
	})
	require.NoError(t, xproto.ChangeWindowAttributesChecked(c.X(), c.Root(), xproto.CwEventMask,
		[]uint32{xproto.EventMaskPropertyChange}).Check())
	change := func(atom xproto.Atom) {
		require.NoError(t, xproto.ChangePropertyChecked(other.X(), xproto.PropModeReplace, other.Root(),
			atom, xproto.AtomString, 8, 1, []byte("x")).Check())
		require.NoError(t, c.Sync(t.Context()))
	}
	change(xproto.AtomWmName)
	// Sync has seen to it that the event has been handled.
	select {
	case p := <-got:
		assert.EqualValues(t, xproto.AtomWmName, p.Atom)
	default:
		t.Fatal("no event by the time of Sync")
	}
	remove()
	change(xproto.AtomWmIconName)
	assert.Empty(t, got)
}

// TestGenericEvents has XInput 2 report motion in the midst of replies.
func TestGenericEvents(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	c, other := dial(t, s), dial(t, s)
	require.NoError(t, c.SelectRawMotion(t.Context()))
	_, err := other.Extension(t.Context(), x11.XTest)
	require.NoError(t, err)
	var mu sync.Mutex
	motions := 0
	c.Handle(func(ev xgb.Event) {
		if c.IsRawMotion(ev) {
			mu.Lock()
			motions++
			mu.Unlock()
		}
	})
	for i := range 100 {
		xtest.FakeInput(other.X(), xproto.MotionNotify, 0, 0, other.Root(), int16(i%60), int16(i%50), 0)
		g, err := xproto.GetGeometry(c.X(), xproto.Drawable(c.Root())).Reply()
		require.NoError(t, err)
		require.EqualValues(t, 64, g.Width)
	}
	require.NoError(t, other.Sync(t.Context()))
	require.Eventually(t, func() bool {
		require.NoError(t, c.Sync(t.Context()))
		mu.Lock()
		defer mu.Unlock()
		return motions >= 100
	}, time.Minute, 10*time.Millisecond)
}

func TestExtensionMissing(t *testing.T) {
	c := dial(t, xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: []string{"-extension", "DAMAGE"}}))
	_, err := c.Extension(t.Context(), x11.Damage)
	require.ErrorIs(t, err, x11.NoExtensionError(x11.Damage))
	e, err := c.Extension(t.Context(), x11.XFixes)
	require.NoError(t, err)
	assert.True(t, e.AtLeast(4, 0), "%+v", e)
}

// TestServerDies kills servers with requests under way: of every kind, from
// several goroutines, before and after.
func TestServerDies(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 5
	}
	for i := range rounds {
		s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
		c := dial(t, s)
		_, err := c.Extension(t.Context(), x11.Damage)
		require.NoError(t, err)
		_, err = c.Extension(t.Context(), x11.XFixes)
		require.NoError(t, err)
		if i%2 == 0 {
			// A stopped server leaves requests unanswered.
			require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
		}
		var wg sync.WaitGroup
		var answered atomic.Int64
		use := func(f func() error) {
			wg.Go(func() {
				for f() == nil {
					answered.Add(1)
				}
				assert.Error(t, f(), "a request after the end")
			})
		}
		for range 3 {
			use(func() error {
				_, err := xproto.GetGeometry(c.X(), xproto.Drawable(c.Root())).Reply()
				return err
			})
			use(func() error { return xproto.NoOperationChecked(c.X()).Check() })
			use(func() error { return c.Sync(context.Background()) })
			use(func() error {
				xproto.NoOperation(c.X())
				id, _ := damage.NewDamageId(c.X())
				damage.Destroy(c.X(), id)
				return c.Err()
			})
		}
		if i%2 != 0 { // between requests that were answered and some that will not be
			require.Eventually(t, func() bool { return answered.Load() >= int64(i%7*20) }, time.Minute, 100*time.Microsecond)
		}
		require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGKILL))
		select {
		case <-c.Done():
		case <-time.After(time.Minute):
			t.Fatal("the end of the server was not noticed")
		}
		wg.Wait()
		require.ErrorContains(t, c.Err(), "lost")
		require.NoError(t, c.Close())
		s.Stop()
	}
}

// TestAbort ends a connection while others wait on it for a stopped server.
func TestAbort(t *testing.T) {
	s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64})
	c := dial(t, s)
	require.NoError(t, syscall.Kill(s.Pid(), syscall.SIGSTOP))
	defer syscall.Kill(s.Pid(), syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Sync(ctx), context.DeadlineExceeded)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			assert.ErrorIs(t, c.Sync(context.Background()), x11.ErrClosed)
			assert.ErrorIs(t, xproto.NoOperationChecked(c.X()).Check(), x11.ErrClosed)
		})
	}
	time.Sleep(5 * time.Millisecond)
	c.Abort()
	wg.Wait()
	require.NoError(t, c.Close())
}

// TestSeveralServers uses connections to servers with and without extensions
// at once, for the race detector.
func TestSeveralServers(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 3 {
		var args []string
		if i == 1 {
			args = []string{"-extension", "MIT-SHM"} // moves the numbers of the others
		}
		s := xvfbtest.Start(t, xvfb.Options{Width: 64, Height: 64, Args: args})
		for range 3 {
			wg.Go(func() {
				for range 5 {
					c, err := x11.Dial(t.Context(), x11.Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
					if !assert.NoError(t, err) {
						return
					}
					for _, name := range []string{x11.Damage, x11.RandR, x11.XFixes, x11.XTest, x11.XInput} {
						_, err := c.Extension(t.Context(), name)
						assert.NoError(t, err)
					}
					assert.ErrorAs(t, damage.DestroyChecked(c.X(), 1).Check(), new(damage.BadDamageError))
					assert.NoError(t, c.Close())
				}
			})
		}
	}
	wg.Wait()
}
