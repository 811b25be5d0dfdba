package encode

import (
	"encoding/binary"
	"image"
	"math/bits"

	"framebridge/internal/pix"
)

const (
	cellSide = 32 // pixels of a cell, at least
	cellStep = 8  // between the rows that are looked at
	maxCells = 256
	// minPhotoCells is from how many cells on a photograph beside something else is
	// worth a rectangle of its own.
	minPhotoCells = 4
)

// A cell is a square of a rectangle that PhotoArea looks at.
type cell struct {
	total, equal, small int32 // neighbours, as PhotoLike counts them
}

// photo reports whether the cell looks like a part of a photograph.
func (c cell) photo() bool {
	return c.equal*10 < c.total || c.equal*10 < c.total*8 && c.small >= 2*(c.total-c.equal-c.small)
}

// edges reports whether the cell may hold letters: flat parts, and sharp edges.
func (c cell) edges() bool {
	return (c.total-c.equal-c.small)*32 > c.total && c.equal*4 >= c.total
}

// grid is the cells of a rectangle.
type grid struct {
	m             *pix.Image
	r             image.Rectangle
	side          int
	columns, rows int
	cells         [maxCells]cell
}

// at returns the pixels of cells.
func (g *grid) at(c image.Rectangle) image.Rectangle {
	return image.Rectangle{c.Min.Mul(g.side), c.Max.Mul(g.side)}.Add(g.r.Min).Intersect(g.r)
}

// PhotoArea returns the part of r that looks like a photograph, where r may hold other
// things beside it: all of r, a rectangle in it without letters or lines, or nothing
// if there is none that is worth it. whole says what PhotoLike makes of r.
//
// It works on cells of 32x32 pixels. Cells in which one colour prevails, and others
// are at sharp edges, hold letters or drawings, which must stay as they are; what is
// between letters and a photograph is told from it line by line.
func PhotoArea(m *pix.Image, r image.Rectangle, whole bool) image.Rectangle {
	g := grid{m: m, r: r, side: cellSide}
	for ceilDiv(r.Dx(), g.side)*ceilDiv(r.Dy(), g.side) > maxCells {
		g.side *= 2
	}
	g.columns, g.rows = ceilDiv(r.Dx(), g.side), ceilDiv(r.Dy(), g.side)
	// Most of what is no photograph as a whole has none in it: a glance tells.
	if !whole && g.look(2*cellStep) < minPhotoCells {
		return image.Rectangle{}
	}
	photos := g.look(cellStep)
	if photos < minPhotoCells && !whole {
		return image.Rectangle{}
	}
	// What was drawn, as a bit per column.
	var drawn [maxCells]uint64
	some := false
	for y := range g.rows {
		for x := range g.columns {
			if g.cells[y*g.columns+x].edges() && g.drawn(image.Rect(x, y, x+1, y+1)) {
				drawn[y] |= 1 << x
				some = true
			}
		}
	}
	area := r
	if !whole || some {
		if area, photos = g.best(&drawn); photos < minPhotoCells {
			return image.Rectangle{}
		}
	}
	if area = g.trim(area); area == r {
		return r
	}
	if area.Dx() < g.side || area.Dy() < g.side || !PhotoLike(m, area) {
		return image.Rectangle{}
	}
	return area
}

// look fills the cells from one row in step and returns how many look like parts of a
// photograph.
func (g *grid) look(step int) (photos int) {
	for y := range g.rows {
		for x := range g.columns {
			c := &g.cells[y*g.columns+x]
			*c = cell{}
			q := g.at(image.Rect(x, y, x+1, y+1))
			for y := q.Min.Y + step/2; y < min(q.Max.Y, g.r.Max.Y-1); y += step {
				for x := q.Min.X; x < min(q.Max.X, g.r.Max.X-1); x += photoPiece {
					n := min(photoPiece, min(q.Max.X, g.r.Max.X-1)-x)
					e, s := photoSteps(g.m.Row(y, x, x+n+1), g.m.Row(y+1, x, x+n))
					c.total += int32(n)
					c.equal += int32(bits.OnesCount8(e))
					c.small += int32(bits.OnesCount8(s &^ e))
				}
			}
			if c.photo() {
				photos++
			}
		}
	}
	return photos
}

// drawn reports whether one colour has nearly half of a cell's pixels, as the
// background of letters has, and those of no photograph.
func (g *grid) drawn(c image.Rectangle) bool {
	q := g.at(c)
	return g.prevails(q, image.Pt(1, cellStep))
}

// lineSamples is how many pixels of a line are looked at before all of it is.
const lineSamples = 24

// flat is drawn for a line of pixels.
func (g *grid) flat(line image.Rectangle) bool {
	step := image.Pt(max(1, line.Dx()/lineSamples), max(1, line.Dy()/lineSamples))
	return g.prevails(line, step) && g.prevails(line, image.Pt(1, 1))
}

// prevails reports whether one colour has nearly half of the pixels of q, of which it
// looks at one per step.
func (g *grid) prevails(q image.Rectangle, step image.Point) bool {
	// The majority of every other vote (Boyer and Moore) is a candidate also if it is
	// not quite one: what counts is counted.
	candidate, lead := uint32(0), 0
	for y := q.Min.Y; y < q.Max.Y; y += step.Y {
		row := g.m.Row(y, q.Min.X, q.Max.X)
		for i := 0; i < len(row); i += step.X * pix.BytesPerPixel {
			switch v := binary.LittleEndian.Uint32(row[i:]) & pix.RGBMask; {
			case v == candidate:
				lead += 2
			case lead <= 0:
				candidate, lead = v, 2
			default:
				lead--
			}
		}
	}
	n, total := 0, 0
	for y := q.Min.Y; y < q.Max.Y; y += step.Y {
		row := g.m.Row(y, q.Min.X, q.Max.X)
		for i := 0; i < len(row); i += step.X * pix.BytesPerPixel {
			total++
			if binary.LittleEndian.Uint32(row[i:])&pix.RGBMask == candidate {
				n++
			}
		}
	}
	return n*5 >= total*2
}

// best returns the rectangle of cells with the most that look like a photograph and
// none that was drawn, without such cells on its sides as are neither, and how many
// those are.
func (g *grid) best(drawn *[maxCells]uint64) (area image.Rectangle, most int) {
	// photos[y*columns+x] counts those of column x above row y.
	var photos [maxCells + 64]int
	for y := range g.rows {
		for x := range g.columns {
			i := y*g.columns + x
			photos[i+g.columns] = photos[i]
			if g.cells[i].photo() && drawn[y]>>x&1 == 0 {
				photos[i+g.columns]++
			}
		}
	}
	for top := range g.rows {
		taken := uint64(0)
		for bottom := top + 1; bottom <= g.rows; bottom++ {
			taken |= drawn[bottom-1]
			n, left := 0, 0
			for x := range g.columns {
				if taken>>x&1 != 0 {
					n, left = 0, x+1
					continue
				}
				k := photos[bottom*g.columns+x] - photos[top*g.columns+x]
				if n == 0 {
					left = x // nothing was there so far
				}
				n += k
				if r := image.Rect(left, top, x+1, bottom); k > 0 && (n > most || n == most && r.Dx()*r.Dy() < area.Dx()*area.Dy()) {
					most, area = n, r
				}
			}
		}
	}
	return g.at(area), most
}

// trim takes lines off the sides of a, up to the innermost within a cell's side in
// which one colour prevails: there the cells were not all photograph.
func (g *grid) trim(a image.Rectangle) image.Rectangle {
	top := g.margin(a.Dy(), func(i int) image.Rectangle { return image.Rect(a.Min.X, a.Min.Y+i, a.Max.X, a.Min.Y+i+1) })
	bottom := g.margin(a.Dy(), func(i int) image.Rectangle { return image.Rect(a.Min.X, a.Max.Y-1-i, a.Max.X, a.Max.Y-i) })
	a.Min.Y, a.Max.Y = a.Min.Y+top, a.Max.Y-bottom
	left := g.margin(a.Dx(), func(i int) image.Rectangle { return image.Rect(a.Min.X+i, a.Min.Y, a.Min.X+i+1, a.Max.Y) })
	right := g.margin(a.Dx(), func(i int) image.Rectangle { return image.Rect(a.Max.X-1-i, a.Min.Y, a.Max.X-i, a.Max.Y) })
	a.Min.X, a.Max.X = a.Min.X+left, a.Max.X-right
	return a
}

// marginStep is from which line to which a margin is looked for.
const marginStep = 4

// margin returns how many of the lines at a side, of length in all, trim takes off.
func (g *grid) margin(length int, line func(i int) image.Rectangle) (n int) {
	most := min(g.side, length/3)
	for i := 0; i < most; i += marginStep {
		if g.flat(line(i)) {
			n = i + 1
		}
	}
	if n == 0 {
		return 0
	}
	for i := n; i < min(most, n+marginStep); i++ {
		if g.flat(line(i)) {
			n = i + 1
		}
	}
	return n
}
