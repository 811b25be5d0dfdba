package rtc

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

func TestPlayerOverUDP(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	p := play(t, s, playerOptions{})
	v := src.next(t)
	require.False(t, v.acks, "a player without channels cannot acknowledge")
	m, f := p.key()
	requireColour(t, m)
	require.Equal(t, f.packets, f.delays, "packets without a playout delay of zero")
	require.Eventually(t, func() bool { return s.Viewers() == 1 }, patience, time.Millisecond)

	// What comes is in order, in frames of ascending time.
	for range 10 {
		v.tokens <- struct{}{}
	}
	last := f.timestamp
	for range 10 {
		f := p.frame()
		require.Positive(t, int32(f.timestamp-last))
		last = f.timestamp
	}

	// A player that lost the thread gets a key frame.
	before := v.rekeys.Load()
	p.pli()
	require.Eventually(t, func() bool { return v.rekeys.Load() > before }, patience, time.Millisecond)
	p.key()

	require.ErrorIs(t, s.End("nobody"), ErrUnknown)
	require.NoError(t, s.End(p.answer.ID))
	require.ErrorIs(t, s.End(p.answer.ID), ErrUnknown, "ended twice")
	p.gone()
	require.Eventually(t, func() bool { return s.Sessions() == 0 && s.Viewers() == 0 }, patience, time.Millisecond)
}

func TestPlayerLeaves(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	p := play(t, s, playerOptions{})
	p.key()
	require.NoError(t, p.pc.Close())
	require.Eventually(t, func() bool { return s.Sessions() == 0 }, patience, time.Millisecond)
	v := src.next(t)
	select {
	case <-v.gone:
	case <-time.After(patience):
		require.Fail(t, "the stream is not closed")
	}
}

// forward is a TCP forwarder, such as kubectl port-forward: it listens on loopback
// and connects from loopback.
func forward(t *testing.T, to string) *net.TCPAddr {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	keep := func(c net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, c)
	}
	wg.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			keep(a)
			b, err := net.Dial("tcp", to)
			if err != nil {
				a.Close()
				continue
			}
			keep(b)
			for _, c := range [][2]net.Conn{{a, b}, {b, a}} {
				wg.Go(func() {
					io.Copy(c[0], c[1])
					c[0].(*net.TCPConn).CloseWrite()
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr)
}

// The server listens on all addresses and knows itself by those of its interfaces;
// the viewer comes through a forwarder with another port, and adds its address.
func TestPlayerThroughForwarder(t *testing.T) {
	for _, listenAt := range []string{"0.0.0.0:0", "127.0.0.1:0"} {
		t.Run(listenAt, func(t *testing.T) {
			src := newSources()
			src.w, src.h = 640, 480
			l := listen(t, listenAt)
			s := serve(t, Config{Video: src.video}, l, nil)
			port := l.Addr().(*net.TCPAddr).Port
			at := forward(t, fmt.Sprintf("127.0.0.1:%d", port))
			require.NotEqual(t, port, at.Port)
			p := play(t, s, playerOptions{
				networks: []webrtc.NetworkType{webrtc.NetworkTypeTCP4},
				answer: func(a string) string {
					require.Contains(t, a, fmt.Sprintf(" %d typ host tcptype passive", port), "our own candidates")
					require.NotContains(t, strings.ToLower(a), "udp ")
					return withoutCandidates(a)
				},
				add: []string{fmt.Sprintf("candidate:1 1 tcp 1671430143 127.0.0.1 %d typ host tcptype passive", at.Port)},
			})
			v := src.next(t)
			p.key()
			require.Positive(t, s.tcp.Conns())
			for range 50 {
				v.tokens <- struct{}{}
			}
			for range 50 {
				p.frame()
			}
			require.NoError(t, s.End(p.answer.ID))
			p.gone()
			require.Eventually(t, func() bool { return s.Sessions() == 0 && s.tcp.Conns() == 0 }, patience, time.Millisecond)
		})
	}
}

// The listener's owner may close it before we end: viewers hear of the end still.
func TestListenerClosesFirst(t *testing.T) {
	src := newSources()
	l := listen(t, "127.0.0.1:0")
	s := serve(t, Config{Video: src.video}, l, nil)
	p := play(t, s, playerOptions{networks: []webrtc.NetworkType{webrtc.NetworkTypeTCP4}})
	v := src.next(t)
	p.key()
	require.NoError(t, l.Close())
	v.tokens <- struct{}{}
	p.frame()
	require.NoError(t, s.End(p.answer.ID))
	p.gone()
}

// A viewer may come by the server's own candidates, UDP and TCP alike.
func TestPlayerDirect(t *testing.T) {
	for _, n := range [][]webrtc.NetworkType{{webrtc.NetworkTypeUDP4}, {webrtc.NetworkTypeTCP4}, nil} {
		src := newSources()
		l := listen(t, ":0")
		s := serve(t, Config{Video: src.video}, l, udpSockets(t, ":0"))
		p := play(t, s, playerOptions{networks: n})
		m, _ := p.key()
		requireColour(t, m)
	}
}

// Frames are packed once for all viewers that are sent them.
func TestPacketsAreShared(t *testing.T) {
	v := newSource(false, 640, 480, colour)
	var k packets
	a, err := v.Next(t.Context())
	require.NoError(t, err)
	v.tokens <- struct{}{}
	b, err := v.Next(t.Context())
	require.NoError(t, err)
	first, other, again := k.of(a), k.of(b), k.of(a)
	require.NotEmpty(t, first)
	require.Same(t, &first[0][0], &again[0][0])
	require.NotSame(t, &first[0][0], &other[0][0])
	for _, p := range first {
		require.LessOrEqual(t, len(p), payloadSize)
	}
}
