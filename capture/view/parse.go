package view

import (
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
)

// Geometry is a rectangle of a screen whose size need not be known: X and Y can
// count from the right and from the bottom (X11, section "Geometry" of
// XParseGeometry).
type Geometry struct {
	Width, Height         int
	X, Y                  int
	FromRight, FromBottom bool // X, Y are the distances of the right and bottom edges
}

// In returns the rectangle on a screen of the given size. It may lie partly or
// wholly outside.
func (g Geometry) In(size image.Point) image.Rectangle {
	x, y := g.X, g.Y
	if g.FromRight {
		x = size.X - g.Width - g.X
	}
	if g.FromBottom {
		y = size.Y - g.Height - g.Y
	}
	return image.Rect(x, y, x+g.Width, y+g.Height)
}

// GeometryOf returns the geometry of a rectangle.
func GeometryOf(r image.Rectangle) Geometry {
	return Geometry{Width: r.Dx(), Height: r.Dy(), X: r.Min.X, Y: r.Min.Y}
}

var errGeometry = errors.New("want WIDTHxHEIGHT+X+Y")

// maxCoordinate is X's largest coordinate.
const maxCoordinate = 1<<15 - 1

// ParseGeometry reads WxH+X+Y. A minus sign counts from the right or from the
// bottom; what follows it, or a plus sign, may have a sign of its own.
func ParseGeometry(s string) (Geometry, error) {
	w, rest, ok := strings.Cut(s, "x")
	if !ok {
		return Geometry{}, errGeometry
	}
	i := strings.IndexAny(rest, "+-")
	if i < 0 {
		return Geometry{}, errGeometry
	}
	h, rest := rest[:i], rest[i:]
	// The second sign begins Y, but for one right after the first.
	j := strings.IndexAny(rest[min(2, len(rest)):], "+-")
	if j < 0 {
		return Geometry{}, errGeometry
	}
	xs, ys := rest[:j+2], rest[j+2:]
	var g Geometry
	var err error
	if g.Width, err = number(w, 1, maxCoordinate); err == nil {
		g.Height, err = number(h, 1, maxCoordinate)
	}
	if err == nil {
		g.X, err = number(xs[1:], -maxCoordinate, maxCoordinate)
	}
	if err == nil && len(ys) > 1 {
		g.Y, err = number(ys[1:], -maxCoordinate, maxCoordinate)
	} else if err == nil {
		err = errGeometry
	}
	if err != nil {
		return Geometry{}, errGeometry
	}
	g.FromRight, g.FromBottom = xs[0] == '-', ys[0] == '-'
	return g, nil
}

func number(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high || strings.HasPrefix(s, "+") {
		return 0, errGeometry
	}
	return n, nil
}

// ParseBlackout reads geometries between commas; one of them may be the word
// noptr, which sets KeepOut.
func ParseBlackout(s string) (areas []Geometry, keepOut bool, err error) {
	for part := range strings.SplitSeq(s, ",") {
		if part == "noptr" {
			keepOut = true
			continue
		}
		g, err := ParseGeometry(part)
		if err != nil {
			return nil, false, fmt.Errorf("%q: %w", part, err)
		}
		areas = append(areas, g)
	}
	return areas, keepOut, nil
}

// Rotations by the names that x11vnc has for them.
var rotationNames = map[string]Rotation{
	"": 0, "0": 0,
	"x": FlipX, "y": FlipY,
	"xy": Half, "yx": Half, "180": Half, "+180": Half, "-180": Half,
	"90": Right, "+90": Right, "-270": Right, "270": Left, "+270": Left, "-90": Left,
	"90x": RightFlip, "+90x": RightFlip, "90y": LeftFlip, "+90y": LeftFlip,
}

// ParseRotation reads the name of a rotation, such as 90, x or +90y. After "nc:"
// the pointer's shape is not turned.
func ParseRotation(s string) (r Rotation, keepCursor bool, err error) {
	name, keepCursor := strings.CutPrefix(s, "nc:")
	r, ok := rotationNames[name]
	if !ok {
		return 0, false, fmt.Errorf("rotation %q: want x, y, xy, 90, -90, 90x or 90y", s)
	}
	return r, keepCursor, nil
}

// maxFactor bounds enlargement: a screen of 4K at a hundred times its size has
// more pixels than RFB's 16 bits.
const maxFactor = 100

var errScale = errors.New("want a fraction such as 2/3 or 0.75, WIDTHxHEIGHT or FRACTIONxFRACTION, and perhaps options after a colon")

// ParseScale reads a fraction, two fractions, or a size in pixels, and options
// after a colon, between commas: nb (no blending), fb, nocr and cr (which change
// nothing here), n4 (any width), in (interpolate), pad.
func ParseScale(s string) (Scale, error) {
	spec, options, _ := strings.Cut(s, ":")
	var out Scale
	sides := strings.Split(spec, "x")
	if len(sides) > 2 {
		return out, errScale
	}
	if len(sides) == 2 && !strings.ContainsAny(spec, "./") {
		var err error
		if out.Width, err = number(sides[0], 1, maxCoordinate); err == nil {
			out.Height, err = number(sides[1], 1, maxCoordinate)
		}
		if err != nil {
			return Scale{}, errScale
		}
	} else {
		var pad int
		for i, side := range sides {
			f, denominator, err := fraction(side)
			if err != nil {
				return Scale{}, err
			}
			out.Y, pad = f, denominator
			if i == 0 {
				out.X = f
			}
		}
		if len(sides) == 1 {
			out.Pad = pad // taken back below unless asked for
		}
	}
	pad := false
	for _, o := range strings.FieldsFunc(options, func(r rune) bool { return r == ',' || r == ':' }) {
		switch o {
		case "nb":
			out.Nearest = true
		case "fb":
			out.Nearest = false
		case "n4":
			out.AnyWidth = true
		case "in":
			out.Interpolate = true
		case "pad":
			pad = true
		case "cr", "nocr":
		default:
			return Scale{}, errScale
		}
	}
	if !pad {
		out.Pad = 0
	}
	if out.X == 1 && out.Y == 1 && out.Pad == 0 {
		return Scale{}, nil
	}
	return out, nil
}

// fraction reads a positive number or two with a slash, the second of which is
// returned, too, if it is an integer.
func fraction(s string) (f float64, denominator int, err error) {
	top, bottom, isFraction := strings.Cut(s, "/")
	f, err = strconv.ParseFloat(top, 64)
	if err == nil && isFraction {
		var d float64
		if d, err = strconv.ParseFloat(bottom, 64); d == 0 {
			return 0, 0, errScale
		}
		f /= d
		if d == math.Trunc(d) && d > 0 && d <= MaxSide {
			denominator = int(d)
		}
	}
	if err != nil || !(f >= 1.0/MaxSide) || f > maxFactor {
		return 0, 0, errScale
	}
	return f, denominator, nil
}
