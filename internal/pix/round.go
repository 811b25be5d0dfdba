package pix

import "image"

// roundBits is how many bits of a component Round keeps.
const roundBits = 5

// rounded is what each value of a component is rounded to: black and white stay, and
// nothing changes by more than 4.
var rounded = func() (t [256]byte) {
	const most = 1<<roundBits - 1
	for v := range t {
		q := (v*most + 127) / 255
		t[v] = byte((q*255 + most/2) / most)
	}
	return t
}()

// Round rounds the components of the pixels in r, which lies in m, to 32 levels. Text
// with smooth edges has a few dozen colours then, where it had hundreds.
func (m *Image) Round(r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.Row(y, r.Min.X, r.Max.X)
		for i := 0; i+BytesPerPixel <= len(row); i += BytesPerPixel {
			p := row[i : i+3 : i+3]
			p[0], p[1], p[2] = rounded[p[0]], rounded[p[1]], rounded[p[2]]
		}
	}
}
