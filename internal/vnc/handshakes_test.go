package vnc

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/internal/pix"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// TestManyHandshakes: connections that say nothing do not keep a viewer out; the
// oldest of them are closed.
func TestManyHandshakes(t *testing.T) {
	r := newRig(t, newCanvas(64, 48), nil)
	var silent []net.Conn
	for range maxHandshakes + 3 {
		c, err := net.Dial("tcp", r.addr)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Minute)))
		_, err = c.Read(make([]byte, 12))
		require.NoError(t, err)
		silent = append(silent, c)
	}
	c := r.dial(t, rfbtest.Options{Encodings: []rfb.Encoding{rfb.EncodingZRLE}})
	r.converge(t, c, pix.BGRX)
	for _, c := range silent[:4] {
		_, err := c.Read(make([]byte, 1))
		require.Error(t, err)
		var timeout net.Error
		require.NotErrorAs(t, err, &timeout, "it was closed")
	}
	// The youngest are still there.
	last := silent[len(silent)-1]
	_, err := last.Write([]byte("RFB 003.008\n"))
	require.NoError(t, err)
	_, err = last.Read(make([]byte, 2))
	require.NoError(t, err)
}
