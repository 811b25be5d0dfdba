//go:build !linux

package xvfb

import "syscall"

func sysProcAttr() *syscall.SysProcAttr { return nil }
