package pipeline

import (
	"context"

	"github.com/wasmill/wasmill/host/stream"
)

// Overtake lets the barrier of an epoch go past what is queued on edges, of which its
// snapshots take copies, and vertices send what has to leave before it past the
// limits of edges. What a sink without transactions has not flushed counts as queued,
// so that it, and what it makes dead letters of, may come again after a restore. It
// returns when the barrier has left all vertices, was abandoned, or Run has ended; it
// still waits for calls that change state and for transactional sinks.
func (p *Pipeline) Overtake(epoch stream.Epoch) {
	p.epochs.injecting.Lock()
	injected := p.epochs.injected >= epoch
	p.epochs.injecting.Unlock()
	if !injected || !p.epochs.on {
		return
	}
	for _, s := range p.sources {
		for _, l := range s.downstream {
			l.lift(epoch)
		}
	}
	for _, v := range p.vertices {
		if v.in != nil {
			v.in.hurry(epoch)
		}
	}
	for _, s := range p.sinks {
		s.overtaken(epoch)
	}
}

// hurry lets barriers up to an epoch overtake.
func (in *inbox) hurry(epoch stream.Epoch) {
	in.mu.Lock()
	defer in.mu.Unlock()
	p := &in.passing
	p.overtakes = max(p.overtakes, epoch)
	if in.barrier != nil && in.barrier.Epoch <= epoch {
		in.lift(in.barrier.Epoch)
	}
	in.absorb()
	in.work.Broadcast()
	p.changed.Broadcast()
}

// lift lets what leaves before a barrier pass the limits of the edges that it takes.
func (in *inbox) lift(epoch stream.Epoch) {
	for _, l := range in.passing.downstream {
		l.lift(epoch)
	}
}

// lift lets batches into a lane, whatever it holds, until the barrier comes.
func (l *lane) lift(epoch stream.Epoch) {
	l.in.mu.Lock()
	defer l.in.mu.Unlock()
	if l.seen < epoch && l.in.passing.ignored < epoch {
		l.lifted = true
		l.notFull.Broadcast()
	}
}

// barred notes that a barrier was put into a lane.
func (l *lane) barred(b *stream.Barrier) {
	l.seen = max(l.seen, b.Epoch)
	l.lifted = false
	if b.Epoch <= l.in.passing.overtakes || l.in.starves() {
		l.in.absorb()
		l.in.work.Signal()
	}
}

// jump lets a barrier in that all lanes have received, in front of what is queued
// before it. What lanes without a sender hold comes before it. A vertex that waits for
// a side input takes nothing that is queued, so that any barrier overtakes it.
func (in *inbox) jump() {
	p := &in.passing
	var barrier *stream.Barrier
	for _, l := range in.lanes {
		_, b := l.next()
		switch {
		case b == nil && !l.closed:
			return
		case b != nil && (b.Epoch > p.overtakes && !(in.starves() && p.captures) || barrier != nil && b.Epoch != barrier.Epoch):
			return
		case b != nil:
			barrier = b
		}
	}
	if barrier == nil {
		return
	}
	var held copies
	for _, l := range in.lanes {
		at, b := l.next()
		l.capture(at, &held)
		if l.barrier == nil && b != nil {
			l.remove(at)
			l.barrier = b
		}
	}
	p.queued = held.batches
	in.admit(barrier)
}

// next returns the first barrier of a lane that counts, and how many items are in
// front of it.
func (l *lane) next() (at int, b *stream.Barrier) {
	if l.barrier != nil {
		return 0, l.barrier
	}
	for at = range l.items.len() {
		if b := l.items.at(at).Barrier; b != nil && b.Epoch > l.in.passing.ignored {
			return at, b
		}
	}
	return l.items.len(), nil
}

// remove takes an item out. Two marks that come together become one.
func (l *lane) remove(i int) {
	gap := 1
	if i > 0 && l.items.at(i-1).plain() && i+1 < l.items.len() && l.items.at(i+1).plain() {
		gap = 2
	}
	for ; i >= gap; i-- {
		*l.items.at(i) = *l.items.at(i - gap)
	}
	for range gap {
		l.items.pop()
	}
}

// overtaken lets an overtaking barrier out of a sink, unless the sink does.
func (s *sinkLoop) overtaken(epoch stream.Epoch) {
	for {
		b := s.in.awaitOvertaking(epoch, s.prepared == nil)
		if b == nil {
			return
		}
		s.snapshot(s.name, b, s.in.takeSnapshot())
		if err := s.out.broadcast(context.Background(), stream.Item{Barrier: b}); err != nil {
			return // the pipeline's end, which others see
		}
		s.in.passed()
	}
}

// awaitOvertaking returns a barrier that the caller has to let out of a sink, if it
// may; nil when that of an epoch has passed or never will.
func (in *inbox) awaitOvertaking(epoch stream.Epoch, may bool) *stream.Barrier {
	in.mu.Lock()
	defer in.mu.Unlock()
	p := &in.passing
	for {
		in.absorb()
		switch {
		case in.aborted != nil || p.last >= epoch || p.ignored >= epoch:
			return nil
		case in.barrier != nil && in.barrier.Epoch <= epoch && !p.leaving && may:
			return in.letOut()
		}
		p.changed.Wait()
	}
}
