package x11

import (
	"context"
	"encoding/binary"
)

// Call is a request made by hand, past xgb: several can be queued and go out
// in one write, there is no goroutine in between, and a long reply can be read
// into the caller's memory.
type Call struct {
	done  chan struct{}
	dst   []byte
	reply []byte
	err   error
	void  bool
}

// Wait waits for the reply, of which it returns the 32 bytes of every reply
// and, unless Into was used, those that follow. For a request without a reply,
// or when there is an error, the bytes are nil. An X error is an xgb.Error. When
// ctx is done first Wait returns its error; the reply is then dropped when it
// comes.
func (c *Call) Wait(ctx context.Context) ([]byte, error) {
	select {
	case <-c.done:
		return c.reply, c.err
	default:
	}
	select {
	case <-c.done:
		return c.reply, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Call) finish(reply []byte, err error) {
	if err == nil {
		c.reply = reply
	}
	c.err = err
	close(c.done)
}

// Queue adds a request to the output without sending it: Flush does, or any
// later request that is sent. The request has no reply, and if it fails that is
// only logged. buf is a whole request, little-endian, its length filled in; it
// is copied.
func (c *Conn) Queue(buf []byte) { c.send(buf, -1, nil, nil, false) }

// QueueCall adds a request that has a reply to the output. buf is as for Queue.
func (c *Conn) QueueCall(buf []byte) *Call { return c.QueueCallInto(buf, nil) }

// QueueCallInto is QueueCall with memory for the reply: what follows its first
// 32 bytes is read into dst, and is an error if it is longer than dst. The
// memory is written by another goroutine until Wait returns the reply or an
// error other than that of its context; after the latter, until the Wait of a
// later request returns its reply.
func (c *Conn) QueueCallInto(buf, dst []byte) *Call {
	call := &Call{done: make(chan struct{}), dst: dst}
	c.send(buf, -1, nil, call, false)
	return call
}

// Flush sends what was queued.
func (c *Conn) Flush() {
	c.wmu.Lock()
	c.flushLocked()
	c.wmu.Unlock()
}

// Call sends a request without a reply and returns the X server's verdict on
// it.
func (c *Conn) Call(ctx context.Context, buf []byte) error { return c.callVoid(ctx, buf, -1) }

// CallFd is Call for a request that a file descriptor goes with. The descriptor
// stays the caller's. It needs a unix socket.
func (c *Conn) CallFd(ctx context.Context, buf []byte, fd int) error {
	if c.unix == nil {
		return errNoFd
	}
	return c.callVoid(ctx, buf, fd)
}

func (c *Conn) callVoid(ctx context.Context, buf []byte, fd int) error {
	call := &Call{done: make(chan struct{}), void: true}
	c.send(buf, fd, nil, call, false)
	// A request without a reply is known to have gone well once a later one is
	// answered.
	if err := c.Sync(ctx); err != nil {
		return err
	}
	_, err := call.Wait(ctx)
	return err
}

// Sync waits until the server has handled all earlier requests, and every
// event that came before has been handled here.
func (c *Conn) Sync(ctx context.Context) error {
	call := c.QueueCall(getInputFocus[:])
	c.Flush()
	_, err := call.Wait(ctx)
	return err
}

// getInputFocus is the request that does nothing but have a reply.
var getInputFocus = [4]byte{43, 0, 1, 0}

// Request appends to b a request's head: opcode, data byte and the length in
// bytes, which must be a multiple of 4.
func Request(b []byte, opcode, data byte, length int) []byte {
	return binary.LittleEndian.AppendUint16(append(b, opcode, data), uint16(length/4))
}
