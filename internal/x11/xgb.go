package x11

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/BurntSushi/xgb"
)

// xgb's request functions are used as they are; its engine is not. NewConn
// starts four goroutines, two of which (the generators of resource ids and of
// sequence numbers) are loops without an exit: every connection, however it
// ends, would leave them behind with 100 KB of channels. The other two panic
// when the server dies, block callers for ever, cannot read GenericEvents, and
// look things up in global maps that extensions write without a lock.
//
// What ties xgb's functions to its engine is small: a request is sent on
// Conn.reqChan, a resource id is received from Conn.xidChan, and a Cookie is
// completed through one of its three channels. So Conn makes an xgb.Conn that
// has these channels and no goroutines, and serves them itself. The fields are
// unexported, so this file reaches them by their offset; checkLayout compares
// names and types with what was read in the pinned version and refuses to go
// on when they are not the same.

// xgbRequest mirrors xgb.request.
type xgbRequest struct {
	buf    []byte
	cookie *xgb.Cookie
	seq    chan struct{}
}

// xgbCookie mirrors xgb.Cookie.
type xgbCookie struct {
	conn      *xgb.Conn
	Sequence  uint16
	replyChan chan []byte
	errorChan chan error
	pingChan  chan bool
}

// xgbID mirrors xgb.xid.
type xgbID struct {
	id  uint32
	err error
}

// offsets of the fields of xgb.Conn that an engine must fill in.
type offsets struct{ reqChan, xidChan uintptr }

var layout = sync.OnceValues(checkLayout)

func checkLayout() (offsets, error) {
	conn := reflect.TypeFor[xgb.Conn]()
	field := func(name string) (reflect.StructField, error) {
		f, ok := conn.FieldByName(name)
		if !ok || f.Type.Kind() != reflect.Chan || f.Type.ChanDir() != reflect.BothDir {
			return f, fmt.Errorf("xgb.Conn.%s is not what it was", name)
		}
		return f, nil
	}
	req, err1 := field("reqChan")
	xid, err2 := field("xidChan")
	if err := errors.Join(err1, err2); err != nil {
		return offsets{}, err
	}
	if req.Type.Elem().Kind() != reflect.Pointer {
		return offsets{}, errors.New("xgb.Conn.reqChan is not what it was")
	}
	return offsets{req.Offset, xid.Offset}, errors.Join(
		sameStruct(req.Type.Elem().Elem(), reflect.TypeFor[xgbRequest]()),
		sameStruct(xid.Type.Elem(), reflect.TypeFor[xgbID]()),
		sameStruct(reflect.TypeFor[xgb.Cookie](), reflect.TypeFor[xgbCookie]()),
	)
}

// sameStruct reports whether two structs have the same fields in the same
// places.
func sameStruct(theirs, ours reflect.Type) error {
	err := fmt.Errorf("%v is not what it was", theirs)
	if theirs.Kind() != reflect.Struct || theirs.NumField() != ours.NumField() || theirs.Size() != ours.Size() {
		return err
	}
	for i := range ours.NumField() {
		a, b := theirs.Field(i), ours.Field(i)
		if a.Name != b.Name || a.Type != b.Type || a.Offset != b.Offset {
			return err
		}
	}
	return nil
}

// newXgb returns an xgb.Conn without an engine, and the channels that it sends
// requests to and takes resource ids from.
func newXgb(setup []byte, display Display) (*xgb.Conn, chan *xgbRequest, chan xgbID, error) {
	off, err := layout()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("x11: %w: this build has another xgb than framebridge knows", err)
	}
	x := &xgb.Conn{
		DisplayNumber: display.Number,
		DefaultScreen: display.Screen,
		SetupBytes:    setup,
		Extensions:    make(map[string]byte),
	}
	requests, ids := make(chan *xgbRequest), make(chan xgbID)
	base := unsafe.Pointer(x)
	*(*chan *xgbRequest)(unsafe.Add(base, off.reqChan)) = requests
	*(*chan xgbID)(unsafe.Add(base, off.xidChan)) = ids
	return x, requests, ids, nil
}

// finishCookie completes an xgb request: with a reply, with an error, or, when
// both are nil, with the knowledge that there was no error. It must be called
// once at most; the channels hold one value each, so it never blocks.
func finishCookie(cookie *xgb.Cookie, reply []byte, err error) {
	c := (*xgbCookie)(unsafe.Pointer(cookie))
	switch {
	case err == nil && c.replyChan != nil:
		c.replyChan <- reply
	case err != nil && c.errorChan != nil:
		c.errorChan <- err
	case c.pingChan != nil:
		// A checked request without reply went well, or an unchecked one with a
		// reply gets none: xgb then returns nil for both reply and error.
		c.pingChan <- true
	}
}

// wanted reports whether anyone may wait for the cookie, and whether the
// request has a reply.
func wanted(cookie *xgb.Cookie) (waits, reply bool) {
	c := (*xgbCookie)(unsafe.Pointer(cookie))
	return c.replyChan != nil || c.errorChan != nil, c.replyChan != nil
}
