package pipeline

import (
	"io"
	"math/rand/v2"
	"time"
)

// serve makes the inbox that of a transform.
func (in *inbox) serve(v *Vertex) {
	in.bound(v)
	in.workers = v.Concurrency + 1
	in.wakeable = v.Wake != nil
	in.inOrder = v.Order == OrderInput
	in.waiting = newRetries[*call](v.Retry, rand.Float64)
	if v.Order == OrderKey && in.keys == nil {
		in.keys = newKeys(max(1, v.Concurrency), in.pool)
	}
}

// take returns the next call of a transform to make. It returns nil if the
// caller got the duty to send (see next), errShort if it is to start another worker,
// errWake if it is to wake the vertex, and io.EOF when all lanes have ended and nothing
// is in flight.
func (in *inbox) take() (*call, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.listen()
	for {
		in.absorb()
		if in.aborted != nil {
			return nil, in.aborted
		}
		if in.short() {
			return nil, errShort
		}
		if !in.sending && (in.ready.len() > 0 || in.due()) {
			in.sending = true
			if in.ready.len() > 0 && in.startable() {
				in.work.Signal() // instead of this worker, which may have to wait now
			}
			return nil, nil
		}
		if l := in.dealable(); l != nil {
			in.deal(l)
			continue
		}
		if c := in.start(); c != nil {
			if in.startable() {
				in.work.Signal() // a batch wakes one worker, and may be work for several
			}
			return c, nil
		}
		if !in.sending && in.due() {
			continue // a gate has come to where it aimed at
		}
		if in.wakes() {
			return nil, errWake
		}
		if in.finished() {
			return nil, io.EOF
		}
		in.work.Wait()
	}
}

// permits returns how many calls may be under way.
func (in *inbox) permits() int {
	switch {
	case in.limiter != nil:
		return in.limiter.limit()
	case in.bounds.permits == 0 && in.workers > 0 && (in.roused || in.closed()):
		return 1
	}
	return in.bounds.permits
}

// closed says whether nothing more will come.
func (in *inbox) closed() bool {
	for _, l := range in.lanes {
		if !l.closed {
			return false
		}
	}
	return true
}

// rouse lets a vertex that rests do what it holds, or rest again.
func (in *inbox) rouse(on bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.roused = on
	in.work.Broadcast()
}

// start returns the next call that may be made now: one that has to be made
// again before new ones.
func (in *inbox) start() *call {
	if in.calls >= in.permits() {
		return nil
	}
	var c *call
	switch {
	case in.pauses() && !in.inOrder:
	case in.redo.len() > 0:
		c = *in.redo.at(0)
		in.redo.pop()
	case in.pauses() || in.starves() || !in.drains():
	case in.keys != nil:
		c = in.byTurns()
	default:
		c = in.fresh()
	}
	if c != nil {
		in.calls++
		c.began = time.Now()
	}
	return c
}

// byTurns makes a call of what is due and one of records in turn, so that neither
// waits for the other to end.
func (in *inbox) byTurns() *call {
	k := in.keys
	k.turn = !k.turn
	if k.turn {
		if c := in.freshOfKeys(); c != nil {
			return c
		}
	}
	c := in.advance()
	if c == nil && !k.turn {
		c = in.freshOfKeys()
	}
	return c
}

// fresh makes a call of what lanes hold: as much as there are records free in
// the processing stage, and at least one.
func (in *inbox) fresh() *call {
	if !in.room() {
		return nil
	}
	l := in.front()
	if l == nil {
		return nil
	}
	b, more := l.take(in.atMost(in.size.limit(in.bounds.call.Records)), in.more[:0])
	c := in.begin(b, more...)
	clear(more)
	in.more = more[:0]
	return c
}

// freshOfKeys is fresh for a vertex that orders by key.
func (in *inbox) freshOfKeys() *call {
	s, b := in.keys.take(Limit{in.size.limit(in.bounds.call.Records), in.bounds.call.Bytes}, &in.flight.watermarks)
	if s == nil {
		return nil
	}
	c := in.begin(b)
	c.slot = s
	return c
}

// atMost returns the limit for taking up to n records from a lane.
func (in *inbox) atMost(n int) Limit {
	if most := in.bounds.processing.Records; most > 0 {
		n = max(1, min(n, most-in.held().Records))
	}
	return Limit{n, in.bounds.call.Bytes}
}

// held is what counts for the limit of processing: also what slots hold.
func (in *inbox) held() Limit {
	held := in.processing
	if in.keys != nil {
		held.add(in.keys.pending)
	}
	return held
}

// room says whether a record may leave its lane.
func (in *inbox) room() bool { return !in.bounds.processing.reached(in.held()) }

// drains says whether there is room for the results of a new call. Where what
// is done may be dropped there is, unless it has to wait for earlier results.
func (in *inbox) drains() bool {
	switch in.full {
	case FullDropNewest:
		return true
	case FullDropOldest:
		return !in.bounds.output.reached(in.early)
	}
	return !in.bounds.output.reached(in.output)
}

// startable says whether there is a call that may be made now.
func (in *inbox) startable() bool {
	switch {
	case in.calls >= in.permits() || in.pauses() && !in.inOrder:
		return false
	case in.redo.len() > 0:
		return true
	case in.pauses() || in.starves() || !in.drains():
		return false
	case in.keys != nil:
		return in.keys.free.len()+in.keys.due.len() > 0 || in.dealable() != nil
	case in.barrier != nil || !in.room():
		return false
	}
	for _, l := range in.lanes {
		if l.barrier == nil && l.items.len() > 0 {
			return true
		}
	}
	return false
}
