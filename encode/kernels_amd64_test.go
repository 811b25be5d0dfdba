//go:build !purego

package encode

// both runs f with the kernels for this processor and with their plain twins.
func both[T interface {
	Run(string, func(T)) bool
}](t T, f func(T)) {
	if hasAVX2 {
		t.Run("avx2", f)
	}
	defer func(old bool) { hasAVX2 = old }(hasAVX2)
	hasAVX2 = false
	t.Run("plain", f)
}
