//go:build !linux

package xshm

import (
	"context"
	"errors"
)

var errNotLinux = errors.New("shared memory is used on Linux only")

func (g *grabber) attachFd(context.Context, int) error { return errNotLinux }

func (g *grabber) attachSysV(context.Context, int) error { return errNotLinux }
