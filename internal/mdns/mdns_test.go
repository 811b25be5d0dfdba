package mdns

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 30 * time.Second

var service = Service{Name: "box:0, a desktop", Type: "_rfb._tcp", Host: "x11vnc box 5900", Port: 5900, Text: []string{"a=b"}}

func someAddresses() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
}

func testRecords(t testing.TB) *records {
	t.Helper()
	r, err := newRecords(service, someAddresses)
	require.NoError(t, err)
	return r
}

const (
	kind     = "_rfb._tcp.local."
	instance = "box:0, a desktop._rfb._tcp.local."
	host     = "x11vnc-box-5900.local."
)

func question(name string, t dnsmessage.Type, class dnsmessage.Class) dnsmessage.Question {
	return dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: t, Class: class}
}

func pack(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	b, err := m.Pack()
	require.NoError(t, err)
	return b
}

// short says what records are.
func short(list []dnsmessage.Resource) (s []string) {
	for _, r := range list {
		v := strings.TrimPrefix(r.Header.Type.String(), "Type") + " " + r.Header.Name.String()
		switch b := r.Body.(type) {
		case *dnsmessage.PTRResource:
			v += " " + b.PTR.String()
		case *dnsmessage.SRVResource:
			v += " " + b.Target.String()
		case *dnsmessage.AResource:
			v += " " + netip.AddrFrom4(b.A).String()
		case *dnsmessage.AAAAResource:
			v += " " + netip.AddrFrom16(b.AAAA).String()
		case *dnsmessage.TXTResource:
			v += " " + strings.Join(b.TXT, ",")
		}
		s = append(s, v)
	}
	return s
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	r := testRecords(t)
	ptr := []string{"PTR " + kind + " " + instance}
	srv, txt := "SRV "+instance+" "+host, "TXT "+instance+" a=b"
	a, aaaa := "A "+host+" 192.0.2.1", "AAAA "+host+" 2001:db8::1"
	const in = dnsmessage.ClassINET
	for _, c := range []struct {
		q             dnsmessage.Question
		answers, more []string
	}{
		{question(kind, dnsmessage.TypePTR, in), ptr, []string{srv, txt, a, aaaa}},
		{question("_RFB._tcp.Local.", dnsmessage.TypeALL, in|unicast), ptr, []string{srv, txt, a, aaaa}},
		{question(servicesName, dnsmessage.TypePTR, in), []string{"PTR " + servicesName + " " + kind}, nil},
		{question(instance, dnsmessage.TypeSRV, in), []string{srv}, []string{a, aaaa}},
		{question(instance, dnsmessage.TypeALL, dnsmessage.ClassANY), []string{srv, txt}, []string{a, aaaa}},
		{question(host, dnsmessage.TypeA, in), []string{a}, nil},
		{question(host, dnsmessage.TypeAAAA, in), []string{aaaa}, nil},
		{question(host, dnsmessage.TypeMX, in), nil, nil},
		{question(kind, dnsmessage.TypeA, in), nil, nil},
		{question("_http._tcp.local.", dnsmessage.TypePTR, in), nil, nil},
		{question(kind, dnsmessage.TypePTR, dnsmessage.ClassCHAOS), nil, nil},
	} {
		for _, legacy := range []bool{false, true} {
			b, alone := r.answer(pack(t, dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{c.q}}), legacy)
			if c.answers == nil {
				require.Nil(t, b)
				continue
			}
			require.Equal(t, legacy || c.q.Class&unicast != 0, alone)
			var m dnsmessage.Message
			require.NoError(t, m.Unpack(b))
			require.True(t, m.Response && m.Authoritative)
			require.Equal(t, c.answers, short(m.Answers))
			require.Equal(t, c.more, short(m.Additionals))
			for _, a := range append(m.Answers, m.Additionals...) {
				if legacy {
					require.Zero(t, a.Header.Class&flush)
					require.LessOrEqual(t, a.Header.TTL, uint32(legacyTTL))
				} else {
					require.Equal(t, a.Header.Type != dnsmessage.TypePTR, a.Header.Class&flush != 0)
				}
			}
			if legacy {
				require.Equal(t, uint16(7), m.ID)
				require.Equal(t, []dnsmessage.Question{c.q}, m.Questions)
			} else {
				require.Zero(t, m.ID)
			}
		}
	}
	// Who knows the answer is not told again.
	q := dnsmessage.Message{Questions: []dnsmessage.Question{question(kind, dnsmessage.TypePTR, in)}, Answers: []dnsmessage.Resource{r.pointer()}}
	b, _ := r.answer(pack(t, q), false)
	require.Nil(t, b)
	q.Answers[0].Header.TTL = 100 // soon forgotten
	b, _ = r.answer(pack(t, q), false)
	require.NotNil(t, b)
	q.Response = true
	b, _ = r.answer(pack(t, q), false)
	require.Nil(t, b)
}

func TestBadServices(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(s *Service){
		"Name": func(s *Service) { s.Name = ".." }, "Host": func(s *Service) { s.Host = "" }, "Port": func(s *Service) { s.Port = 0 },
		"Text": func(s *Service) { s.Text = []string{strings.Repeat("x", 256)} }, "Type": func(s *Service) { s.Type = strings.Repeat("_x.", 100) },
	} {
		s := service
		change(&s)
		_, err := newRecords(s, someAddresses)
		require.ErrorContains(t, err, "Service."+field)
	}
	require.Equal(t, strings.Repeat("ä", 31), label(strings.Repeat("ä", 50)))
	require.Equal(t, "a b", label("a.b\n"))
}

// TestNear: nobody from elsewhere is answered.
func TestNear(t *testing.T) {
	t.Parallel()
	networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24")}
	for a, want := range map[string]bool{"192.0.2.99": true, "::ffff:192.0.2.99": true, "127.0.0.1": true, "192.0.3.1": false, "203.0.113.5": false} {
		require.Equal(t, want, near(netip.MustParseAddr(a), networks), a)
	}
}

// TestNode: announcements, an answer, and the end.
func TestNode(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	sent := make(chan []byte, 8)
	n := &node{r: testRecords(t), pc: pc, log: slog.New(slog.DiscardHandler), send: func(b []byte) error {
		sent <- b
		return nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.run(ctx) }()
	ttl := func() uint32 {
		var m dnsmessage.Message
		require.NoError(t, m.Unpack(<-sent))
		require.Len(t, m.Answers, 5)
		return m.Answers[0].Header.TTL
	}
	require.Equal(t, uint32(otherTTL), ttl())
	c, err := net.Dial("udp4", pc.LocalAddr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
	_, err = c.Write(pack(t, dnsmessage.Message{Questions: []dnsmessage.Question{question(kind, dnsmessage.TypePTR, dnsmessage.ClassINET)}}))
	require.NoError(t, err)
	b := make([]byte, maxMessage)
	k, err := c.Read(b)
	require.NoError(t, err)
	var m dnsmessage.Message
	require.NoError(t, m.Unpack(b[:k]))
	require.Len(t, m.Answers, 1)
	require.Equal(t, uint32(otherTTL), ttl(), "once more")
	cancel()
	require.NoError(t, <-done)
	require.Zero(t, ttl(), "goodbye")
}

// TestAnnounce opens the real port, beside whoever has it.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- Announce(ctx, service, slog.New(slog.DiscardHandler)) }()
	}
	query := pack(t, dnsmessage.Message{Questions: []dnsmessage.Question{question(instance, dnsmessage.TypeSRV, dnsmessage.ClassINET)}})
	b := make([]byte, maxMessage)
	require.Eventually(t, func() bool { // until it is open, and the kernel chooses one of ours
		c, err := net.Dial("udp4", "127.0.0.1:5353")
		if err != nil {
			return false
		}
		defer c.Close()
		if _, err := c.Write(query); err != nil {
			return false
		}
		if c.SetReadDeadline(time.Now().Add(100*time.Millisecond)) != nil {
			return false
		}
		k, err := c.Read(b)
		return err == nil && k > 0
	}, timeout, time.Millisecond)
	cancel()
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.ErrorContains(t, Announce(t.Context(), Service{}, nil), "Service.")
}

func FuzzAnswer(f *testing.F) {
	r := testRecords(f)
	for _, q := range []dnsmessage.Question{question(kind, dnsmessage.TypePTR, dnsmessage.ClassINET), question(instance, dnsmessage.TypeALL, dnsmessage.ClassANY)} {
		f.Add(pack(f, dnsmessage.Message{Questions: []dnsmessage.Question{q}, Answers: []dnsmessage.Resource{r.pointer()}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, legacy := range []bool{false, true} {
			a, _ := r.answer(b, legacy)
			if a != nil {
				var m dnsmessage.Message
				require.NoError(t, m.Unpack(a))
				require.LessOrEqual(t, len(a), maxMessage)
			}
		}
	})
}
