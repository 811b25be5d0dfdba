package tight

import (
	"encoding/binary"
	"fmt"
	"image"

	"framebridge/encode"
	"framebridge/encode/deflate"
	"framebridge/encode/jpeg"
	"framebridge/internal/pix"
)

// Class is how a rectangle is sent.
type Class uint8

// The classes: one colour; two; up to 256; anything; lossy.
const (
	Fill Class = iota
	Mono
	Indexed
	Full
	JPEG
)

// A Prepared is a rectangle after the part of the work that knows no viewer. It
// may be kept, and sent to every viewer whose parameters are those it was made
// with. Packer.Prepare reuses its memory; nothing else writes to it.
type Prepared struct {
	Class  Class
	Stream int // the zlib stream for Data, 0 to 2; -1: Data is sent as it is
	Level  int // deflate level for Data
	// Head is what comes before the data: the control byte and, for Mono and
	// Indexed, the filter and the palette.
	Head []byte
	// Data is what remains: pixels or indices to compress, the length and file of
	// a JPEG picture, or a few bytes that are not worth compressing.
	Data []byte
	// Piece, when not empty, is Data compressed by Packer.Compress.
	Piece []byte

	parts [1]deflate.Part // of Data, for Piece
}

const (
	controlExplicitFilter = 0x40
	controlFill           = 0x80
	controlJPEG           = 0x90
	filterPalette         = 1

	streamFull, streamMono, streamIndexed = 0, 1, 2

	// minCompress is the size from which on data is compressed; shorter data is
	// sent without a length.
	minCompress = 12
	// maxWidth is the protocol's limit for a Tight rectangle.
	maxWidth = 2048
	// maxArea keeps any data below the 2^22-1 bytes that a compact length can
	// tell, pixels of four bytes and incompressible pictures included.
	maxArea = 1 << 19
	// minJPEGArea: the tables of a JPEG picture take 0.6 KiB; below this area a
	// lossless rectangle is hardly larger.
	minJPEGArea = 1024
	// topGrid is what a top's rows are a multiple of: the blocks of a JPEG picture that
	// may follow stay whole.
	topGrid = 16
)

// qualities and subsamplings map a quality level; viewers know these steps from
// other servers.
var (
	qualities    = [10]int{15, 29, 41, 42, 62, 77, 79, 86, 92, 100}
	subsamplings = [10]jpeg.Subsampling{
		jpeg.S420, jpeg.S420, jpeg.S420, jpeg.S422, jpeg.S422,
		jpeg.S422, jpeg.S444, jpeg.S444, jpeg.S444, jpeg.S444,
	}
)

// A Packer does the part of the work that knows no viewer. Use it from one
// goroutine; several may work side by side.
type Packer struct {
	params encode.Params
	conv   *pix.Converter
	tpixel bool // pixels are three bytes on the wire
	size   int  // bytes of a pixel on the wire
	keys   bool // what is indexed is the pixels' values, not their colours
	jpeg   jpeg.Encoder
	index  encode.Indexer
	done   int // pixels that index has done
	row    [maxWidth]uint32
	bytes  []byte
}

// NewPacker returns a packer for p, whose Format must be valid.
func NewPacker(p encode.Params) *Packer {
	k := new(Packer)
	k.SetParams(p)
	return k
}

// SetParams makes p apply from the next rectangle on.
func (k *Packer) SetParams(p encode.Params) {
	if k.conv == nil || p.Format != k.params.Format {
		k.conv = pix.NewConverter(p.Format)
	}
	k.params = p
	k.tpixel = p.Format.TPixel()
	k.size = p.Format.Bytes()
	if k.tpixel {
		k.size = 3
	}
	// Where several colours have one value, a palette of values is smaller. Those of
	// odd formats that do not fit 24 bits do without.
	f := p.Format
	k.keys = !f.TrueColour || min(f.RedMax, f.GreenMax, f.BlueMax) < 255 && k.conv.Value(pix.RGBMask)>>24 == 0
}

// Prepare fills out with the pixels of m in r, which lies in m and is not empty.
// Errors: r is wider than 2048 pixels or has more than 2^19; a level above 9.
func (k *Packer) Prepare(out *Prepared, m *pix.Image, r image.Rectangle) error {
	err := k.Look(out, m, r)
	if err == nil && out.Class == JPEG {
		k.Picture(out, m, r)
	}
	return err
}

// Quick reports whether Look takes about as long as a copy of the pixels.
func (k *Packer) Quick() bool { return k.tpixel }

// Look is the part of Prepare that reads each pixel about once. Where it leaves the
// class JPEG, Picture must follow, with the same pixels; other rectangles are done.
// So a caller who holds a lock on a picture that changes need copy pixels for JPEG
// alone.
func (k *Packer) Look(out *Prepared, m *pix.Image, r image.Rectangle) error {
	_, err := k.look(out, m, r, false)
	return err
}

// MinParts is up to how many pixels LookPart does a rectangle as a whole.
const MinParts = 4 << 10

// minTop is the fewest pixels at a rectangle's top that are worth a palette of their
// own.
const minTop = 16 << 10

// LookPart is Look for callers who can send several rectangles in the place of one.
// Where r has too many colours for a palette, out may be a part of r alone: as much of
// its top as has not, or a photograph that lies in it, so that text beside that stays
// exact. The caller goes on with the rest of r.
func (k *Packer) LookPart(out *Prepared, m *pix.Image, r image.Rectangle) (part image.Rectangle, err error) {
	return k.look(out, m, r, r.Dx()*r.Dy() > MinParts)
}

func (k *Packer) look(out *Prepared, m *pix.Image, r image.Rectangle, parts bool) (part image.Rectangle, err error) {
	w, area := r.Dx(), r.Dx()*r.Dy()
	if w > maxWidth || area > maxArea {
		return r, fmt.Errorf("tight: rectangle %v, want at most %d wide and %d pixels", r, maxWidth, maxArea)
	}
	level, err := k.params.DeflateLevel()
	if err != nil {
		return r, fmt.Errorf("tight: %w", err)
	}
	if k.params.Quality >= len(qualities) {
		return r, fmt.Errorf("tight: quality level %d, want at most 9", k.params.Quality)
	}
	out.Head, out.Data, out.Piece = out.Head[:0], out.Data[:0], out.Piece[:0]
	out.Stream = -1
	if k.keys { // else index finds out as quickly
		if rgb, ok := encode.Solid(m, r); ok {
			k.fill(out, k.value(rgb))
			return r, nil
		}
	}
	limit := k.maxColours(area)
	first := limit
	lossy := k.params.Quality >= 0 && k.params.Format.BitsPerPixel >= 16 && area >= minJPEGArea
	if lossy {
		most := 96
		if k.params.Compress == 0 || k.params.Compress == 1 {
			most = 24
		}
		first = min(most, limit)
	}
	out.Data = resize(out.Data, area)
	k.index.Reset()
	k.done = 0
	ok := k.number(out.Data, m, r, first)
	photo := lossy && !ok && encode.PhotoLike(m, r)
	if !ok && first < limit && (parts || !photo) {
		ok = k.number(out.Data, m, r, limit) && !photo
	}
	part = r
	if top := r; parts && !ok && minTop+topGrid*w <= k.done && k.done < area {
		n := k.done / w / topGrid * topGrid
		top.Max.Y = top.Min.Y + n
		if !photo || !encode.PhotoLike(m, top) { // a photograph may begin below
			part, ok = top, true
			out.Data = out.Data[:n*w]
		}
	}
	if lossy && !ok && (parts || photo) {
		if q := encode.PhotoArea(m, r, photo); q == r || parts && !q.Empty() {
			out.Class = JPEG
			return q, nil
		}
	}

	switch {
	case ok && k.index.Palette.N == 1:
		k.fill(out, k.entry(0))
	case ok && k.index.Palette.N == 2:
		out.Class = Mono
		k.head(out, streamMono)
		out.Data = packMono(out.Data, w)
		out.parts[0] = deflate.Part{Size: len(out.Data), Unit: 1, Stride: (w + 7) / 8}
	case ok:
		out.Class = Indexed
		k.head(out, streamIndexed)
		out.parts[0] = deflate.Part{Size: len(out.Data), Unit: 1, Stride: w}
	default:
		out.Class = Full
		out.Stream = streamFull
		out.Head = append(out.Head, streamFull<<4)
		k.full(out, m, r)
		out.parts[0] = deflate.Part{Size: len(out.Data), Unit: k.size, Stride: k.size * w}
		if k.params.Fast && encode.PhotoLike(m, r) {
			level = 0
		}
	}
	if len(out.Data) < minCompress {
		out.Stream = -1
	}
	if out.Stream >= 0 {
		out.Level = level
	}
	return part, nil
}

// Compress makes out's data independent of any stream's history, so that the
// same bytes can be joined into every viewer's stream. The output is larger than
// with a viewer's own history: a few per cent for rectangles of 64 Ki pixels.
func (k *Packer) Compress(out *Prepared) error {
	if out.Stream < 0 {
		return nil
	}
	piece, err := encode.AppendDeflate(out.Piece[:0], out.Data, out.Level, out.parts[:])
	if err != nil {
		return fmt.Errorf("tight: %w", err)
	}
	out.Piece = piece
	return nil
}

// maxColours returns the size up to which a palette pays in a rectangle of area
// pixels: it costs as much per colour as many pixels' indices do compressed, the
// more so the better the compression. Two always pay.
func (k *Packer) maxColours(area int) int {
	if k.size == 1 {
		return 2 // an index is as long as a pixel
	}
	per := 16
	if l := k.params.Compress; l >= 0 {
		per = max(4, 8*l)
	}
	return min(max(2, area/per), encode.MaxColours)
}

// value returns the number that stands for the colour rgb in palettes.
func (k *Packer) value(rgb uint32) uint32 {
	if k.tpixel {
		return rgb
	}
	return k.conv.Value(rgb)
}

// entry returns the value of the palette's colour i.
func (k *Packer) entry(i int) uint32 {
	v := k.index.Palette.Values[i]
	if k.keys {
		return v
	}
	return k.value(v)
}

// appendPixel appends a value as the viewer reads it: TPIXEL is red, green, blue
// whatever the format's shifts and byte order.
func (k *Packer) appendPixel(dst []byte, v uint32) []byte {
	if k.tpixel {
		return append(dst, byte(v>>16), byte(v>>8), byte(v))
	}
	return k.conv.AppendValue(dst, v)
}

func (k *Packer) fill(out *Prepared, v uint32) {
	out.Class = Fill
	out.Head = k.appendPixel(append(out.Head, controlFill), v)
	out.Data = out.Data[:0]
}

// head writes the control byte, the filter and the palette.
func (k *Packer) head(out *Prepared, stream int) {
	out.Stream = stream
	out.Head = append(out.Head, byte(stream)<<4|controlExplicitFilter, filterPalette, byte(k.index.Palette.N-1))
	for i := range k.index.Palette.N {
		out.Head = k.appendPixel(out.Head, k.entry(i))
	}
}

// Picture makes the JPEG picture that Look found right for r: a length, then the file.
func (k *Packer) Picture(out *Prepared, m *pix.Image, r image.Rectangle) {
	out.Head = append(out.Head, controlJPEG)
	q := k.params.Quality
	out.Data = append(out.Data[:0], 0, 0, 0)
	out.Data = k.jpeg.AppendEncode(out.Data, m, r, qualities[q], subsamplings[q])
	out.Data = closeLength(out.Data, 0)
}

// full packs the pixels of r.
func (k *Packer) full(out *Prepared, m *pix.Image, r image.Rectangle) {
	if !k.tpixel {
		out.Data = out.Data[:0]
		for y := r.Min.Y; y < r.Max.Y; y++ {
			out.Data = k.conv.Append(out.Data, m.Row(y, r.Min.X, r.Max.X))
		}
		return
	}
	n := 3 * r.Dx()
	out.Data = resize(out.Data, n*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		pix.PackRGB(out.Data[(y-r.Min.Y)*n:][:n], m.Row(y, r.Min.X, r.Max.X))
	}
}

// number fills the palette and writes each pixel's number in it to dst, which has as
// many bytes as r has pixels. It stops and returns false at the colour that exceeds
// limit; the next call goes on from there.
func (k *Packer) number(dst []byte, m *pix.Image, r image.Rectangle, limit int) bool {
	w := r.Dx()
	for y := r.Min.Y + k.done/w; y < r.Max.Y; y++ {
		from := k.done % w
		src := m.Row(y, r.Min.X+from, r.Max.X)
		if k.keys {
			src = k.values(src)
		}
		n := k.index.Row(dst[k.done:][:w-from], src, limit)
		k.done += n
		if n < w-from {
			return false
		}
	}
	return true
}

// values returns the pixels of src with their values in the place of their colours,
// valid until the next call.
func (k *Packer) values(src []byte) []byte {
	values := k.row[:len(src)/pix.BytesPerPixel]
	k.conv.Values(values, src)
	k.bytes = resize(k.bytes, len(src))
	for i, v := range values {
		binary.LittleEndian.PutUint32(k.bytes[pix.BytesPerPixel*i:], v)
	}
	return k.bytes
}

// resize returns a slice of n bytes of undefined contents, b's memory if it is
// large enough.
func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
