package reverse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	padded := func(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }
	for s, want := range map[string][]Target{
		"host":                                 {{Host: "host", Port: 5500}},
		"host:1":                               {{Host: "host", Port: 5501}},
		"host:0, other:5678":                   {{Host: "host", Port: 5500}, {Host: "other", Port: 5678}},
		"host::5501":                           {{Host: "host", Port: 5501}},
		"::1":                                  {{Host: "::1", Port: 5500}},
		"[fe80::1%eth0]:80":                    {{Host: "fe80::1%eth0", Port: 80}},
		"pre=hello\\n\\c\\\\+host:80":          {{Host: "host", Port: 80, First: []byte("hello\n,\\")}},
		"pre8=abc+host":                        {{Host: "host", Port: 5500, First: padded("abc", 8)}},
		"repeater=ID:1234+host:5901":           {{Host: "host", Port: 5901, First: padded("ID:1234", 250)}},
		"repeater=23.45.67.89::5501+host:5901": {{Host: "host", Port: 5901, First: padded("23.45.67.89::5501", 250)}},
		"repeater://host:5901+ID:1234":         {{Host: "host", Port: 5901, First: padded("ID:1234", 250)}},
		"prefix.example.org":                   {{Host: "prefix.example.org", Port: 5500}},
	} {
		got, err := Parse(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for _, s := range []string{"", ",", ":1", "host:x", "host:70000", "host:-1", "[::1", "[::1]x", "a b", "pre=x", "pre2=abc+host",
		"pre99999999=abc+host", "repeater://host", "a/b", strings.Repeat("a", 300), strings.Repeat("a,", 200)} {
		_, err := Parse(s)
		assert.Error(t, err, s)
	}
}

func TestParseProxies(t *testing.T) {
	got, err := ParseProxies("a:1,http://b:2,socks5://[::1]:3")
	require.NoError(t, err)
	assert.Equal(t, []Proxy{{"http", "a:1"}, {"http", "b:2"}, {"socks5", "[::1]:3"}}, got)
	got, err = ParseProxies("socks://a:1,socks4a://b:2")
	require.NoError(t, err)
	assert.Equal(t, []Proxy{{"socks4", "a:1"}, {"socks4", "b:2"}}, got)
	for _, s := range []string{"", "a", "http://a", "ssh://a:1", "ftp://a:1", "a:0", "a:1,b:2,c:3,d:4", "http://a:1/cgi"} {
		_, err := ParseProxies(s)
		assert.Error(t, err, s)
	}
}

// listener accepts connections for serve until the test ends.
func listener(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

// pipe carries bytes both ways until both have ended.
func pipe(a net.Conn, ar io.Reader, to string) {
	b, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer b.Close()
	var wg sync.WaitGroup
	wg.Go(func() { io.Copy(b, ar); b.(*net.TCPConn).CloseWrite() })
	io.Copy(a, b)
	a.(*net.TCPConn).CloseWrite()
	wg.Wait()
}

// The proxies are written from their documents, names and all.
func httpProxy(c net.Conn) {
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil || req.Method != http.MethodConnect || req.Host != req.RequestURI {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		return
	}
	if strings.HasPrefix(req.Host, "forbidden") {
		io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n")
		return
	}
	io.WriteString(c, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
	pipe(c, r, req.Host)
}

func socks4Proxy(c net.Conn) {
	r := bufio.NewReader(c)
	var h [8]byte
	if _, err := io.ReadFull(r, h[:]); err != nil || h[0] != 4 || h[1] != 1 {
		return
	}
	if _, err := r.ReadString(0); err != nil {
		return
	}
	host := net.IP(h[4:8]).String()
	if h[4]|h[5]|h[6] == 0 && h[7] != 0 {
		name, _ := r.ReadString(0)
		if name = strings.TrimSuffix(name, "\x00"); name != "viewer.example" {
			c.Write([]byte{0, 91, 0, 0, 0, 0, 0, 0})
			return
		}
		host = "127.0.0.1"
	}
	c.Write([]byte{0, 90, 0, 0, 0, 0, 0, 0})
	pipe(c, r, net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(h[2:])))))
}

func socks5Proxy(c net.Conn) {
	r := bufio.NewReader(c)
	var h [4]byte
	io.ReadFull(r, h[:2])
	io.ReadFull(r, make([]byte, h[1]))
	c.Write([]byte{5, 0})
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return
	}
	host := ""
	switch h[3] {
	case 1:
		b := make([]byte, 4)
		io.ReadFull(r, b)
		host = net.IP(b).String()
	case 3:
		n, _ := r.ReadByte()
		b := make([]byte, n)
		io.ReadFull(r, b)
		if string(b) != "viewer.example" {
			c.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		host = "127.0.0.1"
	}
	var port [2]byte
	io.ReadFull(r, port[:])
	c.Write([]byte("\x05\x00\x00\x03\x04name\x12\x34"))
	pipe(c, r, net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port[:])))))
}

func TestDial(t *testing.T) {
	// The viewer sends back what comes.
	viewer := listener(t, func(c net.Conn) { io.Copy(c, c); c.(*net.TCPConn).CloseWrite() })
	_, number, _ := net.SplitHostPort(viewer)
	port, _ := strconv.Atoi(number)
	web, s4, s5 := listener(t, httpProxy), listener(t, socks4Proxy), listener(t, socks5Proxy)
	for name, tt := range map[string]struct {
		proxies []Proxy
		host    string
		bad     string
	}{
		"direct":         {nil, "127.0.0.1", ""},
		"http":           {[]Proxy{{"http", web}}, "127.0.0.1", ""},
		"socks4":         {[]Proxy{{"socks4", s4}}, "localhost", ""},
		"socks4a":        {[]Proxy{{"socks4", s4}}, "viewer.example", ""},
		"socks5":         {[]Proxy{{"socks5", s5}}, "127.0.0.1", ""},
		"socks5 by name": {[]Proxy{{"socks5", s5}}, "viewer.example", ""},
		"three":          {[]Proxy{{"http", web}, {"socks4", s4}, {"socks5", s5}}, "viewer.example", ""},
		"forbidden":      {[]Proxy{{"http", web}}, "forbidden", "403"},
		"no such 4":      {[]Proxy{{"socks4", s4}}, "nobody.example", "code 91"},
		"no such 5":      {[]Proxy{{"socks5", s5}}, "nobody.example", "code 4"},
		"not http":       {[]Proxy{{"http", viewer}}, "x", "CONNECT"},
		"not socks5":     {[]Proxy{{"socks5", viewer}}, "x", "password"},
		"six":            {[]Proxy{{"socks4", s4}}, "::1", "IPv6"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Dial(t.Context(), Target{Host: tt.host, Port: port, First: []byte("first")}, tt.proxies)
			if tt.bad != "" {
				require.ErrorContains(t, err, tt.bad)
				return
			}
			require.NoError(t, err)
			defer c.Close()
			_, err = io.WriteString(c, " and then")
			require.NoError(t, err)
			require.NoError(t, c.(*net.TCPConn).CloseWrite())
			b, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "first and then", string(b))
		})
	}
	// A proxy that says nothing.
	silent := listener(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, Target{Host: "x", Port: 1}, []Proxy{{"http", silent}})
	require.Error(t, err)
	require.Error(t, ctx.Err())
}

func TestWatchFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	ctx, cancel := context.WithCancel(t.Context())
	lines, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(ended)
		WatchFile(ctx, path, time.Millisecond, func(l string) { lines <- l })
	}()
	for range 3 {
		require.NoError(t, os.WriteFile(path, []byte("host:1\nsecond\n"), 0o600))
		require.Equal(t, "host:1", <-lines)
		st, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, st.Size())
	}
	cancel()
	<-ended
}

// FuzzParse reads targets and proxies, and proxies' answers.
func FuzzParse(f *testing.F) {
	f.Add("repeater=ID:1+h:1,pre3=a+b", []byte("HTTP/1.1 200 OK\r\n\r\n"))
	f.Add("socks5://a:1", []byte("\x05\x00\x05\x00\x00\x03\x04name\x12\x34"))
	f.Add("[::1]:2", []byte("\x00\x5a\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, s string, answer []byte) {
		if list, err := Parse(s); err == nil {
			for _, x := range list {
				require.NotEmpty(t, x.Host)
				require.True(t, x.Port >= 0 && x.Port <= 65535)
				require.LessOrEqual(t, len(x.First), max(maxFirst, len(s)))
			}
		}
		_, _ = ParseProxies(s)
		for _, kind := range []string{"http", "socks4", "socks5"} {
			rw := struct {
				io.Reader
				io.Writer
			}{bytes.NewReader(answer), io.Discard}
			_ = Proxy{Kind: kind}.connect(rw, "host:1")
		}
	})
}
