package pipeline

import (
	"math"
	"time"
)

// noAlarm is that of slots that have none.
const noAlarm = math.MaxInt64

// clock returns the wall-clock time, ns since 1970.
func clock() int64 { return time.Now().UnixNano() }

// listen looks for alarms from before the first call.
func (in *inbox) listen() {
	if g := in.gate; g != nil && !g.listens {
		g.listens = true
		in.ring()
		in.schedule()
	}
}

// rang says whether the alarm of a slot that no call has went, and else sees to it
// that it will. While a barrier waits none does.
func (in *inbox) rang(s *slot) bool {
	if in.gate == nil || !in.gate.listens || in.barrier != nil {
		return false
	}
	at, ok := in.gate.keyed.Alarm(s.from, s.to)
	switch {
	case !ok:
		return false
	case at <= clock():
		return true
	case at < in.gate.alarm:
		in.gate.alarm = at
		in.schedule()
	}
	return false
}

// ring takes the slots whose alarm went. Those that are busy, or have records to be
// called with first, are asked when that is done.
func (in *inbox) ring() {
	if in.gate == nil || in.barrier != nil || in.aborted != nil {
		return
	}
	k := in.keys
	in.gate.alarm = noAlarm
	for i := range k.slots {
		if s := &k.slots[i]; !s.busy && !s.holds() && in.rang(s) {
			s.busy = true
			*k.due.push() = s
			in.work.Signal()
		}
	}
}
