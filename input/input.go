// Package input carries what viewers do with keyboard and pointer to whatever
// can act on it, and makes sure that nothing stays held when a viewer leaves.
package input

// A Sink acts on keys and pointers. Its methods may be called from several
// goroutines and return before the program under the pointer has reacted. An
// error means that the sink has gone (the X server died); it is not fatal to
// the caller.
type Sink interface {
	// Key presses or releases a key. keysym is the X keysym (RFC 6143, section
	// 7.5.4); code is the XT scancode of the QEMU extended key event, or 0.
	Key(keysym, code uint32, down bool) error
	// Pointer moves the pointer to (x, y) in framebuffer pixels and sets the state
	// of all buttons: bit 0 is button 1 (left), bits 3 and 4 the wheel. With x and y
	// Stay it leaves the pointer where it is.
	Pointer(x, y int, buttons uint16) error
}

// Stay as a coordinate of Sink.Pointer is where the pointer is already.
const Stay = -1

// A Clipboard is the X server's selection as viewers see it. Text is UTF-8.
type Clipboard interface {
	// SetText offers text to X programs as CLIPBOARD and PRIMARY.
	SetText(text string) error
}

// A ClipboardWatcher is a Clipboard that also reports what X programs copy, and
// need not while nobody listens.
type ClipboardWatcher interface {
	// SetActive says whether somebody listens.
	SetActive(active bool)
}
