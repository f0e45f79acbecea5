package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Order says in which order the results of a transform leave it.
type Order string

// The orders: as calls finish, or as their inputs came.
const (
	OrderNone  Order = "none"
	OrderKey   Order = "key" // of those with the same key, as their inputs came
	OrderInput Order = "input"
)

// Limit bounds something in records and in bytes. At least one record always
// passes.
type Limit struct{ Records, Bytes int }

func (l *Limit) add(n Limit) { l.Records, l.Bytes = l.Records+n.Records, l.Bytes+n.Bytes }
func (l *Limit) sub(n Limit) { l.Records, l.Bytes = l.Records-n.Records, l.Bytes-n.Bytes }

// reached says whether what is held leaves no room for one more.
func (l Limit) reached(held Limit) bool {
	return l.Records > 0 && (held.Records >= l.Records || held.Bytes >= l.Bytes)
}

// over says whether more is held than there is room for.
func (l Limit) over(held Limit) bool {
	return l.Records > 0 && (held.Records > l.Records || held.Bytes > l.Bytes)
}

func sizeOf(b *stream.Batch) Limit { return Limit{b.Len(), b.Bytes()} }

// Vertex is one vertex of a graph; exactly one of Source, Transform and Sink is
// set, and belongs to the pipeline from then on.
type Vertex struct {
	Name      stream.VertexID
	Source    stream.Source
	Transform stream.Transform
	Sink      stream.Sink

	Concurrency    int           // calls of Transform at once; 0 = it rests, and does one at a time what it holds after Pause and Drain, and when nothing more comes
	MinConcurrency int           // if not 0, they adapt between this and Concurrency
	Order          Order         // of Transform's results
	Call           Limit         // of one call of Transform
	CallTime       time.Duration // that a call should take: it gets fewer records if they are slow; 0 = as many as there are
	Queue          Limit         // of each inbound edge
	QueueFull      Full          // what happens when that is reached
	Processing     Limit         // in calls, waiting to be tried again, or for others of their key; no records = none
	Output         Limit         // done and not accepted downstream: no call begins while it is reached; no records = none
	OutputFull     Full

	// Wake is called when there is something to do for a Transform whose Concurrency is 0:
	// records wait, a call is to be made again, or something is due by time. It is called at
	// most once until the next Adjust, by a worker of the vertex and with no lock held, so
	// that it may call Adjust. Until it returns nothing leaves the vertex. nil = what there
	// is waits until somebody adjusts the vertex.
	Wake func()

	Retry   Retry   // of records that Transform or Sink could not handle
	OnError OnError // of those that are not tried again

	Headers []Header // of the vertex's dead letters, besides those that say why

	EventTime *EventTime // of what Source reads; nil = as the source says

	Beside []func(context.Context) // run while records move, until their context ends
}

// Header is one of a record's.
type Header struct{ Name, Value string }

// Edge joins two vertices. Without tags it carries untagged records, otherwise
// those with one of the tags.
type Edge struct {
	From, To    stream.VertexID
	Tags        []string
	DeadLetters bool // carries the vertex's dead letters instead

	Side      string // the side input of To that its records are values of; empty = they are To's records
	SideBytes int    // the most bytes of such a value
}

// Graph is what a pipeline runs: a DAG from sources to sinks.
type Graph struct {
	Vertices []Vertex
	Edges    []Edge
	Tags     *stream.TagTable // numbers every tag of Edges
}

// check returns what is wrong with the shape of a graph. People get better
// messages earlier, from the config; this protects programs that build graphs.
func (g *Graph) check() error {
	byName := make(map[stream.VertexID]*Vertex, len(g.Vertices))
	inbound := make(map[stream.VertexID]int)
	for i := range g.Vertices {
		v := &g.Vertices[i]
		roles := 0
		for _, set := range []bool{v.Source != nil, v.Transform != nil, v.Sink != nil} {
			if set {
				roles++
			}
		}
		switch {
		case roles != 1:
			return fmt.Errorf("vertex %q is %d of source, transform and sink instead of one", v.Name, roles)
		case byName[v.Name] != nil:
			return fmt.Errorf("vertex %q is there twice", v.Name)
		case v.Transform != nil && v.Concurrency < 0:
			return fmt.Errorf("vertex %q has concurrency %d", v.Name, v.Concurrency)
		case v.OnError == OnErrorDeadLetter && !g.hasDeadLetters(v.Name):
			return fmt.Errorf("vertex %q has no edge for its dead letters", v.Name)
		}
		byName[v.Name] = v
	}
	for _, e := range g.Edges {
		from, to := byName[e.From], byName[e.To]
		switch {
		case from == nil || to == nil:
			return fmt.Errorf("edge %s → %s joins a vertex that is not there", e.From, e.To)
		case from.Sink != nil && !e.DeadLetters || to.Source != nil:
			return fmt.Errorf("edge %s → %s leaves a sink or enters a source", e.From, e.To)
		}
		if _, sided := to.Transform.(stream.Sided); e.Side != "" && !sided {
			return fmt.Errorf("edge %s → %s feeds a side input, and %s can have none", e.From, e.To, e.To)
		}
		if inbound[e.To]++; inbound[e.To] > stream.MaxPort+1 {
			return fmt.Errorf("vertex %q has more than %d inbound edges", e.To, stream.MaxPort+1)
		}
	}
	return g.checkAcyclic(inbound)
}

func (g *Graph) hasDeadLetters(name stream.VertexID) bool {
	return slices.ContainsFunc(g.Edges, func(e Edge) bool { return e.From == name && e.DeadLetters })
}

// checkAcyclic takes vertices without inbound edges away until none is left
// (Kahn 1962). It consumes the counts.
func (g *Graph) checkAcyclic(inbound map[stream.VertexID]int) error {
	var ready []stream.VertexID
	for _, v := range g.Vertices {
		switch {
		case inbound[v.Name] == 0 && v.Source == nil:
			return fmt.Errorf("vertex %q has no inbound edge", v.Name)
		case inbound[v.Name] == 0:
			ready = append(ready, v.Name)
		}
	}
	seen := 0
	for ; len(ready) > 0; seen++ {
		name := ready[0]
		ready = ready[1:]
		for _, e := range g.Edges {
			if e.From == name {
				if inbound[e.To]--; inbound[e.To] == 0 {
					ready = append(ready, e.To)
				}
			}
		}
	}
	if seen < len(g.Vertices) {
		return fmt.Errorf("graph has a cycle")
	}
	return nil
}
