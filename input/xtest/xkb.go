package xtest

import (
	"encoding/binary"

	"github.com/BurntSushi/xgb"

	"framebridge/internal/x11"
)

// The X Keyboard Extension, of which xgb knows nothing: the four requests and
// three events that the injector needs, by hand. Section numbers are of "The X
// Keyboard Extension: Protocol Specification", version 1.0.

const xkbName = "XKEYBOARD"

// Minor opcodes (section 16).
const (
	xkbUseExtension   = 0
	xkbSelectEvents   = 1
	xkbGetState       = 4
	xkbLatchLockState = 5
	xkbGetMap         = 8
)

// xkbCoreKeyboard is the device specification of the keyboard that programs
// see, the master of ours (section 4.5).
const xkbCoreKeyboard = 0x100

// Events (section 16.3): they share one event number and differ in their second byte.
const (
	xkbNewKeyboardNotify = 0
	xkbMapNotify         = 1
	xkbStateNotify       = 2
	xkbWanted            = 1<<xkbNewKeyboardNotify | 1<<xkbMapNotify | 1<<xkbStateNotify
)

// Parts of a keyboard map, for xkbGetMap and in xkbMapNotify.
const (
	xkbPartTypes   = 1 << 0
	xkbPartSyms    = 1 << 1
	xkbPartModMap  = 1 << 2
	xkbPartActions = 1 << 4
	xkbParts       = xkbPartTypes | xkbPartSyms | xkbPartModMap | xkbPartActions
)

// x11.Conn takes the tables of an extension's events from xgb's registry, which
// xgb's own extension packages also fill in their init functions.
func init() {
	xgb.NewExtEventFuncs[xkbName] = map[int]xgb.NewEventFun{0: func(b []byte) xgb.Event { return xkbEvent(b) }}
}

// xkbEvent is an event of the extension, 32 bytes.
type xkbEvent []byte

// Bytes returns the event.
func (e xkbEvent) Bytes() []byte { return e }

func (e xkbEvent) String() string { return "XkbEvent" }

// state is what of the keyboard's state decides what a key means (section 2).
type state struct {
	base, latched, locked             byte // modifiers by their cause: held, latched, locked
	baseGroup, latchedGroup, lockedGr int
}

// mods returns the modifiers in effect.
func (s state) mods() byte { return s.base | s.latched | s.locked }

// group returns the group asked for; each key maps it into the groups it has.
func (s state) group() int { return s.baseGroup + s.latchedGroup + s.lockedGr }

// stateOfReply decodes the reply of xkbGetState, which has 32 bytes.
func stateOfReply(b []byte) state {
	return state{
		base: b[9], latched: b[10], locked: b[11], lockedGr: int(b[13]),
		baseGroup:    int(int16(binary.LittleEndian.Uint16(b[14:]))),
		latchedGroup: int(int16(binary.LittleEndian.Uint16(b[16:]))),
	}
}

// stateOfEvent decodes an xkbStateNotify.
func stateOfEvent(b []byte) state {
	return state{
		base: b[10], latched: b[11], locked: b[12], lockedGr: int(b[18]),
		baseGroup:    int(int16(binary.LittleEndian.Uint16(b[14:]))),
		latchedGroup: int(int16(binary.LittleEndian.Uint16(b[16:]))),
	}
}

func appendXkbUseExtension(b []byte, opcode byte) []byte {
	b = x11.Request(b, opcode, xkbUseExtension, 8)
	b = binary.LittleEndian.AppendUint16(b, 1) // version 1.0
	return binary.LittleEndian.AppendUint16(b, 0)
}

func appendXkbSelectEvents(b []byte, opcode byte) []byte {
	b = x11.Request(b, opcode, xkbSelectEvents, 16)
	for _, v := range []uint16{
		xkbCoreKeyboard,
		xkbWanted, // affectWhich
		0,         // clear
		xkbWanted, // selectAll: these need no details
		xkbParts,  // affectMap
		xkbParts,  // map
	} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

func appendXkbGetState(b []byte, opcode byte) []byte {
	b = x11.Request(b, opcode, xkbGetState, 8)
	b = binary.LittleEndian.AppendUint16(b, xkbCoreKeyboard)
	return append(b, 0, 0)
}

// lockState is a change of locked modifiers and group, and of latches.
type lockState struct {
	affect, locks byte // which locked modifiers change, and to what
	unlatch       byte // latched modifiers to clear
	setGroup      bool
	group         int
}

func appendXkbLatchLock(b []byte, opcode byte, l lockState) []byte {
	b = x11.Request(b, opcode, xkbLatchLockState, 16)
	b = binary.LittleEndian.AppendUint16(b, xkbCoreKeyboard)
	setGroup := byte(0)
	if l.setGroup {
		setGroup = 1
	}
	// After the latches come a pad byte, latchGroup (no) and groupLatch.
	return append(b, l.affect, l.locks, setGroup, byte(l.group), l.unlatch, 0, 0, 0, 0, 0)
}

// appendXkbGetMap asks for all of the map, or for the symbols, types and
// actions of one key if key is not 0.
func appendXkbGetMap(b []byte, opcode, key byte) []byte {
	b = x11.Request(b, opcode, xkbGetMap, 28)
	b = binary.LittleEndian.AppendUint16(b, xkbCoreKeyboard)
	full, partial := uint16(xkbParts), uint16(0)
	var n byte
	if key != 0 {
		full, partial, n = xkbPartTypes, xkbPartSyms|xkbPartActions, 1
	}
	b = binary.LittleEndian.AppendUint16(b, full)
	b = binary.LittleEndian.AppendUint16(b, partial)
	// Types, symbols, actions and behaviors, each as first and count.
	b = append(b, 0, 0, key, n, key, n, 0, 0)
	// Virtual modifiers, explicit components, modifier map, virtual modifier map, pad.
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}
