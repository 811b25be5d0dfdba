//go:build !purego

package dsp

type kernelSet struct {
	name string
	use  func() (undo func())
}

// kernelSets are the ways in which kernels can be chosen on this machine.
func kernelSets() []kernelSet {
	plain := kernelSet{"plain", func() func() {
		was := hasAVX2
		hasAVX2 = false
		return func() { hasAVX2 = was }
	}}
	if !hasAVX2 {
		return []kernelSet{plain}
	}
	return []kernelSet{{"asm", func() func() { return func() {} }}, plain}
}
