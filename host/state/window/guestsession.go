package window

import (
	"context"
	"fmt"
	"slices"
)

// listing is the sessions of a key, as they will be.
type listing struct {
	sessions []byte
	changed  bool
	stored   int // bytes of the sessions as they are
}

// sessionsOf returns the sessions of the key of a record.
func (f *folding) sessionsOf(i int) (*listing, error) {
	n, err := f.cell(i, isList, 0)
	if err != nil {
		return nil, err
	}
	if at := f.cells[n].list; at >= 0 {
		return &f.lists[at], nil
	}
	if err := f.loadSessions(f.cells[n].group, f.in.Key(i)); err != nil {
		return nil, err
	}
	f.cells[n].list = int32(len(f.lists))
	f.lists = slices.Grow(f.lists, 1)[:len(f.lists)+1]
	l := &f.lists[len(f.lists)-1]
	l.sessions, l.changed, l.stored = append(l.sessions[:0], f.sessions...), false, len(f.sessions)
	return l, nil
}

// joinCell puts a record into the session that it belongs to, as Operator.join does.
func (f *folding) joinCell(ctx context.Context, i int) (late bool, err error) {
	l, err := f.sessionsOf(i)
	if err != nil {
		return false, err
	}
	at := f.in.Records[i].Time
	s := session{at, Window{at, plus(at, int64(f.spec.Gap))}}
	from, to := overlap(l.sessions, s.Window)
	var was change
	if from < to {
		first, last := sessionAt(l.sessions, from), sessionAt(l.sessions, to-1)
		s = session{first.id, Window{min(s.Start, first.Start), max(s.End, last.End)}}
		was = change{true, first.End}
	}
	if f.over(s.Window, f.now) {
		return true, nil
	}
	known := len(f.cells)
	n, err := f.cell(i, isEntry, s.id)
	if err != nil {
		return false, err
	}
	if n == known { // not in hand yet
		if f.cells[n].was.found != was.found {
			return false, fmt.Errorf("session and list differ: %w", ErrCorrupt)
		}
		f.cells[n].was = was
		if was.found {
			f.cells[n].Window = sessionAt(l.sessions, from).Window
		}
	}
	for k := from + 1; k < to; k++ {
		if err := f.absorbCell(ctx, i, n, sessionAt(l.sessions, k)); err != nil || f.failed() {
			return false, err
		}
	}
	if f.cells[n].fires {
		if err := f.flush(ctx); err != nil || f.failed() {
			return false, err
		}
	}
	f.cells[n].Window = s.Window
	l.sessions, l.changed = splice(l.sessions, from, to, s), true
	return false, f.pair(ctx, i, n)
}

// absorbCell merges a session into the cell n.
func (f *folding) absorbCell(ctx context.Context, i, n int, s session) error {
	known := len(f.cells)
	q, err := f.cell(i, isEntry, s.id)
	switch {
	case err != nil:
		return err
	case q == known && !f.cells[q].was.found:
		return fmt.Errorf("session in the list only: %w", ErrCorrupt)
	}
	if f.cells[n].fires || f.cells[q].fires {
		if err := f.flush(ctx); err != nil || f.failed() {
			return err
		}
	}
	c := &f.cells[q]
	c.Window, c.into = s.Window, int32(n)
	f.merges = append(f.merges, pair{int32(n), int32(q)})
	to := &f.cells[n]
	to.tail = to.tail&early | min(to.tail&maxCount+c.tail&maxCount, maxCount)
	return nil
}
