package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"

	"framebridge/internal/port"
	"framebridge/internal/rtc"
	"framebridge/internal/stream"
	"framebridge/internal/video"
	"framebridge/internal/vnc"
	"framebridge/internal/web"
)

// shared is a listener that browsers share with viewers.
type shared struct {
	net.Listener
	udp []net.PacketConn // for WebRTC
}

// Close closes the UDP sockets, too.
func (s shared) Close() error {
	for _, c := range s.udp {
		c.Close()
	}
	return s.Listener.Close()
}

// browsers is what serves browsers, and viewers on the same port.
type browsers struct {
	bridge *bridge
	server *web.Server
	stream *stream.Server
	video  *video.Hub
	rtc    *rtc.Server // nil: none
	tls    *tls.Config // nil: none
}

func newBrowsers(b *bridge) (*browsers, error) {
	o := b.opts
	w := &browsers{bridge: b}
	var err error
	if w.tls, err = o.tlsConfig(b.log); err != nil {
		return nil, err
	}
	sc := stream.Config{
		Screen:       b.screen,
		Sink:         &b.input,
		Clipboard:    b.clips.of(byPage),
		DesktopName:  b.desktopName(),
		MaxClipboard: o.maxCutText,
		Viewers:      w.viewers,
		OnViewers:    func() { w.stream.Changed() },
		Logger:       b.log,
	}
	if vnc.Sharing(o.shared) == vnc.SharingNever {
		sc.Alone = func(viewer string) {
			b.server.GiveWay(viewer)
			w.giveWay(viewer)
		}
	}
	if w.stream, err = stream.New(sc); err != nil {
		return nil, err
	}
	if w.video, err = video.New(video.Config{Screen: b.screen, Logger: b.log}); err != nil {
		return nil, err
	}
	if o.webrtc {
		if w.rtc, err = w.newRTC(); err != nil {
			return nil, err
		}
	}
	w.server, err = web.New(web.Config{
		VNC:    b.server,
		Stream: w.stream,
		OpenVideo: func() (stream.Video, error) {
			return w.video.View(video.Options{}), nil
		},
		Screen: b.screen,
		RTC:    w.rtc,
		TLS:    w.tls != nil,
		Ready:  b.there.Load,
		Dir:    o.webDir,
		Hosts:  o.webHosts,
		Logger: b.log,
	})
	return w, err
}

// serve serves all that comes to a shared port, until ctx is done.
func (w *browsers) serve(ctx context.Context, l shared) error {
	b := w.bridge
	pc := port.Config{Delay: b.opts.rfbDelay, TLS: w.tls, Logger: b.log}
	if w.rtc != nil {
		pc.Ufrag = w.rtc.Known
	}
	p, err := port.New(l.Listener, pc)
	if err != nil {
		return err
	}
	b.log.Info("open in a browser", "url", b.opts.url(l.Addr()))
	rfb, http := p.RFB(), p.HTTP()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	serve := []func() error{
		func() error { return b.server.Serve(ctx, rfb) },
		func() error { return w.server.Serve(ctx, http) },
		func() error { return p.Serve(ctx) },
	}
	if w.rtc != nil {
		ice := p.ICE()
		serve = append(serve, func() error { return w.rtc.Serve(ctx, ice, l.udp) })
	}
	errs := make(chan error, len(serve))
	for _, f := range serve {
		wg.Go(func() {
			defer cancel()
			errs <- f()
		})
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// url is what a browser on this machine opens.
func (o *serveOptions) url(a net.Addr) string {
	scheme := "http"
	if o.tlsCert != "" {
		scheme = "https"
	}
	host := a.String()
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", t.Port)
	}
	return scheme + "://" + host + "/"
}
