package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Snapshot is what one vertex has to be restored from, as of a barrier. Every vertex
// gives one for each.
type Snapshot struct {
	Position  stream.Position  // of a source: where it stood; nil = at its beginning
	High      int64            // of a source: the latest event time so far
	Watermark stream.Watermark // the last that left

	// Inputs are copies of what was taken into the vertex, or for barriers that were
	// overtaken has come to it, and whose results have not left. Their order, and the
	// Port and Group of each record, are part of what is to be kept.
	Inputs []*stream.Batch

	Frozen stream.Frozen // state of a Durable; belongs to whoever gets the snapshot

	// Commits are what Prepare of a Transactional returned for this barrier, and before
	// it for those that no checkpoint was published of.
	Commits [][]byte

	// Blocked is how long the vertex has stood still for the barrier so far: from the
	// moment that it was there on all edges.
	Blocked time.Duration
}

// Restore says what the vertices of a pipeline start with.
type Restore func(context.Context) (map[stream.VertexID]Restored, error)

// Restored is what a vertex starts with: that of a Snapshot. The state of a Durable
// is restored before.
type Restored struct {
	Position  stream.Position
	High      int64 // least int64 = none
	Watermark stream.Watermark
	Inputs    []*stream.Batch // belong to the pipeline
	Commits   [][]byte        // for Recover
}

// Commit lets a transactional sink show what a published checkpoint holds of it. It
// may be called during Run.
func (p *Pipeline) Commit(ctx context.Context, sink stream.VertexID, commit []byte) error {
	for _, s := range p.sinks {
		if s.name == sink && s.prepared != nil {
			return named(s.name, s.prepared.Commit(ctx, commit))
		}
	}
	return fmt.Errorf("there is no transactional sink %s", sink)
}

// checkDurable refuses state that would be lost.
func (g *Graph) checkDurable() error {
	for i := range g.Vertices {
		v := &g.Vertices[i]
		if _, ok := v.Transform.(stream.Keyed); ok {
			if _, ok := v.Transform.(stream.Durable); !ok {
				return fmt.Errorf("the state of vertex %q cannot be part of a checkpoint", v.Name)
			}
		}
	}
	return nil
}
