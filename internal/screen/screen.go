// Package screen holds the one picture that all viewers see: the store, the
// differ that turns damage into what really changed, and the journal from which
// every viewer learns what it has not seen yet.
//
// Wakes are queued, never frames. The screen numbers its changes (generations)
// and keeps the damage of the last journalLen generations; a viewer is the
// number of the generation that it has, plus what it was not yet sent. A slow
// viewer therefore costs nothing and always gets the latest state. A viewer that
// fell behind the journal compares generations per tile instead.
package screen

import (
	"context"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"framebridge/capture"
	"framebridge/internal/pix"
)

// TileSide is the width and height of a tile in pixels: the unit of comparison.
// Rows of a tile are 256 bytes, four cache lines, which memory comparison takes
// at full speed, and a character on an idle screen costs one or two tiles.
const TileSide = 64

// journalLen is how many generations a viewer may lag before its damage is
// known per tile only and moves are lost to it. At 60 changes a second it is
// about two seconds.
const journalLen = 128

// Config configures a Screen; the zero value works.
type Config struct {
	// MaxFPS bounds how often a second the source is asked for a frame while it
	// changes all the time; 0: 60. Changes after a pause are not delayed.
	MaxFPS int
	// VerifyInterval is the time between two samples that check the damage
	// reports; 0: off.
	VerifyInterval time.Duration
	// Quiet, if set, is called when nothing has changed for quietAfter, but not more
	// often than changes and quietPause allow, on a goroutine of its own.
	Quiet func()
	// Logger gets what operators need to know; nil: slog.Default().
	Logger *slog.Logger
}

// Move is a copy of pixels within the screen: the pixels of Src went to the
// rectangle of the same size at Dst. The two may overlap.
type Move struct {
	Src image.Rectangle
	Dst image.Point
}

// To returns the rectangle that the move writes.
func (m Move) To() image.Rectangle { return m.Src.Add(m.Dst.Sub(m.Src.Min)) }

// change is one generation in the journal: moves, in order, then the pixels
// that differ from the generation before after the moves.
type change struct {
	moves  []Move
	damage pix.Region
}

// SetMaxFPS changes Config.MaxFPS; it must be positive.
func (s *Screen) SetMaxFPS(n int) { s.maxFPS.Store(int64(max(n, 1))) }

// Screen is the store and its viewers. Run is the one writer; viewers read
// concurrently.
type Screen struct {
	cfg    Config
	log    *slog.Logger
	maxFPS atomic.Int64

	mu      sync.RWMutex // guards what follows; held for memory copies only
	store   *pix.Image   // nil before the first frame
	gen     uint64       // generation of store; 0: nothing yet
	base    uint64       // the journal has base+1 .. gen
	journal [journalLen]change
	tiles   []uint64 // per tile: the generation that changed it last
	across  int      // tiles in a row
	cursor  *capture.Cursor
	curGen  uint64 // counts cursor shapes
	pointer image.Point
	havePtr bool
	synced  bool // the store is as fresh as the source's damage reports
	lost    bool

	// The writer's own: the displacement of the last scroll, when the store changed
	// last, how many searches for a dragged window are to be left out, and which for
	// scrolls.
	lastMove            image.Point
	changedAt           time.Time
	dragWait, dragPause int
	misses              misses
	voter               voter

	vmu      sync.Mutex
	viewers  map[*Viewer]struct{}
	wanting  int
	demand   chan struct{}      // capacity 1: a viewer came, left or wants
	unviewed context.CancelFunc // ends a Next that waits for nobody; may be nil
}

// New returns a screen without a picture.
func New(cfg Config) *Screen {
	if cfg.MaxFPS == 0 {
		cfg.MaxFPS = 60
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Screen{
		cfg:     cfg,
		log:     cfg.Logger,
		viewers: make(map[*Viewer]struct{}),
		demand:  make(chan struct{}, 1),
	}
	s.maxFPS.Store(int64(cfg.MaxFPS))
	return s
}

// Size returns the screen's size in pixels; zero before the first frame.
func (s *Screen) Size() image.Point {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.store == nil {
		return image.Point{}
	}
	return s.store.Rect.Size()
}

// Cursor returns the pointer's shape, nil when there is none, and a serial that
// changes with it.
func (s *Screen) Cursor() (*capture.Cursor, uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cursor, s.curGen
}

// Pointer returns where the pointer's hot spot is, once it is known.
func (s *Screen) Pointer() (p image.Point, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.pointer, s.havePtr
}

// Lost reports whether the screen has no source: the store shows the last frame.
func (s *Screen) Lost() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lost
}

// Viewers returns how many viewers there are.
func (s *Screen) Viewers() int {
	s.vmu.Lock()
	defer s.vmu.Unlock()
	return len(s.viewers)
}

// View adds a viewer that has seen nothing. Close it when done.
func (s *Screen) View() *Viewer {
	v := &Viewer{screen: s, wake: make(chan struct{}, 1)}
	s.vmu.Lock()
	s.viewers[v] = struct{}{}
	first := len(s.viewers) == 1
	s.vmu.Unlock()
	if first {
		// Nobody looked while damage piled up in the source.
		s.mu.Lock()
		s.synced = false
		s.mu.Unlock()
	}
	s.signalDemand()
	return v
}

func (s *Screen) signalDemand() {
	select {
	case s.demand <- struct{}{}:
	default:
	}
}

// wakeAll wakes every viewer. When something is there to be taken, their wish
// for it is fulfilled.
func (s *Screen) wakeAll(fulfilled bool) {
	s.vmu.Lock()
	defer s.vmu.Unlock()
	for v := range s.viewers {
		if fulfilled && v.want {
			v.want = false
			s.wanting--
		}
		v.signal()
	}
}
