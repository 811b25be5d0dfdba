//go:build !amd64 || purego

package deflate

type kernelSet struct {
	name string
	use  func() (undo func())
}

// kernelSets are the ways in which kernels can be chosen on this machine.
func kernelSets() []kernelSet {
	return []kernelSet{{"plain", func() func() { return func() {} }}}
}
