package pipeline

import (
	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// Left is what a vertex has not done yet, in records unless it says otherwise. What a
// barrier has to do does not count.
type Left struct {
	Vertex   stream.VertexID
	Queued   int  // come by its edges, and in no call
	InFlight int  // in calls, or waiting to be tried again; of a sink, written and not flushed
	Held     int  // done, and waiting for others that were taken before
	Output   int  // done, and not taken by the vertices downstream
	Unacked  int  // of a source: read, and not through and acknowledged; with checkpoints it is enough to be through
	Moving   bool // there is something else: a source is read, time goes on, or something is due by time
	Paused   bool // of a source: it is not read for now

	Open     int      // entries of state, one or a few for each key or window of one, which wait for records and do not count
	WaitsFor []string // side inputs without which no call begins
}

// Nothing says whether nothing is left that counts.
func (l *Left) Nothing() bool {
	return l.Queued+l.InFlight+l.Held+l.Output+l.Unacked == 0 && !l.Moving
}

// Left returns what is left, in the order of the graph. It is cheap enough to be asked
// for some times a second, and may be called at any time. If nothing is left anywhere
// nothing was left at one moment.
func (p *Pipeline) Left() []Left {
	left := make([]Left, len(p.vertices))
	for _, i := range p.downstream { // what moves on meanwhile is seen where it arrives
		v, l := &p.vertices[i], &left[i]
		l.Vertex = v.name
		if v.source != nil {
			v.source.left(l)
			continue
		}
		v.in.left(l)
		if u, ok := v.transform.(user); ok {
			values, _ := u.Usage()
			l.Open = int(values.Keys)
		}
	}
	return left
}

// Drained says whether the pipeline is paused, or its sources are at their end, and
// everything is through that was read: nothing is queued or in flight, and it is
// acknowledged or waits for nothing but the next checkpoint.
func (p *Pipeline) Drained() bool {
	for _, l := range p.Left() {
		if !l.Nothing() {
			return false
		}
	}
	return true
}

// user is a transform with state.
type user interface {
	Usage() (values, timers state.Usage)
}

// left says what is in the vertex. A mark that has not been taken, or that is due or
// being sent, may make something due further down.
func (in *inbox) left(l *Left) {
	in.mu.Lock()
	defer in.mu.Unlock()
	marks := false
	for _, lane := range in.lanes {
		l.Queued += lane.queued.Records
		marks = marks || lane.items.len() > 0
	}
	if in.keys != nil {
		l.Queued += in.keys.pending.Records
	}
	l.InFlight, l.Held, l.Output = in.processing.Records, in.early.Records, in.output.Records-in.early.Records
	low, idle := in.flight.watermarks.low()
	l.Moving = marks || !in.empty() || !in.aimed() || in.sending || low > in.sent || idle != in.idle
	l.WaitsFor = in.waitsFor()
}

// downstream returns the indices of vertices, each behind all that lead to it.
func (g *Graph) downstream() (order []int) {
	waits := make(map[stream.VertexID]int)
	for _, e := range g.Edges {
		waits[e.To]++
	}
	done := make([]bool, len(g.Vertices))
	for range g.Vertices {
		for i := range g.Vertices {
			name := g.Vertices[i].Name
			if done[i] || waits[name] > 0 {
				continue
			}
			done[i] = true
			order = append(order, i)
			for _, e := range g.Edges {
				if e.From == name {
					waits[e.To]--
				}
			}
		}
	}
	return order
}
