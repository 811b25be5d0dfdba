package input

import (
	"errors"
	"sync"
)

// ErrNoDisplay says that there is no X server to act on input right now.
var ErrNoDisplay = errors.New("no display for input")

// Switch is a Sink and Clipboard whose target comes and goes with the X server.
// The zero value has none.
type Switch struct {
	mu        sync.RWMutex
	sink      Sink
	clipboard Clipboard
	active    bool
}

// Set makes sink and clipboard the targets; either may be nil. When it returns,
// the targets before are in use no more.
func (s *Switch) Set(sink Sink, clipboard Clipboard) {
	s.mu.Lock()
	s.sink, s.clipboard = sink, clipboard
	s.activate()
	s.mu.Unlock()
}

// SetActive tells the clipboard, now and whenever it is another one, whether
// somebody listens.
func (s *Switch) SetActive(active bool) {
	s.mu.Lock()
	s.active = active
	s.activate()
	s.mu.Unlock()
}

func (s *Switch) activate() {
	if w, ok := s.clipboard.(ClipboardWatcher); ok {
		w.SetActive(s.active)
	}
}

// Key passes a key on.
func (s *Switch) Key(keysym, code uint32, down bool) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.sink == nil {
		return ErrNoDisplay
	}
	return s.sink.Key(keysym, code, down)
}

// Pointer passes the pointer on.
func (s *Switch) Pointer(x, y int, buttons uint16) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.sink == nil {
		return ErrNoDisplay
	}
	return s.sink.Pointer(x, y, buttons)
}

// SetText passes a clipboard on.
func (s *Switch) SetText(text string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.clipboard == nil {
		return ErrNoDisplay
	}
	return s.clipboard.SetText(text)
}
