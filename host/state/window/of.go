package window

import (
	"math"
)

// All returns the one window of Global.
func All() Window { return allTime }

// Each calls yield with each window that a time is in, the last one first, until it
// returns false: without those that begin before the first time, unless it is the
// last one. A spec of sessions has none before its records come.
func (s *Spec) Each(t int64, yield func(Window) bool) {
	switch s.Kind {
	case Global:
		yield(allTime)
	case Fixed, Sliding:
		w, into := s.newest(t)
		for yield(w) && s.Kind == Sliding {
			into += int64(s.Slide)
			if into >= int64(s.Size) || t-into > t {
				return
			}
			w = s.before(t, into)
		}
	}
}

// At returns the last of the windows that a time is in.
func (s *Spec) At(t int64) (w Window) {
	s.Each(t, func(last Window) bool {
		w = last
		return false
	})
	return w
}

// Over returns the first watermark at which the window takes no more records. That
// of the global one, and of others that end so late, is the last before the end of
// time.
func (s *Spec) Over(w Window) int64 {
	return min(plus(w.End, int64(s.Lateness)), math.MaxInt64-1)
}

// AppendJSON appends the members start and end of a result, null for all times.
func (w Window) AppendJSON(dst []byte) []byte {
	dst = appendTime(append(dst, `"start":`...), w.Start, w)
	return appendTime(append(dst, `,"end":`...), w.End, w)
}
