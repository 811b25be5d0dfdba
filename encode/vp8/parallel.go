package vp8

// A phase is a part of a frame's work that several goroutines can do: part k of n.
type phase uint8

const (
	phaseCode   phase = iota // bands of rows: predict, transform, reconstruct
	phaseTokens              // token partitions: from levels to events
	phaseWrite               // token partitions, and the first one: from events to bytes
)

// run does a phase in n parts, 0 in the caller's goroutine, and waits for all.
func (e *Encoder) run(p phase, n int) {
	e.phase, e.parties = p, n
	e.working.Add(n - 1)
	for k := 1; k < n; k++ {
		go e.helpers[k]()
	}
	e.part(0)
	e.working.Wait()
}

// part does part k of the phase.
func (e *Encoder) part(k int) {
	switch e.phase {
	case phaseCode:
		e.coders[k].codeBand(&e.bands[k])
	case phaseTokens:
		for p := k; p < 1<<e.frame.logPartitions; p += e.parties {
			e.parts[p].tokens(e, p, 1<<e.frame.logPartitions)
		}
	case phaseWrite:
		// The caller's part begins with the first partition, and the others take over.
		if k == 0 {
			e.writeFirst()
		}
		for p := int(e.next.Add(1)) - 1; p < 1<<e.frame.logPartitions; p = int(e.next.Add(1)) - 1 {
			e.parts[p].write(&e.eventRows)
		}
	}
}

// A band is a range of rows that one goroutine codes. Its first row knows nothing
// of the row above, which belongs to another one.
type band struct {
	list []item
	top  int // its first row, or -1 if that knows the row above
}

// Macroblocks of new contents, in which most time is spent, below which goroutines
// are not worth their start.
const (
	minPerBand      = 48
	minPerPartition = 48
)

// split cuts the list into bands of about the same work.
func (e *Encoder) split() (n int) {
	work := 0
	for _, it := range e.list {
		work += it.kind.work()
	}
	n = min(e.workers, max(work/(minPerBand*kindNew.work()), 1))
	if e.farMoves {
		// What is too far for a single vector must know the vectors above.
		n = 1
	}
	e.bands = e.bands[:0]
	from, done := 0, 0
	for k := range n {
		to := len(e.list)
		if k < n-1 {
			to = from
			for to < len(e.list) && (done < work*(k+1)/n || to > 0 && e.list[to].y == e.list[to-1].y) {
				done += e.list[to].kind.work()
				to++
			}
		}
		if to > from {
			b := band{list: e.list[from:to], top: -1}
			if k > 0 {
				b.top = int(e.list[from].y)
			}
			e.bands = append(e.bands, b)
		}
		from = to
	}
	return len(e.bands)
}

// work is roughly what a macroblock costs.
func (k kind) work() int {
	if k == kindMoved {
		return 1
	}
	return 16
}
