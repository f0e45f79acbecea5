package durable

import (
	"errors"

	"github.com/wasmill/wasmill/checkpoint"
)

// Failures count checkpoints that failed, or failed to be committed, by what did.
type Failures struct {
	Snapshot uint64 // what a vertex gave cannot be stored
	Timeout  uint64 // it was not published in time
	Upload   uint64
	Commit   uint64 // attempts
	Fenced   uint64 // another process has taken over
}

// Errors of a checkpoint that was being written; any other that ends it is a timeout.
type (
	snapshotError struct{ error }
	uploadError   struct{ error }
)

func (e snapshotError) Unwrap() error { return e.error }
func (e uploadError) Unwrap() error   { return e.error }

// aborted counts a checkpoint that was given up.
func (f *Failures) aborted(err error) {
	switch {
	case errors.Is(err, checkpoint.ErrFenced): // which ends the run, and counts there
	case errors.As(err, new(snapshotError)):
		f.Snapshot++
	case errors.As(err, new(uploadError)):
		f.Upload++
	default:
		f.Timeout++
	}
}

// count changes the counts.
func (r *Runner) count(change func(*Failures)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.status.Totals.Failures)
}
