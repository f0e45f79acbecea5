package checkpoint

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Status is what a Coordinator knows, for people.
type Status struct {
	Revision Revision
	Choice   Choice
	Next     time.Duration // until the next is due; negative: it is overdue. Only if Periodic
	Periodic bool          // there is an interval
	InFlight []Flight      // by epoch
	Stopping bool
	Over     bool // it has finished or failed
	InARow   int  // failures since the last success, retries aside
	LastErr  error
	Counts
}

// Counts are totals since the start.
type Counts struct {
	Triggered, Published, Completed, Aborted, CommitsFailed int

	LastEpoch stream.Epoch // the last complete one, 0 if there is none
	LastTook  time.Duration
}

// Flight is a checkpoint under way.
type Flight struct {
	Epoch     stream.Epoch
	Reason    Reason
	Phase     Phase
	Age       time.Duration
	Unaligned bool
	Missing   []stream.VertexID // whose barrier or snapshot is awaited, in no order
}

// Status is as of the last step.
func (c *Coordinator) Status() Status {
	s := Status{
		Revision: c.revision, Choice: c.choice, Periodic: c.due != never, Next: c.due - c.clock,
		Stopping: c.stopping, Over: c.over, InARow: c.failures, LastErr: c.lastErr, Counts: c.counts,
	}
	for _, f := range c.flying {
		out := Flight{Epoch: f.epoch, Reason: f.reason, Phase: f.phase, Age: c.clock - f.began, Unaligned: f.unaligned}
		for v, i := range c.vertices {
			if !f.passed[i] || !f.done[i] {
				out.Missing = append(out.Missing, v)
			}
		}
		s.InFlight = append(s.InFlight, out)
	}
	return s
}
