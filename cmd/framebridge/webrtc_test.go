package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/vp8"

	"framebridge/internal/stream"
)

// player is a WHEP client: another program's WebRTC.
type player struct {
	t       testing.TB
	pc      *webrtc.PeerConnection
	keys    chan []byte // key frames
	ended   chan struct{}
	control *webrtc.DataChannel // nil: it only watches
	open    chan struct{}
	said    chan []byte
	session string // URL
	etag    string
}

func newPlayer(t testing.TB, network webrtc.NetworkType, controls bool) *player {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{network})
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	require.NoError(t, err)
	p := &player{t: t, pc: pc, keys: make(chan []byte, 100), ended: make(chan struct{}), open: make(chan struct{}), said: make(chan []byte, 1000)}
	t.Cleanup(func() { assert.NoError(t, pc.GracefulClose()) })
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	require.NoError(t, err)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateFailed {
			select {
			case <-p.ended:
			default:
				close(p.ended)
			}
		}
	})
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		b := samplebuilder.New(1000, &codecs.VP8Packet{}, tr.Codec().ClockRate)
		for {
			packet, _, err := tr.ReadRTP()
			if err != nil {
				return
			}
			b.Push(packet)
			for s := b.Pop(); s != nil; s = b.Pop() {
				if len(s.Data) > 0 && s.Data[0]&1 == 0 {
					select {
					case p.keys <- s.Data:
					default:
					}
				}
			}
		}
	})
	if controls {
		p.control, err = pc.CreateDataChannel("control", nil)
		require.NoError(t, err)
		p.control.OnOpen(func() { close(p.open) })
		p.control.OnMessage(func(m webrtc.DataChannelMessage) { p.said <- m.Data })
	}
	return p
}

// connect makes the request of WHEP, with a password if there is one, and returns the
// status. port, if not empty, is where a forwarder leads to the server, which is
// then all that the player knows of it.
func (p *player) connect(b *browser, base, token, port string) int {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	require.NoError(p.t, err)
	gathered := webrtc.GatheringCompletePromise(p.pc)
	require.NoError(p.t, p.pc.SetLocalDescription(offer))
	<-gathered
	status, body, h := b.request(http.MethodPost, base+"whep", "application/sdp", p.pc.LocalDescription().SDP, bearer(token))
	if status != http.StatusCreated {
		return status
	}
	require.Equal(p.t, "application/sdp", h.Get("Content-Type"))
	at, err := url.Parse(base + "whep")
	require.NoError(p.t, err)
	at, err = at.Parse(h.Get("Location"))
	require.NoError(p.t, err)
	p.session, p.etag = at.String(), h.Get("ETag")
	require.NotEmpty(p.t, p.etag)
	if port != "" {
		var kept []string
		for line := range strings.Lines(body) {
			if !strings.HasPrefix(line, "a=candidate") {
				kept = append(kept, line)
			}
		}
		body = strings.Join(kept, "")
	}
	require.NoError(p.t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: body}))
	if port != "" {
		require.NoError(p.t, p.pc.AddICECandidate(webrtc.ICECandidateInit{
			Candidate: "candidate:1 1 tcp 1671430143 127.0.0.1 " + port + " typ host tcptype passive",
		}))
	}
	return status
}

// request returns an answer's status, body and header.
func (b *browser) request(method, url, kind, body string, header http.Header) (int, string, http.Header) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, url, strings.NewReader(body))
	require.NoError(b.t, err)
	for k, v := range header {
		r.Header[k] = v
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := b.Do(r)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return resp.StatusCode, string(text), resp.Header
}

func bearer(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

// shows waits for a key frame that looks like the display.
func (p *player) shows(d *desktop, atLeast float64) {
	p.t.Helper()
	end := time.After(2 * timeout)
	best := 0.0
	for {
		select {
		case b := <-p.keys:
			dec := vp8.NewDecoder()
			dec.Init(bytes.NewReader(b), len(b))
			h, err := dec.DecodeFrameHeader()
			require.NoError(p.t, err)
			if best = psnr(keyPicture(p.t, stream.FrameMessage{Data: b, Width: h.Width, Height: h.Height}), d.grab()); best >= atLeast {
				return
			}
		case <-end:
			require.Fail(p.t, fmt.Sprintf("no picture like the display's, at best %.1f dB", best))
		}
	}
}

func (p *player) gone() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * timeout):
		require.Fail(p.t, "the session goes on")
	}
}

// TestWHEP: players of others see the display, over UDP and through a forwarder, and
// those with a control channel drive it.
func TestWHEP(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 320, 240)
	smooth(t, d)
	l := d.listen()
	for name, how := range map[string]struct {
		network webrtc.NetworkType
		args    []string
		forward bool
	}{
		"UDP":       {webrtc.NetworkTypeUDP4, nil, false},
		"TCP":       {webrtc.NetworkTypeTCP4, nil, false},
		"forwarder": {webrtc.NetworkTypeTCP4, []string{"--webrtc-udp", "off"}, true},
	} {
		s := serve(t, d.x, append([]string{"--rfb-delay", "5s"}, how.args...)...)
		b := s.browser()
		base, port := s.http, ""
		if how.forward {
			port = forward(t, s.shared)
			base = "http://127.0.0.1:" + port + "/"
		}
		watcher := newPlayer(t, how.network, false)
		require.Equal(t, http.StatusCreated, watcher.connect(b, base, "", port), name)
		watcher.shows(d, 30)

		p := newPlayer(t, how.network, true)
		require.Equal(t, http.StatusCreated, p.connect(b, base, "", port), name)
		select {
		case <-p.open:
		case <-time.After(2 * timeout):
			require.Fail(t, "the control channel does not open", name)
		}
		hello, err := stream.ParseServer(<-p.said)
		require.NoError(t, err)
		require.True(t, hello.(stream.Hello).Control)
		p.shows(d, 30)
		l.mu.Lock()
		l.events = nil
		l.mu.Unlock()
		require.NoError(t, p.control.Send(stream.Pointer{X: 31, Y: 41, Buttons: 1}.Append(nil)))
		require.NoError(t, p.control.Send(stream.Key{Down: true, Keysym: 'a', Code: 0x1e}.Append(nil)))
		l.heard("move 31,41", "button 1 at 31,41", "press 61")

		// A DELETE ends it, and what it held is released.
		code, _, _ := b.request(http.MethodDelete, p.session, "", "", nil)
		require.Equal(t, http.StatusOK, code)
		p.gone()
		d.nothingHeld()
		code, _, _ = b.request(http.MethodDelete, p.session, "", "", nil)
		require.Equal(t, http.StatusNotFound, code)
		l.heard("release 61", "button 1 up")
		d.pointer(10, 10)

		s.signal(syscall.SIGTERM)
		watcher.gone()
		require.Zero(t, s.wait(timeout), name)
	}
}

// TestWHEPRequests: what is no WHEP is refused, and so is who may not look.
func TestWHEPRequests(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 160, 120)
	file := filepath.Join(t.TempDir(), "pw")
	require.NoError(t, os.WriteFile(file, []byte("driving\nlooking\n"), 0o600))
	s := serve(t, d.x, "--password-file", file)
	b := s.browser()
	at := s.http + "whep"
	const sdp = "application/sdp"
	good := bearer("driving")

	code, _, h := b.request(http.MethodPost, at, sdp, "v=0", nil)
	require.Equal(t, http.StatusUnauthorized, code)
	require.Equal(t, "Bearer", h.Get("WWW-Authenticate"))
	code, _, _ = b.request(http.MethodPost, at, sdp, "v=0", bearer("wrong"))
	require.Equal(t, http.StatusUnauthorized, code)
	code, body, _ := b.request(http.MethodPost, at, sdp, "what?", good)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, "offer")
	code, _, _ = b.request(http.MethodPost, at, "text/plain", "v=0", good)
	require.Equal(t, http.StatusUnsupportedMediaType, code)
	code, _, _ = b.request(http.MethodPost, at, sdp, strings.Repeat("a=b\r\n", 100_000), good)
	require.Equal(t, http.StatusRequestEntityTooLarge, code)
	code, _, h = b.request(http.MethodGet, at, "", "", good)
	require.Equal(t, http.StatusMethodNotAllowed, code)
	require.Contains(t, h.Get("Allow"), "POST")
	code, _, h = b.request(http.MethodOptions, at, "", "", nil)
	require.Equal(t, http.StatusNoContent, code)
	require.Equal(t, sdp, h.Get("Accept-Post"))
	foreign := good.Clone()
	foreign.Set("Origin", "http://elsewhere.example")
	code, _, _ = b.request(http.MethodPost, at, sdp, "v=0", foreign)
	require.Equal(t, http.StatusForbidden, code)
	code, _, _ = b.request(http.MethodDelete, at+"/nobody", "", "", good)
	require.Equal(t, http.StatusNotFound, code)

	// Who may only look gets no control.
	p := newPlayer(t, webrtc.NetworkTypeUDP4, true)
	require.Equal(t, http.StatusCreated, p.connect(b, s.http, "looking", ""))
	select {
	case m := <-p.said:
		hello, err := stream.ParseServer(m)
		require.NoError(t, err)
		require.False(t, hello.(stream.Hello).Control)
	case <-time.After(2 * timeout):
		require.Fail(t, "no hello")
	}
	const fragment = "application/trickle-ice-sdpfrag"
	candidate := "a=mid:0\r\na=candidate:9 1 udp 1 127.0.0.1 9 typ host\r\n"
	tagged := func(tag string) http.Header {
		h := good.Clone()
		h.Set("If-Match", tag)
		return h
	}
	for _, c := range []struct {
		header http.Header
		kind   string
		body   string
		want   int
	}{
		{good, fragment, candidate, http.StatusNoContent},
		{tagged(p.etag), fragment, candidate, http.StatusNoContent},
		{tagged("*"), fragment, candidate, http.StatusNoContent},
		{tagged(`"other"`), fragment, candidate, http.StatusPreconditionFailed},
		{good, fragment, "a=ice-ufrag:other\r\n" + candidate, http.StatusUnprocessableEntity},
		{good, fragment, "hello", http.StatusBadRequest},
		{good, sdp, candidate, http.StatusUnsupportedMediaType},
		{nil, fragment, candidate, http.StatusUnauthorized},
	} {
		code, text, _ := b.request(http.MethodPatch, p.session, c.kind, c.body, c.header)
		require.Equal(t, c.want, code, "%v: %s", c, text)
	}

	// Without WebRTC there is none.
	s = serve(t, d.x, "--webrtc=false")
	code, _, _ = s.browser().request(http.MethodPost, s.http+"whep", sdp, "v=0", nil)
	require.Equal(t, http.StatusNotFound, code)
}

func TestWebRTCFlags(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{
		{"--webrtc-udp", "nonsense"},
		{"--webrtc-udp", "203.0.113.9:0"},
		{"--webrtc-public-ip", "nonsense"},
		{"--webrtc-public-ip", "203.0.113.1,203.0.113.2"},
	} {
		p := start(t, command(t, nil, binary, append([]string{"serve", "--display", ":9999", "--wait-display", "1s", "--listen", "127.0.0.1:0"}, c...)...))
		require.NotZero(t, p.wait(timeout), c)
		require.Contains(t, p.stderr.String(), c[0])
	}
}
