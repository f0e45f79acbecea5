package control

import (
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// CheckpointStatus is what there is to see of the checkpoints of a pipeline. What is
// not known is null.
type CheckpointStatus struct {
	Interval *float64            `json:"interval_seconds"` // in force; 0 = on request only; null = nothing is restored yet
	By       string              `json:"decided_by,omitempty"`
	Revision checkpoint.Revision `json:"revision"`
	Adaptive *AdaptiveStatus     `json:"adaptive,omitempty"`
	Next     *float64            `json:"next_seconds"` // until the next is due, negative: it is overdue; null = none is

	Last     *TakenStatus       `json:"last"` // that this process has completed
	InFlight []CheckpointFlight `json:"in_flight"`
	Restored *RestoredStatus    `json:"restored_from"` // null = nothing
	Kept     *int               `json:"kept"`          // that can be restored, as of the last collection

	Triggered     int     `json:"triggered"`
	Published     int     `json:"published"`
	Completed     int     `json:"completed"`
	Aborted       int     `json:"aborted"`
	CommitsFailed int     `json:"commits_failed"`
	InARow        int     `json:"failures_in_a_row"`
	LastError     *string `json:"last_error"`
}

// TakenStatus is a complete checkpoint.
type TakenStatus struct {
	Epoch    stream.Epoch `json:"epoch"`
	At       time.Time    `json:"at"`
	Age      float64      `json:"age_seconds"`
	NewBytes int64        `json:"new_bytes"`   // that it added
	AllBytes int64        `json:"total_bytes"` // that a restore reads
}

// CheckpointFlight is a checkpoint under way.
type CheckpointFlight struct {
	Epoch     stream.Epoch      `json:"epoch"`
	Reason    checkpoint.Reason `json:"reason"`
	Phase     checkpoint.Phase  `json:"phase"`
	Age       float64           `json:"age_seconds"`
	Unaligned bool              `json:"unaligned"` // its barriers overtake records
	WaitsFor  []stream.VertexID `json:"waits_for"` // whose barrier or snapshot is missing
}

// RestoredStatus is what a pipeline went on from.
type RestoredStatus struct {
	Epoch    stream.Epoch `json:"epoch"`
	At       time.Time    `json:"at"`      // when it was taken
	Seconds  float64      `json:"seconds"` // that the restore took
	Bytes    int64        `json:"bytes"`
	InFlight int          `json:"in_flight"` // records
}

// AdaptiveStatus is what an adaptive interval follows from.
type AdaptiveStatus struct {
	Min          float64  `json:"min_seconds"`
	Max          float64  `json:"max_seconds"`
	RecoveryTime *float64 `json:"recovery_time_seconds"` // the objective; null = none

	Cost     *float64 `json:"cost_seconds"` // that the data path stands still for one
	Restarts int      `json:"restarts"`     // that the MTBF counts
	MTBF     float64  `json:"mtbf_seconds"`
	Rate     *float64 `json:"rate"` // records/s
	Capacity *float64 `json:"capacity"`
	Detect   *float64 `json:"detect_seconds"`
	Restore  *float64 `json:"restore_seconds"`

	Optimum  *float64 `json:"optimum_seconds"`        // for the least loss
	Recovery *float64 `json:"recovery_bound_seconds"` // the most that the objective allows
}

// CheckpointStatusOf returns the status of the checkpoints of a pipeline. It may be
// called at any time, also after the run.
func CheckpointStatusOf(d *durable.Runner) *CheckpointStatus {
	phase := d.Phase()
	return checkpointStatus(d.Checkpoints(), phase == pipeline.PhaseStopped || phase == pipeline.PhaseFailed)
}

// checkpointStatus makes s what people read. ended says that none follows.
func checkpointStatus(s durable.Status, ended bool) *CheckpointStatus {
	out := &CheckpointStatus{
		Revision: s.Revision, InFlight: []CheckpointFlight{}, InARow: s.InARow,
		Triggered: s.Triggered, Published: s.Published, Completed: s.Completed, Aborted: s.Aborted, CommitsFailed: s.CommitsFailed,
	}
	if s.Revision == 0 {
		return out
	}
	out.Interval, out.By = new(s.Interval.Seconds()), s.Choice.By
	if s.Interval > 0 && !ended {
		out.Next = new(s.Next.Seconds())
	}
	if s.Choice.Adaptive != nil {
		out.Adaptive = adaptiveStatus(&s.Choice)
	}
	if t := s.Last; t != nil {
		out.Last = &TakenStatus{t.Epoch, t.At.UTC(), time.Since(t.At).Seconds(), t.NewBytes, t.AllBytes}
	}
	if !ended {
		for _, f := range s.InFlight {
			out.InFlight = append(out.InFlight, checkpointFlight(f))
		}
	}
	if r := s.Restored; r.Epoch > 0 {
		out.Restored = &RestoredStatus{r.Epoch, r.Created.UTC(), r.Took.Seconds(), r.Bytes, r.InFlight}
	}
	if s.Kept > 0 {
		out.Kept = new(s.Kept)
	}
	if s.LastErr != nil {
		out.LastError = new(oneLine(s.LastErr))
	}
	return out
}

func checkpointFlight(f checkpoint.Flight) CheckpointFlight {
	out := CheckpointFlight{Epoch: f.Epoch, Reason: f.Reason, Phase: f.Phase, Age: f.Age.Seconds(), Unaligned: f.Unaligned, WaitsFor: []stream.VertexID{}}
	out.WaitsFor = append(out.WaitsFor, f.Missing...)
	slices.Sort(out.WaitsFor)
	return out
}

func adaptiveStatus(c *checkpoint.Choice) *AdaptiveStatus {
	in := &c.Inputs
	out := &AdaptiveStatus{
		Min: c.Adaptive.Min.Seconds(), Max: c.Adaptive.Max.Seconds(), Restarts: in.Restarts, MTBF: c.MTBF.Seconds(),
		Cost: figure(in.Cost), Rate: figure(in.Rate), Capacity: figure(in.Capacity), Detect: figure(in.Detect), Restore: figure(in.Restore),
		Recovery: figure(c.Recovery),
	}
	if c.Adaptive.RecoveryTime > 0 {
		out.RecoveryTime = new(c.Adaptive.RecoveryTime.Seconds())
	}
	if c.Optimum > 0 {
		out.Optimum = new(c.Optimum.Seconds())
	}
	return out
}

func figure(f checkpoint.Figure) *float64 {
	if !f.Known {
		return nil
	}
	return &f.Value
}

// oneLine is an error without the line breaks before what to do.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n  fix: ", "; ") }
