package suite

import (
	"context"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// Called is what a vertex made of records.
type Called struct {
	Results  []Record
	Failures []Failure
	Kept     []string // entries of state, JSON objects, before time ended
}

// Call gives records to one vertex of a pipeline, as they come by the edges from another
// one, and then ends time. Its guest has the network that the vertex lets it have.
func Call(ctx context.Context, b *control.Builder, c *config.Pipeline, from, to stream.VertexID, in []Record) (*Called, error) {
	s := &scope{inside: map[stream.VertexID]bool{to: true}, last: to, entries: []stream.VertexID{from}}
	st, err := newStage(ctx, b, c, s)
	if err != nil {
		return nil, err
	}
	var steps []move
	for i := range in {
		steps = append(steps, move{step: step{record: &in[i]}, to: s.entries, number: i + 1})
	}
	o, err := st.run(ctx, steps, true)
	if err != nil {
		return nil, err
	}
	return &Called{o.left[resultsName], o.failures, o.kept[to]}, nil
}
