package rtc

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/stream"
)

func TestConfig(t *testing.T) {
	video := newSources().video
	for field, c := range map[string]Config{
		"Video":      {},
		"MaxPeers":   {Video: video, MaxPeers: -1},
		"MaxMessage": {Video: video, MaxMessage: -1},
		"PublicIPs":  {Video: video, PublicIPs: []netip.Addr{netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("1.2.3.5")}},
	} {
		_, err := New(c)
		require.ErrorContains(t, err, "Config."+field)
	}
}

// offerOf is a player's offer without the player.
func offerOf(t testing.TB) string {
	t.Helper()
	return strings.ReplaceAll(strings.TrimLeft(`
v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=recvonly
`, "\n"), "\n", "\r\n")
}

func TestBadOffers(t *testing.T) {
	s := serve(t, Config{Video: newSources().video}, nil, udpSockets(t, "127.0.0.1:0"))
	good := offerOf(t)
	media := good[strings.Index(good, "m="):]
	for name, text := range map[string]string{
		"empty":           "",
		"no SDP":          "hello",
		"HTML":            "<html></html>",
		"binary":          strings.Repeat("\x00\xff", 1000),
		"no media":        good[:strings.Index(good, "m=")],
		"no VP8":          strings.ReplaceAll(good, "VP8", "H264"),
		"it sends":        strings.ReplaceAll(good, "recvonly", "sendonly"),
		"refused video":   strings.ReplaceAll(good, "m=video 9", "m=video 0"),
		"no fragment":     strings.ReplaceAll(good, "a=ice-ufrag:abcd\r\n", ""),
		"no fingerprint":  strings.ReplaceAll(good, "a=fingerprint", "a=other"),
		"much media":      good + strings.Repeat(media, maxMedia),
		"many candidates": good + strings.Repeat("a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n", maxCandidates+1),
		"long":            good + strings.Repeat("a=x:y\r\n", MaxSDP/7),
		"message size":    good + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=max-message-size:x\r\n",
	} {
		_, err := s.Offer(t.Context(), Request{SDP: []byte(text)})
		require.ErrorIs(t, err, ErrOffer, name)
		require.Zero(t, s.Sessions(), name)
	}
	a, err := s.Offer(t.Context(), Request{SDP: []byte(good)})
	require.NoError(t, err)
	require.Contains(t, string(a.SDP), "VP8/90000")
	require.Contains(t, string(a.SDP), "a=candidate")
}

// Sessions that do not connect are bounded, and go after a while; those who watch are
// not touched.
func TestPendingSessions(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"), func(s *Server) { s.limit.connect = 10 * time.Second })
	p := play(t, s, playerOptions{})
	v := src.next(t)
	p.key()
	offer := []byte(offerOf(t))
	n := 0
	var err error
	for ; err == nil; n++ {
		require.LessOrEqual(t, n, maxPending)
		_, err = s.Offer(t.Context(), Request{SDP: offer})
	}
	require.ErrorIs(t, err, ErrBusy)
	require.Equal(t, maxPending, n-1)
	require.Eventually(t, func() bool { return s.Sessions() == 1 }, patience, time.Millisecond)
	_, err = s.Offer(t.Context(), Request{SDP: offer})
	require.NoError(t, err)
	v.tokens <- struct{}{}
	p.frame()
}

func TestMaxPeers(t *testing.T) {
	s := serve(t, Config{Video: newSources().video, MaxPeers: 1}, nil, udpSockets(t, "127.0.0.1:0"))
	p := play(t, s, playerOptions{})
	p.key()
	_, err := s.Offer(t.Context(), Request{SDP: []byte(offerOf(t))})
	require.ErrorIs(t, err, ErrBusy)
}

func TestNotServing(t *testing.T) {
	s, err := New(Config{Video: newSources().video, Logger: quiet})
	require.NoError(t, err)
	_, err = s.Offer(t.Context(), Request{SDP: []byte(offerOf(t))})
	require.ErrorIs(t, err, ErrNotServing)
	s = serve(t, Config{Video: newSources().video}, nil, nil)
	_, err = s.Offer(t.Context(), Request{SDP: []byte(offerOf(t))})
	require.ErrorIs(t, err, ErrNotServing, "with nothing to serve on")
}

func TestPublicIP(t *testing.T) {
	l := listen(t, ":0")
	s := serve(t, Config{Video: newSources().video, PublicIPs: []netip.Addr{netip.MustParseAddr("203.0.113.7")}}, l, udpSockets(t, ":0"))
	a, err := s.Offer(t.Context(), Request{SDP: []byte(offerOf(t))})
	require.NoError(t, err)
	text := string(a.SDP)
	for _, kind := range []string{"udp", "tcp"} {
		require.Regexp(t, fmt.Sprintf(`a=candidate:\d+ 1 (?i:%s) \d+ 203\.0\.113\.7 \d+ typ host`, kind), text)
	}
}

// A viewer who takes the screen for itself ends other players, not pages.
func TestGiveWay(t *testing.T) {
	src := newSources()
	alone := make(chan string, 10)
	s := serve(t, Config{Video: src.video, Alone: func(v string) { alone <- v }}, nil, udpSockets(t, "127.0.0.1:0"))
	first := play(t, s, playerOptions{})
	first.key()
	require.Equal(t, t.Name(), <-alone)
	second := play(t, s, playerOptions{})
	second.key()
	first.gone()
	s.GiveWay("viewer")
	second.gone()
	require.Eventually(t, func() bool { return s.Sessions() == 0 }, patience, time.Millisecond)
}

func TestTrickle(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	a, err := s.Offer(t.Context(), Request{SDP: []byte(offerOf(t))})
	require.NoError(t, err)
	const candidate = "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
	require.NoError(t, s.Trickle(a.ID, a.Tag, []byte(candidate)))
	require.NoError(t, s.Trickle(a.ID, "", []byte(candidate)))
	require.ErrorIs(t, s.Trickle("nobody", "", []byte(candidate)), ErrUnknown)
	require.ErrorIs(t, s.Trickle(a.ID, "other", []byte(candidate)), ErrTag)
	require.ErrorIs(t, s.Trickle(a.ID, "", []byte(strings.ReplaceAll(candidate, "abcd", "efgh"))), ErrRestart)
	require.ErrorIs(t, s.Trickle(a.ID, "", []byte("what")), ErrFragment)
	require.ErrorIs(t, s.Trickle(a.ID, "", []byte("a=candidate:nonsense\r\n")), ErrFragment)
	require.ErrorIs(t, s.Trickle(a.ID, "", []byte(strings.Repeat("a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n", maxCandidates+1))), ErrFragment)
}

// due as of a table: what happens when.
func TestPacing(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	frame := func(seq uint32) *stream.Frame { return &stream.Frame{Seq: seq, Data: make([]byte, 10)} }
	const ack = time.Second

	// Without acknowledgements: key frames at 100 and 330 ms, and when asked.
	var c pacing
	a, next := c.due(start, ack)
	require.Equal(t, action{}, a)
	require.Equal(t, start.Add(time.Hour), next)
	c.begin(start, false)
	c.sends(1, frame(1), start)
	a, next = c.due(start, ack)
	require.False(t, a.rekey)
	require.Equal(t, at(100), next)
	a, next = c.due(at(100), ack)
	require.True(t, a.rekey)
	require.Equal(t, at(330), next)
	c.wanted = true
	a, next = c.due(at(120), ack)
	require.False(t, a.rekey, "one was asked for 20 ms ago")
	require.Equal(t, at(330), next)
	a, _ = c.due(at(330), ack)
	require.True(t, a.rekey)
	require.False(t, c.wanted)
	for ms, n := 1000, 0; ms <= 2000; ms += 10 {
		c.wanted = true // a receiver that asks all the time
		if a, _ := c.due(at(ms), ack); a.rekey {
			n++
		}
		require.LessOrEqual(t, n, (ms-1000)/300+1)
	}

	// With them: no more early key frames once one is shown, and frames count as shown
	// after a while.
	c = pacing{}
	c.begin(start, true)
	c.sends(10, frame(1), start)
	c.sends(20, frame(2), at(10))
	c.sent(20, at(50))
	c.acked(15)
	a, next = c.due(at(60), ack)
	require.Equal(t, []uint32{1}, a.shown)
	require.Equal(t, at(1050), next)
	a, _ = c.due(at(400), ack)
	require.False(t, a.rekey)
	a, _ = c.due(at(1050), ack)
	require.Equal(t, []uint32{2}, a.shown)
	c.acked(20)
	a, _ = c.due(at(1060), ack)
	require.Empty(t, a.shown)
	// Timestamps wrap.
	c.sends(0xffff_fff0, frame(3), at(2000))
	c.sends(5, frame(4), at(2010))
	c.acked(5)
	a, _ = c.due(at(2020), ack)
	require.Equal(t, []uint32{4}, a.shown)
	for i := range uint32(100) {
		c.sends(10+i, frame(5+i), at(3000))
	}
	require.LessOrEqual(t, len(c.flight), maxFlight)
}

func FuzzParseOffer(f *testing.F) {
	f.Add(offerOf(f))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseOffer([]byte(text)); err != nil {
			require.ErrorIs(t, err, ErrOffer)
		}
	})
}

func FuzzParseFragment(f *testing.F) {
	f.Add("a=ice-ufrag:abcd\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n")
	f.Add("m=video")
	f.Fuzz(func(t *testing.T, text string) {
		fr, err := parseFragment([]byte(text))
		if err != nil {
			require.ErrorIs(t, err, ErrFragment)
		}
		require.LessOrEqual(t, len(fr.candidates), maxCandidates)
	})
}

// FuzzOffer answers what anybody may send: pion's part, too.
func FuzzOffer(f *testing.F) {
	f.Add(offerOf(f))
	f.Add(offerOf(f) + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=sctp-port:5000\r\n")
	f.Add(offerOf(f) + "a=candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active\r\n")
	s, err := New(Config{Video: newSources().video, Logger: quiet})
	require.NoError(f, err)
	udp, err := ListenUDP("127.0.0.1:0")
	require.NoError(f, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, nil, udp) }()
	f.Cleanup(func() {
		cancel()
		<-done
	})
	require.Eventually(f, s.serving, patience, time.Millisecond)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := s.Offer(t.Context(), Request{SDP: []byte(text)})
		if err != nil {
			if ctx.Err() == nil {
				require.ErrorIs(t, err, ErrOffer)
			}
			return
		}
		require.NoError(t, s.End(a.ID))
		require.Eventually(t, func() bool { return s.Sessions() == 0 }, patience, time.Millisecond)
	})
}
