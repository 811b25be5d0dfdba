package web

import (
	"net"
	"net/http"
	"slices"
	"sync"
)

// maxIdle bounds the connections that wait for a request or are in the middle of
// one's header. Each costs a goroutine and some 10 KB. When there are more, the
// one that has waited longest is closed; browsers open another one when they need
// it.
const maxIdle = 512

// idle knows the connections that have no request to answer. The zero value is
// ready.
type idle struct {
	mu    sync.Mutex
	conns []net.Conn // in the order of their coming
}

// state is net/http's hook. A connection counts from its coming, and from the end
// of each answer, until a request's header is complete, which is when leave is
// called.
func (i *idle) state(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew, http.StateIdle:
		i.enter(c)
	case http.StateClosed, http.StateHijacked:
		i.leave(c)
	}
}

func (i *idle) enter(c net.Conn) {
	var oldest net.Conn
	i.mu.Lock()
	if len(i.conns) >= maxIdle {
		oldest = i.conns[0]
		i.conns = slices.Delete(i.conns, 0, 1)
	}
	i.conns = append(i.conns, c)
	i.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
}

func (i *idle) leave(c net.Conn) {
	i.mu.Lock()
	if k := slices.Index(i.conns, c); k >= 0 {
		i.conns = slices.Delete(i.conns, k, k+1)
	}
	i.mu.Unlock()
}
