package pipeline

import (
	"sync"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// passing is how barriers go through a vertex.
//
//	all lanes have delivered it ─▶ admitted ─▶ what is to leave before has left ─▶ leaving ─▶ passed
//	       └── or was overtaken in those that have not
//
// With somebody to take snapshots a barrier takes along what has to be done again
// after a restore, so that it need not wait for that. A vertex with state waits for
// the calls under way, which change it, and makes no others meanwhile.
type passing struct {
	captures   bool            // there is somebody to take snapshots
	changed    sync.Cond       // a barrier was admitted, or passed, or the vertex ends
	downstream []*lane         // of the vertex
	leaving    bool            // guarded by inbox.mu; somebody lets the barrier out
	before     int             // guarded by inbox.mu; of ready: what leaves before the barrier
	last       stream.Epoch    // guarded by inbox.mu; that has passed
	overtakes  stream.Epoch    // guarded by inbox.mu; barriers up to this wait for nothing that is queued
	ignored    stream.Epoch    // guarded by inbox.mu; barriers up to this are abandoned
	queued     []*stream.Batch // guarded by inbox.mu; copies of what the barrier has overtaken
	snapshot   Snapshot        // guarded by inbox.mu; with which the barrier leaves
	since      time.Time       // guarded by inbox.mu; when the barrier was admitted
}

// delivered takes the marks in front of lanes. It returns the newest barrier that one
// has delivered, and whether all have that have not ended. An older one will not come
// by that lane any more, and is nothing.
func (in *inbox) delivered() (newest *stream.Barrier, aligned bool) {
	aligned = true
	for _, l := range in.lanes {
		l.absorb()
		switch {
		case l.barrier == nil:
			aligned = aligned && l.ended()
		case newest == nil || l.barrier.Epoch >= newest.Epoch:
			newest = l.barrier
		}
	}
	for _, l := range in.lanes {
		if l.barrier != nil && l.barrier.Epoch < newest.Epoch {
			l.barrier = nil
			return in.delivered()
		}
	}
	return newest, aligned
}

// admit lets a barrier in. No lane is taken from until it has passed.
func (in *inbox) admit(b *stream.Barrier) {
	p := &in.passing
	in.barrier, p.before, p.since = b, in.ready.len(), time.Now()
	if b.Epoch <= p.overtakes {
		in.lift(b.Epoch)
	}
	p.changed.Broadcast()
}

// captured says whether the barrier takes along what is in the vertex.
func (in *inbox) captured() bool {
	p := &in.passing
	return p.captures && (!in.barrier.Last || in.barrier.Epoch <= p.overtakes)
}

// leaves says whether the barrier can be let out.
func (in *inbox) leaves() bool {
	p := &in.passing
	switch {
	case in.barrier == nil || p.leaving:
		return false
	case in.workers == 0 || !in.captured():
		return in.empty() && in.aimed()
	case in.keys != nil && in.keys.dealing.on:
		return false
	case in.gate == nil:
		return p.before == 0
	case in.inOrder && in.flight.oldest != nil:
		return false
	}
	return in.calls == 0 && in.ready.len() == 0
}

// aimed says that there is nothing to do up to what the lanes promise.
func (in *inbox) aimed() bool {
	if in.gate == nil {
		return true
	}
	low, _ := in.gate.arrived.low()
	return in.keys.behind == 0 && low <= in.gate.target
}

// pauses says whether no call that changes state begins, because a barrier waits.
func (in *inbox) pauses() bool { return in.barrier != nil && in.gate != nil && in.captured() }

// letOut lets the barrier out. Whoever called it sends it, and then calls passed.
func (in *inbox) letOut() *stream.Barrier {
	p := &in.passing
	p.leaving = true
	if p.captures {
		p.snapshot = in.capture()
	}
	return in.barrier
}

// takeSnapshot is for whoever lets the barrier out.
func (in *inbox) takeSnapshot() Snapshot {
	in.mu.Lock()
	defer in.mu.Unlock()
	s := in.passing.snapshot
	in.passing.snapshot = Snapshot{}
	s.Blocked = time.Since(in.passing.since)
	return s
}

// since is when the barrier that leaves was admitted.
func (in *inbox) since() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.passing.since
}

// passed lets records flow again after the barrier has left.
func (in *inbox) passed() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.passing.last = in.barrier.Epoch
	in.resume()
}

// resume ends the way of a barrier through the vertex.
func (in *inbox) resume() {
	p := &in.passing
	in.barrier, p.leaving, p.before, p.queued = nil, false, 0, nil
	for _, l := range in.lanes {
		l.barrier = nil
	}
	in.ring()
	in.work.Broadcast()
	p.changed.Broadcast()
}

// abandon ignores barriers up to an epoch. One that is leaving leaves.
func (in *inbox) abandon(epoch stream.Epoch) {
	in.mu.Lock()
	defer in.mu.Unlock()
	p := &in.passing
	p.ignored = max(p.ignored, epoch)
	for _, l := range in.lanes {
		l.lifted = false
		if l.barrier != nil && l.barrier.Epoch <= epoch && in.barrier == nil {
			l.barrier = nil
		}
	}
	if in.barrier != nil && in.barrier.Epoch <= epoch && !p.leaving {
		in.resume()
		return
	}
	in.work.Broadcast()
	p.changed.Broadcast()
}
