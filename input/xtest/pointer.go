package xtest

import (
	"context"

	"framebridge/input"
	"framebridge/internal/x11"
)

// buttons is how many buttons a viewer's mask has.
const buttons = 16

// pointer is what the injector has done with the pointer.
type pointer struct {
	mask     uint16            // buttons that the viewers hold
	physical [buttons + 1]byte // device button for each button as programs see it
	down     [buttons + 1]byte // device button pressed for it
}

// maxCoordinate bounds coordinates, which have 16 bits with a sign. The server
// keeps the pointer on its screen.
const maxCoordinate = 1<<15 - 1

// Pointer moves the pointer and then presses and releases buttons; see
// input.Sink.
func (i *Injector) Pointer(x, y int, mask uint16) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.usable(); err != nil {
		return err
	}
	i.smu.Lock()
	dirty := i.pointDirty
	i.smu.Unlock()
	if dirty {
		if err := i.loadPointer(context.Background()); err != nil {
			return err
		}
	}
	i.undo() // a Shift around a key must not become a Shift+click
	// Also when the viewer did not move: something else may have.
	if x != input.Stay || y != input.Stay {
		i.fake(fakeMotion, 0, int16(min(max(x, 0), maxCoordinate)), int16(min(max(y, 0), maxCoordinate)))
	}
	i.pointer.set(i, mask)
	return i.flush()
}

// set queues the button events that lead from the last mask to a new one.
func (p *pointer) set(i *Injector, mask uint16) {
	for n := 1; n <= buttons; n++ {
		bit := uint16(1) << (n - 1)
		switch {
		case mask&bit != 0 && p.mask&bit == 0:
			if d := p.physical[n]; d != 0 {
				i.fake(fakeButtonPress, d, 0, 0)
				p.down[n] = d
			}
		case mask&bit == 0 && p.mask&bit != 0:
			// The same one, also if the map has changed since.
			if d := p.down[n]; d != 0 {
				i.fake(fakeButtonRelease, d, 0, 0)
				p.down[n] = 0
			}
		}
	}
	p.mask = mask
}

// release queues the release of all buttons.
func (p *pointer) release(i *Injector) { p.set(i, 0) }

// loadPointer reads which device button programs see as which: a user with a
// mouse for the left hand has swapped them, but the viewer's system has already
// done so for the viewer. i.mu is held.
func (i *Injector) loadPointer(ctx context.Context) error {
	i.smu.Lock()
	i.pointDirty = false
	i.smu.Unlock()
	r, err := i.wait(ctx, i.c.QueueCall(x11.Request(nil, opGetPointerMapping, 0, 4)))
	if err != nil {
		return err
	}
	n := min(int(r[1]), len(r)-32)
	i.pointer.physical = [buttons + 1]byte{}
	for d := n; d >= 1; d-- { // the lowest that has the meaning wins
		if b := r[32+d-1]; b >= 1 && b <= buttons {
			i.pointer.physical[b] = byte(d)
		}
	}
	return nil
}
