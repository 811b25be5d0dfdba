package rtc

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// A Transport carries messages to and from a page.
type Transport interface {
	// Read returns the next message, which is valid until the next Read. One goroutine
	// reads.
	Read() ([]byte, error)
	// Write sends a message, of which it keeps nothing. Several goroutines may write.
	Write(ctx context.Context, b []byte) error
	// Close ends the transport once what was written is on its way, and makes Read
	// return.
	Close(failed bool)
}

const (
	labelControl = "control"
	labelPointer = "pointer"
	protocolAck  = "ack"

	// maxChannels bounds the channels that a page may open in a session: two, and some
	// mistakes. Each costs a goroutine and 64 KB.
	maxChannels = 8
	// queuedMessages is how many messages wait for the session; then the channels are
	// not read.
	queuedMessages = 64
	// maxBuffered is how many bytes a channel may have to send when more is written.
	maxBuffered = 64 << 10
	// flushLimit is how long Close waits until the page has what was written.
	flushLimit = 300 * time.Millisecond
)

// Messages that matter here, as package stream has them.
const (
	typeAck     = 129
	ackSize     = 5
	typePointer = 131
	pointerSize = 7
	buttonsAt   = 5
)

var errChannels = errors.New("too many data channels")

// channels are the data channels of a session, which make one Transport.
type channels struct {
	peer *peer
	in   chan message
	low  chan struct{} // capacity 1: the control channel has less to send
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	control *webrtc.DataChannel
	ack     bool // the control channel has the protocol
	opened  int

	buttons uint16 // the reader's own: as the control channel had them last
}

type message struct {
	b       []byte
	pointer bool // came over the pointer channel
}

func newChannels(p *peer) *channels {
	return &channels{
		peer: p, in: make(chan message, queuedMessages), low: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// acks reports whether the page will acknowledge frames.
func (c *channels) acks() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ack
}

// add is pion's callback for a channel that the peer opens.
func (c *channels) add(dc *webrtc.DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened++
	if c.opened > maxChannels {
		c.peer.end(errChannels)
		return
	}
	control := dc.Label() == labelControl && c.control == nil
	if !control && dc.Label() != labelPointer || c.peer.page == nil {
		dc.OnOpen(func() { dc.Close() }) //nolint:errcheck // its loss
		return
	}
	if control {
		c.control = dc
		dc.SetBufferedAmountLowThreshold(maxBuffered / 2)
		dc.OnBufferedAmountLow(func() {
			select {
			case c.low <- struct{}{}:
			default:
			}
		})
		dc.OnOpen(func() {
			c.mu.Lock()
			c.ack = dc.Protocol() == protocolAck
			c.mu.Unlock()
			close(c.peer.open)
		})
		dc.OnClose(c.shut)
	}
	dc.OnMessage(func(m webrtc.DataChannelMessage) {
		select {
		case c.in <- message{m.Data, !control}:
		case <-c.done:
		case <-c.peer.ctx.Done():
		}
	})
}

func (c *channels) shut() { c.once.Do(func() { close(c.done) }) }

// Read returns the page's next message.
func (c *channels) Read() ([]byte, error) {
	for {
		select {
		case m := <-c.in:
			if b, ok := c.filter(m); ok {
				return b, nil
			}
			continue
		default:
		}
		select {
		case m := <-c.in:
			if b, ok := c.filter(m); ok {
				return b, nil
			}
		case <-c.done:
			return nil, io.EOF
		}
	}
}

// filter takes the messages that are not the session's.
func (c *channels) filter(m message) ([]byte, bool) {
	b := m.b
	isPointer := len(b) == pointerSize && b[0] == typePointer
	switch {
	case m.pointer:
		if !isPointer {
			return nil, false // it came without order: it has no place to be
		}
		binary.BigEndian.PutUint16(b[buttonsAt:], c.buttons)
	case isPointer:
		c.buttons = binary.BigEndian.Uint16(b[buttonsAt:])
	case len(b) == ackSize && b[0] == typeAck:
		c.peer.acked(binary.BigEndian.Uint32(b[1:]))
		return nil, false
	}
	return b, true
}

// Write sends a message over the control channel. One that is longer than the peer
// takes, which only a clipboard can be, is left out.
func (c *channels) Write(ctx context.Context, b []byte) error {
	c.mu.Lock()
	dc := c.control
	c.mu.Unlock()
	if len(b) > c.peer.offered.maxMessage {
		c.peer.log.Debug("message is longer than the page takes", "bytes", len(b))
		return nil
	}
	for dc.BufferedAmount() > maxBuffered {
		select {
		case <-c.low:
		case <-c.done:
			return io.ErrClosedPipe
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return dc.Send(b)
}

// Close waits a moment until the page has what was written.
func (c *channels) Close(bool) {
	c.mu.Lock()
	dc := c.control
	c.mu.Unlock()
	defer c.shut()
	end := time.NewTimer(c.peer.srv.limit.flush)
	defer end.Stop()
	every := time.NewTicker(flushLimit / 30)
	defer every.Stop()
	for dc.BufferedAmount() > 0 {
		select {
		case <-every.C: // pion tells of the buffer's end no sooner, and not always
		case <-c.done:
			return
		case <-end.C:
			return
		}
	}
}
