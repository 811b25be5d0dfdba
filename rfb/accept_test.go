package rfb

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
)

// TestHandshakeBothSides runs Accept against Connect in each version.
func TestHandshakeBothSides(t *testing.T) {
	t.Parallel()
	init := ServerInit{Width: 640, Height: 480, Format: pix.BGRX, Name: "a desktop"}
	cfg := ServerConfig{AllowNone: true, NoneGrant: "guest", Passwords: []Password{
		{Secret: []byte("looking"), Grant: "view"},
		{Secret: []byte("long password"), Grant: "control"},
	}}
	for _, v := range []Version{Version33, Version37, Version38, Version3Mac} {
		for _, c := range []struct {
			name, password, grant string
		}{{"none", "", "guest"}, {"first", "looking", "view"}, {"second, cut", "long pasXXX", "control"}, {"wrong", "guess", ""}} {
			t.Run(v.String()+" "+c.name, func(t *testing.T) {
				t.Parallel()
				cfg := cfg
				if v == Version33 { // the server chooses
					cfg.AllowNone = c.password == ""
					if cfg.AllowNone {
						cfg.Passwords = nil
					}
				}
				client, server := net.Pipe()
				defer client.Close()
				type result struct {
					Handshake
					err error
				}
				done := make(chan result, 1)
				go func() {
					defer server.Close()
					h, err := Accept(server, cfg)
					if err == nil {
						_, err = server.Write(init.Append(nil))
					}
					done <- result{h, err}
				}()
				w, err := Connect(client, ClientConfig{Version: v, Password: []byte(c.password), Shared: true})
				r := <-done
				if c.grant == "" {
					require.ErrorIs(t, err, ErrAuthentication)
					require.ErrorIs(t, r.err, ErrAuthentication)
					return
				}
				require.NoError(t, err)
				require.NoError(t, r.err)
				require.Equal(t, init, w.ServerInit)
				require.Equal(t, v, w.Version)
				require.Equal(t, Handshake{v, w.Security, c.grant, true, false}, r.Handshake)
			})
		}
	}
}

// TestVerify: a function decides in place of passwords.
func TestVerify(t *testing.T) {
	t.Parallel()
	secret := []byte("sesame")
	cfg := ServerConfig{Verify: func(challenge, response [16]byte) (any, bool) {
		return "verified", Response(secret, challenge) == response
	}}
	for _, password := range []string{"sesame", "simsim"} {
		client, server := net.Pipe()
		grant := make(chan any, 1)
		go func() {
			defer server.Close()
			h, err := Accept(server, cfg)
			if err == nil {
				_, err = server.Write(ServerInit{Format: pix.BGRX}.Append(nil))
			}
			if err != nil {
				grant <- err
				return
			}
			grant <- h.Grant
		}()
		_, err := Connect(client, ClientConfig{Password: []byte(password)})
		client.Close()
		if password == "sesame" {
			require.NoError(t, err)
			require.Equal(t, "verified", <-grant)
			continue
		}
		require.ErrorIs(t, err, ErrAuthentication)
		require.ErrorIs(t, (<-grant).(error), ErrAuthentication)
	}
}

// TestHighestVersion: a server can speak an older version only.
func TestHighestVersion(t *testing.T) {
	t.Parallel()
	for _, highest := range []Version{Version33, Version37, Version38} {
		client, server := net.Pipe()
		done := make(chan Version, 1)
		go func() {
			defer server.Close()
			h, err := Accept(server, ServerConfig{AllowNone: true, Version: highest})
			if err == nil {
				_, err = server.Write(ServerInit{Format: pix.BGRX}.Append(nil))
			}
			if err != nil {
				h.Version = 0
			}
			done <- h.Version
		}()
		w, err := Connect(client, ClientConfig{})
		client.Close()
		require.NoError(t, err)
		require.Equal(t, highest, w.Version)
		require.Equal(t, highest, <-done)
	}
	_, err := Accept(nil, ServerConfig{AllowNone: true, Version: 3006})
	require.ErrorContains(t, err, "Version")
}
