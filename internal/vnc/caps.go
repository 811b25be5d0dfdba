package vnc

import "framebridge/rfb"

// caps is what a viewer said it can do, from its SetEncodings.
type caps struct {
	encoding rfb.Encoding // the first one listed that we speak; Raw if none
	copyRect bool
	compress int // 0 to 9; -1: none named
	quality  int // 0 to 9; -1: none named: lossless

	cursor          rfb.Encoding // the best cursor pseudo-encoding; 0: none
	pointerPos      bool
	desktopSize     bool
	extDesktopSize  bool
	lastRect        bool
	desktopName     bool
	fence           bool
	extendedButtons bool
	continuous      bool
}

// cursorRank orders the cursor pseudo-encodings by what they can show.
var cursorRank = map[rfb.Encoding]int{
	rfb.PseudoXCursor:         1, // two colours
	rfb.PseudoCursor:          2, // all colours, one bit of transparency
	rfb.PseudoCursorWithAlpha: 3,
}

// newCaps reads a list of encodings. Raw is always understood (RFC 6143,
// section 7.7).
func newCaps(list []rfb.Encoding) caps {
	c := caps{encoding: rfb.EncodingRaw, compress: -1, quality: -1}
	chosen := false
	for _, e := range list {
		switch e {
		case rfb.EncodingRaw, rfb.EncodingRRE, rfb.EncodingCoRRE, rfb.EncodingHextile, rfb.EncodingZlib,
			rfb.EncodingTight, rfb.EncodingTRLE, rfb.EncodingZRLE:
			if !chosen {
				c.encoding, chosen = e, true
			}
		case rfb.EncodingCopyRect:
			c.copyRect = true
		case rfb.PseudoCursor, rfb.PseudoXCursor, rfb.PseudoCursorWithAlpha:
			if cursorRank[e] > cursorRank[c.cursor] {
				c.cursor = e
			}
		case rfb.PseudoPointerPos:
			c.pointerPos = true
		case rfb.PseudoDesktopSize:
			c.desktopSize = true
		case rfb.PseudoExtendedDesktopSize:
			c.extDesktopSize = true
		case rfb.PseudoLastRect:
			c.lastRect = true
		case rfb.PseudoDesktopName:
			c.desktopName = true
		case rfb.PseudoFence:
			c.fence = true
		case rfb.PseudoExtendedMouseButtons:
			c.extendedButtons = true
		case rfb.PseudoContinuousUpdates:
			c.continuous = true
		default:
			if v, ok := e.CompressLevel(); ok {
				c.compress = v
			} else if v, ok := e.JPEGQuality(); ok {
				c.quality = v
			}
		}
	}
	return c
}
