package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"framebridge/internal/port"
	"framebridge/internal/stream"
	"framebridge/internal/video"
	"framebridge/internal/vnc"
	"framebridge/internal/web"
	"framebridge/internal/x11vnc"
)

// Browsers and TLS as x11vnc has them. The port for viewers takes WebSockets as
// well, and with -ssl TLS, told apart by what a client says first; -http, -httpdir
// and -https serve pages on ports of their own.

const (
	// greetAfter is the silence after which a client of the port for viewers is
	// greeted. x11vnc waits 100 ms; clients that speak first do so within a round
	// trip's jitter.
	greetAfter = 50 * time.Millisecond
	// pageSilence is how long a browser may keep a connection that it has no request
	// for yet.
	pageSilence = 10 * time.Second
	// httpBelow is how much lower the port for pages is than that for viewers.
	httpBelow = 100
	// firstHTTPS and httpsTries are where -https looks for a port.
	firstHTTPS = 5801
	httpsTries = 99
)

// x11vncPort is a listener that browsers use, too, or alone.
type x11vncPort struct {
	net.Listener
	s    *x11vncServer
	web  *web.Server
	page bool // no viewers
}

// serveSelf implements selfServing.
func (l x11vncPort) serveSelf(ctx context.Context) error {
	s := l.s
	pc := port.Config{Delay: greetAfter, TLS: s.tls, Logger: s.log}
	pc.TLSOnlyRFB = s.cfg.TLS.On && s.cfg.TLS.VeNCrypt == x11vnc.VeNCryptNever
	if l.page {
		pc.Delay, pc.TLSOnlyRFB = pageSilence, false
	}
	p, err := port.New(l.Listener, pc)
	if err != nil {
		return err
	}
	serve := []func(ctx context.Context) error{p.Serve}
	http := p.HTTP()
	serve = append(serve, func(ctx context.Context) error { return l.web.Serve(ctx, http) })
	if !l.page {
		rfb := p.RFB()
		if s.cfg.TLS.VeNCrypt == x11vnc.VeNCryptForce {
			rfb = clearOnly{rfb}
		}
		serve = append(serve, func(ctx context.Context) error { return s.bridge.server.Serve(ctx, rfb) })
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make(chan error, len(serve))
	for _, f := range serve {
		wg.Go(func() {
			defer cancel()
			errs <- f(ctx)
		})
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// clearOnly closes viewers that begin with TLS: with -vencrypt force they begin in
// the clear.
type clearOnly struct{ net.Listener }

// Accept implements net.Listener.
func (l clearOnly) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if _, encrypted := c.(interface{ ConnectionState() tls.ConnectionState }); err != nil || !encrypted {
			return c, err
		}
		c.Close()
	}
}

// wantsPage reports whether a page is to be served anywhere.
func wantsPage(c *x11vnc.Config) bool {
	return c.HTTP.On || c.HTTP.Dir != "" || c.HTTP.OnePort || c.HTTP.HTTPS
}

// newWeb makes what serves browsers: the page, if there is to be one, and the
// WebSockets of the port for viewers. vc is what viewers have.
func (s *x11vncServer) newWeb(b *bridge, vc vnc.Config) error {
	c := s.cfg
	sc := stream.Config{
		Screen: b.screen, Sink: vc.Sink, Clipboard: viewOnlyClipboard{clipsOf{&b.clips, byPage}, s},
		DesktopName: vc.DesktopName, MaxClipboard: b.opts.maxCutText,
		Viewers:   b.server.Viewers, // pages are among them
		OnViewers: b.counted,
		Logger:    s.log,
	}
	w := &browsers{bridge: b}
	var err error
	if w.stream, err = stream.New(sc); err != nil {
		return err
	}
	if w.video, err = video.New(video.Config{Screen: b.screen, Logger: s.log}); err != nil {
		return err
	}
	b.web = w
	b.clips.join(byPage, w.stream.SetClipboard)
	wc := web.Config{
		VNC: b.server, Stream: w.stream, Screen: b.screen,
		OpenVideo: func() (stream.Video, error) { return w.video.View(video.Options{}), nil },
		Guests:    true, Sockets: true,
		TLSOnly: c.TLS.On,
		Ready:   b.there.Load,
		Dir:     c.HTTP.Dir,
		Hosts:   strings.FieldsFunc(os.Getenv(envPrefix+"WEB_HOST"), func(r rune) bool { return r == ',' || r == ' ' }),
		Logger:  s.log,
	}
	if wantsPage(c) {
		if s.page, err = web.New(wc); err != nil {
			return fmt.Errorf("-httpdir: %w", err)
		}
	}
	if c.HTTP.OnePort || c.TLS.On && s.page != nil {
		s.sockets = s.page
		return nil
	}
	wc.NoPage, wc.Dir = true, ""
	s.sockets, err = web.New(wc)
	return err
}

// openPages opens the listeners for pages and returns what their addresses are.
func (s *x11vncServer) openPages() (urls []string, err error) {
	c := s.cfg
	if s.page == nil {
		return nil, nil
	}
	list, err := binds(&c.Listen)
	if err != nil {
		return nil, err
	}
	open := func(option string, first, tries int) (int, error) {
		for n := first; ; n++ {
			ls, err := listenAll(list, n, n)
			if errors.Is(err, syscall.EADDRINUSE) && n < first+tries-1 {
				continue
			}
			if err != nil {
				return 0, fmt.Errorf("%s: port %d: %w", option, n, addressed(err))
			}
			for _, l := range ls {
				s.listens = append(s.listens, x11vncPort{l, s, s.page, true})
			}
			return portOf(ls), nil
		}
	}
	host := hostFor(&c.Listen)
	if c.HTTP.On || c.HTTP.Dir != "" {
		n, option := c.HTTP.Port, "-httpport"
		if n == 0 {
			n, option = s.port-httpBelow, "-http"
		}
		if n < 1 {
			return nil, fmt.Errorf("%s: there is no port for viewers to count from: give one with -httpport", option)
		}
		if n, err = open(option, n, 1); err != nil {
			return nil, err
		}
		urls = append(urls, fmt.Sprintf("http://%s/", net.JoinHostPort(host, fmt.Sprint(n))))
	}
	if c.HTTP.HTTPS && s.tls != nil {
		n, tries := c.HTTP.TLSPort, 1
		if n == 0 {
			n, tries = firstHTTPS, httpsTries
		}
		if n, err = open("-https", n, tries); err != nil {
			return nil, err
		}
		urls = append(urls, fmt.Sprintf("https://%s/", net.JoinHostPort(host, fmt.Sprint(n))))
	}
	if s.sockets == s.page && s.port > 0 {
		scheme := "http"
		if c.TLS.On {
			scheme = "https"
		}
		urls = append(urls, fmt.Sprintf("%s://%s/", scheme, net.JoinHostPort(host, fmt.Sprint(s.port))))
	}
	return urls, nil
}

// takeBrowsers lets browsers use the TCP listeners for viewers.
func (s *x11vncServer) takeBrowsers(ls []net.Listener) []net.Listener {
	out := make([]net.Listener, len(ls))
	for i, l := range ls {
		if out[i] = l; l.Addr().Network() == "tcp" {
			out[i] = x11vncPort{l, s, s.sockets, false}
		}
	}
	return out
}
