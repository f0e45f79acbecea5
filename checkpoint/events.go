package checkpoint

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func (Tick) step(*Coordinator) {}

func (e Restored) step(c *Coordinator) {
	c.epoch = max(c.epoch, e.Epoch)
	c.inputs.Restarts = e.Restarts
	if c.settings.Adaptive != nil && e.Interval > 0 {
		c.choice.Interval = e.Interval
		c.pull()
	}
	c.choose()
}

func (e BarrierPassed) step(c *Coordinator) {
	f, i := c.of(e.Epoch, e.Vertex)
	if f == nil || f.passed[i] {
		return
	}
	f.passed[i] = true
	f.barriers--
	f.blocked = max(f.blocked, e.Blocked)
	if f.barriers == 0 {
		c.inputs.Cost = mean(c.inputs.Cost, f.blocked.Seconds())
		c.choose()
	}
	f.advance()
}

func (e SnapshotDone) step(c *Coordinator) {
	f, i := c.of(e.Epoch, e.Vertex)
	if f == nil || f.done[i] {
		return
	}
	f.done[i] = true
	f.snapshots--
	f.advance()
}

func (e SnapshotFailed) step(c *Coordinator) {
	if f, _ := c.of(e.Epoch, e.Vertex); f != nil {
		c.abort(f, fmt.Errorf("snapshot of %s: %w", e.Vertex, e.Err))
	}
}

// of returns a checkpoint that is aligning and the index of a vertex.
func (c *Coordinator) of(e stream.Epoch, v stream.VertexID) (*flight, int) {
	i, ok := c.vertices[v]
	if !ok {
		return nil, 0
	}
	return c.find(e, PhaseAligning), i
}

// advance notes that all vertices are through.
func (f *flight) advance() {
	if f.barriers == 0 && f.snapshots == 0 {
		f.phase = PhaseReady
	}
}

func (e Published) step(c *Coordinator) {
	f := c.find(e.Epoch, PhasePublishing)
	if f == nil {
		return
	}
	c.counts.Published++
	f.phase = PhaseCommitting
	c.commit(f)
}

func (e UploadFailed) step(c *Coordinator) {
	if f := c.find(e.Epoch, PhasePublishing); f != nil {
		c.abort(f, e.Err)
	}
}

func (e SinkCommitted) step(c *Coordinator) {
	f := c.find(e.Epoch, PhaseCommitting)
	if f == nil {
		return
	}
	c.remove(f)
	c.failures, c.tries = 0, 0
	c.counts.Completed++
	c.counts.LastEpoch, c.counts.LastTook = f.epoch, c.clock-f.began
	if f.reason == ReasonRetry {
		c.schedule(f.began)
	}
	c.do(Retain{c.settings.Retain})
	if f.reason == ReasonFinal {
		c.over = true
		c.do(Finished{f.epoch})
	}
}

func (e CommitFailed) step(c *Coordinator) {
	if f := c.find(e.Epoch, PhaseCommitting); f != nil && !f.waiting && f.attempt == e.Attempt {
		c.commitFailed(f, e.Err)
	}
}

func (e ConfigChanged) step(c *Coordinator) {
	if e.Revision > c.revision && e.Settings.Validate() == nil {
		c.configure(e.Settings, e.Revision)
		c.do(Applied{c.revision, c.choice})
	}
}

func (Requested) step(c *Coordinator) { c.wanted = !c.stopping }

func (Stopping) step(c *Coordinator) {
	if !c.stopping {
		c.stopping, c.wanted = true, false
		c.tries, c.retryAt = 0, 0
	}
}

func (e Fenced) step(c *Coordinator) {
	if e.Err == nil {
		e.Err = fenced("", "another process writes checkpoints of this pipeline")
	}
	c.fail(e.Err)
}

func (e DirtyBytes) step(c *Coordinator) {
	for _, f := range c.flying {
		if f.barriers > 0 {
			return
		}
	}
	c.dirty = e.Bytes
}

func (e Measured) step(c *Coordinator) {
	c.inputs.Load = e.Load
	c.choose()
}

// configure puts settings in force.
func (c *Coordinator) configure(s Settings, r Revision) {
	if s.Adaptive != nil {
		a := *s.Adaptive
		s.Adaptive = &a
	}
	c.settings, c.revision = s, r
	if s.Adaptive == nil {
		c.choice = Choice{Interval: s.Interval, By: ByConfig}
		c.pull()
		return
	}
	c.choice = Choose(*s.Adaptive, c.inputs, c.choice.Interval)
	c.pull()
}

// choose adapts the interval to what was measured.
func (c *Coordinator) choose() {
	if c.settings.Adaptive == nil {
		return
	}
	if c.clock >= AssumedMTBF {
		c.inputs.Restarts = 0
	}
	old := c.choice.Interval
	c.choice = Choose(*c.settings.Adaptive, c.inputs, old)
	if c.choice.Interval != old {
		c.pull()
		c.do(Applied{c.revision, c.choice})
	}
}

// schedule sets when the next checkpoint is due, from the start of the last.
func (c *Coordinator) schedule(base time.Duration) {
	c.base, c.due = base, never
	c.pull()
}

// pull applies an interval to the next trigger: it may come earlier, not later.
func (c *Coordinator) pull() {
	if c.choice.Interval == 0 {
		c.due = never
		return
	}
	if c.choice.Interval < never-c.base {
		c.due = min(c.due, c.base+c.choice.Interval)
	}
}
