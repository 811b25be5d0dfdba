//go:build !linux

package dsp

import "testing"

// memories are the kinds of memory that kernels are tested in.
func memories(*testing.T) map[string]memory { return map[string]memory{"heap": heap} }
