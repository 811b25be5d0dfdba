package x11

import (
	"cmp"
	"image"
	"slices"

	"github.com/BurntSushi/xgb/randr"
	"github.com/BurntSushi/xgb/xproto"
)

// Monitors returns the parts of the screen that monitors show (RANDR, "CRTCs"),
// sorted by the distance of their upper left corner from the screen's. The
// connection's RandR extension must be set up. Monitors that show the same count
// once.
func Monitors(c *Conn) ([]image.Rectangle, error) {
	res, err := randr.GetScreenResourcesCurrent(c.X(), c.Root()).Reply()
	if err != nil {
		return nil, err
	}
	var list []image.Rectangle
	for _, crtc := range res.Crtcs {
		info, err := randr.GetCrtcInfo(c.X(), crtc, xproto.Timestamp(res.ConfigTimestamp)).Reply()
		if err != nil {
			return nil, err
		}
		r := image.Rect(int(info.X), int(info.Y), int(info.X)+int(info.Width), int(info.Y)+int(info.Height))
		if !r.Empty() && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b image.Rectangle) int {
		square := func(p image.Point) int { return p.X*p.X + p.Y*p.Y }
		return cmp.Compare(square(a.Min), square(b.Min))
	})
	return list, nil
}
