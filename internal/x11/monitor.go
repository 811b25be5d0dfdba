package x11

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"sync/atomic"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/damage"
	"github.com/BurntSushi/xgb/randr"
	"github.com/BurntSushi/xgb/xfixes"
	"github.com/BurntSushi/xgb/xproto"
)

// A Monitor tells what changes on the screen: what is drawn, its size, the
// pointer's shape and place. It learns so from events alone, and sends nothing
// to the server but from within Next.
//
// Drawing is reported by DAMAGE at level NonEmpty: one event when the damage
// gathered by the server stops being empty. Next then moves that damage to a
// region and reads the region, two requests in one write; the server reports
// again with the first drawing after that. So an idle screen costs nothing and
// a busy one costs what its reader takes.
type Monitor struct {
	c       *Conn
	damage  damage.Damage
	region  xfixes.Region
	opDmg   byte
	opFixes byte
	remove  func()

	changes atomic.Uint32 // of type change, from events not yet looked at
	wake    chan struct{} // capacity 1

	// What follows belongs to the caller of Next.

	owed        change // changes looked at and not yet returned
	size        image.Point
	pointer     image.Point
	havePointer bool
	pointerAt   time.Time // when the pointer's place was last asked for
	rects       []image.Rectangle
}

type change uint32

const (
	changeDamage  change = 1 << iota // something was drawn
	changeAll                        // all pixels count as changed
	changeSize                       // the screen may have another size
	changeCursor                     // the pointer has another shape
	changePointer                    // the pointer has moved
)

// pointerInterval is the least time between two questions for the pointer's
// place when nothing else happens: a mouse reports up to 1000 movements a
// second, a viewer sees no more than 60.
const pointerInterval = time.Second / 60

// Update is what happened since the update before.
type Update struct {
	Size image.Point // of the screen
	// All says that all pixels may have changed; Damage is then the whole screen.
	All bool
	// Damage has the areas drawn to, disjoint and inside the screen. It is valid
	// until the next call of Next.
	Damage []image.Rectangle
	// Cursor is the pointer's shape, nil when it is the same as before.
	Cursor *CursorImage
	// Pointer is the place of its hot spot, valid when HavePointer is set.
	Pointer     image.Point
	HavePointer bool
}

// NewMonitor starts to watch the connection's screen. The first Next returns
// all that there is.
func (c *Conn) NewMonitor(ctx context.Context) (*Monitor, error) {
	dmg, err := c.Extension(ctx, Damage)
	if err != nil {
		return nil, err
	}
	fixes, err := c.Extension(ctx, XFixes)
	if err != nil {
		return nil, err
	}
	if !fixes.AtLeast(2, 0) {
		return nil, fmt.Errorf("the X server's XFIXES %d.%d has no regions", fixes.Major, fixes.Minor)
	}
	m := &Monitor{
		c: c, opDmg: dmg.Opcode, opFixes: fixes.Opcode,
		wake: make(chan struct{}, 1),
		owed: changeAll | changeSize | changeCursor | changePointer,
	}
	m.remove = c.Handle(m.event)
	if err := m.selectEvents(ctx); err != nil {
		m.remove()
		return nil, err
	}
	return m, nil
}

func (m *Monitor) selectEvents(ctx context.Context) error {
	x, root := m.c.X(), m.c.Root()
	dmgID, err := m.c.NewID()
	if err != nil {
		return err
	}
	regID, err := m.c.NewID()
	if err != nil {
		return err
	}
	m.damage, m.region = damage.Damage(dmgID), xfixes.Region(regID)
	checks := []interface{ Check() error }{
		xproto.ChangeWindowAttributesChecked(x, root, xproto.CwEventMask,
			[]uint32{xproto.EventMaskStructureNotify | xproto.EventMaskColorMapChange}),
		xfixes.SelectCursorInputChecked(x, root, xfixes.CursorNotifyMaskDisplayCursor),
		xfixes.CreateRegionChecked(x, m.region, nil),
		damage.CreateChecked(x, m.damage, xproto.Drawable(root), damage.ReportLevelNonEmpty),
	}
	// Without RANDR a screen cannot change its size, and without XInput 2 the
	// pointer's place is learnt with the next drawing.
	if _, err := m.c.Extension(ctx, RandR); err == nil {
		checks = append(checks, randr.SelectInputChecked(x, root, randr.NotifyMaskScreenChange))
	} else if !errors.As(err, new(NoExtensionError)) {
		return err
	}
	if err := m.c.SelectRawMotion(ctx); err != nil {
		if m.c.Err() != nil {
			return err
		}
		m.c.log.Debug("pointer motion is not reported", "error", err)
	}
	for _, c := range checks {
		if err := c.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the watch. The server's side goes with the connection.
func (m *Monitor) Close() { m.remove() }

// event notes what an event means. It runs on the connection's reader.
func (m *Monitor) event(ev xgb.Event) {
	var ch change
	switch ev := ev.(type) {
	case damage.NotifyEvent:
		if ev.Damage == m.damage {
			ch = changeDamage
		}
	case randr.ScreenChangeNotifyEvent:
		ch = changeSize
	case xproto.ConfigureNotifyEvent:
		if ev.Window == m.c.Root() {
			ch = changeSize
		}
	case xproto.ColormapNotifyEvent:
		ch = changeAll
	case xfixes.CursorNotifyEvent:
		ch = changeCursor
	case GenericEvent:
		if m.c.IsRawMotion(ev) {
			ch = changePointer
		}
	}
	if ch == 0 {
		return
	}
	m.changes.Or(uint32(ch))
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Pending reports whether drawing has been heard of that no Next has returned.
func (m *Monitor) Pending() bool {
	return (m.owed|change(m.changes.Load()))&(changeDamage|changeAll|changeSize) != 0
}

// Owe makes the next Next return the whole screen: for a caller that could not
// use an update.
func (m *Monitor) Owe() { m.owed |= changeAll }

// OweSize is Owe for a caller that found the screen to have another size.
func (m *Monitor) OweSize() { m.owed |= changeAll | changeSize }

// Next waits until something has changed and returns what. When ctx is done it
// returns its error and nothing is lost.
func (m *Monitor) Next(ctx context.Context) (Update, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Update{}, err
		}
		m.owed |= change(m.changes.Swap(0))
		if m.owed&^changePointer == 0 {
			if err := m.wait(ctx); err != nil {
				return Update{}, err
			}
			if m.owed&changePointer == 0 || m.changes.Load() != 0 {
				continue
			}
		}
		u, err := m.ask(ctx)
		if err != nil || len(u.Damage) > 0 || u.Cursor != nil || u.HavePointer {
			return u, err
		}
	}
}

// wait waits for an event, or, when the pointer has moved, for the time when
// it may be asked for again.
func (m *Monitor) wait(ctx context.Context) error {
	var due <-chan time.Time
	if m.owed&changePointer != 0 {
		d := pointerInterval - time.Since(m.pointerAt)
		if d <= 0 {
			return nil
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
		// Further movements change nothing until then.
		for {
			select {
			case <-m.wake:
				m.owed |= change(m.changes.Swap(0))
				if m.owed&^changePointer != 0 {
					return nil
				}
			case <-due:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-m.c.Done():
				return m.c.Err()
			}
		}
	}
	select {
	case <-m.wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-m.c.Done():
		return m.c.Err()
	}
}

// ask asks the server for the details of what m.owed has, all in one write.
func (m *Monitor) ask(ctx context.Context) (u Update, err error) {
	changes := m.owed
	if changes&changeSize != 0 {
		changes |= changeAll
	}
	var region, geometry, cursor *Call
	if changes&(changeDamage|changeAll) != 0 {
		// From here to success the damage is neither with the server nor with
		// the caller.
		m.owed = m.owed&^changeDamage | changeAll
		m.c.Queue(m.subtract())
		if changes&changeAll == 0 {
			region = m.c.QueueCall(m.u32(m.opFixes, xfixesFetchRegion, uint32(m.region)))
		}
	}
	if changes&changeSize != 0 {
		geometry = m.c.QueueCall(m.u32(coreGetGeometry, 0, uint32(m.c.Root())))
	}
	if changes&changeCursor != 0 {
		cursor = m.c.QueueCall(Request(nil, m.opFixes, xfixesGetCursorImage, 4))
	}
	pointer := m.c.QueueCall(m.u32(coreQueryPointer, 0, uint32(m.c.Root())))
	m.c.Flush()
	if geometry != nil {
		r, err := geometry.Wait(ctx)
		if err != nil {
			return u, err
		}
		m.size = image.Pt(int(binary.LittleEndian.Uint16(r[16:])), int(binary.LittleEndian.Uint16(r[18:])))
		m.owed &^= changeSize
	}
	u.Size = m.size
	all := image.Rectangle{Max: m.size}
	if region != nil {
		r, err := region.Wait(ctx)
		if err != nil {
			return u, err
		}
		m.rects = coalesce(appendRects(m.rects[:0], r), all)
		u.Damage = m.rects
	} else if changes&changeAll != 0 {
		m.rects = append(m.rects[:0], all)
		u.Damage, u.All = m.rects, true
	}
	if cursor != nil {
		r, err := cursor.Wait(ctx)
		if u.Cursor, err = parseCursor(r, err); err != nil {
			return u, err
		}
	}
	r, err := pointer.Wait(ctx)
	if err != nil {
		return u, err
	}
	m.pointerAt = time.Now()
	if p, ok := parsePointer(r); ok && (!m.havePointer || p != m.pointer || len(u.Damage) > 0) {
		m.pointer, m.havePointer = p, true
		u.Pointer, u.HavePointer = p, true
	}
	m.owed = 0
	return u, nil
}

// Opcodes of requests (X protocol, appendix B; fixesproto.txt; damageproto.txt).
const (
	coreGetGeometry      = 14
	coreQueryPointer     = 38
	xfixesGetCursorImage = 4
	xfixesFetchRegion    = 19
	damageSubtract       = 3
)

// u32 returns a request with one 32-bit field.
func (m *Monitor) u32(opcode, data byte, v uint32) []byte {
	return binary.LittleEndian.AppendUint32(Request(make([]byte, 0, 8), opcode, data, 8), v)
}

// subtract returns the request that moves all damage to the region.
func (m *Monitor) subtract() []byte {
	b := Request(make([]byte, 0, 16), m.opDmg, damageSubtract, 16)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.damage))
	b = binary.LittleEndian.AppendUint32(b, 0) // repair: None, all of it
	return binary.LittleEndian.AppendUint32(b, uint32(m.region))
}

// appendRects appends the rectangles of a FetchRegion reply.
func appendRects(dst []image.Rectangle, reply []byte) []image.Rectangle {
	for b := reply[packetSize:]; len(b) >= 8; b = b[8:] {
		x, y := int(int16(binary.LittleEndian.Uint16(b))), int(int16(binary.LittleEndian.Uint16(b[2:])))
		w, h := int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
		dst = append(dst, image.Rect(x, y, x+w, y+h))
	}
	return dst
}

// parsePointer reads a QueryPointer reply; ok is false while the pointer is on
// another screen.
func parsePointer(r []byte) (p image.Point, ok bool) {
	return image.Pt(int(int16(binary.LittleEndian.Uint16(r[16:]))), int(int16(binary.LittleEndian.Uint16(r[18:])))), r[1] != 0
}
