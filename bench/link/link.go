// Package link emulates a network link between two TCP peers on one machine: a
// propagation delay each way, a bounded rate each way, and a router whose queue
// is bounded, so that whoever sends too fast is held up, as by a full window.
//
// A Link listens; each connection it accepts is forwarded to one address over a
// link of its own. Each direction is two goroutines. The first reads and gives
// every piece the time at which its last bit leaves the router, which is when the
// pieces before it have left plus its own length by the rate, and stops reading
// while the pieces that have not left are as many bytes as the queue holds. The
// second writes each piece when it has left and travelled. Time alone carries the
// state, so nothing polls, and both sleep unless there is something to do.
//
// The kernel's buffers would be a second, much larger queue: the sockets get
// small receive buffers and the segment size of Ethernet.
package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options describe a link. The zero value neither delays nor bounds.
type Options struct {
	Delay  time.Duration // each way
	Rate   int64         // bits a second each way; 0: not bounded
	Buffer int           // bytes that the router queues each way; default 128 KB
}

// defaultBuffer is 0.1 s at 10 Mbit/s: what a home router has.
const defaultBuffer = 128 << 10

// Bounds of what Parse takes.
const (
	maxDelay = 10 * time.Second
	minRate  = 8 << 10 // a kilobyte a second
	maxRate  = 100e9
)

// Parse reads "20ms,10mbit": a delay each way, a rate with kbit, mbit or gbit
// (10^3, 10^6, 10^9 bits a second), or both. An empty string is no link.
func Parse(s string) (o Options, err error) {
	if s == "" {
		return o, nil
	}
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		if rate, ok := parseRate(part); ok {
			if o.Rate != 0 || !(rate >= minRate && rate <= maxRate) { // nor NaN
				return o, fmt.Errorf("link %q: want one rate from 10kbit to 100gbit", s)
			}
			o.Rate = int64(rate)
			continue
		}
		d, err := time.ParseDuration(part)
		if err != nil || d < 0 || d > maxDelay || o.Delay != 0 {
			return o, fmt.Errorf("link %q: want DELAY,RATE such as 20ms,10mbit", s)
		}
		o.Delay = d
	}
	return o, nil
}

func parseRate(s string) (float64, bool) {
	for _, u := range []struct {
		name string
		unit float64
	}{{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}} {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			v, err := strconv.ParseFloat(n, 64)
			return v * u.unit, err == nil
		}
	}
	return 0, false
}

// String is what Parse reads.
func (o Options) String() string {
	var parts []string
	if o.Delay > 0 {
		parts = append(parts, o.Delay.String())
	}
	switch {
	case o.Rate >= 1e9:
		parts = append(parts, strconv.FormatFloat(float64(o.Rate)/1e9, 'g', -1, 64)+"gbit")
	case o.Rate >= 1e6:
		parts = append(parts, strconv.FormatFloat(float64(o.Rate)/1e6, 'g', -1, 64)+"mbit")
	case o.Rate > 0:
		parts = append(parts, strconv.FormatFloat(float64(o.Rate)/1e3, 'g', -1, 64)+"kbit")
	}
	return strings.Join(parts, ",")
}

// Link forwards connections.
type Link struct {
	listener net.Listener
	to       string
	o        Options
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// Listen opens a link to the TCP address to on a port of the loopback interface.
func Listen(to string, o Options) (*Link, error) {
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	if o.Buffer < maxPiece {
		return nil, fmt.Errorf("link: Buffer %d, want at least %d", o.Buffer, maxPiece)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{listener: ln, to: to, o: o}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.wg.Go(l.accept)
	return l, nil
}

// Addr is where the link listens.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Close ends all connections and waits for them.
func (l *Link) Close() error {
	l.cancel()
	err := l.listener.Close()
	l.wg.Wait()
	return err
}

func (l *Link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() { l.serve(near.(*net.TCPConn)) })
	}
}

// Socket options of both sides: see the package's comment.
const (
	receiveBuffer = 32 << 10
	segment       = 1460
)

func (l *Link) serve(near *net.TCPConn) {
	defer near.Close()
	near.SetReadBuffer(receiveBuffer) //nolint:errcheck // only a larger queue
	// The segment size and the window scale are agreed upon at connect.
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment)
		})
	}}
	c, err := d.DialContext(l.ctx, "tcp", l.to)
	if err != nil {
		return
	}
	far := c.(*net.TCPConn)
	defer far.Close()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { near.Close(); far.Close() })()
	var wg sync.WaitGroup
	for _, way := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		wg.Go(func() {
			if err := l.o.forward(ctx, way[1], way[0]); err != nil {
				cancel() // a reset, not an end: the other way has no use either
				return
			}
			way[1].CloseWrite() //nolint:errcheck // the other side may have gone
		})
	}
	wg.Wait()
}

const (
	// maxPiece is what is forwarded at once: small enough that a rate is smooth,
	// large enough that a fast link is not all system calls.
	maxPiece = 4 << 10
	// maxPieces bounds a direction's memory where the rate does not: 16 MB.
	maxPieces = 4096
)

// piece is bytes on their way.
type piece struct {
	data []byte
	at   time.Time // when they are there
}

// forward carries bytes one way until src ends, which is no error.
func (o Options) forward(ctx context.Context, dst io.Writer, src io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pieces := make(chan piece, maxPieces)
	written := make(chan error, 1)
	go func() {
		err := deliver(ctx, dst, pieces)
		cancel() // stops the reader's waits; a blocked Read ends with the connection
		written <- err
	}()
	read := o.enqueue(ctx, pieces, src)
	close(pieces)
	if read != nil {
		cancel()
	}
	return errors.Join(read, <-written)
}

// enqueue reads src and puts pieces on their way.
func (o Options) enqueue(ctx context.Context, pieces chan<- piece, src io.Reader) error {
	var left time.Time // when the router has sent all it has
	for {
		if o.Rate > 0 {
			if err := sleepUntil(ctx, left.Add(-o.duration(o.Buffer-maxPiece))); err != nil {
				return err
			}
		}
		b := make([]byte, maxPiece)
		n, err := src.Read(b)
		if n > 0 {
			if now := time.Now(); left.Before(now) {
				left = now
			}
			if o.Rate > 0 {
				left = left.Add(o.duration(n))
			}
			select {
			case pieces <- piece{b[:n], left.Add(o.Delay)}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// duration is how long n bytes take to send.
func (o Options) duration(n int) time.Duration {
	return time.Duration(int64(n) * 8 * int64(time.Second) / o.Rate)
}

// deliver writes pieces when they are there.
func deliver(ctx context.Context, dst io.Writer, pieces <-chan piece) error {
	for p := range pieces {
		if err := sleepUntil(ctx, p.at); err != nil {
			return err
		}
		if _, err := dst.Write(p.data); err != nil {
			return err
		}
	}
	return nil
}

func sleepUntil(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
