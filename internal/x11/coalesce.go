package x11

import "image"

// MaxRects is the most rectangles that an update has. Each costs a request and
// a reply, some 10 µs, in which a server copies more than a hundred lines of
// text; a region with more of them is worth joining.
const MaxRects = 64

// joinWaste is how many pixels may be fetched in vain to save one rectangle:
// 8 KB take less time to copy than a request takes to handle.
const joinWaste = 2048

// coalesce turns the rectangles of a damage region into at most MaxRects,
// disjoint ones that cover them, inside bounds. It overwrites rects.
func coalesce(rects []image.Rectangle, bounds image.Rectangle) []image.Rectangle {
	n, area, box := 0, 0, image.Rectangle{}
	for _, r := range rects {
		if r = r.Intersect(bounds); r.Empty() {
			continue
		}
		rects[n] = r
		n++
		area += r.Dx() * r.Dy()
		box = box.Union(r)
	}
	rects = rects[:n]
	if n <= 1 {
		return rects
	}
	if 2*area > box.Dx()*box.Dy() {
		return append(rects[:0], box)
	}
	for waste := joinWaste; ; waste *= 2 {
		rects = join(rects, waste)
		if len(rects) <= MaxRects {
			break
		}
	}
	return separate(rects)
}

// join replaces rectangles by their union with one shortly before where that
// adds at most waste pixels. Regions are sorted in bands from the top, left to
// right, so neighbours are near each other in the list.
func join(rects []image.Rectangle, waste int) []image.Rectangle {
	const window = 8
	out := rects[:1]
next:
	for _, r := range rects[1:] {
		for i := len(out) - 1; i >= max(0, len(out)-window); i-- {
			u := out[i].Union(r)
			if u.Dx()*u.Dy() <= out[i].Dx()*out[i].Dy()+r.Dx()*r.Dy()+waste {
				out[i] = u
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

// separate joins rectangles that overlap until none do: pixels fetched twice,
// at two moments, could differ.
func separate(rects []image.Rectangle) []image.Rectangle {
	for i := 0; i < len(rects); i++ {
		for j := i + 1; j < len(rects); j++ {
			if rects[i].Overlaps(rects[j]) {
				rects[i] = rects[i].Union(rects[j])
				rects[j] = rects[len(rects)-1]
				rects = rects[:len(rects)-1]
				i = -1 // the grown one may meet any other
				break
			}
		}
	}
	return rects
}
