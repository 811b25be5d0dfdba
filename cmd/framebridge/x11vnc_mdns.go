package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"framebridge/internal/mdns"
)

// announce tells the local network of the server (-avahi) until ctx is done, or stop
// is called, which waits for its end.
func (s *x11vncServer) announce(ctx context.Context) (stop func()) {
	c := s.cfg
	switch {
	case !c.Local.MDNS:
		return func() {}
	case s.port == 0 || c.Localhost:
		s.log.Warn("-avahi: nobody else on the network could reach the server: it is not announced")
		return func() {}
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "x11vnc"
	}
	service := mdns.Service{
		Name: c.Desktop, Type: "_rfb._tcp", Port: s.port,
		// A name of its own: the host's belongs to whoever answers for the host.
		Host: fmt.Sprintf("x11vnc-%d-%s", s.port, host),
	}
	if service.Name == "" {
		service.Name = fmt.Sprintf("%s:%d", host, displayOf(s.port))
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := mdns.Announce(ctx, service, s.log); err != nil && ctx.Err() == nil {
			s.log.Warn("-avahi: the server is not announced", "error", err)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}
