package stream

import (
	"context"
	"time"
)

// A Video makes the frames for one page. Next blocks until there is one that the
// page may be sent: it never has more than two unacknowledged. All methods may
// be called from different goroutines; after Close, Next returns an error.
type Video interface {
	Next(ctx context.Context) (*Frame, error)
	// Ack says that the frame of this number, and all before it, are shown.
	Ack(seq uint32)
	// Rekey asks for a key frame: the page cannot decode what it has.
	Rekey()
	// SetQuality takes Settings.Quality; what it does not know changes nothing.
	SetQuality(quality string)
	// Link returns what acknowledgements tell of the way to the page: the shortest
	// time from sending to showing, and how much longer it takes now.
	Link() (rtt, queue time.Duration)
	Close()
}

// Frame is one coded picture. Several pages share it: it is read only.
type Frame struct {
	Data          []byte // VP8 frame (RFC 6386, section 9.1)
	Key           bool
	Seq           uint32 // ascending, not without gaps
	Width, Height int    // of the picture in pixels
	Captured      time.Time
	Encode        time.Duration // what coding it took
	Quant         int           // quantiser index, 0 to 127
}

// A Meter is a Video whose frames go another way than through Next.
type Meter interface {
	// Meter returns the figures of what was sent since the last call.
	Meter() Metered
}

// Metered are figures of frames.
type Metered struct {
	Frames, Bytes int
	Encode        time.Duration // of all of them
	Quant         int           // of the last one
}
