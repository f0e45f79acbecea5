package pipeline

import "github.com/wasmill/wasmill/host/stream"

// gate keeps the event time of a vertex with state behind what its lanes promise,
// until every group has done what is due by then.
//
//	lanes ─▶ arrived ─▶ aim: for each slot what is pending, then what is due ─▶ flight.watermarks
//
// It aims at one watermark after the other. A slot is behind until the records
// that were pending when the gate took aim are done, and what they and earlier
// ones left to be done by that time. Slots that hold nothing and have nothing due
// are there at once.
type gate struct {
	arrived watermarks // what the lanes promise; flight.watermarks has the gate as its only input
	target  stream.Watermark
	keyed   stream.Keyed
}

// keep gives the inbox of a vertex with state a gate. It comes before any lane.
func (in *inbox) keep(v *Vertex) {
	keyed, ok := v.Transform.(stream.Keyed)
	if !ok {
		return
	}
	in.gate = &gate{target: stream.NoWatermark, keyed: keyed}
	in.flight.watermarks.addInput()
	in.keys = &keys{slots: make([]slot, keyed.Groups()), pool: in.pool, keyed: keyed}
	for i := range in.keys.slots {
		in.keys.slots[i].group = i
	}
}

// keyed returns the vertex's transform if it has state.
func (in *inbox) keyed() stream.Keyed {
	if in.gate == nil {
		return nil
	}
	return in.gate.keyed
}

// aim takes aim at what the lanes promise, when all slots have reached the last
// target, and passes on what is reached.
func (in *inbox) aim() {
	g := in.gate
	if g == nil || in.keys.behind > 0 {
		return
	}
	low, idle := g.arrived.low()
	if low > g.target {
		g.target = low
		for i := range in.keys.slots {
			in.keys.aim(&in.keys.slots[i], low)
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

// aim notes what a slot has to do until a watermark.
func (k *keys) aim(s *slot, target stream.Watermark) {
	switch at, due := k.keyedDue(s); {
	case s.busy || s.front.b != nil || s.back.b != nil:
		s.before = 0
		for _, c := range []chunk{s.front, s.back} {
			if c.b != nil {
				s.before += c.b.Len()
			}
		}
		s.before -= s.skip
	case due && at <= target:
		s.before, s.busy = 0, true
		*k.due.push() = s
	default:
		return
	}
	s.behind = true
	k.behind++
}

// keyedDue asks for what is due in a slot that no call has.
func (k *keys) keyedDue(s *slot) (stream.Watermark, bool) {
	if s.busy {
		return 0, false
	}
	return k.keyed.Due(s.group)
}

// advance makes a call of what is due in a slot. Slots in which nothing is have
// reached the target.
func (in *inbox) advance() *call {
	if in.gate == nil {
		return nil
	}
	k := in.keys
	for k.due.len() > 0 {
		s := *k.due.at(0)
		k.due.pop()
		if at, due := k.keyed.Due(s.group); due && at <= in.gate.target {
			b := in.pool.New()
			b.Least = int64(in.flight.watermarks.inputs[0].promised) // until its results have left
			c := in.begin(b)
			c.slot, c.upTo = s, in.gate.target
			return c
		}
		s.behind = false
		k.behind--
		k.release(s)
	}
	in.aim()
	return nil
}
