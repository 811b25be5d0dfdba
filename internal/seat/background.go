package seat

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"

	"framebridge/internal/x11"
)

// Requests of the core protocol about the background.
const (
	opChangeWindowAttributes = 2
	opInternAtom             = 16
	opGetProperty            = 20
	opClearArea              = 61
	opAllocColor             = 84
	opAllocNamedColor        = 85

	cwBackPixmap = 1 << 0
	cwBackPixel  = 1 << 1
	atomPixmap   = 20
)

// parseColour reads #RGB and #RRGGBB as 16 bits each; other forms are names.
func parseColour(s string) (rgb [3]uint16, ok bool) {
	if len(s) != 4 && len(s) != 7 || s[0] != '#' {
		return rgb, false
	}
	n := (len(s) - 1) / 3
	for i := range rgb {
		v, err := strconv.ParseUint(s[1+i*n:1+i*n+n], 16, 16)
		if err != nil {
			return [3]uint16{}, false
		}
		if n == 1 {
			v *= 0x11
		}
		rgb[i] = uint16(v * 0x101)
	}
	return rgb, true
}

// findColour asks for the colour's pixel.
func (s *seat) findColour(ctx context.Context) error {
	colours := uint32(s.c.Screen().DefaultColormap)
	if rgb, ok := parseColour(s.o.Background); ok {
		b := binary.LittleEndian.AppendUint32(x11.Request(nil, opAllocColor, 0, 16), colours)
		for _, v := range rgb {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
		r, err := s.call(ctx, append(b, 0, 0), 20)
		if err == nil {
			s.pixel = binary.LittleEndian.Uint32(r[16:])
		}
		return err
	}
	name := s.o.Background
	if name[0] == '#' || len(name) > 255 {
		return errors.New("want #RRGGBB, or a name that the X server knows")
	}
	padded := (len(name) + 3) &^ 3
	b := binary.LittleEndian.AppendUint32(x11.Request(nil, opAllocNamedColor, 0, 12+padded), colours)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	b = append(append(b, 0, 0), name...)
	r, err := s.call(ctx, append(b, make([]byte, padded-len(name))...), 12)
	if err != nil {
		return errors.New("the X server knows no such colour")
	}
	s.pixel = binary.LittleEndian.Uint32(r[8:])
	return nil
}

// paint gives the root window the colour, or what it had. What a root window shows
// cannot be asked for: programs that set a picture say in a property which it is;
// where there is none the X server's own comes back.
func (s *seat) paint(ctx context.Context, solid bool) error {
	mask, value := uint32(cwBackPixel), s.pixel
	if !solid {
		mask, value = cwBackPixmap, s.picture(ctx)
	}
	root := uint32(s.c.Root())
	b := binary.LittleEndian.AppendUint32(x11.Request(nil, opChangeWindowAttributes, 0, 16), root)
	b = binary.LittleEndian.AppendUint32(b, mask)
	err := s.c.Call(ctx, binary.LittleEndian.AppendUint32(b, value))
	if err != nil && value != 0 && !solid { // the picture has gone with its program
		b = binary.LittleEndian.AppendUint32(b[:12], 0)
		err = s.c.Call(ctx, b)
	}
	clear := binary.LittleEndian.AppendUint32(x11.Request(nil, opClearArea, 0, 16), root)
	return errors.Join(err, s.c.Call(ctx, append(clear, make([]byte, 8)...)))
}

// picture returns the pixmap that the root window's picture is; 0 if there is none.
func (s *seat) picture(ctx context.Context) uint32 {
	for _, name := range []string{"_XROOTPMAP_ID", "ESETROOT_PMAP_ID"} {
		padded := (len(name) + 3) &^ 3
		b := binary.LittleEndian.AppendUint16(x11.Request(nil, opInternAtom, 1, 8+padded), uint16(len(name)))
		b = append(append(b, 0, 0), name...)
		r, err := s.call(ctx, append(b, make([]byte, padded-len(name))...), 12)
		if err != nil {
			return 0
		}
		atom := binary.LittleEndian.Uint32(r[8:])
		if atom == 0 {
			continue // nobody has ever used it
		}
		b = x11.Request(nil, opGetProperty, 0, 24)
		for _, v := range []uint32{uint32(s.c.Root()), atom, atomPixmap, 0, 1} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		r, err = s.call(ctx, b, 32)
		if err == nil && len(r) >= 36 && r[1] == 32 {
			return binary.LittleEndian.Uint32(r[32:])
		}
	}
	return 0
}
