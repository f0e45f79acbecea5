package control

import (
	"context"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/stream"
)

// CheckpointFit says what a restore would make of a checkpoint.
type CheckpointFit struct {
	Verification
	Fits     bool        `json:"fits"`     // nothing would be dropped
	Vertices []VertexFit `json:"vertices"` // by name; none if the manifest cannot be read
}

// VertexFit is CheckpointFit for a vertex.
type VertexFit struct {
	Vertex   stream.VertexID   `json:"vertex"`
	Fits     bool              `json:"fits"` // nothing of it would be dropped
	Position string            `json:"position,omitempty"`
	Entries  int               `json:"entries"` // in all parts, of which later ones may replace earlier ones
	Bytes    int64             `json:"bytes"`
	InFlight int               `json:"in_flight"` // records
	Commit   bool              `json:"commit"`    // its sink has something to show
	Findings []durable.Finding `json:"findings"`  // what is not as in the checkpoint
}

// Fit reads all of a checkpoint, as Verify does, and says what of it fits a pipeline as
// it is now. It changes nothing.
func (c *Checkpoints) Fit(ctx context.Context, e stream.Epoch, r *durable.Runner, progress func(done, total int64)) (*CheckpointFit, error) {
	v, err := c.Verify(ctx, e, progress)
	if err != nil {
		return nil, err
	}
	out := &CheckpointFit{Verification: *v, Vertices: []VertexFit{}}
	found, _, err := c.find(ctx, e)
	if err != nil || found[0].Manifest == nil {
		return out, err
	}
	findings, err := r.Fits(found[0].Manifest, found[0].State == checkpoint.Complete)
	if err != nil {
		return nil, c.at.place(err)
	}
	for i := range found[0].Manifest.Vertices {
		out.Vertices = append(out.Vertices, c.vertexFit(&found[0].Manifest.Vertices[i]))
	}
	out.Fits = true
	for _, f := range findings {
		out.find(f)
	}
	slices.SortFunc(out.Vertices, func(a, b VertexFit) int { return strings.Compare(string(a.Vertex), string(b.Vertex)) })
	return out, nil
}

// find adds a finding to its vertex, which may be new.
func (f *CheckpointFit) find(x durable.Finding) {
	i := slices.IndexFunc(f.Vertices, func(v VertexFit) bool { return v.Vertex == x.Vertex })
	if i < 0 {
		i = len(f.Vertices)
		f.Vertices = append(f.Vertices, VertexFit{Vertex: x.Vertex, Fits: true})
	}
	v := &f.Vertices[i]
	v.Findings = append(v.Findings, x)
	v.Fits, f.Fits = v.Fits && !x.Dropped, f.Fits && !x.Dropped
}

func (c *Checkpoints) vertexFit(v *checkpoint.VertexState) VertexFit {
	out := VertexFit{Vertex: v.Vertex, Fits: true, Position: c.holding(v).Position, Commit: len(v.Commit) > 0, Findings: []durable.Finding{}}
	out.Entries, out.Bytes, out.InFlight = durable.Held(v)
	return out
}
