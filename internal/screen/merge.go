package screen

import "image"

// mergeWindow is how many of the rectangles before are looked at: those of the
// same row of tiles and of the row above, on screens of up to 1900 pixels.
const mergeWindow = 64

// mergeSlack is how many unchanged pixels are worth sending to save a rectangle. One
// of a word costs some 30 bytes with its header and its palette, and a microsecond or
// two; words of different colours in one cost more than apart.
const mergeSlack = 128

// merge joins rectangles that are close to each other, given from the top and
// then from the left. Damage trimmed tile by tile is ragged; sent as it is, a
// page of text would be thousands of slivers.
func merge(rs []image.Rectangle) []image.Rectangle {
	out := rs[:0]
	for _, r := range rs {
		for joined := true; joined; {
			joined = false
			for i := len(out) - 1; i >= max(0, len(out)-mergeWindow); i-- {
				u := out[i].Union(r)
				if area(u) > (area(out[i])+area(r))*7/5+mergeSlack {
					continue
				}
				// The union may now be close to others.
				r = u
				out = append(out[:i], out[i+1:]...)
				joined = true
				break
			}
		}
		out = append(out, r)
	}
	return out
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }
