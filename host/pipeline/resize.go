package pipeline

import (
	"math"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// resize makes other slots, if there are to be more or fewer of them, while calls are
// under way and records wait:
//
//	old  │ ─── calls ─── │    idle     │          what waits goes to the slot that has its
//	new  │ waits │ waits │ goes on │ goes on │    groups now, in the order in which it came
//
// An old slot that a call has keeps its groups until the call is done, tried again or
// not. New ones that have some of them fill meanwhile, and begin after that; all others
// go on at once, so that a call that takes long holds back the keys that share a slot
// with its own, before or after, and no other. What a slot had to do until the gate's
// target the new ones have to. It all happens at one moment, and not while records are
// being dealt, so that whoever looks at the slots finds each record in one of them, or
// in a call.
func (in *inbox) resize() {
	k := in.keys
	if k == nil || k.dealing.on || k.want == len(k.slots) {
		return
	}
	for i := range k.due.len() {
		(*k.due.at(i)).busy = false
	}
	k.due.cut(0)
	k.free.cut(0)
	was := k.slots
	k.slots, k.dealing.ends, k.behind = k.cut(k.want), nil, 0
	for i := range was {
		k.inherit(&was[i], &in.flight.watermarks)
	}
	for i := range was { // what came after the gate took aim, behind all from before
		k.hand(&was[i], math.MaxInt, &in.flight.watermarks)
	}
	for _, old := range k.old {
		for i := k.shard(old.from); i <= k.shard(old.to-1); i++ {
			k.slots[i].waits++
		}
	}
	for i := range k.slots {
		s := &k.slots[i]
		if s.busy = true; s.waits == 0 {
			in.release(s)
		}
	}
	in.work.Broadcast()
}

// inherit gives what a slot has to do until the gate's target to the new ones that have
// its groups, and keeps it as an old one if a call has it.
func (k *keys) inherit(was *slot, w *watermarks) {
	if was.busy && was.waits == 0 {
		was.old = true
		k.old = append(k.old, was)
	}
	if !was.behind {
		return
	}
	for i := k.shard(was.from); i <= k.shard(was.to-1); i++ {
		if s := &k.slots[i]; !s.behind {
			s.behind = true
			k.behind++
		}
	}
	k.hand(was, was.before, w)
	was.behind = false
	for i := k.shard(was.from); i <= k.shard(was.to-1); i++ {
		k.slots[i].before = k.slots[i].held()
	}
}

// hand moves the first n records that wait in a slot to the new ones.
func (k *keys) hand(was *slot, n int, w *watermarks) {
	for n > 0 && was.holds() {
		c := was.chunks.at(0)
		some := min(n, c.count-was.skip)
		n -= some
		if to := k.together(c.b, some); to != nil {
			*to.chunks.push() = *c
		} else {
			for range some {
				k.append(&k.slots[k.placed(c.b, was.skip)], c.b, was.skip, w)
				was.skip++
			}
			if was.skip < c.count {
				return
			}
			w.end(c.low)
			k.pool.Put(c.b)
		}
		*c = chunk{}
		was.chunks.pop()
		was.skip = 0
	}
}

// together returns the slot that has all n records of a batch, nil if it has more or no
// slot has all.
func (k *keys) together(b *stream.Batch, n int) *slot {
	if n < b.Len() {
		return nil
	}
	first := k.placed(b, 0)
	for i := range b.Records {
		if k.placed(b, i) != first {
			return nil
		}
	}
	return &k.slots[first]
}

// placed returns the slot of a record that was dealt before, or restored.
func (k *keys) placed(b *stream.Batch, i int) int {
	r := &b.Records[i]
	switch {
	case k.keyed == nil:
		return k.place(b, i)
	case r.Port == stream.NoKey:
		n := k.keyless(r)
		r.Group = uint16(k.slots[n].from)
		return n
	}
	return k.shard(int(r.Group))
}

// append adds a copy of a record to the last chunk of a slot, or a new one if that has
// enough. It returns how many bytes it has.
func (k *keys) append(s *slot, b *stream.Batch, i int, w *watermarks) (bytes int) {
	if !s.holds() || atOnce.reached(sizeOf(s.last().b)) {
		fresh := k.pool.New()
		fresh.Least = math.MaxInt64
		*s.chunks.push() = chunk{b: fresh, low: w.begin(fresh.Least)}
	}
	c := s.last()
	c.b.AppendFrom(b, i)
	if at := b.Records[i].Time; at < c.b.Least {
		w.end(c.low)
		c.b.Least, c.low = at, w.begin(at)
	}
	bytes = c.b.Bytes() - c.bytes
	c.count, c.bytes = c.b.Len(), c.b.Bytes()
	return bytes
}

// retire ends an old slot, whose call is done.
func (in *inbox) retire(old *slot) {
	k := in.keys
	k.old = slices.DeleteFunc(k.old, func(s *slot) bool { return s == old })
	for i := k.shard(old.from); i <= k.shard(old.to-1); i++ {
		s := &k.slots[i]
		if s.waits--; s.waits == 0 {
			in.release(s)
		}
	}
}
