package vnc

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"framebridge/rfb/rfbtest"
)

// TestControl: viewers are listed, sent everything again, and sent away.
func TestControl(t *testing.T) {
	r := newRig(t, newCanvas(32, 32), func(c *Config) { c.Sharing = SharingAlways })
	var clients []*rfbtest.Client
	for range 2 {
		c, err := r.try(t, "")
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.RequestUpdate(false, c.Bounds()))
		_, err = c.ReadUpdate()
		require.NoError(t, err)
		clients = append(clients, c)
	}
	peers := r.srv.Peers()
	require.Len(t, peers, 2)
	require.Less(t, peers[0].ID, peers[1].ID)
	for _, c := range clients {
		require.NoError(t, c.RequestUpdate(true, c.Bounds()))
	}
	r.srv.Refresh()
	for _, c := range clients {
		u, err := c.ReadUpdate()
		require.NoError(t, err)
		area := 0
		for _, q := range u.Rects {
			area += q.Area.Dx() * q.Area.Dy()
		}
		require.Equal(t, 32*32, area)
	}
	require.Zero(t, r.srv.Disconnect(func(Peer) bool { return false }))
	require.Equal(t, 1, r.srv.Disconnect(func(p Peer) bool { return p.ID == peers[0].ID }))
	for err := error(nil); err == nil; {
		_, err = clients[0].ReadUpdate()
		require.False(t, err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF), err)
	}
	require.Eventually(t, func() bool { return len(r.srv.Peers()) == 1 }, time.Minute, time.Millisecond)
	require.Error(t, r.srv.SetSharing("sometimes"))
	require.NoError(t, r.srv.SetSharing(SharingRefuse))
	_, err := r.try(t, "")
	if err == nil { // it gets ServerInit, and the end
		require.Eventually(t, func() bool { return len(r.srv.Peers()) == 1 }, time.Minute, time.Millisecond)
	}
}
