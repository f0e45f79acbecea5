package phase

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// What says what a pause holds.
type What string

// What a pause can hold.
const (
	Queued       What = "queued"         // records that came by edges
	InFlight     What = "in flight"      // records in calls, or written and not flushed
	Held         What = "held for order" // records that are done before others
	Output       What = "output"         // records that those downstream have no room for
	Unacked      What = "not acknowledged"
	Moving       What = "moving"     // a source is still read, or something is done by time
	WaitsFor     What = "waits for"  // a side input that has no value
	Open         What = "open state" // entries: one or a few for each key or open window of one
	NoCheckpoint What = "checkpoint" // there is none yet of what is through
)

// Reason is something that a pause holds.
type Reason struct {
	Vertex  stream.VertexID // empty = the pipeline
	What    What
	Count   int    // records, or entries of state; 0 = it is not counted
	Why     string // may be empty
	Hinders bool   // the pause is not drained because of it; else it is for information
}

// String returns a text such as "slow: queued 12".
func (r Reason) String() string {
	var b strings.Builder
	if r.Vertex != "" {
		fmt.Fprintf(&b, "%s: ", r.Vertex)
	}
	b.WriteString(string(r.What))
	if r.Count > 0 {
		fmt.Fprintf(&b, " %d", r.Count)
	}
	if r.Why != "" {
		fmt.Fprintf(&b, " (%s)", r.Why)
	}
	return b.String()
}

// reasons returns what a pause holds, by vertex in the order of the graph.
func (m *Machine) reasons() (all []Reason) {
	if m.told != Paused {
		return nil
	}
	for i := range m.left {
		all = append(all, m.of(&m.left[i])...)
	}
	if m.through && !m.drained {
		r := Reason{What: NoCheckpoint, Why: "it is under way", Hinders: true}
		if m.err != nil {
			r.Why = m.err.Error()
		}
		all = append(all, r)
	}
	return all
}

// of returns what a pause holds of a vertex. What is there after everything was through
// has come of the clock.
func (m *Machine) of(l *pipeline.Left) (all []Reason) {
	hinders := !m.through
	add := func(what What, n int) {
		if n > 0 {
			all = append(all, Reason{Vertex: l.Vertex, What: what, Count: n, Hinders: hinders})
		}
	}
	add(Queued, l.Queued)
	add(InFlight, l.InFlight)
	add(Held, l.Held)
	add(Output, l.Output)
	add(Unacked, l.Unacked)
	if len(all) == 0 && l.Moving {
		all = append(all, Reason{Vertex: l.Vertex, What: Moving, Hinders: hinders})
	}
	if len(l.WaitsFor) > 0 {
		all = append(all, Reason{Vertex: l.Vertex, What: WaitsFor, Why: strings.Join(l.WaitsFor, ", ")})
	}
	if l.Open > 0 {
		all = append(all, Reason{Vertex: l.Vertex, What: Open, Count: l.Open})
	}
	return all
}
