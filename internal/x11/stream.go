package x11

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/BurntSushi/xgb"
)

// packetSize is the size of an error, of an event, and of a reply's first part.
const packetSize = 32

// maxReply bounds a reply or GenericEvent. The longest legitimate one is a
// GetImage or GetProperty, which callers ask for in pieces far below this.
const maxReply = 64 << 20

// maxSilence bounds how many requests may go out without one that has a reply.
// Answers carry the low 16 bits of the request's number only, so that among
// 65536 requests there must be an answer to tell where the count is.
const maxSilence = 1 << 14

// maxOut is how many bytes of requests are queued before they are written.
const maxOut = 64 << 10

// waiter is a request that someone waits for: through xgb or through a Call.
type waiter struct {
	seq    uint64
	reply  bool // it has a reply
	cookie *xgb.Cookie
	call   *Call
}

func (w waiter) finish(reply []byte, err error) {
	switch {
	case w.call != nil:
		w.call.finish(reply, err)
	case w.cookie != nil:
		finishCookie(w.cookie, reply, err)
	}
}

// queue is a first-in first-out list that keeps its memory.
type queue struct {
	list []waiter
	head int
}

func (q *queue) push(w waiter) { q.list = append(q.list, w) }
func (q *queue) empty() bool   { return q.head == len(q.list) }
func (q *queue) first() waiter { return q.list[q.head] }
func (q *queue) all() []waiter { return q.list[q.head:] }
func (q *queue) pop() (w waiter) {
	w, q.list[q.head] = q.list[q.head], waiter{}
	if q.head++; q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	} else if q.head >= 1024 {
		// A queue that is never empty must not grow for ever.
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	return w
}

// send numbers a request, notes who waits for it, and writes or queues it. The
// fd, unless negative, goes with it. Of cookie and call at most one is set.
func (c *Conn) send(buf []byte, fd int, cookie *xgb.Cookie, call *Call, flush bool) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	waits, reply := call != nil, call != nil && !call.void
	if cookie != nil {
		waits, reply = wanted(cookie)
	}
	if !reply && c.seq-c.lastReply >= maxSilence {
		c.number(getInputFocus[:], waiter{reply: true})
	}
	w := waiter{reply: reply, cookie: cookie, call: call}
	if !waits {
		w.cookie = nil
	}
	if cookie != nil {
		cookie.Sequence = uint16(c.seq + 1)
	}
	if fd >= 0 {
		c.flushLocked() // the descriptor must travel with its own request
	}
	c.number(buf, w)
	if fd >= 0 {
		c.writeFd(fd)
		return
	}
	if flush || len(c.out) >= maxOut {
		c.flushLocked()
	}
}

// number gives a request its number and appends it to the output.
func (c *Conn) number(buf []byte, w waiter) {
	c.seq++
	w.seq = c.seq
	if w.reply {
		c.lastReply = c.seq
	}
	if w.reply || w.cookie != nil || w.call != nil {
		c.pmu.Lock()
		err := c.err
		if err == nil {
			c.waiting.push(w)
		}
		c.pmu.Unlock()
		if err != nil {
			w.finish(nil, err)
			return
		}
	}
	c.out = append(c.out, buf...)
}

func (c *Conn) flushLocked() {
	if len(c.out) == 0 {
		return
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		c.fail(fmt.Errorf("connection to the X server lost: %w", err))
	}
}

func (c *Conn) writeFd(fd int) {
	if len(c.out) == 0 {
		return // the connection has ended
	}
	// The request is a few bytes: a stream socket takes them whole or not at all.
	n, _, err := c.unix.WriteMsgUnix(c.out, fdRights(fd), nil)
	if err == nil && n < len(c.out) {
		err = io.ErrShortWrite
	}
	c.out = c.out[:0]
	if err != nil {
		c.fail(fmt.Errorf("connection to the X server lost: %w", err))
	}
}

// read takes the server's answers and events off the socket until it ends.
// Everything is handled in the order of the stream: who has got a reply knows
// that the events before it have been handled.
func (c *Conn) read() {
	defer c.wg.Done()
	r := bufio.NewReaderSize(c.nc, 64<<10)
	var at uint64 // number of the last request that an answer named
	for {
		if err := c.packet(r, &at); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("closed by the server")
			}
			c.fail(fmt.Errorf("connection to the X server lost: %w", err))
			return
		}
	}
}

// Kinds of packet, the first byte (X protocol, section 1 "Reply Format",
// "Error Format", "Event Format").
const (
	packetError   = 0
	packetReply   = 1
	packetGeneric = 35
	sentByClient  = 0x80 // set in an event's kind when a client made it
)

// packetLength returns the whole length of the packet that begins with head,
// packetSize bytes.
func packetLength(head []byte) (int, error) {
	if k := head[0]; k != packetReply && k&^sentByClient != packetGeneric {
		return packetSize, nil
	}
	more := uint64(binary.LittleEndian.Uint32(head[4:])) * 4
	if more > maxReply {
		return 0, fmt.Errorf("a reply of %d bytes, more than %d", more, maxReply)
	}
	return packetSize + int(more), nil
}

// packet reads and handles one packet.
func (c *Conn) packet(r *bufio.Reader, at *uint64) error {
	head, err := r.Peek(packetSize)
	if err != nil {
		return err
	}
	size, err := packetLength(head)
	if err != nil {
		return err
	}
	kind := head[0]
	if kind != packetReply && kind != packetError {
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		c.event(b)
		return nil
	}
	*at += uint64(binary.LittleEndian.Uint16(head[2:]) - uint16(*at))
	w, ok := c.take(*at)
	if kind == packetError {
		b := make([]byte, packetSize)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		xerr := c.parseError(b)
		if !ok || w.cookie == nil && w.call == nil {
			c.log.Debug("x error", "error", xerr)
			return nil
		}
		w.finish(nil, xerr)
		return nil
	}
	if !ok || w.cookie == nil && w.call == nil {
		_, err := r.Discard(size)
		return err
	}
	if w.call == nil || w.call.dst == nil {
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			w.finish(nil, err)
			return err
		}
		w.finish(b, nil)
		return nil
	}
	return c.replyInto(r, w.call, size)
}

// replyInto reads a reply whose body goes to the caller's memory.
func (c *Conn) replyInto(r *bufio.Reader, call *Call, size int) error {
	b := make([]byte, packetSize)
	_, err := io.ReadFull(r, b)
	if n := size - packetSize; err == nil && n > len(call.dst) {
		call.finish(nil, fmt.Errorf("x11: a reply of %d bytes where %d were expected", n, len(call.dst)))
		_, err = r.Discard(n)
		return err
	} else if err == nil {
		_, err = io.ReadFull(r, call.dst[:n])
	}
	if err != nil {
		call.finish(nil, err)
		return err
	}
	call.finish(b, nil)
	return nil
}

// take returns the waiter of request seq, and tells those before it that
// their requests went well: answers come in order.
func (c *Conn) take(seq uint64) (waiter, bool) {
	for {
		c.pmu.Lock()
		if c.waiting.empty() || c.waiting.first().seq > seq {
			c.pmu.Unlock()
			return waiter{}, false
		}
		w := c.waiting.pop()
		c.pmu.Unlock()
		switch {
		case w.seq == seq:
			return w, true
		case w.reply:
			w.finish(nil, errors.New("x11: the X server left out a reply"))
		default:
			w.finish(nil, nil)
		}
	}
}
