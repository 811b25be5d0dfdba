package rfbtest

import (
	"fmt"

	"framebridge/rfb"
)

// Message is what a server sent: *Update, *ColourMap, Bell, CutText, Fence or
// EndOfContinuousUpdates.
type Message any

type (
	// ColourMap says that colours from First on were set.
	ColourMap struct{ First, Count int }
	// Bell is the bell.
	Bell struct{}
	// CutText is the server's clipboard: Latin-1, or a frame of the extended
	// clipboard.
	CutText struct {
		Extended bool
		Data     []byte
	}
	// Fence is the server's fence or its answer to ours. Without
	// Options.HoldFences a request has been answered.
	Fence struct {
		Flags   rfb.FenceFlags
		Payload []byte
	}
	// EndOfContinuousUpdates says that they are possible, or have ended.
	EndOfContinuousUpdates struct{}
)

// maxCutText bounds the server's clipboard, in bytes.
const maxCutText = 16 << 20

// ReadMessage reads one message and does what it says. The error is io.EOF
// where the connection ends between messages, and a *rfb.ProtocolError where
// the server broke the protocol. After an error all calls return it again,
// except for a deadline that passes between messages.
func (c *Client) ReadMessage() (Message, error) {
	if c.err != nil {
		return nil, c.err
	}
	if _, err := c.in.r.Peek(1); err != nil {
		if !isTimeout(err) {
			c.err = err
		}
		return nil, err
	}
	m, err := c.message()
	if err != nil {
		c.err = err
		return nil, err
	}
	c.stats.Messages++
	return m, nil
}

func (c *Client) message() (Message, error) {
	kind, err := takeUint8(c.in)
	if err != nil {
		return nil, err
	}
	var m Message
	switch t := rfb.ServerMessageType(kind); t {
	case rfb.ServerFramebufferUpdate:
		m, err = c.update()
	case rfb.ServerSetColourMapEntries:
		m, err = c.colourMap()
	case rfb.ServerBell:
		m = Bell{}
	case rfb.ServerCutTextType:
		m, err = c.cutText()
	case rfb.ServerFence:
		m, err = c.fence()
	case rfb.ServerEndOfContinuousUpdates:
		m = EndOfContinuousUpdates{}
		if !c.announced(rfb.PseudoContinuousUpdates) {
			err = violation("was not announced")
		}
	default:
		return nil, violation("unknown message type %d", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rfb.ServerMessageType(kind), err)
	}
	return m, nil
}

// colourMap reads colours of 16 bits per component (RFC 6143, section 7.6.2).
func (c *Client) colourMap() (*ColourMap, error) {
	if err := takePadding(c.in, 1); err != nil {
		return nil, err
	}
	first, err := takeUint16(c.in)
	if err != nil {
		return nil, err
	}
	n, err := takeUint16(c.in)
	if err != nil {
		return nil, err
	}
	if c.px.format.TrueColour {
		return nil, violation("the pixel format has no colour map")
	}
	if int(first)+int(n) > len(c.colours) {
		return nil, violation("%d colours from %d", n, first)
	}
	for i := range int(n) {
		b, err := c.in.take(6)
		if err != nil {
			return nil, err
		}
		c.colours[int(first)+i] = uint32(b[0])<<16 | uint32(b[2])<<8 | uint32(b[4])
	}
	return &ColourMap{First: int(first), Count: int(n)}, nil
}

// cutText reads text, or a frame where the length is negative (RFC 6143,
// section 7.6.4; rfbproto, "Extended Clipboard Pseudo-Encoding").
func (c *Client) cutText() (m CutText, err error) {
	if err := takePadding(c.in, 3); err != nil {
		return m, err
	}
	v, err := takeUint32(c.in)
	if err != nil {
		return m, err
	}
	n := int64(int32(v))
	if n < 0 {
		m.Extended, n = true, -n
		if n < 4 {
			return m, violation("extended frame of %d bytes", n)
		}
		if !c.announced(rfb.PseudoExtendedClipboard) {
			return m, violation("extended frame, but %s was not announced", rfb.PseudoExtendedClipboard)
		}
	}
	if n > maxCutText {
		return m, violation("%d bytes, limit %d", n, maxCutText)
	}
	b, err := c.in.take(int(n))
	m.Data = append([]byte{}, b...)
	return m, err
}

// fence reads a fence and answers a request: with the flags that we know, and
// without the one that says that it is a request.
func (c *Client) fence() (m Fence, err error) {
	if err := takePadding(c.in, 3); err != nil {
		return m, err
	}
	flags, err := takeUint32(c.in)
	if err != nil {
		return m, err
	}
	n, err := takeUint8(c.in)
	if err != nil {
		return m, err
	}
	if n > rfb.MaxFencePayload {
		return m, violation("payload of %d bytes", n)
	}
	if !c.announced(rfb.PseudoFence) {
		return m, violation("was not announced")
	}
	b, err := c.in.take(int(n))
	if err != nil {
		return m, err
	}
	m = Fence{Flags: rfb.FenceFlags(flags), Payload: append([]byte{}, b...)}
	if unknown := m.Flags &^ (rfb.FenceKnown | rfb.FenceRequest); unknown != 0 {
		return m, violation("flags %#x", flags)
	}
	if m.Flags&rfb.FenceRequest != 0 && !c.hold {
		return m, c.Fence(m.Flags&rfb.FenceKnown, m.Payload)
	}
	return m, nil
}
