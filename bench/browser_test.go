package bench

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatencies(t *testing.T) {
	begin := time.UnixMilli(1_700_000_000_000)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	ms := func(n int) float64 { return float64(at(n).UnixMilli()) }
	draws := []drawn{{at(0), 0}, {at(300), 1}, {at(600), 2}, {at(900), 3}}
	seen := []sight{
		{ms(-50), 1}, // before it was drawn
		{ms(12), 0}, {ms(320), 1},
		{ms(905), 2}, // after the next one was drawn
		{ms(950), 3},
	}
	took, missed := latencies(draws, seen)
	require.Equal(t, []float64{12, 20, 305, 50}, took)
	require.Zero(t, missed)

	took, missed = latencies(draws, seen[:3])
	require.Equal(t, []float64{12, 20}, took)
	require.Equal(t, 2, missed)

	// A colour is not that of a change so long ago that it has been drawn again.
	var many []drawn
	for i := range colours + 1 {
		many = append(many, drawn{at(i * 100), i % colours})
	}
	took, missed = latencies(many, []sight{{ms(colours*100 + 7), 0}})
	require.Equal(t, []float64{7}, took)
	require.Equal(t, colours, missed)
}

func TestBlinkColours(t *testing.T) {
	for c := range colours {
		v := blinkColour(c)
		// As the page reads it.
		got := v>>16&0xff>>7<<2 | v>>8&0xff>>7<<1 | v&0xff>>7
		require.Equal(t, uint32(c), got)
	}
}

func TestPagesRefuse(t *testing.T) {
	for _, o := range []PageOptions{{}, {Program: "x", Works: []string{"dance"}}, {Program: "x", Size: "1x1"}} {
		_, err := Pages(t.Context(), o)
		require.Error(t, err, "%+v", o)
	}
	rs, err := Pages(t.Context(), PageOptions{Program: "x", Works: []string{"none"}})
	require.NoError(t, err)
	require.Empty(t, rs)
}

func TestBrowsersRefuse(t *testing.T) {
	for _, o := range []BrowserOptions{{}, {Program: "x"}, {Program: "x", Web: "x", Ways: []string{"telepathy"}}, {Program: "x", Web: t.TempDir()}} {
		_, err := Browsers(t.Context(), o)
		require.Error(t, err, "%+v", o)
	}
	rs, err := Browsers(t.Context(), BrowserOptions{Ways: []string{"none"}})
	require.NoError(t, err)
	require.Empty(t, rs)
}

// TestServeNoVNC: files come from the folder, /websockify from the server; closing
// leaves nothing behind.
func TestServeNoVNC(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("server " + r.URL.Path)) //nolint:errcheck // the client notices
	}))
	defer server.Close()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "page.html"), []byte("a page"), 0o600))
	s, err := serveNoVNC(dir, strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for path, want := range map[string]string{"page.html": "a page", "websockify": "server /websockify"} {
		resp, err := http.Get("http://" + s.addr + "/" + path)
		require.NoError(t, err)
		b := make([]byte, 64)
		n, _ := resp.Body.Read(b)
		resp.Body.Close()
		require.Equal(t, want, string(b[:n]))
	}
	s.close()
	http.DefaultClient.CloseIdleConnections()
	_, err = http.Get("http://" + s.addr + "/page.html")
	require.Error(t, err)
}
