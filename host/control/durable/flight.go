package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// flight is a checkpoint under way.
type flight struct {
	checkpoint.Trigger
	began     time.Time
	unaligned bool

	// Guarded by Runner.mu.
	since     stream.Epoch // that its snapshots build on
	snapshots map[stream.VertexID]pipeline.Snapshot
	align     time.Duration // until the last barrier had passed
	blocked   time.Duration // the longest that a vertex stood still
	over      bool          // its snapshots are not wanted any more

	cancel   context.CancelCauseFunc // ends writing it; nil = not written yet
	manifest *checkpoint.Manifest    // once it is stored
	upload   time.Duration
}

// snapshot takes what a vertex gives for a barrier.
func (r *Runner) snapshot(v stream.VertexID, b *stream.Barrier, s pipeline.Snapshot) {
	r.mu.Lock()
	f := r.flight
	if f == nil || f.Epoch != b.Epoch || f.over {
		r.mu.Unlock()
		release(&s, false)
		return
	}
	f.snapshots[v] = s
	f.align, f.blocked = time.Since(f.began), max(f.blocked, s.Blocked)
	r.mu.Unlock()
	r.events.step(checkpoint.BarrierPassed{Epoch: b.Epoch, Vertex: v, Blocked: s.Blocked})
	r.events.step(checkpoint.SnapshotDone{Epoch: b.Epoch, Vertex: v})
}

func release(s *pipeline.Snapshot, saved bool) {
	if s.Frozen != nil {
		s.Frozen.Release(saved)
	}
}

// releaseAll gives up what the vertices have frozen.
func (r *Runner) releaseAll(f *flight, saved bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.over = true
	for v, s := range f.snapshots {
		release(&s, saved)
		s.Frozen, s.Inputs = nil, nil
		f.snapshots[v] = s
	}
}

// give describes what a vertex has given, for the Writer.
func (r *Runner) give(v stream.VertexID, s *pipeline.Snapshot, since stream.Epoch) (out checkpoint.Snapshot, err error) {
	shape := r.shapes[v]
	m := metaOf(&shape, s)
	out = checkpoint.Snapshot{Vertex: v, Since: since}
	if out.Meta, err = json.Marshal(m); err != nil {
		return out, fmt.Errorf("describe the snapshot of %s: %w", v, err)
	}
	if shape.Role != roleSource {
		data, records := encodeInputs(s.Inputs)
		out.Parts = append(out.Parts, checkpoint.Part{Table: inputsTable, From: 0, To: 1, Full: true, Entries: records, Data: data})
	}
	if len(s.Commits) > 0 {
		if out.Commit, err = json.Marshal(s.Commits); err != nil {
			return out, fmt.Errorf("describe what %s commits: %w", v, err)
		}
	}
	if s.Frozen != nil {
		out.Size = s.Frozen.Size()
		out.Stream = func(yield func(checkpoint.Part) error) error {
			return s.Frozen.Parts(func(table string, from, to int, full bool, entries int, data []byte) error {
				return yield(checkpoint.Part{Table: table, From: from, To: to, Full: full, Entries: entries, Data: data})
			})
		}
	}
	return out, nil
}

// commitsOf reads what a sink has to commit.
func commitsOf(v *checkpoint.VertexState) (commits [][]byte, err error) {
	if len(v.Commit) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(v.Commit, &commits); err != nil {
		return nil, &stream.Error{Code: stream.StateCorrupt, Where: string(v.Vertex), Why: "what the checkpoint has for its sink to commit cannot be read", Err: err}
	}
	return commits, nil
}

// write stores a checkpoint, tells the loop what came of it, and closes done once
// nothing that was frozen is read any more.
func (r *Runner) write(ctx context.Context, f *flight, done chan struct{}) {
	began := time.Now()
	m, err := r.publish(ctx, f)
	f.manifest, f.upload = m, time.Since(began)
	r.releaseAll(f, err == nil)
	close(done)
	switch {
	case err == nil:
		r.events.step(checkpoint.Published{Epoch: f.Epoch})
		return
	case errors.Is(err, checkpoint.ErrFenced):
		r.events.step(checkpoint.Fenced{Err: err})
	default:
		if !errors.As(err, new(snapshotError)) {
			err = uploadError{err}
		}
		r.events.step(checkpoint.UploadFailed{Epoch: f.Epoch, Err: err})
	}
	r.discard(ctx, f.Epoch)
}

func (r *Runner) publish(ctx context.Context, f *flight) (*checkpoint.Manifest, error) {
	r.mu.Lock()
	info := checkpoint.Info{
		Reason: f.Reason, Align: f.align, Snapshot: f.blocked,
		Config: checkpoint.Config{Revision: f.Revision, Interval: checkpoint.Span(f.Choice.Interval), Adaptive: f.Choice.Adaptive != nil},
	}
	var snapshots []checkpoint.Snapshot
	var err error
	for v, s := range f.snapshots {
		given, e := r.give(v, &s, f.since)
		err = errors.Join(err, e)
		snapshots = append(snapshots, given)
	}
	r.mu.Unlock()
	if err != nil {
		return nil, snapshotError{err}
	}
	return r.writer.Write(ctx, f.Epoch, info, snapshots)
}

// discardTime is how long deleting what is left of a checkpoint may take.
const discardTime = 2 * time.Second

// discard deletes what is left of a checkpoint that was given up; the collection finds
// what it leaves.
func (r *Runner) discard(ctx context.Context, e stream.Epoch) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	if err := r.writer.Discard(ctx, e); err != nil {
		r.notice("what is left of a checkpoint that failed stays for now: " + err.Error())
	}
}

// commit lets sources forget and sinks show what a stored checkpoint holds.
func (r *Runner) commit(ctx context.Context, f *flight, attempt int) {
	began := time.Now()
	err := r.commitAll(ctx, f)
	switch {
	case err == nil:
		r.committed(f, time.Since(began))
		r.events.step(checkpoint.SinkCommitted{Epoch: f.Epoch})
	case errors.Is(err, checkpoint.ErrFenced):
		r.events.step(checkpoint.Fenced{Err: err})
	default:
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if r.loop.ctx.Err() == nil { // or else the run has ended
			r.failed(f.Epoch, err)
		}
		r.count(func(n *Failures) { n.Commit++ })
		r.events.step(checkpoint.CommitFailed{Epoch: f.Epoch, Attempt: attempt, Err: err})
	}
}

func (r *Runner) commitAll(ctx context.Context, f *flight) error {
	if err := r.writer.Owns(ctx); err != nil {
		return err
	}
	r.Pipeline.Committed(f.Epoch)
	for _, v := range r.config.Graph.Vertices {
		s := f.snapshots[v.Name]
		for _, c := range s.Commits {
			if err := r.Pipeline.Commit(ctx, v.Name, c); err != nil {
				return err
			}
		}
	}
	return r.writer.MarkCommitted(ctx, f.Epoch)
}
