package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/rtc"
	"framebridge/internal/screen"
	"framebridge/internal/stream"
	"framebridge/internal/vnc"
)

// still is a stream without frames.
type still struct{ stream.Video }

func (still) Next(ctx context.Context) (*stream.Frame, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (still) Rekey() {}
func (still) Close() {}

// FuzzWHEP: whatever is sent to /whep and below gets an answer that is ours.
func FuzzWHEP(f *testing.F) {
	f.Add("POST", "whep", typeSDP, "", "v=0\r\n")
	f.Add("POST", "whep", typeSDP, "", "")
	f.Add("POST", "whep", "text/plain; =", "", strings.Repeat("a", rtc.MaxSDP+1))
	f.Add("PATCH", "whep/nobody", typeFragment, `"x"`, "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n")
	f.Add("DELETE", "whep/nobody", "", "*", "")
	f.Add("OPTIONS", "whep", "", "", "")
	f.Add("GET", "whep/", "", "", "")
	quiet := slog.New(slog.DiscardHandler)
	scr := screen.New(screen.Config{Logger: quiet})
	v, err := vnc.New(vnc.Config{Screen: scr, NoAuth: true, NoAuthRights: vnc.FullRights, Logger: quiet})
	require.NoError(f, err)
	st, err := stream.New(stream.Config{Screen: scr, Logger: quiet})
	require.NoError(f, err)
	p, err := rtc.New(rtc.Config{Video: func(bool) stream.Video { return still{} }, Logger: quiet})
	require.NoError(f, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l, nil) }()
	f.Cleanup(func() {
		cancel()
		require.NoError(f, <-done)
	})
	s, err := New(Config{VNC: v, Screen: scr, Stream: st, RTC: p, Logger: quiet})
	require.NoError(f, err)
	known := map[int]bool{
		http.StatusOK: true, http.StatusCreated: true, http.StatusNoContent: true, http.StatusBadRequest: true,
		http.StatusNotFound: true, http.StatusMethodNotAllowed: true, http.StatusPreconditionFailed: true,
		http.StatusRequestEntityTooLarge: true, http.StatusUnsupportedMediaType: true,
		http.StatusUnprocessableEntity: true, http.StatusServiceUnavailable: true,
	}
	f.Fuzz(func(t *testing.T, method, path, kind, tag, body string) {
		q, err := http.NewRequest(method, "http://127.0.0.1/", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "whep") {
			return
		}
		q.URL.Path = "/" + path
		q.Header.Set("Content-Type", kind)
		q.Header.Set("If-Match", tag)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, q)
		resp := w.Result()
		io.Copy(io.Discard, resp.Body)
		require.True(t, known[resp.StatusCode], "%s %s: %s", method, path, resp.Status)
		if at := resp.Header.Get("Location"); resp.StatusCode == http.StatusCreated {
			require.NoError(t, p.End(strings.TrimPrefix(at, "whep/")))
		}
	})
}
