package main

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// TestX11vncAvahi: the server is found by its name.
func TestX11vncAvahi(t *testing.T) {
	t.Parallel()
	name := "desk " + strconv.Itoa(freePort(t))
	s := startX11vnc(t, xServer(t), "-nopw", "-forever", "-avahi", "-desktop", name)
	q := dnsmessage.Message{Questions: []dnsmessage.Question{{
		Name: dnsmessage.MustNewName(name + "._rfb._tcp.local."), Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET,
	}}}
	query, err := q.Pack()
	require.NoError(t, err)
	poll(t, "the announcement", func() (bool, string) {
		// Others on this machine may share the port; the kernel chooses by the address.
		c, err := net.Dial("udp4", "127.0.0.1:5353")
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(200*time.Millisecond)))
		if _, err := c.Write(query); err != nil {
			return false, err.Error()
		}
		b := make([]byte, 9000)
		n, err := c.Read(b)
		if err != nil {
			return false, err.Error()
		}
		var m dnsmessage.Message
		require.NoError(t, m.Unpack(b[:n]))
		require.Len(t, m.Answers, 1)
		require.Equal(t, s.port, strconv.Itoa(int(m.Answers[0].Body.(*dnsmessage.SRVResource).Port)))
		return true, ""
	})
}
