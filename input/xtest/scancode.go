package xtest

import "framebridge/input"

// evdevOffset is what X adds to the Linux kernel's number of a key.
const evdevOffset = 8

// extended maps the second byte of scancodes with the prefix 0xe0 to the
// kernel's numbers (linux/input-event-codes.h). Without the prefix most numbers
// are the same; the rest are in plain.
var extended = [128]byte{
	0x10: 165, 0x19: 163, 0x1c: 96, 0x1d: 97, 0x20: 113, 0x21: 140, 0x22: 164, 0x24: 166,
	0x2e: 114, 0x30: 115, 0x32: 172, 0x35: 98, 0x37: 99, 0x38: 100,
	0x46: 119, 0x47: 102, 0x48: 103, 0x49: 104, 0x4b: 105, 0x4d: 106, 0x4f: 107,
	0x50: 108, 0x51: 109, 0x52: 110, 0x53: 111, 0x5b: 125, 0x5c: 126, 0x5d: 127, 0x5e: 116, 0x5f: 142,
	0x63: 143, 0x65: 217, 0x66: 156, 0x67: 173, 0x68: 128, 0x69: 159, 0x6a: 158, 0x6b: 157, 0x6c: 155,
	0x72: 122, 0x71: 123,
}

var plain = [128]byte{
	0x54: 99, 0x56: 86, 0x57: 87, 0x58: 88, 0x59: 117, 0x5d: 183, 0x5e: 184, 0x5f: 185,
	0x70: 93, 0x71: 123, 0x72: 122, 0x73: 89, 0x77: 91, 0x78: 90, 0x79: 92, 0x7b: 94, 0x7d: 124, 0x7e: 121,
}

// scancode returns the keycode for a scancode of the QEMU extended key event:
// XT set 1, with bit 7 in place of the prefix 0xe0. 0 means that there is none,
// or that the server's keycodes are not the kernel's.
func (m *keymap) scancode(code uint32) byte {
	var n byte
	switch {
	case code > 0xff || code&0x7f == 0:
		return 0
	case code&0x80 != 0:
		n = extended[code&0x7f]
	case code <= 0x53:
		n = byte(code)
	default:
		n = plain[code]
	}
	if n == 0 || !m.evdev || n+evdevOffset > m.max || n+evdevOffset < m.min {
		return 0
	}
	return n + evdevOffset
}

// findEvdev reports whether the server numbers its keys as the kernel does,
// by where the Up key is.
func (m *keymap) findEvdev() bool {
	const up, upCode = 0xff52, 103 + evdevOffset
	for _, p := range m.places[input.Canonical(up)] {
		if p.code == upCode {
			return true
		}
	}
	return false
}
