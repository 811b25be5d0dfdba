//go:build !purego

package jpeg

type kernelSet struct {
	name string
	use  func() (undo func())
}

// kernelSets are the ways in which kernels can be chosen on this machine.
func kernelSets() []kernelSet {
	plain := kernelSet{"plain", func() func() {
		a, b := hasAVX2, hasBMI
		hasAVX2, hasBMI = false, false
		return func() { hasAVX2, hasBMI = a, b }
	}}
	if !hasAVX2 && !hasBMI {
		return []kernelSet{plain}
	}
	return []kernelSet{{"asm", func() func() { return func() {} }}, plain}
}
