package bench

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/coder/websocket"

	"framebridge/internal/stream"
)

// pageViewer is what the page is to the server, without its decoder: it takes the
// messages of /stream and acknowledges each frame at once.
type pageViewer struct {
	ws     *websocket.Conn
	frames atomic.Int64
	bytes  atomic.Int64 // of all messages
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid when done is closed
}

// maxPageMessage bounds a message: a key frame of the largest screen.
const maxPageMessage = 64 << 20

// openPage connects to the server at addr.
func openPage(ctx context.Context, addr string) (*pageViewer, error) {
	ws, resp, err := websocket.Dial(ctx, "ws://"+addr+"/stream", nil)
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("opening /stream: %w", err)
	}
	ws.SetReadLimit(maxPageMessage)
	v := &pageViewer{ws: ws, done: make(chan struct{})}
	ctx, v.cancel = context.WithCancel(ctx)
	go func() {
		defer close(v.done)
		v.err = v.run(ctx)
	}()
	return v, nil
}

func (v *pageViewer) run(ctx context.Context) error {
	for {
		_, b, err := v.ws.Read(ctx)
		if err != nil {
			return err
		}
		v.bytes.Add(int64(len(b)))
		m, err := stream.ParseServer(b)
		if err != nil {
			return err
		}
		var answer stream.PageMessage
		switch m := m.(type) {
		case stream.FrameMessage:
			v.frames.Add(1)
			answer = stream.Ack(m.Seq)
		case stream.ServerPing:
			answer = stream.PagePong(m)
		case stream.Bye:
			return fmt.Errorf("the server says: %s", m.Text)
		}
		if answer == nil {
			continue
		}
		if err := v.ws.Write(ctx, websocket.MessageBinary, answer.Append(nil)); err != nil {
			return err
		}
	}
}

// gone is an error when the connection has ended.
func (v *pageViewer) gone() error {
	select {
	case <-v.done:
		return fmt.Errorf("a page lost its connection: %w", v.err)
	default:
		return nil
	}
}

func (v *pageViewer) close() {
	v.cancel()
	v.ws.CloseNow() //nolint:errcheck // nothing is expected any more
	<-v.done
}
