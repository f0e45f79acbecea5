package checkpoint

import (
	"fmt"
	"time"
)

// Settings is what a person says of the checkpoints of a pipeline. All of it may
// change while the pipeline runs, and applies to the next decision.
type Settings struct {
	// Interval is the time from the start of one to the start of the next. 0: only
	// on request.
	Interval time.Duration

	// Adaptive replaces Interval by a measured one if it is not nil.
	Adaptive *Adaptive

	// Timeout is how long one may take until it is published, and then how long an
	// attempt to commit it may take. 0: any time.
	Timeout time.Duration

	// MinPause is the least time from the end of one to the start of the next, but
	// for one that is asked for.
	MinPause time.Duration

	// AlignTimeout is how long barriers may wait for each other before what they
	// wait behind is stored, too. 0: any time.
	AlignTimeout time.Duration

	// MaxInFlight is how many may be under way at once, at least 1.
	MaxInFlight int

	// TolerableFailures is how many in a row may fail before the pipeline does.
	TolerableFailures int

	// DirtyBytes triggers one as soon as so much has changed. 0: never.
	DirtyBytes int64

	// Retain says which are kept.
	Retain Retention
}

// Reason says why a checkpoint was triggered.
type Reason string

// The reasons.
const (
	ReasonInterval Reason = "interval"
	ReasonDirty    Reason = "dirty"     // DirtyBytes is reached
	ReasonRequest  Reason = "requested" // by a person or the API
	ReasonRetry    Reason = "retry"     // after one that failed, before the next is due
	ReasonFinal    Reason = "final"     // the last one before the process stops
)

// Phase is how far a checkpoint is.
type Phase string

// The phases of a checkpoint.
const (
	PhaseAligning   Phase = "aligning"   // barriers and snapshots are under way
	PhaseReady      Phase = "ready"      // an earlier one is not finished yet
	PhasePublishing Phase = "publishing" // data, manifest and record are being stored
	PhaseCommitting Phase = "committing" // it is durable, and the sinks commit
)

// Validate finds mistakes of the caller; those of people are config's.
func (s *Settings) Validate() error {
	if s.Interval < 0 || s.Timeout < 0 || s.MinPause < 0 || s.AlignTimeout < 0 || s.MaxInFlight < 1 || s.TolerableFailures < 0 || s.DirtyBytes < 0 {
		return fmt.Errorf("BUG: checkpoint settings out of range: %+v", *s)
	}
	if a := s.Adaptive; a != nil && (a.Min <= 0 || a.Max < a.Min || a.RecoveryTime < 0) {
		return fmt.Errorf("BUG: adaptive interval out of range: %+v", *a)
	}
	return nil
}
