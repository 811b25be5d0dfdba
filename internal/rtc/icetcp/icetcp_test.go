package icetcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// hello is a framed Binding request for an agent, as an ICE stack makes it.
func hello(t testing.TB, name string) []byte {
	m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(name+":theirs"), stun.NewShortTermIntegrity("password"), stun.Fingerprint)
	require.NoError(t, err)
	return appendFrame(nil, m.Raw)
}

func serve(t *testing.T) (*Mux, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &Mux{Logger: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(patience):
			require.Fail(t, "Serve does not end")
		}
		require.Zero(t, m.Conns())
	})
	require.Eventually(t, func() bool { return m.LocalAddr() != nil }, patience, time.Millisecond)
	return m, l.Addr().String()
}

func agentOf(t *testing.T, m *Mux, name, ip string) net.PacketConn {
	t.Helper()
	p, err := m.GetConnByUfrag(name, false, net.ParseIP(ip))
	require.NoError(t, err)
	t.Cleanup(func() { m.RemoveConnByUfrag(name) })
	return p
}

func dial(t testing.TB, addr string, b []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = c.Write(b)
	require.NoError(t, err)
	return c
}

// closed waits until the other side has closed c.
func closed(t testing.TB, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, c)
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the connection stays open")
}

// A connection through a forwarder comes from and to loopback: it belongs to the
// agent whatever that one's address is, and is shown from somewhere else.
func TestForwarded(t *testing.T) {
	m, addr := serve(t)
	p := agentOf(t, m, "ours", "10.1.2.3")
	require.True(t, m.Known("ours"))
	require.False(t, m.Known("other"))
	require.Equal(t, "10.1.2.3", p.LocalAddr().(*net.TCPAddr).IP.String())
	first := hello(t, "ours")
	a, b := dial(t, addr, first), dial(t, addr, first)

	buf := make([]byte, maxPacket)
	peers := map[string]net.Addr{}
	for range 2 {
		n, from, err := p.ReadFrom(buf)
		require.NoError(t, err)
		require.Equal(t, first[frameHeader:], buf[:n])
		require.False(t, from.(*net.TCPAddr).IP.IsLoopback(), "Firefox does not take a loopback address as its own")
		peers[from.String()] = from
	}
	require.Len(t, peers, 2, "connections are told apart")
	for _, to := range peers {
		_, err := p.WriteTo([]byte("answer"), to)
		require.NoError(t, err)
	}
	for _, c := range []net.Conn{a, b} {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
		got, err := readFrame(c, make([]byte, maxPacket), maxPacket)
		require.NoError(t, err)
		require.Equal(t, "answer", string(got))
	}
	_, err := a.Write(appendFrame(appendFrame(nil, nil), []byte("more"))) // an empty frame means nothing
	require.NoError(t, err)
	n, _, err := p.ReadFrom(buf)
	require.NoError(t, err)
	require.Equal(t, "more", string(buf[:n]))
	_, err = p.WriteTo(nil, &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4), Port: 5})
	require.Error(t, err)

	// What was written last still goes out.
	for _, to := range peers {
		_, err := p.WriteTo([]byte("the end"), to)
		require.NoError(t, err)
	}
	m.RemoveConnByUfrag("ours")
	for _, c := range []net.Conn{a, b} {
		got, err := readFrame(c, buf, maxPacket)
		require.NoError(t, err)
		require.Equal(t, "the end", string(got))
		closed(t, c)
	}
	_, _, err = p.ReadFrom(buf)
	require.ErrorIs(t, err, net.ErrClosed)
}

// What is nobody's is closed.
func TestStrangers(t *testing.T) {
	m, addr := serve(t)
	agentOf(t, m, "ours", "127.0.0.1")
	whole := hello(t, "ours")
	for name, b := range map[string][]byte{
		"unknown fragment": hello(t, "other"),
		"no STUN":          appendFrame(nil, bytes.Repeat([]byte{1}, 100)),
		"too long":         binary.BigEndian.AppendUint16(nil, maxSTUN+1),
		"a response":       append([]byte{whole[0], whole[1], 0x01, 0x01}, whole[4:]...),
		"cut":              nil,
	} {
		c := dial(t, addr, b)
		if b == nil {
			require.NoError(t, c.(*net.TCPConn).CloseWrite())
		}
		closed(t, c)
		require.Eventually(t, func() bool { return m.Conns() == 0 }, patience, time.Millisecond, name)
	}
	// A frame that is too long later on ends the connection as well.
	c := dial(t, addr, append(whole, 0xff, 0xff))
	closed(t, c)
}

// Ten thousand connections that claim to be a viewer's, or nobody's, and never say
// more: few of them stay, and another agent is served meanwhile.
func TestHalfOpenFlood(t *testing.T) {
	m, addr := serve(t)
	victim := agentOf(t, m, "victim", "127.0.0.1")
	other := agentOf(t, m, "other", "127.0.0.1")
	var agents sync.WaitGroup
	agents.Go(func() { // as an ICE agent that throws away what has no integrity
		buf := make([]byte, maxPacket)
		for {
			if _, _, err := victim.ReadFrom(buf); err != nil {
				return
			}
		}
	})
	t.Cleanup(agents.Wait)
	t.Cleanup(func() { victim.Close() })
	claims := [][]byte{hello(t, "victim"), hello(t, "nobody")}
	const flood = 10_000
	var flooders sync.WaitGroup
	attempts := make(chan int)
	for range 64 {
		flooders.Go(func() {
			for i := range attempts {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					continue
				}
				c.Write(claims[i%2])
				c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
				c.Read(make([]byte, 1))
				c.(*net.TCPConn).SetLinger(0) // the machine has not so many ports
				c.Close()
			}
		})
	}
	most := 0
	for i := range flood {
		attempts <- i
		most = max(most, m.Conns())
		if i%1000 != 0 {
			continue
		}
		first := hello(t, "other")
		c := dial(t, addr, first)
		buf := make([]byte, maxPacket)
		n, from, err := other.ReadFrom(buf)
		require.NoError(t, err)
		require.Equal(t, first[frameHeader:], buf[:n])
		_, err = other.WriteTo([]byte("answer"), from)
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
		_, err = readFrame(c, buf, maxPacket)
		require.NoError(t, err)
		c.Close()
	}
	close(attempts)
	flooders.Wait()
	require.LessOrEqual(t, most, maxConns)
}

// Of one agent's connections, only so many stay.
func TestTooManyForOne(t *testing.T) {
	m, addr := serve(t)
	p := agentOf(t, m, "ours", "127.0.0.1")
	buf := make([]byte, maxPacket)
	for range maxConnsPerAgent {
		dial(t, addr, hello(t, "ours"))
		_, _, err := p.ReadFrom(buf)
		require.NoError(t, err)
	}
	closed(t, dial(t, addr, hello(t, "ours")))
	require.Equal(t, maxConnsPerAgent, m.Conns())
}

// A peer that does not read: what waits is bounded, writes do not block, and what
// is no media finds room where media does not.
func TestPeerDoesNotRead(t *testing.T) {
	m, addr := serve(t)
	p := agentOf(t, m, "ours", "127.0.0.1")
	c := dial(t, addr, hello(t, "ours"))
	_, from, err := p.ReadFrom(make([]byte, maxPacket))
	require.NoError(t, err)
	require.NoError(t, m.Drain(t.Context(), "ours", 0))
	require.NoError(t, m.Drain(t.Context(), "nobody", 0))

	media := make([]byte, 1200)
	media[0] = 0x80
	sent := 0
	for err = nil; err == nil; sent++ {
		require.Less(t, sent, 100_000, "there is no bound")
		_, err = p.WriteTo(media, from)
	}
	require.ErrorIs(t, err, errFull)
	_, err = p.WriteTo(make([]byte, 100), from)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, m.Drain(ctx, "ours", 1000), context.DeadlineExceeded)

	// Once it reads, there is room again.
	drained := make(chan error, 1)
	go func() { drained <- m.Drain(t.Context(), "ours", 1000) }()
	buf := make([]byte, maxPacket)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	for range sent - 1 {
		b, err := readFrame(c, buf, maxPacket)
		require.NoError(t, err)
		require.Len(t, b, len(media))
	}
	require.NoError(t, <-drained)
	// A peer that leaves holds nobody up.
	go func() { drained <- m.Drain(t.Context(), "ours", 1000) }()
	c.Close()
	require.NoError(t, <-drained)
}

func TestAddressesFit(t *testing.T) {
	m, addr := serve(t)
	v6, v4, own := agentOf(t, m, "ours", "2001:db8::1"), agentOf(t, m, "ours", "10.1.2.3"), agentOf(t, m, "ours", "127.0.0.1")
	same, err := m.GetConnByUfrag("ours", false, net.ParseIP("10.1.2.3"))
	require.NoError(t, err)
	require.Same(t, v4, same)
	read := func(p net.PacketConn, name string) *net.TCPAddr {
		dial(t, addr, hello(t, name))
		_, from, err := p.ReadFrom(make([]byte, maxPacket))
		require.NoError(t, err)
		return from.(*net.TCPAddr)
	}
	require.True(t, read(own, "ours").IP.IsLoopback(), "where it arrived")
	own.Close()
	require.Equal(t, "198.18.0.1", read(v4, "ours").IP.String(), "of the same kind")
	v4.Close()
	require.Equal(t, "2001:2::1", read(v6, "ours").IP.String())
	v6.Close()
	closed(t, dial(t, addr, hello(t, "ours")))
	_, err = m.GetConnByUfrag("ours", false, nil)
	require.Error(t, err)
}

func FuzzFrames(f *testing.F) {
	f.Add(hello(f, "ours"))
	f.Add(appendFrame(hello(f, "ours"), []byte("more")))
	f.Add([]byte{0, 0, 0, 1, 5})
	f.Add([]byte{0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		buf := make([]byte, maxPacket)
		var again []byte
		for {
			p, err := readFrame(r, buf, maxPacket)
			if err != nil {
				break
			}
			name, ok := ufrag(p)
			require.Equal(t, ok, name != "")
			// Another implementation agrees on what is a name.
			var m stun.Message
			var u stun.Username
			if m.Raw = p; m.Decode() == nil && m.Type == stun.BindingRequest && u.GetFrom(&m) == nil && ok {
				require.Equal(t, name, string(bytes.Split(u, []byte(":"))[0]))
			}
			again = appendFrame(again, p)
		}
		require.True(t, bytes.HasPrefix(b, again))
	})
}
