//go:build !linux

package main

import "syscall"

func childAttr(role string) *syscall.SysProcAttr {
	if role == roleServe {
		return nil
	}
	return &syscall.SysProcAttr{Setsid: true}
}

func dup(from, to int) { syscall.Dup2(from, to) } //nolint:errcheck // both are open
