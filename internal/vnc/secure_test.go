package vnc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// testCertificate is for this test's server alone.
func testCertificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"server"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// TestVeNCrypt: a viewer that comes in the clear is encrypted or refused, one that
// is encrypted already is not asked again.
func TestVeNCrypt(t *testing.T) {
	cfg := testCertificate(t)
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cfg.Certificates[0].Certificate[0])
	require.NoError(t, err)
	roots.AddCert(leaf)
	client := &tls.Config{RootCAs: roots, ServerName: "server"}
	for _, password := range []string{"", "sesame"} {
		r := newRig(t, newCanvas(32, 32), func(c *Config) {
			c.TLS = cfg
			if password != "" {
				c.NoAuth, c.Passwords = false, []rfb.Password{{Secret: []byte(password), Grant: FullRights}}
			}
		})
		open := func(password string) (*rfbtest.Client, error) {
			nc, err := net.Dial("tcp", r.addr)
			require.NoError(t, err)
			return rfbtest.Open(t.Context(), nc, rfbtest.Options{Password: password, Shared: true, TLS: client})
		}
		c, err := open(password)
		require.NoError(t, err)
		require.True(t, c.Welcome.TLS)
		require.Equal(t, []rfb.SecurityType{rfb.SecurityVeNCrypt}, c.Welcome.Offered)
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err = c.ReadUpdate()
		require.NoError(t, err)
		require.NoError(t, c.Close())
		if password != "" {
			_, err = open("guess")
			require.ErrorIs(t, err, rfb.ErrAuthentication)
		}
		_, err = r.try(t, password)
		require.ErrorContains(t, err, "VeNCrypt", "in the clear")

		// Encrypted from outside.
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.srv.ServeConn(t.Context(), overTCP{tls.Server(far, cfg)})
		}()
		c, err = rfbtest.Open(t.Context(), tls.Client(near, client), rfbtest.Options{Password: password, Shared: true})
		require.NoError(t, err)
		require.False(t, c.Welcome.TLS)
		require.NoError(t, c.Close())
		<-done
	}
}

// overTCP is a connection that says that it came by TCP.
type overTCP struct{ *tls.Conn }

func (overTCP) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// TestGuests: viewers of other kinds count, ask the hooks, and give way.
func TestGuests(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	type visit struct {
		what    string
		viewers int
	}
	enter := func(r *rig) (*Guest, Rights, chan struct{}, error) {
		stopped := make(chan struct{})
		g, rights, err := r.srv.Enter(t.Context(), addr, addr, FullRights, func() { close(stopped) })
		return g, rights, stopped, err
	}
	for _, how := range []Sharing{SharingRefuse, SharingNever, SharingAlways} {
		visits := make(chan visit, 16)
		r := newRig(t, newCanvas(32, 32), func(c *Config) {
			c.Sharing = how
			c.Hooks = Hooks{
				Admit:  func(context.Context, Peer) (Rights, error) { return ViewRights, nil },
				Joined: func(_ Peer, n int) { visits <- visit{"joined", n} },
				Left:   func(_ Peer, n int) { visits <- visit{"left", n} },
			}
		})
		g, rights, stopped, err := enter(r)
		require.NoError(t, err)
		require.Equal(t, ViewRights, rights)
		require.Equal(t, visit{"joined", 1}, <-visits)
		require.Equal(t, 1, r.srv.Viewers())
		require.Len(t, r.srv.Peers(), 1)
		c, err := r.try(t, "")
		require.NoError(t, err)
		switch how {
		case SharingRefuse:
			require.NoError(t, c.RequestUpdate(false, c.Bounds()))
			_, err = c.ReadUpdate()
			require.ErrorIs(t, err, io.EOF)
			_, _, _, err = enter(r)
			require.ErrorIs(t, err, errBusy)
			require.Equal(t, 1, r.srv.Disconnect(func(Peer) bool { return true }))
			<-stopped
		case SharingNever:
			<-stopped
			require.Equal(t, visit{"joined", 2}, <-visits)
			require.NoError(t, c.Close())
			require.Equal(t, visit{"left", 1}, <-visits)
		case SharingAlways:
			require.Equal(t, visit{"joined", 2}, <-visits)
			require.NoError(t, c.Close())
			require.Equal(t, visit{"left", 1}, <-visits)
			select {
			case <-stopped:
				t.Fatal("the guest was disconnected")
			default:
			}
		}
		g.Leave()
		require.Equal(t, visit{"left", 0}, <-visits)
		require.Zero(t, r.srv.Viewers())
	}
	for _, hooks := range []Hooks{
		{Gate: func(context.Context, Peer) error { return errors.New("secret reason") }},
		{Admit: func(context.Context, Peer) (Rights, error) { return FullRights, errors.New("secret reason") }},
	} {
		r := newRig(t, newCanvas(32, 32), func(c *Config) { c.Hooks = hooks })
		_, rights, _, err := enter(r)
		require.ErrorIs(t, err, errNotForYou)
		require.Zero(t, rights)
		require.Zero(t, r.srv.Viewers())
		require.Equal(t, hooks.Gate != nil, r.srv.Gate(t.Context(), addr, addr) != nil)
	}
}
