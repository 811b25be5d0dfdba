package vnc

import (
	"errors"
	"net"
	"sync"
	"time"
)

var errBanned = errors.New("too many wrong passwords")

const (
	// freeFailures is how many wrong passwords a host may give before it has to
	// wait; banTime is the first wait, and each further failure doubles it. The
	// numbers are TigerVNC's.
	freeFailures = 5
	banTime      = 10 * time.Second
	maxBan       = time.Hour
	// maxHosts bounds the table; when it is full, the host that failed longest
	// ago is forgotten.
	maxHosts = 4096
)

// failures counts wrong passwords per host. The zero value is ready.
type failures struct {
	mu    sync.Mutex
	hosts map[string]*failure
}

type failure struct {
	count int
	last  time.Time
	until time.Time
}

func (f *failures) banned(host string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[host]
	return h != nil && now.Before(h.until)
}

func (f *failures) failed(host string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hosts == nil {
		f.hosts = make(map[string]*failure)
	}
	h := f.hosts[host]
	if h == nil {
		if len(f.hosts) >= maxHosts {
			f.forgetOldest()
		}
		h = &failure{}
		f.hosts[host] = h
	}
	h.count++
	h.last = now
	if over := h.count - freeFailures; over >= 0 {
		h.until = now.Add(min(maxBan, banTime<<min(over, 20)))
	}
}

func (f *failures) succeeded(host string) {
	f.mu.Lock()
	delete(f.hosts, host)
	f.mu.Unlock()
}

func (f *failures) forgetOldest() {
	var oldest string
	var at time.Time
	for host, h := range f.hosts {
		if at.IsZero() || h.last.Before(at) {
			oldest, at = host, h.last
		}
	}
	delete(f.hosts, oldest)
}

// hostOf returns what failures are counted by: the address without the port.
func hostOf(a net.Addr) string {
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}
