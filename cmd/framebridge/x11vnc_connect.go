package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"framebridge/internal/reverse"
	"framebridge/internal/x11vnc"
)

// Reverse connections: to viewers that listen. They come to the server through a
// listener whose connections are dialled.

// dialled is a net.Listener of connections that were made from here.
type dialled struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newDialled() *dialled { return &dialled{conns: make(chan net.Conn), done: make(chan struct{})} }

func (l *dialled) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *dialled) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *dialled) Addr() net.Addr { return dialledAddr{} }

type dialledAddr struct{}

func (dialledAddr) Network() string { return "dialled" }
func (dialledAddr) String() string  { return "dialled" }

// reverser connects to viewers.
type reverser struct {
	listener *dialled
	proxies  []reverse.Proxy
	wg       sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// fileEvery is how often -connect's file is looked at.
const fileEvery = time.Second

// checkConnect finds what is wrong with -connect and -proxy.
func checkConnect(c *x11vnc.Config) (r *reverser, err error) {
	r = &reverser{listener: newDialled()}
	if c.Proxy != "" {
		if r.proxies, err = reverse.ParseProxies(c.Proxy); err != nil {
			return nil, fmt.Errorf("-proxy %s: %w", x11vnc.Printable(c.Proxy), err)
		}
	}
	if c.Connect != "" && !isConnectFile(c.Connect) {
		if _, err := reverse.Parse(c.Connect); err != nil {
			return nil, fmt.Errorf("-connect %s: %w", x11vnc.Printable(c.Connect), err)
		}
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// isConnectFile reports whether -connect's value is a file of hosts.
func isConnectFile(v string) bool {
	return strings.Contains(v, "/") && !strings.Contains(v, "repeater://")
}

// close ends attempts that are under way, and waits for them.
func (r *reverser) close() {
	r.stop()
	r.listener.Close()
	r.wg.Wait()
}

// connectFirst makes the connections of the command line. With -connect_or_exit it
// ends the server when none can be made.
func (s *x11vncServer) connectFirst() {
	c := s.cfg
	if c.Connect == "" {
		return
	}
	r := s.reverse
	if isConnectFile(c.Connect) {
		r.wg.Go(func() {
			reverse.WatchFile(r.ctx, c.Connect, fileEvery, func(line string) {
				if strings.HasPrefix(line, "cmd=") || strings.HasPrefix(line, "qry=") {
					s.log.Warn("-connect: remote control through the file is not supported; use -R")
					return
				}
				if err := s.connectTo(line); err != nil {
					s.log.Warn("-connect", "error", err)
				}
			})
		})
		return
	}
	r.wg.Go(func() {
		if n, err := s.dialAll(c.Connect); n == 0 && c.ConnectOrExit && r.ctx.Err() == nil {
			s.stop(fmt.Errorf("-connect_or_exit: no viewer could be reached: %w", err))
		}
	})
}

// connectTo connects to hosts, without waiting for it.
func (s *x11vncServer) connectTo(hosts string) error {
	if s.reverse == nil {
		return errors.New("connect: not with -inetd")
	}
	if _, err := reverse.Parse(hosts); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	s.reverse.wg.Go(func() { s.dialAll(hosts) }) //nolint:errcheck // logged
	return nil
}

// dialAll connects to hosts and returns how many could be reached.
func (s *x11vncServer) dialAll(hosts string) (n int, err error) {
	targets, err := reverse.Parse(hosts)
	if err != nil {
		return 0, err
	}
	r := s.reverse
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, t := range targets {
		wg.Go(func() {
			conn, derr := reverse.Dial(r.ctx, t, r.proxies)
			if derr == nil {
				conn, derr = s.protect(conn)
			}
			if derr != nil {
				s.log.Warn("cannot connect to the viewer", "viewer", t.Address(), "error", derr)
				mu.Lock()
				err = errors.Join(err, derr)
				mu.Unlock()
				return
			}
			s.log.Info("connected to the viewer", "viewer", t.Address())
			if isSet("X11VNC_REVERSE_CONNECTION_NO_AUTH") {
				s.trusted.Store(conn.LocalAddr().String(), true)
			}
			select {
			case r.listener.conns <- conn:
				mu.Lock()
				n++
				mu.Unlock()
			case <-r.listener.done:
				conn.Close()
			}
		})
	}
	wg.Wait()
	return n, err
}
