package state

import "bytes"

// timerWrite is what becomes of a timer.
type timerWrite struct {
	to        *Timers
	group     Group
	deleted   bool
	at        int64
	key, name span
}

func (w *timerWrite) apply(s *Staged) {
	if w.deleted {
		w.to.Delete(w.group, s.bytes(w.key), s.bytes(w.name))
	} else if err := w.to.Set(w.group, w.at, s.bytes(w.key), s.bytes(w.name)); err != nil {
		panic("BUG: a reserved timer was refused: " + err.Error())
	}
}

// moves says whether a staged timer is there when its turn comes, so that it needs
// no room.
func (s *Staged) moves(i int) bool {
	w := &s.timers[i]
	for _, before := range s.timers[:i] {
		if before.deleted && before.to == w.to && before.group == w.group &&
			bytes.Equal(s.bytes(before.key), s.bytes(w.key)) && bytes.Equal(s.bytes(before.name), s.bytes(w.name)) {
			return false
		}
	}
	return w.to.has(w.group, s.bytes(w.key), s.bytes(w.name))
}

// SetTimer stages a timer, and is refused like Put. Commit applies timers after
// values, in the order they were staged; they share the fate of the call.
func (s *Staged) SetTimer(to *Timers, g Group, at int64, key, name []byte) error {
	return s.timer(timerWrite{to: to, group: g, at: at}, key, name)
}

// DeleteTimer stages the end of a timer, and is refused like Put.
func (s *Staged) DeleteTimer(to *Timers, g Group, key, name []byte) error {
	return s.timer(timerWrite{to: to, group: g, deleted: true}, key, name)
}

func (s *Staged) timer(w timerWrite, key, name []byte) error {
	if err := s.fits(len(key) + len(name)); err != nil {
		return err
	}
	w.key, w.name = s.stage(key), s.stage(name)
	s.timers = append(s.timers, w)
	return nil
}
