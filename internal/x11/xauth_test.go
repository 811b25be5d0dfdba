package x11

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func entry(family uint16, address, number, cookie string) authEntry {
	return authEntry{family: family, address: address, number: number, name: cookieName, data: []byte(cookie)}
}

func TestParseAuth(t *testing.T) {
	want := []authEntry{
		entry(familyLocal, "host", "1", "0123456789abcdef"),
		entry(familyWild, "", "", "fedcba9876543210"),
		entry(familyInternet, "\x0a\x00\x00\x01", "12", "x"),
		{family: familyInternet6, address: "0123456789012345", number: "0", name: "XDM-AUTHORIZATION-1", data: []byte("yy")},
	}
	var file []byte
	ends := []int{0}
	for _, e := range want {
		file = e.append(file)
		ends = append(ends, len(file))
	}
	got, err := parseAuth(file)
	require.NoError(t, err)
	require.Equal(t, want, got)
	// Every prefix but those that end with an entry fails, and gives the entries
	// before the cut.
	for n := range file {
		got, err := parseAuth(file[:n])
		if i := slices.Index(ends, n); i >= 0 {
			require.NoError(t, err)
			require.Len(t, got, i)
			continue
		}
		require.Error(t, err, "%d bytes", n)
	}
}

func TestChooseCookies(t *testing.T) {
	unix := &net.UnixAddr{Name: "/tmp/.X11-unix/X1", Net: "unix"}
	tcp := func(s string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(s), Port: 6001} }
	for _, c := range []struct {
		name    string
		entries []authEntry
		remote  net.Addr
		want    []string
	}{
		{"nothing", nil, unix, nil},
		{"local", []authEntry{entry(familyLocal, "me", "2", "no"), entry(familyLocal, "me", "1", "yes")}, unix, []string{"yes"}},
		{"own host before wild before others", []authEntry{
			entry(familyLocal, "other", "1", "c"), entry(familyWild, "", "1", "b"), entry(familyLocal, "me", "1", "a"),
		}, unix, []string{"a", "b", "c"}},
		{"all numbers", []authEntry{entry(familyLocal, "me", "", "yes")}, unix, []string{"yes"}},
		{"another container wrote it", []authEntry{entry(familyLocal, "pod-7", "1", "yes"), entry(familyLocal, "pod-7", "2", "no")}, unix, []string{"yes"}},
		{"no repeats", []authEntry{entry(familyLocal, "me", "1", "a"), entry(familyWild, "", "", "a")}, unix, []string{"a"}},
		{"loopback is local", []authEntry{entry(familyLocal, "me", "1", "a")}, tcp("127.0.0.1"), []string{"a"}},
		{"internet", []authEntry{entry(familyLocal, "me", "1", "b"), entry(familyInternet, "\x0a\x00\x00\x01", "1", "a")}, tcp("10.0.0.1"), []string{"a", "b"}},
		{"internet6", []authEntry{entry(familyLocal, "me", "1", "b"), entry(familyInternet6, string(net.ParseIP("fe80::1")), "1", "a")}, tcp("fe80::1"), []string{"a", "b"}},
		{"other protocols", []authEntry{{family: familyWild, name: "XDM-AUTHORIZATION-1", data: []byte("x")}, {family: familyWild, name: cookieName}}, unix, nil},
	} {
		var got []string
		for _, cookie := range chooseCookies(c.entries, c.remote, "me", 1) {
			got = append(got, string(cookie))
		}
		assert.Equal(t, c.want, got, c.name)
	}
}

func TestReadAuth(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "auth")
	t.Setenv("XAUTHORITY", "")
	t.Setenv("HOME", dir)
	entries, err := readAuth("")
	require.NoError(t, err, "nobody needs a ~/.Xauthority")
	require.Empty(t, entries)
	_, err = readAuth(path)
	require.ErrorIs(t, err, os.ErrNotExist, "a file that was named must be there")

	require.NoError(t, os.WriteFile(path, AppendWildCookie(nil, []byte("cookie")), 0o600))
	for _, given := range []string{path, ""} {
		t.Setenv("XAUTHORITY", path)
		entries, err = readAuth(given)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	}
	require.NoError(t, os.WriteFile(path, make([]byte, maxAuthFile+1), 0o600))
	_, err = readAuth(path)
	require.ErrorContains(t, err, "longer")
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))
	_, err = readAuth(path)
	require.ErrorContains(t, err, path)
}

func FuzzParseAuth(f *testing.F) {
	f.Add(entry(familyLocal, "host", "1", "0123456789abcdef").append(AppendWildCookie(nil, []byte("x"))))
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseAuth(b)
		var again []byte
		for _, e := range entries {
			again = e.append(again)
		}
		// What was understood is the beginning of the file, all of it if there was
		// no error.
		if len(again) > len(b) || string(again) != string(b[:len(again)]) || err == nil && len(again) != len(b) {
			t.Fatalf("%x became %x, %v", b, again, err)
		}
		chooseCookies(entries, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}, "host", 1)
	})
}
