package pipeline

import (
	"math"

	"github.com/wasmill/wasmill/host/stream"
)

// gate keeps the event time of a vertex with state behind what its lanes promise,
// until every shard has done what is due by then.
//
//	lanes ─▶ arrived ─▶ aim: for each slot what is pending, then what is due ─▶ flight.watermarks
//
// It aims at one watermark after the other. A slot is behind until the records
// that were pending when the gate took aim are done, and what they and earlier
// ones left to be done by that time. Slots that hold nothing and have nothing due
// are there at once. At the end of time what is due by the clock counts, too.
type gate struct {
	arrived watermarks // what the lanes promise; flight.watermarks has the gate as its only input
	target  stream.Watermark
	keyed   stream.Keyed
	alarm   int64 // when the next slot that is not busy may have something to do by the clock
	listens bool  // to alarms
}

// keep gives the inbox of a vertex with state a gate. It comes before any lane.
func (in *inbox) keep(v *Vertex) {
	keyed, ok := v.Transform.(stream.Keyed)
	if !ok {
		return
	}
	in.gate = &gate{target: stream.NoWatermark, keyed: keyed, alarm: noAlarm}
	in.flight.watermarks.addInput()
	in.keys = newShards(keyed, max(1, v.Concurrency), in.pool)
}

// keyed returns the vertex's transform if it has state.
func (in *inbox) keyed() stream.Keyed {
	if in.gate == nil {
		return nil
	}
	return in.gate.keyed
}

// ending says that the gate aims at the end of time.
func (g *gate) ending() bool { return g.target == stream.EndOfTime }

// aim takes aim at what the lanes promise, when all slots have reached the last
// target, and passes on what is reached. Not while something is being dealt, which
// came before what the lanes promise now.
func (in *inbox) aim() {
	g := in.gate
	if g == nil || in.keys.behind > 0 || in.keys.dealing.on {
		return
	}
	low, idle := g.arrived.low()
	if low > g.target {
		g.target = low
		for i := range in.keys.slots {
			in.aimAt(&in.keys.slots[i])
		}
	}
	if in.keys.behind > 0 {
		return
	}
	w := &in.flight.watermarks
	w.promise(0, g.target)
	if w.active(0); idle {
		w.idle(0)
	}
}

// aimAt notes what a slot has to do until the target.
func (in *inbox) aimAt(s *slot) {
	k := in.keys
	switch {
	case s.busy || s.holds():
		s.before = s.held()
	case in.gate.due(s) || in.gate.ending() && in.gate.rings(s, math.MaxInt64):
		s.before, s.busy = 0, true
		*k.due.push() = s
	default:
		return
	}
	s.behind = true
	k.behind++
}

// due says whether a slot that no call has is to do something up to the target.
func (g *gate) due(s *slot) bool {
	at, ok := g.keyed.Due(s.from, s.to)
	return ok && at <= g.target
}

// rings says whether a slot that no call has is to do something by the clock.
func (g *gate) rings(s *slot, now int64) bool {
	at, ok := g.keyed.Alarm(s.from, s.to)
	return ok && at <= now
}

// advance makes a call of what is due in a slot. Slots in which nothing is have
// reached the target. While a barrier waits nothing is due by the clock.
func (in *inbox) advance() *call {
	if in.gate == nil {
		return nil
	}
	k := in.keys
	for k.due.len() > 0 {
		s := *k.due.at(0)
		k.due.pop()
		in.reach(s)
		if upTo, now, ok := in.dueIn(s); ok {
			b := in.pool.New()
			b.Least = int64(in.flight.watermarks.inputs[0].promised) // until its results have left
			c := in.begin(b)
			c.slot, c.due, c.upTo, c.now = s, true, upTo, now
			return c
		}
		in.release(s)
	}
	in.aim()
	return nil
}

// reach notes that a slot has come to the target if it has. Alarms do not count, as
// there may always be another, unless the target is the end of time.
func (in *inbox) reach(s *slot) {
	g := in.gate
	if s.behind && s.before <= 0 && !g.due(s) && !(g.ending() && g.rings(s, math.MaxInt64)) {
		s.behind = false
		in.keys.behind--
	}
}

// dueIn returns how far a slot may advance, and whether it has to.
func (in *inbox) dueIn(s *slot) (upTo stream.Watermark, now int64, ok bool) {
	g := in.gate
	upTo, now = g.target, clock()
	first := s.behind && s.before > 0 // there are records that come first, also at the end of time
	if first {
		upTo = in.flight.watermarks.inputs[0].promised
	} else if g.ending() {
		now = math.MaxInt64
	}
	if !first && g.due(s) {
		return upTo, now, true
	}
	return upTo, now, (in.barrier == nil || g.ending()) && g.rings(s, now)
}

// release lets the next call of a slot begin: of what is due and of records in turn.
func (in *inbox) release(s *slot) {
	k := in.keys
	if s.old {
		in.retire(s)
		return
	}
	if s.behind && s.before <= 0 || in.rang(s) && !(s.rang && s.holds()) {
		s.rang = true
		*k.due.push() = s
		return
	}
	s.busy, s.rang = false, false
	k.list(s)
}
