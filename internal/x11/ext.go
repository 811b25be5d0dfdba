package x11

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/BurntSushi/xgb"

	// For their tables of events and errors, which their init functions fill.
	_ "github.com/BurntSushi/xgb/damage"
	_ "github.com/BurntSushi/xgb/randr"
	_ "github.com/BurntSushi/xgb/shm"
	_ "github.com/BurntSushi/xgb/xfixes"
	_ "github.com/BurntSushi/xgb/xtest"
)

// Names of extensions.
const (
	Damage = "DAMAGE"
	RandR  = "RANDR"
	Shm    = "MIT-SHM"
	XFixes = "XFIXES"
	XInput = "XInputExtension"
	XTest  = "XTEST"
)

// Extension is an extension of the server.
type Extension struct {
	Opcode, FirstEvent, FirstError byte
	// Major and Minor are the version agreed on; zero for extensions that this
	// package does not know, which the caller must then negotiate.
	Major, Minor int
}

// AtLeast reports whether the version agreed on is major.minor or newer.
func (e Extension) AtLeast(major, minor int) bool {
	return e.Major > major || e.Major == major && e.Minor >= minor
}

// versions says how to agree on a version: the minor opcode of the request,
// how wide its two numbers are in bits, and the newest version we know. The
// answer has the server's at byte 8, as wide as in the request, but for XTEST.
var versions = map[string]struct {
	minor        byte
	bits         int
	major, patch int
}{
	Damage: {0, 32, 1, 1},
	RandR:  {0, 32, 1, 5},
	Shm:    {0, 0, 1, 2},
	XFixes: {0, 32, 5, 0},
	XInput: {47, 16, 2, 2},
	XTest:  {0, 8, 2, 2},
}

// NoExtensionError says that the server lacks an extension.
type NoExtensionError string

func (e NoExtensionError) Error() string {
	return fmt.Sprintf("the X server has no %s extension", string(e))
}

// Extension sets an extension up, as its Init in xgb would, and agrees on a
// version with the server. The second call for a name costs nothing. An
// extension that the server lacks is an NoExtensionError.
func (c *Conn) Extension(ctx context.Context, name string) (Extension, error) {
	c.extMu.Lock()
	defer c.extMu.Unlock()
	if e, ok := c.exts[name]; ok {
		return e, nil
	}
	e, err := c.queryExtension(ctx, name)
	if err != nil {
		return e, err
	}
	// Publish the tables before the first request that can bring an event.
	old := c.tables.Load()
	t := &tables{maps.Clone(old.events), maps.Clone(old.errors)}
	for n, f := range xgb.NewExtEventFuncs[name] {
		t.events[int(e.FirstEvent)+n] = f
	}
	for n, f := range xgb.NewExtErrorFuncs[name] {
		t.errors[int(e.FirstError)+n] = f
	}
	c.tables.Store(t)
	if name == XInput {
		c.xinput.Store(int32(e.Opcode))
	}
	if e.Major, e.Minor, err = c.queryVersion(ctx, name, e.Opcode); err != nil {
		return e, fmt.Errorf("version of %s: %w", name, err)
	}
	c.x.ExtLock.Lock()
	c.x.Extensions[name] = e.Opcode
	c.x.ExtLock.Unlock()
	c.exts[name] = e
	return e, nil
}

func (c *Conn) queryExtension(ctx context.Context, name string) (Extension, error) {
	const queryExtension = 98
	size := 8 + (len(name)+3)&^3
	b := Request(nil, queryExtension, 0, size)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, 0, 0)
	b = appendPadded(b, name)
	call := c.QueueCall(b)
	c.Flush()
	r, err := call.Wait(ctx)
	if err != nil {
		return Extension{}, err
	}
	if r[8] == 0 {
		return Extension{}, NoExtensionError(name)
	}
	return Extension{Opcode: r[9], FirstEvent: r[10], FirstError: r[11]}, nil
}

func (c *Conn) queryVersion(ctx context.Context, name string, opcode byte) (major, minor int, err error) {
	v, ok := versions[name]
	if !ok {
		return 0, 0, nil
	}
	var b []byte
	switch v.bits {
	case 0:
		b = Request(nil, opcode, v.minor, 4)
	case 8: // one byte, a pad byte, 16 bits
		b = Request(nil, opcode, v.minor, 8)
		b = append(b, byte(v.major), 0)
		b = binary.LittleEndian.AppendUint16(b, uint16(v.patch))
	case 16:
		b = Request(nil, opcode, v.minor, 8)
		b = binary.LittleEndian.AppendUint16(b, uint16(v.major))
		b = binary.LittleEndian.AppendUint16(b, uint16(v.patch))
	case 32:
		b = Request(nil, opcode, v.minor, 12)
		b = binary.LittleEndian.AppendUint32(b, uint32(v.major))
		b = binary.LittleEndian.AppendUint32(b, uint32(v.patch))
	}
	call := c.QueueCall(b)
	c.Flush()
	r, err := call.Wait(ctx)
	if err != nil {
		return 0, 0, err
	}
	switch v.bits {
	case 8: // XTEST: the major version is the reply's data byte
		return int(r[1]), int(binary.LittleEndian.Uint16(r[8:])), nil
	case 32:
		return int(binary.LittleEndian.Uint32(r[8:])), int(binary.LittleEndian.Uint32(r[12:])), nil
	}
	return int(binary.LittleEndian.Uint16(r[8:])), int(binary.LittleEndian.Uint16(r[10:])), nil
}
