package control

import (
	"fmt"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// VertexReady says how far a vertex is with what its pipeline wants of it.
type VertexReady struct {
	Vertex stream.VertexID `json:"vertex"`
	Ready  int             `json:"ready"`         // the instances that live of those that are wanted; of what has none, 1 once it is open
	Want   int             `json:"want"`          // the instances that are wanted now, 0 at rest; else 1
	Why    string          `json:"why,omitempty"` // it is not ready
}

// Readiness returns each vertex of a graph that runs as p once, in the order of the config.
// It may be called at any time.
func Readiness(g pipeline.Graph, p *pipeline.Pipeline) []VertexReady {
	all := []VertexReady{}
	for i, s := range p.Stats() {
		all = append(all, vertexReady(&s, g.Vertices[i].Transform))
	}
	return all
}

func vertexReady(s *pipeline.Stats, t stream.Transform) VertexReady {
	v := VertexReady{Vertex: s.Vertex, Want: 1}
	var guests wasm.Ready
	switch versions := versionsOf(t); {
	case versions != nil:
		guests = versions.Ready()
	default:
		counted, ok := t.(interface{ Stats() wasm.Stats })
		if !ok {
			if v.Ready = 1; !s.Opened {
				v.Ready, v.Why = 0, "it is not open yet"
			}
			return v
		}
		guests.Live = counted.Stats().Instances // of partitions, each of which starts with its first record
		guests.Want = guests.Live
	}
	if v.Ready, v.Want = guests.Live, guests.Want; v.Ready < v.Want {
		v.Why = fmt.Sprintf("%d of %d instances are started", v.Ready, v.Want)
		if guests.Unfit != nil {
			v.Why += ", and another one cannot be: " + guests.Unfit.Error()
		}
	}
	return v
}

// Warm has the guests of a graph started, as many as are wanted, and does not wait for them.
func Warm(g pipeline.Graph) {
	for i := range g.Vertices {
		if v := versionsOf(g.Vertices[i].Transform); v != nil {
			v.Warm()
		}
	}
}
