package window

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"

	"github.com/wasmill/wasmill/host/state"
)

// session is one of a key. Its id is the start that it had at first, or that the
// oldest did of those that were merged into it; it lies inside, so that no two of a
// key have the same.
type session struct {
	id int64
	Window
}

// A list holds the sessions of a key by time: id, start and end of each, 8 bytes
// little-endian. They do not overlap.
const sessionSize = 24

func sessionAt(list []byte, i int) session {
	b := list[i*sessionSize : (i+1)*sessionSize]
	return session{
		int64(binary.LittleEndian.Uint64(b)),
		Window{int64(binary.LittleEndian.Uint64(b[8:])), int64(binary.LittleEndian.Uint64(b[16:]))},
	}
}

func (s session) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.id))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.Start))
	return binary.LittleEndian.AppendUint64(dst, uint64(s.End))
}

// overlap returns the sessions [from, to) of a list that share a time with w. The
// end of a session is not in it, unless it is the last time there is.
func overlap(list []byte, w Window) (from, to int) {
	n := len(list) / sessionSize
	from = sort.Search(n, func(i int) bool {
		end := sessionAt(list, i).End
		return end > w.Start || end == math.MaxInt64
	})
	for to = from; to < n; to++ {
		if start := sessionAt(list, to).Start; start >= w.End && start != w.Start {
			break
		}
	}
	return from, to
}

// loadSessions reads the list of a key into o.sessions.
func (o *Operator) loadSessions(g state.Group, key []byte) error {
	o.list = append(append(o.list[:0], isList), key...)
	list, _ := o.store.Value(g, o.list)
	o.sessions = append(o.sessions[:0], list...)
	if len(list)%sessionSize != 0 {
		return fmt.Errorf("sessions in %d bytes: %w", len(list), ErrCorrupt)
	}
	return nil
}

// putSessions replaces the sessions [from, to) of o.sessions and writes the list.
func (o *Operator) putSessions(g state.Group, from, to int, with ...session) error {
	o.sessions = splice(o.sessions, from, to, with...)
	if len(o.sessions) == 0 {
		o.store.Delete(g, o.list)
		return nil
	}
	return o.store.Put(g, o.list, o.sessions, 0)
}

// splice replaces the sessions [from, to) of a list by at most one more than they are.
func splice(list []byte, from, to int, with ...session) []byte {
	rest := list[to*sessionSize:]
	if len(with) > to-from { // one more: make room
		list = append(list, make([]byte, sessionSize)...)
		copy(list[(to+1)*sessionSize:], rest[:len(rest):len(rest)])
		rest = list[(to+1)*sessionSize:]
	}
	list = list[:from*sessionSize]
	for _, s := range with {
		list = s.append(list)
	}
	return append(list, rest...)
}

// join adds a record to the session that it belongs to, which is a new one, or the
// one that all those become which the record brings together.
func (o *Operator) join(g state.Group, r Record, now int64, emit func(Result)) (late bool, err error) {
	if err := o.loadSessions(g, r.Key); err != nil {
		return false, err
	}
	s := session{r.Time, Window{r.Time, plus(r.Time, int64(o.spec.Gap))}}
	from, to := overlap(o.sessions, s.Window)
	var was change
	if from < to {
		first, last := sessionAt(o.sessions, from), sessionAt(o.sessions, to-1)
		s = session{first.id, Window{min(s.Start, first.Start), max(s.End, last.End)}}
		was = change{true, first.End}
	}
	if o.over(s.Window, now) {
		return true, nil
	}
	o.name = appendName(o.name[:0], isEntry, r.Key, s.id)
	tail, found, err := o.load(g)
	switch {
	case err != nil:
		return false, err
	case found != was.found:
		return false, fmt.Errorf("session and list differ: %w", ErrCorrupt)
	}
	if o.acc, err = o.agg.Add(o.acc, r); err != nil {
		return false, err
	}
	for i := from + 1; i < to; i++ {
		if tail, err = o.absorb(g, r.Key, sessionAt(o.sessions, i).id, tail); err != nil {
			return false, err
		}
	}
	o.name = appendName(o.name[:0], isEntry, r.Key, s.id)
	if err := o.putSessions(g, from, to, s); err != nil {
		return false, err
	}
	return false, o.save(g, s.Window, r, tail, was, now, emit)
}

// absorb merges the entry of a session into o.acc and deletes it. Its timers stay,
// and find nothing.
func (o *Operator) absorb(g state.Group, key []byte, id int64, tail uint32) (uint32, error) {
	o.name = appendName(o.name[:0], isEntry, key, id)
	entry, found := o.store.Value(g, o.name)
	if !found {
		return tail, fmt.Errorf("session in the list only: %w", ErrCorrupt)
	}
	acc, more, err := split(entry)
	if err != nil {
		return tail, err
	}
	if o.acc, err = o.agg.Merge(o.acc, acc); err != nil {
		return tail, err
	}
	o.store.Delete(g, o.name)
	return tail&early | min(tail&maxCount+more&maxCount, maxCount), nil
}
