package xvfb

import "syscall"

// sysProcAttr makes the server die with us, even when we are killed. SIGTERM
// rather than SIGKILL, so that it still removes its socket and its lock. A group
// of its own keeps a terminal's ^C from it: we end it ourselves, after its
// clients.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
