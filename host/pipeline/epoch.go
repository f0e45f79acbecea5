package pipeline

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// epochs is what a pipeline knows of its checkpoints.
type epochs struct {
	on        bool          // there is somebody to take snapshots
	injecting sync.Mutex    // barriers come in the same order from all sources
	injected  stream.Epoch  // guarded by injecting; the last
	reading   atomic.Int32  // sources that may still be read
	ended     chan struct{} // closed when there is none
}

// Inject sends a barrier from every source, after what it has read so far. Epochs
// rise. With Hooks.Snapshot sources that are not read any more send it, too.
func (p *Pipeline) Inject(b *stream.Barrier) {
	p.epochs.injecting.Lock()
	defer p.epochs.injecting.Unlock()
	p.epochs.injected = max(p.epochs.injected, b.Epoch)
	for _, s := range p.sources {
		s.inject(b)
	}
}

// Committed says that a checkpoint is published, so that sources are acknowledged
// where they stood at its barrier. Epochs come in order.
func (p *Pipeline) Committed(epoch stream.Epoch) {
	for _, s := range p.sources {
		s.marks.commit(epoch)
	}
	for _, s := range p.sinks {
		s.unpublished.forget(epoch)
	}
}

// Abandon ends the checkpoint of an epoch, and older ones, that are under way: what
// waits for their barriers goes on, and those that still arrive are ignored. A
// snapshot may come even after that.
func (p *Pipeline) Abandon(epoch stream.Epoch) {
	for _, v := range p.vertices {
		if v.in != nil {
			v.in.abandon(epoch)
		}
	}
}

// Ended returns a channel that is closed when no source is read any more, because
// each has ended or was stopped by Drain. Only with Hooks.Snapshot.
func (p *Pipeline) Ended() <-chan struct{} { return p.epochs.ended }

// Finish lets Run return, once no source is read any more and what was read is
// through. With Hooks.Snapshot it is called after the last checkpoint.
func (p *Pipeline) Finish() {
	for _, s := range p.sources {
		s.interrupt(func() { s.finished = true })
	}
}

// marks are the positions of a source at the barriers that it has sent.
type marks struct {
	mu        sync.Mutex
	positions []mark          // guarded by mu; of checkpoints that are not published
	durable   stream.Position // guarded by mu; of the last that is
	moved     chan struct{}   // capacity 1
}

type mark struct {
	epoch stream.Epoch
	pos   stream.Position
}

func (m *marks) add(epoch stream.Epoch, pos stream.Position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.positions = append(m.positions, mark{epoch, pos})
}

// commit moves the frontier to the position of an epoch and forgets older ones.
func (m *marks) commit(epoch stream.Epoch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.positions) > 0 && m.positions[0].epoch <= epoch {
		m.durable = m.positions[0].pos
		m.positions = m.positions[1:]
	}
	select {
	case m.moved <- struct{}{}:
	default:
	}
}

// frontier appends to dst the position up to which everything is published.
func (m *marks) frontier(dst []byte) stream.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append(dst, m.durable...)
}

// commits are what a sink has prepared for checkpoints that are not published, of
// which the next that is shows all.
type commits struct {
	mu   sync.Mutex
	open []commit // guarded by mu
}

type commit struct {
	epoch stream.Epoch
	data  []byte
}

// add returns those that belong to a checkpoint.
func (c *commits) add(epoch stream.Epoch, data []byte) (all [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if data != nil {
		c.open = append(c.open, commit{epoch, data})
	}
	for _, o := range c.open {
		all = append(all, o.data)
	}
	return all
}

// forget takes away those of a published checkpoint.
func (c *commits) forget(epoch stream.Epoch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 && c.open[0].epoch <= epoch {
		c.open = c.open[1:]
	}
}

// acks returns what says up to where a source is done, and when that has moved.
func (s *sourceLoop) acks() (moved <-chan struct{}, frontier func([]byte) stream.Position) {
	if s.epochs.on {
		return s.marks.moved, s.marks.frontier
	}
	return s.ledger.moved, s.ledger.frontier
}

// resume continues in event time where a source was, before it is read.
func (s *sourceLoop) resume(ctx context.Context, r Restored, ok bool) error {
	s.sends.Lock()
	defer s.sends.Unlock()
	s.high, s.low = math.MinInt64, stream.NoWatermark
	if !ok {
		return nil
	}
	s.pos, s.high = r.Position, r.High
	if r.Watermark == stream.NoWatermark || r.Watermark == stream.EndOfTime {
		return s.promise(ctx) // a source that is at its end says so itself
	}
	s.low = r.Watermark
	s.stats.watermark.Store(int64(s.low))
	return s.out.broadcast(ctx, stream.Item{Watermark: s.low})
}

// pass sends a barrier, with the snapshot of the source.
func (s *sourceLoop) pass(ctx context.Context, b *stream.Barrier) error {
	s.sends.Lock()
	defer s.sends.Unlock()
	if s.epochs.on {
		if s.begun {
			s.pos = s.source.Position(nil)
		}
		s.marks.add(b.Epoch, s.pos)
		s.snapshot(s.name, b, Snapshot{Position: s.pos, High: s.high, Watermark: s.low})
	}
	return s.out.broadcast(ctx, stream.Item{Barrier: b})
}

// linger sends barriers from a source that is not read any more, until Finish.
func (s *sourceLoop) linger(ctx context.Context) error {
	s.interrupt(func() { s.over, s.still = true, true })
	if !s.epochs.on {
		return nil
	}
	s.sends.Lock()
	s.ended = true // so that it is not idle
	s.sends.Unlock()
	if s.epochs.reading.Add(-1) == 0 {
		close(s.epochs.ended)
	}
	for {
		r := s.request(ctx)
		for _, b := range r.barriers {
			if err := s.pass(ctx, b); err != nil {
				return err
			}
		}
		if s.done() {
			return nil
		}
		<-r.read.Done()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// done says that a source has nothing to send any more.
func (s *sourceLoop) done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.finished && len(s.barriers) == 0
}
