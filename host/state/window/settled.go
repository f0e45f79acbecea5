package window

import (
	"github.com/wasmill/wasmill/host/state"
)

// settled says that a record needs no room: its windows are there and open, or it is
// late for them. It holds for accumulators that keep their size.
func (o *Operator) settled(g state.Group, key []byte, at, now int64) bool {
	switch {
	case o.spec.Every > 0: // a timer may be wanted
		return false
	case o.spec.Kind == Session:
		return o.continues(g, key, at, now)
	}
	all := true
	o.spec.Each(at, func(w Window) bool {
		if o.over(w, now) {
			return true
		}
		o.name = appendName(o.name[:0], isEntry, key, w.Start)
		_, found := o.store.Value(g, o.name)
		all = found && w.End > now
		return all
	})
	return all
}

// continues says whether a record is in one open session that is there.
func (o *Operator) continues(g state.Group, key []byte, at, now int64) bool {
	if o.loadSessions(g, key) != nil {
		return false
	}
	from, to := overlap(o.sessions, Window{at, plus(at, int64(o.spec.Gap))})
	return to == from+1 && sessionAt(o.sessions, from).End > now
}
