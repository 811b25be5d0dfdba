package rfbtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"framebridge/internal/pix"
	"framebridge/rfb"
)

// Options is how to connect. The zero value takes security type None,
// announces nothing and keeps the server's pixel format.
type Options struct {
	// Version is the highest protocol version; zero means 3.8.
	Version rfb.Version
	// Password answers VNC Authentication, which is then preferred to None.
	Password string
	// Shared leaves other viewers connected.
	Shared bool
	// Encodings is announced after the handshake, if it is not empty.
	Encodings []rfb.Encoding
	// Format is asked for after the handshake; nil keeps the server's.
	Format *pix.Format
	// HoldFences leaves the server's fence requests to the caller. Else they
	// are answered as they are read.
	HoldFences bool
	// DirtyPadding lets padding hold anything: for servers that are not ours.
	DirtyPadding bool
	// WideFills lets Tight rectangles of one colour be wider than 2048 pixels, as
	// those of libvncserver and TigerVNC are: for servers that are not ours.
	WideFills bool
	// TLS, if set, is used where VeNCrypt is offered.
	TLS *tls.Config
	// OnUpdate is called when the header of an update has been read and its
	// rectangles have not: where viewers that lose no time ask for the next one.
	OnUpdate func()
}

// Client is a viewer. Reading methods, and those that look at what was read,
// are for one goroutine; methods that send may be called from others at the
// same time, SetFormat excepted. Close unblocks all.
type Client struct {
	// Welcome is the outcome of the handshake.
	Welcome rfb.Welcome

	nc    net.Conn
	hold  bool
	begun func() // may be nil
	in    *stream
	err   error // sticky, of reading

	wideFills bool

	fb       framebuffer
	px       pixels
	colours  [256]uint32 // 0x00RRGGBB
	zlib     inflater
	zrle     inflater
	tight    [tightStreams]inflater
	screens  []rfb.Screen
	name     string
	cursor   *Cursor
	pointer  image.Point
	leds     rfb.LEDs
	qemuKeys bool
	buttons  bool
	stats    Stats

	jpegQuant, jpegHuffman []byte // segments of the last JPEG rectangle that had them

	mu         sync.Mutex // of what follows; held while sending
	known      map[rfb.Encoding]bool
	requests   int  // update requests that may still be answered
	continuous bool // updates may come without
	out        []byte
}

// Dial connects to addr: "host:port", or "unix:" and a path.
func Dial(ctx context.Context, addr string, o Options) (*Client, error) {
	network := "tcp"
	if len(addr) > 5 && addr[:5] == "unix:" {
		network, addr = "unix", addr[5:]
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return Open(ctx, nc, o)
}

// Open leads the server on nc through the handshake and sends what o wants
// announced. It owns nc, also when it fails. ctx bounds the handshake only.
func Open(ctx context.Context, nc net.Conn, o Options) (*Client, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	c := &Client{nc: nc, hold: o.HoldFences, begun: o.OnUpdate, known: map[rfb.Encoding]bool{rfb.EncodingRaw: true}, in: newStream(nc)}
	c.in.dirty, c.wideFills = o.DirtyPadding, o.WideFills
	err := c.open(o)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return nil, err
	}
	return c, nil
}

func (c *Client) open(o Options) (err error) {
	cfg := rfb.ClientConfig{Version: o.Version, Password: []byte(o.Password), Shared: o.Shared}
	if o.TLS != nil {
		cfg.StartTLS = func() (io.ReadWriter, error) {
			t := tls.Client(c.nc, o.TLS)
			c.nc = t
			c.in = newStream(t)
			c.in.dirty = o.DirtyPadding
			return t, nil
		}
	}
	c.Welcome, err = rfb.Connect(c.nc, cfg)
	if err != nil {
		return err
	}
	c.name = c.Welcome.Name
	c.px = newPixels(c.Welcome.Format)
	if err := c.fb.resize(int(c.Welcome.Width), int(c.Welcome.Height)); err != nil {
		return err
	}
	if o.Format != nil {
		if err := c.SetFormat(*o.Format); err != nil {
			return err
		}
	}
	if len(o.Encodings) > 0 {
		return c.SetEncodings(o.Encodings...)
	}
	return nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.nc.Close() }

// SetDeadline sets the time limit of all reads and writes to come. A read
// that ends between messages by it may be tried again.
func (c *Client) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// appender is a message that goes out.
type appender interface{ Append(b []byte) []byte }

func (c *Client) send(m appender) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sendLocked(m)
}

func (c *Client) sendLocked(m appender) error {
	c.out = m.Append(c.out[:0])
	_, err := c.nc.Write(c.out)
	return err
}

// Send sends bytes as they are, for tests that break the protocol.
func (c *Client) Send(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.nc.Write(b)
	return err
}

// SetFormat asks for pixels in f. It holds for the next update that is read,
// so there must be none on its way.
func (c *Client) SetFormat(f pix.Format) error {
	if err := f.Validate(); err != nil {
		return err
	}
	c.px = newPixels(f)
	return c.send(rfb.SetPixelFormat{Format: f})
}

// SetEncodings announces encodings, the best liked first. Since updates with
// what was announced before may be on their way, those stay allowed.
func (c *Client) SetEncodings(list ...rfb.Encoding) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range list {
		c.known[e] = true
	}
	return c.sendLocked(rfb.SetEncodings{Encodings: list})
}

// announced reports whether e was ever announced.
func (c *Client) announced(e rfb.Encoding) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[e]
}

// wantsJPEG reports whether a quality was ever announced.
func (c *Client) wantsJPEG() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := range c.known {
		_, coarse := e.JPEGQuality()
		_, fine := e.FineQuality()
		if coarse || fine {
			return true
		}
	}
	return false
}

// RequestUpdate asks for r, or for what changed in it.
func (c *Client) RequestUpdate(incremental bool, r image.Rectangle) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	h := rfb.RectangleOf(r, 0)
	return c.sendLocked(rfb.UpdateRequest{Incremental: incremental, X: h.X, Y: h.Y, Width: h.Width, Height: h.Height})
}

// EnableContinuousUpdates switches updates without requests on for r, or off.
func (c *Client) EnableContinuousUpdates(on bool, r image.Rectangle) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on {
		c.continuous = true
	}
	h := rfb.RectangleOf(r, 0)
	return c.sendLocked(rfb.EnableContinuousUpdates{Enable: on, X: h.X, Y: h.Y, Width: h.Width, Height: h.Height})
}

// Key sends the press or release of a key.
func (c *Client) Key(keysym uint32, down bool) error {
	return c.send(rfb.KeyEvent{Down: down, Keysym: keysym})
}

// QEMUKey sends the press or release of a key with its scan code.
func (c *Client) QEMUKey(keysym, keycode uint32, down bool) error {
	return c.send(rfb.QEMUKeyEvent{Down: down, Keysym: keysym, Keycode: keycode})
}

// Pointer sends the pointer's place and buttons: bit i is button i+1. More
// than seven buttons take the extended form if the server knows it.
func (c *Client) Pointer(x, y int, buttons uint16) error {
	return c.send(rfb.PointerEvent{Buttons: buttons, X: uint16(x), Y: uint16(y), Extended: c.buttons && buttons > 0x7f})
}

// CutText sends Latin-1 text.
func (c *Client) CutText(latin1 []byte) error { return c.send(rfb.ClientCutText{Data: latin1}) }

// Clipboard sends a frame of the extended clipboard.
func (c *Client) Clipboard(frame []byte) error {
	return c.send(rfb.ClientCutText{Extended: true, Data: frame})
}

// Fence sends a fence; with rfb.FenceRequest it will be answered.
func (c *Client) Fence(flags rfb.FenceFlags, payload []byte) error {
	return c.send(rfb.Fence{Flags: flags, Payload: payload})
}

// SetDesktopSize asks for another size.
func (c *Client) SetDesktopSize(w, h int, screens ...rfb.Screen) error {
	return c.send(rfb.SetDesktopSize{Width: uint16(w), Height: uint16(h), Screens: screens})
}

// Bounds returns the framebuffer's size, at (0, 0).
func (c *Client) Bounds() image.Rectangle { return c.fb.bounds() }

// Format returns the pixel format.
func (c *Client) Format() pix.Format { return c.px.format }

// Value returns the pixel at (x, y), which must lie in Bounds, as the number
// in the viewer's pixel format that was sent. JPEG counts as converted to it.
func (c *Client) Value(x, y int) uint32 { return c.fb.values[y*c.fb.w+x] }

// Values returns all pixels, row after row, as Value does. The slice changes
// with the next update.
func (c *Client) Values() []uint32 { return c.fb.values }

// Image returns the framebuffer with all components scaled to eight bits, and
// looked up in the colour map where there is one. It is a copy.
func (c *Client) Image() *pix.Image {
	return c.fb.image(newExpander(c.px.format, &c.colours))
}

// Name returns the desktop's name.
func (c *Client) Name() string { return c.name }

// Screens returns the layout last told, or nil.
func (c *Client) Screens() []rfb.Screen { return slices.Clone(c.screens) }

// Cursor returns the pointer's shape last told, or nil.
func (c *Client) Cursor() *Cursor { return c.cursor }

// PointerPos returns where the server last put the pointer.
func (c *Client) PointerPos() image.Point { return c.pointer }

// LEDs returns the lock lights last told.
func (c *Client) LEDs() rfb.LEDs { return c.leds }

// QEMUKeys reports whether the server has taken up extended key events.
func (c *Client) QEMUKeys() bool { return c.qemuKeys }

// ExtendedButtons reports whether the server has taken up extended mouse
// buttons.
func (c *Client) ExtendedButtons() bool { return c.buttons }

// Stats returns what was read so far.
func (c *Client) Stats() Stats {
	s := c.stats
	s.Bytes = c.in.n
	s.Rects = make(map[rfb.Encoding]int, len(c.stats.Rects))
	for e, n := range c.stats.Rects {
		s.Rects[e] = n
	}
	return s
}

// Stats counts what came from the server after the handshake.
type Stats struct {
	Bytes    int64 // of all messages
	Messages int
	Updates  int
	Pixels   int64 // of the rectangles with pixels
	Rects    map[rfb.Encoding]int
}

// ReadUpdate reads up to the next update; other messages are taken in as
// ReadMessage does, and dropped.
func (c *Client) ReadUpdate() (*Update, error) {
	for {
		m, err := c.ReadMessage()
		if err != nil {
			return nil, err
		}
		if u, ok := m.(*Update); ok {
			return u, nil
		}
	}
}

// isTimeout reports whether err is that of a deadline.
func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
