package control

import (
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control/durable"
)

// CheckpointMetrics returns a collector of what becomes of the checkpoints of a
// pipeline.
func CheckpointMetrics(pipeline string, d *durable.Runner) func(*admin.Writer) {
	return func(w *admin.Writer) { checkpointed(w.With("pipeline", pipeline), d.Checkpoints()) }
}

// checkpointed writes what became of the checkpoints of a pipeline. What is not known
// is absent.
func checkpointed(w *admin.Writer, s durable.Status) {
	t := &s.Totals
	for _, d := range []struct {
		phase string
		of    *durable.Durations
	}{{"align", &t.Align}, {"pause", &t.Pause}, {"upload", &t.Upload}, {"commit", &t.Commit}} {
		bounds, counts, sum := d.of.Histogram()
		w.Histogram(admin.CheckpointDuration, bounds, counts, sum, "phase", d.phase)
	}
	w.Counter(admin.CheckpointBytes, uint64(t.Full), "kind", "full")
	w.Counter(admin.CheckpointBytes, uint64(t.Incremental), "kind", "incremental")
	for _, f := range []struct {
		reason string
		n      uint64
	}{{"snapshot", t.Failures.Snapshot}, {"timeout", t.Failures.Timeout}, {"upload", t.Failures.Upload}, {"commit", t.Failures.Commit}, {"fenced", t.Failures.Fenced}} {
		w.Counter(admin.CheckpointFailures, f.n, "reason", f.reason)
	}
	w.Counter(admin.CheckpointsCompleted, uint64(s.Completed))
	w.Gauge(admin.CheckpointsInFlight, float64(len(s.InFlight)))
	if at := newest(&s); !at.IsZero() {
		w.Gauge(admin.CheckpointAge, time.Since(at).Seconds())
	}
	if s.Revision > 0 {
		w.Gauge(admin.CheckpointInterval, s.Interval.Seconds())
		w.Gauge(admin.CheckpointRestore, s.Restored.Took.Seconds())
	}
	if s.Kept > 0 {
		w.Gauge(admin.CheckpointsKept, float64(s.Kept))
	}
}

// newest is when the last complete one was taken: what a start would go on from.
func newest(s *durable.Status) time.Time {
	if s.Last != nil {
		return s.Last.At
	}
	return s.Restored.Created
}
