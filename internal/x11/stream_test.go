package x11

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeSetup is the smallest setup reply: one format, one screen, no visuals.
func fakeSetup() []byte {
	b := make([]byte, 40, 100)
	b[0], b[2] = 1, 11
	binary.LittleEndian.PutUint32(b[12:], 0x400000)
	binary.LittleEndian.PutUint32(b[16:], 0x1fffff)
	b[28], b[29] = 1, 1 // roots, formats
	b = append(b, 24, 32, 32, 0, 0, 0, 0, 0)
	b = append(b, make([]byte, 40)...)
	binary.LittleEndian.PutUint16(b[6:], uint16((len(b)-8)/4))
	return b
}

// fakeServer returns a connection and the server's end of its socket.
func fakeServer(tb testing.TB) (*Conn, net.Conn) {
	tb.Helper()
	ours, theirs := net.Pipe()
	c, err := newConn(ours, fakeSetup(), Display{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(tb, err)
	tb.Cleanup(func() { theirs.Close(); c.Close() })
	return c, theirs
}

// reply makes a reply to request seq with n further units of 4 bytes.
func reply(seq uint16, n int) []byte {
	b := make([]byte, packetSize+4*n)
	b[0] = packetReply
	binary.LittleEndian.PutUint16(b[2:], seq)
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	for i := packetSize; i < len(b); i++ {
		b[i] = byte(i)
	}
	return b
}

func TestLayoutOfXgb(t *testing.T) {
	_, err := checkLayout()
	require.NoError(t, err)
	// The check is not blind.
	type other struct {
		buf    []byte
		cookie *xgb.Cookie
		seq    chan bool
	}
	_ = other{nil, nil, nil}
	require.Error(t, sameStruct(typeOf[xgbRequest](), typeOf[other]()))
	require.Error(t, sameStruct(typeOf[xgbRequest](), typeOf[xgbID]()))
}

// TestFraming sends every kind of packet, cut at every place.
func TestFraming(t *testing.T) {
	generic := reply(0, 3)
	generic[0], generic[1] = packetGeneric, 131
	binary.LittleEndian.PutUint16(generic[8:], 17)
	event := make([]byte, packetSize)
	event[0] = 28 // PropertyNotify
	xerr := make([]byte, packetSize)
	xerr[1], xerr[2] = 3, 3 // BadWindow of request 3
	var stream []byte
	for _, b := range [][]byte{event, generic, reply(1, 0), generic, reply(2, 5), event, xerr, reply(5, 1), reply(6, 1)} {
		stream = append(stream, b...)
	}
	for chunk := 1; chunk < 80; chunk++ {
		c, server := fakeServer(t)
		events := make(chan xgb.Event, 10)
		c.Handle(func(ev xgb.Event) { events <- ev })
		go io.Copy(io.Discard, server)
		dst := make([]byte, 8)
		one, two := c.QueueCall(getInputFocus[:]), c.QueueCall(getInputFocus[:])
		three := xproto.MapWindowChecked(c.X(), 1)
		four := xproto.MapWindowChecked(c.X(), 1)
		five := c.QueueCallInto(getInputFocus[:], dst)
		six := c.QueueCallInto(getInputFocus[:], dst[:2])
		c.Flush()
		go func() {
			for b := stream; len(b) > 0; {
				n := min(chunk, len(b))
				server.Write(b[:n])
				b = b[n:]
			}
		}()
		r, err := one.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, reply(1, 0), r)
		r, err = two.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, reply(2, 5), r)
		_, err = six.Wait(t.Context())
		require.ErrorContains(t, err, "bytes")
		r, err = five.Wait(t.Context())
		require.NoError(t, err)
		require.Len(t, r, packetSize)
		require.Equal(t, reply(5, 1)[packetSize:], dst[:4])
		require.ErrorAs(t, three.Check(), new(xproto.WindowError))
		require.NoError(t, four.Check())
		require.Len(t, events, 4)
		require.IsType(t, xproto.PropertyNotifyEvent{}, <-events)
		g := (<-events).(GenericEvent)
		require.Equal(t, GenericEvent{Major: 131, Type: 17, Data: generic}, g)
		require.NoError(t, c.Err())
		server.Close()
		<-c.Done()
		require.NoError(t, c.Close())
	}
}

// TestReplyLeftOut: a server that skips a reply does not hang who waits for it.
func TestReplyLeftOut(t *testing.T) {
	c, server := fakeServer(t)
	go io.Copy(io.Discard, server)
	one, two := c.QueueCall(getInputFocus[:]), c.QueueCall(getInputFocus[:])
	c.Flush()
	go server.Write(reply(2, 0))
	_, err := two.Wait(t.Context())
	require.NoError(t, err)
	_, err = one.Wait(t.Context())
	require.ErrorContains(t, err, "left out")
}

func TestReplyTooLong(t *testing.T) {
	c, server := fakeServer(t)
	go io.Copy(io.Discard, server)
	call := c.QueueCall(getInputFocus[:])
	c.Flush()
	b := reply(1, 0)
	binary.LittleEndian.PutUint32(b[4:], maxReply/4+1)
	go server.Write(b)
	_, err := call.Wait(t.Context())
	require.ErrorContains(t, err, "more than")
}

func TestSetup(t *testing.T) {
	good := fakeSetup()
	_, err := parseSetup(good)
	require.NoError(t, err)
	for n := range good {
		_, err := parseSetup(good[:n])
		require.Error(t, err, "%d bytes", n)
	}
	read := func(b []byte) error {
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() { theirs.Write(b); theirs.Close() }()
		_, err := readSetup(ours)
		return err
	}
	require.NoError(t, read(good))
	require.Error(t, read(good[:30]))
	refused := []byte("\x00\x0a\x0b\x00\x00\x00\x03\x00go away!\n\n\x00\x00")
	err = read(refused)
	require.ErrorIs(t, err, ErrAuth)
	require.ErrorContains(t, err, "go away!")
	err = read([]byte("SSH-2.0-OpenSSH_9.6 and then a very long line" + string(make([]byte, 1<<18))))
	require.ErrorContains(t, err, "not an X server")
	assert.NotErrorIs(t, err, ErrAuth)
}

// TestEventsOfAnyBytes runs all of xgb's parsers for the events and errors that
// we know on random bytes: they are trusted with what a server sends.
func TestEventsOfAnyBytes(t *testing.T) {
	c, server := fakeServer(t)
	defer server.Close()
	tab := &tables{map[int]xgb.NewEventFun{}, map[int]xgb.NewErrorFun{}}
	n := 0
	for _, name := range []string{Damage, RandR, Shm, XFixes, XTest} {
		for _, f := range xgb.NewExtEventFuncs[name] {
			tab.events[64+n] = f
			n++
		}
		for _, f := range xgb.NewExtErrorFuncs[name] {
			tab.errors[64+n] = f
			n++
		}
	}
	require.GreaterOrEqual(t, n, 10)
	for code, f := range coreTables.events {
		tab.events[code] = f
	}
	for code, f := range coreTables.errors {
		tab.errors[code] = f
	}
	c.tables.Store(tab)
	b := make([]byte, packetSize)
	for range 100000 {
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		c.event(b)
		_ = c.parseError(b).Error()
	}
}

// FuzzStream feeds the reader with anything.
func FuzzStream(f *testing.F) {
	generic := reply(0, 3)
	generic[0] = packetGeneric
	f.Add(append(generic, reply(1, 2)...))
	f.Add(append(reply(1, 0), make([]byte, packetSize)...))
	f.Add(reply(9, 1<<20))
	f.Add([]byte{28, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, theirs := net.Pipe()
		c, err := newConn(ours, fakeSetup(), Display{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, theirs)
		c.Handle(func(ev xgb.Event) {
			if g, ok := ev.(GenericEvent); ok && len(g.Data) < packetSize {
				panic("short event")
			}
		})
		calls := []*Call{c.QueueCall(getInputFocus[:]), c.QueueCallInto(getInputFocus[:], make([]byte, 4))}
		c.Flush()
		theirs.SetWriteDeadline(time.Now().Add(10 * time.Second))
		theirs.Write(b)
		theirs.Close()
		<-c.Done()
		for _, call := range calls {
			r, err := call.Wait(t.Context())
			if err == nil && len(r) < packetSize {
				t.Fatal("short reply")
			}
		}
		if errors.Is(c.Err(), ErrClosed) {
			t.Fatal("nobody closed it")
		}
		c.Close()
	})
}
