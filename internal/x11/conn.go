// Package x11 is framebridge's connection to an X server. It speaks through
// the request functions of github.com/BurntSushi/xgb, with an engine of its own
// under them (see xgb.go), so that
//
//   - file descriptors can be passed (MIT-SHM 1.2),
//   - GenericEvents (XInput 2) can be read,
//   - the death of the server is an error of every request, not a panic,
//   - nothing is left behind by a closed connection,
//   - several connections, also to different servers, do not meet in globals.
package x11

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
)

// ErrClosed is the error of a connection that Close or Abort has ended.
var ErrClosed = errors.New("connection to the X server closed")

var errNoFd = errors.New("file descriptors cannot be passed: not a unix socket")

// Options says what to connect to. The zero value is $DISPLAY.
type Options struct {
	Display  string       // display name; default $DISPLAY
	AuthFile string       // Xauthority file; default $XAUTHORITY, then ~/.Xauthority
	Cookie   []byte       // MIT-MAGIC-COOKIE-1 to use instead of a file's
	Logger   *slog.Logger // default slog.Default()
}

// Conn is a connection to an X server. Its methods may be called from several
// goroutines at a time, but for Close.
//
// A connection can be in three states. While it is open, requests are answered.
// When the server dies or Abort is called, Done is closed, whatever waits for a
// reply gets an error, and so does every later request. Close also ends the
// goroutines that bring about the latter: see there.
type Conn struct {
	display Display
	setup   *xproto.SetupInfo
	log     *slog.Logger
	nc      net.Conn
	unix    *net.UnixConn // nc, when it is a unix socket

	x        *xgb.Conn
	requests chan *xgbRequest
	ids      chan xgbID
	nextID   uint32 // of the engine goroutine

	wmu       sync.Mutex // orders requests; held while writing
	out       []byte     // requests not written yet
	seq       uint64     // number of the last request
	lastReply uint64     // number of the last request with a reply

	pmu     sync.Mutex // never held while blocking
	waiting queue      // requests that someone waits for, in order
	err     error      // why the connection ended

	handlers atomic.Pointer[[]*handler]
	extMu    sync.Mutex // one extension is set up at a time
	exts     map[string]Extension
	tables   atomic.Pointer[tables]
	xinput   atomic.Int32 // opcode of XInput, 0 before its set-up

	done    chan struct{} // closed when the connection has ended
	stop    chan struct{} // closed by Close
	closing sync.Once
	wg      sync.WaitGroup
}

// dialTimeout bounds a connection attempt when the context does not: a stopped
// server accepts and never answers.
const dialTimeout = 10 * time.Second

// maxCookies bounds how many cookies of a file are tried at one server.
const maxCookies = 4

// Dial connects to an X server.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	name := o.Display
	if name == "" {
		if name = os.Getenv("DISPLAY"); name == "" {
			return nil, errors.New("no display: name one (--display :N) or set DISPLAY")
		}
	}
	d, err := ParseDisplay(name)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	nc, setup, err := connect(ctx, d, o)
	if err != nil {
		return nil, fmt.Errorf("display %s: %w", name, err)
	}
	c, err := newConn(nc, setup, d, o.Logger)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("display %s: %w", name, err)
	}
	return c, nil
}

// connect opens a socket to the display and goes through the connection setup.
func connect(ctx context.Context, d Display, o Options) (net.Conn, []byte, error) {
	nc, err := dialSocket(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	cookies := [][]byte{o.Cookie}
	var authErr error
	if o.Cookie == nil {
		var entries []authEntry
		entries, authErr = readAuth(o.AuthFile)
		host, _ := os.Hostname()
		if cookies = chooseCookies(entries, nc.RemoteAddr(), host, d.Number); len(cookies) == 0 {
			cookies = [][]byte{nil} // the server may take us without one
		}
	}
	for i, cookie := range cookies[:min(len(cookies), maxCookies)] {
		if i > 0 {
			// The server closes the connection with its refusal.
			if nc, err = dialSocket(ctx, d); err != nil {
				return nil, nil, err
			}
		}
		var setup []byte
		if setup, err = handshake(ctx, nc, cookie); err == nil {
			return nc, setup, nil
		}
		nc.Close()
		if !errors.Is(err, ErrAuth) {
			return nil, nil, err
		}
	}
	switch {
	case !errors.Is(err, ErrAuth):
	case authErr != nil:
		err = fmt.Errorf("%w (no cookie was sent: %w)", err, authErr)
	case len(cookies[0]) == 0:
		err = fmt.Errorf("%w (no cookie for this display in %s: give the server's Xauthority file with --auth or XAUTHORITY)",
			err, authFile(o.AuthFile))
	default:
		err = fmt.Errorf("%w (its cookie is not the one we have: give its Xauthority file with --auth or XAUTHORITY)", err)
	}
	return nil, nil, err
}

func dialSocket(ctx context.Context, d Display) (net.Conn, error) {
	var errs []error
	var dialer net.Dialer
	for _, e := range d.endpoints() {
		nc, err := dialer.DialContext(ctx, e.network, e.address)
		if err == nil {
			return nc, nil
		}
		// The dial error names network and address itself.
		errs = append(errs, err)
	}
	hint := "is the X server running, and its socket directory shared with us?"
	if d.Host != "" {
		hint = "does the X server listen on TCP (-listen tcp)?"
	}
	return nil, fmt.Errorf("cannot connect: %w; %s", errors.Join(errs...), hint)
}

func handshake(ctx context.Context, nc net.Conn, cookie []byte) ([]byte, error) {
	defer context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })()
	if _, err := nc.Write(appendSetup(nil, cookie)); err != nil {
		return nil, err
	}
	b, err := readSetup(nc)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return b, err
}

// newConn starts a connection on a socket that the setup has been read from.
func newConn(nc net.Conn, setup []byte, d Display, log *slog.Logger) (*Conn, error) {
	info, err := parseSetup(setup)
	if err != nil {
		return nil, err
	}
	if d.Screen >= len(info.Roots) {
		return nil, fmt.Errorf("there is no screen %d, only %d", d.Screen, len(info.Roots))
	}
	c := &Conn{
		display: d, setup: info, log: log, nc: nc,
		exts: map[string]Extension{},
		done: make(chan struct{}), stop: make(chan struct{}),
	}
	c.unix, _ = nc.(*net.UnixConn)
	c.handlers.Store(&[]*handler{})
	c.tables.Store(coreTables)
	if c.x, c.requests, c.ids, err = newXgb(setup, d); err != nil {
		return nil, err
	}
	// The first id is base + the mask's lowest bit, as in xgb.
	c.nextID = info.ResourceIdMask & -info.ResourceIdMask
	c.wg.Add(2)
	go c.serve()
	go c.read()
	return c, nil
}

// X returns what xgb's request functions want as their first argument. Use it
// for nothing else: events come through Handle, extensions are set up by
// Extension, and Close closes.
func (c *Conn) X() *xgb.Conn { return c.x }

// Setup returns what the server said about itself when it accepted us.
func (c *Conn) Setup() *xproto.SetupInfo { return c.setup }

// Screen returns the display's screen. Its size is that of the moment of
// connecting.
func (c *Conn) Screen() *xproto.ScreenInfo { return &c.setup.Roots[c.display.Screen] }

// ScreenNumber returns the number of the display's screen.
func (c *Conn) ScreenNumber() int { return c.display.Screen }

// Root returns the root window of the display's screen.
func (c *Conn) Root() xproto.Window { return c.Screen().Root }

// Local reports whether the connection is a unix socket, which can pass file
// descriptors.
func (c *Conn) Local() bool { return c.unix != nil }

// Addr returns the server's address, for logs.
func (c *Conn) Addr() net.Addr { return c.nc.RemoteAddr() }

// Done is closed when the connection has ended, by whatever cause.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection has ended, nil while it has not.
func (c *Conn) Err() error {
	c.pmu.Lock()
	defer c.pmu.Unlock()
	return c.err
}

// NewID returns a resource id that is not in use.
func (c *Conn) NewID() (uint32, error) { return c.x.NewId() }

// Abort ends the connection at once: everything that waits for the server gets
// an error, now and later. It may be called at any time and from anywhere.
func (c *Conn) Abort() { c.fail(ErrClosed) }

// Close sends what was queued, ends the connection and waits for its
// goroutines. It may be called several times, but no request may be made when
// it has been called: an owner whose connection is used by other goroutines
// calls Abort, waits until they have left, and then calls Close. It must not be
// called from a handler.
func (c *Conn) Close() error {
	c.closing.Do(func() {
		// A server that no longer reads must not hold us up.
		c.nc.SetWriteDeadline(time.Now().Add(closeFlush))
		c.Flush()
		c.fail(ErrClosed)
		close(c.stop)
	})
	c.wg.Wait()
	return nil
}

// closeFlush bounds the time for the last requests to be written.
const closeFlush = time.Second

// fail ends the connection; the first cause stays.
func (c *Conn) fail(err error) {
	c.pmu.Lock()
	if c.err != nil {
		c.pmu.Unlock()
		return
	}
	c.err = err
	waiting := c.waiting.all()
	c.waiting = queue{}
	close(c.done)
	c.pmu.Unlock()
	c.nc.Close()
	for _, w := range waiting {
		w.finish(nil, err)
	}
}

// serve is the engine under xgb's functions: it takes their requests and gives
// them resource ids, also when the connection has ended, so that they return.
func (c *Conn) serve() {
	defer c.wg.Done()
	id := c.newID()
	for {
		select {
		case r, ok := <-c.requests:
			if !ok {
				// Someone called xgb's Close in spite of X's warning.
				c.Abort()
				return
			}
			c.send(r.buf, -1, r.cookie, nil, true)
			close(r.seq)
		case c.ids <- id:
			id = c.newID()
		case <-c.stop:
			return
		}
	}
}

// newID returns the next resource id. Ids are not used again: the usual mask
// leaves two million of them, and framebridge makes a few per resize.
func (c *Conn) newID() xgbID {
	inc := c.setup.ResourceIdMask & -c.setup.ResourceIdMask
	if c.nextID == 0 || c.nextID > c.setup.ResourceIdMask || bits.OnesCount32(inc) != 1 {
		return xgbID{err: errors.New("x11: no resource ids left")}
	}
	id := c.setup.ResourceIdBase | c.nextID
	c.nextID += inc
	return xgbID{id: id}
}
