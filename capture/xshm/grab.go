package xshm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
)

// grabber brings pixels of the root window into its memory.
type grabber struct {
	conn   *x11.Conn
	root   xproto.Window
	format x11.PixelFormat

	method  Method // "" when there is no memory
	mapping *mapping
	segment uint32 // MIT-SHM's name of the memory
	opcode  byte   // of MIT-SHM
	parts   []part
	calls   []*x11.Call
}

// mapping is memory that pixels arrive in. It is apart from the grabber so that
// it can be freed when the Source that has it is collected.
type mapping struct {
	mem     []byte
	release func([]byte)
}

func (m *mapping) free() {
	if m.release != nil {
		m.release(m.mem)
	}
	m.mem, m.release = nil, nil
}

// part is a rectangle of pixels in the grabber's memory.
type part struct {
	rect   image.Rectangle
	mem    []byte
	offset int
	stride int
}

// alignment of the parts: a cache line, which vector code likes.
const alignment = 64

// stripe is the most bytes of pixels in one GetImage reply: small enough not to
// block the socket for other replies and events, which queue behind it, long.
const stripe = 256 << 10

// stripesAhead is how many stripes are asked for before the first has come: the
// server keeps what the socket does not take in its own memory.
const stripesAhead = 4

// MIT-SHM's requests (shm.txt, xextproto).
const (
	shmAttach   = 1
	shmDetach   = 2
	shmGetImage = 4
	shmAttachFd = 6
)

const (
	coreGetImage = 73
	zPixmap      = 2
	allPlanes    = 0xffffffff
)

// attach makes memory for a screen of the given size, and drops the old one.
func (g *grabber) attach(ctx context.Context, m Method, size image.Point) error {
	g.detach()
	n := g.format.Stride(size.X)*size.Y + x11.MaxRects*alignment
	if m == GetImage {
		*g.mapping = mapping{mem: make([]byte, n)}
		g.method = m
		return nil
	}
	if err := g.attachShm(ctx, m, n); err != nil {
		g.detach()
		return err
	}
	return nil
}

func (g *grabber) attachShm(ctx context.Context, m Method, n int) error {
	if !g.conn.Local() {
		return errors.New("the X server is on the other side of a network")
	}
	e, err := g.conn.Extension(ctx, x11.Shm)
	if err != nil {
		return err
	}
	g.opcode = e.Opcode
	if g.segment, err = g.conn.NewID(); err != nil {
		return err
	}
	if m == ShmFd {
		if !e.AtLeast(1, 2) {
			return fmt.Errorf("the X server's MIT-SHM %d.%d takes no file descriptors", e.Major, e.Minor)
		}
		err = g.attachFd(ctx, n)
	} else {
		err = g.attachSysV(ctx, n)
	}
	if err != nil {
		return err
	}
	g.method = m
	return g.verify(ctx)
}

// attachRequest returns MIT-SHM's Attach or AttachFd request: the segment's id,
// for Attach the system's id, and whether the server may only read.
func (g *grabber) attachRequest(minor byte, id ...uint32) []byte {
	b := x11.Request(nil, g.opcode, minor, 12+4*len(id))
	b = binary.LittleEndian.AppendUint32(b, g.segment)
	for _, v := range id {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, 0, 0, 0, 0)
}

// verify has the server write a pixel to the end of the memory and looks
// whether it came. A server in another IPC namespace may have attached another
// segment with the same id.
func (g *grabber) verify(ctx context.Context) error {
	size := g.format.Stride(1)
	p := part{
		rect: image.Rect(0, 0, 1, 1), stride: size,
		offset: (len(g.mapping.mem) - size) &^ (alignment - 1),
	}
	p.mem = g.mapping.mem[p.offset : p.offset+size]
	// The pixel may have one of these values, but not both.
	for _, mark := range []byte{0x5a, 0xa5} {
		for i := range p.mem {
			p.mem[i] = mark
		}
		call := g.queue(p)
		g.conn.Flush()
		if _, err := call.Wait(ctx); err != nil {
			return err
		}
		for i := range max(1, g.format.BitsPerPixel/8) {
			if p.mem[i] != mark {
				return nil
			}
		}
	}
	return errors.New("the X server attached other memory than ours: another IPC namespace?")
}

// detach gives the memory back. No frame may be in use.
func (g *grabber) detach() {
	if g.segment != 0 {
		// Unknown to the server when attaching failed: that is only logged.
		b := x11.Request(nil, g.opcode, shmDetach, 8)
		g.conn.Queue(binary.LittleEndian.AppendUint32(b, g.segment))
		g.conn.Flush()
	}
	g.segment, g.method = 0, ""
	g.mapping.free()
}

// fetch brings the pixels of rects. The parts are valid until the next fetch or
// detach.
func (g *grabber) fetch(ctx context.Context, rects []image.Rectangle) ([]part, error) {
	if !g.layout(rects) {
		box := rects[0]
		for _, r := range rects[1:] {
			box = box.Union(r)
		}
		if !g.layout([]image.Rectangle{box}) {
			return nil, fmt.Errorf("%v does not fit in memory for the screen", box)
		}
	}
	if g.method == GetImage {
		return g.parts, g.fetchStripes(ctx)
	}
	g.calls = g.calls[:0]
	for _, p := range g.parts {
		g.calls = append(g.calls, g.queue(p))
	}
	g.conn.Flush()
	for i, c := range g.calls {
		r, err := c.Wait(ctx)
		if err != nil {
			return nil, err
		}
		if n := int(binary.LittleEndian.Uint32(r[12:])); n != len(g.parts[i].mem) {
			return nil, fmt.Errorf("image of %d bytes, want %d", n, len(g.parts[i].mem))
		}
	}
	return g.parts, nil
}

// layout gives each rectangle its part of the memory. It reports whether they
// fit, as disjoint rectangles do.
func (g *grabber) layout(rects []image.Rectangle) bool {
	g.parts = g.parts[:0]
	o := 0
	for _, r := range rects {
		p := part{rect: r, offset: o, stride: g.format.Stride(r.Dx())}
		n := p.stride * r.Dy()
		if o+n > len(g.mapping.mem) {
			return false
		}
		p.mem = g.mapping.mem[o : o+n : o+n]
		g.parts = append(g.parts, p)
		o = (o + n + alignment - 1) &^ (alignment - 1)
	}
	return true
}

// queue asks for a part through MIT-SHM.
func (g *grabber) queue(p part) *x11.Call {
	b := x11.Request(make([]byte, 0, 32), g.opcode, shmGetImage, 32)
	b = g.appendArea(b, p.rect)
	b = binary.LittleEndian.AppendUint32(b, allPlanes)
	b = append(b, zPixmap, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, g.segment)
	b = binary.LittleEndian.AppendUint32(b, uint32(p.offset))
	return g.conn.QueueCall(b)
}

func (g *grabber) appendArea(b []byte, r image.Rectangle) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(g.root))
	for _, v := range []int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// fetchStripes brings the parts through the socket.
func (g *grabber) fetchStripes(ctx context.Context) error {
	g.calls = g.calls[:0]
	waited := 0
	wait := func(ahead int) error {
		for ; len(g.calls)-waited > ahead; waited++ {
			if _, err := g.calls[waited].Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range g.parts {
		rows := max(1, stripe/p.stride)
		for y := 0; y < p.rect.Dy(); y += rows {
			r := p.rect
			r.Min.Y += y
			r.Max.Y = min(r.Max.Y, r.Min.Y+rows)
			b := x11.Request(make([]byte, 0, 20), coreGetImage, zPixmap, 20)
			b = binary.LittleEndian.AppendUint32(g.appendArea(b, r), allPlanes)
			// Replies are padded to 4 bytes, rows of a depth of 8 need not be. What is
			// written beyond the rows is overwritten by the next, or lies between parts.
			o := p.offset + y*p.stride
			n := (r.Dy()*p.stride + 3) &^ 3
			g.calls = append(g.calls, g.conn.QueueCallInto(b, g.mapping.mem[o:o+n]))
			g.conn.Flush()
			if err := wait(stripesAhead); err != nil {
				return err
			}
		}
	}
	return wait(0)
}
