package xtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/input"
)

// Keysyms that the tests type.
const (
	symA, syma  = 'A', 'a'
	controlL    = 0xffe3
	altL        = 0xffe9
	backspace   = 0xff08
	home        = 0xff50
	firstCJK    = 0x01004e00
	euro        = 0x20ac
	cyrillicEF  = 0x6c6
	level3Shift = input.KeysymLevel3Shift
)

// step is a call of Key.
type step struct {
	sym  uint32
	down bool
}

func down(sym uint32) step { return step{sym: sym, down: true} }
func up(sym uint32) step   { return step{sym: sym} }

// presses returns what xev saw pressed of keys that are no modifiers, as
// "keysym/state".
func presses(t *testing.T, i *Injector, j *judge, steps []step) []string {
	t.Helper()
	for _, s := range steps {
		require.NoError(t, i.Key(s.sym, 0, s.down))
	}
	tap(t, i, backspace) // the end
	var got []string
	for {
		e := j.press()
		if e.sym == backspace {
			return got
		}
		got = append(got, fmt.Sprintf("%#x/%#x", e.sym, e.state))
	}
}

func TestModifiers(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	j := startJudge(t, s)
	c := dial(t, s)
	tests := []struct {
		name   string
		layout string
		steps  []step
		want   []string
	}{
		{"A by a viewer that holds Shift", "us",
			[]step{down(input.KeysymShiftL), down(symA), up(symA), up(input.KeysymShiftL)}, []string{"0x41/0x1"}},
		{"A alone", "us", []step{down(symA), up(symA)}, []string{"0x41/0x1"}},
		{"Shift released first", "us",
			[]step{down(input.KeysymShiftL), down(symA), up(input.KeysymShiftL), up(syma)}, []string{"0x41/0x1"}},
		{"rollover of A and b", "us", []step{down(symA), down('b'), up(symA), up('b')}, []string{"0x41/0x1", "0x62/0x0"}},
		{"a becomes A", "us",
			[]step{down(syma), down(input.KeysymShiftL), down(symA), up(syma), up(symA), up(input.KeysymShiftL)},
			[]string{"0x61/0x0", "0x41/0x1"}},
		{"unshifted with Shift held", "us",
			[]step{down(input.KeysymShiftL), down(syma), up(syma), down(symA), up(symA), up(input.KeysymShiftL)},
			[]string{"0x61/0x0", "0x41/0x1"}},
		{"exclam is unshifted", "fr",
			[]step{down(input.KeysymShiftR), down('!'), up('!'), down('1'), up('1'), up(input.KeysymShiftR)},
			[]string{"0x21/0x0", "0x31/0x1"}},
		{"Shift+Tab", "us",
			[]step{down(input.KeysymShiftL), down(input.KeysymTab), up(input.KeysymTab), up(input.KeysymShiftL)},
			[]string{"0xfe20/0x1"}},
		{"ISO_Left_Tab alone", "us",
			[]step{down(input.KeysymISOLeftTab), up(input.KeysymISOLeftTab)}, []string{"0xfe20/0x1"}},
		{"Shift+Home", "us",
			[]step{down(input.KeysymShiftL), down(home), up(home), up(input.KeysymShiftL)}, []string{"0xff50/0x1"}},
		{"Control+c", "us",
			[]step{down(controlL), down('c'), up('c'), up(controlL)}, []string{"0x63/0x4"}},
		{"Control+C without Shift", "us",
			[]step{down(controlL), down('C'), up('C'), up(controlL)}, []string{"0x63/0x4"}},
		{"Control+Shift+C", "us",
			[]step{down(controlL), down(input.KeysymShiftL), down('C'), up('C'), up(input.KeysymShiftL), up(controlL)},
			[]string{"0x43/0x5"}},
		{"Control+Alt+F1", "us",
			[]step{down(controlL), down(altL), down(0xffbe), up(0xffbe), up(altL), up(controlL)}, nil}, // the server takes it for itself
		{"Alt+at", "de",
			[]step{down(altL), down('@'), up('@'), up(altL)}, []string{"0x40/0x88"}},
		{"AltGr by the viewer", "de",
			[]step{down(level3Shift), down('@'), up('@'), down(euro), up(euro), up(level3Shift)}, []string{"0x40/0x80", "0x20ac/0x80"}},
		{"AltGr by the viewer, not needed", "us",
			[]step{down(level3Shift), down('@'), up('@'), up(level3Shift)}, []string{"0x40/0x81"}},
		{"CapsLock and letters", "us",
			[]step{down(input.KeysymCapsLock), up(input.KeysymCapsLock), down('A'), up('A'), down('a'), up('a'),
				down(controlL), down('c'), up('c'), up(controlL), down(input.KeysymCapsLock), up(input.KeysymCapsLock)},
			[]string{"0x41/0x2", "0x61/0x3", "0x43/0x6"}},
		{"Meta_L with Shift", "us",
			[]step{down(input.KeysymShiftL), down(input.KeysymMetaL), down('X'), up('X'), up(input.KeysymMetaL), up(input.KeysymShiftL)},
			[]string{"0x58/0x9"}},
		{"keypad digit", "us", []step{down(0xffb7), up(0xffb7), down(0xff95), up(0xff95)}, []string{"0xffb7/0x10", "0xff95/0x0"}},
		{"second group", "ru,us", []step{down('q'), up('q'), down(cyrillicEF), up(cyrillicEF)}, []string{"0x71/0x2000", "0x6c6/0x0"}},
		{"release of what is not pressed", "us", []step{up('x'), up(0), up(0xffffffff), up(input.KeysymShiftL)}, nil},
		{"not a keysym", "us", []step{down(0), up(0), down(0xffffffff), up(0xffffffff), down(0xffe8 + 1<<29), up(0xffe8 + 1<<29)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j.tb = t
			layout(t, s, i, "-layout", tt.layout, "-option", "")
			assert.Equal(t, tt.want, presses(t, i, j, tt.steps))
			keys, mask := held(t, i, c)
			assert.Empty(t, keys)
			assert.Zero(t, mask)
			assert.Empty(t, i.pressed)
			assert.Zero(t, i.owner)
		})
	}
}

// TestManyCharacters types far more characters than there are spare keycodes.
func TestManyCharacters(t *testing.T) {
	t.Parallel()
	for core, many := range map[bool]uint32{false: 500, true: 50} {
		t.Run(fmt.Sprintf("core=%v", core), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			i := open(t, s, Options{WithoutXKB: core})
			j := startJudge(t, s)
			for n := range many {
				tap(t, i, firstCJK+n)
			}
			for n := range many {
				require.Equal(t, fmt.Sprintf("%#x", firstCJK+n), fmt.Sprintf("%#x", j.press().sym))
			}
			spares := len(i.spares)
			assert.Greater(t, spares, 10)
			// Held keys keep their keycodes.
			for n := range uint32(spares) {
				require.NoError(t, i.Key(firstCJK+n, 0, true))
				require.Equal(t, firstCJK+n, j.press().sym)
			}
			require.NoError(t, i.Key(firstCJK+1000, 0, true))
			require.NoError(t, i.Key(firstCJK, 0, false))
			tap(t, i, firstCJK+1001)
			require.EqualValues(t, firstCJK+1001, j.press().sym)
		})
	}
}

func TestCoreMap(t *testing.T) {
	t.Parallel()
	s := start(t)
	i := open(t, s, Options{WithoutXKB: true})
	j := startJudge(t, s)
	for _, name := range []string{"us", "de", "fr"} {
		for _, mode := range []string{"plain", "shift", "capslock"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				j.tb = t
				layout(t, s, i, "-layout", name, "-option", "")
				switch mode {
				case "shift":
					require.NoError(t, i.Key(input.KeysymShiftL, 0, true))
					defer i.Key(input.KeysymShiftL, 0, false)
				case "capslock":
					tap(t, i, input.KeysymCapsLock)
					defer tap(t, i, input.KeysymCapsLock)
				}
				for _, sym := range append(ascii(), 0xe9, 0xfc, 0xff0d, 0xff51) {
					tap(t, i, sym)
					got := j.press()
					assert.Equal(t, fmt.Sprintf("%#x", sym), fmt.Sprintf("%#x", got.sym), "state %#x keycode %d", got.state, got.code)
				}
			})
		}
	}
}

// mapping returns the core keyboard map.
func mapping(t *testing.T, i *Injector) []xproto.Keysym {
	t.Helper()
	r, err := xproto.GetKeyboardMapping(i.c.X(), 8, 248).Reply()
	require.NoError(t, err)
	return r.Keysyms
}

func TestClose(t *testing.T) {
	s := start(t)
	c := dial(t, s)
	i := open(t, s, Options{})
	before := mapping(t, i)
	for n := range uint32(100) {
		tap(t, i, firstCJK+n)
	}
	require.NotEqual(t, before, mapping(t, i))
	for _, sym := range []uint32{controlL, input.KeysymShiftL, 'x', 'A', firstCJK} {
		require.NoError(t, i.Key(sym, 0, true))
	}
	require.NoError(t, i.Pointer(10, 10, 0b101))
	keys, mask := held(t, i, c)
	require.Len(t, keys, 5)
	require.NotZero(t, mask)
	require.NoError(t, i.Close())
	require.ErrorIs(t, i.Key('a', 0, true), ErrClosed)
	require.ErrorIs(t, i.Pointer(0, 0, 0), ErrClosed)
	require.NoError(t, i.Close())
	i = open(t, s, Options{})
	keys, mask = held(t, i, c)
	assert.Empty(t, keys)
	assert.Zero(t, mask)
	after := mapping(t, i)
	assert.Equal(t, before, after)
}

// TestCrash has one injector die without cleaning up; the next takes over its
// keycodes.
func TestCrash(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	before := mapping(t, i)
	for n := range uint32(30) {
		tap(t, i, firstCJK+n)
	}
	spares := len(i.spares)
	require.NoError(t, i.c.Sync(t.Context()))
	i.c.Abort()
	i = open(t, s, Options{})
	j := startJudge(t, s)
	assert.Empty(t, i.free)
	assert.Len(t, i.spares, spares)
	for n := range uint32(30) {
		tap(t, i, firstCJK+100+n)
		assert.EqualValues(t, firstCJK+100+n, j.press().sym)
	}
	require.NoError(t, i.Close())
	i = open(t, s, Options{})
	assert.Empty(t, i.spares)
	after := mapping(t, i)
	assert.Equal(t, before, after)
}

// TestMapChanges changes the map under the injector, also that of spare keys.
func TestMapChanges(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	j := startJudge(t, s)
	tap(t, i, firstCJK)
	assert.EqualValues(t, firstCJK, j.press().sym)
	require.NoError(t, i.Key(firstCJK, 0, true)) // held while its key is wiped
	j.press()
	layout(t, s, i, "-layout", "de")
	require.NoError(t, i.Key(firstCJK, 0, false))
	for range 3 {
		for _, sym := range []uint32{'z', firstCJK, 'y', '@', euro} {
			tap(t, i, sym)
			assert.Equal(t, fmt.Sprintf("%#x", sym), fmt.Sprintf("%#x", j.press().sym))
		}
	}
	run(t, s, "xmodmap", "-e", "keycode 38 = Greek_alpha Greek_ALPHA")
	require.NoError(t, i.c.Sync(t.Context()))
	for _, sym := range []uint32{0x7e1, 0x10003b1, 0x7c1, 'a', 'A', 'b'} {
		tap(t, i, sym)
		assert.Equal(t, input.Canonical(sym), input.Canonical(j.press().sym))
	}
	// No loop: nothing is read or written on its own.
	require.NoError(t, i.c.Sync(t.Context())) // what the last key changed is known
	tap(t, i, 'b')
	before := i.m
	for range 20 { // a loop would turn with each answer
		require.NoError(t, i.c.Sync(t.Context()))
	}
	tap(t, i, 'b')
	assert.Same(t, before, i.m)
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	s := start(t)
	i := open(t, s, Options{})
	w := openWindow(t, s)
	// presses takes the presses of keys that are no modifiers until f says that it
	// were enough.
	presses := func(enough func(n int) bool) (n int) {
		for !enough(n) {
			select {
			case e := <-w.events:
				if k, ok := e.Event.(xproto.KeyPressEvent); ok && k.Detail == 53 {
					n++
				}
			case <-time.After(time.Millisecond):
			}
		}
		return n
	}
	limit := time.Now().Add(patience)
	times := func(want int) func(n int) bool {
		return func(n int) bool {
			require.True(t, time.Now().Before(limit), "%d presses, want %d", n, want)
			return n >= want
		}
	}
	// all takes what is left, and more that come before x's answer.
	all := func() int {
		require.NoError(t, i.c.Sync(t.Context()))
		require.NoError(t, w.c.Sync(t.Context()))
		return presses(func(int) bool { return len(w.events) == 0 })
	}
	// The server repeats by itself after 660 ms, each 40 ms.
	require.NoError(t, i.Key('x', 0, true))
	presses(times(10))
	require.NoError(t, i.Key('x', 0, false))
	all()
	// A viewer's repetitions change nothing: there are no more than the server's, and
	// these come still.
	began, sent := time.Now(), 0
	both := presses(func(n int) bool {
		require.NoError(t, i.Key('x', 0, true))
		sent++
		time.Sleep(10 * time.Millisecond)
		return times(4)(n) && sent >= 150
	})
	require.NoError(t, i.Key('x', 0, false))
	both += all()
	assert.Less(t, both, 3+int(time.Since(began)/(40*time.Millisecond)))
	// What is repeated is what was pressed, also if Shift came from us.
	require.NoError(t, i.Key('X', 0, true))
	for n := 0; n < 4; {
		if k, ok := w.next().Event.(xproto.KeyPressEvent); ok && k.Detail == 53 {
			assert.EqualValues(t, 1, k.State)
			n++
		}
	}
	require.NoError(t, i.Key('X', 0, false))
}

func TestScancodes(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	j := startJudge(t, s)
	layout(t, s, i, "-layout", "de")
	// The scancode wins over the keysym: the X server's layout counts.
	for _, tt := range []struct {
		keysym, code, want uint32
	}{
		{'y', 0x15, 'z'},       // the key right of T
		{'a', 0x1e, 'a'},       // A
		{home, 0xc7, home},     // 0xe0 0x47
		{0xff97, 0x48, 0xff97}, // keypad 8 / Up
		{0xff52, 0xc8, 0xff52}, // Up, 0xe0 0x48
		{'<', 0x56, '<'},
		{0xffc8, 0x57, 0xffc8}, // F11
		{0xff13, 0xc6, 0xff13}, // Pause
		{'b', 0x7f, 'b'},       // unknown: the keysym counts
		{'b', 0x1234, 'b'},
	} {
		require.NoError(t, i.Key(tt.keysym, tt.code, true))
		require.NoError(t, i.Key(tt.keysym, tt.code, false))
		assert.Equal(t, fmt.Sprintf("%#x", tt.want), fmt.Sprintf("%#x", j.press().sym), "code %#x", tt.code)
	}
	require.NoError(t, i.Key(input.KeysymShiftL, 0x2a, true))
	require.NoError(t, i.Key('Z', 0x15, true))
	assert.EqualValues(t, 'Z', j.press().sym)
	require.NoError(t, i.Key(input.KeysymShiftL, 0x2a, false))
	require.NoError(t, i.Key('z', 0x15, false)) // the same key, whatever the keysym is by now
	keys, _ := held(t, i, i.c)
	assert.Empty(t, keys)
}

func TestConcurrent(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	c := dial(t, s)
	var wg sync.WaitGroup
	for n := range uint32(4) {
		wg.Go(func() {
			for k := range uint32(100) {
				sym := 'a' + (k*7+n)%26 - 32*(k%2)
				i.Key(sym, 0, true)
				i.Pointer(int(k), int(n), uint16(k%2))
				i.Key(sym, 0, false)
			}
			i.Pointer(0, 0, 0)
		})
	}
	wg.Wait()
	keys, mask := held(t, i, c)
	assert.Empty(t, keys)
	assert.Zero(t, mask)
}

func TestServerDeath(t *testing.T) {
	s := start(t)
	i := open(t, s, Options{})
	require.NoError(t, i.Key('A', 0, true))
	s.Stop()
	<-i.Done()
	began := time.Now()
	for range 100 {
		require.Error(t, i.Key('a', 0, true))
		require.Error(t, i.Pointer(1, 1, 1))
	}
	i.Close()
	assert.Less(t, time.Since(began), patience)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := Open(ctx, Options{Display: s.Display(), AuthFile: s.AuthFile(), Logger: quiet})
	require.Error(t, err)
}
