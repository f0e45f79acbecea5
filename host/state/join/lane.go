package join

import (
	"hash/maphash"
	"math"
	"time"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// lane is what one call uses.
type lane struct {
	*Transform
	seed maphash.Seed

	name     []byte // a key in the store
	list     []byte // the key of a list
	value    []byte // an entry
	key      []byte // of a pane that ends
	texts    []byte // of the records in hand
	records  []record
	crowds   []crowd
	nearby   []window.Window // the panes beside theirs that there may be
	longest  int             // the longest key that a pane may get as its next
	parts    parts
	lastPane window.Window // of a record, to save a division
}

// record is what a call knows of a record of its batch.
type record struct {
	from, size int // of its text in lane.texts
	flags      byte
	panes      int    // that it will be in; 0: it is late
	nearby     [2]int // its part of lane.nearby
}

// keepBuffer is the most of each buffer that a lane keeps for its next call, in
// bytes or entries.
const keepBuffer = 4 << 20

func newLane(t *Transform) *lane { return &lane{Transform: t, seed: maphash.MakeSeed()} }

func (l *lane) clear() {
	for _, b := range []*[]byte{&l.name, &l.list, &l.value, &l.key, &l.texts, &l.parts.front, &l.parts.back} {
		if *b = (*b)[:0]; cap(*b) > keepBuffer {
			*b = nil
		}
	}
	l.records, l.nearby = l.records[:0], l.nearby[:0]
}

// reach notes the watermark of a call for all of its groups: what is late for one of
// its records is late for all.
func (l *lane) reach(in *stream.Batch) {
	reached := in.Watermark
	for i := range in.Records {
		reached = max(reached, l.groups[in.Records[i].Group].reached)
	}
	for i := range in.Records {
		l.groups[in.Records[i].Group].reached = reached
	}
}

func (l *lane) side(r *stream.Record) int {
	if l.cfg.Right[r.Port] {
		return right
	}
	return left
}

// over says whether a record comes too late for all panes.
func (l *lane) over(at int64, reached stream.Watermark) bool {
	return l.cfg.Within > 0 && later(at, l.cfg.Spec.Lateness) < int64(reached)
}

// each calls yield with the panes that a record will be in.
func (l *lane) each(at int64, reached stream.Watermark, yield func(window.Window) bool) {
	if l.over(at, reached) {
		return
	}
	if l.panes.Kind == window.Fixed && l.lastPane.Start <= at && at < l.lastPane.End {
		if l.panes.Over(l.lastPane) > int64(reached) {
			yield(l.lastPane)
		}
		return
	}
	l.panes.Each(at, func(w window.Window) bool {
		l.lastPane = w
		return l.panes.Over(w) > int64(reached) && yield(w)
	})
}

// beside calls yield with the panes, other than that of a record, in which there may
// be others within its reach.
func (l *lane) beside(at int64, own window.Window, yield func(window.Window)) {
	if l.cfg.Within == 0 {
		return
	}
	w, last := l.panes.At(earlier(at, l.cfg.Within)), later(at, l.cfg.Within)
	for {
		if w != own {
			yield(w)
		}
		if w.End > last || w.End == math.MaxInt64 {
			return
		}
		w = window.Window{Start: w.End, End: later(w.End, l.panes.Size)}
	}
}

// near says whether two records may be a pair by their event times.
func (l *lane) near(a, b int64) bool {
	if l.cfg.Within == 0 {
		return true
	}
	return uint64(max(a, b)-min(a, b)) <= uint64(l.cfg.Within) // the difference may overflow
}

// later adds a duration to a time, and stops at the last one.
func later(at int64, d time.Duration) int64 {
	if at > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return at + int64(d)
}

// earlier takes a duration from a time, and stops at the first one.
func earlier(at int64, d time.Duration) int64 {
	if at < math.MinInt64+int64(d) {
		return math.MinInt64
	}
	return at - int64(d)
}

// reserve makes room for all that the records of a call add, so that none is left
// half done. Also after an error release gives it back.
func (l *lane) reserve(in *stream.Batch) error {
	for i := range in.Records {
		n, r := state.Group(in.Records[i].Group), &l.records[i]
		entries, bytes := l.roomFor(int(in.Records[i].Key.Len), r)
		if err := l.store.Reserve(n, entries, bytes); err != nil {
			return err
		}
		if err := l.timers.Reserve(n, r.panes, startSize*r.panes); err != nil {
			return err
		}
	}
	return nil
}

// add puts a record into its panes, and gives the pairs that it makes. It returns in
// how many panes it is.
func (l *lane) add(in *stream.Batch, i int, out *stream.Output) (panes int, err error) {
	r := &in.Records[i]
	l.parts.begin()
	l.each(r.Time, l.groups[r.Group].reached, func(w window.Window) bool {
		panes++
		err = l.meet(in, i, w, out)
		return err == nil
	})
	return panes, err
}

// meet puts a record into one pane.
func (l *lane) meet(in *stream.Batch, i int, w window.Window, out *stream.Output) error {
	r, my := &in.Records[i], &l.records[i]
	g, key, side := state.Group(r.Group), in.Key(i), l.side(r)
	pane, err := l.enter(g, key, w, side, my.size)
	if err != nil {
		return err
	}
	found, err := l.pairs(in, i, w, pane[1-side], out)
	for k := my.nearby[0]; k < my.nearby[1] && err == nil; k++ {
		var h head
		if h, _, err = l.load(g, key, l.nearby[k]); err == nil {
			var more bool
			more, err = l.pairs(in, i, l.nearby[k], h[1-side], out)
			found = found || more
		}
	}
	if err != nil {
		return err
	}
	e := entry{flags: my.flags, time: r.Time, text: l.text(i)}
	if found && side == left {
		e.flags |= flagMatched
	}
	l.value = e.append(l.value[:0])
	l.name = appendRecord(l.name[:0], key, w.Start, side, pane[side].next)
	return l.store.Put(g, l.name, l.value, 0)
}

// pairs gives the pairs of a record with those of the other side of a pane, and says
// whether there are any.
func (l *lane) pairs(in *stream.Batch, i int, w window.Window, others span, out *stream.Output) (found bool, err error) {
	if others.count() == 0 {
		return false, nil
	}
	r := &in.Records[i]
	g, side := state.Group(r.Group), l.side(r)
	l.name = appendRecord(l.name[:0], in.Key(i), w.Start, 1-side, others.first)
	for n := others.first; n != others.next; n++ {
		renumber(l.name, n)
		e, err := l.entry(g)
		if err != nil {
			return found, err
		}
		if !l.near(r.Time, e.time) {
			continue
		}
		found = true
		l.pair(in, i, side, w, e, out)
		if side == right && l.cfg.Outer && l.cfg.Within > 0 && e.flags&flagMatched == 0 {
			d, _ := l.store.Edit(g, l.name)
			d[0] |= flagMatched
		}
	}
	return found, nil
}
