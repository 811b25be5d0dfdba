package vnc

import (
	"net"
	"time"
)

// output is what was made for a viewer and not yet written: bytes of its own, and
// between them parts of products, which are written from where they lie.
type output struct {
	buf    []byte
	cut    int         // buf[cut:] is behind the last of parts
	parts  net.Buffers // in the order of writing
	size   int         // bytes in parts
	borrow []*product  // that parts lie in
}

// len returns the number of bytes.
func (o *output) len() int { return o.size + len(o.buf) - o.cut }

// partFrom is from how many bytes on it pays to write a part of its own.
const partFrom = 4 << 10

// add appends the rest of p's payload. p is the output's until it is written, if
// borrowed says so.
func (o *output) add(rest []byte, p *product) (borrowed bool) {
	if len(rest) < partFrom {
		o.buf = append(o.buf, rest...)
		return false
	}
	// When buf moves to larger memory, what parts hold of it stays as it is.
	o.parts = append(o.parts, o.buf[o.cut:], rest)
	o.size += len(o.buf) - o.cut + len(rest)
	o.cut = len(o.buf)
	o.borrow = append(o.borrow, p)
	return true
}

// send writes b at once.
func (se *session) send(b []byte) error {
	se.out.buf = append(se.out.buf, b...)
	return se.flush()
}

// flush writes what was collected.
func (se *session) flush() error {
	o := &se.out
	if o.len() == 0 {
		return nil
	}
	if err := se.conn.SetWriteDeadline(time.Now().Add(se.srv.cfg.WriteTimeout)); err != nil {
		return err
	}
	// Whoever ends the session stores its deadline before setting it: if that
	// came before ours, it is seen here.
	if end := se.endBy.Load(); end != nil {
		se.conn.SetWriteDeadline(*end)
	}
	var n int64
	var err error
	if len(o.parts) == 0 {
		var k int
		k, err = se.conn.Write(o.buf)
		n = int64(k)
	} else {
		if len(o.buf) > o.cut {
			o.parts = append(o.parts, o.buf[o.cut:])
		}
		parts := o.parts // WriteTo takes its receiver apart
		n, err = parts.WriteTo(se.conn)
		clear(o.parts)
		o.parts = o.parts[:0]
	}
	se.sent += n
	for i, p := range o.borrow {
		se.srv.shop.done(p)
		o.borrow[i] = nil
	}
	o.borrow, o.size, o.cut = o.borrow[:0], 0, 0
	if cap(o.buf) > 4*flushAt {
		o.buf = nil // one huge rectangle must not stay in memory
	}
	o.buf = o.buf[:0]
	return err
}
