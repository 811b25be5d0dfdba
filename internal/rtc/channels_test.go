package rtc

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"framebridge/internal/stream"
)

// session is a page's session, of which the test is the server's side.
type session struct {
	t    Transport
	v    stream.Video
	got  chan []byte
	over chan struct{}
}

func pageOf(ch chan *session) func(ctx context.Context, t Transport, v stream.Video) {
	return func(ctx context.Context, t Transport, v stream.Video) {
		se := &session{t, v, make(chan []byte, 10000), make(chan struct{})}
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				b, err := t.Read()
				if err != nil {
					return
				}
				se.got <- bytes.Clone(b)
			}
		}()
		ch <- se
		select {
		case <-ctx.Done():
		case <-se.over:
		case <-read:
		}
		t.Close(false)
		<-read
	}
}

func (se *session) message(t *testing.T) []byte {
	t.Helper()
	select {
	case b := <-se.got:
		return b
	case <-time.After(patience):
		require.Fail(t, "no message came")
		return nil
	}
}

func pointerMessage(x, y, buttons uint16) []byte {
	b := []byte{typePointer}
	for _, n := range []uint16{x, y, buttons} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

// page connects a page and returns both sides of its session.
func page(t *testing.T, s *Server, protocol string) (*player, *session) {
	t.Helper()
	ch := make(chan *session, 1)
	p := play(t, s, playerOptions{channels: true, protocol: protocol, page: pageOf(ch)})
	select {
	case <-p.opened:
	case <-time.After(patience):
		require.Fail(t, "the channels do not open")
	}
	select {
	case se := <-ch:
		return p, se
	case <-time.After(patience):
		require.Fail(t, "no session was started")
		return nil, nil
	}
}

func TestMessages(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	p, se := page(t, s, "")
	require.Zero(t, s.Viewers(), "a page is counted by its session")

	key := []byte{130, 1, 0, 0, 0, 'a', 0, 0, 0, 30}
	require.NoError(t, p.control.Send(key))
	require.Equal(t, key, se.message(t))
	clip := append([]byte{132}, bytes.Repeat([]byte("x"), 1<<20)...)
	require.NoError(t, p.control.Send(clip))
	require.Equal(t, clip, se.message(t))

	// Buttons are those of the control channel, whatever a late move says.
	require.NoError(t, p.control.Send(pointerMessage(1, 2, 5)))
	require.Equal(t, pointerMessage(1, 2, 5), se.message(t))
	require.NoError(t, p.pointer.Send(pointerMessage(3, 4, 0)))
	require.Equal(t, pointerMessage(3, 4, 5), se.message(t))
	// Nothing else goes over the pointer channel.
	require.NoError(t, p.pointer.Send(key))
	require.NoError(t, p.pointer.Send(pointerMessage(9, 9, 9)))
	require.Equal(t, pointerMessage(9, 9, 5), se.message(t))

	// To the page, with more than fits into the channel's buffer.
	for i := range 100 {
		require.NoError(t, se.t.Write(t.Context(), bytes.Repeat([]byte{byte(i)}, 10000)))
	}
	for i := range 100 {
		select {
		case b := <-p.messages:
			require.Equal(t, bytes.Repeat([]byte{byte(i)}, 10000), b)
		case <-time.After(patience):
			require.Fail(t, "a message is lost")
		}
	}

	v := src.next(t)
	before := v.rekeys.Load()
	se.v.Rekey()
	require.Eventually(t, func() bool { return v.rekeys.Load() > before }, patience, time.Millisecond)
	se.v.SetQuality("sharp")
	require.Equal(t, "sharp", v.quality.Load())

	// The last words reach the page, then it is disconnected.
	require.NoError(t, se.t.Write(t.Context(), []byte("bye")))
	close(se.over)
	require.Equal(t, []byte("bye"), <-p.messages)
	p.gone()
}

// A page that leaves ends its session.
func TestPageLeaves(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	p, _ := page(t, s, "")
	require.NoError(t, p.control.Close())
	p.gone()
	require.Eventually(t, func() bool { return s.Sessions() == 0 }, patience, time.Millisecond)
}

// A page that acknowledges frames does so with their RTP timestamps; where it does
// not, they count as shown after a while.
func TestAcknowledgements(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"), func(s *Server) { s.limit.ack = time.Hour })
	p, _ := page(t, s, protocolAck)
	v := src.next(t)
	require.True(t, v.acks)
	f := p.frame()
	require.NoError(t, p.control.Send(binary.BigEndian.AppendUint32([]byte{typeAck}, f.timestamp)))
	require.Eventually(t, func() bool { return v.acked.Load() > 0 }, patience, time.Millisecond)
}

func TestFramesCountAsShown(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"), func(s *Server) { s.limit.ack = time.Millisecond })
	page(t, s, protocolAck)
	v := src.next(t)
	require.Eventually(t, func() bool { return v.acked.Load() > 0 }, patience, time.Millisecond)
}

// A page that opens channels without end is dropped; others are not touched.
func TestTooManyChannels(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	other := play(t, s, playerOptions{})
	ov := src.next(t)
	other.key()
	p, _ := page(t, s, "")
	for range 2 * maxChannels {
		if _, err := p.pc.CreateDataChannel("more", nil); err != nil {
			break // it is over already
		}
	}
	p.gone()
	ov.tokens <- struct{}{}
	other.frame()
}

// A message beyond the bound ends the session.
func TestMessageTooLong(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video, MaxMessage: 100_000}, nil, udpSockets(t, "127.0.0.1:0"))
	p, se := page(t, s, "")
	require.Contains(t, string(p.answer.SDP), "max-message-size:100000")
	require.NoError(t, p.control.Send(make([]byte, 100_000)))
	require.Len(t, se.message(t), 100_000)
	_ = p.control.Send(make([]byte, 150_000)) // it may refuse by itself: we said so
	require.NoError(t, s.End(p.answer.ID))
	p.gone()
}

// A player that says nothing of channels gets none.
func TestNoPage(t *testing.T) {
	src := newSources()
	s := serve(t, Config{Video: src.video}, nil, udpSockets(t, "127.0.0.1:0"))
	p := play(t, s, playerOptions{channels: true})
	closed := make(chan struct{})
	p.control.OnClose(func() { close(closed) })
	p.key()
	select {
	case <-closed:
	case <-time.After(patience):
		require.Fail(t, "the control channel stays open")
	}
	require.Equal(t, webrtc.PeerConnectionStateConnected, p.pc.ConnectionState())
}
