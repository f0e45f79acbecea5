package scale

import "time"

// history is what was needed at each moment of late, without a gap.
type history struct{ all []need }

type need struct {
	at        Instant
	instances int // 0 = nothing came and nothing was pending
}

// forget lets the history begin anew.
func (h *history) forget() { h.all = h.all[:0] }

// add notes what is needed, and forgets what is older than the lookback, but for one.
func (h *history) add(at Instant, instances int, lookback time.Duration) {
	h.all = append(h.all, need{at, instances})
	old := 0
	for old+1 < len(h.all) && at.Monotonic-h.all[old+1].at.Monotonic >= lookback {
		old++
	}
	h.all = append(h.all[:0], h.all[old:]...)
}

// most returns the most that was needed in the lookback; ok is false if the history does
// not cover it.
func (h *history) most(lookback time.Duration) (n int, ok bool) {
	if len(h.all) == 0 {
		return 0, false
	}
	for _, one := range h.all {
		n = max(n, one.instances)
	}
	return n, h.all[len(h.all)-1].at.Monotonic-h.all[0].at.Monotonic >= lookback
}
