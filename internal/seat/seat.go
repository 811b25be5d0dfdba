// Package seat looks after the place where a display's own user would sit: its
// keyboard and pointer, its monitor and its background, as long as viewers use the
// display from elsewhere. Everything is put back when they have gone; what the X
// server does by itself when our connection ends needs no putting back.
package seat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"framebridge/internal/x11"
)

// Power is what a monitor's power is to be.
type Power int

// Power settings.
const (
	PowerAsIs     Power = iota
	PowerOn             // on while viewers are there
	PowerOff            // always off
	PowerAwayOnly       // off while viewers are there
)

// Options say what is to be done. The zero value does nothing to $DISPLAY.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default $XAUTHORITY, then ~/.Xauthority
	Logger   *slog.Logger // default slog.Default()

	// Keyboard and Pointer keep the display's own devices from programs while
	// viewers are there. Those of XTEST, which are the viewers', go on.
	Keyboard, Pointer bool
	Power             Power
	// Background is the colour of the root window while viewers are there: a name of
	// the X server's, #RGB or #RRGGBB; empty: as it is.
	Background string
}

// Nothing reports whether there is nothing to do.
func (o Options) Nothing() bool {
	return !o.Keyboard && !o.Pointer && o.Power == PowerAsIs && o.Background == ""
}

// powerEvery is how often a monitor's power is looked at. Its user can change it by
// touching a key.
const powerEvery = time.Second

// endLimit bounds putting back at the end, when ctx is done already.
const endLimit = 2 * time.Second

// Keep does what the options say until ctx is done or the display has gone, and puts
// it back. there tells whether viewers are there; a value in changed means that this
// may have changed. What a display cannot do is logged and left out; the error is
// about the connection, or a colour that there is not.
func Keep(ctx context.Context, o Options, there func() bool, changed <-chan struct{}) error {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer c.Close()
	s := &seat{c: c, o: o}
	if err := s.prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer func() {
		ectx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
		defer cancel()
		s.set(ectx, false)
		s.powerEnd(ectx)
	}()
	var tick <-chan time.Time
	if s.dpms != 0 {
		t := time.NewTicker(powerEvery)
		defer t.Stop()
		tick = t.C
	}
	for {
		now := there()
		s.set(ctx, now)
		s.power(ctx, now)
		select {
		case <-changed:
		case <-tick:
		case <-c.Done():
			return c.Err()
		case <-ctx.Done():
			return nil
		}
	}
}

// seat is what is kept. One goroutine uses it.
type seat struct {
	c  *x11.Conn
	o  Options
	in bool // viewers are there

	xinput  byte // opcode; 0: none
	grabbed []uint16

	pixel uint32 // of the background

	dpms        byte // opcode; 0: none
	powerForced bool // the extension was enabled by us
}

// prepare finds out what the display can do.
func (s *seat) prepare(ctx context.Context) error {
	if s.o.Background != "" {
		if err := s.findColour(ctx); err != nil {
			return fmt.Errorf("background %.60q: %w", s.o.Background, err)
		}
	}
	if s.o.Keyboard || s.o.Pointer {
		e, err := s.c.Extension(ctx, x11.XInput)
		if err == nil && !e.AtLeast(2, 0) {
			err = x11.NoExtensionError(x11.XInput + " 2")
		}
		if err := s.without("the local keyboard and pointer cannot be grabbed", err); err != nil {
			return err
		}
		if err == nil {
			s.xinput = e.Opcode
		}
	}
	if s.o.Power != PowerAsIs {
		e, err := s.c.Extension(ctx, "DPMS")
		if err == nil {
			err = s.capable(ctx, e.Opcode)
		}
		if err := s.without("the monitor's power cannot be controlled", err); err != nil {
			return err
		}
		if err == nil {
			s.dpms = e.Opcode
		}
	}
	return nil
}

// without logs what the display lacks; other errors are returned.
func (s *seat) without(what string, err error) error {
	var none x11.NoExtensionError
	if errors.As(err, &none) {
		s.o.Logger.Warn(what, "reason", err)
		return nil
	}
	return err
}

// set does what is due when viewers have come or gone.
func (s *seat) set(ctx context.Context, there bool) {
	if there == s.in {
		return
	}
	s.in = there
	if s.o.Background != "" {
		s.logged("background", s.paint(ctx, there))
	}
	if s.xinput != 0 {
		if there {
			s.logged("grab", s.grab(ctx))
		} else {
			s.logged("ungrab", s.ungrab(ctx))
		}
	}
}

// logged tells of what did not work. That the display has gone is told elsewhere.
func (s *seat) logged(what string, err error) {
	if err != nil && s.c.Err() == nil {
		s.o.Logger.Warn(what, "error", err)
	}
}

// call sends a request that has a reply of at least n bytes, and returns it.
func (s *seat) call(ctx context.Context, b []byte, n int) ([]byte, error) {
	call := s.c.QueueCall(b)
	s.c.Flush()
	r, err := call.Wait(ctx)
	if err == nil && len(r) < n {
		err = fmt.Errorf("reply of %d bytes", len(r))
	}
	return r, err
}
