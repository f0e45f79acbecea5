package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Wait returns when the instance is ready, or has ended because its sources have. progress
// is told what is missing, whenever that is something else. When ctx ends it is an error,
// and the instance goes on.
func (i *Instance) Wait(ctx context.Context, progress func(string)) (Seen, error) {
	told := ""
	for {
		s, err := i.See()
		if err != nil {
			return s, err
		}
		missing := ""
		switch {
		case s.Ready, s.State == Stopped:
			return s, nil
		case s.State == Failed:
			return s, &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: "it has failed: " + s.Reason, Fix: "mend that, then wasmill resume " + i.Name + "; or wasmill delete " + i.Name}
		case s.State == Starting && s.Progress != nil:
			missing = Missing(s.Progress)
		case s.State == Starting && s.Worker > 0 && s.Reason == "":
			missing = fmt.Sprintf("process %d loads the pipeline", s.Worker)
		case s.State == Pausing || s.State == Stopping || s.State == Deleting:
			return s, &stream.Error{Code: stream.InstanceFailed, Where: i.dir, Why: "another command ends it: it is " + string(s.State), Fix: "wasmill status " + i.Name + " shows what comes of it"}
		}
		if s.Reason != "" && missing == "" {
			missing, _, _ = strings.Cut(s.Reason, "\n")
		}
		if missing != "" && missing != told {
			if told = missing; progress != nil {
				progress(missing)
			}
		}
		if !pause(ctx, lookEvery) {
			return s, i.late(ctx, s, told)
		}
	}
}

// late says that the time is over.
func (i *Instance) late(ctx context.Context, s Seen, missing string) error {
	why := fmt.Sprintf("it is not ready yet, but %s", s.State)
	if missing != "" {
		why += ": " + missing
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = "the waiting was interrupted: " + why
	}
	return &stream.Error{
		Code: stream.InstanceTimeout, Where: i.dir, Why: why + "; it goes on with that",
		Fix: fmt.Sprintf("wasmill status %[1]s and wasmill logs %[1]s show how far it is; wasmill shutdown %[1]s ends it, to be resumed later, and wasmill delete %[1]s --force removes it", i.Name),
	}
}

// wait waits until gone says so; false = the time is over.
func wait(ctx context.Context, most time.Duration, gone func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for !gone() {
		if !pause(ctx, lookEvery) {
			return gone()
		}
	}
	return true
}
