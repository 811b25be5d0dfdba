package rfb

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// startTLS stands for TLS: it says on the wire where it begins, and goes on in the
// clear.
func startTLS(rw io.ReadWriter) func() (io.ReadWriter, error) {
	return func() (io.ReadWriter, error) {
		_, err := rw.Write([]byte("<TLS>"))
		return rw, err
	}
}

var encrypted = []struct {
	name           string
	cfg            ServerConfig
	client, server string
	want           Handshake
}{
	{"none", open, "RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04\x01",
		"\x01\x13\x00\x02\x00\x01\x00\x00\x01\x04\x01<TLS>\x00\x00\x00\x00", Handshake{Version38, SecurityNone, 1, true, true}},
	{"3.7 none", open, "RFB 003.007\n\x13\x00\x02\x00\x00\x01\x04\x00",
		"\x01\x13\x00\x02\x00\x01\x00\x00\x01\x04\x01<TLS>\x00\x00\x00\x00", Handshake{Version37, SecurityNone, 1, false, true}},
	{"password", both, "RFB 003.008\n\x13\x00\x02\x00\x00\x01\x05" + response() + "\x01",
		"\x01\x13\x00\x02\x00\x02\x00\x00\x01\x05\x00\x00\x01\x04\x01<TLS>" + zeroChallenge + "\x00\x00\x00\x00",
		Handshake{Version38, SecurityVncAuth, 3, true, true}},
}

func TestVeNCrypt(t *testing.T) {
	t.Parallel()
	for _, v := range encrypted {
		accept := func(client string) (*script, Handshake, error) {
			s := &script{Reader: strings.NewReader(client)}
			cfg := v.cfg
			cfg.StartTLS = startTLS(s)
			h, err := Accept(s, cfg)
			return s, h, err
		}
		s, h, err := accept(v.client + "after")
		require.NoError(t, err, v.name)
		require.Equal(t, v.want, h, v.name)
		require.Equal(t, "RFB 003.008\n"+v.server, s.written.String(), v.name)
		rest, _ := io.ReadAll(s)
		require.Equal(t, "after", string(rest), "nothing after the handshake is read")
		for i := range v.client {
			_, _, err := accept(v.client[:i])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s: prefix of %d bytes", v.name, i)
		}
	}
}

// TestVeNCryptRefuses: nobody gets round TLS.
func TestVeNCryptRefuses(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]struct{ client, server string }{
		"version 3.3":        {"RFB 003.003\n\x01", "\x00\x00\x00\x00\x00\x00\x00\x20this server wants TLS (VeNCrypt)"},
		"none in the clear":  {"RFB 003.008\n\x01\x01", "\x01\x13"},
		"password":           {"RFB 003.008\n\x02" + response(), "\x01\x13"},
		"version 0.1":        {"RFB 003.008\n\x13\x00\x01", "\x01\x13\x00\x02\xff"},
		"plain":              {"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x00", "\x01\x13\x00\x02\x00\x01\x00\x00\x01\x05\x00"},
		"none not offered":   {"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x04\x01", "\x01\x13\x00\x02\x00\x01\x00\x00\x01\x05\x00"},
		"wrong after TLS":    {"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x05" + wrong, ""},
		"TLS does not begin": {"RFB 003.008\n\x13\x00\x02\x00\x00\x01\x05", ""},
	} {
		s := &script{Reader: strings.NewReader(v.client)}
		cfg := locked
		cfg.StartTLS = startTLS(s)
		if name == "TLS does not begin" {
			cfg.StartTLS = func() (io.ReadWriter, error) { return nil, errors.New("bad certificate") }
		}
		h, err := Accept(s, cfg)
		require.Error(t, err, name)
		require.Zero(t, h, name)
		if v.server != "" {
			require.Equal(t, "RFB 003.008\n"+v.server, s.written.String(), name)
		}
	}
}

// TestVeNCryptBothSides runs Accept against Connect.
func TestVeNCryptBothSides(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]SecurityType{"": SecurityNone, "secret": SecurityVncAuth} {
		client, server := net.Pipe()
		result := make(chan Handshake, 1)
		go func() {
			defer server.Close()
			cfg := both
			cfg.StartTLS = func() (io.ReadWriter, error) { return server, nil }
			h, err := Accept(server, cfg)
			if err == nil {
				_, err = server.Write(ServerInit{Format: pix.BGRX}.Append(nil))
			}
			if err != nil {
				h = Handshake{}
			}
			result <- h
		}()
		started := false
		w, err := Connect(client, ClientConfig{Password: []byte(password), StartTLS: func() (io.ReadWriter, error) {
			started = true
			return client, nil
		}})
		require.NoError(t, err)
		require.True(t, started && w.TLS)
		require.Equal(t, want, w.Security)
		h := <-result
		require.Equal(t, want, h.Security)
		require.True(t, h.TLS)
		client.Close()
	}
}

// FuzzVeNCrypt plays viewers and servers of arbitrary bytes. A viewer gets in only
// by way of TLS.
func FuzzVeNCrypt(f *testing.F) {
	for _, v := range encrypted {
		f.Add(v.client)
		f.Add("RFB 003.008\n" + v.server)
	}
	f.Fuzz(func(t *testing.T, peer string) {
		s := &script{Reader: strings.NewReader(peer)}
		cfg, started := both, false
		cfg.StartTLS = func() (io.ReadWriter, error) { started = true; return s, nil }
		h, err := Accept(s, cfg)
		if err == nil {
			require.True(t, started && h.TLS)
		} else {
			require.Zero(t, h)
		}
		s = &script{Reader: strings.NewReader(peer)}
		w, err := Connect(s, ClientConfig{StartTLS: func() (io.ReadWriter, error) { return s, nil }})
		if err == nil && w.TLS {
			require.Contains(t, w.Offered, SecurityVeNCrypt)
		}
	})
}
