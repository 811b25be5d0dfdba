package main

import (
	"fmt"
	"net"
	"net/netip"

	"framebridge/internal/rtc"
	"framebridge/internal/stream"
	"framebridge/internal/video"
	"framebridge/internal/vnc"
)

// newRTC prepares WebRTC. It shares the pages' video.
func (w *browsers) newRTC() (*rtc.Server, error) {
	o := w.bridge.opts
	c := rtc.Config{
		Video: func(acks bool) stream.Video {
			return w.video.View(video.Options{NoAcks: !acks, KeepAlive: rtc.KeepAlive})
		},
		MaxMessage: w.stream.MaxMessage(),
		OnViewers:  w.stream.Changed,
		Logger:     w.bridge.log,
	}
	for _, text := range o.publicIPs {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--webrtc-public-ip %s: want an IP address", text)
		}
		c.PublicIPs = append(c.PublicIPs, ip)
	}
	if vnc.Sharing(o.shared) == vnc.SharingNever {
		c.Alone = func(viewer string) {
			w.bridge.server.GiveWay(viewer)
			w.stream.GiveWay(viewer)
		}
	}
	s, err := rtc.New(c)
	if err != nil {
		return nil, fmt.Errorf("--webrtc-public-ip: %w", err)
	}
	return s, nil
}

// giveWay disconnects WHEP players for a viewer that takes the screen for itself.
func (w *browsers) giveWay(viewer string) {
	if w.rtc != nil {
		w.rtc.GiveWay(viewer)
	}
}

// viewers counts those of all kinds.
func (w *browsers) viewers() int {
	n := w.bridge.server.Viewers() + w.stream.Viewers()
	if w.rtc != nil {
		n += w.rtc.Viewers()
	}
	return n
}

// listenUDP opens WebRTC's sockets. By default they have the address of --listen,
// so that there is one number to publish; that it is taken is no error, since TCP
// is there.
func (o *serveOptions) listenUDP(listen net.Addr) ([]net.PacketConn, error) {
	if !o.webrtc || o.webrtcUDP == noUDP {
		return nil, nil
	}
	addr := o.webrtcUDP
	if addr == sameAddress {
		addr = listen.String()
	}
	conns, err := rtc.ListenUDP(addr)
	if err != nil && o.webrtcUDP != sameAddress {
		return nil, fmt.Errorf("--webrtc-udp %s: %w", addr, reason(err))
	}
	return conns, nil
}
