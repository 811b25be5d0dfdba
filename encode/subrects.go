package encode

// A Subrect is a rectangle of one value within a larger one.
type Subrect struct {
	X, Y, W, H uint16
	Value      uint32
}

// AppendSubrects appends rectangles that together cover all values of a w by h
// rectangle other than background, for the encodings made of such (RRE, CoRRE,
// Hextile). values holds the rows one after the other and is overwritten with
// background. It is greedy: from the first value not yet covered it grows a
// rectangle to the right and then down, and one down and then to the right, and
// takes the larger.
func AppendSubrects(dst []Subrect, values []uint32, w, h int, background uint32) []Subrect {
	values = values[:w*h]
	for y := range h {
		row := values[y*w:][:w]
		for x := 0; x < w; x++ {
			v := row[x]
			if v == background {
				continue
			}
			right := 1 // along this row
			for x+right < w && row[x+right] == v {
				right++
			}
			down := 1 // along this column
			for y+down < h && values[(y+down)*w+x] == v {
				down++
			}
			aw, ah := right, 1
			for ; ah < down && allEqual(values[(y+ah)*w+x:][:right], v); ah++ {
			}
			bw, bh := 1, down
			for ; bw < right && bh > ah && columnEqual(values[y*w+x+bw:], w, down, v); bw++ {
			}
			if bw*bh > aw*ah {
				aw, ah = bw, bh
			}
			for j := range ah {
				part := values[(y+j)*w+x:][:aw]
				for i := range part {
					part[i] = background
				}
			}
			dst = append(dst, Subrect{uint16(x), uint16(y), uint16(aw), uint16(ah), v})
			x += aw - 1
		}
	}
	return dst
}

func allEqual(values []uint32, v uint32) bool {
	for _, o := range values {
		if o != v {
			return false
		}
	}
	return true
}

// columnEqual reports whether n values, stride apart, are all v.
func columnEqual(values []uint32, stride, n int, v uint32) bool {
	for i := range n {
		if values[i*stride] != v {
			return false
		}
	}
	return true
}
