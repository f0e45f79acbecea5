package durable

import (
	"context"
	"errors"
	"sync"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// Config says what a Runner runs, and where its checkpoints are.
type Config struct {
	Name     string // of the pipeline
	Graph    pipeline.Graph
	Hooks    pipeline.Hooks            // without Snapshot and Opened
	Shapes   map[stream.VertexID]Shape // of the graph as it is built; Reshape changes them
	Settings checkpoint.Settings
	Start    Start
	Events   stream.Events
	Wasmill  string // the version of this binary
	Process  string // unique to this process; empty stands for a random one
	Local    bool   // the store is a disk of this machine

	// Open opens the store, once, when Run begins. It belongs to the Runner.
	Open func(ctx context.Context) (checkpoint.Store, error)
}

// Start says what a run goes on from: the newest checkpoint, unless it says more.
type Start struct {
	Epoch stream.Epoch // this one; 0 = the newest
	From  *Origin      // of checkpoints that are somewhere else; nil = of this pipeline
	Fresh bool         // nothing: all that there are are deleted

	// AllowDropped lets a run begin that drops a part of the checkpoint.
	AllowDropped bool
}

// Origin is where other checkpoints are. The next one of this pipeline has everything.
type Origin struct {
	Pipeline string
	Open     func(ctx context.Context) (checkpoint.Store, error) // the store is closed after the restore
}

// Runner runs a pipeline with checkpoints.
type Runner struct {
	*pipeline.Pipeline
	config Config
	events *events
	begun  chan struct{}           // closed when it is restored and everything is open
	ended  chan struct{}           // closed when Run has ended
	cancel context.CancelCauseFunc // ends Run with an error

	// Set by restore, before the loop begins.
	store  checkpoint.Store
	writer *checkpoint.Writer

	loop loop
	wait sync.WaitGroup // every goroutine

	mu     sync.Mutex // guards the rest
	shapes map[stream.VertexID]Shape
	flight *flight // that takes snapshots
	status Status
}

// New builds a pipeline, which owns all of the graph from then on, also if New
// returns an error. Run or Discard has to be called once.
func New(c Config) (*Runner, error) {
	c.Settings.MaxInFlight = 1 // as the loop knows one
	r := &Runner{config: c, shapes: c.Shapes, events: newEvents(), begun: make(chan struct{}), ended: make(chan struct{})}
	r.loop.runner = r
	hooks := c.Hooks
	hooks.Snapshot, hooks.Opened = r.snapshot, r.opened
	var err error
	r.Pipeline, err = pipeline.New(c.Graph, hooks)
	return r, err
}

// Run restores the pipeline and runs it as Pipeline.Run does. It returns nil when the
// sources have ended, or were stopped by Drain, and a last checkpoint is complete. An
// error that has checkpoint.ErrFenced below says that another process has taken over.
func (r *Runner) Run(ctx context.Context) error {
	ctx, r.cancel = context.WithCancelCause(ctx)
	r.loop.ctx = ctx
	err := r.Pipeline.Run(ctx, r.restore)
	r.cancel(err)
	r.wait.Wait()
	close(r.ended)
	if r.loop.last != nil {
		r.releaseAll(r.loop.last, false)
	}
	return errors.Join(err, r.close())
}

// opened begins to take checkpoints.
func (r *Runner) opened() {
	close(r.begun)
	r.wait.Go(r.loop.run)
	if parent := r.writer.Parent(); parent != nil {
		r.wait.Go(func() {
			if err := r.writer.MarkCommitted(r.loop.ctx, parent.Epoch); err != nil && r.loop.ctx.Err() == nil {
				r.notice("the restored checkpoint is not marked as committed: " + err.Error())
			}
		})
	}
}

// Begun is closed when the pipeline is restored and its sources and sinks are open:
// from then on it moves records. Run may end before.
func (r *Runner) Begun() <-chan struct{} { return r.begun }

// close frees what restore took.
func (r *Runner) close() error {
	if r.writer != nil {
		r.writer.Close()
	}
	if r.store == nil {
		return nil
	}
	return r.store.Close()
}

// Configure puts settings in force, all at once, and returns their revision when they
// are, which is at once while the pipeline runs, and otherwise once it is restored. The
// interval applies to the next trigger. Whoever calls it keeps the settings for the
// next start. It returns an error if ctx or the run ends before.
func (r *Runner) Configure(ctx context.Context, s checkpoint.Settings) (checkpoint.Revision, error) {
	s.MaxInFlight = 1
	if err := s.Validate(); err != nil {
		return 0, err
	}
	applied := make(chan checkpoint.Revision, 1)
	r.events.push(func(l *loop) {
		l.revision++
		l.step(checkpoint.ConfigChanged{Settings: s, Revision: l.revision})
		applied <- l.revision
	})
	select {
	case revision := <-applied:
		return revision, nil
	case <-r.ended:
		return 0, errors.New("the pipeline has ended")
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Reshape says what the vertices are from now on, for checkpoints that are published
// after it.
func (r *Runner) Reshape(shapes map[stream.VertexID]Shape) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shapes = shapes
}

// Request asks for a checkpoint now.
func (r *Runner) Request() { r.events.step(checkpoint.Requested{}) }
