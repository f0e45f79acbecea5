package durable

import (
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// Status is what there is to see of the checkpoints of a pipeline.
type Status struct {
	Interval time.Duration       // in force; 0 = on request only
	Revision checkpoint.Revision // of the settings
	Choice   checkpoint.Choice
	Next     time.Duration // until the next is due, negative: overdue; only with an interval
	InFlight []checkpoint.Flight
	checkpoint.Counts
	InARow  int // failures since the last success
	LastErr error

	Last     *Taken // nil = none is complete yet
	Restored stream.Restoration
	Kept     int // checkpoints that can be restored, as of the last collection
	Totals   Totals
}

// Taken is a checkpoint that is complete.
type Taken struct {
	Epoch    stream.Epoch
	At       time.Time // when it was complete
	NewBytes int64
	AllBytes int64
}

// Totals are of all checkpoints since the start.
type Totals struct {
	Full, Incremental int64 // bytes of state that were stored
	Align, Pause      Durations
	Upload, Commit    Durations
	Failures          Failures
}

// take takes what the coordinator knows.
func (s *Status) take(c checkpoint.Status) {
	s.Interval, s.Revision, s.Choice, s.InFlight = c.Choice.Interval, c.Revision, c.Choice, c.InFlight
	s.Counts, s.InARow, s.LastErr, s.Next = c.Counts, c.InARow, c.LastErr, c.Next
}

// Checkpoints returns the status; anyone may call it at any time.
func (r *Runner) Checkpoints() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// durationBounds are in seconds.
var durationBounds = [...]float64{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}

// Durations count how long something took.
type Durations struct {
	counts [len(durationBounds) + 1]uint64
	sum    float64
}

func (d *Durations) add(t time.Duration) {
	i := 0
	for i < len(durationBounds) && t.Seconds() > durationBounds[i] {
		i++
	}
	d.counts[i]++
	d.sum += t.Seconds()
}

// Histogram returns the upper bounds in seconds, how many were at most each of them,
// one more than there are bounds for all, and the sum in seconds.
func (d *Durations) Histogram() (bounds []float64, counts []uint64, sum float64) {
	total := uint64(0)
	for _, n := range d.counts {
		total += n
		counts = append(counts, total)
	}
	return durationBounds[:], counts, d.sum
}
