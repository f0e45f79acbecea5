package durable

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// loop steps the coordinator and does what it says. It is one goroutine's.
type loop struct {
	runner *Runner
	c      *checkpoint.Coordinator
	ctx    context.Context

	revision checkpoint.Revision
	last     *flight
	writing  chan struct{} // closed when nothing that was frozen is read; nil = nothing ever was
	full     bool          // the next checkpoint has everything
	commits  *attempt
	asked    []ask

	collector  checkpoint.Collector
	collecting bool
	retain     *checkpoint.Retention // to be applied next
	ended      <-chan struct{}       // of the sources; nil once it is known
	endedAt    time.Time
	stopping   bool
	load       load
}

// attempt is one to commit.
type attempt struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
}

var errSlowCommit = errors.New("its sinks did not commit in time: they are asked again")

// Bounds of the time between two looks at the clock.
const (
	leastTick = time.Millisecond
	mostTick  = 50 * time.Millisecond
)

// begin makes ready to take checkpoints after a restore; own says that what was found
// is of this pipeline, so that the next checkpoint can build on it.
func (l *loop) begin(found *checkpoint.Recovery, own bool) (err error) {
	r := l.runner
	l.revision, l.full = 1, !own
	restored := checkpoint.Restored{Epoch: found.Highest, Restarts: r.writer.Starts()}
	if m := found.Manifest; m != nil {
		restored.Interval = time.Duration(m.Config.Interval)
		if own {
			l.revision = m.Config.Revision + 1
			r.writer.Continue(m)
		}
	}
	var names []stream.VertexID
	for _, v := range r.config.Graph.Vertices {
		names = append(names, v.Name)
	}
	if l.c, err = checkpoint.NewCoordinator(names, r.config.Settings, l.revision); err != nil {
		return err
	}
	l.collector.Writer, l.ended = r.writer, r.Ended()
	l.step(restored)
	if found.Manifest == nil || !own || found.Manifest.Epoch < found.Highest {
		r.Request() // others must not be found in its place
	}
	return nil
}

// run takes checkpoints until ctx ends.
func (l *loop) run() {
	defer l.runner.events.close()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-l.runner.events.came:
			for _, f := range l.runner.events.take() {
				f(l)
			}
		case <-tick.C:
			l.step(checkpoint.Tick{})
			l.load.sample(l)
			l.finish()
			tick.Reset(l.pace())
		case <-l.ended:
			l.ended, l.endedAt = nil, time.Now()
			tick.Reset(0)
		case <-l.ctx.Done():
			return
		}
	}
}

// pace is the time to the next look at the clock: much less than an interval.
func (l *loop) pace() time.Duration {
	if l.ended == nil && !l.stopping {
		return min(mostTick, max(leastTick, time.Since(l.endedAt)/20))
	}
	if i := l.runner.Checkpoints().Interval; i > 0 {
		return min(mostTick, max(leastTick, i/20))
	}
	return mostTick
}

// step takes an event and does what follows.
func (l *loop) step(ev checkpoint.Event) {
	r := l.runner
	actions := l.c.Step(time.Now(), ev)
	status := l.c.Status()
	r.mu.Lock()
	r.status.take(status)
	r.mu.Unlock()
	for _, a := range actions {
		l.do(a)
	}
	l.answer(status.LastEpoch)
}

func (l *loop) do(a checkpoint.Action) {
	r := l.runner
	switch a := a.(type) {
	case checkpoint.Trigger:
		l.trigger(a)
	case checkpoint.Unalign:
		l.unalign(a.Epoch)
	case checkpoint.Publish:
		var ctx context.Context
		f := l.last
		ctx, f.cancel = context.WithCancelCause(l.ctx)
		l.writing = make(chan struct{})
		writing := l.writing
		r.wait.Go(func() { r.write(ctx, f, writing) })
	case checkpoint.CommitSinks:
		l.commit(a)
	case checkpoint.Abort:
		l.abort(a)
	case checkpoint.Retain:
		l.retain = &a.Retention
		l.collect()
	case checkpoint.Applied:
		r.applied(a)
	case checkpoint.Finished:
		r.Finish()
		if l.last.unaligned {
			r.Leave()
		}
	case checkpoint.Fail:
		if errors.Is(a.Err, checkpoint.ErrFenced) {
			r.count(func(n *Failures) { n.Fenced++ })
		}
		r.cancel(a.Err)
	}
}

// trigger begins a checkpoint, as soon as nobody reads what the one before has frozen.
func (l *loop) trigger(a checkpoint.Trigger) {
	r, writing := l.runner, l.writing
	f := &flight{Trigger: a, began: time.Now(), snapshots: make(map[stream.VertexID]pipeline.Snapshot)}
	l.last = f
	barrier := &stream.Barrier{Epoch: a.Epoch, Full: l.full, Last: a.Reason == checkpoint.ReasonFinal}
	r.wait.Go(func() {
		if writing != nil {
			<-writing
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if f.over {
			return
		}
		r.flight = f
		if parent := r.writer.Parent(); parent != nil {
			f.since = parent.Epoch
		}
		r.Inject(barrier)
	})
}

// unalign lets barriers overtake.
func (l *loop) unalign(e stream.Epoch) {
	l.last.unaligned = true
	l.runner.wait.Go(func() { l.runner.Overtake(e) })
}

func (l *loop) commit(a checkpoint.CommitSinks) {
	r, f, before := l.runner, l.last, l.commits
	ctx, cancel := context.WithCancelCause(l.ctx)
	l.commits = &attempt{cancel, make(chan struct{})}
	if a.Attempt == 1 {
		before = nil
		l.full = false
		r.stored(f)
	} else {
		before.cancel(errSlowCommit)
	}
	done := l.commits.done
	r.wait.Go(func() {
		defer close(done)
		defer cancel(nil)
		if before != nil {
			<-before.done
		}
		r.commit(ctx, f, a.Attempt)
	})
}

func (l *loop) abort(a checkpoint.Abort) {
	r, f := l.runner, l.last
	r.failed(a.Epoch, a.Err)
	r.count(func(n *Failures) { n.aborted(a.Err) })
	l.disappoint(a.Epoch, a.Err)
	if f == nil || f.Epoch != a.Epoch {
		return
	}
	if f.cancel != nil {
		f.cancel(a.Err)
	} else {
		r.releaseAll(f, false)
	}
	r.Abandon(a.Epoch)
}

// collect runs the collector, one at a time.
func (l *loop) collect() {
	if l.collecting || l.retain == nil {
		return
	}
	keep := *l.retain
	l.retain, l.collecting = nil, true
	r := l.runner
	r.wait.Go(func() {
		out, err := l.collector.Run(l.ctx, keep)
		r.events.push(func(l *loop) {
			l.collecting = false
			switch {
			case err == nil:
				r.collected(out)
			case errors.Is(err, checkpoint.ErrFenced):
				l.step(checkpoint.Fenced{Err: err})
			case l.ctx.Err() == nil:
				r.notice("old checkpoints are not deleted for now: " + err.Error())
			}
			l.collect()
		})
	})
}

// drains says whether the sources were stopped.
func (l *loop) drains() bool { return l.runner.Phase() == pipeline.PhaseStopping }

// finish asks for the last checkpoint once the sources have been stopped, or have
// ended and everything has come through.
func (l *loop) finish() {
	if l.stopping || l.ended != nil || !l.drains() && !l.through() {
		return
	}
	l.stopping = true
	l.step(checkpoint.Stopping{})
}

// through says that no vertex has anything left to do.
func (l *loop) through() bool {
	for _, s := range l.runner.Stats() {
		if s.Watermark != stream.EndOfTime {
			return false
		}
	}
	return true
}

// events are what the loop has to do, in order.
type events struct {
	mu     sync.Mutex // guards
	queue  []func(*loop)
	closed bool
	came   chan struct{} // capacity 1
}

func newEvents() *events { return &events{came: make(chan struct{}, 1)} }

// push never blocks. What comes after the end of the loop is not done.
func (e *events) push(f func(*loop)) {
	e.mu.Lock()
	if !e.closed {
		e.queue = append(e.queue, f)
	}
	e.mu.Unlock()
	select {
	case e.came <- struct{}{}:
	default:
	}
}

func (e *events) step(ev checkpoint.Event) { e.push(func(l *loop) { l.step(ev) }) }

func (e *events) take() []func(*loop) {
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := e.queue
	e.queue = nil
	return taken
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue, e.closed = nil, true
}
