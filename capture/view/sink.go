package view

import (
	"image"
	"sync"

	"framebridge/input"
)

// Sink takes what viewers do with the picture to the source's coordinates. The
// zero value is not usable; set View and Sink.
type Sink struct {
	View *View
	Sink input.Sink

	mu      sync.Mutex
	at      image.Point // where the pointer was last allowed to be
	buttons uint16
}

var _ input.Sink = (*Sink)(nil)

// Key passes a key on.
func (s *Sink) Key(keysym, code uint32, down bool) error { return s.Sink.Key(keysym, code, down) }

// Pointer passes the pointer on. In what is blacked out nothing can be pressed
// if Options.KeepOut is set, and the pointer stays where it was before; buttons
// can be released.
func (s *Sink) Pointer(x, y int, buttons uint16) error {
	at := image.Pt(x, y)
	p := s.View.placed.Load()
	s.mu.Lock()
	if p != nil {
		at = p.backward(at)
		if p.keepOut && p.blackAt(at) {
			at, buttons = s.at, buttons&s.buttons
		}
	}
	s.at, s.buttons = at, buttons
	s.mu.Unlock()
	return s.Sink.Pointer(at.X, at.Y, buttons)
}
