package vnc

import (
	"image"

	"framebridge/capture"
	"framebridge/internal/pix"
	"framebridge/rfb"
)

// opaqueFrom is the alpha from which a pixel counts as opaque where a viewer
// knows only opaque and transparent.
const opaqueFrom = 128

// appendCursor appends the pointer's shape as the pseudo-rectangle e.
func appendCursor(b []byte, c *capture.Cursor, e rfb.Encoding, conv *pix.Converter) []byte {
	w, h := c.Size.X, c.Size.Y
	if w <= 0 || h <= 0 {
		w, h = 0, 0
	}
	hotX, hotY := uint16(max(0, min(c.Hot.X, w))), uint16(max(0, min(c.Hot.Y, h)))
	switch e {
	case rfb.PseudoCursorWithAlpha:
		px := make([]byte, w*h*4)
		for i := range w * h {
			px[4*i], px[4*i+1], px[4*i+2], px[4*i+3] = c.Pix[4*i+2], c.Pix[4*i+1], c.Pix[4*i], c.Pix[4*i+3]
		}
		return rfb.CursorWithAlpha{HotX: hotX, HotY: hotY, Width: uint16(w), Height: uint16(h), Pixels: px}.Append(b)
	case rfb.PseudoXCursor:
		return appendXCursor(b, c, w, h, hotX, hotY)
	}
	bgrx := make([]byte, w*h*4)
	for i := range w * h {
		copy(bgrx[4*i:], straight(c.Pix[4*i:4*i+4]))
	}
	return rfb.Cursor{
		HotX: hotX, HotY: hotY, Width: uint16(w), Height: uint16(h),
		Pixels: conv.Append(nil, bgrx),
		Mask:   bitmask(w, h, func(i int) bool { return c.Pix[4*i+3] >= opaqueFrom }),
	}.Append(b)
}

// appendXCursor reduces the shape to two colours: the averages of its dark and
// of its light opaque pixels.
func appendXCursor(b []byte, c *capture.Cursor, w, h int, hotX, hotY uint16) []byte {
	var dark, light [4]int // sums of blue, green, red, and the number of pixels
	isLight := func(i int) bool {
		p := straight(c.Pix[4*i : 4*i+4])
		return int(p[0])*29+int(p[1])*150+int(p[2])*77 >= 128*256
	}
	opaque := func(i int) bool { return c.Pix[4*i+3] >= opaqueFrom }
	for i := range w * h {
		if !opaque(i) {
			continue
		}
		sum := &dark
		if isLight(i) {
			sum = &light
		}
		for k, v := range straight(c.Pix[4*i : 4*i+4]) {
			if k < 3 {
				sum[k] += int(v)
			}
		}
		sum[3]++
	}
	mean := func(s [4]int) [3]byte { // red, green, blue
		n := max(1, s[3])
		return [3]byte{byte(s[2] / n), byte(s[1] / n), byte(s[0] / n)}
	}
	x := rfb.XCursor{HotX: hotX, HotY: hotY, Width: uint16(w), Height: uint16(h)}
	x.Primary, x.Secondary = mean(dark), mean(light)
	x.Bitmap = bitmask(w, h, func(i int) bool { return opaque(i) && !isLight(i) })
	x.Mask = bitmask(w, h, opaque)
	return x.Append(b)
}

// straight undoes the multiplication of a premultiplied pixel's colours.
func straight(p []byte) []byte {
	a := int(p[3])
	if a == 0 || a == 255 {
		return p
	}
	return []byte{byte(min(255, int(p[0])*255/a)), byte(min(255, int(p[1])*255/a)), byte(min(255, int(p[2])*255/a)), p[3]}
}

// bitmask packs one bit per pixel, rows padded to bytes, the leftmost pixel in
// the highest bit (RFC 6143, section 7.8.1).
func bitmask(w, h int, set func(i int) bool) []byte {
	stride := (w + 7) / 8
	b := make([]byte, stride*h)
	for y := range h {
		for x := range w {
			if set(y*w + x) {
				b[y*stride+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return b
}

// blendCursor draws the shape over m with its top left pixel at origin.
func blendCursor(m *pix.Image, c *capture.Cursor, origin image.Point) {
	r := image.Rectangle{Max: c.Size}.Add(origin).Intersect(m.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dst := m.Row(y, r.Min.X, r.Max.X)
		src := c.Pix[((y-origin.Y)*c.Size.X+r.Min.X-origin.X)*4:]
		for i := 0; i < len(dst); i += 4 {
			keep := 255 - int(src[i+3])
			for k := range 3 {
				dst[i+k] = byte(min(255, int(src[i+k])+(int(dst[i+k])*keep+127)/255))
			}
		}
	}
}
