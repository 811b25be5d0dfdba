package x11

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/BurntSushi/xgb"

	// Only for its tables of core events and errors.
	_ "github.com/BurntSushi/xgb/xproto"
)

// tables say how to read events and errors by their number. xgb has them as
// globals, which its extensions' Init functions change without a lock; ours
// are per connection, for servers number extensions as they like, and never
// change once published.
type tables struct {
	events map[int]xgb.NewEventFun
	errors map[int]xgb.NewErrorFun
}

// coreTables are xgb's tables before any extension, copied at start-up.
var coreTables = &tables{maps.Clone(xgb.NewEventFuncs), maps.Clone(xgb.NewErrorFuncs)}

// GenericEvent is an event of the Generic Event Extension, such as XInput 2's.
// xgb has none of them.
type GenericEvent struct {
	Major byte   // opcode of the extension
	Type  uint16 // the extension's number for the event
	Data  []byte // the whole event
}

// Bytes returns the whole event.
func (e GenericEvent) Bytes() []byte { return e.Data }

func (e GenericEvent) String() string {
	return fmt.Sprintf("GenericEvent {Major: %d, Type: %d, %d bytes}", e.Major, e.Type, len(e.Data))
}

// UnknownError is an X error of an extension that has not been set up.
type UnknownError struct {
	Code     byte
	Major    byte
	Minor    uint16
	Sequence uint16
	BadValue uint32
}

// SequenceId returns the low bits of the failed request's number.
func (e UnknownError) SequenceId() uint16 { return e.Sequence }

// BadId returns the resource or value that the error is about.
func (e UnknownError) BadId() uint32 { return e.BadValue }

func (e UnknownError) Error() string {
	return fmt.Sprintf("x error %d, value %#x, request %d.%d", e.Code, e.BadValue, e.Major, e.Minor)
}

type handler struct{ f func(xgb.Event) }

// Handle has f called with every event, in the order of the stream, until
// remove is called. f runs on the goroutine that reads from the server: it must
// not block and not wait for a reply; it notes what happened and wakes someone.
// It may still be running when remove returns.
func (c *Conn) Handle(f func(xgb.Event)) (remove func()) {
	h := &handler{f}
	c.changeHandlers(func(l []*handler) []*handler { return append(l, h) })
	return func() {
		c.changeHandlers(func(l []*handler) []*handler {
			return slices.DeleteFunc(l, func(o *handler) bool { return o == h })
		})
	}
}

func (c *Conn) changeHandlers(change func([]*handler) []*handler) {
	for {
		old := c.handlers.Load()
		list := change(slices.Clone(*old))
		if c.handlers.CompareAndSwap(old, &list) {
			return
		}
	}
}

// event parses an event and hands it out.
func (c *Conn) event(b []byte) {
	var ev xgb.Event
	kind := b[0] &^ sentByClient
	if kind == packetGeneric {
		ev = GenericEvent{Major: b[1], Type: binary.LittleEndian.Uint16(b[8:]), Data: b}
	} else if parse := c.tables.Load().events[int(kind)]; parse != nil {
		ev = parse(b)
	} else {
		return // of an extension that nobody set up
	}
	for _, h := range *c.handlers.Load() {
		h.f(ev)
	}
}

func (c *Conn) parseError(b []byte) error {
	if parse := c.tables.Load().errors[int(b[1])]; parse != nil {
		return parse(b)
	}
	return UnknownError{
		Code: b[1], Sequence: binary.LittleEndian.Uint16(b[2:]),
		BadValue: binary.LittleEndian.Uint32(b[4:]),
		Minor:    binary.LittleEndian.Uint16(b[8:]), Major: b[10],
	}
}
