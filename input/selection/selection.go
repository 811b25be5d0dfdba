// Package selection is the X clipboard: it offers the viewers' text to X
// programs as CLIPBOARD and PRIMARY, and tells what X programs copy or select.
// ICCCM below is the "Inter-Client Communication Conventions Manual", version 2.0.
//
// All work is done by one goroutine, run. Nothing in it waits for another
// program: the conversations with requestors (owner.go) and owners (watch.go)
// are state machines with deadlines. It does wait for the X server.
package selection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xfixes"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/input"
	"framebridge/internal/x11"
)

var _ input.Clipboard = (*Selection)(nil)

// ErrClosed is returned when the selection has been closed.
var ErrClosed = errors.New("selection: closed")

var errTimeout = errors.New("selection: the X server does not answer")

// DefaultMaxBytes bounds texts when Options do not: what people copy by hand is
// far smaller, and a copied log file should not fill the viewers' links.
const DefaultMaxBytes = 1 << 20

// Options says which display's clipboard to use. The zero value is $DISPLAY.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default as x11.Options
	Logger   *slog.Logger // default slog.Default()
	MaxBytes int          // longest text in either direction, in bytes of UTF-8; default DefaultMaxBytes

	// OnText is called with what X programs copy or select, as UTF-8, when it
	// differs from the last text in either direction. Calls do not overlap, and
	// come from a goroutine of their own: when one takes long, only the newest
	// text waits for it. Without it nothing is watched.
	OnText func(text string)
	// IgnorePrimary and IgnoreClipboard leave what X programs select, and copy,
	// unreported.
	IgnorePrimary, IgnoreClipboard bool
	// KeepPrimary and KeepClipboard are not set by SetText.
	KeepPrimary, KeepClipboard bool
	// Idle leaves the clipboard unwatched until SetActive(true).
	Idle bool

	step time.Duration // how long an owner has for a step; default stepTimeout. For tests.
}

// Selection is an input.Clipboard that acts on an X server. Its methods may be
// called concurrently.
type Selection struct {
	c     *x11.Conn
	log   *slog.Logger
	max   int
	atoms atoms
	win   xproto.Window // owns selections

	watched, claimed []xproto.Atom // the selections of which texts are reported, and those that SetText sets

	// Into run.
	wake   chan struct{} // capacity 1
	claims chan *claim
	active atomic.Bool
	stop   chan struct{}
	closer sync.Once
	wg     sync.WaitGroup

	qmu     sync.Mutex
	queue   []xgb.Event
	dropped int

	own   owner
	watch watcher

	// To the goroutine that calls OnText.
	nmu    sync.Mutex
	notify *string
	notice chan struct{} // capacity 1
}

// maxQueue bounds events that wait for run. Only a program that floods us gets
// there; its events are then lost, and its own transfers with them.
const maxQueue = 4096

// answerTimeout bounds SetText. An X server that takes longer hangs.
const answerTimeout = time.Second

// Open connects to an X server.
func Open(ctx context.Context, o Options) (*Selection, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBytes < 0 {
		return nil, fmt.Errorf("selection: MaxBytes %d is negative", o.MaxBytes)
	}
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("selection: %w", err)
	}
	s := &Selection{
		c: c, log: o.Logger, max: o.MaxBytes,
		wake: make(chan struct{}, 1), notice: make(chan struct{}, 1),
		claims: make(chan *claim), stop: make(chan struct{}),
	}
	unblock := context.AfterFunc(ctx, c.Abort) // xgb's calls know no context
	err = s.setUp(ctx, o)
	if !unblock() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Abort()
		c.Close()
		return nil, fmt.Errorf("selection: %w", err)
	}
	s.wg.Go(s.run)
	if o.OnText != nil {
		s.wg.Go(func() { s.tell(o.OnText) })
	}
	return s, nil
}

func (s *Selection) setUp(ctx context.Context, o Options) error {
	if _, err := s.c.Extension(ctx, x11.XFixes); err != nil {
		return err
	}
	var err error
	if s.atoms, err = internAtoms(s.c.X()); err != nil {
		return err
	}
	if s.win, err = s.newWindow(); err != nil {
		return err
	}
	list := func(noPrimary, noClipboard bool) (l []xproto.Atom) {
		if !noPrimary {
			l = append(l, xproto.AtomPrimary)
		}
		if !noClipboard {
			l = append(l, s.atoms.clipboard)
		}
		return l
	}
	s.watched, s.claimed = list(o.IgnorePrimary, o.IgnoreClipboard), list(o.KeepPrimary, o.KeepClipboard)
	s.own = owner{transfers: map[transferKey]*transfer{}, owned: map[xproto.Atom]bool{}}
	s.watch = watcher{on: o.OnText != nil, step: cmp.Or(o.step, stepTimeout), changes: map[xproto.Atom]*change{}}
	s.SetActive(!o.Idle)
	s.c.Handle(s.event)
	if o.OnText == nil {
		return nil
	}
	return s.startWatching()
}

// newWindow makes a window that is never shown, for properties.
func (s *Selection) newWindow() (xproto.Window, error) {
	w, err := xproto.NewWindowId(s.c.X())
	if err != nil {
		return 0, err
	}
	return w, xproto.CreateWindowChecked(s.c.X(), 0, w, s.c.Root(), 0, 0, 1, 1, 0,
		xproto.WindowClassInputOnly, 0, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange}).Check()
}

// Close gives up the selections and ends the connection. It waits for OnText to
// return.
func (s *Selection) Close() error {
	s.closer.Do(func() {
		close(s.stop)
		s.c.Abort()
	})
	s.wg.Wait()
	return s.c.Close()
}

// Done is closed when the connection to the X server has ended.
func (s *Selection) Done() <-chan struct{} { return s.c.Done() }

// SetText makes text the CLIPBOARD and PRIMARY selections, as far as Options allow. When it returns, a
// program that pastes gets the text.
func (s *Selection) SetText(text string) error {
	if len(text) > s.max {
		return fmt.Errorf("selection: text of %d bytes, more than %d", len(text), s.max)
	}
	if len(s.claimed) == 0 {
		return nil
	}
	cl := &claim{text: text, done: make(chan error, 1)}
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	select {
	case s.claims <- cl:
	case <-s.stop:
		return ErrClosed
	case <-s.c.Done():
		return s.c.Err()
	case <-timeout.C:
		return errTimeout
	}
	select {
	case err := <-cl.done:
		return err
	case <-s.stop:
		return ErrClosed
	case <-s.c.Done():
		return s.c.Err()
	case <-timeout.C:
		return errTimeout
	}
}

// SetActive says whether anyone wants to know what X programs copy. While
// nobody does, no program is asked for it; what changed meanwhile is asked for
// when someone does again. It does not block.
func (s *Selection) SetActive(active bool) {
	s.active.Store(active)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// event passes events to run. It runs on the goroutine that reads from the
// server.
func (s *Selection) event(ev xgb.Event) {
	switch ev.(type) {
	case xproto.SelectionRequestEvent, xproto.SelectionNotifyEvent, xproto.SelectionClearEvent,
		xproto.PropertyNotifyEvent, xfixes.SelectionNotifyEvent:
	default:
		return
	}
	s.qmu.Lock()
	if len(s.queue) < maxQueue {
		s.queue = append(s.queue, ev)
	} else {
		s.dropped++
	}
	s.qmu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run does the work until the connection ends.
func (s *Selection) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if d := s.deadline(); d.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(d))
		}
		select {
		case <-s.stop:
			return
		case <-s.c.Done():
			return
		case <-s.wake:
			s.handleAll()
		case cl := <-s.claims:
			// What came before the call is handled before it.
			s.handleAll()
			s.startClaim(cl)
		case <-timer.C:
		}
		s.watch.active = s.watch.on && s.active.Load()
		now := time.Now()
		s.expireTransfers(now)
		s.expireWindows(now)
		s.advanceFetch(now)
	}
}

// deadline returns when run must look at its conversations again; zero if
// nothing is under way.
func (s *Selection) deadline() time.Time {
	var d time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (d.IsZero() || t.Before(d)) {
			d = t
		}
	}
	for _, t := range s.own.transfers {
		earlier(t.expires)
	}
	if len(s.watch.old) > 0 {
		earlier(s.watch.old[0].expires)
	}
	earlier(s.nextFetch())
	return d
}

func (s *Selection) handleAll() {
	s.qmu.Lock()
	list, dropped := s.queue, s.dropped
	s.queue, s.dropped = nil, 0
	s.qmu.Unlock()
	if dropped > 0 {
		s.log.Warn("clipboard events lost: a program floods the clipboard", "events", dropped)
	}
	for _, ev := range list {
		switch e := ev.(type) {
		case xproto.SelectionRequestEvent:
			s.request(e)
		case xproto.SelectionClearEvent:
			s.lost(e.Selection)
		case xproto.PropertyNotifyEvent:
			switch {
			case e.State == xproto.PropertyDelete:
				s.continueTransfer(e.Window, e.Atom)
			case e.Window == s.win && e.Atom == s.atoms.time:
				s.finishClaim(e.Time)
			case s.watch.fetch != nil && e.Window == s.watch.win && e.Atom == s.atoms.data:
				s.incrReady()
			}
		case xproto.SelectionNotifyEvent:
			s.converted(e)
		case xfixes.SelectionNotifyEvent:
			s.ownerChanged(e)
		}
	}
}

// say gives a text to the goroutine that calls OnText.
func (s *Selection) say(text string) {
	s.nmu.Lock()
	s.notify = &text
	s.nmu.Unlock()
	select {
	case s.notice <- struct{}{}:
	default:
	}
}

func (s *Selection) tell(onText func(string)) {
	for {
		select {
		case <-s.notice:
		case <-s.stop:
			return
		case <-s.c.Done():
			return
		}
		s.nmu.Lock()
		text := s.notify
		s.notify = nil
		s.nmu.Unlock()
		if text != nil {
			onText(*text)
		}
	}
}
