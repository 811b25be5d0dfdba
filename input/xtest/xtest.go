// Package xtest types and points on an X server through the XTEST extension.
//
// # Keys
//
// Viewers send keysyms: what a key means on their keyboard. Programs under X get
// keycodes and look up, with the keyboard map and the modifiers of the moment,
// what they mean. So a keysym is looked up backwards: the key that has it, and
// the modifiers under which it does. If those are not in effect, modifier keys
// are pressed or released, or locks and the group changed, around the key:
// before its press, and back when it is released or anything else happens (not
// right after the press: while the key is held the X server repeats it, and its
// repetitions must mean the same).
//
// Only modifiers that choose between the levels of keys are ever changed:
// Shift, Caps_Lock, AltGr, Num_Lock. Control, Alt and Super stay as the viewer
// has them.
//
// A keysym that no key has is put on a keycode that means nothing so far; see
// spare.go.
//
// # Repetition
//
// Viewers repeat the press of a held key; so does the X server, also for keys
// held through XTEST. The viewer's repetitions are dropped: the X server's
// follow the settings of its user, do not depend on the network, and both
// together would be twice as fast.
//
// # State
//
// To know the modifiers in effect without asking for them at each key, the
// injector follows XKB's state events. They come late for the changes that it
// makes itself; so when it has made one it asks for the state behind it, without
// waiting, and waits for the answer only if it has not come when the next key is
// pressed.
package xtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/input"
	"framebridge/internal/x11"
)

var _ input.Sink = (*Injector)(nil)

// ErrClosed is returned when the injector has been closed.
var ErrClosed = errors.New("xtest: closed")

// replyTimeout bounds the wait for an answer. An X server that takes longer
// hangs, and the viewer's connection must not hang with it.
const replyTimeout = time.Second

// Options says where to inject. The zero value is $DISPLAY.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default as x11.Options
	Logger   *slog.Logger // default slog.Default()

	// NoModifiers presses keys as they are, without the modifiers that their keysyms
	// would need.
	NoModifiers bool
	// WithoutXKB looks keysyms up in the core keyboard map, as if the server had no
	// XKB.
	WithoutXKB bool
	// NoSpares types only keysyms that the keyboard map has.
	NoSpares bool
	// SkipKeycodes are keys that are never pressed for a keysym.
	SkipKeycodes []byte
	// ViewerRepeats repeats a held key when the viewer presses it again: for servers
	// whose auto-repeat is off.
	ViewerRepeats bool
}

// Injector is an input.Sink that acts on an X server.
type Injector struct {
	c          *x11.Conn
	log        *slog.Logger
	opts       Options
	root       uint32
	xtest, xkb byte // opcodes; xkb is 0 without it
	unhandle   func()

	mu         sync.Mutex // serializes input; held while writing and waiting
	closed     bool
	buf        []byte
	m          *keymap
	pressed    map[uint64]byte // keycode by what was pressed, see keyID
	owner      [256]uint64     // the reverse; 0 is not held by us
	temp       *temporary
	spares     []spare
	free       []byte
	changed    time.Time   // when a spare keycode was last changed
	recordAtom xproto.Atom // see record
	warned     map[uint32]bool
	repeatHeld bool // we turned auto-repeat off
	pointer    pointer

	// smu guards what the event handler touches. It is never held while
	// blocking.
	smu        sync.Mutex
	st         state
	fence      *x11.Call // the state was asked for and not yet looked at
	keysDirty  bool      // the keyboard map has changed
	pointDirty bool      // the pointer map has changed
	ownChange  byte      // keycode whose meaning we are changing
}

// Open connects to an X server.
func Open(ctx context.Context, o Options) (*Injector, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("xtest: %w", err)
	}
	i := &Injector{
		c: c, log: o.Logger, root: uint32(c.Root()), opts: o,
		pressed: map[uint64]byte{}, warned: map[uint32]bool{},
	}
	unblock := context.AfterFunc(ctx, c.Abort) // xgb's calls know no context
	err = i.setUp(ctx, o)
	if !unblock() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Abort()
		c.Close()
		return nil, fmt.Errorf("xtest: %w", err)
	}
	return i, nil
}

func (i *Injector) setUp(ctx context.Context, o Options) error {
	ext, err := i.c.Extension(ctx, x11.XTest)
	if err != nil {
		return err
	}
	i.xtest = ext.Opcode
	var noExt x11.NoExtensionError
	switch ext, err := i.c.Extension(ctx, xkbName); {
	case err != nil && !errors.As(err, &noExt):
		return err
	case err == nil && !o.WithoutXKB:
		i.xkb = ext.Opcode
	default:
		i.log.Info("the X server has no XKB: keys go by the core keyboard map")
	}
	i.unhandle = i.c.Handle(i.event)
	i.mu.Lock()
	defer i.mu.Unlock()
	// A program that grabs the server (window managers do while they move
	// windows) must not stop the viewers' input: it may well wait for it.
	i.c.Queue(append(x11.Request(nil, i.xtest, 3, 8), 1, 0, 0, 0)) // XTestGrabControl(impervious)
	if i.xkb != 0 {
		use := i.c.QueueCall(appendXkbUseExtension(nil, i.xkb))
		i.c.Queue(appendXkbSelectEvents(nil, i.xkb))
		r, err := i.wait(ctx, use)
		if err != nil {
			return err
		}
		if r[1] == 0 {
			return errors.New("the X server has another version of XKB than 1.0")
		}
	}
	i.queueFence()
	if err := i.loadKeys(ctx); err != nil {
		return err
	}
	if err := i.adopt(); err != nil {
		return err
	}
	return i.loadPointer(ctx)
}

// Close releases all that the injector holds, takes back the meanings that it
// gave to keycodes, and ends the connection.
func (i *Injector) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	i.closed = true
	i.undo()
	for code, id := range i.owner {
		if id != 0 {
			i.fakeKey(byte(code), false)
		}
	}
	i.pointer.release(i)
	i.clearSpares()
	if err := i.holdRepeat(false); err != nil {
		i.log.Debug("cannot turn auto-repeat on again", "error", err)
	}
	// The server would drop requests that it has not read when we go.
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	err := i.c.Sync(ctx)
	i.unhandle()
	i.c.Abort()
	i.c.Close()
	if errors.Is(err, x11.ErrClosed) {
		err = nil
	}
	return err
}

// Done is closed when the connection to the X server has ended.
func (i *Injector) Done() <-chan struct{} { return i.c.Done() }

// usable reports why no input can be injected. i.mu is held.
func (i *Injector) usable() error {
	if i.closed {
		return ErrClosed
	}
	return i.c.Err()
}

// flush sends what was queued.
func (i *Injector) flush() error {
	i.c.Flush()
	return i.c.Err()
}

// wait sends what was queued and waits for the answer to call.
func (i *Injector) wait(ctx context.Context, call *x11.Call) ([]byte, error) {
	i.c.Flush()
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	return call.Wait(ctx)
}

// Types of XTEST's fake events: those of the core events.
const (
	fakeKeyPress      = 2
	fakeKeyRelease    = 3
	fakeButtonPress   = 4
	fakeButtonRelease = 5
	fakeMotion        = 6
)

// fake queues XTestFakeInput (XTEST, section 4), to happen at once. x and y are
// used for motion only.
func (i *Injector) fake(kind, detail byte, x, y int16) {
	b := x11.Request(i.buf[:0], i.xtest, 2, 36)
	b = append(b, kind, detail, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, 0) // delay
	b = binary.LittleEndian.AppendUint32(b, i.root)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(x))
	b = binary.LittleEndian.AppendUint16(b, uint16(y))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	i.c.Queue(b)
	i.buf = b
}

func (i *Injector) fakeKey(code byte, down bool) {
	if down {
		i.fake(fakeKeyPress, code, 0, 0)
	} else {
		i.fake(fakeKeyRelease, code, 0, 0)
	}
}

// event notes what the server says has changed. It runs on the goroutine that
// reads from the server.
func (i *Injector) event(ev xgb.Event) {
	i.smu.Lock()
	defer i.smu.Unlock()
	switch e := ev.(type) {
	case xproto.MappingNotifyEvent:
		switch {
		case e.Request == xproto.MappingPointer:
			i.pointDirty = true
		case e.Count == 1 && byte(e.FirstKeycode) == i.ownChange && i.ownChange != 0:
		default:
			i.keysDirty = true
		}
	case xkbEvent:
		switch e[1] {
		case xkbStateNotify:
			// Before the answer to a question for the state, events are older
			// than it; after it they are newer. Both come in the stream's order.
			if i.fence == nil || isDone(i.fence) {
				i.fence, i.st = nil, stateOfEvent(e)
			}
		case xkbMapNotify:
			// Byte 16 is the first changed keycode, 17 their number.
			if e[17] == 1 && e[16] == i.ownChange && i.ownChange != 0 {
				return
			}
			i.keysDirty = true
		case xkbNewKeyboardNotify:
			i.keysDirty = true
		}
	}
}

var pastContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// isDone reports whether a call has been answered, without waiting.
func isDone(c *x11.Call) bool {
	_, err := c.Wait(pastContext)
	return !errors.Is(err, context.Canceled)
}

// queueFence asks for the keyboard's state as it will be after what has been
// queued. i.mu is held.
func (i *Injector) queueFence() {
	if i.xkb == 0 {
		return // state asks itself
	}
	i.buf = appendXkbGetState(i.buf[:0], i.xkb)
	call := i.c.QueueCall(i.buf)
	i.smu.Lock()
	i.fence = call
	i.smu.Unlock()
}

// state returns the keyboard's state after all that was queued. i.mu is held.
func (i *Injector) state() (state, error) {
	if i.xkb == 0 {
		r, err := i.wait(context.Background(), i.c.QueueCall(appendQueryPointer(nil, i.root)))
		if err != nil {
			return state{}, err
		}
		return stateOfPointer(r, i.m), nil
	}
	i.smu.Lock()
	st, fence := i.st, i.fence
	i.smu.Unlock()
	if fence == nil {
		return st, nil
	}
	r, err := i.wait(context.Background(), fence)
	if err != nil {
		return st, err
	}
	i.smu.Lock()
	defer i.smu.Unlock()
	if i.fence == fence {
		i.fence, i.st = nil, stateOfReply(r)
	}
	return i.st, nil
}

// loadKeys reads the keyboard map. i.mu is held.
func (i *Injector) loadKeys(ctx context.Context) error {
	i.smu.Lock()
	i.keysDirty = false // what changes from here on comes with another event
	i.smu.Unlock()
	m, err := i.readKeys(ctx)
	if err != nil {
		i.smu.Lock()
		i.keysDirty = true
		i.smu.Unlock()
		return fmt.Errorf("keyboard map: %w", err)
	}
	for _, code := range i.opts.SkipKeycodes {
		m.skip[code] = true
	}
	m.index()
	i.m = m
	i.checkSpares()
	clear(i.warned)
	return nil
}

func (i *Injector) readKeys(ctx context.Context) (*keymap, error) {
	if i.xkb != 0 {
		r, err := i.wait(ctx, i.c.QueueCall(appendXkbGetMap(nil, i.xkb, 0)))
		if err != nil {
			return nil, err
		}
		m := &keymap{}
		return m, parseXkbMap(r, m)
	}
	first, last := byte(i.c.Setup().MinKeycode), byte(i.c.Setup().MaxKeycode)
	modifiers := i.c.QueueCall(x11.Request(nil, opGetModifierMapping, 0, 4))
	symbols := i.c.QueueCall(appendGetKeyboardMapping(nil, first, last-first+1))
	a, err := i.wait(ctx, modifiers)
	if err != nil {
		return nil, err
	}
	b, err := i.wait(ctx, symbols)
	if err != nil {
		return nil, err
	}
	return parseCoreMap(a, b, first, last)
}
