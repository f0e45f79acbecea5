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

// Call gives records to the plugin of a pipeline that Calling has described, and then
// ends time. The plugin has the network that its vertex lets it have.
func Call(ctx context.Context, b *control.Builder, c *config.Pipeline, in []Record) (*Called, error) {
	s := &scope{inside: map[stream.VertexID]bool{called: true}, last: called, entries: []stream.VertexID{caller}}
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
	return &Called{o.left[resultsName], o.failures, o.kept[called]}, nil
}
