//go:build !purego

package deflate

type kernelSet struct {
	name string
	use  func() (undo func())
}

// kernelSets are the ways in which kernels can be chosen on this machine.
func kernelSets() []kernelSet {
	plain := kernelSet{"plain", func() func() {
		had := hasAVX2
		hasAVX2 = false
		return func() { hasAVX2 = had }
	}}
	if !hasAVX2 {
		return []kernelSet{plain}
	}
	return []kernelSet{{"asm", func() func() { return func() {} }}, plain}
}
