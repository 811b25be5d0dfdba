package vnc

import (
	"image"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"framebridge/encode"
	"framebridge/encode/hextile"
	"framebridge/encode/raw"
	"framebridge/encode/rre"
	"framebridge/encode/tight"
	"framebridge/encode/zrle"
	"framebridge/internal/pix"
	"framebridge/internal/screen"
	"framebridge/rfb"
)

// The work on a rectangle has a part that knows no viewer (copying the pixels,
// looking at them, packing, compressing without history) and a part that does
// (the zlib stream that the result is joined into). The first part makes a
// product. Products are made on all cores, and one is made once for all viewers
// that want the same rectangle in the same way.

// recipe is how a rectangle is made: what two viewers must have in common to
// share it.
type recipe struct {
	encoding rfb.Encoding
	params   encode.Params
	parts    bool // a product of Tight may be several rectangles
	// rounded lets Tight round the colours of what has too many for a palette and is no
	// photograph: text in colours, with smooth edges. It takes 45 % fewer bytes then,
	// and no eye sees the difference, but it is one, so it is for slow links and sent
	// again without loss, as JPEG is.
	rounded bool
}

// product is a rectangle that was, or is being, encoded.
type product struct {
	rect image.Rectangle
	recipe
	ready chan struct{} // closed when what follows is valid
	gen   uint64        // of the pixels
	err   error
	tight []part // cover rect
	// inexact is set if colours in tight were rounded.
	inexact bool
	zrle    zrle.Prepared
	bytes   []byte // payload in the encodings without streams
	uses    atomic.Int32
}

// part is a rectangle of a product in Tight: what has more colours than a palette takes
// may become several that have not, if the viewer need not know their number before
// (recipe.parts).
type part struct {
	image.Rectangle
	tight.Prepared
}

// nextPart appends a part with the memory that one had which was there before.
func (p *product) nextPart() *part {
	if n := len(p.tight); n < cap(p.tight) {
		p.tight = p.tight[:n+1]
	} else {
		p.tight = append(p.tight, part{})
	}
	return &p.tight[len(p.tight)-1]
}

// size is about how much memory p holds.
func (p *product) size() int {
	n := cap(p.zrle.Data) + cap(p.zrle.Piece) + cap(p.bytes)
	for _, t := range p.tight[:cap(p.tight)] {
		n += cap(t.Data) + cap(t.Piece)
	}
	return n
}

// there reports whether p is a product, and ready.
func (p *product) there() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// held is size, or a guess while p is in the making.
func (p *product) held() int {
	if p.there() {
		return p.size()
	}
	return p.rect.Dx() * p.rect.Dy()
}

// Bounds of the products that are kept for other viewers. They need to live only
// until the slowest of the viewers that keep up has taken them.
const (
	maxKept     = 512
	maxKeptSize = 6 << 20
)

// workshop makes products.
type workshop struct {
	screen *screen.Screen
	cores  chan struct{} // a place per product in the making

	mu      sync.Mutex
	viewers map[recipe]int
	kept    map[keptKey]*product
	order   []*product // of keeping

	workers  sync.Pool // of *worker
	products sync.Pool // of *product
}

type keptKey struct {
	recipe
	rect image.Rectangle
}

func newWorkshop(s *screen.Screen) *workshop {
	return &workshop{
		screen:  s,
		cores:   make(chan struct{}, runtime.GOMAXPROCS(0)),
		viewers: make(map[recipe]int),
		kept:    make(map[keptKey]*product),
		workers: sync.Pool{New: func() any { return new(worker) }},
		products: sync.Pool{New: func() any {
			return new(product)
		}},
	}
}

// enter and leave count the viewers that want a recipe.
func (w *workshop) enter(r recipe) {
	w.mu.Lock()
	w.viewers[r]++
	w.mu.Unlock()
}

func (w *workshop) leave(r recipe) {
	w.mu.Lock()
	if w.viewers[r]--; w.viewers[r] <= 0 {
		delete(w.viewers, r)
	}
	if len(w.viewers) == 0 {
		for _, p := range w.order {
			w.done(p)
		}
		clear(w.kept)
		w.order = nil
	}
	w.mu.Unlock()
}

// shared reports whether several viewers want the recipe.
func (w *workshop) shared(r recipe) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.viewers[r] > 1
}

// make begins to make a product or, where it is shared, finds the one that another
// viewer began. The caller waits for it with wait and gives it back with done.
func (w *workshop) make(r recipe, rect image.Rectangle, share bool) *product {
	key := keptKey{r, rect}
	if share {
		w.mu.Lock()
		if p := w.kept[key]; p != nil {
			p.uses.Add(1)
			w.mu.Unlock()
			return p
		}
	}
	p := w.products.Get().(*product)
	p.rect, p.recipe, p.gen, p.err = rect, r, 0, nil
	p.ready = make(chan struct{})
	p.uses.Store(1)
	if share {
		p.uses.Add(1)
		w.keep(key, p)
		w.mu.Unlock()
	}
	w.cores <- struct{}{}
	go func() {
		defer func() { <-w.cores }()
		k := w.workers.Get().(*worker)
		k.make(w.screen, p)
		w.workers.Put(k)
		close(p.ready)
	}()
	return p
}

// wait returns p when it is ready, made anew if its pixels are older than gen.
func (w *workshop) wait(p *product, gen uint64) *product {
	<-p.ready
	for p.err == nil && p.gen < gen {
		w.mu.Lock()
		key := keptKey{p.recipe, p.rect}
		if w.kept[key] == p {
			delete(w.kept, key) // it stays in order until its turn comes
		}
		w.mu.Unlock()
		fresh := w.make(p.recipe, p.rect, true)
		w.done(p)
		p = fresh
		<-p.ready
	}
	return p
}

// keep adds p to the kept ones. The caller holds w.mu.
func (w *workshop) keep(key keptKey, p *product) {
	w.kept[key] = p
	w.order = append(w.order, p)
	size := 0
	for _, q := range w.order {
		size += q.held()
	}
	for len(w.order) > 1 && (len(w.order) > maxKept || size > maxKeptSize) {
		old := w.order[0]
		size -= old.held()
		oldKey := keptKey{old.recipe, old.rect}
		if w.kept[oldKey] == old {
			delete(w.kept, oldKey)
		}
		w.order[0] = nil
		w.order = w.order[1:]
		w.done(old)
	}
}

// done gives a use of p back; its memory is used again after the last.
func (w *workshop) done(p *product) {
	if p.uses.Add(-1) == 0 && p.size() <= maxPooled {
		w.products.Put(p)
	}
}

// maxPooled is the most memory of a product that is worth keeping.
const maxPooled = 512 << 10

// worker is what one core needs to make products.
type worker struct {
	snap    pix.Image
	pending []image.Rectangle
	tight   *tight.Packer
	zrle    *zrle.Packer
	other   map[rfb.Encoding]encoder
}

func (k *worker) make(s *screen.Screen, p *product) {
	if p.encoding == rfb.EncodingTight {
		if k.tight == nil {
			k.tight = tight.NewPacker(p.params)
		} else {
			k.tight.SetParams(p.params)
		}
		p.err = k.makeTight(s, p)
		return
	}
	p.gen = s.Copy(&k.snap, p.rect)
	switch p.encoding {
	case rfb.EncodingZRLE:
		if k.zrle == nil {
			k.zrle = zrle.NewPacker(p.params)
		} else {
			k.zrle.SetParams(p.params)
		}
		if p.err = k.zrle.Prepare(&p.zrle, &k.snap, p.rect); p.err == nil {
			p.err = k.zrle.Compress(&p.zrle)
		}
	default:
		e := k.other[p.encoding]
		if e == nil {
			if k.other == nil {
				k.other = make(map[rfb.Encoding]encoder)
			}
			e = newStateless(p.encoding, p.params)
			k.other[p.encoding] = e
		} else {
			e.SetParams(p.params)
		}
		p.bytes, p.err = e.AppendRect(p.bytes[:0], &k.snap, p.rect)
	}
}

// makeTight makes a product of the pixels as they are now. They are copied only where
// the screen could not wait for the work on them.
func (k *worker) makeTight(s *screen.Screen, p *product) (err error) {
	p.inexact = false
	looked := false
	if k.tight.Quick() {
		s.Inspect(func(m *pix.Image, gen uint64) {
			if !p.rect.In(m.Rect) {
				return // the screen has become smaller
			}
			looked, p.gen = true, gen
			if err = k.look(p, m); err != nil {
				return
			}
			if !slices.ContainsFunc(p.tight, isPicture) {
				return
			}
			k.snap.Reset(p.rect)
			for _, t := range p.tight {
				if isPicture(t) {
					pix.Copy(&k.snap, m, t.Rectangle)
				}
			}
		})
	}
	if !looked {
		p.gen = s.Copy(&k.snap, p.rect)
		err = k.look(p, &k.snap)
	}
	if err != nil {
		return err
	}
	if p.rounded && slices.ContainsFunc(p.tight, func(t part) bool { return t.Class == tight.Full }) {
		p.gen = s.Copy(&k.snap, p.rect)
		k.snap.Round(p.rect)
		p.inexact = true
		if err := k.look(p, &k.snap); err != nil {
			return err
		}
	}
	for i := range p.tight {
		t := &p.tight[i]
		if isPicture(*t) {
			k.tight.Picture(&t.Prepared, &k.snap, t.Rectangle)
		}
		if err := k.tight.Compress(&t.Prepared); err != nil {
			return err
		}
	}
	return nil
}

func isPicture(t part) bool { return t.Class == tight.JPEG }

// look fills p.tight with the pixels of m, all but those of pictures.
func (k *worker) look(p *product, m *pix.Image) error {
	p.tight = p.tight[:0]
	k.pending = append(k.pending[:0], p.rect)
	for len(k.pending) > 0 {
		r := k.pending[len(k.pending)-1]
		k.pending = k.pending[:len(k.pending)-1]
		t := p.nextPart()
		t.Rectangle = r
		if !p.parts {
			return k.tight.Look(&t.Prepared, m, r)
		}
		var err error
		if t.Rectangle, err = k.tight.LookPart(&t.Prepared, m, r); err != nil {
			return err
		}
		k.pending = appendAround(k.pending, r, t.Rectangle)
	}
	return nil
}

// appendAround appends what remains of r without its part q.
func appendAround(dst []image.Rectangle, r, q image.Rectangle) []image.Rectangle {
	for _, s := range [...]image.Rectangle{
		{image.Pt(r.Min.X, q.Max.Y), r.Max},
		{image.Pt(q.Max.X, q.Min.Y), image.Pt(r.Max.X, q.Max.Y)},
		{image.Pt(r.Min.X, q.Min.Y), image.Pt(q.Min.X, q.Max.Y)},
		{r.Min, image.Pt(r.Max.X, q.Min.Y)},
	} {
		if !s.Empty() {
			dst = append(dst, s)
		}
	}
	return dst
}

// newStateless returns an encoder of an encoding without streams.
func newStateless(e rfb.Encoding, p encode.Params) encoder {
	switch e {
	case rfb.EncodingRRE:
		return rre.New(p)
	case rfb.EncodingCoRRE:
		return rre.NewCoRRE(p)
	case rfb.EncodingHextile:
		return hextile.New(p)
	case rfb.EncodingTRLE:
		return zrle.NewTRLE(p)
	}
	return raw.New(p)
}

// producible reports whether rectangles in e can be made as products: all but
// Zlib's, which is one stream and for old viewers.
func producible(e rfb.Encoding) bool { return e != rfb.EncodingZlib }
