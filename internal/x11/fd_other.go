//go:build !unix

package x11

// fdRights is never called: nothing here makes a descriptor to pass.
func fdRights(int) []byte { return nil }
