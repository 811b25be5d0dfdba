package x11

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseDisplay(t *testing.T) {
	for name, want := range map[string]Display{
		":1":              {Number: 1},
		":1.0":            {Number: 1},
		":10.2":           {Number: 10, Screen: 2},
		"unix:1.0":        {Number: 1},
		"unix/host:1":     {Number: 1},
		"unix/:3":         {Number: 3},
		"host:1":          {Host: "host", Number: 1},
		"host:1.0":        {Host: "host", Number: 1},
		"tcp/host:1.3":    {Host: "host", Number: 1, Screen: 3},
		"10.0.0.1:0":      {Host: "10.0.0.1"},
		"[::1]:1":         {Host: "::1", Number: 1},
		"inet6/::1:2":     {Host: "::1", Number: 2},
		"localhost:10.0":  {Host: "localhost", Number: 10},
		"/tmp/x/X7":       {Path: "/tmp/x/X7", Number: 7},
		"/tmp/launch:4":   {Path: "/tmp/launch:4", Number: 4},
		"/tmp/launch:4.1": {Path: "/tmp/launch:4", Number: 4, Screen: 1},
		"/tmp/socket":     {Path: "/tmp/socket"},
	} {
		got, err := ParseDisplay(name)
		if assert.NoError(t, err, name) {
			assert.Equal(t, want, got, name)
		}
	}
	for _, name := range []string{
		"", "1", ":", ":x", ":-1", ":+1", ":1.", ":1.x", ":1.255", ":59536", "host", "host:", "tcp/:1", "udp/host:1", "host::1", "[::1:1", "a/b/c:1",
		":99999999999999999999",
	} {
		_, err := ParseDisplay(name)
		assert.Error(t, err, name)
	}
}

// TestParseDisplayFile: a path that is there is taken as it is.
func TestParseDisplayFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock:4.1")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	d, err := ParseDisplay(path)
	require.NoError(t, err)
	assert.Equal(t, Display{Path: path, Number: 4}, d)
}

func TestEndpoints(t *testing.T) {
	for name, want := range map[string][]endpoint{
		":1":      {{"unix", "/tmp/.X11-unix/X1"}, {"unix", "@/tmp/.X11-unix/X1"}},
		"host:1":  {{"tcp", "host:6001"}},
		"[::1]:2": {{"tcp", "[::1]:6002"}},
		"/a/b":    {{"unix", "/a/b"}},
	} {
		d, err := ParseDisplay(name)
		require.NoError(t, err)
		assert.Equal(t, want, d.endpoints(), name)
	}
}

func FuzzParseDisplay(f *testing.F) {
	for _, s := range []string{":1", "host:1.0", "unix/host:1", "[::1]:2", "/tmp/x:4.1", "", "::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDisplay(s)
		if err != nil {
			return
		}
		if d.Number < 0 || d.Number > maxDisplay || d.Screen < 0 || d.Screen > 254 || d.Host != "" && d.Path != "" {
			t.Fatalf("%q: %+v", s, d)
		}
		if len(d.endpoints()) == 0 {
			t.Fatalf("%q: nothing to try", s)
		}
	})
}
