package main

import (
	"context"
	"strings"

	"framebridge/internal/seat"
	"framebridge/internal/x11vnc"
)

// The display's own keyboard, pointer, monitor and background while viewers are
// there.

// powers are what DPMS options mean.
var powers = map[x11vnc.DPMSMode]seat.Power{
	x11vnc.DPMSOn: seat.PowerOn, x11vnc.DPMSOff: seat.PowerOff, x11vnc.DPMSClientOff: seat.PowerAwayOnly,
}

// keepSeat does what the options say about a display until ctx is done.
func (s *x11vncServer) keepSeat(ctx context.Context) {
	l := &s.cfg.Local
	o := seat.Options{
		Display: s.display(), AuthFile: s.bridge.opts.auth, Logger: s.log,
		Keyboard: l.GrabKeyboard, Pointer: l.GrabPointer, Power: powers[l.DPMS], Background: s.background(l.Solid),
	}
	if o.Nothing() {
		return
	}
	if err := seat.Keep(ctx, o, func() bool { return s.viewers() > 0 }, s.seatNews); err != nil && ctx.Err() == nil {
		s.log.Warn("the display's own keyboard, pointer, monitor and background stay as they are", "error", err)
	}
}

// background returns the colour of -solid. Desktops that paint a window of their own
// over the root window do not show it.
func (s *x11vncServer) background(v string) string {
	kind, colour, ok := strings.Cut(v, ":")
	if !ok {
		return v
	}
	if kind != "root" {
		s.log.Warn("-solid: only the root window's colour is changed", "wanted", x11vnc.Printable(kind))
	}
	return colour
}

// tellSeat says that viewers have come or gone.
func (s *x11vncServer) tellSeat() {
	select {
	case s.seatNews <- struct{}{}:
	default:
	}
}
