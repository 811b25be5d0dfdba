//go:build !amd64 || purego

package encode

// both runs f with the plain kernels, which are all there is.
func both[T interface {
	Run(string, func(T)) bool
}](t T, f func(T)) {
	t.Run("plain", f)
}
