package input

import (
	"maps"
	"slices"
	"sync"
)

// Held passes on one viewer's keys and buttons and remembers what it holds
// down, so that Release can let go of it all when the viewer leaves: a Control
// key that stays down makes the desktop useless for the next viewer. The zero
// value is not usable; set Sink. Its methods may be called concurrently.
type Held struct {
	Sink Sink

	mu       sync.Mutex
	keys     map[key]int // pressed keys and when they were, so that release goes in order
	pressed  int
	x, y     int
	buttons  uint16
	released bool
}

type key struct{ keysym, code uint32 }

// maxHeldKeys bounds how many keys one viewer may hold. People have ten
// fingers; a viewer that presses thousands of keysyms without releasing any
// must not make us remember them all.
const maxHeldKeys = 64

// Key passes a key on. A press beyond the bound is dropped.
func (h *Held) Key(keysym, code uint32, down bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		return nil
	}
	k := key{keysym, code}
	if !down {
		delete(h.keys, k)
	} else if _, ok := h.keys[k]; !ok {
		if len(h.keys) >= maxHeldKeys {
			return nil
		}
		if h.keys == nil {
			h.keys = make(map[key]int)
		}
		h.pressed++
		h.keys[k] = h.pressed
	}
	return h.Sink.Key(keysym, code, down)
}

// Pointer passes the pointer on.
func (h *Held) Pointer(x, y int, buttons uint16) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		return nil
	}
	h.x, h.y, h.buttons = x, y, buttons
	return h.Sink.Pointer(x, y, buttons)
}

// Release lets go of everything held, keys in the reverse order of their
// presses. What comes later is dropped.
func (h *Held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
	var first error
	keys := slices.SortedFunc(maps.Keys(h.keys), func(a, b key) int { return h.keys[b] - h.keys[a] })
	for _, k := range keys {
		if err := h.Sink.Key(k.keysym, k.code, false); err != nil && first == nil {
			first = err
		}
	}
	h.keys = nil
	if h.buttons != 0 {
		if err := h.Sink.Pointer(h.x, h.y, 0); err != nil && first == nil {
			first = err
		}
		h.buttons = 0
	}
	return first
}
