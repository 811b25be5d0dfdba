package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wellFormed requires that s is XML and returns the number of each element.
func wellFormed(t *testing.T, s string) map[string]int {
	t.Helper()
	count := make(map[string]int)
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return count
		}
		require.NoError(t, err, s)
		if e, ok := tok.(xml.StartElement); ok {
			count[e.Name.Local]++
		}
	}
}

func TestSVG(t *testing.T) {
	nan := math.NaN()
	c := Chart{
		Title: `a <b> & "c"`,
		X:     Axis{Label: "x", Log: true}, Y: Axis{Label: "y", Zero: true},
		Series: []Series{
			{Name: "one <&>", X: []float64{1, 10, 100}, Y: []float64{5, nan, 7}, Dots: true, Labels: []string{"<p>", "q", "r"}},
			{Name: "two", Class: 1, X: []float64{0, -1, 3}, Y: []float64{1, 2, 3}, Steps: true, Dots: true},
		},
	}
	s := c.SVG()
	n := wellFormed(t, s)
	require.Equal(t, 1, n["svg"])
	require.Equal(t, 3, n["circle"], "a gap, and what a log axis cannot show, have no dot")
	require.NotContains(t, s, "NaN")
	require.NotContains(t, s, "Inf")
	require.Contains(t, s, `class="s1"`)
	require.Contains(t, s, "&lt;p&gt;")
}

// TestHardValues: whatever the values are, the picture has no broken numbers.
func TestHardValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, v := range [][]float64{nil, {0}, {5}, {nan}, {inf, -inf}, {0, 0}, {-3, 3}, {1e-9, 1e9}, {1e300, 1e301}, {7, 7, 7}} {
		for _, log := range []bool{false, true} {
			c := Chart{X: Axis{Log: log}, Y: Axis{Log: log}, Series: []Series{{X: v, Y: v, Dots: true}}}
			s := c.SVG()
			wellFormed(t, s)
			require.NotContains(t, s, "NaN", v)
			require.NotContains(t, s, "Inf", v)
		}
	}
	wellFormed(t, (&Chart{Title: "empty"}).SVG())
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis   Axis
		values []float64
		want   []float64
	}{
		{Axis{Zero: true}, []float64{3, 97}, []float64{0, 20, 40, 60, 80, 100}},
		{Axis{}, []float64{10, 20}, []float64{10, 12, 14, 16, 18, 20}},
		{Axis{Log: true}, []float64{1.5, 30}, []float64{1, 2, 5, 10, 20, 50}},
		{Axis{Log: true}, []float64{0.02, 800}, []float64{0.1, 1, 10, 100, 1000}},
		{Axis{Ticks: []float64{1, 4}, Names: []string{"a", "b"}}, []float64{1, 4}, []float64{1, 4}},
	} {
		s := newScale(c.axis, c.values, 0, 100)
		require.InDeltaSlice(t, c.want, s.ticks, 1e-9)
		for _, v := range c.values {
			require.GreaterOrEqual(t, s.at(v), -1e-9)
			require.LessOrEqual(t, s.at(v), 100+1e-9)
		}
	}
}
