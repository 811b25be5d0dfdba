package main

import "syscall"

// childAttr lets a server go down with whoever started it, unless it is for the
// background: then it gets a session of its own.
func childAttr(role string) *syscall.SysProcAttr {
	if role == roleServe {
		return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	}
	return &syscall.SysProcAttr{Setsid: true}
}

// dup makes the descriptor to the same as from.
func dup(from, to int) { syscall.Dup3(from, to, 0) } //nolint:errcheck // both are open
