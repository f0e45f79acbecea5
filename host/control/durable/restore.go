package durable

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// restore claims the pipeline and brings back what it goes on from.
func (r *Runner) restore(ctx context.Context) (map[stream.VertexID]pipeline.Restored, error) {
	c := &r.config
	var err error
	if r.store, err = c.Open(ctx); err != nil {
		return nil, err
	}
	r.writer, err = checkpoint.Claim(ctx, checkpoint.WriterConfig{
		Store: r.store, Pipeline: c.Name, Wasmill: c.Wasmill, Process: c.Process, Local: c.Local, Progress: r.uploading,
	})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	t := newRestoring(ctx, c)
	found, err := r.find(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, s := range found.Skipped {
		r.damaged(s.Epoch, s.Err)
	}
	if err := t.end(ctx); err != nil {
		return nil, err
	}
	from, err := t.restored(found)
	if err != nil {
		return nil, err
	}
	if err := r.start(ctx, found); err != nil {
		return nil, err
	}
	if err := r.loop.begin(found, c.Start.From == nil); err != nil {
		return nil, err
	}
	took := time.Since(began)
	r.loop.load.restarted(found.Manifest, began, took)
	r.restored(found, t, took)
	return from, nil
}

// start notes what the run goes on from.
func (r *Runner) start(ctx context.Context, found *checkpoint.Recovery) error {
	switch {
	case r.config.Start.From != nil:
		return r.writer.Adopt(ctx)
	case found.Manifest != nil:
		return r.writer.Start(ctx, found.Manifest.Epoch)
	}
	return r.writer.Start(ctx, 0)
}

// find brings back the checkpoint that the start asks for.
func (r *Runner) find(ctx context.Context, t *restoring) (*checkpoint.Recovery, error) {
	c := &r.config
	reader := &checkpoint.Reader{Store: r.store, Pipeline: c.Name, Progress: r.restoringBytes}
	if c.Start.Fresh {
		highest, err := r.writer.Clear(ctx)
		if err != nil {
			return nil, err
		}
		return &checkpoint.Recovery{Highest: highest}, nil
	}
	if c.Start.From == nil {
		t.reader = reader
		if c.Start.Epoch != 0 {
			return reader.RestoreEpoch(ctx, c.Start.Epoch, t.begin)
		}
		return reader.Restore(ctx, t.begin)
	}
	return r.adopt(ctx, t, reader)
}

// adopt restores checkpoints that are somewhere else.
func (r *Runner) adopt(ctx context.Context, t *restoring, own *checkpoint.Reader) (found *checkpoint.Recovery, err error) {
	start := &r.config.Start
	highest, err := own.Highest(ctx)
	if err != nil {
		return nil, err
	}
	store, err := start.From.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	other := &checkpoint.Reader{Store: store, Pipeline: start.From.Pipeline, Progress: r.restoringBytes}
	t.reader = other
	if start.Epoch != 0 {
		found, err = other.RestoreEpoch(ctx, start.Epoch, t.begin)
	} else {
		found, err = other.Restore(ctx, t.begin)
	}
	if err != nil {
		return nil, err
	}
	if found.Manifest == nil {
		return nil, &stream.Error{Code: stream.Usage, Where: start.From.Pipeline, Why: "there is no checkpoint to begin with", Fix: "name the storage and the pipeline that it is of, or run without --from"}
	}
	found.Highest = max(found.Highest, highest)
	return found, nil
}

// restoring takes the parts of a checkpoint.
type restoring struct {
	ctx      context.Context
	config   *Config
	reader   *checkpoint.Reader // of the checkpoint
	durables map[stream.VertexID]stream.Durable
	fits     map[stream.VertexID]*fit
	findings []Finding
	inputs   map[stream.VertexID]*stream.Batch
	bytes    int64
}

func newRestoring(ctx context.Context, c *Config) *restoring {
	t := &restoring{ctx: ctx, config: c, durables: make(map[stream.VertexID]stream.Durable)}
	for _, v := range c.Graph.Vertices {
		if d, ok := v.Transform.(stream.Durable); ok {
			t.durables[v.Name] = d
		}
	}
	return t
}

// begin is checkpoint.Begin.
func (t *restoring) begin(m *checkpoint.Manifest) (take func(checkpoint.RestoredPart) error, err error) {
	for _, d := range t.durables {
		d.Reset()
	}
	t.inputs, t.bytes = make(map[stream.VertexID]*stream.Batch), 0
	committed, err := t.reader.Committed(t.ctx, m.Epoch)
	if err != nil {
		return nil, err
	}
	if t.fits, t.findings, err = compare(m, committed, t.config.Shapes); err != nil {
		return nil, err
	}
	if !t.config.Start.AllowDropped {
		if err := refuse(t.config.Name, m.Epoch, t.findings); err != nil {
			return nil, err
		}
	}
	return t.take, nil
}

func (t *restoring) take(p checkpoint.RestoredPart) (err error) {
	f := t.fits[p.Vertex]
	t.bytes += int64(len(p.Data))
	switch d := t.durables[p.Vertex]; {
	case p.Table == inputsTable:
		t.inputs[p.Vertex], err = decodeInputs(p.Data, f.port)
	case f.state && d != nil:
		err = d.Restore(p.Table, p.Full, p.Data)
	}
	return err
}

// end lets the vertices make what they can of the parts.
func (t *restoring) end(ctx context.Context) error {
	for v, d := range t.durables {
		if err := d.Restored(ctx); err != nil {
			return fmt.Errorf("vertex %s: %w", v, err)
		}
	}
	return nil
}

// restored returns what the vertices start with.
func (t *restoring) restored(found *checkpoint.Recovery) (map[stream.VertexID]pipeline.Restored, error) {
	out := make(map[stream.VertexID]pipeline.Restored)
	if found.Manifest == nil {
		return out, nil
	}
	for _, v := range t.config.Graph.Vertices {
		f := t.fits[v.Name]
		if f == nil || v.Source != nil && !f.position {
			continue
		}
		r := pipeline.Restored{High: math.MinInt64, Watermark: stream.Watermark(f.meta.Watermark)}
		if v.Source != nil {
			r.Position, r.High = stream.Position(f.meta.Position), int64(f.meta.High)
		}
		if b, ok := t.inputs[v.Name]; ok && b.Len() > 0 {
			r.Inputs = []*stream.Batch{b}
		}
		if f.commit { // again, if it is done: a sink goes on from there
			var err error
			if r.Commits, err = commitsOf(found.Manifest.Vertex(v.Name)); err != nil {
				return nil, err
			}
		}
		out[v.Name] = r
	}
	return out, nil
}

// inFlight counts the records that were in flight.
func (t *restoring) inFlight() (n int) {
	for _, b := range t.inputs {
		n += b.Len()
	}
	return n
}
