package window

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Advance gives the results that are due in group g: on-time ones of the windows
// that end at or before the watermark, late ones of those that took records after
// their end, early ones as Spec.Every asks for. They come in the order of the times
// they are due at, which for on-time and late ones are the ends, then of keys. It
// forgets the windows whose lateness is over.
//
// Call it whenever the watermark of the vertex has advanced, and after batches that
// held late records. An error is as the last kind of Add.
func (o *Operator) Advance(g state.Group, watermark stream.Watermark, emit func(Result)) error {
	if watermark == stream.NoWatermark {
		return nil
	}
	now := int64(watermark)
	at, key, name, ok := o.timers.Due(g, now)
	for ok {
		o.due, o.wakes = o.due[:0], o.wakes[:0]
		for ok {
			if len(name) != idSize+1 {
				return fmt.Errorf("timer with a name of %d bytes: %w", len(name), ErrCorrupt)
			}
			o.wakes = append(o.wakes, wake{len(o.due), len(key)})
			o.due = append(append(o.due, key...), name...)
			_, key, name, ok = o.timers.Due(g, at)
		}
		slices.SortFunc(o.wakes, func(a, b wake) int {
			x, xname := a.in(o.due)
			y, yname := b.in(o.due)
			return cmp.Or(bytes.Compare(x, y), bytes.Compare(xname, yname))
		})
		for _, w := range o.wakes {
			key, name := w.in(o.due)
			if err := o.wake(g, at, key, name, now, emit); err != nil {
				return err
			}
		}
		at, key, name, ok = o.timers.Due(g, now)
	}
	return nil
}

// wake is where a due timer lies in Operator.due: its key, then its name. Of a member
// of a window it is where the key lies in Operator.keys.
type wake struct{ from, key int } // an offset and the length of the key

func (w wake) in(due []byte) (key, name []byte) {
	end := w.from + w.key
	return due[w.from:end:end], due[end : end+idSize+1]
}

// wake does what a timer set for a time is about. Timers are not taken back when
// their window changes or goes: here they find that it has.
func (o *Operator) wake(g state.Group, at int64, key, name []byte, now int64, emit func(Result)) error {
	id, is := int64(binary.BigEndian.Uint64(name)^1<<63), name[idSize]
	if o.spec.Kind != Session && (is == isEnd || is == isOver) {
		return o.wakeAll(g, id, is, now, emit)
	}
	o.name = appendName(o.name[:0], isEntry, key, id)
	w, place, err := o.window(g, key, id)
	if err != nil || place < 0 {
		return err
	}
	tail, found, err := o.load(g)
	if err != nil || !found {
		return err
	}
	over := plus(w.End, int64(o.spec.Lateness))
	news := tail&maxCount > 0
	switch {
	case is == isEnd && w.End > at: // a session that went on
		return o.set(g, isEnd, w.End)
	case is == isOver && over > at: // so did this one, or the lateness was raised
		return o.set(g, isOver, over)
	case is == isOver, is == isEnd && over <= now:
		if is == isEnd {
			if err := o.fire(key, w, OnTime, emit); err != nil {
				return err
			}
		}
		o.store.Delete(g, o.name)
		return o.putSessions(g, place, place+1)
	case is == isEnd:
		if err := o.set(g, isOver, over); err != nil {
			return err
		}
		err = o.fire(key, w, OnTime, emit)
		tail &= early
	case is == isLate && w.End == at && news:
		err = o.fire(key, w, Late, emit)
		tail &= early
	case is == isEarly && w.End > now && news:
		err = o.fire(key, w, Early, emit)
		tail = 0
	case is == isEarly:
		tail &^= early
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return o.put(g, tail)
}

// window returns the window with an id, and for a session its place in o.sessions;
// a place below zero if there is no such session.
func (o *Operator) window(g state.Group, key []byte, id int64) (w Window, place int, err error) {
	switch o.spec.Kind {
	case Global:
		return allTime, 0, nil
	case Session:
		if err := o.loadSessions(g, key); err != nil {
			return w, -1, err
		}
		place, to := overlap(o.sessions, Window{id, id})
		if place == to || sessionAt(o.sessions, place).id != id {
			return w, -1, nil
		}
		return sessionAt(o.sessions, place).Window, place, nil
	}
	w, _ = o.spec.newest(id)
	return w, 0, nil
}
