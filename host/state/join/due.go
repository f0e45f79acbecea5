package join

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// What one call of Advance does before it leaves the rest to another one.
const (
	maxEnded      = 16 << 10 // records that are forgotten
	maxEndedBytes = 16 << 20 // of results
)

// ending is one call of Advance.
type ending struct {
	*lane
	out   *stream.Output
	ended int // records
}

func (e *ending) spent() bool { return e.ended >= maxEnded || e.out.Bytes() >= maxEndedBytes }

// Advance implements stream.Keyed. It ends panes in the order of their ends.
func (t *Transform) Advance(_ context.Context, from, to int, upTo stream.Watermark, _ int64, _ *stream.Batch, out *stream.Output) error {
	l := t.take()
	defer t.give(l)
	e := ending{lane: l, out: out}
	for n := from; n < to; n++ {
		t.groups[n].reached = max(t.groups[n].reached, upTo)
	}
	for n := from; n < to; n++ {
		for {
			if e.spent() {
				return nil
			}
			at, _, name, ok := t.timers.Due(state.Group(n), int64(upTo))
			if !ok {
				break
			}
			if len(name) != startSize {
				return fmt.Errorf("timer with a name of %d bytes: %w", len(name), ErrCorrupt)
			}
			start := int64(binary.BigEndian.Uint64(name) ^ 1<<63)
			if err := e.end(state.Group(n), at, start); err != nil {
				return err
			}
		}
	}
	return nil
}

// end forgets the panes of a window. If that is too much for one call it leaves some
// to another one.
func (e *ending) end(g state.Group, at, start int64) error {
	w := e.panes.At(start)
	e.list = appendList(e.list[:0], start)
	key, more := e.store.Value(g, e.list)
	e.key = append(e.key[:0], key...)
	for more {
		h, found, err := e.load(g, e.key, w)
		if err == nil && !found {
			err = fmt.Errorf("pane of a list without a head: %w", ErrCorrupt)
		}
		if err != nil {
			return err
		}
		if postponed, err := e.empty(g, at, w, h); err != nil || postponed {
			return err
		}
		more = e.remove(g, w)
	}
	e.store.Delete(g, e.list)
	return nil
}

// empty forgets the records of the pane of e.key, and reports whether it has left
// some to another call.
func (e *ending) empty(g state.Group, at int64, w window.Window, h head) (postponed bool, err error) {
	alone := e.cfg.Outer && (e.cfg.Within > 0 || h[right].count() == 0)
	for side := range h {
		e.name = appendRecord(e.name[:0], e.key, w.Start, side, h[side].first)
		for h[side].count() > 0 {
			if e.spent() && e.postpone(g, at) {
				e.save(g, w, h)
				return true, nil
			}
			r, err := e.entry(g)
			if err != nil {
				return false, err
			}
			if alone && side == left && r.flags&flagMatched == 0 {
				e.alone(e.key, w, r, e.out)
			}
			h[side].bytes -= uint64(len(r.text))
			e.store.Delete(g, e.name)
			h[side].first++
			renumber(e.name, h[side].first)
			e.ended++
		}
	}
	return false, nil
}

// postpone lets the window end in another call, from the pane of e.key on. It reports
// false if there is no room to note that.
func (e *ending) postpone(g state.Group, at int64) bool {
	return e.store.Put(g, e.list, e.key, 0) == nil && e.timers.Set(g, at, nil, e.list[1:]) == nil
}

// save writes the head of the pane of e.key, which is there.
func (e *ending) save(g state.Group, w window.Window, h head) {
	e.name = appendHead(e.name[:0], e.key, w.Start)
	d, _ := e.store.Edit(g, e.name)
	h.encode(d)
}

// remove deletes the head of the pane of e.key, and goes on to the next one of the
// list, if there is one.
func (e *ending) remove(g state.Group, w window.Window) (more bool) {
	e.name = appendHead(e.name[:0], e.key, w.Start)
	d, _ := e.store.Value(g, e.name)
	if more = len(d) > headSize; more {
		e.key = append(e.key[:0], d[headSize+1:]...)
	}
	e.store.Delete(g, e.name)
	return more
}
