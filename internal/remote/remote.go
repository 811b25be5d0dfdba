// Package remote speaks x11vnc's remote control: commands and questions that go
// through a property of the X server's root window.
//
// # Protocol
//
// What follows was found by watching x11vnc 0.9.16 (xprop -spy, strace).
//
// The property is X11VNC_REMOTE of type STRING on the root window; the
// environment variable of the same name gives it another name, on both sides.
// The client writes
//
//	cmd=NAME, cmd=NAME:VALUE        a command
//	cmd=script:COMMAND;COMMAND;...  several
//	qry=NAME,NAME,...               a question
//
// and the server, which is told of the change, writes its answer over it:
//
//	ack=1                           after any command, also an unknown one
//	ans=NAME:VALUE,aro=NAME:VALUE   one for each name; aro: it cannot be set
//	ans=NAME:N/A                    for actions and for names that it does not know
//
// The comma is also part of values (aro=pointer_pos:320,240): the next name
// begins at ",ans=" or ",aro=". The question ping, and ping:TEXT, is answered
// with ans=ping:DISPLAY and ans=ping:TEXT:DISPLAY.
//
// A client that sends a command does not wait, unless it was told to (-sync);
// for a question it waits, 3.5 seconds by default, 1 for stop, 10 for a script,
// or as long as X11VNC_SYNC_TIMEOUT says in seconds. Who sends a command to a
// display without server leaves it in the property: a server looks only at what
// is written after its start.
//
// The property VNC_CONNECT is older: what is written there are hosts to connect
// to; a value that begins with cmd= or qry= is taken as above.
package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
)

// Names of the properties, and of the environment variables that rename them.
const (
	remoteProperty  = "X11VNC_REMOTE"
	connectProperty = "VNC_CONNECT"
)

// Marks of what is in the property.
const (
	command  = "cmd="
	question = "qry="
	answer   = "ans="
	readOnly = "aro="
	done     = "ack=1"
)

// maxValue bounds what is read of a property: a list of all variables is a
// tenth of it, a list of a hundred clients less than a fifth.
const maxValue = 64 << 10

// propertyName returns a property's name.
func propertyName(given, standard string) string {
	if given == "" {
		given = os.Getenv(standard)
	}
	if given == "" {
		given = standard
	}
	return given
}

// channel is a property of the root window.
type channel struct {
	conn *x11.Conn
	name string
	atom xproto.Atom
}

func openChannel(ctx context.Context, c *x11.Conn, name string) (channel, error) {
	if len(name) > maxName {
		return channel{}, fmt.Errorf("name of a property with %d bytes, want at most %d", len(name), maxName)
	}
	defer context.AfterFunc(ctx, c.Abort)()
	r, err := xproto.InternAtom(c.X(), false, uint16(len(name)), name).Reply()
	if err != nil {
		return channel{}, err
	}
	return channel{c, name, r.Atom}, nil
}

// maxName bounds a property's name: who needs more than this has made a mistake.
const maxName = 256

// write makes the property's value text.
func (p channel) write(text string) error {
	return xproto.ChangePropertyChecked(p.conn.X(), xproto.PropModeReplace, p.conn.Root(), p.atom, xproto.AtomString,
		8, uint32(len(text)), []byte(text)).Check()
}

// read returns the property's value, empty if there is none.
func (p channel) read() (string, error) {
	r, err := xproto.GetProperty(p.conn.X(), false, p.conn.Root(), p.atom, xproto.GetPropertyTypeAny, 0, maxValue/4).Reply()
	if err != nil {
		return "", err
	}
	if r.Format != 8 {
		return "", nil
	}
	return string(r.Value), nil
}

// watch selects the events that tell of changes. It is all that the connection
// may select on the root window.
func watch(c *x11.Conn) error {
	return xproto.ChangeWindowAttributesChecked(c.X(), c.Root(), xproto.CwEventMask,
		[]uint32{xproto.EventMaskPropertyChange}).Check()
}

// ErrUnknown is returned by a Handler for what it does not know.
var ErrUnknown = errors.New("unknown")

// splitNames splits a question's names. A comma always separates.
func splitNames(s string) []string { return strings.Split(s, ",") }
