package pipeline

import (
	"bytes"
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wasmill/wasmill/host/stream"
)

// sides are the side inputs of a vertex that edges feed. A lane of one holds no records
// of the vertex: what arrives there becomes the latest value, and is settled at once. It
// takes part in barriers, and not in the event time of the vertex. Until each side input
// has a value, or its edges have ended, no call begins.
type sides struct {
	to       stream.Sided
	inputs   []*sideInput // in the order of their first edges
	starving int          // guarded by inbox.mu; how many have no value yet
	tooLarge func(name string, bytes int)
}

// sideInput is one of them.
type sideInput struct {
	name  string
	limit int // bytes of a value
	lanes []*lane
	fed   bool   // guarded by inbox.mu; it has a value
	value []byte // guarded by inbox.mu; the latest
	small bool   // guarded by inbox.mu; the last value was not too large
}

// lead makes a lane that of a side input.
func (in *inbox) lead(l *lane, e Edge, v *Vertex, hooks Hooks) {
	if in.sides == nil {
		in.sides = &sides{to: v.Transform.(stream.Sided), tooLarge: func(string, int) {}}
		if hooks.SideTooLarge != nil {
			in.sides.tooLarge = func(name string, bytes int) { hooks.SideTooLarge(v.Name, name, bytes) }
		}
	}
	s := in.sides.input(e)
	s.lanes = append(s.lanes, l)
	l.side, l.full = s, FullBlock // it is emptied as it fills, but while a barrier waits
	in.arrived().promise(int(l.port), stream.EndOfTime)
}

// input returns the side input that an edge feeds.
func (s *sides) input(e Edge) *sideInput {
	for _, one := range s.inputs {
		if one.name == e.Side {
			return one
		}
	}
	one := &sideInput{name: e.Side, limit: e.SideBytes, small: true}
	s.inputs = append(s.inputs, one)
	s.starving++
	return one
}

// starves says whether calls have to wait for the first value of a side input.
func (in *inbox) starves() bool { return in.sides != nil && in.sides.starving > 0 }

// feed takes what came by a lane of a side input, up to a barrier.
func (in *inbox) feed(l *lane) {
	if in.barrier == nil {
		l.absorb()
	}
	in.work.Signal()
}

// takeSide makes the last value of the front batch that is not too large the latest one.
func (l *lane) takeSide() {
	b := l.items.at(0).Batch
	l.items.pop()
	l.queued.sub(sizeOf(b))
	l.notFull.Broadcast()
	last := -1
	for i := range b.Records {
		size := int(b.Records[i].Value.Len)
		if size <= l.side.limit {
			last, l.side.small = i, true
			continue
		}
		l.in.stats.dropped[DroppedError].Add(1)
		if l.side.small {
			l.side.small = false // once is enough, until the next good one
			l.in.sides.tooLarge(l.side.name, size)
		}
	}
	if last >= 0 {
		l.in.sides.set(l.side, bytes.Clone(b.Value(last)))
	}
	if b.Len() > 0 {
		l.in.acks.post(b.Records, onEdge)
	}
	l.in.pool.Put(b)
}

func (s *sides) set(one *sideInput, value []byte) {
	one.value = bytes.Clone(value)
	s.to.SetSide(one.name, value)
	if !one.fed {
		one.fed = true
		s.starving--
	}
}

// endSides gives side inputs whose edges have ended without a value an empty one.
func (in *inbox) endSides() {
	if !in.starves() {
		return
	}
	for _, s := range in.sides.inputs {
		if !s.fed && s.ended() {
			in.sides.set(s, nil)
		}
	}
}

func (s *sideInput) ended() bool {
	for _, l := range s.lanes {
		if !l.ended() && l.promised < stream.EndOfTime {
			return false
		}
	}
	return true
}

// capture copies the latest values, which come by their lanes again.
func (s *sides) capture(held *copies) {
	for _, one := range s.inputs {
		if one.fed {
			b := &stream.Batch{}
			b.Append(0, nil, one.value, nil)
			b.Records[0].Port = one.lanes[0].port
			held.add(viewOf(b))
		}
	}
}

// waitsFor returns the names of the side inputs that have no value yet.
func (in *inbox) waitsFor() (names []string) {
	if in.starves() {
		for _, s := range in.sides.inputs {
			if !s.fed {
				names = append(names, s.name)
			}
		}
	}
	return names
}

// startBeside starts in g what runs beside the vertices. It ends when nothing moves any
// more.
func (p *Pipeline) startBeside(ctx context.Context, g *errgroup.Group, moving *sync.WaitGroup) {
	ctx, stop := context.WithCancel(ctx)
	for _, v := range p.graph.Vertices {
		for _, run := range v.Beside {
			g.Go(func() error {
				run(ctx)
				return nil
			})
		}
	}
	g.Go(func() error {
		defer stop()
		moving.Wait()
		return nil
	})
}
